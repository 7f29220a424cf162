"""``besedka send``: post a message from a script, or everything from a pipe."""

from __future__ import annotations

import asyncio
import getpass
import os
import socket
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from besedka.commands.access import KEY, find_key, remember
from besedka.commands.exit_status import Failure, Refusal, report_remote_errors, used_wrongly
from besedka.commands.messages import Output, json_line
from besedka.commands.options import (
    IDENTITY,
    ROOM,
    URL,
    UTF8,
    ClientCommand,
    chat_address,
    is_given,
    preferred,
    secret_of,
    setting,
)
from besedka.wire.counting import count_of

if TYPE_CHECKING:
    from besedka import RoomClient
    from besedka.wire.message import MessageId

LINES_WAITING: Final = 1_000
"""Most lines that wait to be stored; above it stdin is not read, and its writer waits."""

STDIN_BYTES: Final = 1024 * 1024
"""Most bytes of stdin that are read for one message: far more than a message holds, including colours."""

CHUNK_BYTES: Final = 64 * 1024

_ADVICE: Final = "; --lines says each line as a message of its own"


@click.command(
    cls=ClientCommand,
    short_help="Say something, from a script or a pipe.",
    epilog="""\b
Examples:
  besedka send the cake is in the kitchen
  besedka send --room dev --name build "all green"
  besedka send < notes.txt
  make 2>&1 | besedka send --lines
  besedka send --json hello | jq .id""",
)
@click.argument("text", nargs=-1)
@click.option("--lines", is_flag=True, help="Say each line of stdin as a message of its own, as it comes.")
@ROOM
@setting(
    "--name",
    type=UTF8,
    default=preferred("name"),
    show_default="your login name",
    help="The name to say it under.",
)
@URL
@KEY
@IDENTITY
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object for each message that is stored.")
def send(
    *,
    text: tuple[str, ...],
    lines: bool,
    room: str | None,
    name: str | None,
    url: str,
    key: str | None,
    identity: Path | None,
    as_json: bool,
) -> None:
    """Say TEXT in a room, or what comes in on stdin if there is no TEXT or it is "-".

    Returns when all of it is on the server's disk. Your coming and going is not announced.

    Stdin as a whole is one message of 5000 characters at most; with --lines each line is one, in order, each exactly
    once, also through a restart of the server. Empty lines are left out; colours and the like are removed from stdin.
    """
    if lines and text not in {(), ("-",)}:
        raise used_wrongly("--lines reads the lines of stdin; it takes no TEXT")
    if text[:1] == ("-",) and len(text) > 1:
        raise used_wrongly('"-" is stdin, and stands alone')
    if not text and (sys.stdin is None or sys.stdin.isatty()):
        raise used_wrongly(
            "there is nothing to say: give a TEXT, pipe something in, or say - to type it here"
        )
    with report_remote_errors():
        there = chat_address(url)
        name = (name if is_given("name") else there.name or name) or _own_name(identity)
        access_key = find_key(url, key).text
        secret = secret_of(identity, there.url, name)
        sender = _Sender(url, name, room or "", key=access_key, secret=secret, as_json=as_json)
        if lines:
            asyncio.run(sender.say_lines())
        else:
            asyncio.run(sender.say(_message_of_stdin() if text in {(), ("-",)} else _message(" ".join(text))))


class _Sender:
    """Joins unseen, posts, and leaves."""

    def __init__(self, url: str, name: str, room: str, *, key: str, secret: str, as_json: bool) -> None:
        self._url = url
        self._name = name
        self._room = room
        self._key = key
        self._secret = secret
        self._output = Output() if as_json else None
        self._stored_count = 0

    async def say(self, text: str) -> None:
        """Post one message."""
        async with self._connect() as chat:
            self._report(await chat.say(text), text, chat.room, chat.name)

    async def say_lines(self) -> None:
        """Post the lines of stdin."""
        from besedka.remote.address import address

        if address(self._url).url.startswith(("ws:", "wss:")):
            await self._say_lines_as_they_come()
        else:
            await self._import_lines()

    async def _say_lines_as_they_come(self) -> None:
        async with self._connect() as chat:
            posted: asyncio.Queue[tuple[str, asyncio.Future[MessageId]] | None] = asyncio.Queue(LINES_WAITING)

            async def read() -> None:
                async for line in _lines():
                    await posted.put((line, chat.post(line)))
                await posted.put(None)

            async def settle() -> None:
                while (entry := await posted.get()) is not None:
                    text, stored = entry
                    self._report(await stored, text, chat.room, chat.name)

            await self._until_refused(read(), settle())

    async def _import_lines(self) -> None:
        """Import the lines by a gRPC call, which the server does not rate-limit on its own machine."""
        # gRPC's core logs errors to stderr by default.
        os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        from besedka.remote.importing import importing

        async with importing(
            self._url, self._name, self._room, key=self._key, secret=self._secret
        ) as importer:
            remember(self._url, self._key)
            lines: asyncio.Queue[str | None] = asyncio.Queue(LINES_WAITING)

            async def read() -> None:
                async for line in _lines():
                    await lines.put(line)
                await lines.put(None)

            async def settle() -> None:
                while (line := await lines.get()) is not None:
                    texts = [line]
                    while not lines.empty() and (line := lines.get_nowait()) is not None:
                        texts.append(line)
                    stored = iter(texts)
                    async for number in importer.say(texts):
                        self._report(number, next(stored), importer.room, importer.name)
                    if line is None:
                        return

            await self._until_refused(read(), settle())

    async def _until_refused(self, *work: Coroutine[Any, Any, None]) -> None:
        """Run the work until it is done, or a message is refused."""
        from besedka import SayRefused

        tasks = [asyncio.create_task(part) for part in work]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        except SayRefused as error:
            before = count_of(self._stored_count, "line")
            raise Refusal(f"{error.text} ({before} stored before)") from None
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    @asynccontextmanager
    async def _connect(self) -> AsyncIterator[RoomClient]:
        from besedka import connect

        async with connect(
            self._url, self._name, self._room, quiet=True, key=self._key, secret=self._secret
        ) as chat:
            remember(self._url, self._key)
            yield chat

    def _report(self, number: MessageId, text: str, room: str, name: str) -> None:
        self._stored_count += 1
        if self._output:
            self._output.write(json_line(id=number, room=room, user=name, text=text))
            self._output.flush()


async def _lines() -> AsyncIterator[str]:
    """The lines of stdin, as messages, as they arrive."""
    from besedka.commands.piped import Lines

    lines, is_last = Lines(), False
    while not is_last:
        await _readable(sys.stdin.fileno())
        data = _chunk()
        is_last = not data
        for line in lines.feed(data, is_last=is_last):
            yield line


async def _readable(descriptor: int) -> None:
    """Wait until data can be read, or the input has ended."""
    loop, ready = asyncio.get_running_loop(), asyncio.Event()
    try:
        loop.add_reader(descriptor, ready.set)
    except PermissionError:
        return  # a file is always readable
    try:
        await ready.wait()
    finally:
        loop.remove_reader(descriptor)


def _chunk() -> bytes:
    try:
        return os.read(sys.stdin.fileno(), CHUNK_BYTES)
    except OSError as error:
        raise Failure(f"stdin cannot be read: {(error.strerror or str(error)).lower()}") from None


def _message_of_stdin() -> str:
    from besedka.commands.piped import Plain

    data = b""
    while chunk := _chunk():
        data += chunk
        if len(data) > STDIN_BYTES:
            raise Refusal(f"this is far too long for one message{_ADVICE}")
    return _message(Plain().feed(data, is_last=True), _ADVICE)


def _message(given: str, advice: str = "") -> str:
    from besedka.wire.errors import ErrorCode, Refused
    from besedka.wire.validation import clean_text

    try:
        return clean_text(given)
    except Refused as refusal:
        raise Refusal(f"{refusal}{advice if refusal.code == ErrorCode.TEXT_TOO_LONG else ''}") from None


def _own_name(identity: Path | None) -> str:
    """The login name, unless somebody else than the user posts."""
    if identity:
        raise used_wrongly("--identity is somebody else than you: give a --name")
    return _login_name()


def _login_name() -> str:
    """The login name, as a name in a chat; of root with the machine's name, because ``root`` by itself may pass for the server."""
    from besedka.wire.errors import Refused
    from besedka.wire.validation import NAME_CHARACTERS_AT_MOST, clean_name

    try:
        login = getpass.getuser()
    except (OSError, KeyError, ImportError):
        raise used_wrongly("there is no login name: give a --name") from None
    given = f"root@{socket.gethostname()}" if login == "root" else login
    fit = "".join(filter(str.isprintable, given.replace(":", "-"))).lstrip("*")[:NAME_CHARACTERS_AT_MOST]
    try:
        return clean_name(fit)
    except Refused as refusal:
        raise used_wrongly(
            f"your login name {login!r} cannot be used here: {refusal}; give a --name"
        ) from None
