"""A membership in one room, over a connection that other rooms share: its cursor, its outbox and its events.

A membership outlives connections: after each loss it joins again, reads on from its cursor and resends its outbox in order.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from enum import Enum, auto
from typing import Final, Protocol

from besedka.remote.backoff import LONGEST_HOLD_SECONDS, backoff, hold
from besedka.remote.errors import (
    Expelled,
    JoinRefused,
    NotConnected,
    RemoteError,
)
from besedka.remote.outgoing_requests import OutgoingRequests, new_future
from besedka.remote.room.cursor import Cursor
from besedka.remote.room.event_queue import EventQueue, HeldEvents
from besedka.remote.room.events import Away, Event, Reset
from besedka.remote.room.history_reader import HistoryReader
from besedka.remote.room.posts import Posts
from besedka.remote.room.read_mark import ReadMark
from besedka.wire.errors import ErrorCode
from besedka.wire.frames import (
    BeginTyping,
    Chat,
    ClientFrame,
    DeviceLink,
    Error,
    History,
    Join,
    Leave,
    MarkRead,
    ReadUpTo,
    Redacted,
    Rights,
    RoomOpened,
    Say,
    ServerFrame,
    System,
    Typing,
    Welcome,
)
from besedka.wire.message import MessageId

BY_PERSON: Final = frozenset({ErrorCode.BANNED, ErrorCode.NOT_KNOWN})
"""Refusals of a person, not of a room or a name."""

PERMANENT: Final = BY_PERSON | {
    ErrorCode.NAME_CLAIMED,
    ErrorCode.NOT_INVITED,
    ErrorCode.BAD_LINK,
    ErrorCode.ROOM_GONE,
    ErrorCode.NO_ACCESS,
}
"""Refusals of a later join that would be the same the next time."""


class MembershipState(Enum):
    """The state of a membership."""

    WAITING = auto()
    """To be joined: at first, or after a loss."""
    JOINING = auto()
    """The join is sent, and not answered yet."""
    IN = auto()
    RENAMING = auto()
    """In, and a join that takes the place of this membership is sent, and not answered yet: under another name, or to post anew."""
    ENDED = auto()
    """Left, or refused for good."""


class Link(Protocol):
    """The interface of the connection for its memberships."""

    url: str
    requests: OutgoingRequests
    held_events: HeldEvents

    def wake(self) -> None:
        """Look again for frames to send."""

    async def send(self, frame: ClientFrame) -> None:
        """Send a frame if there is a connection."""

    async def leave(self, membership: Membership) -> None:
        """Leave the room."""


class Membership:
    """A person's membership in a room. Made by `ChatConnection.join`.

    Args:
        link: the connection.
        room: the room's name.
        user: the name; empty for a reader, who is not announced.
        secret: proves that the name belongs to the person, across connections; without it the name is unclaimed.
        since: the id of the last message seen; None begins with the last 10.
        epoch: the epoch that ``since`` belongs to.
        quiet: join without being counted, announced or listed among the users.
        invite: the token of an invitation, into the room or to the name.
        must_exist: join only a room that is there; later, when the connection was lost, it is created again if need be.
        unsent: messages from an earlier membership of the same person, to be sent first.

    Attributes:
        room: the room's name.
        user: the name.
        quiet: whether the membership is quiet.
        requests: the connection's requests.
        history: reads the room's log.
        state: the state of the membership.
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
        must_exist: bool = False,
        unsent: Sequence[Say] = (),
    ) -> None:
        self.room = room
        self.user = user
        self.quiet = quiet
        self.requests = link.requests
        self.state = MembershipState.WAITING
        self._link = link
        self._secret = secret
        self._invite = invite
        self._must_exist = must_exist
        self._cursor = Cursor(since, epoch)
        self._posts = Posts(room, link.wake)
        self._read_mark = ReadMark(room)
        self.history = HistoryReader(link.url, room, link.requests, self._cursor, self._check_in)
        self._has_been_in = False
        # During a change of name: whether the join is still to be sent, the former name and its secret, and the outcome.
        self._is_rename_due = False
        self._former: tuple[str, str] | None = None
        self._renamed: asyncio.Future[None] | None = None
        self._rejoins = 0
        # When the room was entered, and how often in a row it was closed soon after that.
        self._entered_at = 0.0
        self._closings = 0
        self._join_at = 0.0
        self._events = EventQueue(link.held_events)
        self.resend(unsent)

    # For programs.

    @property
    def waiting(self) -> int:
        """The number of messages posted and not known to be stored."""
        return self._posts.waiting

    @property
    def unsent(self) -> list[Say]:
        """The messages posted and not known to be stored, in order, for a later membership."""
        return self._posts.unsent

    @property
    def allowed_at(self) -> float:
        """The loop time before which the messages that wait are too fast for the server, as it has said last."""
        return self._posts.allowed_at

    @property
    def cursor(self) -> tuple[int, str]:
        """The id of the last message received, and its epoch, to read on in another process."""
        return self._cursor.last, self._cursor.epoch

    @property
    def read_up_to(self) -> int | None:
        """The id of the last message that the user has read, on any device; None where the server keeps no marks for them."""
        return self._read_mark.up_to

    def mark_read(self, number: int) -> None:
        """Note that the user has read up to a message; their other devices learn of it within some seconds.

        Raises:
            ValueError: if no such message was received.
        """
        if not 1 <= number <= self._cursor.post_after:
            raise ValueError(f"there is no message {number} yet")
        self._read_mark.move(number)
        self._link.wake()

    def say(self, text: str) -> asyncio.Future[MessageId]:
        """Post a message; it is resent until it is known to be stored.

        Returns:
            A future of the message's id, done once it is on the server's disk; or failed with `SayRefused`. It need not be awaited.
        """
        return self._posts.post(text, self._cursor.post_after)

    def discard(self, key: str) -> None:
        """Send a message that waits no more. It may be stored all the same, if the server has it already.

        Args:
            key: of the message, as in `unsent`.
        """
        self._posts.discard(key)
        self._renew_if_blocked()

    async def typing(self) -> None:
        """Send a typing notification, if there is a connection."""
        if self.state is MembershipState.IN:
            await self._link.send(BeginTyping(room=self.room))

    def resend(self, frames: Sequence[Say]) -> None:
        """Resend messages from an earlier membership of the same person; the server recognises those that are stored."""
        self._posts.resend(frames)

    async def rename(self, user: str, *, secret: str = "") -> None:
        """Change the name. `Welcome` has it in the server's form.

        Args:
            user: the new name.
            secret: proves that the new name belongs to the person.

        Raises:
            JoinRefused: if the new name is refused; the old one stays in use.
            NotConnected: if there is no connection.
            ValueError: if messages posted under the old name are not known to be stored.
        """
        self._check_in()
        if self.waiting:
            raise ValueError(f"{self.waiting} messages wait")
        is_spelling = user.casefold() == self.user.casefold()
        self._former = (self.user, self._secret)
        self.user, self._secret = user, secret
        self._renamed = new_future()
        if is_spelling:
            # Of a guest, the server holds the old spelling until they have left.
            self.state, self._join_at = MembershipState.WAITING, 0.0
            await self._link.send(Leave(room=self.room))
        else:
            self._is_rename_due = True
        self._link.wake()
        # The change goes on even if the caller is cancelled.
        await asyncio.shield(self._renamed)

    async def leave(self) -> None:
        """Leave the room; its events end. Messages not known to be stored stay in `unsent`."""
        await self._link.leave(self)

    def events(self) -> AsyncGenerator[Event, None]:
        """Yield the room's events until it is left, across losses of the connection. For one reader.

        Raises:
            Expelled: if the chat ended the session: kicked, banned, or no longer known.
            ConnectionFailed: if the first try to connect fails, or the server closed the connection for good.
            JoinRefused: if the first join is refused, or a later one for good; if the person is removed from the room; if the access key
                is not valid, or not any more.
        """
        return self._events.read()

    async def add_device(self) -> DeviceLink:
        """Create a link that adds another device to this person.

        Raises:
            NotConnected: if there is no connection; try again after `Welcome`.
            RequestRefused: if there is no secret, or the name belongs to somebody else.
        """
        return await self.requests.add_device(self.user, self._secret)

    def _check_in(self) -> None:
        if self.state is not MembershipState.IN:
            raise NotConnected("there is no connection to the room")

    # For the connection: sending.

    def wants_to_join(self, now: float) -> bool:
        """Whether the connection should send the membership's join now."""
        return self._is_rename_due or (self.state is MembershipState.WAITING and now >= self._join_at)

    @property
    def is_joining(self) -> bool:
        """Whether a join is sent, and not answered yet."""
        return self.state in {MembershipState.JOINING, MembershipState.RENAMING}

    def join(self) -> Join:
        """Begin to join: the frame to send now."""
        if self._is_rename_due:
            self._is_rename_due, self.state = False, MembershipState.RENAMING
        else:
            self.state = MembershipState.JOINING
        self._posts.begin()
        return self.join_frame

    @property
    def join_frame(self) -> Join:
        """The frame that joins the room in its present state."""
        return Join(
            user=self.user or None,
            room=self.room,
            since=self._cursor.since,
            epoch=self._cursor.epoch,
            secret=self._secret,
            quiet=self.quiet,
            # After the first join it is used up, or not needed any more.
            invite="" if self._has_been_in else self._invite,
            must_exist=self._must_exist and not self._has_been_in,
            rename=self.state is MembershipState.RENAMING,
        )

    @property
    def in_flight(self) -> int:
        """The number of messages sent and neither stored nor refused."""
        return self._posts.in_flight if self.state is MembershipState.IN else 0

    def next_message(self, now: float) -> Say | None:
        """The message to send now; None if there is none."""
        return self._posts.next(now) if self.state is MembershipState.IN else None

    def next_mark(self, now: float) -> MarkRead | None:
        """The read mark to send now; None if there is none."""
        return self._read_mark.next(now) if self._may_mark else None

    def last_mark(self) -> MarkRead | None:
        """The read mark that waits, to be sent before the room is left; None if there is none."""
        return self._read_mark.last() if self._may_mark else None

    @property
    def _may_mark(self) -> bool:
        # A reader without a name receives the marks of the person whose secret they show, and moves none.
        return self.state is MembershipState.IN and bool(self.user)

    def due(self, now: float) -> float | None:
        """The time at which a join, a message or a read mark may be sent that must wait now; None if nothing waits for a time."""
        if self.state is MembershipState.ENDED:
            return None
        is_waiting = self.state is MembershipState.WAITING
        dues = (self._join_at,) if is_waiting else (self._posts.held_until, self._read_mark.due())
        return min((due for due in dues if due > now), default=None)

    # For the connection: receiving.

    def disconnected(self, retry_in: float) -> None:
        """Note that the connection is lost."""
        self.state, self._join_at, self._is_rename_due = MembershipState.WAITING, 0.0, False
        self._events.put(Away(retry_in))

    def end(self, error: Exception | None) -> None:
        """End the membership.

        Args:
            error: the reason; None if the room was left.
        """
        self.state, self._is_rename_due = MembershipState.ENDED, False
        self._posts.end(error)
        self._settle_rename(error or NotConnected("the room was left"))
        self._events.end(error)

    @property
    def is_full(self) -> bool:
        """Whether so many events wait for the program that the connection should stop reading."""
        return self._events.is_full

    async def has_room(self) -> None:
        """Wait until the program has read some events."""
        await self._events.has_room()

    def receive(self, frame: ServerFrame, now: float) -> None:
        """Handle a frame of this room."""
        match frame:
            case Welcome():
                self._welcomed(frame, now)
            case Error():
                self._refused(frame, now)
            case _ if self.state not in {MembershipState.IN, MembershipState.RENAMING}:
                pass  # of an earlier membership in this room, which was left
            case History():
                for number, key in frame.keys.items():
                    self._posts.stored(key, number)
                self._events.put(*self._cursor.receive_history(frame))
            case Chat():
                self._posts.stored(frame.key, frame.id)
                self._events.put(*self._cursor.receive(frame))
            case ReadUpTo():
                self._read_mark.receive(frame)
                self._events.put(frame)
            case System(slow=int()):
                self._posts.slow_mode_changed()
                self._events.put(frame)
            case System() | Typing() | Redacted() | Rights() | RoomOpened():
                self._events.put(frame)
            case _:
                pass

    def _welcomed(self, frame: Welcome, now: float) -> None:
        if self.state is not MembershipState.IN:
            self._entered_at = now
        is_new = self._cursor.begin(frame)
        self._read_mark.begin(frame, is_new=is_new)
        self._events.put(frame)
        if is_new:
            self._posts.log_replaced(now)
            if self._has_been_in:
                self._events.put(Reset())
        self._has_been_in, self.state, self._rejoins = True, MembershipState.IN, 0
        self._settle_rename(None)
        self._link.wake()

    def _refused(self, frame: Error, now: float) -> None:
        if frame.key:
            if self._posts.refused(frame, now):
                self._events.put(frame)
            self._renew_if_blocked()
        elif self.is_joining:
            self._join_refused(frame, now)
        elif frame.code in PERMANENT:
            self.end(self._why_ended(frame))
        elif frame.code == ErrorCode.TOO_MANY_ROOMS and self.state is MembershipState.IN:
            self._closed(frame, now)
        else:
            self._events.put(frame)

    def _renew_if_blocked(self) -> None:
        """Join again in place if the server waits for a message that was discarded: for a new membership it does not."""
        if self._posts.is_blocked and self.state is MembershipState.IN:
            self._is_rename_due = True
            self._link.wake()

    def _closed(self, frame: Error, now: float) -> None:
        """Return later to a room that the server has closed to make room for others."""
        if now - self._entered_at > LONGEST_HOLD_SECONDS:
            self._closings = 0
        self._rejoin_in(hold(frame.retry_after, self._closings), now)
        self._closings += 1

    def _join_refused(self, frame: Error, now: float) -> None:
        if self._former and frame.code != ErrorCode.NOT_INVITED:
            (self.user, self._secret), self._former = self._former, None
            self._settle_rename(JoinRefused(frame.code, frame.text, frame.retry_after))
            is_in = self.state is MembershipState.RENAMING
            self.state = MembershipState.IN if is_in else MembershipState.WAITING
            self._link.wake()
            return
        if self.state is MembershipState.RENAMING and frame.code not in PERMANENT:
            self.state = MembershipState.IN
            self._link.wake()
            return
        if not self._has_been_in or frame.code in PERMANENT:
            self.end(self._why_ended(frame))
            return
        # The server may not have noticed the loss yet; until then the name is in use by the lost connection.
        wait = backoff(self._rejoins)
        self._rejoins += 1
        self._rejoin_in(wait, now)

    def _rejoin_in(self, wait: float, now: float) -> None:
        self.state, self._join_at = MembershipState.WAITING, now + wait
        self._events.put(Away(wait))
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
            return Expelled(frame.code, frame.text, frame.retry_after)
        return JoinRefused(frame.code, frame.text, frame.retry_after)
