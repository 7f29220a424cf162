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
    RequestRefused,
    TransportClosed,
    needs_key,
)
from besedka.remote.room.events import Away, Event, ReceivedMessage, Reset, SearchResults, people_after
from besedka.remote.room.membership import Membership
from besedka.remote.transport import open_transport
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
"""How many messages of a room wait for a program that does not read. Those behind them are read again from the log when it does: if
the connection waited for it instead, it would not receive the program's own messages either."""

NEWS_AT_MOST: Final = 1_000
"""How much of what happens beside messages waits for a program that does not read it."""

PAGE_MESSAGES: Final = 100
"""How many are read again at once."""

News = Redacted | RoomOpened
"""What happens beside messages: a message has lost its text; somebody has opened a room for direct messages with us."""


class RoomClient:
    """A room of a chat, as one of its members sees it. Made by `connect`, or by `join` of another room on the same connection.

    Attributes:
        room: its name.
        name: ours; empty if we joined without.
        people: the names of who is here, the first hundred or so.
        clients_count: how many are here.
        is_connected: whether we are in now; a lost connection comes back by itself.
        kind: what kind of room it is.
        peer: the other person of a direct room.
        may: what we may do here beside talking: `invite`, `moderate`.
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
        # What was received and not read yet, and whether more was received behind it and let go.
        self._unread: deque[ReceivedMessage] = deque()
        self._has_let_go = False
        self._read_to = 0
        self._head = 0
        self._changed = asyncio.Event()
        self._joined: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._failure: Exception | None = None
        self._has_ended = False

    @property
    def waiting(self) -> int:
        """How many messages were posted and are not known to be on the server's disk."""
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
            name: the name to be known by in it; ours, if it is not given.
            since: as in `connect`, as are all others.
            epoch: the epoch that ``since`` belongs to.
            quiet: join unseen.
            invite: the token of an invitation.

        Raises:
            JoinRefused: if the chat does not let us in, or this connection is in the room already; the other rooms go on.
            ConnectionFailed: if the server does not want us back.
        """
        return await self._chat.join(room, name, since=since, epoch=epoch, quiet=quiet, invite=invite)

    async def leave(self) -> None:
        """Leave the room. `follow` and `news` end; other rooms of the connection go on."""
        await self._membership.leave()

    async def say(self, text: str) -> MessageId:
        """Post a message, and wait until it is on the server's disk, whatever happens to the connection meanwhile.

        Raises:
            SayRefused: if the server does not take it; it tells why.
            ConnectionFailed: if the server does not want us back.
            JoinRefused: if we were removed from the room.
        """
        return await self.post(text)

    def post(self, text: str) -> asyncio.Future[MessageId]:
        """Post a message without waiting; what this returns can be awaited, as `say` does."""
        return self._membership.say(text)

    async def typing(self) -> None:
        """Tell the others that something is being written."""
        await self._membership.typing()

    async def rooms(self) -> list[RoomEntry]:
        """All rooms of the chat, by name, and how many people are in each.

        Raises:
            NotConnected: while there is no connection; so do all requests that follow.
            RequestRefused: if the server refuses it, it tells why; so do all requests that follow.
        """
        return await self._requests.rooms()

    async def search(self, text: str, before: int = 0, limit: int = FOUND_MESSAGES) -> SearchResults:
        """Messages of the room that hold a text, in capitals or small letters; the newest ones, at most so many.

        The server searches only so long at a time: search again with `SearchResults.before` for older messages, until that is 0.

        Args:
            text: what to look for.
            before: look only at messages older than this id; 0: at all.
            limit: how many to find; the server gives 100 at most.
        """
        return await self._membership.search(text, before, limit)

    async def private(self, room: str) -> str:
        """Make a private room, and own it. Returns its name, to `join`."""
        return (await self._requests.private(room)).room

    async def direct(self, user: str) -> str:
        """Open the room for direct messages with one person. Returns its name, to `join`."""
        return (await self._requests.direct(user)).room

    async def invite(self, room: str = "", uses: int = 1, seconds: int = INVITATION_SECONDS) -> Invitation:
        """Make an invitation into a private room that we own, this one if none is given.

        Args:
            room: which one.
            uses: how many people may come in by it.
            seconds: how long it lasts.

        Returns:
            It; its ``token`` is what `connect` and `join` take as ``invite``.
        """
        return await self._requests.invite(room or self.room, uses, seconds)

    async def uninvite(self, room: str = "", user: str = "") -> None:
        """Take back all invitations into a private room that we own; or end somebody's membership in it."""
        await self._requests.uninvite(room or self.room, user)

    async def add_device(self) -> DeviceLink:
        """Take our name along to another device: `take_device` there takes the ``token`` of what this returns."""
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
        """Moderate.

        Args:
            act: what to do: ``kick``, ``mute``, ``unmute``, ``ban``, ``unban``, ``slow``, ``redact``.
            user: to whom.
            room: where, for ``slow`` and ``redact``; this one if none is given.
            id: of the message to redact.
            seconds: for how long to mute or ban, 0: until it is taken back; for ``slow``: one message in so many.
            reason: why.
        """
        about = {"user": user, "room": room or self.room, "id": id, "seconds": seconds, "reason": reason}
        await self._requests.moderate(Act(act), **about)

    async def news(self) -> AsyncIterator[News]:
        """What happens beside messages from now on, until we leave; what is not read soon is forgotten, the oldest first.

        Raises:
            ConnectionFailed: if the server does not want us back.
            JoinRefused: if we were removed from the room, or the access key is valid no more.
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
        """All messages from our cursor on, in order, without gap and double, until we leave.

        Raises:
            ConnectionFailed: if the server does not want us back.
            JoinRefused: if we were removed from the room, or the access key is valid no more.
        """
        while True:
            self._changed.clear()
            while self._unread:
                yield self._read(self._unread.popleft())
            if self._has_let_go and self._read_to >= self._head:
                self._has_let_go = False
            elif self._has_let_go and not self._has_ended:
                for message in await self._read_again():
                    yield self._read(message)
            elif self._failure:
                raise self._failure
            elif self._has_ended:
                return
            else:
                await self._changed.wait()

    async def _read_again(self) -> list[ReceivedMessage]:
        if self.is_connected:
            with suppress(NotConnected):
                limit = min(PAGE_MESSAGES, self._head - self._read_to)
                return await self._membership.page(self._read_to + 1, limit)
        await self._changed.wait()
        return []

    def _read(self, message: ReceivedMessage) -> ReceivedMessage:
        self._read_to = message.id
        return message

    async def _listen(self) -> None:
        try:
            async for event in self._membership.events():
                self._take(event)
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever follows must learn of it
            self._failure = error
        self.is_connected, self._has_ended = False, True
        self._changed.set()
        self._has_news.set()
        if not self._joined.done():
            self._joined.set_exception(self._failure or NotConnected("the room was left"))

    def _take(self, event: Event) -> None:
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
                self._take_news(event)
            case Rights():
                self.may = event.may
            case Away():
                self.is_connected = False
            case Reset():
                self._unread.clear()
                self._has_let_go, self._read_to, self._head = False, 0, 0
            case Typing() | Error():
                pass
        self._changed.set()

    def _keep(self, message: ReceivedMessage) -> None:
        self._head = message.id
        if self._has_let_go or len(self._unread) >= UNREAD_MESSAGES:
            self._has_let_go = True
        else:
            self._unread.append(message)

    def _take_news(self, event: News) -> None:
        if isinstance(event, Redacted):
            # Messages that wait to be read are read as they are now.
            now = [one.with_text(event.text) if one.id == event.id else one for one in self._unread]
            self._unread = deque(now)
        self._news.append(event)
        self._has_news.set()


class _Chat:
    """A connection, and the rooms that a program has joined on it."""

    def __init__(self, connection: Connection, name: str, secret: str) -> None:
        self._connection = connection
        self._name = name
        self._secret = secret
        self._listening: set[asyncio.Task[None]] = set()

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
        listening = asyncio.create_task(client._listen())  # noqa: SLF001 - one module, two halves
        self._listening.add(listening)
        listening.add_done_callback(self._listening.discard)
        try:
            await client._joined  # noqa: SLF001
        except BaseException:
            await membership.leave()
            raise
        return client

    async def close(self) -> None:
        await self._connection.close()
        # Their rooms have ended.
        await asyncio.gather(*self._listening)


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
    """Join a room of a chat, and leave the chat at the end. `RoomClient.join` joins more rooms on the same connection.

    Args:
        url: ``ws://``, ``wss://``, ``http(s)://``, ``grpc://``, ``grpcs://`` or ``unix:``; a room may stand behind a ``#``.
        name: the name to be known by; empty for a reader, who is not seen.
        room: the room, if the URL names none.
        secret: proves who we are: a name belongs to the person who comes with it first, and all programs that come with the same secret
            are the same person. If it is not given, it is the one that is kept at home for all our programs on this machine, made at
            the first time; where nothing can be kept, we are a guest. Empty: be a guest, whose name is nobody's, and ours while we are
            there. Else any text that nobody else knows, best 256 random bits.
        since: read on behind this id; else from the last 10 messages on.
        epoch: the epoch that ``since`` belongs to; if the log is another now, it is read from its last 10 messages on.
        quiet: be there unseen: not counted, not announced, not among the people.
        invite: the token of an invitation, into the room or to the name, if the URL has none.
        key: the access key, if it does not stand in the URL; one that a chat does not ask for does no harm.

    Raises:
        InvalidAddress: if the URL is none.
        ConnectionFailed: if there is no chat.
        JoinRefused: if it does not let us in.
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


async def take_device(url: str, token: str = "", *, key: str = "", keep: bool = True) -> Device:
    """Become, with all our programs on this machine, the person who made the link with this token on another device. It works once.

    Args:
        url: of the chat, as `connect` takes it; the token may stand behind its ``#``, as ``;device=``.
        token: the token, if the URL has none.
        key: the access key, if it does not stand in the URL.
        keep: keep the secret at home, where `connect` finds it; where it cannot be kept, only this program has it.

    Returns:
        The name, and the secret to join with from now on.

    Raises:
        InvalidAddress: if the URL is none.
        ConnectionFailed: if there is no chat.
        JoinRefused: if it does not let us in.
        RequestRefused: if the link is not valid any more.
    """
    there = address(url)
    check_key(key)
    device = await _take_device(there.url, token or there.device, there.key or key)
    if keep:
        with suppress(OSError):
            keep_secret(there.url, device.user, device.secret)
    return device


async def _take_device(url: str, token: str, access_key: str) -> Device:
    mark = secrets.token_hex(16)
    try:
        async with asyncio.timeout(ANSWER_SECONDS), open_transport(url, access_key) as transport:
            await transport.send(TakeDevice(token, key=mark))
            async for frame in transport.frames():
                match frame:
                    case Device(key=answered) if answered == mark:
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
