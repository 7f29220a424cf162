"""Taking part in rooms, in Besedka's own protocol, whatever carries the words: join, say, read older pages, search, leave.

The doors turn what comes in into words and what is told into bytes; what the words mean is decided here, once.
"""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
from abc import abstractmethod
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Final, TypeVar

from msgspec.structs import replace

from besedka.serve.chat import Chat
from besedka.serve.history import Hits
from besedka.serve.people.names import claim_of
from besedka.serve.people.person import Person
from besedka.serve.rate_limits import REFUSAL_SECONDS, SEARCH_FRAMES, RateLimiter
from besedka.serve.room import PostedBefore, Room, Said, Subscriber
from besedka.serve.session.base import SessionBase
from besedka.serve.session.moderation import Moderator
from besedka.serve.session.requests import Requests
from besedka.serve.tasks import unheard
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import (
    BeginTyping,
    ClientFrame,
    History,
    Join,
    Leave,
    Limits,
    ListHistory,
    ListRooms,
    Moderate,
    Request,
    Rooms,
    Say,
    Search,
    Welcome,
)
from besedka.wire.validation import (
    FRAME_BYTES_AT_MOST,
    NAME_CHARACTERS_AT_MOST,
    ROOM_CHARACTERS_AT_MOST,
    TEXT_CHARACTERS_AT_MOST,
    clean_key,
    clean_name,
    clean_room,
    clean_search,
    clean_secret,
    clean_text,
)

T = TypeVar("T")

ROOMS_OF_ONE_AT_MOST: Final = 100
"""Rooms that one connection may be in at once."""

LIMITS: Final = Limits(
    name=NAME_CHARACTERS_AT_MOST,
    room=ROOM_CHARACTERS_AT_MOST,
    text=TEXT_CHARACTERS_AT_MOST,
    frame=FRAME_BYTES_AT_MOST,
)


@dataclass(slots=True)
class _Place:
    """One's place in a room.

    Attributes:
        said_before: what the log has by one's name, once one has said something again.
        refused_key: of the message that was said too fast, and must come again first.
    """

    room: Room
    member: Subscriber
    said_before: PostedBefore | None = None
    refused_key: str = ""


class ChatSession(SessionBase):
    """One who takes part in any number of rooms."""

    __slots__ = ("_own", "_places")

    def __init__(self, chat: Chat, limiter: RateLimiter, language: Language) -> None:
        super().__init__(chat, limiter, language)
        self._places: dict[str, _Place] = {}
        # One connection is one person, in all its rooms, also if it brought no secret.
        self._own = ""

    @abstractmethod
    def make_member(self, person: Person, room: Room, *, is_seen: bool) -> Subscriber:
        """A place in a room."""

    @abstractmethod
    def wait_for(self, answer: asyncio.Future[T], then: Callable[[T], None]) -> None:
        """Hear nothing more until the answer is there and has been dealt with; a `Refused` is told."""

    def members(self) -> Iterable[tuple[Room, Subscriber]]:
        return [(place.room, place.member) for place in self._places.values()]

    def receive_frame(self, frame: ClientFrame) -> None:
        """He says something."""
        self._try(frame, lambda: self._act(frame))

    def people(self) -> Iterable[Person]:
        return {place.member.person for place in self._places.values()}

    def end(self) -> None:
        super().end()
        for place in self._places.values():
            self._go(place)
        self._places.clear()

    def start_again(self, room: Room, member: Subscriber) -> None:
        """The log of a room is another one."""
        self._places[room.name].said_before = None
        self._welcome(room, member, reset=True)

    def _welcome(self, room: Room, member: Subscriber, *, reset: bool) -> None:
        welcome = Welcome(
            room=room.name,
            user=member.person.name,
            head=room.head,
            epoch=room.epoch,
            clients_count=room.presence.count,
            users=room.presence.names(),
            limits=LIMITS,
            utc_offset=self.chat.utc_offset(),
            reset=reset,
            kind=self.chat.directory.rooms.kind(room.name),
            peer=self.chat.directory.peer(room.name, member.person.claim),
            may=self.chat.directory.policy.rights(room.name, member.person.claim),
        )
        self.send(welcome)

    def _try(self, frame: ClientFrame, act: Callable[[], None]) -> None:
        try:
            act()
        except Refused as refusal:
            _address(refusal, frame)
            if refusal.code is ErrorCode.BANNED:
                self.disconnect(CloseCode.BANNED, refusal)
            else:
                self.refuse(refusal)

    def _later(self, frame: ClientFrame, answer: Awaitable[T], act: Callable[[T], None]) -> None:
        """Deal with a word when something it needs is there; the words behind it wait."""

        async def answered() -> T:
            try:
                return await answer
            except Refused as refusal:
                _address(refusal, frame)
                raise

        future = unheard(asyncio.ensure_future(answered()))
        self.wait_for(future, lambda found: self._try(frame, lambda: act(found)))

    def _act(self, frame: ClientFrame) -> None:
        match frame:
            case Join():
                self._join(frame)
            case Say():
                self._say(frame)
            case ListHistory():
                self._browse(frame)
            case BeginTyping():
                place = self._named_place(frame.room)
                self.chat.type(place.room, place.member)
            case Leave():
                place = self._place(frame.room)
                del self._places[place.room.name]
                self._go(place)
            case ListRooms():
                clean_key(frame.key)
                rooms = self.chat.rooms.listed(self._person.claim if self._person else "")
                self._later(frame, rooms, lambda rooms: self.send(Rooms(rooms, frame.key)))
            case Search():
                self._search(frame)
            case _:
                self._ask(frame)

    def _ask(self, frame: Request) -> None:
        match frame:
            case Moderate():
                self._later(frame, Moderator(self.chat, self.language).answer(frame, self._person), self.send)
            case _:
                self._later(frame, Requests(self.chat, self.language).answer(frame, self._person), self.send)

    def _join(self, frame: Join) -> None:
        name = "" if frame.user is None else clean_name(frame.user)
        room_name = clean_room(frame.room)
        claim = claim_of(clean_secret(frame.secret))
        if room_name in self._places:
            raise Refused(ErrorCode.ALREADY_JOINED, room=room_name)
        if len(self._places) >= ROOMS_OF_ONE_AT_MOST:
            raise Refused(ErrorCode.TOO_MANY_ROOMS, limit=ROOMS_OF_ONE_AT_MOST)
        now = self.chat.clock()
        self.chat.directory.policy.check_chat(claim, name, frame.invite, now, self.network)
        room = self.chat.rooms.open(room_name, claim, frame.invite)
        if isinstance(room, Room):
            self._enter(room, name, frame)
        else:
            # Every check is repeated after a wait.
            self._later(frame, room, lambda _: self._join(frame))

    def _enter(self, room: Room, name: str, frame: Join) -> None:
        person = self._come_in(name, frame)
        try:
            self.chat.directory.redeem(room.name, person, frame.invite)
        except Refused:
            self._go_away(person)
            raise
        storing = self.chat.directory.storing_arrival(person, room.name, frame.invite)
        if storing:
            # A welcome waits until the claim and the membership are on disk; after that wait every check is repeated.
            self._go_away(person)
            self._later(frame, storing, lambda _: self._join(frame))
            return
        member = self.make_member(person, room, is_seen=bool(name) and not frame.quiet)
        self._places[room.name] = _Place(room, member)
        reset = self.chat.enter(room, member, frame.since, frame.epoch)
        self._welcome(room, member, reset=reset)
        self.chat.followers.follow(room, member)

    def _come_in(self, name: str, frame: Join) -> Person:
        if not name:
            return Person(claim=claim_of(frame.secret))
        if not frame.secret:
            self._own = self._own or secrets.token_hex(16)
        return self.chat.directory.sign_in(name, frame.secret, self._own, self.limiter, frame.invite)

    def _go_away(self, person: Person) -> None:
        if person.name:
            self.chat.directory.sign_out(person)

    @property
    def _person(self) -> Person | None:
        """Who he is; None if he is in no room."""
        return next((place.member.person for place in self._places.values()), None)

    def remove_from_room(self, room: str) -> None:
        place = self._places.pop(room, None)
        if place:
            self._go(place)
            self.refuse(Refused(ErrorCode.NOT_INVITED, room=room))

    def _say(self, frame: Say) -> None:
        # What is said again is recognised first: then it is no matter whether he may talk.
        place = self._named_place(frame.room)
        room, person = place.room, place.member.person
        text, key = clean_text(frame.text), clean_key(frame.key)
        said = Said(place.member, person.name, text, key, person.is_unverified, person.is_verified)
        if said.key and room.knows(said.user, said.key):
            self._say_now(place, said)
            return
        self._keep_pace(place, said.key)
        if frame.after is None:
            self._say_new(frame, said)
        elif place.said_before is None or place.said_before.after > frame.after:
            before = self.chat.log_reader.said_by(room, said.user, frame.after)
            self._later(frame, before, lambda before: self._say_again(frame, said, before))
        else:
            self._say_again(frame, said, place.said_before)

    def _say_again(self, frame: Say, said: Said, before: PostedBefore) -> None:
        place = self._place(frame.room)
        place.said_before = before
        known = self.chat.log_reader.recognise(place.room, said, frame.after or 0, before)
        if known:
            self._in_order(place, said.key)
            self.send(known)
        else:
            self._say_new(frame, said)

    def _say_new(self, frame: Say, said: Said) -> None:
        place = self._place(frame.room)
        if place.room.is_full:
            self._later(frame, self.chat.space(place.room), lambda _: self._say_new(frame, said))
            return
        self._hold_back(place, said.key, lambda: self.chat.charge_post(place.room, place.member.person))
        self._in_order(place, said.key)
        self._say_now(place, said)

    def _say_now(self, place: _Place, said: Said) -> None:
        known = self.chat.say(place.room, said)
        if known:
            self.send(known)

    def _keep_pace(self, place: _Place, key: str) -> None:
        """Refuse what is too fast, and then all else with a key until the refused message comes again: so its order stays."""
        if not place.member.is_seen and self.limiter.is_own_program:
            self.limiter.count_message(self.chat.now())
            return
        if place.refused_key and key and key != place.refused_key:
            raise Refused(ErrorCode.TOO_FAST, wait=REFUSAL_SECONDS)
        self._hold_back(place, key, lambda: self.limiter.charge_message(self.chat.now()))

    def _hold_back(self, place: _Place, key: str, ask: Callable[[], None]) -> None:
        try:
            ask()
        except Refused as refusal:
            if refusal.code is ErrorCode.TOO_FAST:
                place.refused_key = place.refused_key or key
            raise

    def _in_order(self, place: _Place, key: str) -> None:
        if key:
            place.refused_key = ""

    def _browse(self, frame: ListHistory) -> None:
        room = self._place(frame.room).room
        revisions = room.revisions.count

        def show(page: History) -> None:
            self._place(frame.room)  # he may have been put out meanwhile
            # What is redacted between the look and this line has been told already.
            ids = range(page.first, page.first + len(page.messages))
            lines = room.revisions.corrected(ids, page.messages, revisions)
            self.send(replace(page, messages=lines, before=frame.before))

        self._later(frame, self.chat.log_reader.page(room, frame.before, frame.limit), show)

    def _search(self, frame: Search) -> None:
        clean_key(frame.key)
        self.limiter.charge_frames(self.chat.now(), SEARCH_FRAMES - 1)
        room = self._place(frame.room).room
        revisions = room.revisions.count

        def show(hits: Hits) -> None:
            self._place(frame.room)  # he may have been put out meanwhile
            lines = room.revisions.corrected(hits.ids, hits.lines, revisions)
            self.send(self.chat.log_reader.found(room, frame, dataclasses.replace(hits, lines=lines)))

        self._later(
            frame,
            self.chat.log_reader.search(room, clean_search(frame.text), frame.before, frame.limit),
            show,
        )

    def _named_place(self, room: str) -> _Place:
        """His place in a room in which he has a name."""
        place = self._place(room)
        if not place.member.person.name:
            raise Refused(ErrorCode.NO_NAME)
        return place

    def _place(self, room: str) -> _Place:
        name = clean_room(room)
        if name not in self._places:
            raise Refused(ErrorCode.NOT_JOINED, room=name)
        return self._places[name]

    def _go(self, place: _Place) -> None:
        person = place.member.person
        self.chat.leave(place.room, place.member)
        self._go_away(person)


def _address(refusal: Refused, frame: ClientFrame) -> None:
    """Have a refusal tell to which word it belongs."""
    refusal.room = refusal.room or getattr(frame, "room", "")
    refusal.key = refusal.key or getattr(frame, "key", "")
