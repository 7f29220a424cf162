"""``besedka tail``: the messages of a room, read without being visible there."""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
import stat
import sys
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import click

from besedka.commands.access import KEY, find_key
from besedka.commands.exit_status import Failure, report_remote_errors, used_wrongly
from besedka.commands.messages import Output, complain, received_as_json, received_as_line
from besedka.commands.options import IDENTITY, ROOM, URL, ClientCommand, chat_address, secret_of
from besedka.commands.since import SINCE_HELP, Looking, first_id, is_since, since
from besedka.commands.unseen import join_unseen

if TYPE_CHECKING:
    from besedka.remote.address import Address
    from besedka.remote.room.events import ReceivedMessage
    from besedka.remote.room.membership import Membership

LAST: Final = 10

ENVIRONMENT_BYTES: Final = 100_000
"""Most bytes of a text in the environment of a command: Linux allows 128 KiB for one variable (MAX_ARG_STRLEN)."""

_Handler: TypeAlias = "Callable[[str, ReceivedMessage], Awaitable[None]]"


@click.command(
    cls=ClientCommand,
    short_help="Print the messages of a room.",
    epilog="""\b
Examples:
  besedka tail
  besedka tail -f --room dev
  besedka tail --since "2025-11-19 23:00" | grep -i cake
  besedka tail -f --json | jq -r .text
  besedka tail -n 0 -f --exec 'sh -c "notify-send -- \\"$BESEDKA_USER${BESEDKA_UNVERIFIED:+?}\\" \\"$BESEDKA_TEXT\\""'""",
)
@click.option(
    "-n",
    "last",
    type=click.IntRange(0),
    help=f"The last so many messages; {LAST} if not given, without --since.",
)
@click.option(
    "-f", "--follow", is_flag=True, help="Go on with new messages, through restarts of the server, too."
)
@click.option("--since", callback=since, metavar="ID|TIME", help=SINCE_HELP)
@click.option(
    "--wait", is_flag=True, help="Read also a room that is not there yet; without it that is an error."
)
@click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line instead of the log's own lines."
)
@click.option(
    "--exec",
    "command",
    metavar="CMD",
    help="Print nothing; run a command for each message, one after the other.",
)
@ROOM
@URL
@KEY
@IDENTITY
def tail(
    *,
    last: int | None,
    follow: bool,
    since: int | str | None,
    wait: bool,
    as_json: bool,
    command: str | None,
    room: str | None,
    url: str,
    key: str | None,
    identity: Path | None,
) -> None:
    """Print the last messages of a room, and with -f all new ones.

    The lines are those of the log, as cat shows them: they do not say whose names are unverified; --json and --exec do. Your
    presence is not visible to others.

    A time of --since is in the server's zone, as in the log, and selects the messages whose time in the log is not earlier;
    with -f also all new ones.

    CMD of --exec is split into words like in a shell, and run without one. The message is in its environment:
    BESEDKA_ID, BESEDKA_USER, BESEDKA_TEXT, BESEDKA_TIME, BESEDKA_ROOM, and BESEDKA_UNVERIFIED, which is 1 if its poster has
    not shown that the name is theirs, and empty otherwise. A command that fails is reported on stderr, and the next message
    follows.
    """
    if command is not None and as_json:
        raise used_wrongly("--json is about what is printed, and with --exec nothing is: give one of them")
    commands = _Commands(_words(command)) if command is not None else None
    handle = commands.run if commands else _Printer(as_json=as_json).print
    with report_remote_errors():
        there, access_key = chat_address(url), find_key(url, key).text
        there = replace(there, room=room or there.room, key=access_key)
        secret = secret_of(identity, there.url)
        reading = _Reading(there, secret, last, since, follow=follow, wait=wait)
        asyncio.run(_until_reader_gone(reading.handle_all(handle)))
    if commands and commands.failed_count:
        raise Failure(f"{commands.failed_count} of the commands have failed")


class _Reading:
    """A part of a room's log, from the server.

    Args:
        there: where the chat is, with the room and the access key.
        secret: proves who reads.
        last: the number of messages, or None.
        since: an id, or a time, after which to begin, or None.
        follow: whether to go on with new messages.
        wait: whether the room need not be there yet.
    """

    def __init__(
        self,
        there: Address,
        secret: str,
        last: int | None,
        since: int | str | None,
        *,
        follow: bool,
        wait: bool,
    ) -> None:
        self._there = there
        self._secret = secret
        self._last = LAST if last is None and since is None else last
        self._since = since
        self._follow = follow
        self._wait = wait

    async def handle_all(self, handle: _Handler) -> None:
        """Handle each message, in order, without gap and double."""
        from besedka.remote.chat_connection import ChatConnection
        from besedka.remote.room.events import ReceivedMessage, Reset
        from besedka.wire.frames import Welcome

        since, old, epoch = await self._beginning()
        async with ChatConnection(self._there.url, key=self._there.key) as connection:
            room, position = self._there.room, since
            membership = connection.join(room, secret=self._secret, since=since, epoch=epoch)
            goal: int | None = None
            async for event in membership.events():
                match event:
                    case Welcome():
                        room = event.room
                        goal = event.head if goal is None or event.reset else goal
                        position, old = (0, 0) if event.reset else (position, old)
                    case ReceivedMessage():
                        if event.id > old or is_since(event.stamp, self._since):
                            await handle(room, event)
                        position = event.id
                    case Reset():
                        click.echo("besedka: the history was replaced; it starts anew here", err=True)
                    case _:
                        pass  # only messages are handled
                if not self._follow and goal is not None and position >= goal:
                    return

    async def _beginning(self) -> tuple[int, int, str]:
        """The id after which to begin, the last id so far, and their epoch."""
        async with join_unseen(self._there, self._secret, must_exist=not self._wait) as (membership, welcome):
            head = welcome.head
            first = 1 if self._last is None else max(1, head - self._last + 1)
            first = max(first, await _look(membership, first_id(self._since, head)))
            return first - 1, head, welcome.epoch


async def _look(membership: Membership, looking: Looking) -> int:
    try:
        number = next(looking)
        while True:
            page = await membership.history.page(number, 1)
            number = looking.send(page[0].stamp if page else "")
    except StopIteration as found:
        return int(found.value)


async def _until_reader_gone(work: Coroutine[Any, Any, None]) -> None:
    """Run work until it is done, or until the reader of the output has gone."""
    working, gone = asyncio.create_task(work), asyncio.create_task(_reader_gone())
    try:
        done, _ = await asyncio.wait({working, gone}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in (working, gone):
            task.cancel()
        await asyncio.gather(working, gone, return_exceptions=True)


async def _reader_gone() -> None:
    """Wait until the pipe of the output has no reader any more, as `head` and `grep -m` leave it.

    Otherwise that would be noticed only at the next message, which may never come.
    """
    gone = asyncio.Event()
    loop, output = asyncio.get_running_loop(), sys.stdout.fileno() if sys.stdout else -1
    if output < 0 or not stat.S_ISFIFO(os.fstat(output).st_mode):
        await gone.wait()
    # The end for writing is never readable; it is reported when the other end is closed.
    loop.add_reader(output, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(output)


class _Printer:
    """Prints messages as they come."""

    def __init__(self, *, as_json: bool) -> None:
        self._output = Output()
        self._as_json = as_json

    async def print(self, _: str, message: ReceivedMessage) -> None:
        """Print a message, and wait for its reader. If that takes long, the server closes the connection, and the library reconnects."""
        self._output.write(received_as_json(message) if self._as_json else received_as_line(message))
        self._output.flush()


class _Commands:
    """Runs a command for each message.

    Args:
        words: of the command.

    Attributes:
        failed_count: the number of commands that have failed.
    """

    def __init__(self, words: list[str]) -> None:
        self.failed_count = 0
        self._words = words

    async def run(self, room: str, message: ReceivedMessage) -> None:
        """Run the command for a message, and wait until it has ended."""
        variables = {
            "ID": str(message.id),
            "USER": message.user,
            "TEXT": message.text,
            "TIME": message.stamp,
            "ROOM": room,
            # Always there, so that nobody inherits it from a command around this one.
            "UNVERIFIED": "1" if message.is_unverified else "",
        }
        environment = {
            **os.environb,
            **{f"BESEDKA_{name}".encode(): _fit(value) for name, value in variables.items()},
        }
        try:
            process = await asyncio.create_subprocess_exec(
                *self._words, stdin=asyncio.subprocess.DEVNULL, env=environment
            )
        except OSError as error:
            self._failed(message, (error.strerror or str(error)).lower())
            return
        try:
            status = await process.wait()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
        if status:
            self._failed(message, f"status {status}" if status > 0 else f"signal {-status}")

    def _failed(self, message: ReceivedMessage, why: str) -> None:
        self.failed_count += 1
        complain(f"{self._words[0]} for message {message.id}: {why}")


def _fit(value: str) -> bytes:
    """A value that fits an environment: without NUL, and not too long."""
    data = value.replace("\0", "\N{SYMBOL FOR NULL}").encode("utf-8", "replace")
    return data[:ENVIRONMENT_BYTES].decode("utf-8", "ignore").encode()


def _words(command: str) -> list[str]:
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise used_wrongly(f"--exec {command!r} cannot be split into words: {str(error).lower()}") from None
    if not words:
        raise used_wrongly("--exec needs a command")
    if shutil.which(words[0]) is None:
        raise used_wrongly(f"--exec: there is no command {words[0]!r}")
    return words
