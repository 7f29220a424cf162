"""The leases that a node has of names in use."""

from __future__ import annotations

from besedka.serve.cluster.presence.leases import RESERVED_SECONDS, Held, Leases

ANNA, BEN = 1, 2


def held(who: int, at: float = 0.0) -> Held:
    """A lease that was taken at a moment."""
    return Held(who, 7, ("here",), at, is_sure=True, skeleton="anna")


def test_a_lease_is_in_use_for_a_moment_and_as_long_as_its_person_is_present() -> None:
    present: set[int] = set()
    leases = Leases(lambda lease: lease.who in present)
    leases.put("look", held(ANNA))
    assert leases.is_in_use("look", RESERVED_SECONDS - 0.1)
    assert not leases.is_in_use("look", RESERVED_SECONDS)
    present.add(ANNA)
    assert leases.is_in_use("look", 1000.0)
    assert not leases.is_in_use("look", 1000.0, but=ANNA)
    assert leases.is_of("look", ANNA)
    assert not leases.is_of("look", BEN)


def test_a_lease_is_unused_if_its_person_has_not_come_in_in_time_and_is_named_once() -> None:
    leases = Leases(lambda lease: lease.who == BEN)
    leases.put("of nobody here", held(ANNA, at=0.0))
    leases.put("a later one", held(ANNA, at=5.0))
    leases.put("of somebody here", held(BEN, at=0.0))
    assert leases.unused(RESERVED_SECONDS - 0.1) == []
    assert leases.unused(RESERVED_SECONDS) == [("of nobody here", ANNA)]
    assert leases.unused(RESERVED_SECONDS) == []
    assert leases.unused(5.0 + RESERVED_SECONDS) == [("a later one", ANNA)]


def test_a_lease_that_is_taken_again_has_its_time_anew() -> None:
    leases = Leases(lambda _: False)
    leases.put("first", held(ANNA, at=0.0))
    leases.put("second", held(BEN, at=1.0))
    leases.put("first", held(ANNA, at=9.0))
    assert leases.unused(1.0 + RESERVED_SECONDS) == [("second", BEN)]
    assert leases.is_in_use("first", 1.0 + RESERVED_SECONDS)


def test_somebody_has_a_name_only_with_all_its_looks() -> None:
    leases = Leases(lambda _: True)
    leases.put("one", held(ANNA))
    assert not leases.has_all(["one", "other"], ANNA, 1.0)
    leases.put("other", held(ANNA))
    assert leases.has_all(["one", "other"], ANNA, 1.0)
    assert not leases.has_all(["one", "other"], BEN, 1.0)
    leases.pop("one")
    assert not leases.has_all(["one", "other"], ANNA, 1.0)


def test_leases_in_doubt_and_old_ones_are_to_be_taken_again() -> None:
    leases = Leases(lambda _: True)
    leases.put("old", held(ANNA, at=1.0))
    leases.put("young", held(BEN, at=9.0))
    assert leases.doubtful(5.0) == [("old", ANNA)]
    leases.doubt_all()
    assert leases.doubtful(5.0) == [("old", ANNA), ("young", BEN)]
    leases.put("young", held(BEN, at=9.0))
    assert leases.doubtful(5.0) == [("old", ANNA)]
