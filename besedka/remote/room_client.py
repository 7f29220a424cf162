"""A room of a chat, as a program has it: `RoomClient`; and a connection, with the rooms that a program has joined on it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from besedka.remote.chat_connection import ChatConnection
from besedka.remote.errors import NotConnected
from besedka.remote.room.backlog import Backlog
from besedka.remote.room.events import Away, Event, ReceivedMessage, Reset, SearchResults, people_after
from besedka.remote.room.membership import Membership
from besedka.remote.room.unread import UnreadMessages
from besedka.wire.frames import (
    FOUND_MESSAGES,
    INVITATION_SECONDS,
    PAGE_MESSAGES,
    Act,
    DeviceLink,
    Error,
    Invitation,
    Kind,
    ReadUpTo,
    Redacted,
    Rights,
    RoomEntry,
    RoomOpened,
    System,
    Typing,
    Welcome,
)
from besedka.wire.message import MessageId

NEWS_AT_MOST: Final = 1_000
"""News of a room that wait for the program; the oldest are dropped."""

NEWS_BYTES_AT_MOST: Final = 1024 * 1024
"""Memory of these news: a thousand of the usual ones take half of it."""

News = Redacted | RoomOpened
"""Events other than messages: a message was redacted; somebody opened a room for direct messages with this person."""


class RoomClient:
    """A room of a chat, as one of its users sees it. Made by `connect`, or by `join` of another room on the same connection.

    Attributes:
        room: the room's name.
        name: the user's name; empty for a reader.
        people: the names of the people present, the first hundred or so.
        clients_count: the number of people present.
        is_connected: whether the room is joined now; the client rejoins by itself.
        kind: the kind of room.
        peer: the other person in a direct room.
        may: the user's rights beside posting: `invite`, `moderate`.
    """

    def __init__(self, chat: ChatClient, membership: Membership) -> None:
        self.room = membership.room
        self.name = membership.user
        self.people: list[str] = []
        self.clients_count = 0
        self.is_connected = False
        self.kind = Kind.OPEN
        self.peer = ""
        self.may: list[str] = []
        self._chat = chat
        self._membership = membership
        self._requests = membership.requests
        self._news = Backlog[News](NEWS_AT_MOST, NEWS_BYTES_AT_MOST)
        self._has_news = asyncio.Event()
        self._unread = UnreadMessages(membership.history)
        self._joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._failure: Exception | None = None
        self._has_ended = False

    @property
    def waiting(self) -> int:
        """The number of messages posted and not known to be on the server's disk."""
        return self._membership.waiting

    @property
    def cursor(self) -> tuple[int, str]:
        """The last id and its epoch, for `connect(since=…, epoch=…)` in another process."""
        return self._membership.cursor

    @property
    def read_up_to(self) -> int | None:
        """The id of the last message that the user has read in the room, on any device, 0 if they have read none.

        None where the chat keeps no read marks for the user, because their name is not claimed.
        """
        return self._membership.read_up_to

    def mark_read(self, number: int) -> None:
        """Note that the user has read the room up to a message. A mark never moves back.

        It is sent within some seconds, at the latest when the room is left, and again after a loss of the connection.

        Args:
            number: the id of the message.

        Raises:
            ValueError: if no such message was received.
        """
        self._membership.mark_read(number)

    async def join(
        self,
        room: str,
        name: str | None = None,
        *,
        since: int | None = None,
        epoch: str = "",
        quiet: bool = False,
        invite: str = "",
    ) -> RoomClient:
        """Join another room on the same connection, as the same person. One connection holds 100 rooms.

        Args:
            room: the room.
            name: the name in this room; the same one if it is not given.
            since: as in `connect`.
            epoch: the epoch that ``since`` belongs to.
            quiet: join without being counted, announced or listed.
            invite: the token of an invitation.

        Raises:
            JoinRefused: if the chat refuses, or this connection has joined the room already; the other rooms stay joined.
            ConnectionFailed: if the server closed the connection for good.
        """
        return await self._chat.join(room, name, since=since, epoch=epoch, quiet=quiet, invite=invite)

    async def leave(self) -> None:
        """Leave the room. `follow` and `news` end; other rooms of the connection stay joined."""
        await self._membership.leave()

    async def say(self, text: str) -> MessageId:
        """Post a message, and wait until it is on the server's disk, across losses of the connection.

        Raises:
            SayRefused: if the server refuses the message; `code` has the reason.
            ConnectionFailed: if the server closed the connection for good.
            JoinRefused: if the user was removed from the room.
        """
        return await self.post(text)

    def post(self, text: str) -> asyncio.Future[MessageId]:
        """Post a message without waiting. Awaiting the returned future is `say`."""
        return self._membership.say(text)

    async def typing(self) -> None:
        """Send a typing notification."""
        await self._membership.typing()

    async def rooms(self) -> list[RoomEntry]:
        """All rooms of the chat, with the number of people in each: first the user's private and direct rooms, then the open ones, by name.

        Raises:
            NotConnected: while there is no connection; as do all requests below.
            RequestRefused: if the server refuses the request; as do all requests below.
        """
        return await self._requests.rooms()

    async def search(
        self,
        text: str = "",
        before: int = 0,
        limit: int = FOUND_MESSAGES,
        *,
        user: str = "",
        from_time: int | None = None,
        to_time: int | None = None,
    ) -> SearchResults:
        """Search the room for the newest messages with a text, by an author, or of a time. Case and spelling of letters are ignored.

        A search has a time limit on the server: search again with `SearchResults.before` for older messages, until it is 0.

        Args:
            text: the text to find.
            before: search only messages older than this id; 0: all.
            limit: the most messages to find; the server allows 100.
            user: the author's whole name.
            from_time: the earliest time, in unix seconds.
            to_time: the time before which a message was posted, in unix seconds.
        """
        return await self._membership.history.search(
            text, before, limit, user=user, from_time=from_time, to_time=to_time
        )

    async def since(self, from_time: int, limit: int = PAGE_MESSAGES) -> list[ReceivedMessage]:
        """A page of the room's log that begins with the first message of a time, or later.

        Args:
            from_time: the time in unix seconds.
            limit: the most messages; there may be fewer, and still more in the log.
        """
        return await self._membership.history.since(from_time, limit)

    async def private(self, room: str) -> str:
        """Create a private room, as its owner. Returns its name, for `join`."""
        return (await self._requests.private(room)).room

    async def direct(self, user: str) -> str:
        """Open the room for direct messages with a person. Returns its name, for `join`."""
        return (await self._requests.direct(user)).room

    async def invite(self, room: str = "", uses: int = 1, seconds: int = INVITATION_SECONDS) -> Invitation:
        """Create an invitation into a private room that the user owns.

        Args:
            room: the room; this one if it is not given.
            uses: how many people may use it.
            seconds: how long it is valid.

        Returns:
            The invitation; `connect` and `join` take its ``token`` as ``invite``.
        """
        return await self._requests.invite(room or self.room, uses, seconds)

    async def uninvite(self, room: str = "", user: str = "") -> None:
        """Revoke all invitations into a private room that the user owns, or, with ``user``, end that person's membership."""
        await self._requests.uninvite(room or self.room, user)

    async def block(self, user: str) -> None:
        """Receive no direct messages from a person any more."""
        await self._requests.block(user)

    async def unblock(self, user: str) -> None:
        """Receive direct messages from a person again."""
        await self._requests.unblock(user)

    async def blocked(self) -> list[str]:
        """The names of the people whom the user has blocked."""
        return await self._requests.blocked()

    async def add_device(self) -> DeviceLink:
        """Create a link that adds another device to this person; `take_device` takes its ``token`` there."""
        return await self._membership.add_device()

    async def moderate(
        self,
        act: Act | str,
        user: str = "",
        *,
        room: str = "",
        id: int = 0,  # noqa: A002 - as the frame's own field is called
        seconds: int = 0,
        reason: str = "",
    ) -> None:
        """Carry out an act of moderation.

        Args:
            act: the act: ``kick``, ``mute``, ``unmute``, ``ban``, ``unban``, ``slow``, ``redact``.
            user: the person concerned.
            room: the room of ``slow`` and ``redact``; this one if it is not given.
            id: the message to redact.
            seconds: the duration of ``mute`` and ``ban``, 0: until it is lifted; of ``slow``: the time between a person's messages.
            reason: the reason.
        """
        about = {"user": user, "room": room or self.room, "id": id, "seconds": seconds, "reason": reason}
        await self._requests.moderate(Act(act), **about)

    async def news(self) -> AsyncIterator[News]:
        """Yield news from now on, until the room is left. At most 1 000 and 1 MiB wait to be read; then the oldest are dropped.

        Raises:
            ConnectionFailed: if the server closed the connection for good.
            JoinRefused: if the user was removed from the room, or the access key is no longer valid.
        """
        while True:
            self._has_news.clear()
            while self._news:
                yield self._news.take()
            if self._failure:
                raise self._failure
            if self._has_ended:
                return
            await self._has_news.wait()

    def follow(self) -> AsyncIterator[ReceivedMessage]:
        """Yield all messages from the cursor on, in order, without gaps or duplicates, until the room is left.

        Raises:
            ConnectionFailed: if the server closed the connection for good.
            JoinRefused: if the user was removed from the room, or the access key is no longer valid.
        """
        return self._unread.read()

    async def _read_events(self) -> None:
        try:
            async for event in self._membership.events():
                self._handle(event)
        except Exception as error:  # noqa: BLE001 - readers of `follow` must receive any error
            self._failure = error
        self.is_connected, self._has_ended = False, True
        self._unread.end(self._failure)
        self._has_news.set()
        if not self._joined.done():
            self._joined.set_exception(self._failure or NotConnected("the room was left"))

    def _handle(self, event: Event) -> None:
        match event:
            case Welcome():
                self.room, self.name, self.is_connected = event.room, event.user, True
                self.people, self.clients_count = event.users, event.clients_count
                self.kind, self.peer, self.may = event.kind, event.peer, event.may
                if not self._joined.done():
                    self._joined.set_result(None)
            case ReceivedMessage():
                self._unread.add(event)
            case System():
                self.clients_count = event.clients_count
                self.people = people_after(self.people, event)
            case Redacted() | RoomOpened():
                self._add_news(event)
            case Rights():
                self.may = event.may
            case Away():
                self.is_connected = False
            case Reset():
                self._unread.reset()
            case Typing() | Error() | ReadUpTo():
                pass
        self._unread.wake(is_connected=self.is_connected)

    def _add_news(self, event: News) -> None:
        if isinstance(event, Redacted):
            self._unread.redact(event.id, event.text)
        self._news.add_newest(event)
        self._has_news.set()


class ChatClient:
    """A connection, with the rooms that a program has joined on it.

    Args:
        connection: the connection.
        name: the user's name.
        secret: identifies the person.
    """

    def __init__(self, connection: ChatConnection, name: str, secret: str) -> None:
        self._connection = connection
        self._name = name
        self._secret = secret
        self._readers: set[asyncio.Task[None]] = set()

    async def join(
        self,
        room: str,
        name: str | None = None,
        *,
        since: int | None,
        epoch: str,
        quiet: bool,
        invite: str,
    ) -> RoomClient:
        """Join a room, as `RoomClient.join` does."""
        membership = self._connection.join(
            room,
            self._name if name is None else name,
            secret=self._secret,
            since=since,
            epoch=epoch,
            quiet=quiet,
            invite=invite,
        )
        client = RoomClient(self, membership)
        reader = asyncio.create_task(client._read_events())  # noqa: SLF001 - one module, two halves
        self._readers.add(reader)
        reader.add_done_callback(self._readers.discard)
        try:
            await client._joined  # noqa: SLF001
        except BaseException:
            await membership.leave()
            raise
        return client

    async def close(self) -> None:
        """Leave all rooms and close the connection."""
        await self._connection.close()
        # Closing has ended their rooms.
        await asyncio.gather(*self._readers)
