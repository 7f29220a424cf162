"""One WebSocket connection: handshake, frames in and out, pings, and its end.

The protocol itself is `websockets`' Sans-I/O `ServerProtocol`; this module gives it bytes, a clock and a transport.
What the frames mean is the business of a `Talk`, chosen by the path of the handshake.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Final, Protocol, TypeVar, cast

from websockets.exceptions import PayloadTooBig
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from besedka.serve.doors.origin import origin_allowed
from besedka.wire.closing import Ending
from besedka.wire.names import FRAME_BYTES_AT_MOST
from besedka.wire.refusals import Code, Refused

log = logging.getLogger(__name__)

PING_SECONDS: Final = 25.0
"""Often enough for home routers and proxies, which forget a silent connection after 30 seconds at the earliest."""

SILENT_SECONDS: Final = 60.0
"""Two pings unanswered: the other side is gone."""

CLOSE_SECONDS: Final = 2.0
"""How long the other side may take to answer a close; the server itself must end within 5."""

SWEEP_SECONDS: Final = 1.0
"""One look at all connections instead of a timer for each."""

BUFFER_BYTES: Final = 64 * 1024
"""What may wait in a socket's buffer before its reader is behind."""

STUFFED_BYTES: Final = 4 * BUFFER_BYTES
"""What may wait there before its sender is not listened to any more: only answers to himself come so far."""

T = TypeVar("T")


class Talk(Protocol):
    """What is said over a connection."""

    def begin(self) -> None:
        """The connection is open."""

    def hear(self, text: str) -> None:
        """A whole text frame came in."""

    def refuse(self, refusal: Refused) -> None:
        """Tell the client that something it did was refused."""

    def resume(self) -> None:
        """The socket's buffer has room again."""

    def end(self) -> None:
        """The connection is gone."""


class Connection(asyncio.Protocol):
    """A WebSocket connection, from its handshake to its end.

    Args:
        door: where it belongs; it adds itself at its beginning and removes itself at its end.
    """

    def __init__(self, door: WebSocketDoor) -> None:
        self.is_full = False
        self._door = door
        self._protocol = ServerProtocol(max_size=FRAME_BYTES_AT_MOST, logger=_SILENT)
        self._talk: Talk | None = None
        self._message = bytearray()
        self._message_is_text = True
        # While an answer is being looked up, or too many answers are unread, the frames behind wait here and the
        # socket is not read.
        self._pending: asyncio.Future[Any] | None = None
        self._waiting: deque[Frame] = deque()
        self._heard_at = door.now()
        self._ping_at = self._heard_at + random.uniform(0, PING_SECONDS)  # noqa: S311 - spreads load, guards nothing
        self._abort_at = float("inf")

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.set_write_buffer_limits(high=BUFFER_BYTES)
        self._door.add(self)

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._door.now()
        self._protocol.receive_data(data)
        for event in self._protocol.events_received():
            if isinstance(event, Request):
                self._shake_hands(event)
            else:
                self._take(cast("Frame", event))
        if isinstance(self._protocol.parser_exc, PayloadTooBig) and self._talk:
            self._talk.refuse(Refused(Code.FRAME_TOO_LONG, limit=FRAME_BYTES_AT_MOST))
        self._flush()
        if self._is_busy:
            self._transport.pause_reading()

    def eof_received(self) -> None:
        # The other side says no more, and so there is nobody to tell: what is on its way is given a moment.
        self._abort_at = min(self._abort_at, self._door.now() + CLOSE_SECONDS)
        self._transport.close()

    def pause_writing(self) -> None:
        self.is_full = True

    def resume_writing(self) -> None:
        self.is_full = False
        if self._talk:
            self._talk.resume()
        self._take_waiting()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - however it ended
        self._door.remove(self)
        if self._pending:
            self._pending.cancel()
        if self._talk:
            self._talk.end()
            self._talk = None

    # What a talk calls.

    def send(self, data: bytes) -> None:
        """Write frames, if the connection still takes them."""
        if not self._is_ending:
            self._transport.write(data)

    def wait_for(self, answer: asyncio.Future[T], then: Callable[[T], None]) -> None:
        """Take nothing more from the client until the answer is there and has been dealt with."""
        self._transport.pause_reading()
        # The answer may be shared with others: only our waiting for it ends with the connection.
        self._pending = asyncio.shield(answer)
        self._pending.add_done_callback(lambda done: self._answered(done, then))

    def close(self, ending: Ending) -> None:
        """Begin to end the connection."""
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(ending.value.code, ending.value.reason)
            self._flush()

    # What the door's sweep calls.

    def look_after(self, now: float) -> None:
        """Ping, or give up, when it is time."""
        if now >= self._abort_at:
            self._transport.abort()
        elif self._is_busy:
            self._heard_at = now  # we do not listen
        elif self._protocol.state is State.OPEN and now - self._heard_at > SILENT_SECONDS:
            self.close(Ending.SILENT)
        elif self._protocol.state is State.OPEN and now >= self._ping_at:
            self._ping_at = now + PING_SECONDS
            self._protocol.send_ping(b"")
            self._flush()

    # Inside.

    def _shake_hands(self, request: Request) -> None:
        path = request.path.split("?", 1)[0]
        make_talk = self._door.talks.get(path)
        if make_talk is None:
            response = self._protocol.reject(404, f"there is no WebSocket at {path}; try /ws\n")
        elif not self._origin_allowed(request):
            response = self._protocol.reject(403, "pages of other hosts may not talk to this chat\n")
        else:
            response = self._protocol.accept(request)
        self._protocol.send_response(response)
        self._flush()
        if make_talk and self._protocol.state is State.OPEN:
            self._talk = make_talk(self)
            self._talk.begin()
            # Until this call returns, the transport tells of a full buffer the one who was here before us.
            self.is_full = self._transport.get_write_buffer_size() > BUFFER_BYTES

    def _origin_allowed(self, request: Request) -> bool:
        origins = request.headers.get_all("Origin")
        hosts = request.headers.get_all("Host")
        return not origins or (len(origins) == len(hosts) == 1 and origin_allowed(origins[0], hosts[0]))

    @property
    def _is_ending(self) -> bool:
        return self._abort_at != float("inf")

    @property
    def _is_busy(self) -> bool:
        is_stuffed = self.is_full and self._transport.get_write_buffer_size() > STUFFED_BYTES
        return self._pending is not None or is_stuffed

    def _take(self, frame: Frame) -> None:
        if self._is_busy:
            self._waiting.append(frame)
            return
        if frame.opcode not in {Opcode.TEXT, Opcode.BINARY, Opcode.CONT}:
            return
        if frame.opcode is not Opcode.CONT:
            self._message_is_text = frame.opcode is Opcode.TEXT
        self._message += frame.data
        if frame.fin:
            message, self._message = self._message, bytearray()
            self._take_message(message)

    def _take_message(self, message: bytearray) -> None:
        if self._talk is None or self._is_ending:
            return
        if not self._message_is_text:
            self._talk.refuse(Refused(Code.BINARY_FRAME))
            return
        try:
            text = message.decode()
        except UnicodeDecodeError:
            # RFC 6455, section 8.1: such a connection must be failed.
            self._protocol.fail(Ending.NOT_TEXT.value.code, Ending.NOT_TEXT.value.reason)
            self._flush()
            return
        try:
            self._talk.hear(text)
        except Exception:
            log.exception("a frame could not be dealt with")
            self.close(Ending.BROKEN)

    def _answered(self, done: asyncio.Future[T], then: Callable[[T], None]) -> None:
        self._pending = None
        if done.cancelled() or self._talk is None:
            return
        error = done.exception()
        if error is None:
            then(done.result())
        elif isinstance(error, Refused):
            self._talk.refuse(error)
        else:
            log.error("an answer could not be given", exc_info=error)
            self.close(Ending.BROKEN)
        self._take_waiting()

    def _take_waiting(self) -> None:
        while self._waiting and not self._is_busy:
            self._take(self._waiting.popleft())
        if not self._is_busy and not self._transport.is_closing():
            self._transport.resume_reading()

    def _flush(self) -> None:
        for data in self._protocol.data_to_send():
            if data:
                self._transport.write(data)
            elif self._transport.can_write_eof():
                # What still comes in is read and thrown away until the other side ends, too: closing at once
                # would reset the connection, and what we have just said would be lost on its way.
                self._transport.write_eof()
            else:
                self._transport.close()
        if self._protocol.close_expected() and not self._is_ending:
            self._abort_at = self._door.now() + CLOSE_SECONDS


class WebSocketDoor:
    """All WebSocket connections of a server.

    Args:
        talks: how to begin a talk, by the path of the handshake.
        now: a clock in seconds that never goes back.
    """

    def __init__(self, talks: Mapping[str, Callable[[Connection], Talk]], now: Callable[[], float]) -> None:
        self.talks = talks
        self.now = now
        self._connections: set[Connection] = set()
        self._is_empty = asyncio.Event()
        self._is_empty.set()

    def connection(self, **_: object) -> Connection:
        """A new connection; uvicorn calls this when a request asks for an upgrade."""
        return Connection(self)

    def add(self, connection: Connection) -> None:
        """A connection has begun."""
        self._connections.add(connection)
        self._is_empty.clear()

    def remove(self, connection: Connection) -> None:
        """A connection has ended."""
        self._connections.discard(connection)
        if not self._connections:
            self._is_empty.set()

    async def sweep(self) -> None:
        """Look after all connections, for ever."""
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            now = self.now()
            for connection in tuple(self._connections):
                connection.look_after(now)

    async def close(self, seconds: float = CLOSE_SECONDS) -> None:
        """End all connections, and wait so long at most until they are gone."""
        for connection in tuple(self._connections):
            connection.close(Ending.RESTARTING)
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._is_empty.wait()
        for connection in tuple(self._connections):
            connection.look_after(float("inf"))


_SILENT = logging.getLogger("besedka.websockets")
# The library tells of each connection at INFO, and of each frame at DEBUG: message texts do not belong in a log.
_SILENT.setLevel(logging.ERROR)
