"""One connection to a chat for any number of rooms; it reconnects by itself.

After a loss it joins all rooms again, a few at a time, each from its own cursor; then it resends the outboxes. A refusal in one room
does not affect the others.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from typing import Final, Self

from besedka.remote import transport as transports
from besedka.remote.backoff import backoff
from besedka.remote.errors import (
    ConnectionFailed,
    Expelled,
    JoinRefused,
    RemoteError,
    TransportClosed,
    needs_key,
    parsing_frames,
)
from besedka.remote.outgoing_requests import OutgoingRequests, check_frame
from besedka.remote.pending_joins import PendingJoins
from besedka.remote.room.event_queue import HeldEvents
from besedka.remote.room.membership import Membership, MembershipState
from besedka.remote.room.outbox import IN_FLIGHT_AT_MOST
from besedka.remote.transport import Transport, checked_frames
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import (
    Chat,
    ClientFrame,
    Error,
    History,
    Leave,
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
from besedka.wire.validation import DEFAULT_ROOM, clean_room

ROOMS_AT_MOST: Final = 100
"""Rooms on one connection, as the server limits them, too."""

OpenTransport = Callable[[str, str, str], AbstractAsyncContextManager[Transport]]


class ChatConnection:
    """A connection to a chat. It connects when the first room is joined, and lasts until it is closed.

    Args:
        url: the chat's URL, as `address` returns it.
        key: the access key, if the chat requires one.
        language: of the server's sentences for people.
        open_transport: connects to the URL with the key and the language.

    Attributes:
        url: the chat's URL.
        requests: the requests to the chat; they need a joined room.
        held_events: the memory of the events that wait in all rooms.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str = "",
        language: str = Language.EN,
        open_transport: OpenTransport | None = None,
    ) -> None:
        self.url = url
        self.requests = OutgoingRequests(url)
        self.held_events = HeldEvents()
        self._key = key
        self._language = language
        self._open_transport = open_transport or transports.open_transport
        self._transport: Transport | None = None
        self._rooms: dict[str, Membership] = {}
        self._joins = PendingJoins()
        self._has_been_in = False
        self._failure: Exception | None = None
        self._tries = 0
        # Loop times. The last sign of life of the server; infinite while reading is paused.
        self._silent_since = math.inf
        # The last look for a frame to send.
        self._checked_at = 0.0
        self._awake = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    @property
    def rooms(self) -> list[Membership]:
        """The rooms that are joined or to be joined."""
        return [*self._rooms.values()]

    def join(
        self,
        room: str = DEFAULT_ROOM,
        user: str = "",
        *,
        secret: str = "",
        since: int | None = None,
        epoch: str = "",
        quiet: bool = False,
        invite: str = "",
        must_exist: bool = False,
        unsent: Sequence[Say] = (),
    ) -> Membership:
        """Join a room; its events report the server's response. The arguments are those of `Membership`.

        Raises:
            JoinRefused: if the room is joined already, or as many rooms as a connection holds, or no server would accept the join frame.
        """
        membership = Membership(
            self,
            _name_of(room),
            user,
            secret=secret,
            since=since,
            epoch=epoch,
            quiet=quiet,
            invite=invite,
            must_exist=must_exist,
            unsent=unsent,
        )
        try:
            check_frame(membership.join_frame)
        except Refused as refusal:
            raise JoinRefused(refusal.code, str(refusal)) from None
        if membership.room in self._rooms:
            raise JoinRefused(
                ErrorCode.ALREADY_JOINED, f"this connection is in the room {membership.room} already"
            )
        if len(self._rooms) >= ROOMS_AT_MOST:
            raise JoinRefused(
                ErrorCode.TOO_MANY_ROOMS, f"this connection is in {ROOMS_AT_MOST} rooms; leave one first"
            )
        if self._failure:
            membership.end(self._failure)
        else:
            self._rooms[membership.room] = membership
            self._running = self._running or asyncio.create_task(self._run())
            self.wake()
        return membership

    async def leave(self, membership: Membership) -> None:
        """Leave a room, as `Membership.leave` does."""
        was, is_here = membership.state, self._rooms.get(membership.room) is membership
        mark = membership.last_mark()
        membership.end(None)
        self._forget_if_ended(membership)
        if is_here and mark:
            await self.send(mark)
        if is_here and was not in {MembershipState.WAITING, MembershipState.ENDED}:
            await self.send(Leave(room=membership.room))

    async def close(self) -> None:
        """Leave all rooms and close the connection."""
        for mark in [mark for membership in self.rooms if (mark := membership.last_mark())]:
            await self.send(mark)
        if self._running:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None
        for membership in self.rooms:
            membership.end(None)
        self._rooms.clear()

    def wake(self) -> None:
        """Look again for frames to send."""
        self._awake.set()

    async def send(self, frame: ClientFrame) -> None:
        """Send a frame if there is a connection."""
        if self._transport:
            # The reading task notices the loss too, and reconnects.
            with suppress(TransportClosed):
                await self._transport.send(frame)

    # Reconnecting.

    async def _run(self) -> None:
        try:
            await self._stay_connected()
        except Exception as error:  # noqa: BLE001 - readers of events must receive any error
            self._fail(error)

    def _fail(self, error: Exception) -> None:
        self._failure = error
        for membership in self.rooms:
            membership.end(error)
        self._rooms.clear()

    async def _stay_connected(self) -> None:
        while True:
            while not self._rooms:
                self._awake.clear()
                await self._awake.wait()
            try:
                async with self._open_transport(self.url, self._key, self._language) as transport:
                    await self._serve(transport)
            except TransportClosed as closed:
                self._check_reconnect(closed)
            wait = backoff(self._tries)
            self._tries += 1
            for membership in self.rooms:
                membership.disconnected(wait)
            await asyncio.sleep(wait)

    def _check_reconnect(self, closed: TransportClosed) -> None:
        if closed.code == ErrorCode.NO_ACCESS:
            raise needs_key(self.url, self._key) from None
        if closed.code:
            raise self._expelled(closed.code, str(closed)) from None
        if not self._has_been_in:
            raise ConnectionFailed(f"cannot reach a chat at {self.url}: {closed}") from None
        if not closed.reconnect:
            raise ConnectionFailed(f"the chat at {self.url} closed the connection: {closed}") from None

    def _expelled(self, code: str, text: str) -> RemoteError:
        return Expelled(code, text) if self._has_been_in else JoinRefused(code, text)

    async def _serve(self, transport: Transport) -> None:
        self._transport, self._silent_since = transport, _now()
        tasks = [
            asyncio.create_task(self._receive_frames(transport)),
            asyncio.create_task(self._send_frames(transport)),
        ]
        failure: ConnectionFailed | None = None
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            errors = (task.exception() for task in done)
            failure = next((error for error in errors if isinstance(error, ConnectionFailed)), None)
        finally:
            self._transport = None
            self.requests.end(failure)
            self._joins.clear()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for task in done:
            task.result()

    # Sending.

    async def _send_frames(self, transport: Transport) -> None:
        while True:
            self._awake.clear()
            try:
                while frame := self._next_frame():
                    await transport.send(frame)
            except TransportClosed:
                return  # the reading task raises the reason
            await self._sleep()
            if _now() >= self._joins.deadline(self._silent_since):
                raise TransportClosed("it does not answer", reconnect=True)

    def _next_frame(self) -> ClientFrame | None:
        now = self._checked_at = _now()
        if not self._joins.is_full and (membership := self._next_to_join(now)):
            self._joins.sent(membership, now)
            return membership.join()
        for membership in self._rooms.values():
            if mark := membership.next_mark(now):
                return mark
        if sum(membership.in_flight for membership in self._rooms.values()) < IN_FLIGHT_AT_MOST:
            for membership in self._rooms.values():
                if message := membership.next_message(now):
                    # Move the room to the end: the others are next.
                    self._rooms[membership.room] = self._rooms.pop(membership.room)
                    return message
        return None

    def _next_to_join(self, now: float) -> Membership | None:
        waiting = [membership for membership in self._rooms.values() if membership.wants_to_join(now)]
        return min(waiting, key=lambda membership: membership.quiet, default=None)

    async def _sleep(self) -> None:
        """Wait until there may be something to send, or a response is overdue."""
        dues = [due for membership in self._rooms.values() if (due := membership.due(self._checked_at))]
        due = min([*dues, self._joins.deadline(self._silent_since)])
        with suppress(TimeoutError):
            async with asyncio.timeout_at(due if math.isfinite(due) else None):
                await self._awake.wait()

    # Receiving.

    async def _receive_frames(self, transport: Transport) -> None:
        async for frame in checked_frames(transport, self.url):
            self._tries = 0
            self._note_sign_of_life()
            with parsing_frames(self.url):
                receivers = self._dispatch(frame, transport)
            for membership in receivers:
                self._forget_if_ended(membership)
                await self._wait_for_reader(membership)

    async def _wait_for_reader(self, membership: Membership) -> None:
        if membership.is_full or self.held_events.is_full:
            began, self._silent_since = _now(), math.inf
            await membership.has_room()
            await self.held_events.has_room()
            self._silent_since = _now()
            self._joins.extend(self._silent_since - began)
            self.wake()

    def _note_sign_of_life(self) -> None:
        """Give the server more time for its next answer, unless no room is joined: then it has nothing else to say."""
        if any(membership.state is MembershipState.IN for membership in self._rooms.values()):
            self._silent_since = _now()

    def _dispatch(self, frame: ServerFrame, transport: Transport) -> list[Membership]:
        """Hand a frame to the memberships that it concerns; returns them."""
        match frame:
            case Welcome():
                self.requests.begin(transport)
                self._has_been_in = True
                receivers = self._answered(frame.room)
            case Error():
                receivers = self._refused(frame)
            case History(before=None, from_time=None) | Chat() | System() | Typing():
                receivers = self._of(frame.room)
            case Redacted() | Rights() | ReadUpTo():
                receivers = self._of(frame.room)
            case RoomOpened(key=""):
                receivers = self.rooms
            case _:
                self.requests.answered(frame)
                receivers = []
        for membership in receivers:
            membership.receive(frame, _now())
        return receivers

    def _refused(self, frame: Error) -> list[Membership]:
        if self.requests.refused(frame):
            return []
        if frame.code == ErrorCode.BANNED and not frame.key:
            raise self._expelled(frame.code, frame.text)
        if not frame.room:
            self._joins.clear()
            return self.rooms
        return self._of(frame.room) if frame.key else self._answered(frame.room)

    def _answered(self, room: str) -> list[Membership]:
        """The membership whose join is answered, else the one with this room."""
        membership = self._joins.answered(room, _now())
        if membership is None:
            return self._of(room)
        self.wake()
        return [membership] if membership.is_joining else []

    def _of(self, room: str) -> list[Membership]:
        return [self._rooms[room]] if room in self._rooms else []

    def _forget_if_ended(self, membership: Membership) -> None:
        if membership.state is MembershipState.ENDED and self._rooms.get(membership.room) is membership:
            del self._rooms[membership.room]
            self.requests.forget(membership.room)
            self.wake()  # its messages in flight no longer count against the others


def _name_of(room: str) -> str:
    """A room's name in the server's form; an invalid name as it is, for the server to refuse."""
    try:
        return clean_room(room)
    except Refused:
        return room


def _now() -> float:
    return asyncio.get_running_loop().time()
