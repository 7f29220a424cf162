"""The client library: ``async with connect("ws://…", "Anna") as chat``."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from besedka.remote.address import address
from besedka.remote.connection import Away, Connection, Event, Heard
from besedka.remote.errors import AddressBad, RemoteError
from besedka.wire.line import STAMP, MessageId
from besedka.wire.words import System, Welcome

UNREAD_MESSAGES: Final = 1_000
"""How many messages wait for a program that does not read; then it is not read from the server either, and loses nothing."""


@dataclass(frozen=True, slots=True)
class Message:
    """A message of a room.

    Attributes:
        id: its place in the room's log: 1, 2, 3, … without holes.
        user: who said it.
        text: what was said; lines end with LF.
        time: when it was stored, by the server's clock, without a zone; None if the log has no readable time.
        is_old: it was said before we came in.
        is_own: it was said under our own name.
    """

    id: MessageId
    user: str
    text: str
    time: datetime | None
    is_old: bool
    is_own: bool


class RemoteChat:
    """One room of a chat, as one of its members sees it. Made by `connect`.

    Attributes:
        room: its name.
        name: ours.
        people: the names of who is here, the first hundred or so.
        clients_count: how many are here.
        is_connected: whether there is a connection just now; it comes back by itself.
    """

    def __init__(self, connection: Connection) -> None:
        self.room = ""
        self.name = ""
        self.people: list[str] = []
        self.clients_count = 0
        self.is_connected = False
        self._connection = connection
        self._messages: asyncio.Queue[Message | None] = asyncio.Queue(UNREAD_MESSAGES)
        self._joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._failure: RemoteError | None = None

    @property
    def waiting(self) -> int:
        """How many messages were said and are not known to be on the server's disk."""
        return self._connection.waiting

    @property
    def cursor(self) -> tuple[int, str]:
        """Where we are: the last id and its epoch, for `connect(since=…, epoch=…)` in another process."""
        return self._connection.cursor

    async def say(self, text: str) -> MessageId:
        """Say something, and wait until it is on the server's disk, whatever happens to the connection meanwhile.

        Raises:
            SayRefused: if the server does not take it; it tells why.
        """
        return await self.post(text)

    def post(self, text: str) -> asyncio.Future[MessageId]:
        """Say something without waiting; what this returns can be waited for."""
        return self._connection.say(text)

    async def typing(self) -> None:
        """Tell the others that something is being written."""
        await self._connection.typing()

    async def follow(self) -> AsyncIterator[Message]:
        """All messages from our cursor on, in order, without gap and double, for ever.

        Raises:
            ConnectionFailed: if the server does not want us back.
        """
        while message := await self._messages.get():
            yield message
        if self._failure:
            raise self._failure

    async def _listen(self) -> None:
        try:
            async for event in self._connection.events():
                await self._take(event)
        except RemoteError as error:
            self._failure = error
            if self._joined.done():
                await self._messages.put(None)
            else:
                self._joined.set_exception(error)

    async def _take(self, event: Event) -> None:
        match event:
            case Welcome():
                self.room, self.name, self.is_connected = event.room, event.user, True
                self.people, self.clients_count = event.users, event.clients_count
                if not self._joined.done():
                    self._joined.set_result(None)
            case Heard():
                is_own = event.user == self.name
                message = Message(event.id, event.user, event.text, _time(event.stamp), event.is_old, is_own)
                await self._messages.put(message)
            case System():
                self._came_and_went(event)
            case Away():
                self.is_connected = False
            case _:
                pass

    def _came_and_went(self, event: System) -> None:
        self.clients_count = event.clients_count
        if isinstance(event.users, list):
            self.people = event.users
        else:
            stayed = [name for name in self.people if name not in event.left]
            self.people = stayed + [name for name in event.joined if name not in stayed]


@asynccontextmanager
async def connect(
    url: str,
    name: str,
    room: str = "",
    *,
    secret: str = "",
    since: int | None = None,
    epoch: str = "",
) -> AsyncIterator[RemoteChat]:
    """Come into a room of a chat, and leave it at the end.

    Args:
        url: ``ws://``, ``wss://``, ``http(s)://``, ``grpc://``, ``grpcs://`` or ``unix:``; a room may stand behind a ``#``.
        name: the name to be known by.
        room: the room, if the URL names none.
        secret: shows that several programs are the same person; else each is another one.
        since: read on behind this id; else from the last 10 messages on.
        epoch: the one that ``since`` belongs to; if the log is another now, it is read from its last 10 messages on.

    Raises:
        AddressBad: if the URL is none.
        ConnectionFailed: if there is no chat.
        JoinRefused: if it does not let us in.
    """
    there = address(url)
    connection = Connection(there.url, name, room or there.room, secret=secret, since=since, epoch=epoch)
    chat = RemoteChat(connection)
    listening = asyncio.create_task(chat._listen())  # noqa: SLF001 - one module, two halves
    try:
        await chat._joined  # noqa: SLF001
        yield chat
        await connection.leave()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)


def _time(stamp: str) -> datetime | None:
    try:
        return datetime.strptime(stamp, STAMP)  # noqa: DTZ007 - the log's own time has no zone
    except ValueError:
        return None


__all__ = ["AddressBad", "Message", "RemoteChat", "connect"]
