"""How long a client waits before it tries again."""

from __future__ import annotations

import pytest

from besedka.remote.backoff import (
    FIRST_WAIT_SECONDS,
    LONGEST_HOLD_SECONDS,
    LONGEST_WAIT_SECONDS,
    SHORTEST_HOLD_SECONDS,
    SHORTEST_PART,
    backoff,
    hold,
)


def test_waits_grow_to_a_bound_however_long_there_is_no_server() -> None:
    for tries in range(3_000):
        longest = min(
            LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * (1 << tries) if tries < 10 else LONGEST_WAIT_SECONDS
        )
        assert SHORTEST_PART * longest <= backoff(tries) <= longest


@pytest.mark.parametrize("asked", [0.0, 1e-9, -5.0])
def test_a_server_that_asks_for_no_pause_gets_a_longer_one_each_time(asked: float) -> None:
    waits = [hold(asked, refusals) for refusals in range(3_000)]
    assert waits[:3] == [SHORTEST_HOLD_SECONDS, 2 * SHORTEST_HOLD_SECONDS, 4 * SHORTEST_HOLD_SECONDS]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT_SECONDS


def test_a_pause_is_as_long_as_the_server_asks_for_within_bounds() -> None:
    assert hold(2.0, 0) == 2.0
    assert hold(30.0, 1_000) == 30.0
    assert hold(1e9, 0) == LONGEST_HOLD_SECONDS
