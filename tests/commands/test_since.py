"""``--since``: the same messages for a file and for a server, whatever the clock of the log did."""

from __future__ import annotations

import random
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.commands.since import LOOKS, READ_WHOLE, first_id, is_since
from besedka.serve.limits.rate_limits import FRAMES_AT_LEAST, FRAMES_SECONDS

BEGUN = datetime.fromisoformat("2025-10-26")


def chosen(stamps: list[str], since: int | str) -> tuple[list[int], int]:
    """The ids that ``--since`` means, and how many messages were looked at to find where to begin."""
    looking, looks, behind = first_id(since, len(stamps)), 0, range(0)
    try:
        number = next(looking)
        while True:
            looks += 1
            number = looking.send(stamps[number - 1])
    except StopIteration as found:
        behind = range(found.value, len(stamps) + 1)
    return [number for number in behind if is_since(stamps[number - 1], since)], looks


def stamped(*seconds: float) -> list[str]:
    return [str(BEGUN + timedelta(seconds=at)) for at in map(int, seconds)]


def wanted(stamps: list[str], since: str) -> list[int]:
    return [number for number, stamp in enumerate(stamps, 1) if stamp[: len(since)] >= since]


def autumn(messages: int) -> list[str]:
    """A night with a message each minute, in which the clock is set back from three to two o'clock; at its end it is 02:20 again."""
    return stamped(
        *(60 * minute for minute in range(180 - messages, 180)), *(7200 + 60 * m for m in range(21))
    )


@pytest.mark.parametrize("messages", [60, 2_000])
@pytest.mark.parametrize("since", ["2025-10-26 02:30", "2025-10-26 02:10:30", "2025-10-26", "2025-10-25"])
def test_both_passes_of_the_hour_that_comes_twice_count_by_what_the_clock_showed(
    messages: int, since: str
) -> None:
    stamps = autumn(messages)
    ids, _ = chosen(stamps, since)
    assert ids == wanted(stamps, since)
    assert ids


def test_a_time_that_no_clock_ever_showed_is_later_than_those_before_it() -> None:
    stamps = ["2026-03-29 01:59:59", "2026-03-29 03:00:00"]
    assert chosen(stamps, "2026-03-29 02:30")[0] == [2]


@given(st.integers(), st.integers(READ_WHOLE + 1, 3 * READ_WHOLE), st.integers(0, 30 * 86400))
def test_nothing_is_missed_where_the_clock_was_never_set_back_by_more_than_a_zone(
    seed: int, messages: int, since: int
) -> None:
    chance = random.Random(seed)
    said = sorted(chance.randrange(30 * 86400) for _ in range(messages))
    stamps = stamped(*(at - chance.randrange(26 * 3600) for at in said))
    [time] = stamped(since)
    assert chosen(stamps, time)[0] == wanted(stamps, time)


@pytest.mark.parametrize("place", [0, 1_000, 5_000])
def test_an_imported_history_in_the_middle_hides_nothing(place: int) -> None:
    own, imported = (
        [3600 * 24 * 400 + 60 * minute for minute in range(9_000)],
        [60 * minute for minute in range(2_000)],
    )
    stamps = stamped(*own[:place], *imported, *own[place:])
    [time] = stamped(own[100])
    assert chosen(stamps, time)[0] == wanted(stamps, time)


def test_a_long_log_is_halved_with_fewer_looks_than_one_connection_may_ask_for_at_once() -> None:
    stamps = stamped(*range(100_000))
    ids, looks = chosen(stamps, str(BEGUN + timedelta(seconds=99_000)))
    assert ids[0] == 99_001
    assert looks <= FRAMES_AT_LEAST * FRAMES_SECONDS
    assert looks > LOOKS


@pytest.mark.parametrize(("since", "first"), [(0, 1), (1, 2), (3, 4), (99, 4)])
def test_an_id_says_nothing_about_times(since: int, first: int) -> None:
    stamps = stamped(300, 100, 200)
    assert chosen(stamps, since) == ([*range(first, 4)], 0)


def test_before_the_first_year_there_is_nothing_to_look_for() -> None:
    assert chosen(stamped(*range(1_000)), "0001-01-01") == ([*range(1, 1_001)], 0)
