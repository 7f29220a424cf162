"""The client library: ``async with connect("ws://…", "Anna") as chat``."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from besedka.home import secret_for
from besedka.remote.address import address, check_key
from besedka.remote.connection import Connection
from besedka.remote.errors import AddressBad, RemoteError, TransportClosed
from besedka.remote.events import Away, Event, Heard, Reset, people_after
from besedka.wire.frames import (
    FOUND_MESSAGES,
    INVITATION_SECONDS,
    Act,
    DeviceLink,
    Error,
    Invitation,
    Kind,
    Redacted,
    Rights,
    RoomEntry,
    RoomOpened,
    System,
    Typing,
    Welcome,
)
from besedka.wire.log_line import STAMP
from besedka.wire.message import MessageId

UNREAD_MESSAGES: Final = 1_000
"""How many messages wait for a program that does not read. Those behind them are read again from the log when it does: if
the connection waited for it instead, it would not hear of its own messages either."""

NEWS_AT_MOST: Final = 1_000
"""How much of what happens beside messages waits for a program that does not read it."""

PAGE_MESSAGES: Final = 100
"""How many are read again at once."""


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
        is_unverified: its sender has not shown that the name is his.
    """

    id: MessageId
    user: str
    text: str
    time: datetime | None
    is_old: bool
    is_own: bool
    is_unverified: bool = False


News = Redacted | RoomOpened
"""What happens beside messages: one has lost its text; somebody has begun to talk with us alone."""


@dataclass(frozen=True, slots=True)
class FoundMessages:
    """What a search has found.

    Attributes:
        messages: in the order of their ids.
        before: where to go on for older ones, also if nothing was found; 0: all was looked at.
    """

    messages: list[Message]
    before: int


class RemoteChat:
    """One room of a chat, as one of its members sees it. Made by `connect`.

    Attributes:
        room: its name.
        name: ours; empty if we came in without.
        people: the names of who is here, the first hundred or so.
        clients_count: how many are here.
        is_connected: whether there is a connection just now; it comes back by itself.
        kind: what kind of room it is.
        peer: with whom a direct talk is.
        may: what we may do here beside talking: `invite`, `moderate`.
    """

    def __init__(self, connection: Connection) -> None:
        self.room = ""
        self.name = ""
        self.people: list[str] = []
        self.clients_count = 0
        self.is_connected = False
        self.kind = Kind.OPEN
        self.peer = ""
        self.may: list[str] = []
        self._connection = connection
        self._news: deque[News] = deque(maxlen=NEWS_AT_MOST)
        self._has_news = asyncio.Event()
        # What was heard and not read yet, and whether more was heard behind it and let go.
        self._unread: deque[Heard] = deque()
        self._has_let_go = False
        self._read_to = 0
        self._head = 0
        self._changed = asyncio.Event()
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
            ConnectionFailed: if the server does not want us back.
        """
        return await self.post(text)

    def post(self, text: str) -> asyncio.Future[MessageId]:
        """Say something without waiting; what this returns can be waited for, as `say` does."""
        stored = self._connection.say(text)
        if self._failure:
            self._connection.give_up(self._failure)
        return stored

    async def typing(self) -> None:
        """Tell the others that something is being written."""
        await self._connection.typing()

    async def rooms(self) -> list[RoomEntry]:
        """All rooms of the chat, by name, and how many people are in each.

        Raises:
            TransportClosed: while there is no connection.
            AskRefused: if the server does not answer; it tells why.
        """
        return await self._connection.asks.rooms()

    async def search(self, text: str, before: int = 0, limit: int = FOUND_MESSAGES) -> FoundMessages:
        """Messages of the room that hold a text, in capitals or small letters; the newest ones, at most so many.

        The server looks only so long at a time: ask again with `FoundMessages.before` for what is older, until that is 0.

        Args:
            text: what to look for.
            before: look only at messages older than this id; 0: at all.
            limit: how many to find; the server gives 100 at most.

        Raises:
            TransportClosed: while there is no connection.
            AskRefused: if the server does not search for it; it tells why.
        """
        found = await self._connection.asks.search(text, before, limit)
        return FoundMessages([self._as_message(heard) for heard in found.messages], found.before)

    async def private(self, room: str) -> str:
        """Make a private room, and be its owner. Returns its name, to `connect` to.

        Raises:
            TransportClosed: while there is no connection; so do all that follow.
            AskRefused: if the server does not do it, it tells why; so do all that follow.
        """
        return (await self._connection.asks.private(room)).room

    async def direct(self, user: str) -> str:
        """Talk with one person alone. Returns the name of the room that is the talk, to `connect` to."""
        return (await self._connection.asks.direct(user)).room

    async def invite(self, room: str = "", uses: int = 1, seconds: int = INVITATION_SECONDS) -> Invitation:
        """Make an invitation into a private room that we own, this one if none is given.

        Args:
            room: which one.
            uses: how many people may come in by it.
            seconds: how long it lasts.

        Returns:
            It; its ``token`` is what `connect` takes as ``invite``.
        """
        return await self._connection.asks.invite(room or self.room, uses, seconds)

    async def uninvite(self, room: str = "", user: str = "") -> None:
        """Take back all invitations into a private room that we own; or have somebody be no member of it any more."""
        await self._connection.asks.uninvite(room or self.room, user)

    async def add_device(self) -> DeviceLink:
        """Take our name along to another device: `take_device` there takes the ``token`` of what this returns."""
        return await self._connection.add_device()

    async def moderate(
        self,
        act: Act | str,
        user: str = "",
        *,
        room: str = "",
        id: int = 0,  # noqa: A002 - as the word's own field is called
        seconds: int = 0,
        reason: str = "",
    ) -> None:
        """Keep order.

        Args:
            act: what to do: ``kick``, ``mute``, ``unmute``, ``ban``, ``unban``, ``slow``, ``redact``.
            user: to whom.
            room: where, for ``slow`` and ``redact``; this one if none is given.
            id: of the message to redact.
            seconds: for how long to mute or ban, 0: until it is taken back; for ``slow``: one message in so many.
            reason: why.
        """
        about = {"user": user, "room": room or self.room, "id": id, "seconds": seconds, "reason": reason}
        await self._connection.asks.moderate(Act(act), **about)

    async def news(self) -> AsyncIterator[News]:
        """What happens beside messages from now on, for ever; what is not read soon is forgotten, the oldest first.

        Raises:
            ConnectionFailed: if the server does not want us back.
        """
        while True:
            self._has_news.clear()
            while self._news:
                yield self._news.popleft()
            if self._failure:
                raise self._failure
            await self._has_news.wait()

    async def follow(self) -> AsyncIterator[Message]:
        """All messages from our cursor on, in order, without gap and double, for ever.

        Raises:
            ConnectionFailed: if the server does not want us back.
            JoinRefused: if the access key is valid no more.
        """
        while True:
            self._changed.clear()
            while self._unread:
                yield self._message(self._unread.popleft())
            if self._has_let_go and self._read_to >= self._head:
                self._has_let_go = False
            elif self._has_let_go:
                for heard in await self._read_again():
                    yield self._message(heard)
            elif self._failure:
                raise self._failure
            else:
                await self._changed.wait()

    async def _read_again(self) -> list[Heard]:
        if self.is_connected:
            with suppress(TransportClosed):
                limit = min(PAGE_MESSAGES, self._head - self._read_to)
                return await self._connection.asks.page(self._read_to + 1, limit)
        if self._failure:
            raise self._failure
        await self._changed.wait()
        return []

    def _message(self, heard: Heard) -> Message:
        self._read_to = heard.id
        return self._as_message(heard)

    def _as_message(self, heard: Heard) -> Message:
        is_own = heard.user == self.name
        time, is_unverified = _time(heard.stamp), heard.is_unverified
        return Message(heard.id, heard.user, heard.text, time, heard.is_old, is_own, is_unverified)

    def _hear(self, heard: Heard) -> None:
        self._head = heard.id
        if self._has_let_go or len(self._unread) >= UNREAD_MESSAGES:
            self._has_let_go = True
        else:
            self._unread.append(heard)

    async def _listen(self) -> None:
        try:
            async for event in self._connection.events():
                self._take(event)
                self._changed.set()
        except RemoteError as error:
            self._failure = error
            self._connection.give_up(error)
            self._changed.set()
            self._has_news.set()
            if not self._joined.done():
                self._joined.set_exception(error)

    def _take(self, event: Event) -> None:
        match event:
            case Welcome():
                self.room, self.name, self.is_connected = event.room, event.user, True
                self.people, self.clients_count = event.users, event.clients_count
                self.kind, self.peer, self.may = event.kind, event.peer, event.may
                if not self._joined.done():
                    self._joined.set_result(None)
            case Heard():
                self._hear(event)
            case System():
                self._came_and_went(event)
            case Redacted() | RoomOpened():
                self._tell_news(event)
            case Rights():
                self.may = event.may
            case Away():
                self.is_connected = False
            case Reset():
                self._unread.clear()
                self._has_let_go, self._read_to, self._head = False, 0, 0
            case Typing() | Error():
                pass

    def _tell_news(self, event: News) -> None:
        if isinstance(event, Redacted):
            # What waits to be read is read as it is now.
            told = [replace(one, text=event.text) if one.id == event.id else one for one in self._unread]
            self._unread = deque(told)
        self._news.append(event)
        self._has_news.set()

    def _came_and_went(self, event: System) -> None:
        self.clients_count = event.clients_count
        self.people = people_after(self.people, event)


@asynccontextmanager
async def connect(
    url: str,
    name: str,
    room: str = "",
    *,
    secret: str | None = None,
    since: int | None = None,
    epoch: str = "",
    quiet: bool = False,
    invite: str = "",
    key: str = "",
) -> AsyncIterator[RemoteChat]:
    """Come into a room of a chat, and leave it at the end.

    Args:
        url: ``ws://``, ``wss://``, ``http(s)://``, ``grpc://``, ``grpcs://`` or ``unix:``; a room may stand behind a ``#``.
        name: the name to be known by; empty for one who only reads, and is not seen.
        room: the room, if the URL names none.
        secret: shows who we are: the name belongs to who comes with it first, and all programs that come with it are the same person.
            If it is not given, it is the one that is kept at home for all our programs on this machine, made at the first time;
            where nothing can be kept, we are a guest. Empty: be a guest, whose name is nobody's, and ours while we are there. Else
            any text that nobody else knows, best 256 random bits.
        since: read on behind this id; else from the last 10 messages on.
        epoch: the one that ``since`` belongs to; if the log is another now, it is read from its last 10 messages on.
        quiet: be there unseen: not counted, not announced, not among the people.
        invite: the token of an invitation, into the room or to the name, if the URL has none.
        key: the access key, if it does not stand in the URL; one that a chat does not ask for does no harm.

    Raises:
        AddressBad: if the URL is none.
        ConnectionFailed: if there is no chat.
        JoinRefused: if it does not let us in.
    """
    there = address(url)
    check_key(key)
    connection = Connection(
        there.url,
        name,
        room or there.room,
        secret=secret_for(there.url, name) if secret is None else secret,
        since=since,
        epoch=epoch,
        quiet=quiet,
        invite=invite or there.invite,
        key=there.key or key,
    )
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
