"""Rate limits of connections and addresses, by examples."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from besedka.serve.limits.rate_limits import (
    FRAMES_PER_MESSAGE,
    FRAMES_SECONDS,
    NAMES_OF_SOURCE_AT_MOST,
    OPENING_FRAMES,
    REFUSAL_SECONDS,
    REFUSED_FRAMES,
    REQUESTS_BURST_SECONDS,
    REQUESTS_RATE,
    RateLimiter,
    RateLimits,
    Source,
)
from besedka.serve.limits.sources import Sources
from besedka.wire.errors import ErrorCode, Refused


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1", ""])
def test_this_machine_is_not_limited(host: str) -> None:
    sources = Sources(RateLimits(rate_address=1, connections_per_address=1))
    *_, limiter = (sources.limiter(sources.admit(host)) for _ in range(5))
    for _ in range(100):
        limiter.charge_message(0.0)


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


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 1), ("x" * 512, 1), ("x" * 513, 2), ("x" * 5_000, 10), ("щ" * 5_000, 20), ("😀" * 5_000, 40)],
    ids=["empty", "one", "two", "long", "Russian", "emoji"],
)
@pytest.mark.parametrize("limits", [RateLimits(rate=1, rate_address=0), RateLimits(rate=0, rate_address=1)])
def test_a_long_text_costs_its_bytes_and_passes_at_the_lowest_rate(
    text: str, tokens: int, limits: RateLimits
) -> None:
    sources = Sources(limits)
    limiter = sources.limiter(sources.admit("192.0.2.1"))
    spent = 9  # of a burst of ten
    for _ in range(spent):
        limiter.charge_message(0.0)
    limiter.charge_message(0.0, text)
    with pytest.raises(Refused) as refusal:
        limiter.charge_message(0.0)
    assert refusal.value.wait == tokens


def test_an_outbox_of_long_texts_passes_at_once_at_the_default_rate() -> None:
    sources = Sources(RateLimits())
    limiter = sources.limiter(sources.admit("192.0.2.1"))
    for _ in range(50):
        limiter.charge_message(0.0, "щ" * 5_000)
    with pytest.raises(Refused):
        limiter.charge_message(0.0)


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


def test_the_frames_of_all_connections_of_an_address_are_paced_together_and_those_of_others_are_not() -> None:
    sources = Sources(RateLimits(rate=100, rate_address=1_000))
    crowd = [sources.limiter(sources.admit("192.0.2.1")) for _ in range(20)]
    other = sources.limiter(sources.admit("192.0.2.2"))
    for limiter in crowd:
        limiter.charge_frames(0.0, 250)  # each has as much for itself
    assert crowd[0].delay(0.0) == crowd[-1].delay(0.0) == pytest.approx(5_000 / 2_000 - FRAMES_SECONDS)
    assert other.delay(0.0) == 0


def test_a_page_costs_by_its_messages_and_by_their_length() -> None:
    sources = Sources(RateLimits(rate=100))
    limiter = sources.limiter(sources.admit("192.0.2.1"))
    for _ in range(20):
        limiter.charge_page(0.0, ["short"] * 500)
    assert limiter.delay(0.0) == 0
    limiter.charge_page(0.0, ["short"] * 500)
    assert limiter.delay(0.0) == pytest.approx(0.1)
    limiter.charge_page(0.0, ["x" * 4_096] * 8)
    assert limiter.delay(0.0) == pytest.approx(0.1 + 4 / 200)
    limiter.charge_page(0.0, ["one that was looked for"])
    assert limiter.delay(0.0) == pytest.approx(0.1 + 4 / 200)


def test_missed_messages_cost_their_connection_no_frame_and_their_address_as_much_as_pages() -> None:
    sources = Sources(RateLimits(rate=100, rate_address=1_000))
    one, other = (sources.limiter(sources.admit("192.0.2.1")) for _ in range(2))
    for _ in range(57):
        one.charge_catch_up(0.0, ["short"] * 500)
    assert one.catch_up_delay(0.0) == 0
    one.charge_catch_up(0.0, ["short"] * 500)
    assert one.catch_up_delay(0.0) == pytest.approx((58 * 21 - 1_200) / 200)
    assert other.catch_up_delay(0.0) == one.delay(0.0) == one.address_delay(0.0) == 0
    other.charge_catch_up(0.0, [""] * 25 * 999, 4)
    assert other.catch_up_delay(0.0) == 0
    assert other.delay(0.0) == one.address_delay(0.0) == pytest.approx(58 * 21 / 2_000)


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


def test_a_room_that_is_opened_costs_its_address_frames_and_the_connection_none() -> None:
    source = Source(IPv4Address("192.0.2.1"), 100.0)
    one, other = RateLimiter(100.0, source), RateLimiter(100.0, source)
    while not one.address_delay(0.0):
        one.charge_opening(0.0)
    assert other.address_delay(0.0) == one.address_delay(0.0) < 1.01 * OPENING_FRAMES / 200
    elsewhere = RateLimiter(100.0, Source(IPv4Address("192.0.2.2"), 100.0))
    assert elsewhere.address_delay(0.0) == 0.0
