"""The client library: ``async with connect("ws://…", "Anna") as room``."""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from besedka.home import keep_secret, secret_for
from besedka.remote.address import address, check_key
from besedka.remote.connection import ANSWER_SECONDS, Connection
from besedka.remote.errors import (
    ConnectionFailed,
    JoinRefused,
    NotConnected,
    OtherPerson,
    RequestRefused,
    TransportClosed,
    needs_key,
)
from besedka.remote.room.events import Away, Event, ReceivedMessage, Reset, SearchResults, people_after
from besedka.remote.room.membership import Membership
from besedka.remote.transport import checked_frames, open_transport
from besedka.wire.errors import ErrorCode
from besedka.wire.frames import (
    FOUND_MESSAGES,
    INVITATION_SECONDS,
    Act,
    Device,
    DeviceLink,
    Error,
    Invitation,
    Kind,
    Redacted,
    Rights,
    RoomEntry,
    RoomOpened,
    System,
    TakeDevice,
    Typing,
    Welcome,
)
from besedka.wire.message import MessageId

UNREAD_MESSAGES: Final = 1_000
"""Messages of a room that wait in memory for the program. Those behind them are read from the log later: if the connection stopped
reading instead, the program's own messages would not be acknowledged either."""

NEWS_AT_MOST: Final = 1_000
"""News of a room that wait for the program; the oldest are dropped."""

PAGE_MESSAGES: Final = 100
"""Messages that are read from the log at a time."""

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

    def __init__(self, chat: _Chat, membership: Membership) -> None:
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
        self._news: deque[News] = deque(maxlen=NEWS_AT_MOST)
        self._has_news = asyncio.Event()
        # Messages received and not read yet, and whether later ones were dropped, to be read from the log.
        self._unread: deque[ReceivedMessage] = deque()
        self._is_behind = False
        self._read_to = 0
        self._head = 0
        self._changed = asyncio.Event()
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

    async def search(self, text: str, before: int = 0, limit: int = FOUND_MESSAGES) -> SearchResults:
        """Search the room for the newest messages with a text, ignoring case.

        A search has a time limit on the server: search again with `SearchResults.before` for older messages, until it is 0.

        Args:
            text: the text to find.
            before: search only messages older than this id; 0: all.
            limit: the most messages to find; the server allows 100.
        """
        return await self._membership.history.search(text, before, limit)

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
        """Yield news from now on, until the room is left. At most 1 000 wait to be read; then the oldest are dropped.

        Raises:
            ConnectionFailed: if the server closed the connection for good.
            JoinRefused: if the user was removed from the room, or the access key is no longer valid.
        """
        while True:
            self._has_news.clear()
            while self._news:
                yield self._news.popleft()
            if self._failure:
                raise self._failure
            if self._has_ended:
                return
            await self._has_news.wait()

    async def follow(self) -> AsyncIterator[ReceivedMessage]:
        """Yield all messages from the cursor on, in order, without gaps or duplicates, until the room is left.

        Raises:
            ConnectionFailed: if the server closed the connection for good.
            JoinRefused: if the user was removed from the room, or the access key is no longer valid.
        """
        while True:
            self._changed.clear()
            while self._unread:
                yield self._read(self._unread.popleft())
            if self._is_behind and self._read_to >= self._head:
                self._is_behind = False
            elif self._is_behind and not self._has_ended:
                for message in await self._read_from_log():
                    yield self._read(message)
            elif self._failure:
                raise self._failure
            elif self._has_ended:
                return
            else:
                await self._changed.wait()

    async def _read_from_log(self) -> list[ReceivedMessage]:
        if self.is_connected:
            with suppress(NotConnected):
                limit = min(PAGE_MESSAGES, self._head - self._read_to)
                return await self._membership.history.page(self._read_to + 1, limit)
        await self._changed.wait()
        return []

    def _read(self, message: ReceivedMessage) -> ReceivedMessage:
        self._read_to = message.id
        return message

    async def _read_events(self) -> None:
        try:
            async for event in self._membership.events():
                self._handle(event)
        except Exception as error:  # noqa: BLE001 - readers of `follow` must receive any error
            self._failure = error
        self.is_connected, self._has_ended = False, True
        self._changed.set()
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
                self._keep(event)
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
                self._unread.clear()
                self._is_behind, self._read_to, self._head = False, 0, 0
            case Typing() | Error():
                pass
        self._changed.set()

    def _keep(self, message: ReceivedMessage) -> None:
        self._head = message.id
        if self._is_behind or len(self._unread) >= UNREAD_MESSAGES:
            self._is_behind = True
        else:
            self._unread.append(message)

    def _add_news(self, event: News) -> None:
        if isinstance(event, Redacted):
            # Redact messages that are not read yet, too.
            self._unread = deque(
                message.with_text(event.text) if message.id == event.id else message
                for message in self._unread
            )
        self._news.append(event)
        self._has_news.set()


class _Chat:
    """A connection, with the rooms that a program has joined on it."""

    def __init__(self, connection: Connection, name: str, secret: str) -> None:
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
        await self._connection.close()
        # Closing has ended their rooms.
        await asyncio.gather(*self._readers)


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
) -> AsyncIterator[RoomClient]:
    """Connect to a chat and join a room; disconnect at the end. `RoomClient.join` joins more rooms on the same connection.

    Args:
        url: ``ws://``, ``wss://``, ``http(s)://``, ``grpc://``, ``grpcs://`` or ``unix:``; a room may follow behind a ``#``.
        name: the user's name; empty for a reader, who is not announced.
        room: the room, if the URL names none.
        secret: identifies the person: a name belongs to the first person who uses it, and all programs with the same secret are the same
            person. If it is not given, the secret in the user's home directory is used, which all their programs on this machine share;
            it is created on first use, and if it cannot be stored, the user is a guest. Empty: a guest, who holds the name only while
            connected. Else any text that nobody else knows, best 256 random bits.
        since: read on behind this id; else begin with the last 10 messages.
        epoch: the epoch that ``since`` belongs to; if the log was replaced, reading begins with its last 10 messages.
        quiet: join without being counted, announced or listed.
        invite: the token of an invitation, into the room or to the name, if the URL has none.
        key: the access key, if the URL has none; a chat that requires none ignores it.

    Raises:
        InvalidAddress: if the URL is not valid.
        ConnectionFailed: if the chat cannot be reached.
        JoinRefused: if the chat refuses the room or the name.
    """
    there = address(url)
    check_key(key)
    chat = _Chat(
        Connection(there.url, key=there.key or key),
        name,
        secret_for(there.url, name) if secret is None else secret,
    )
    try:
        yield await chat.join(
            room or there.room, since=since, epoch=epoch, quiet=quiet, invite=invite or there.invite
        )
    finally:
        await chat.close()


async def take_device(
    url: str, token: str = "", *, key: str = "", name: str = "", keep: bool = True
) -> Device:
    """Add this device to the person who created an add-a-device link on another one. A link works once.

    Args:
        url: the chat's URL, as in `connect`; the token may follow behind its ``#``, as ``;device=``.
        token: the token, if the URL has none.
        key: the access key, if the URL has none.
        name: the person whom the link promises, if the URL has no name; empty: whoever created the link.
        keep: store the secret in the user's home directory, where `connect` finds it. If it cannot be stored, only this program has it.

    Returns:
        The name, and the secret to join with from now on.

    Raises:
        InvalidAddress: if the URL is not valid.
        ConnectionFailed: if the chat cannot be reached.
        JoinRefused: if the chat refuses access.
        RequestRefused: if the link is no longer valid.
        OtherPerson: if the link is that of somebody else than it promises; nothing is stored.
    """
    there = address(url)
    check_key(key)
    device = await _take_device(there.url, token or there.device, there.key or key)
    if (promised := name or there.name) and device.user != promised:
        raise OtherPerson(promised, device.user)
    if keep:
        with suppress(OSError):
            keep_secret(there.url, device.user, device.secret)
    return device


async def _take_device(url: str, token: str, access_key: str) -> Device:
    request_key = secrets.token_hex(16)
    try:
        async with asyncio.timeout(ANSWER_SECONDS), open_transport(url, access_key) as transport:
            await transport.send(TakeDevice(token, key=request_key))
            async for frame in checked_frames(transport, url):
                match frame:
                    case Device(key=answered) if answered == request_key:
                        return frame
                    case Error():
                        raise RequestRefused(frame.code, frame.text)
                    case _:
                        pass
    except TransportClosed as closed:
        if closed.code == ErrorCode.NO_ACCESS:
            raise needs_key(url, access_key) from None
        if closed.code:
            raise JoinRefused(closed.code, str(closed)) from None
        raise ConnectionFailed(f"cannot reach a chat at {url}: {closed}") from None
    except TimeoutError:
        pass
    raise ConnectionFailed(f"the chat at {url} does not answer")
