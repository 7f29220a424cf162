"""A clock is believed when it has said the same for a week in which the server was up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.people.uptime import BRIEF_SECONDS, SETTLED_SECONDS, STEP_SECONDS, STRETCHES_KEPT, Uptime

HOUR, DAY = 3600, 24 * 3600
DUE = 1_800_000_000
SUMMER = DUE + 100 * DAY
WRONG = DUE + 400 * DAY


def up(uptime: Uptime, begun: int, seconds: int) -> int:
    """Have the server be up for so long. Returns what its clock says then."""
    for now in range(begun + HOUR, begun + seconds + 1, HOUR):
        uptime.grow(now, HOUR)
    return begun + seconds


def restarted(uptime: Uptime) -> Uptime:
    again = Uptime()
    again.merge(uptime.text())
    assert [*again.rows()] == [*uptime.rows()]
    assert not again.strange
    return again


def test_time_has_passed_when_the_server_was_up_for_a_week_behind_it() -> None:
    uptime = Uptime()
    now = up(uptime, DUE - 30 * DAY, 30 * DAY + SETTLED_SECONDS - HOUR)
    assert 0 < uptime.passed(now) < DUE
    now = up(uptime, now, HOUR)
    assert uptime.passed(now) == DUE


@pytest.mark.parametrize("begun", [SUMMER, WRONG])
def test_a_summer_and_a_wrong_clock_both_pass_by_a_week_of_uptime_only(begun: int) -> None:
    uptime = Uptime()
    up(uptime, DUE - 30 * DAY, 20 * DAY)
    uptime = restarted(uptime)
    now = up(uptime, begun, SETTLED_SECONDS - HOUR)
    assert uptime.passed(now) < DUE
    assert uptime.passed(up(uptime, now, HOUR)) >= DUE


def test_uptime_adds_up_over_daily_restarts() -> None:
    uptime = Uptime()
    for day in range(20):
        assert uptime.passed(SUMMER + day * DAY) < DUE
        up(uptime, SUMMER + day * DAY, 8 * HOUR)
        uptime = restarted(uptime)
    up(uptime, SUMMER + 20 * DAY, 8 * HOUR)
    assert uptime.passed(SUMMER + 21 * DAY) >= DUE
    assert len([*uptime.rows()]) == 21


def test_a_clock_that_is_wrong_at_each_start_and_then_set_right_is_outvoted() -> None:
    uptime, now = Uptime(), DUE - 400 * DAY
    for _ in range(70):
        up(uptime, WRONG, 3 * HOUR)
        assert uptime.passed(WRONG + 3 * HOUR) < DUE
        now = up(uptime, now, 8 * HOUR) + 16 * HOUR
        uptime = restarted(uptime)
    assert uptime.passed(now) < now


def test_a_clock_that_begins_in_1970_at_each_start_does_not_hold_time_up() -> None:
    uptime, now = Uptime(), SUMMER
    for _ in range(30):
        up(uptime, 0, HOUR)
        assert uptime.passed(HOUR) <= HOUR
        now = up(uptime, now, 12 * HOUR) + 12 * HOUR
        uptime = restarted(uptime)
    assert uptime.passed(now) >= DUE
    assert uptime.passed(HOUR) <= HOUR
    assert uptime.passed() >= DUE


def test_what_is_still_to_come_is_believed_after_a_week_as_well() -> None:
    uptime = Uptime()
    assert uptime.ahead(DUE) > WRONG
    now = up(uptime, DUE, SETTLED_SECONDS - HOUR)
    assert uptime.ahead(now) > WRONG
    now = up(uptime, now, HOUR)
    assert uptime.ahead(now) == now
    up(uptime, 0, HOUR)
    assert now - HOUR <= uptime.ahead(HOUR) < WRONG


def test_a_monotonic_clock_that_jumps_is_no_uptime() -> None:
    uptime = Uptime()
    uptime.grow(WRONG, 400 * DAY)
    uptime.grow(WRONG, -DAY)
    assert [row.seconds for row in uptime.rows()] == [STEP_SECONDS]


def test_a_short_run_leaves_no_line_and_adds_to_the_next_look() -> None:
    uptime = Uptime()
    uptime.grow(DUE, BRIEF_SECONDS - 1)
    assert not uptime.is_changed
    uptime.grow(DUE, 1)
    assert [row.seconds for row in uptime.rows()] == [BRIEF_SECONDS]


def test_a_clock_set_back_to_the_same_second_again_and_again_loses_nothing() -> None:
    uptime = Uptime()
    for _ in range(10):
        up(uptime, DUE, HOUR)
        up(uptime, WRONG, HOUR)
    assert sum(row.seconds for row in restarted(uptime).rows()) == 20 * HOUR


def test_the_file_is_bounded() -> None:
    uptime = Uptime()
    for day in range(STRETCHES_KEPT + 10):
        uptime.grow(DUE + day * DAY, HOUR)
    assert len([*uptime.rows()]) == STRETCHES_KEPT
    assert len([*restarted(uptime).rows()]) == STRETCHES_KEPT


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    uptime = Uptime()
    uptime.merge(text)
    assert uptime.passed(DUE) <= DUE


@given(
    st.lists(st.tuples(st.integers(0, 2 * DUE), st.integers(0, 3 * DAY)), max_size=30),
    st.integers(0, 2 * DUE),
)
def test_nothing_has_passed_that_the_clock_says_is_to_come_and_the_other_way_round(
    steps: list[tuple[int, int]], now: int
) -> None:
    uptime = Uptime()
    for begun, seconds in steps:
        up(uptime, begun, seconds)
    assert 0 <= uptime.passed(now) <= now <= uptime.ahead(now)
    behind = sum(row.behind(uptime.passed(now)) for row in uptime.rows())
    assert not uptime.passed(now) or behind >= SETTLED_SECONDS


@pytest.mark.parametrize(
    "line",
    ["2025-99-99 00:00:00\t2025-11-19T10:00:00Z\t1", "yesterday\ttoday\t9", "2025-11-19T10:00:00Z\t\t1"],
)
def test_a_line_that_is_not_understood_is_reported(line: str) -> None:
    uptime = Uptime()
    uptime.merge(line)
    assert uptime.strange == [1]
