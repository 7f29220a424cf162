"""Rate limits: the buckets, by properties; addresses, by examples."""

from __future__ import annotations

from weakref import ref

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.rate_limits import (
    BURST_SECONDS,
    FRAMES_PER_MESSAGE,
    FRAMES_SECONDS,
    NAMES_OF_SOURCE_AT_MOST,
    REFUSAL_SECONDS,
    REFUSED_FRAMES,
    REQUESTS_BURST_SECONDS,
    REQUESTS_RATE,
    RateLimits,
    Sources,
    TokenBucket,
)
from besedka.wire.errors import ErrorCode, Refused

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


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", ""])
def test_this_machine_is_not_limited(host: str) -> None:
    sources = Sources(RateLimits(rate_address=1, connections_per_address=1))
    *_, limiter = (sources.limiter(sources.admit(host)) for _ in range(5))
    for _ in range(100):
        limiter.charge_message(0.0)


def test_connections_of_one_address_are_counted_and_those_that_ended_are_not() -> None:
    sources = Sources(RateLimits(connections_per_address=2))
    first, _ = sources.admit("192.0.2.1"), sources.admit("192.0.2.1")
    with pytest.raises(Refused, match="at most 2"):
        sources.admit("192.0.2.1")
    sources.admit("192.0.2.2")
    sources.leave(first)
    sources.admit("192.0.2.1")


def test_all_connections_of_an_address_share_its_rate() -> None:
    sources = Sources(RateLimits(rate=0, rate_address=1))
    limiters = [sources.limiter(sources.admit(f"2001:db8::{number:x}")) for number in range(1, 11)]
    for limiter in limiters:
        limiter.charge_message(0.0)
    with pytest.raises(Refused) as refusal:
        limiters[0].charge_message(0.0)
    assert refusal.value.code is ErrorCode.TOO_FAST
    assert refusal.value.wait == REFUSAL_SECONDS
    sources.limiter(sources.admit("2001:db9::1")).charge_message(0.0)


def test_an_address_that_leaves_and_comes_back_does_not_find_a_full_bucket() -> None:
    sources = Sources(RateLimits(rate=0, rate_address=1))
    source = sources.admit("192.0.2.1")
    for _ in range(10):
        sources.limiter(source).charge_message(0.0)
    sources.leave(source)
    sources.forget(5.0)
    limiter = sources.limiter(sources.admit("192.0.2.1"))
    for _ in range(5):
        limiter.charge_message(5.0)
    with pytest.raises(Refused):
        limiter.charge_message(5.0)


def test_an_address_has_one_bucket_as_long_as_anybody_knows_it() -> None:
    sources = Sources(RateLimits(rate=0, rate_address=1))
    limiter = sources.limiter(sources.admit("192.0.2.1", counts=False))
    sources.forget(100.0)
    other = sources.limiter(sources.admit("192.0.2.1"))
    assert other.source is limiter.source
    for _ in range(5):
        limiter.charge_message(100.0)
        other.charge_message(100.0)
    for one in (limiter, other):
        with pytest.raises(Refused):
            one.charge_message(100.0)


def test_an_address_that_nobody_knows_any_more_is_forgotten_when_it_is_as_new() -> None:
    sources = Sources(RateLimits(rate=0, rate_address=1))
    known = ref(sources.admit("192.0.2.1", counts=False))
    sources.limiter(sources.admit("192.0.2.1", counts=False)).charge_message(0.0)
    sources.forget(0.5)
    assert known()
    sources.forget(1.5)
    assert known() is None


def test_a_bucket_that_is_used_after_its_address_was_as_new_is_remembered() -> None:
    sources = Sources(RateLimits(rate=0, rate_address=1))
    limiter = sources.limiter(sources.admit("192.0.2.1", counts=False))
    sources.forget(0.0)
    for _ in range(10):
        limiter.charge_message(0.0)
    sources.forget(1.0)
    del limiter
    limiter = sources.limiter(sources.admit("192.0.2.1"))
    limiter.charge_message(1.0)
    with pytest.raises(Refused):
        limiter.charge_message(1.0)


def test_no_limit_is_no_limit() -> None:
    sources = Sources(RateLimits(rate=0, rate_address=0, connections_per_address=0))
    *_, limiter = (sources.limiter(sources.admit("192.0.2.1")) for _ in range(100))
    for _ in range(10_000):
        limiter.charge_message(0.0)
    limiter.charge_frames(0.0, 1_000_000)
    limiter.charge_refusal(0.0)
    assert limiter.delay(0.0) == 0


def test_frames_that_are_no_messages_have_a_pace_of_their_own() -> None:
    sources = Sources(RateLimits(rate=100))
    limiter = sources.limiter(sources.admit("127.0.0.1"))
    frames = 100 * FRAMES_PER_MESSAGE
    limiter.charge_frames(0.0, int(frames * FRAMES_SECONDS))
    assert limiter.delay(0.0) == 0
    limiter.charge_frames(0.0, frames)
    assert limiter.delay(0.0) == pytest.approx(1)


def test_an_accepted_message_is_no_other_frame_and_a_refused_one_is_several() -> None:
    sources = Sources(RateLimits(rate=100))
    limiter = sources.limiter(sources.admit("127.0.0.1"))
    for _ in range(1_000):
        limiter.charge_frames(0.0, 1)
        limiter.charge_message(0.0)
    assert limiter.delay(0.0) == 0
    for _ in range(1_000):
        limiter.charge_frames(0.0, 1)
        with pytest.raises(Refused):
            limiter.charge_message(0.0)
        limiter.charge_refusal(0.0)
    frames = 100 * FRAMES_PER_MESSAGE
    assert limiter.delay(0.0) == pytest.approx(1_000 * REFUSED_FRAMES / frames - FRAMES_SECONDS)


def test_what_the_address_refuses_costs_the_connection_nothing() -> None:
    sources = Sources(RateLimits(rate=1, rate_address=1))
    first, second = (sources.limiter(sources.admit("192.0.2.1")) for _ in range(2))
    for _ in range(10):
        first.charge_message(0.0)
    for _ in range(100):
        with pytest.raises(Refused):
            second.charge_message(0.0)
    for _ in range(10):
        second.charge_message(100.0)


def test_this_machine_is_limited_where_somebody_may_speak_through_it() -> None:
    for host in ("127.0.0.1", "::1", ""):
        sources = Sources(RateLimits(connections_per_address=1))
        source = sources.admit(host, is_limited=True)
        assert not source.is_exempt
        with pytest.raises(Refused):
            sources.admit(host, is_limited=True)
        for _ in range(2):
            assert sources.admit(host).is_exempt


@pytest.mark.parametrize(
    ("host", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("::1", ""),
        ("", ""),
    ],
)
def test_a_source_says_its_address(host: str, address: str) -> None:
    assert Sources(RateLimits()).admit(host).address == address


def test_the_frames_of_all_connections_of_an_address_are_paced_together_and_those_of_others_are_not() -> None:
    sources = Sources(RateLimits(rate=100, rate_address=1_000))
    crowd = [sources.limiter(sources.admit("192.0.2.1")) for _ in range(20)]
    other = sources.limiter(sources.admit("192.0.2.2"))
    for limiter in crowd:
        limiter.charge_frames(0.0, 250)  # each has as much for itself
    assert crowd[0].delay(0.0) == crowd[-1].delay(0.0) == pytest.approx(5_000 / 2_000 - FRAMES_SECONDS)
    assert other.delay(0.0) == 0


def test_an_address_is_remembered_as_long_as_it_has_to_wait_for_its_frames() -> None:
    sources = Sources(RateLimits())
    limiter = sources.limiter(sources.admit("192.0.2.1"))
    limiter.charge_frames(0.0, 4_000)
    sources.leave(limiter.source)
    kept = ref(limiter.source)
    del limiter
    sources.forget(1.0)
    assert kept() is not None
    sources.forget(3.0)
    assert kept() is None


def test_a_page_costs_by_its_messages() -> None:
    sources = Sources(RateLimits(rate=100))
    limiter = sources.limiter(sources.admit("192.0.2.1"))
    for _ in range(20):
        limiter.charge_page(0.0, 500)
    assert limiter.delay(0.0) == 0
    limiter.charge_page(0.0, 500)
    assert limiter.delay(0.0) == pytest.approx(0.1)


def test_calls_are_charged_to_their_connection_and_their_address() -> None:
    sources = Sources(RateLimits(rate=100, rate_address=200))
    source = sources.admit("192.0.2.1")
    one, other = sources.limiter(source), sources.limiter(source)
    elsewhere = sources.limiter(sources.admit("192.0.2.2"))
    assert one.charge_call(0.0, 400, 30.0) == 0.0  # two seconds' worth of the connection, half of the address
    assert one.charge_call(0.0, 100, 30.0) == pytest.approx(0.5)
    assert other.charge_call(0.0, 300, 30.0) == 0.0
    assert other.charge_call(0.0, 40, 30.0) == pytest.approx(0.1)
    assert elsewhere.charge_call(0.0, 1, 30.0) == 0.0
    sources.leave(source)
    assert not source.is_as_new(0.0)


def test_a_call_that_would_wait_too_long_is_refused_and_costs_a_frame_up_to_twice_the_longest_wait() -> None:
    sources = Sources(RateLimits(rate=10))
    limiter = sources.limiter(sources.admit("127.0.0.1"))
    assert limiter.charge_call(0.0, 60, 1.0) == pytest.approx(1.0)
    waits = []
    for _ in range(100):
        with pytest.raises(Refused) as refused:
            limiter.charge_call(0.0, 1, 1.0)
        assert refused.value.code is ErrorCode.TOO_FAST
        waits.append(refused.value.wait)
    assert waits[:3] == pytest.approx([1.05, 1.1, 1.15])
    assert waits[-1] == pytest.approx(2.0, abs=0.06)
    assert limiter.charge_call(1.1, 1, 1.0) == pytest.approx(0.95, abs=0.06)


def test_requests_that_write_are_charged_to_their_address_and_cost_more() -> None:
    sources = Sources(RateLimits(rate=10))
    source = sources.admit("192.0.2.1")
    one, other, own = (sources.limiter(given) for given in (source, source, sources.admit("127.0.0.1")))
    for _ in range(int(REQUESTS_RATE * REQUESTS_BURST_SECONDS)):
        one.charge_request(0.0)
        own.charge_request(0.0)
    assert one.delay(0.0) > 0
    with pytest.raises(Refused) as refused:
        other.charge_request(0.0)
    assert refused.value.code is ErrorCode.TOO_FAST
    own.charge_request(0.0)
    other.charge_request(1.0)


def test_an_address_may_claim_a_tenth_of_all_names() -> None:
    sources = Sources(RateLimits())
    source = sources.admit("192.0.2.1")
    limiter = sources.limiter(source)
    for number in range(NAMES_OF_SOURCE_AT_MOST):
        limiter.check_claim(number * 10.0)
        limiter.charge_claim(number * 10.0)
    with pytest.raises(Refused) as refused:
        limiter.check_claim(1e9)
    assert (refused.value.code, refused.value.wait) == (ErrorCode.TOO_MANY_NAMES, 0)
    sources.leave(source)
    sources.forget(1e9)
    assert not source.is_as_new(1e9)
    sources.limiter(sources.admit("192.0.2.2")).check_claim(1e9)


def test_streams_of_an_address_are_counted_beside_its_connections() -> None:
    sources = Sources(RateLimits(connections_per_address=1))
    source = sources.admit("192.0.2.1")
    sources.enter_stream(source)
    with pytest.raises(Refused):
        sources.enter_stream(source)
    sources.leave(source)
    assert not source.is_as_new(1.0)
    sources.leave_stream(source)
    assert source.is_as_new(1.0)
