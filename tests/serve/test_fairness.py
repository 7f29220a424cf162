"""Who may say how much: the buckets, by properties; addresses, by examples."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.fairness import (
    BURST_SECONDS,
    FRAMES_PER_MESSAGE,
    REFUSAL_SECONDS,
    Fairness,
    Sources,
    TokenBucket,
    network_of,
)
from besedka.wire.refusals import Code, Refused

pauses = st.lists(st.floats(0, 3), max_size=200)
rates = st.floats(0.05, 1000)


@given(rates, pauses)
def test_a_bucket_never_gives_more_than_its_rate_and_its_burst(rate: float, pauses: list[float]) -> None:
    bucket, now, given = TokenBucket(rate), 100.0, 0
    for pause in pauses:
        now += pause
        given += bucket.take(now) == 0
        assert given <= rate * (now - 100) + max(1, rate * BURST_SECONDS) + 1e-6


@given(rates, pauses)
def test_after_the_wait_that_was_told_there_is_a_token_and_before_there_is_none(
    rate: float, pauses: list[float]
) -> None:
    bucket, now, opens_at = TokenBucket(rate), 100.0, 0.0
    for pause in pauses:
        now += pause
        wait = bucket.take(now)
        if now < opens_at:
            assert wait == pytest.approx(opens_at - now)
        elif wait:
            assert wait >= REFUSAL_SECONDS
            opens_at = now + wait
    if now < opens_at:
        assert bucket.take(opens_at + 1e-6) == 0


def test_a_burst_goes_through_at_once_and_then_the_rate_holds() -> None:
    bucket = TokenBucket(5)
    assert [bucket.take(0.0) for _ in range(50)] == [0.0] * 50
    assert bucket.take(0.0) == REFUSAL_SECONDS
    assert bucket.take(0.25) == 0.75
    assert [bucket.take(1.0) for _ in range(6)] == [0.0] * 5 + [REFUSAL_SECONDS]
    assert not bucket.is_full(10)
    assert bucket.is_full(100)


def test_what_is_spent_beyond_the_burst_is_waited_for() -> None:
    bucket = TokenBucket(10)
    assert bucket.spend(100, 0.0) == 0
    assert bucket.spend(50, 0.0) == 5
    assert bucket.spend(0, 5.0) == 0


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("fe80::1%eth0", "fe80::2%eth1", True),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, *, same: bool) -> None:
    assert (network_of(one) == network_of(other)) is same


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", ""])
def test_this_machine_is_not_limited(host: str) -> None:
    sources = Sources(Fairness(rate_address=1, connections_per_address=1))
    *_, pace = (sources.pace(sources.admit(host)) for _ in range(5))
    for _ in range(100):
        pace.say(0.0)


def test_connections_of_one_address_are_counted_and_those_that_ended_are_not() -> None:
    sources = Sources(Fairness(connections_per_address=2))
    first, _ = sources.admit("192.0.2.1"), sources.admit("192.0.2.1")
    with pytest.raises(Refused, match="at most 2"):
        sources.admit("192.0.2.1")
    sources.admit("192.0.2.2")
    sources.leave(first)
    sources.admit("192.0.2.1")


def test_all_connections_of_an_address_share_its_rate() -> None:
    sources = Sources(Fairness(rate=0, rate_address=1))
    paces = [sources.pace(sources.admit(f"2001:db8::{number:x}")) for number in range(1, 11)]
    for pace in paces:
        pace.say(0.0)
    with pytest.raises(Refused) as refusal:
        paces[0].say(0.0)
    assert refusal.value.code is Code.TOO_FAST
    assert refusal.value.wait == REFUSAL_SECONDS
    sources.pace(sources.admit("2001:db9::1")).say(0.0)


def test_an_address_that_leaves_and_comes_back_does_not_find_a_full_bucket() -> None:
    sources = Sources(Fairness(rate=0, rate_address=1))
    source = sources.admit("192.0.2.1")
    for _ in range(10):
        sources.pace(source).say(0.0)
    sources.leave(source)
    sources.forget(5.0)
    pace = sources.pace(sources.admit("192.0.2.1"))
    for _ in range(5):
        pace.say(5.0)
    with pytest.raises(Refused):
        pace.say(5.0)


def test_no_limit_is_no_limit() -> None:
    sources = Sources(Fairness(rate=0, rate_address=0, connections_per_address=0))
    *_, pace = (sources.pace(sources.admit("192.0.2.1")) for _ in range(100))
    for _ in range(10_000):
        pace.say(0.0)
    assert pace.hear(1_000_000, 0.0) == 0


def test_frames_of_any_kind_are_paced_but_more_generously_than_messages() -> None:
    sources = Sources(Fairness(rate=1))
    pace = sources.pace(sources.admit("127.0.0.1"))
    assert pace.hear(int(FRAMES_PER_MESSAGE * BURST_SECONDS), 0.0) == 0
    assert pace.hear(FRAMES_PER_MESSAGE, 0.0) == pytest.approx(1)
