"""Sessions that watch the list are told of new rooms, at the price of other notices."""

from __future__ import annotations

import asyncio

from besedka.serve.chat.notices import NOTICE_BURST_SECONDS, NOTICE_WRITES_RATE, NoticeTurns
from besedka.serve.chat.room_watchers import SENT_AT_ONCE, WAITING_AT_MOST, RoomWatchers
from besedka.wire.frames import Kind, RoomOpened
from tests.looping import pass_time, run_jumping

BURST = int(NOTICE_WRITES_RATE * NOTICE_BURST_SECONDS)


class FakeSession:
    """Notes the rooms that it is told of."""

    def __init__(self) -> None:
        self.rooms: list[str] = []

    def send(self, frame: RoomOpened) -> None:
        assert frame == RoomOpened(frame.room, Kind.OPEN)
        self.rooms.append(frame.room)


class Scene:
    """Watchers of a chat whose rooms are open, but for those that are named."""

    def __init__(self, count: int) -> None:
        self.private: set[str] = set()
        self.watchers = RoomWatchers(
            lambda room: Kind.PRIVATE if room in self.private else Kind.OPEN, NoticeTurns()
        )
        self.sessions = [FakeSession() for _ in range(count)]
        for session in self.sessions:
            self.watchers.add(session)

    @property
    def sent(self) -> int:
        return sum(len(session.rooms) for session in self.sessions)


def test_all_are_sent_a_new_room_and_those_who_have_gone_are_not() -> None:
    async def act() -> None:
        scene = Scene(3)
        scene.watchers.note(["one", "two"])
        scene.watchers.discard(scene.sessions[2])
        await pass_time(1)
        assert scene.sessions[0].rooms == scene.sessions[1].rooms == ["one", "two"]
        assert "two" not in scene.sessions[2].rooms
        scene.watchers.discard(scene.sessions[2])  # once more is nothing

    run_jumping(act())


def test_a_room_that_became_private_before_its_turn_is_sent_to_nobody() -> None:
    async def act() -> None:
        scene = Scene(1)
        scene.watchers.note(["one", "two", "three"])
        scene.private = {"two"}
        await pass_time(1)
        assert scene.sessions[0].rooms == ["one", "three"]

    run_jumping(act())


def test_many_watchers_are_sent_it_in_turns_no_faster_than_other_notices() -> None:
    async def act() -> None:
        scene = Scene(SENT_AT_ONCE + 1)
        begun = asyncio.get_running_loop().time()
        rooms = [f"r{number}" for number in range(3 * BURST // SENT_AT_ONCE)]
        scene.watchers.note(rooms)
        while scene.sent < len(rooms) * len(scene.sessions):
            await pass_time(0.01)
        assert asyncio.get_running_loop().time() - begun > NOTICE_BURST_SECONDS
        assert all(session.rooms == rooms for session in scene.sessions)

    run_jumping(act())


def test_a_flood_of_rooms_waits_in_bounded_space() -> None:
    async def act() -> None:
        scene = Scene(1)
        scene.watchers.note(f"r{number}" for number in range(10 * WAITING_AT_MOST))
        await pass_time(60)
        assert WAITING_AT_MOST <= scene.sent <= WAITING_AT_MOST + 1
        scene.watchers.note(["last"])
        await pass_time(1)
        assert scene.sessions[0].rooms[-1] == "last"

    run_jumping(act())
