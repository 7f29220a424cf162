"""Being in a room over a connection that other rooms share: a cursor, an outbox, and what happens in the room.

A membership outlives connections: it joins again after each loss, reads on from its cursor and resends its outbox, in order.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Sequence
from enum import Enum, auto
from typing import Any, Final, Protocol

from besedka.remote.backoff import backoff
from besedka.remote.errors import (
    Expelled,
    JoinRefused,
    NotConnected,
    RemoteError,
    SayRefused,
    not_besedka,
    understanding,
)
from besedka.remote.requests import Requests, check_frame, new_key
from besedka.remote.room.cursor import Cursor
from besedka.remote.room.events import Away, Event, ReceivedMessage, Reset, SearchResults
from besedka.remote.room.outbox import Outbox
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import (
    FOUND_MESSAGES,
    BeginTyping,
    Chat,
    ClientFrame,
    DeviceLink,
    Error,
    History,
    Join,
    Leave,
    ListHistory,
    Redacted,
    Rights,
    RoomOpened,
    Say,
    Search,
    ServerFrame,
    System,
    Typing,
    Welcome,
)
from besedka.wire.message import MessageId
from besedka.wire.validation import TEXT_CHARACTERS_AT_MOST

EVENTS_AT_MOST: Final = 256
"""Events of a room that wait for the program. The connection reads no further then, and the server keeps the rest in its log: all
rooms of the connection wait for a program that does not read one of them."""

LONGEST_HOLD_SECONDS: Final = 60.0
"""A message that was posted too fast is sent again after so long at most, whatever the server asks for."""

RESENT_AFTER: Final = frozenset({ErrorCode.NOT_STORED, ErrorCode.GOING_DOWN})
"""Refusals after which the server ends: the message is kept, and resent to the next one."""

BY_PERSON: Final = frozenset({ErrorCode.BANNED, ErrorCode.NOT_KNOWN})
"""Refusals that are about the person, and not about a room or a name."""

PERMANENT: Final = BY_PERSON | {
    ErrorCode.NAME_CLAIMED,
    ErrorCode.NOT_INVITED,
    ErrorCode.BAD_LINK,
    ErrorCode.NO_ACCESS,
}
"""Refusals of a member who comes back that will be the same the next time."""


class State(Enum):
    """How a membership stands."""

    WAITING = auto()
    """It is to be joined: at first, or after a loss."""
    JOINING = auto()
    """The join is sent and not answered."""
    IN = auto()
    ENDED = auto()
    """It was left, or refused for good."""


class Link(Protocol):
    """The connection, as its memberships see it."""

    url: str
    requests: Requests

    def wake(self) -> None:
        """There may be something to send."""

    async def send(self, frame: ClientFrame) -> None:
        """Send a frame if there is a connection."""

    async def leave(self, membership: Membership) -> None:
        """Leave the room."""


class Membership:
    """A person's membership in a room. Made by `Connection.join`.

    Args:
        link: the connection.
        room: the room's name.
        user: the name to be known by; empty for a reader, who is not seen.
        secret: proves that several connections are the same person, whose name it is; without it the name is nobody's.
        since: the id of the last message seen; None begins with the last 10.
        epoch: the epoch that ``since`` belongs to.
        quiet: join unseen: not counted, not announced, not among the users.
        invite: the token of an invitation, into the room or to the name.
        unsent: what waited in another membership of the same person, to be sent before anything else.

    Attributes:
        room: the room's name.
        user: the name, as it was given.
        quiet: as it was given.
        requests: what can be asked of the chat.
        state: how it stands.
    """

    def __init__(
        self,
        link: Link,
        room: str,
        user: str,
        *,
        secret: str = "",
        since: int | None = None,
        epoch: str = "",
        quiet: bool = False,
        invite: str = "",
        unsent: Sequence[Say] = (),
    ) -> None:
        self.room = room
        self.user = user
        self.quiet = quiet
        self.requests = link.requests
        self.state = State.WAITING
        self._link = link
        self._secret = secret
        self._invite = invite
        self._cursor = Cursor(since, epoch)
        self._outbox = Outbox()
        self._stored: dict[str, asyncio.Future[MessageId]] = {}
        self._has_been_in = False
        # While the name is changed: the one before, with its secret, and whether the new one is accepted.
        self._former: tuple[str, str] | None = None
        self._renamed: asyncio.Future[None] | None = None
        self._rejoins = 0
        self._join_at = 0.0
        self._held_until = 0.0
        self._error: Exception | None = None
        self._events: deque[Event] = deque()
        self._has_events = asyncio.Event()
        self._has_room = asyncio.Event()
        self._has_room.set()
        self.resend(unsent)

    # For programs.

    @property
    def waiting(self) -> int:
        """How many messages were posted and are not known to be stored."""
        return len(self._outbox)

    @property
    def unsent(self) -> list[Say]:
        """Those messages, in order: for a membership that goes on where this one ends."""
        return self._outbox.frames

    @property
    def cursor(self) -> tuple[int, str]:
        """The id of the last message received, and its epoch: to read on in another process."""
        return self._cursor.last, self._cursor.epoch

    def say(self, text: str) -> asyncio.Future[MessageId]:
        """Post a message; it is kept until it is known to be stored.

        Returns:
            Its id, when it is on the server's disk; or `SayRefused`. It need not be awaited.
        """
        frame = Say(text=text, room=self.room, key=new_key(), after=self._cursor.said_after)
        stored: asyncio.Future[MessageId] = asyncio.get_running_loop().create_future()
        stored.add_done_callback(_retrieve)
        try:
            check_frame(frame)
        except Refused as refusal:
            if refusal.code is ErrorCode.FRAME_TOO_LONG:
                refusal = Refused(ErrorCode.TEXT_TOO_LONG, length=len(text), limit=TEXT_CHARACTERS_AT_MOST)
            stored.set_exception(SayRefused(refusal.code, str(refusal)))
            return stored
        self._outbox.add(frame)
        self._stored[frame.key] = stored
        if self.state is State.ENDED:
            self._give_up()
        self._link.wake()
        return stored

    async def typing(self) -> None:
        """Tell the others that something is being typed, if there is a connection."""
        if self.state is State.IN:
            await self._link.send(BeginTyping(room=self.room))

    def resend(self, frames: Sequence[Say]) -> None:
        """Send what waited in another membership of the same person, perhaps once more."""
        for frame in frames:
            self._outbox.add(frame, is_resend=True)
        self._link.wake()

    async def rename(self, user: str, *, secret: str = "") -> None:
        """Be known by another name: leave the room and join it again, from the cursor on. `Welcome` tells the name as it is used.

        Args:
            user: the new name.
            secret: proves that it is ours.

        Raises:
            JoinRefused: if the new name is refused; we are back under the old one.
            NotConnected: if there is no connection now.
            ValueError: if messages wait, which are not known to be posted under the old name.
        """
        self._check_in()
        if self.waiting:
            raise ValueError(f"{self.waiting} messages wait")
        self._former = (self.user, self._secret)
        self.user, self._secret = user, secret
        self._renamed = asyncio.get_running_loop().create_future()
        self._renamed.add_done_callback(_retrieve)
        self.state, self._join_at = State.WAITING, 0.0
        await self._link.send(Leave(room=self.room))
        self._link.wake()
        # If the caller gives up, it happens all the same.
        await asyncio.shield(self._renamed)

    async def leave(self) -> None:
        """Leave the room; its events end. What waits stays in `unsent`."""
        await self._link.leave(self)

    async def events(self) -> AsyncGenerator[Event, None]:
        """What happens, until the room is left, through all losses of the connection. For one reader.

        Raises:
            Expelled: if the chat does not want us any more: kicked, banned, unknown.
            ConnectionFailed: if the first try to connect fails, or the server does not want us back.
            JoinRefused: if the first join is refused; or a later one, for good; or if we are removed from the room. Also because of the
                access key, which may be withdrawn later.
        """
        while True:
            while self._events:
                event = self._events.popleft()
                self._has_room.set()
                yield event
            if self._error:
                raise self._error
            if self.state is State.ENDED:
                return
            self._has_events.clear()
            await self._has_events.wait()

    async def page(self, first: int, limit: int) -> list[ReceivedMessage]:
        """Messages from this id on, at most so many, from the log.

        Raises:
            NotConnected: if there is no connection; ask again when it is back.
        """
        found: list[ReceivedMessage] = []
        before = first + limit
        # Where messages are long a page holds only the last of those that were asked for.
        while before > first:
            self._check_in()
            answer = await self.requests.page(
                ListHistory(before=before, room=self.room, limit=before - first)
            )
            with understanding(self._link.url):
                page = self._cursor.read(answer)
            if not page:
                break
            if page[0].id >= before:
                raise not_besedka(self._link.url, f"a page before {before} begins with {page[0].id}")
            found = [*page, *found]
            before = page[0].id
        return found

    async def search(self, text: str, before: int = 0, limit: int = FOUND_MESSAGES) -> SearchResults:
        """Messages of the room that hold a text, in capitals or small letters; the newest ones, at most so many.

        The server searches only so long at a time: search again with `SearchResults.before` for older messages, until that is 0.

        Args:
            text: what to look for.
            before: look only at messages older than this id; 0: at all.
            limit: how many to find; the server gives 100 at most.

        Raises:
            NotConnected: if there is no connection; ask again when it is back.
            RequestRefused: if the server does not search for it.
        """
        self._check_in()
        frame = Search(text=text, room=self.room, before=before, limit=limit, key=new_key())
        answer = await self.requests.search(frame)
        if before and answer.before >= before:
            raise not_besedka(self._link.url, f"a search before {before} goes on before {answer.before}")
        with understanding(self._link.url):
            return SearchResults(self._cursor.read_found(answer), answer.before)

    async def add_device(self) -> DeviceLink:
        """A link by which another device becomes this person.

        Raises:
            NotConnected: if there is no connection; ask again when it is back.
            RequestRefused: if there is no secret, or the name is not ours.
        """
        return await self.requests.add_device(self.user, self._secret)

    def _check_in(self) -> None:
        if self.state is not State.IN:
            raise NotConnected("there is no connection to the room")

    # For the connection: what to send.

    def wants_to_join(self, now: float) -> bool:
        """Whether it is to be joined now."""
        return self.state is State.WAITING and now >= self._join_at

    def join(self) -> Join:
        """The frame that joins the room, to be sent now."""
        self.state = State.JOINING
        self._held_until = 0.0
        self._outbox.resend_all()
        return self.join_frame

    @property
    def join_frame(self) -> Join:
        """The frame that joins the room as things stand."""
        return Join(
            user=self.user or None,
            room=self.room,
            since=self._cursor.since,
            epoch=self._cursor.epoch,
            secret=self._secret,
            quiet=self.quiet,
            # Once it has let us in it is used up, or needed no more.
            invite="" if self._has_been_in else self._invite,
        )

    @property
    def in_flight(self) -> int:
        """How many messages are sent and neither stored nor refused."""
        return self._outbox.in_flight if self.state is State.IN else 0

    def next_message(self, now: float) -> Say | None:
        """The message to send now, if there is one."""
        return self._outbox.next() if self.state is State.IN and now >= self._held_until else None

    def due(self, now: float) -> float | None:
        """When there may be something to send that could not be sent at this moment; None if that depends on what the server sends."""
        due = self._join_at if self.state is State.WAITING else self._held_until
        return due if due > now and self.state is not State.ENDED else None

    # For the connection: what happens.

    def disconnected(self, retry_in: float) -> None:
        """The connection is lost."""
        self.state, self._join_at = State.WAITING, 0.0
        self._emit(Away(retry_in))

    def end(self, error: Exception | None) -> None:
        """The membership has ended; None: it was left."""
        self.state, self._error = State.ENDED, error
        self._give_up()
        self._has_events.set()
        self._has_room.set()

    @property
    def is_full(self) -> bool:
        """Whether so many events wait for the program that no more shall come."""
        return not self._has_room.is_set()

    async def has_room(self) -> None:
        """Wait until the program has read some of them."""
        await self._has_room.wait()

    def receive(self, frame: ServerFrame, now: float) -> None:
        """A frame about this room."""
        match frame:
            case Welcome():
                self._welcomed(frame)
            case Error():
                self._refused(frame, now)
            case _ if self.state is not State.IN:
                pass  # of a membership before this one, which was left meanwhile
            case History():
                for number, key in frame.keys.items():
                    self._settle(key, number)
                self._emit(*self._cursor.receive_history(frame))
            case Chat():
                self._settle(frame.key, frame.id)
                self._emit(*self._cursor.receive(frame))
            case System() | Typing() | Redacted() | Rights() | RoomOpened():
                self._emit(frame)
            case _:
                pass

    def _welcomed(self, frame: Welcome) -> None:
        is_new = self._cursor.begin(frame)
        self._emit(frame)
        if is_new:
            self._outbox.forget_ids()
            # What was stored in the old log, and did not come back, is in no log now; what waits for the disk is known by its key.
            self._outbox.resend_all()
            if self._has_been_in:
                self._emit(Reset())
        self._has_been_in, self.state, self._rejoins = True, State.IN, 0
        self._settle_rename(None)
        self._link.wake()

    def _refused(self, frame: Error, now: float) -> None:
        if frame.key:
            self._message_refused(frame, now)
        elif self.state is State.JOINING:
            self._join_refused(frame, now)
        elif frame.code in PERMANENT:
            self.end(self._why_ended(frame))
        else:
            self._emit(frame)

    def _message_refused(self, frame: Error, now: float) -> None:
        if frame.code == ErrorCode.TOO_FAST:
            if now < self._held_until:
                return  # it was in flight behind the first one that was refused
            self._outbox.recall()
            self._held_until = now + min(frame.retry_after, LONGEST_HOLD_SECONDS)
            self._link.wake()
        elif frame.code not in RESENT_AFTER:
            self._outbox.settle(frame.key)
            self._link.wake()
            stored = self._stored.pop(frame.key, None)
            if stored and not stored.done():
                stored.set_exception(SayRefused(frame.code, frame.text))
        self._emit(frame)

    def _join_refused(self, frame: Error, now: float) -> None:
        if self._former:
            (self.user, self._secret), self._former = self._former, None
            self._settle_rename(JoinRefused(frame.code, frame.text))
            self.state = State.WAITING
            self._link.wake()
            return
        if not self._has_been_in or frame.code in PERMANENT:
            self.end(self._why_ended(frame))
            return
        # The server may still see us on the connection that was lost; then the name is in use until it notices.
        wait = backoff(self._rejoins)
        self._rejoins += 1
        self.state, self._join_at = State.WAITING, now + wait
        self._emit(Away(wait))
        self._link.wake()

    def _settle_rename(self, error: Exception | None) -> None:
        if self._renamed and not self._renamed.done():
            if error:
                self._renamed.set_exception(error)
            else:
                self._renamed.set_result(None)
        self._former = None

    def _why_ended(self, frame: Error) -> RemoteError:
        if self._has_been_in and frame.code in BY_PERSON:
            return Expelled(frame.code, frame.text)
        return JoinRefused(frame.code, frame.text)

    def _settle(self, key: str, number: int) -> None:
        self._outbox.stored(key, number)
        stored = self._stored.pop(key, None)
        if stored and not stored.done():
            stored.set_result(MessageId(number))
        if key:
            self._link.wake()  # also for the outboxes of other rooms: what is in flight is counted for all of them

    def _emit(self, *events: Event) -> None:
        if self.state is State.ENDED:
            return
        self._events.extend(events)
        self._has_events.set()
        if len(self._events) >= EVENTS_AT_MOST:
            self._has_room.clear()

    def _give_up(self) -> None:
        """Nobody will take what waits: tell the callers."""
        for stored in self._stored.values():
            if not stored.done():
                stored.set_exception(self._error or NotConnected("the room was left"))
        self._stored.clear()
        self._settle_rename(self._error or NotConnected("the room was left"))


def _retrieve(future: asyncio.Future[Any]) -> None:
    """Not every program awaits what becomes of its messages; a refusal is an event, too."""
    if not future.cancelled():
        future.exception()
