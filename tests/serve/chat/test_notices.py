"""Notices to rooms: batched in each, and in all of them together no more than the loop can do beside messages."""

from __future__ import annotations

import asyncio
from collections import Counter

import pytest

from besedka.serve.chat.notices import (
    NOTICE_BURST_SECONDS,
    NOTICE_SECONDS,
    NOTICE_WRITES_RATE,
    ROOM_WRITES_RATE,
    Notices,
    NoticeTurns,
)
from besedka.serve.room import Room
from tests.looping import pass_time, run_jumping

BURST = int(NOTICE_WRITES_RATE * NOTICE_BURST_SECONDS)


class FakeRoom(Room):
    """A room with so many readers."""

    def __init__(self, readers: int) -> None:
        self.readers = readers

    @property
    def notice_writes(self) -> int:
        return self.readers


class Scene:
    """Notices, and the rooms that got one, each with the time."""

    def __init__(self) -> None:
        self.sent: list[tuple[Room, float]] = []
        self.has_news = True
        self.turns = NoticeTurns()
        self.notices = Notices(self.send, self.turns)
        self._began = asyncio.get_running_loop().time()

    def send(self, room: Room) -> bool:
        """Send a notice, if there is news."""
        if self.has_news:
            self.sent.append((room, asyncio.get_running_loop().time() - self._began))
        return self.has_news

    async def flood(self, rooms: list[FakeRoom], seconds: float) -> None:
        """Note something in all rooms all the time."""
        for _ in range(round(seconds * 100)):
            for room in rooms:
                self.notices.note(room)
            await pass_time(0.01)


def test_the_first_notice_of_a_room_is_sent_at_once_and_then_four_a_second() -> None:
    async def scenario() -> None:
        scene, room = Scene(), FakeRoom(100)
        await scene.flood([room], 0.9)
        assert [at for _, at in scene.sent] == pytest.approx([0.0, 0.25, 0.5, 0.75], abs=0.001)

    run_jumping(scenario())


def test_when_there_is_nothing_to_say_the_next_notice_waits_for_nothing() -> None:
    async def scenario() -> None:
        scene, room = Scene(), FakeRoom(100 * BURST)
        scene.has_news = False
        await scene.flood([room], 0.1)
        scene.has_news = True
        scene.notices.note(room)
        await pass_time(0.001)
        assert [sent for sent, _ in scene.sent] == [room]

    run_jumping(scenario())


def test_all_rooms_together_get_no_more_writes_than_they_may_cost_and_each_has_its_turn() -> None:
    async def scenario() -> None:
        scene = Scene()
        rooms = [FakeRoom(1_000) for _ in range(100)]
        await scene.flood(rooms, 10.0)
        writes = sum(room.readers for room in rooms for sent, _ in scene.sent if sent is room)
        assert writes <= 10.0 * NOTICE_WRITES_RATE + BURST + 1_000
        counts = Counter(id(room) for room, _ in scene.sent)
        assert len(counts) == len(rooms)
        assert max(counts.values()) - min(counts.values()) <= 1

    run_jumping(scenario())


def test_a_large_room_gets_its_notices_more_seldom() -> None:
    async def scenario() -> None:
        scene, room = Scene(), FakeRoom(2 * int(ROOM_WRITES_RATE))
        await scene.flood([room], 5.0)
        assert [at for _, at in scene.sent] == pytest.approx([0.0, 2.0, 4.0], abs=0.02)

    run_jumping(scenario())


def test_rooms_of_more_readers_together_than_a_burst_get_their_notices_more_seldom() -> None:
    async def scenario() -> None:
        scene = Scene()
        await scene.flood([FakeRoom(int(NOTICE_WRITES_RATE)) for _ in range(2)], 2.0)
        assert [at for _, at in scene.sent] == pytest.approx([0.0, 0.75], abs=0.02)

    run_jumping(scenario())


def test_others_get_in_between_the_notices_of_two_rooms() -> None:
    async def scenario() -> None:
        scene, done = Scene(), []
        scene.notices.note(FakeRoom(1))
        scene.notices.note(FakeRoom(1))
        while len(scene.sent) < 2:
            done.append(len(scene.sent))
            await asyncio.sleep(0)
        assert 1 in done

    run_jumping(scenario())


def test_two_kinds_of_notices_share_their_turns() -> None:
    async def scenario() -> None:
        scene, room = Scene(), FakeRoom(int(NOTICE_WRITES_RATE))
        others = Notices(scene.send, scene.turns)
        scene.notices.note(room)
        others.note(room)
        await pass_time(0.001)
        assert len(scene.sent) == 1
        await pass_time(1.0)
        assert len(scene.sent) == 2

    run_jumping(scenario())


def test_nothing_is_sent_after_the_end() -> None:
    async def scenario() -> None:
        scene, room = Scene(), FakeRoom(10 * BURST)
        scene.notices.note(room)
        await pass_time(NOTICE_SECONDS)
        scene.notices.note(room)
        scene.notices.note(FakeRoom(1))
        await pass_time(0.001)
        scene.notices.close()
        await pass_time(60.0)
        assert len(scene.sent) == 1

    run_jumping(scenario())
