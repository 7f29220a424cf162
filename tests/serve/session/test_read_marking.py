"""Reports of a read mark: to its person's other sessions in the room, at once, and then seldom."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import pytest

from besedka.serve.chat import Chat
from besedka.serve.people.person import Person
from besedka.serve.people.sessions import LiveSession
from besedka.serve.room import Room
from besedka.serve.session.read_marking import REPORT_SECONDS, ReadMarking
from besedka.wire.close_codes import CloseCode
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import ReadUpTo, ServerFrame
from tests import looping
from tests.looping import until
from tests.serve.faking import TENANT, FakeSubscriber, draft, running

ANNA, BORIS = "a" * 64, "b" * 64


class FakeSession(LiveSession):
    """A session in one room; records its frames."""

    door = "/ws"

    def __init__(self, person: Person, room: str) -> None:
        self.frames: list[ServerFrame] = []
        self._person = person
        self._room = room

    network = None

    def people(self) -> Iterable[Person]:
        return (self._person,)

    def memberships(self) -> Iterable[tuple[str, str]]:
        return ((self._room, self._person.claim),)

    def disconnect(self, ending: CloseCode, refusal: Refused) -> None:
        raise AssertionError(ending, refusal)

    def abort(self) -> None:
        raise AssertionError

    def remove_from_room(self, room: str, refusal: Refused) -> None:
        raise AssertionError(room, refusal)

    def send(self, frame: ServerFrame) -> None:
        self.frames.append(frame)


class Marks:
    """A chat with a room of ten messages, and its marks."""

    def __init__(self, chat: Chat, room: Room) -> None:
        self.chat = chat
        self.room = room
        self.marking = ReadMarking(chat.directory)
        self.anna = Person("Anna", ANNA, is_kept=True)

    def session(self, person: Person, room: str = "main") -> FakeSession:
        session = FakeSession(person, room)
        self.chat.directory.sessions.add(session)
        return session


def play(folder: Path, scene: Callable[[Marks], Awaitable[None]]) -> None:
    async def all_of_it() -> None:
        async with running(folder) as chat:
            found = chat.rooms.open("main", TENANT, has_name=True)
            room = found if isinstance(found, Room) else await found
            for number in range(10):
                chat.committer.post(room, draft("Anna", f"{number}"), FakeSubscriber("Anna"))
            await until(lambda: room.head == 10)
            await scene(Marks(chat, room))

    looping.run(all_of_it())


def test_a_mark_is_reported_to_its_persons_other_sessions_in_the_room_only(tmp_path: Path) -> None:
    async def scene(marks: Marks) -> None:
        here, there = marks.session(marks.anna), marks.session(marks.anna)
        elsewhere = marks.session(marks.anna, "dev")
        boris = marks.session(Person("Boris", BORIS, is_kept=True))
        assert marks.marking.move(marks.anna, marks.room, 7, session=here) == 1
        assert there.frames == [ReadUpTo("main", 7)]
        assert marks.marking.move(marks.anna, marks.room, 5, session=there) == 0
        assert not [*here.frames, *elsewhere.frames, *boris.frames]
        assert marks.chat.directory.read_marks.of(ANNA, "main", marks.room.epoch) == 7

    play(tmp_path, scene)


def test_marks_that_follow_closely_are_one_report_with_the_last_of_them(tmp_path: Path) -> None:
    async def scene(marks: Marks) -> None:
        here, there = marks.session(marks.anna), marks.session(marks.anna)
        for number in range(1, 10):
            marks.marking.move(marks.anna, marks.room, number, session=here)
        assert there.frames == [ReadUpTo("main", 1)]
        await looping.jump(REPORT_SECONDS)
        assert there.frames == [ReadUpTo("main", 1), ReadUpTo("main", 9)]
        # It may have moved on any of them.
        assert here.frames == [ReadUpTo("main", 9)]

    play(tmp_path, scene)


class Bystander(FakeSession):
    """Somebody else, whose session is not even looked at."""

    def memberships(self) -> Iterable[tuple[str, str]]:
        raise AssertionError


def test_in_a_crowd_a_mark_costs_its_persons_own_sessions_only(tmp_path: Path) -> None:
    async def scene(marks: Marks) -> None:
        here, there = marks.session(marks.anna), marks.session(marks.anna)
        for number in range(500):
            person = Person(f"Person {number}", f"{number:064x}", is_kept=True)
            marks.chat.directory.sessions.add(Bystander(person, "main"))
        assert marks.marking.move(marks.anna, marks.room, 7, session=here) == 1
        assert there.frames == [ReadUpTo("main", 7)]

    play(tmp_path, scene)


def test_a_mark_behind_the_last_message_is_refused_and_so_is_one_of_a_guest(tmp_path: Path) -> None:
    async def scene(marks: Marks) -> None:
        here, guest = marks.session(marks.anna), Person("Guest", identity="guest", is_kept=True)
        for person, number, code in (
            (marks.anna, 11, ErrorCode.BAD_CURSOR),
            (guest, 1, ErrorCode.NO_SECRET),
        ):
            with pytest.raises(Refused) as refused:
                marks.marking.move(person, marks.room, number, session=here)
            assert refused.value.code is code
        assert marks.marking.of(guest, marks.room) is None
        assert not [*marks.chat.directory.read_marks.rows()]

    play(tmp_path, scene)
