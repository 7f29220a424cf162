"""Recent broadcasts: a subscriber that pulls gets each once and in order, or is sent to the log."""

from __future__ import annotations

import weakref
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.room import Broadcast
from besedka.serve.room.recent import RECALLED_BYTES, RECENT_OVERHEAD_BYTES, RecentBroadcasts, RecentMemory
from besedka.wire.frames import Chat, ServerFrame


def encode(frames: Sequence[ServerFrame]) -> bytes:
    return b"".join(b"%d " % frame.id for frame in frames if isinstance(frame, Chat))


def broadcast_of(first: int, count: int) -> Broadcast:
    frames = [Chat("main", number, "Anna", "x", "12:00:00", 0) for number in range(first, first + count)]
    return Broadcast(frames, first)


@given(st.lists(st.integers(1, 400), max_size=30), st.integers(1, 6_000), st.integers(0, 20_000))
def test_what_is_recalled_is_the_next_messages_without_gap_or_nothing(
    batches: list[int], cursor: int, limit: int
) -> None:
    memory = RecentMemory(limit)
    recent, head, firsts = RecentBroadcasts(memory), 0, []
    for count in batches:
        recent.keep(broadcast_of(head + 1, count), [encode])
        firsts.append(head + 1)
        head += count
        assert memory.size <= limit
    data, count = recent.recall(cursor, encode)
    assert [int(number) for number in data.split()] == list(range(cursor, cursor + count))
    if count and len(data) < RECALLED_BYTES:
        assert cursor + count - 1 == head
    kept = [first for first in firsts if recent.recall(first, encode)[1]]
    assert kept == firsts[len(firsts) - len(kept) :]


def test_one_budget_is_for_all_rooms_and_the_oldest_broadcast_of_any_is_forgotten() -> None:
    memory = RecentMemory(3 * (RECENT_OVERHEAD_BYTES + 2))
    one, other = RecentBroadcasts(memory), RecentBroadcasts(memory)
    for room, number in [(one, 1), (other, 1), (one, 2), (other, 2)]:
        room.keep(broadcast_of(number, 1), [encode])
    assert [one.recall(1, encode), one.recall(2, encode)] == [(b"", 0), (b"2 ", 1)]
    assert other.recall(1, encode) == (b"1 2 ", 2)
    other.clear()
    assert other.recall(1, encode) == (b"", 0)
    assert memory.size == RECENT_OVERHEAD_BYTES + 2
    one.clear()
    assert memory.size == 0


def test_a_broadcast_that_is_larger_than_the_budget_is_read_from_the_log() -> None:
    memory = RecentMemory(RECENT_OVERHEAD_BYTES + 100)
    recent = RecentBroadcasts(memory)
    recent.keep(broadcast_of(1, 1), [encode])
    recent.keep(broadcast_of(2, 100), [encode])
    assert recent.recall(1, encode) == recent.recall(2, encode) == (b"", 0)
    assert memory.size == 0


class WeakBroadcast(Broadcast):
    """Can be seen to be gone."""


def test_all_share_the_encodings_that_were_asked_for_and_no_message_is_kept_beside_them() -> None:
    calls = []

    def counting(frames: Sequence[ServerFrame]) -> bytes:
        calls.append(len(frames))
        return encode(frames)

    recent = RecentBroadcasts(RecentMemory())
    broadcast = WeakBroadcast(broadcast_of(1, 3).frames, 1)
    recent.keep(broadcast, [counting])
    for _ in range(100):
        assert recent.recall(1, counting) == (b"1 2 3 ", 3)
    assert calls == [3]
    assert recent.recall(1, encode) == (b"", 0)
    known = weakref.ref(broadcast)
    del broadcast
    assert known() is None


def large(frames: Sequence[ServerFrame]) -> bytes:
    return encode(frames).ljust(RECALLED_BYTES // 8)


@pytest.mark.parametrize("cursor", [1, 500, 1_000, 1_001])
def test_a_recall_joins_a_bounded_number_of_bytes(cursor: int) -> None:
    recent = RecentBroadcasts(RecentMemory(1 << 30))
    for number in range(1, 1_001):
        recent.keep(broadcast_of(number, 1), [large])
    data, count = recent.recall(cursor, large)
    assert count == min(8, 1_001 - cursor)
    assert len(data) <= RECALLED_BYTES


def test_a_single_broadcast_of_any_size_is_recalled_without_a_copy() -> None:
    recent = RecentBroadcasts(RecentMemory())
    long = b"x" * (2 * RECALLED_BYTES)

    def encode_long(_: Sequence[ServerFrame]) -> bytes:
        return long

    for number in (1, 2):
        recent.keep(broadcast_of(number, 1), [encode_long])
    data, count = recent.recall(1, encode_long)
    assert data is long
    assert count == 1
