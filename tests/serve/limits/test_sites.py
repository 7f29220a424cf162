"""IPv6 sites: however many networks one customer has, they get twice the share of an address, and never the whole."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.limits.held_bytes import HELD_BYTES
from besedka.serve.limits.networks import SITE_TIMES, network_of, share_of_site, site_of
from besedka.serve.limits.rate_limits import (
    NAMES_BURST_SECONDS,
    NAMES_OF_SOURCE_AT_MOST,
    NAMES_RATE,
    REQUESTS_BURST_SECONDS,
    REQUESTS_RATE,
    RateLimiter,
    RateLimits,
    Source,
)
from besedka.serve.limits.sources import Sources
from besedka.serve.people.names import NAMES_AT_MOST
from besedka.wire.errors import ErrorCode, Refused

ELSEWHERE = ("2001:db8:2::1", "192.0.2.1")


def subnet(number: int) -> str:
    """An address in one of the networks of a customer."""
    return f"2001:db8:1:{number:x}::1"


def count(act: Callable[[int], object], at_most: int = 100_000) -> int:
    """How often it is allowed."""
    for number in range(at_most):
        try:
            act(number)
        except Refused:
            return number
    return at_most


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (subnet(0), subnet(0xFFFF), True),
        (subnet(0), "2001:db8:2::1", False),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_a_site_is_a_network_of_48_bits_or_an_address(one: str, other: str, *, same: bool) -> None:
    assert (site_of(network_of(one)) == site_of(network_of(other))) is same
    assert site_of(None) is None


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_a_site_never_has_the_whole_unless_an_address_has(share: int, whole: int) -> None:
    found = share_of_site(share, whole)
    assert share <= found <= max(share, whole // 2)
    assert found <= SITE_TIMES * share


def test_a_site_claims_a_fifth_of_all_names_at_most() -> None:
    assert share_of_site(NAMES_OF_SOURCE_AT_MOST, NAMES_AT_MOST) == SITE_TIMES * NAMES_OF_SOURCE_AT_MOST


@pytest.mark.parametrize("enter", [Sources.enter, Sources.enter_stream, Sources.enter_call])
def test_the_networks_of_a_site_have_twice_the_connections_streams_and_calls_of_an_address(
    enter: Callable[[Sources, Source], None],
) -> None:
    sources = Sources(RateLimits(connections_per_address=10))
    held = [sources.admit(subnet(number), counts=False) for number in range(100)]
    assert count(lambda number: enter(sources, held[number]), 100) == 2 * 10
    for host in ELSEWHERE:
        enter(sources, sources.admit(host, counts=False))


def test_the_networks_of_a_site_have_half_of_the_descriptors() -> None:
    sources = Sources(RateLimits(), descriptors=100)
    sources_of_site = [sources.admit(subnet(number), counts=False) for number in range(200)]
    assert count(lambda number: sources.enter(sources_of_site[number], 1), 200) == 50
    sources.leave(sources_of_site[0])
    sources.enter(sources_of_site[150])


def limiters() -> tuple[list[RateLimiter], list[RateLimiter]]:
    """Those of a hundred networks of a site, and those of somebody else."""
    sources = Sources(RateLimits(rate=0, rate_address=10))
    own = [sources.limiter(sources.admit(subnet(number))) for number in range(100)]
    return own, [sources.limiter(sources.admit(host)) for host in ELSEWHERE]


def claim(limiter: RateLimiter, now: float) -> None:
    limiter.check_claim(now)
    limiter.charge_claim(now)


@pytest.mark.parametrize(
    ("act", "of_address"),
    [
        (claim, round(NAMES_RATE * NAMES_BURST_SECONDS)),
        (RateLimiter.charge_request, round(REQUESTS_RATE * REQUESTS_BURST_SECONDS)),
        (RateLimiter.charge_message, 100),
    ],
    ids=["names", "requests", "messages"],
)
def test_the_networks_of_a_site_have_twice_the_rate_of_an_address(
    act: Callable[[RateLimiter, float], None], of_address: int
) -> None:
    own, others = limiters()
    assert count(lambda number: act(own[number % 100], 0.0)) == 2 * of_address
    for other in others:
        act(other, 0.0)
    assert count(lambda _: act(own[0], 1e6)) == of_address


def test_a_site_claims_so_many_names_while_the_server_runs() -> None:
    own, others = limiters()
    made = count(lambda number: claim(own[number % 100], number * 1e6))
    assert made == 2 * NAMES_OF_SOURCE_AT_MOST
    with pytest.raises(Refused) as refused:
        own[0].check_claim(1e12)
    assert refused.value.code is ErrorCode.TOO_MANY_NAMES
    others[0].check_claim(1e12)


def test_frames_of_a_site_wait_for_all_its_networks() -> None:
    sources = Sources(RateLimits(rate=1_000, rate_address=1_000))
    own = [sources.limiter(sources.admit(subnet(number))) for number in range(3)]
    for limiter in own[:2]:
        limiter.charge_frames(0.0, 4_000)
    assert own[2].delay(0.0) == 0
    own[1].charge_frames(0.0, 4_000)
    assert own[2].delay(0.0) == pytest.approx(1.0)
    assert own[2].site_delay(0.0) == pytest.approx(1.0)
    assert own[2].address_delay(0.0) == 0


def test_of_a_site_for_which_too_much_is_held_those_who_hold_the_most_give_it_up() -> None:
    sources = Sources(RateLimits())
    held = [sources.admit(subnet(number)).held for number in range(3)]
    for one in held:
        one.change(0, HELD_BYTES)
    assert all(one.is_too_much(HELD_BYTES) for one in held)
    held[2].change(HELD_BYTES, 0)
    assert not any(one.is_too_much(HELD_BYTES) for one in held[:2])


def test_a_site_is_remembered_as_long_as_it_owes() -> None:
    sources = Sources(RateLimits(rate=0, rate_address=10))

    def messages(number: int, now: float) -> int:
        limiter = sources.limiter(sources.admit(subnet(number), counts=False))
        return count(lambda _: limiter.charge_message(now))

    assert [messages(number, 0.0) for number in range(3)] == [100, 100, 0]
    sources.forget(5.0)
    assert messages(7, 5.0) == 100
    sources.forget(1e3)
    assert messages(7, 1e3) == 100
