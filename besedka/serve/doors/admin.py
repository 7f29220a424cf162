"""The operator's door: a Unix socket that only the server's own user can open. Each line of JSON is one act; one line answers it.

The frames are those of the wire: ``done``, ``invitation`` or ``error`` answers a ``moderate``. Those by which the operator asks who is there,
which sessions there are, and which limits are in force, are known here only (`besedka.wire.operator_frames`). An ``error`` is a refusal, or has
the code ``internal_error``, because of an error of the server.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Final

from besedka.serve.doors.unix_sockets import disown_if_closed, nobody_else, remove, remove_if_dead, short
from besedka.serve.errors import SocketUnusable
from besedka.serve.files.descriptor import FULL, reason
from besedka.serve.limits.descriptors import SPARE_DESCRIPTORS
from besedka.serve.metrics import Metrics
from besedka.serve.session import Moderator, Overview
from besedka.serve.tasks import run_to_end
from besedka.wire.errors import INTERNAL_ERROR, ErrorCode, Language, Refused
from besedka.wire.frames import NO_WAIT, Error, Moderate
from besedka.wire.log_line import clock_time
from besedka.wire.operator_frames import OperatorAnswer, decode_operator, encode_operator
from besedka.wire.validation import FRAME_BYTES_AT_MOST

log = logging.getLogger(__name__)

SILENT_SECONDS: Final = 60.0
"""A connection that sends no line, or reads no answer, for this long is closed."""

ACCEPT_SECONDS: Final = 1.0
"""The pause after a connection could not be accepted: there are no descriptors, not even spare ones."""


class AdminDoor:
    """All connections of operators.

    Args:
        moderator: carries out their acts.
        overview: answers their questions.
        metrics: counts refusals.
        stamp: the current time, as the log writes it.
        language: the language of error texts.
    """

    def __init__(
        self,
        moderator: Moderator,
        overview: Overview,
        metrics: Metrics,
        stamp: Callable[[], str],
        language: Language,
    ) -> None:
        self._moderator = moderator
        self._overview = overview
        self._metrics = metrics
        self._stamp = stamp
        self._language = language
        self._connections: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def open(self, path: Path | None) -> AsyncIterator[None]:
        """Listen at a path, or not at all. If a full disk has no room for the socket, the server starts without it.

        Raises:
            SocketUnusable: if the socket cannot be made.
        """
        listener = _listen(path) if path else None
        if path is None or listener is None:
            yield
            return
        loop = asyncio.get_running_loop()
        loop.add_reader(listener, self._accept, listener)
        try:
            yield
        finally:
            loop.remove_reader(listener)
            listener.close()
            for connection in self._connections:
                connection.cancel()
            await asyncio.gather(*self._connections, return_exceptions=True)
            remove(path)

    def _accept(self, listener: socket.socket) -> None:
        """Accept a connection, with a spare descriptor if there is no other: asyncio's own server would close it."""
        try:
            accepted, _ = SPARE_DESCRIPTORS.use(listener.accept)
        except (BlockingIOError, ConnectionError):
            return  # it has gone again
        except OSError as error:
            log.error("an operator could not be let in: %s", reason(error))  # noqa: TRY400 - the sentence is enough
            self._pause(listener)
            return
        connection = asyncio.get_running_loop().create_task(self._begin(accepted))
        self._connections.add(connection)
        connection.add_done_callback(self._connections.discard)

    def _pause(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        loop.remove_reader(listener)
        loop.call_later(ACCEPT_SECONDS, self._resume, listener)

    def _resume(self, listener: socket.socket) -> None:
        if listener.fileno() >= 0:
            asyncio.get_running_loop().add_reader(listener, self._accept, listener)

    async def _begin(self, accepted: socket.socket) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=accepted, limit=FRAME_BYTES_AT_MOST)
        disown_if_closed(accepted, writer.transport)
        await self._serve(reader, writer)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._answer_lines(reader, writer)
        except (TimeoutError, ConnectionError):
            pass  # the operator is gone, or as good as gone
        finally:
            writer.close()

    async def _answer_lines(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            async with asyncio.timeout(SILENT_SECONDS):
                line = await _line(reader)
            if line == b"":
                return
            if line is not None and not line.strip():
                continue
            answer = self._refusal(_TOO_LONG) if line is None else await self._respond(line)
            async with asyncio.timeout(SILENT_SECONDS):
                writer.write(encode_operator(answer) + b"\n")
                await writer.drain()

    async def _respond(self, line: bytes) -> OperatorAnswer:
        key = ""
        try:
            frame = decode_operator(line)
            key = frame.key
            if not isinstance(frame, Moderate):
                return await self._overview.answer(frame)
            # An act that has begun is finished, even if nobody waits for the answer any more.
            return await run_to_end(self._moderator.command(frame))
        except Refused as refusal:
            refusal.key = refusal.key or key
            return self._refusal(refusal)
        except Exception:
            log.exception("an act of the operator has failed")
            return Error(INTERNAL_ERROR, _FAILED[self._language], clock_time(self._stamp()), key)

    def _refusal(self, refusal: Refused) -> Error:
        self._metrics.refused(refusal.code, None)
        sentence = refusal.sentence(self._language)
        wait = refusal.wait or NO_WAIT
        return Error(refusal.code, sentence, clock_time(self._stamp()), refusal.key, refusal.room, wait)


async def _line(reader: asyncio.StreamReader) -> bytes | None:
    """The next line: empty at the end of the stream, None if it was too long."""
    is_too_long = False
    while True:
        try:
            line = await reader.readuntil(b"\n")
        except asyncio.IncompleteReadError as error:
            line = error.partial
        except asyncio.LimitOverrunError as error:
            await reader.readexactly(error.consumed)
            is_too_long = True
            continue
        return None if is_too_long else line


_FAILED: Final = {
    Language.RU: "Ошибка на стороне сервера, подробности в его журнале (stderr); неизвестно, выполнено ли это",
    Language.EN: "The server made an error; its log (stderr) has the details. It is not known whether this was done",
}

_TOO_LONG: Final = Refused(ErrorCode.FRAME_TOO_LONG, limit=FRAME_BYTES_AT_MOST)


def _listen(path: Path) -> socket.socket | None:
    """A socket bound to a path, or None if the disk is full."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        remove_if_dead(path)
        with nobody_else(), short(path) as name:
            listener.bind(name)
        listener.listen()
        listener.setblocking(False)
    except OSError as error:
        listener.close()
        if error.errno in FULL:
            log.warning(
                "no socket for `besedka admin` at %s: %s; make room and start the server again",
                path,
                reason(error),
            )
            return None
        raise SocketUnusable(path, f"{reason(error)}; --admin-socket PATH names another one") from error
    return listener
