"""Sources: connections of an address are counted, and its buckets outlive them."""

from __future__ import annotations

from contextlib import suppress
from weakref import ref

import pytest

from besedka.serve.limits.rate_limits import RateLimits, Source
from besedka.serve.limits.sources import Sources
from besedka.wire.errors import Refused


def test_connections_of_one_address_are_counted_and_those_that_ended_are_not() -> None:
    sources = Sources(RateLimits(connections_per_address=2))
    first, _ = sources.admit("192.0.2.1"), sources.admit("192.0.2.1")
    with pytest.raises(Refused, match="at most 2"):
        sources.admit("192.0.2.1")
    sources.admit("192.0.2.2")
    sources.leave(first)
    sources.admit("192.0.2.1")


def test_each_address_has_half_of_the_descriptors_that_the_others_leave() -> None:
    sources = Sources(RateLimits(), descriptors=100)

    def take_all(host: str) -> list[Source]:
        taken: list[Source] = []
        with suppress(Refused):
            while len(taken) < 100:
                taken.append(sources.admit(host))
        return taken

    first, *others = [take_all(f"192.0.2.{number}") for number in range(1, 5)]
    assert [*map(len, (first, *others))] == [50, 25, 12, 6]
    sources.admit("192.0.2.5")
    for source in first:
        sources.leave(source)
    assert len(take_all("192.0.2.6")) == (100 - 25 - 12 - 6 - 1) // 2


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


@pytest.mark.parametrize(
    ("host", "levels"),
    [
        ("192.0.2.1", ["192.0.2.1"]),
        ("::ffff:192.0.2.1", ["192.0.2.1"]),
        ("2001:db8::1", ["2001:db8::/64", "2001:db8::/48"]),
        ("::1", ["None"]),
        ("", ["None"]),
    ],
)
def test_a_source_counts_for_its_address_and_its_site(host: str, levels: list[str]) -> None:
    assert [str(level.network) for level in Sources(RateLimits()).admit(host).levels] == levels


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
