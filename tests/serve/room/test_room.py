"""The room's rules: order, batches, live and behind, keys, comings and goings. No loop, no file."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.counters import Counters
from besedka.serve.history import Latest
from besedka.serve.people.person import Person
from besedka.serve.room import Batch, KeyMemory, RecentMemory, Room, Subscriber
from besedka.wire.errors import ErrorCode, Language
from besedka.wire.frames import Chat, ServerFrame, System, Typing
from besedka.wire.log_line import stamp
from besedka.wire.message import Message, MessageId
from tests.serve.faking import FakeSubscriber, draft

NOW = 1_700_000_000.9


class FakeLog:
    """A log in memory."""

    def __init__(self, count: int = 0) -> None:
        self.lines = [f"[2025-01-01 00:00:00] old: {number}" for number in range(1, count + 1)]
        self.epoch = "e"

    @property
    def count(self) -> int:
        return len(self.lines)

    @property
    def latest(self) -> Latest:
        first = max(1, self.count - 9)
        return Latest(first, tuple(self.lines[-10:]), messages=tuple(range(first, self.count + 1)))

    def append(self, lines: list[str]) -> MessageId:
        self.lines += lines
        return MessageId(len(self.lines) - len(lines) + 1)


class Scene:
    """A room with its log, moved by hand."""

    def __init__(self, count: int = 0) -> None:
        self.log = FakeLog(count)
        self.counters = Counters()
        self.recent = RecentMemory()
        self.room = Room("main", self.log, self.counters, keys=KeyMemory(), recent=self.recent)

    def enter(self, name: str = "Anna", since: int | None = None) -> FakeSubscriber:
        member = FakeSubscriber(name, self.room)
        self.room.enter(member, since)
        return member

    def enter_live(self, name: str = "Anna") -> FakeSubscriber:
        member = self.enter(name)
        member.cursor = self.room.head + 1
        assert self.room.try_live(member)
        return member

    def say(self, member: Subscriber, text: str, key: str = "") -> Message | None:
        return self.room.post(draft(member.person.name, text, key), member)

    def take(self) -> Batch:
        return Batch(self.room.gathering.take(), int(NOW), stamp(NOW, UTC))

    def commit(self) -> None:
        batch = self.take()
        self.room.stored(batch, self.log.append(batch.lines()))


def latest_lines(scene: Scene, cursor: int) -> tuple[str, ...]:
    latest = scene.room.latest_from(cursor)
    assert latest
    return latest.lines


def test_a_batch_is_broadcast_in_order_with_consecutive_ids_and_one_moment() -> None:
    scene = Scene(count=5)
    anna, boris = scene.enter_live("Anna"), scene.enter_live("Boris")
    scene.say(anna, "one")
    scene.say(boris, "two")
    scene.commit()
    assert anna.ids == boris.ids == [6, 7]
    first, second = (frame for frame in anna.heard if isinstance(frame, Chat))
    assert (first.at, first.timestamp) == (second.at, second.timestamp) == (1_700_000_000, "22:13:20")
    assert scene.log.lines[-2:] == ["[2023-11-14 22:13:20] Anna: one", "[2023-11-14 22:13:20] Boris: two"]


def test_nothing_is_delivered_before_it_is_stored() -> None:
    scene = Scene()
    anna = scene.enter_live()
    scene.say(anna, "one")
    batch = scene.take()
    assert anna.heard == []
    scene.say(anna, "two")
    scene.room.stored(batch, scene.log.append(batch.lines()))
    assert anna.ids == [1]
    scene.commit()
    assert anna.ids == [1, 2]


def test_a_batch_is_encoded_once_for_each_door_and_written_once_to_each_member() -> None:
    calls = []

    class OtherMember(FakeSubscriber):
        @staticmethod
        def encode(frames: Sequence[ServerFrame]) -> bytes:
            calls.append(len(frames))
            return FakeSubscriber.encode(frames)

    scene = Scene()
    members = [scene.enter_live(f"a{number}") for number in range(3)]
    others = [OtherMember(f"b{number}", scene.room) for number in range(3)]
    for other in others:
        scene.room.enter(other)
        assert scene.room.try_live(other)
    for text in ("one", "two", "three"):
        scene.say(members[0], text)
    scene.commit()
    assert calls == [3]
    assert {member.writes for member in (*members, *others)} == {1}
    assert scene.counters.messages == 3
    assert scene.counters.deliveries == 18
    assert scene.counters.bytes_told > 18 * 50


def test_one_who_is_full_falls_behind_with_its_cursor_at_the_next_message() -> None:
    scene = Scene()
    anna, slow = scene.enter_live("Anna"), scene.enter_live("Slow")
    slow.fills = True
    scene.say(anna, "one")
    scene.commit()
    scene.say(anna, "two")
    scene.commit()
    assert slow.ids == [1]
    assert slow.cursor == 2
    assert (scene.room.live_count, scene.room.behind_count) == (1, 1)
    assert anna.ids == [1, 2]
    slow.cursor = 3
    assert not scene.room.try_live(slow)
    slow.drain()
    assert scene.room.try_live(slow)


def test_who_was_behind_while_others_came_and_went_learns_who_is_here() -> None:
    scene = Scene()
    anna, slow = scene.enter_live("Anna"), scene.enter_live("Slow")
    scene.room.presence.take_notice("2025-01-01 12:00:00")
    slow.fill()
    scene.room.leave(anna)
    scene.enter_live("Boris")
    scene.room.presence.take_notice("2025-01-01 12:00:00")
    slow.drain()
    assert scene.room.try_live(slow)
    missed = scene.room.presence.missed_notices(slow, "2025-01-01 12:00:01")
    assert missed is not None
    assert missed(Language.EN) == System(
        "main", "In the chat now: 2", "12:00:01", 2, [], [], users=["Slow", "Boris"]
    )
    assert scene.room.presence.missed_notices(slow, "2025-01-01 12:00:01") is None


def test_who_was_never_behind_has_missed_nothing() -> None:
    scene = Scene()
    anna = scene.enter_live("Anna")
    scene.enter_live("Boris")
    scene.room.presence.take_notice("2025-01-01 12:00:00")
    anna.fill()
    anna.drain()
    assert scene.room.try_live(anna)
    assert scene.room.presence.missed_notices(anna, "2025-01-01 12:00:01") is None


def test_one_who_is_behind_goes_live_only_at_the_head() -> None:
    scene = Scene(count=20)
    member = scene.enter(since=15)
    assert member.cursor == 16
    assert not scene.room.try_live(member)
    member.cursor = 21
    assert scene.room.try_live(member)
    scene.say(member, "now")
    scene.commit()
    assert member.ids == [21]


class WatchedSubscriber(FakeSubscriber):
    """Notes how often it is looked at."""

    looks = 0

    def __getattribute__(self, name: str) -> Any:
        WatchedSubscriber.looks += 1
        return super().__getattribute__(name)


def test_whether_anybody_has_a_name_is_known_without_a_look_at_the_subscribers() -> None:
    scene = Scene()
    readers = [WatchedSubscriber("", scene.room, is_seen=False) for _ in range(100)]
    named = WatchedSubscriber("Anna", scene.room, is_seen=False)
    for reader in readers:
        scene.room.enter(reader)
    WatchedSubscriber.looks = 0
    assert not scene.room.has_names
    assert WatchedSubscriber.looks == 0
    scene.room.enter(named)
    assert scene.room.has_names
    scene.room.leave(named)
    assert not scene.room.has_names


class PullingSubscriber(FakeSubscriber):
    """Reads on by itself."""

    pulls = True

    @staticmethod
    def encode(frames: Sequence[ServerFrame]) -> bytes:
        return FakeSubscriber.encode(frames)


def test_recent_messages_are_kept_only_while_a_subscriber_that_pulls_is_behind() -> None:
    scene = Scene()
    anna = scene.enter_live()
    streams = [PullingSubscriber(name, scene.room) for name in ("Boris", "Clara")]
    for stream in streams:
        scene.room.enter(stream, since=0)
        assert scene.room.try_live(stream)
    scene.say(anna, "all have it")
    scene.commit()
    assert scene.recent.size == 0
    for stream in streams:
        scene.room.fall_behind(stream)
    scene.say(anna, "some need it")
    scene.commit()
    boris, clara = streams
    assert scene.room.recall(boris) == PullingSubscriber.encode(anna.heard[-1:])
    assert scene.room.try_live(boris)
    assert scene.recent.size > 0
    scene.room.leave(clara)
    assert scene.recent.size == 0


def test_a_newcomer_starts_ten_back_and_memory_has_just_that() -> None:
    scene = Scene(count=25)
    member = scene.enter()
    assert member.cursor == 16
    assert latest_lines(scene, member.cursor) == tuple(scene.log.lines[15:])
    assert scene.room.latest_from(15) is None


def test_memory_returns_nothing_that_was_not_broadcast_yet() -> None:
    scene = Scene(count=3)
    anna = scene.enter_live()
    scene.say(anna, "stored, not told")
    batch = scene.take()
    first = scene.log.append(batch.lines())
    assert latest_lines(scene, 1) == tuple(scene.log.lines[:3])
    scene.room.stored(batch, first)
    assert latest_lines(scene, 1) == tuple(scene.log.lines)


def test_a_cursor_beyond_the_head_or_of_another_log_is_reset() -> None:
    scene = Scene(count=5)
    for since, epoch in ((6, "e"), (2, "other")):
        member = FakeSubscriber()
        assert scene.room.enter(member, since, epoch) is True
        assert member.cursor == 1
    for since, epoch in ((5, "e"), (0, ""), (3, ""), (0, "other")):
        member = FakeSubscriber()
        assert scene.room.enter(member, since, epoch) is False
        assert member.cursor == since + 1


def test_a_key_is_known_again_while_it_waits_and_after_it_is_stored() -> None:
    scene = Scene()
    anna = scene.enter_live()
    assert scene.say(anna, "once", key="k") is None
    assert scene.say(anna, "once", key="k") is None
    scene.commit()
    assert scene.log.count == 1
    posted = scene.say(anna, "once", key="k")
    assert posted
    assert Chat.of("main", posted) == anna.heard[-1]
    assert not scene.room.gathering


def test_the_same_key_of_another_person_is_another_message() -> None:
    scene = Scene()
    anna, boris = scene.enter_live("Anna"), scene.enter_live("Boris")
    scene.say(anna, "hers", key="k")
    scene.say(boris, "his", key="k")
    scene.commit()
    assert scene.log.count == 2


def test_a_batch_that_was_not_stored_is_reported_to_its_senders_only_and_can_be_posted_again() -> None:
    scene = Scene()
    anna, boris = scene.enter_live("Anna"), scene.enter_live("Boris")
    scene.say(anna, "one", key="k")
    scene.room.refuse(scene.take().drafts, ErrorCode.STORAGE_FULL)
    assert [refusal.key for refusal in anna.refusals] == ["k"]
    assert boris.refusals == []
    assert boris.heard == []
    assert scene.say(anna, "one", key="k") is None
    scene.commit()
    assert anna.ids == [1]


def test_a_poster_that_left_receives_nothing_but_its_messages_are_stored() -> None:
    scene = Scene()
    anna = scene.enter_live()
    scene.say(anna, "my last words")
    scene.room.leave(anna)
    scene.commit()
    assert anna.heard == []
    assert scene.log.count == 1
    scene.enter_live()
    scene.say(anna, "from the grave")
    scene.room.refuse(scene.take().drafts, ErrorCode.NOT_STORED)
    assert anna.refusals == []


def test_changes_of_presence_between_two_notices_are_sent_together() -> None:
    scene = Scene()
    members = [scene.enter_live(name) for name in ("Anna", "Boris", "Clara")]
    scene.room.leave(members[1])
    notice = scene.room.presence.take_notice("2025-01-01 12:00:00")
    assert notice is not None
    assert notice(Language.EN) == System(
        "main", "Anna and Clara joined the chat", "12:00:00", 2, ["Anna", "Clara"], []
    )
    assert scene.room.presence.take_notice("2025-01-01 12:00:00") is None
    scene.room.leave(members[0])
    scene.enter_live("Anna")
    assert (
        scene.room.presence.take_notice("2025-01-01 12:00:00") is not None or scene.room.presence.count == 2
    )


def renamed(scene: Scene, former: FakeSubscriber, name: str) -> FakeSubscriber:
    """The subscriber of a person who takes another name."""
    scene.room.leave(former)
    fresh = scene.enter_live(name)
    scene.room.presence.rename(former.person, fresh.person)
    return fresh


def test_a_change_of_name_is_reported_as_one_and_to_old_clients_as_coming_and_going() -> None:
    scene = Scene()
    anna = scene.enter_live("Anna")
    scene.room.presence.take_notice("2025-01-01 12:00:00")
    bella = renamed(scene, anna, "Bella")
    renamed(scene, bella, "Clara")
    notice = scene.room.presence.take_notice("2025-01-01 12:00:00")
    assert notice is not None
    assert notice(Language.EN) == System(
        "main", "Anna is now Clara", "12:00:00", 1, ["Clara"], ["Anna"], renamed={"Anna": "Clara"}
    )


def test_a_change_of_name_of_a_person_who_leaves_at_once_or_takes_it_back_is_not_reported() -> None:
    scene = Scene()
    anna, boris = scene.enter_live("Anna"), scene.enter_live("Boris")
    scene.room.presence.take_notice("2025-01-01 12:00:00")
    scene.room.leave(renamed(scene, anna, "Bella"))
    renamed(scene, renamed(scene, boris, "Clara"), "Boris")
    notice = scene.room.presence.take_notice("2025-01-01 12:00:00")
    assert notice is not None
    assert notice(Language.EN) == System("main", "Anna left the chat", "12:00:00", 1, [], ["Anna"])


def test_a_person_with_two_connections_comes_and_goes_once() -> None:
    scene = Scene()
    person = Person("Anna")
    first, second = FakeSubscriber(), FakeSubscriber()
    first.person = second.person = person
    scene.room.enter(first)
    scene.room.presence.take_notice("2025-01-01 12:00:00")
    scene.room.enter(second)
    scene.room.leave(first)
    assert scene.room.presence.take_notice("2025-01-01 12:00:00") is None
    assert scene.room.presence.count == 1
    scene.room.leave(second)
    gone = scene.room.presence.take_notice("2025-01-01 12:00:00")
    assert gone
    frame = gone(Language.EN)
    assert (frame.left, frame.clients_count) == (["Anna"], 0)


def test_the_latest_who_type_are_reported_to_each_of_the_others_in_one_write() -> None:
    scene = Scene()
    *typists, reader = [scene.enter_live(name) for name in ("Anna", "Boris", "Vera", "Gleb", "Reader")]
    for typist in typists:
        assert scene.room.typists.add(typist, 10.0)
    assert scene.room.broadcast_typists()
    anna, boris, *_ = typists
    reported = [Typing(room="main", user=name) for name in ("Boris", "Vera", "Gleb")]
    assert (reader.heard, reader.writes) == (reported, 1)
    assert (anna.heard, anna.writes) == (reported, 1)
    assert (boris.heard, boris.writes) == (reported[1:], 1)
    assert not scene.room.broadcast_typists()


def test_the_only_one_who_types_receives_nothing() -> None:
    scene = Scene()
    anna, boris = scene.enter_live("Anna"), scene.enter_live("Boris")
    scene.room.typists.add(anna, 10.0)
    scene.room.broadcast_typists()
    assert (anna.writes, boris.writes) == (0, 1)


def test_a_notice_costs_by_the_kinds_of_its_readers() -> None:
    class Dear(FakeSubscriber):
        notice_writes = 10

        @staticmethod
        def encode(frames: Sequence[ServerFrame]) -> bytes:
            return FakeSubscriber.encode(frames)

    scene = Scene()
    anna, dear = scene.enter_live("Anna"), Dear("Dear", scene.room)
    scene.room.enter(dear)
    assert scene.room.try_live(dear)
    assert scene.room.notice_writes == 11
    anna.fill()
    assert scene.room.notice_writes == 10


class Readers:
    """Readers of a scene who fall behind and read on, as the chat has them do it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.speaker = scene.enter_live("Speaker")
        self.all = [scene.enter_live("Reader")]
        self.on_its_way: list[Batch] = []

    def say(self) -> None:
        self.scene.say(self.speaker, "x")

    def take(self) -> None:
        if not self.on_its_way:
            self.on_its_way += [self.scene.take()] if self.scene.room.gathering else []

    def store(self) -> None:
        if self.on_its_way:
            batch = self.on_its_way.pop()
            self.scene.room.stored(batch, self.scene.log.append(batch.lines()))

    def fill(self) -> None:
        self.all[-1].fill()

    def fill_by_the_next_write(self) -> None:
        self.all[-1].fills = True

    def drain(self) -> None:
        self.all[-1].drain()

    def enter(self) -> None:
        self.all.append(self.scene.enter("Reader", since=0))

    def read(self) -> None:
        for reader in self.all:
            while not (reader.is_full or self.scene.room.is_live(reader) or self.scene.room.try_live(reader)):
                reader.heard.append(Chat("main", reader.cursor, "", "", "", 0))
                reader.cursor += 1


MOVES = ["say", "take", "store", "fill", "fill_by_the_next_write", "drain", "read", "enter"]


@given(st.lists(st.sampled_from(MOVES), max_size=60))
def test_whatever_happens_each_hears_every_message_once_and_in_order(moves: list[str]) -> None:
    readers = Readers(Scene())
    for move in moves:
        getattr(readers, move)()
    readers.store()
    for reader in readers.all:
        reader.fills = False
        reader.drain()
    readers.read()
    for reader in readers.all:
        assert reader.ids == list(range(1, readers.scene.room.head + 1))
