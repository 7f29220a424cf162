"""Besedka's own protocol, independent of the transport: join, post, read older pages, search, leave.

The doors decode and encode frames; their meaning is implemented here, once.
"""

from __future__ import annotations

import secrets
from abc import abstractmethod
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from msgspec.structs import replace

from besedka.serve.limits.rate_limits import SEARCH_FRAMES, RateLimiter
from besedka.serve.limits.room_shares import Tenant
from besedka.serve.people.person import Person
from besedka.serve.room import Room, Subscriber
from besedka.serve.session.admission import Admitted, Arrival, Waiting
from besedka.serve.session.base import SessionBase
from besedka.serve.session.post import Later, Posting
from besedka.serve.session.refusals import unavailable
from besedka.serve.session.services import Services
from besedka.serve.tasks import run_to_end
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import (
    BeginTyping,
    ClientFrame,
    Join,
    Leave,
    Limits,
    ListHistory,
    ListRooms,
    MarkRead,
    Request,
    Say,
    Search,
    Welcome,
)
from besedka.wire.frames import Chat as ChatFrame
from besedka.wire.message import Message
from besedka.wire.validation import (
    FRAME_BYTES_AT_MOST,
    NAME_CHARACTERS_AT_MOST,
    ROOM_CHARACTERS_AT_MOST,
    TEXT_CHARACTERS_AT_MOST,
    clean_key,
    clean_name,
    clean_room,
    clean_secret,
)

F = TypeVar("F", bound=ClientFrame)

ROOMS_OF_ONE_AT_MOST: Final = 100
"""Rooms that one connection may be in at once."""

LIMITS: Final = Limits(
    name=NAME_CHARACTERS_AT_MOST,
    room=ROOM_CHARACTERS_AT_MOST,
    text=TEXT_CHARACTERS_AT_MOST,
    frame=FRAME_BYTES_AT_MOST,
)


_TOO_MANY_ROOMS: Final = {
    Language.RU: f"в одном соединении — до {ROOMS_OF_ONE_AT_MOST}",
    Language.EN: f"one connection may be in {ROOMS_OF_ONE_AT_MOST}",
}


@dataclass(slots=True)
class _Membership:
    """A room that a session is in.

    Attributes:
        posting: their way to post in it; they need a name for it.
    """

    room: Room
    subscriber: Subscriber
    posting: Posting


class ChatSession(SessionBase):
    """A session of Besedka's own protocol, in any number of rooms."""

    __slots__ = ("_anonymous_id", "_has_ended", "_memberships")

    def __init__(self, services: Services, limiter: RateLimiter) -> None:
        self._has_ended = False
        self._memberships: dict[str, _Membership] = {}
        # One connection is one person, in all its rooms, also without a secret.
        self._anonymous_id = ""
        super().__init__(services, limiter)

    @abstractmethod
    def make_subscriber(self, person: Person, room: Room, *, is_seen: bool) -> Subscriber:
        """The door's kind of subscriber for a room."""

    @abstractmethod
    def wait_for(self, work: Coroutine[Any, Any, None]) -> None:
        """Process no more frames until some work is done; the work sends its own refusals."""

    def subscriptions(self) -> Iterable[tuple[Room, Subscriber]]:
        return [(membership.room, membership.subscriber) for membership in self._memberships.values()]

    def receive_frame(self, frame: ClientFrame) -> None:
        """Process a frame."""
        try:
            self._act(frame)
        except Refused as refusal:
            self._refuse_frame(frame, refusal)
        except OSError as error:
            self._refuse_frame(frame, unavailable(error))

    def people(self) -> Iterable[Person]:
        return {membership.subscriber.person for membership in self._memberships.values()}

    def end(self) -> None:
        super().end()
        self._has_ended = True
        self.services.rooms.watchers.discard(self)
        for membership in self._memberships.values():
            self._leave(membership)
        self._memberships.clear()

    def start_again(self, room: Room, subscriber: Subscriber) -> None:
        """Send a new welcome, because the log of a room has been replaced."""
        self._memberships[room.name].posting.forget_log()
        self._welcome(room, subscriber, reset=True)

    def _welcome(self, room: Room, subscriber: Subscriber, *, reset: bool) -> None:
        directory, person = self.services.directory, subscriber.person
        welcome = Welcome(
            room=room.name,
            user=person.name,
            head=room.head,
            epoch=room.epoch,
            clients_count=room.presence.count,
            users=room.presence.names(),
            limits=LIMITS,
            utc_offset=self.services.clock.utc_offset(),
            reset=reset,
            kind=directory.rooms.kind(room.name),
            peer=directory.peer(room.name, person.claim),
            may=directory.policy.rights(room.name, person.claim),
            read_up_to=self.services.read_marking.of(person, room),
            slow=directory.moderation.slow_seconds(room.name),
            archived=directory.moderation.is_archived(room.name),
        )
        self.send(welcome)

    def _refuse_frame(self, frame: ClientFrame, refusal: Refused) -> None:
        """Send the refusal of a frame, with the frame's room and key."""
        refusal.room = refusal.room or getattr(frame, "room", "")
        refusal.key = refusal.key or getattr(frame, "key", "")
        if refusal.code is ErrorCode.BANNED:
            self.disconnect(CloseCode.BANNED, refusal)
        else:
            self.refuse(refusal)

    def _later(self, frame: F, act: Callable[[F], Coroutine[Any, Any, None]]) -> None:
        """Process a frame that must wait for something; later frames wait, too."""

        async def working() -> None:
            try:
                await act(frame)
            except Refused as refusal:
                self._refuse_frame(frame, refusal)
            except OSError as error:
                self._refuse_frame(frame, unavailable(error))

        self.wait_for(working())

    def _act(self, frame: ClientFrame) -> None:
        match frame:
            case Join():
                self._join(frame)
            case Say():
                self._say(frame)
            case ListHistory():
                self._later(frame, self._list_history)
            case BeginTyping():
                self._type(self._named_membership(frame.room))
            case Leave():
                membership = self._membership(frame.room)
                del self._memberships[membership.room.name]
                self._leave(membership)
            case MarkRead():
                self._mark_read(frame)
            case Search():
                self._later(frame, self._search)
            case _:
                self._later(frame, self._answer)

    def _type(self, membership: _Membership) -> None:
        # A blocked person is not told that nobody sees it.
        if self.services.directory.direct.delivers(membership.room.name, membership.subscriber.person.claim):
            self.services.subscriptions.type(membership.room, membership.subscriber, self.limiter.origin)

    async def _answer(self, frame: ListRooms | Request) -> None:
        person = self._requester(getattr(frame, "room", ""))
        if not isinstance(frame, ListRooms):
            self.limiter.charge_request(self.services.clock.now())
        answer = self.services.requests.answer(frame, person, self.limiter)
        # A change is completed even if the connection is lost meanwhile.
        self.send(await (answer if isinstance(frame, ListRooms) else run_to_end(answer)))
        if isinstance(frame, ListRooms) and frame.watch and not self._has_ended:
            self.services.rooms.watchers.add(self)

    def _mark_read(self, frame: MarkRead) -> None:
        membership = self._named_membership(frame.room)
        room, person = membership.room, membership.subscriber.person
        reported = self.services.read_marking.move(person, room, frame.id, session=self)
        self.limiter.charge_writes(self.services.clock.now(), reported)

    def _join(self, frame: Join) -> None:
        """Enter a room, at once if nothing must be waited for."""
        arrival = self._arrival(frame)
        found = self.services.admission.attempt(arrival)
        if isinstance(found, Admitted):
            self._enter(found, frame)
        else:
            self._later(frame, lambda frame: self._join_later(frame, arrival, found))

    async def _join_later(self, frame: Join, arrival: Arrival, waiting: Waiting) -> None:
        try:
            admitted = await self.services.admission.admit(arrival, waiting)
        except Refused as refusal:
            if refusal.code is not ErrorCode.OUT_OF_REACH:
                raise
            # This node is too far behind what was read at another.
            self.disconnect(CloseCode.OUT_OF_REACH, refusal)
            return
        if self._has_ended:
            self.services.admission.sign_out(admitted.person)
        else:
            self._enter(admitted, frame)

    def _arrival(self, frame: Join) -> Arrival:
        name = "" if frame.user is None else clean_name(frame.user)
        room, secret = clean_room(frame.room), clean_secret(frame.secret)
        is_in = room in self._memberships
        if is_in and not frame.rename:
            raise Refused(ErrorCode.ALREADY_JOINED, room=room)
        if not is_in and len(self._memberships) >= ROOMS_OF_ONE_AT_MOST:
            raise Refused(ErrorCode.TOO_MANY_ROOMS, why=_TOO_MANY_ROOMS)
        if name and not secret:
            self._anonymous_id = self._anonymous_id or secrets.token_hex(16)
        return Arrival(
            room,
            self.limiter,
            name,
            secret,
            self._anonymous_id,
            frame.invite,
            frame.must_exist,
            frame.epoch,
            frame.since,
        )

    def _enter(self, admitted: Admitted, frame: Join) -> None:
        person, room = admitted.person, admitted.room
        # There is one after a change of name only.
        former = self._memberships.pop(room.name, None)
        if former:
            self._leave(former)
        is_seen = bool(person.name) and not frame.quiet and not self._is_hidden(person, room)
        subscriber = self.make_subscriber(person, room, is_seen=is_seen)
        self._memberships[room.name] = _Membership(room, subscriber, self._posting(room, subscriber))
        self.services.directory.sessions.note_people(self)
        tenant = self.services.admission.tenant(person.claim, self.network)
        reset = self.services.subscriptions.enter(
            room, subscriber, frame.since, frame.epoch, tenant=tenant, limiter=self.limiter
        )
        if former and former.subscriber.is_seen and is_seen:
            room.presence.rename(former.subscriber.person, person)
        self._welcome(room, subscriber, reset=reset)
        self.services.subscriptions.follow(room, subscriber)

    def _is_hidden(self, person: Person, room: Room) -> bool:
        """Whether a person who enters now is not announced and not listed: else the muted and the blocked would talk by their names."""
        directory, now = self.services.directory, self.services.clock.wall()
        is_blocked = not directory.direct.delivers(room.name, person.claim)
        return is_blocked or directory.moderation.hides(now, person, self.limiter.origin)

    def _requester(self, room: str = "") -> Person | None:
        """The person of a request, perhaps about a room: preferably verified and with rights in it, whatever room they joined first.

        A connection may have several names; None if it is in no room.
        """

        def standing(membership: _Membership) -> tuple[bool, bool, bool, bool]:
            person = membership.subscriber.person
            may = bool(self.services.directory.policy.rights(room, person.claim))
            return person.is_verified, may, membership.room.name == room, bool(person.claim)

        best = max(self._memberships.values(), key=standing, default=None)
        return best.subscriber.person if best else None

    def refuse_message(self, refusal: Refused) -> None:
        membership = self._memberships.get(refusal.room)
        if membership:
            membership.posting.note_refused(refusal)
        self.refuse(refusal)

    def remove_from_room(self, room: str, refusal: Refused) -> None:
        membership = self._memberships.pop(room, None)
        if membership:
            self._leave(membership)
            self.refuse(refusal)

    def _say(self, frame: Say) -> None:
        membership = self._named_membership(frame.room)
        outcome = membership.posting.post(frame.text, frame.key, frame.after)
        membership.room.typists.post(membership.subscriber)
        if isinstance(outcome, Message):
            self._send_stored(membership, outcome)
        elif outcome is not None:
            self._say_later(frame, membership, outcome)

    def _say_later(self, frame: Say, membership: _Membership, outcome: Later) -> None:
        posting = run_to_end(outcome)

        async def answer(_: Say) -> None:
            if message := await posting:
                self._send_stored(membership, message)

        self._later(frame, answer)

    def _send_stored(self, membership: _Membership, message: Message) -> None:
        """Send a message that was stored before to its poster, unless they still read the log."""
        room, subscriber = membership.room, membership.subscriber
        # There they find it, with its key: sent now, it would seem to be the next message.
        if room.is_live(subscriber) or subscriber.cursor > message.id:
            self.send(ChatFrame.of(room.name, message))

    def _posting(self, room: Room, subscriber: Subscriber) -> Posting:
        def check() -> None:
            there = self._memberships.get(room.name)
            if there is None or there.subscriber is not subscriber:
                raise Refused(ErrorCode.NOT_JOINED, room=room.name)

        is_free = not subscriber.is_seen and self.limiter.is_own_program
        return Posting(
            self.services.pipeline,
            room,
            subscriber.person,
            subscriber,
            limiter=self.limiter,
            check=check,
            is_free=is_free,
        )

    async def _list_history(self, frame: ListHistory) -> None:
        clean_key(frame.key)
        membership = self._membership(frame.room)
        room, asker = membership.room, Tenant.of(self.limiter, membership.subscriber.person)
        log, limiter = self.services.log_reader, self.limiter
        with self.services.rooms.held(room):
            match frame.before, frame.from_time:
                case int(before), None:
                    page = await log.page(room, before, frame.limit, asker=asker, limiter=limiter)
                case None, int(from_time):
                    page = await log.page_since(room, from_time, frame.limit, asker=asker, limiter=limiter)
                case _:
                    detail = "either `before` or `from_time` must be given"
                    raise Refused(ErrorCode.BAD_FRAME, detail=detail)
        self._membership(frame.room)  # they may have been removed from it meanwhile
        self.send(replace(page, before=frame.before, from_time=frame.from_time, key=frame.key))

    async def _search(self, frame: Search) -> None:
        clean_key(frame.key)
        self.limiter.charge_frames(self.services.clock.now(), SEARCH_FRAMES - 1)
        room = self._membership(frame.room).room
        person = self._memberships[room.name].subscriber.person
        asker = Tenant.of(self.limiter, person)
        hits = await self.services.log_reader.search(room, frame, asker)
        self._membership(frame.room)  # they may have been removed from it meanwhile
        self.send(self.services.log_reader.found(room, frame, hits))

    def _named_membership(self, room: str) -> _Membership:
        """The membership in a room, with a name."""
        membership = self._membership(room)
        if not membership.subscriber.person.name:
            raise Refused(ErrorCode.NO_NAME)
        return membership

    def _membership(self, room: str) -> _Membership:
        # Most clients write a room's name as the server does.
        membership = self._memberships.get(room)
        if membership is None:
            name = clean_room(room)
            if name not in self._memberships:
                raise Refused(ErrorCode.NOT_JOINED, room=name)
            membership = self._memberships[name]
        return membership

    def _leave(self, membership: _Membership) -> None:
        person = membership.subscriber.person
        self.services.directory.sessions.note_people(self)
        self.services.subscriptions.leave(membership.room, membership.subscriber)
        self.services.admission.sign_out(person)
