"""Recent broadcasts: a subscriber that pulls gets each once and in order, or is sent to the log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.room import Broadcast
from besedka.serve.room.recent import RECALLED_BYTES, RECENT_MESSAGES, RecentBroadcasts
from besedka.wire.frames import Chat, ServerFrame


def encode(frames: Sequence[ServerFrame]) -> bytes:
    return b"".join(b"%d " % frame.id for frame in frames if isinstance(frame, Chat))


def broadcast_of(first: int, count: int) -> Broadcast:
    frames = [Chat("main", number, "Anna", "x", "12:00:00", 0) for number in range(first, first + count)]
    return Broadcast(frames, first)


@given(st.lists(st.integers(1, 400), max_size=30), st.integers(1, 6_000))
def test_what_is_recalled_is_the_next_messages_without_gap_or_nothing(
    batches: list[int], cursor: int
) -> None:
    recent, head, firsts = RecentBroadcasts(), 0, []
    for count in batches:
        recent.keep(broadcast_of(head + 1, count))
        firsts.append(head + 1)
        head += count
    data, count = recent.recall(cursor, encode)
    assert [int(number) for number in data.split()] == list(range(cursor, cursor + count))
    if not count:
        assert cursor not in firsts or head - cursor + 1 > RECENT_MESSAGES
    elif len(data) < RECALLED_BYTES:
        assert cursor + count - 1 == head


@given(st.lists(st.integers(1, 400), min_size=1, max_size=30))
def test_not_more_is_remembered_than_is_said_to_be(batches: list[int]) -> None:
    recent, head, remembered = RecentBroadcasts(), 0, 0
    for count in batches:
        recent.keep(broadcast_of(head + 1, count))
        head += count
        first = next(number for number in range(1, head + 1) if recent.recall(number, encode)[1])
        remembered = head - first + 1
    assert remembered <= max(RECENT_MESSAGES, batches[-1])
    recent.clear()
    assert recent.recall(1, encode) == (b"", 0)


def test_all_share_one_encoding() -> None:
    calls = []

    def counting(frames: Sequence[ServerFrame]) -> bytes:
        calls.append(len(frames))
        return encode(frames)

    recent = RecentBroadcasts()
    recent.keep(broadcast_of(1, 3))
    for _ in range(100):
        assert recent.recall(1, counting) == (b"1 2 3 ", 3)
    assert calls == [3]


class WatchedBroadcast(Broadcast):
    """Notes that it is looked at."""

    looked_at: set[Broadcast] = set()  # noqa: RUF012 - one for all

    def __getattribute__(self, name: str) -> Any:
        WatchedBroadcast.looked_at.add(self)
        return super().__getattribute__(name)


@pytest.mark.parametrize("cursor", [1, 500, 1_000, 1_001])
def test_a_recall_looks_only_at_the_broadcasts_it_returns(cursor: int) -> None:
    recent = RecentBroadcasts()
    for number in range(1, RECENT_MESSAGES + 1):
        recent.keep(WatchedBroadcast(broadcast_of(number, 1).frames, number))

    def large(frames: Sequence[ServerFrame]) -> bytes:
        return encode(frames).ljust(RECALLED_BYTES // 8)

    WatchedBroadcast.looked_at.clear()
    _, count = recent.recall(cursor, large)
    assert count == min(8, RECENT_MESSAGES + 1 - cursor)
    assert len(WatchedBroadcast.looked_at) <= count
