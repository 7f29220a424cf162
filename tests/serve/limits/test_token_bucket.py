"""Token buckets, by properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.limits.token_bucket import BURST_SECONDS, TokenBucket

pauses = st.lists(st.floats(0, 3), max_size=200)
rates = st.floats(0.05, 1000)


@given(rates, pauses)
def test_a_bucket_never_gives_more_than_its_rate_and_its_burst(rate: float, pauses: list[float]) -> None:
    bucket, now, given = TokenBucket(rate), 100.0, 0
    for pause in pauses:
        now += pause
        if not bucket.wait(now):
            bucket.spend(now)
            given += 1
        assert given <= rate * (now - 100) + max(1, rate * BURST_SECONDS) + 1e-3


@given(rates, st.floats(0, 1e7))
def test_a_fresh_bucket_has_a_token_whatever_the_clock_and_the_rate(rate: float, now: float) -> None:
    assert TokenBucket(rate).wait(now) == 0


@given(rates, pauses)
def test_after_the_wait_there_is_a_token_and_before_there_is_none(rate: float, pauses: list[float]) -> None:
    bucket, now = TokenBucket(rate), 100.0
    for pause in pauses:
        now += pause
        wait = bucket.wait(now)
        assert not bucket.wait(now + wait)
        assert not wait or bucket.wait(now + wait / 2)
        bucket.spend(now)


def test_a_burst_goes_through_at_once_and_then_the_rate_holds() -> None:
    bucket = TokenBucket(5)
    for _ in range(50):
        assert bucket.wait(0.0) == 0
        bucket.spend(0.0)
    assert bucket.wait(0.0) == pytest.approx(0.2)
    assert bucket.wait(0.15) == pytest.approx(0.05)
    assert bucket.wait(0.2) == 0
    assert not bucket.is_full(9.9)
    assert bucket.is_full(10)


def test_what_is_spent_beyond_the_burst_is_waited_for_and_can_be_given_back() -> None:
    bucket = TokenBucket(10, burst=1)
    bucket.spend(0.0, 60)
    assert bucket.wait(0.0, 0) == 5
    bucket.spend(0.0, -20)
    assert bucket.wait(0.0, 0) == 3
    assert bucket.wait(3.0, 0) == 0
