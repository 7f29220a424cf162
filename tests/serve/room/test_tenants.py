"""Quotas of new rooms: of a person, of the unverified at an address, of an address; by properties."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.room.tenants import NEW_ROOMS, NEW_ROOMS_OF_ADDRESS, NEW_ROOMS_RATE, NewRooms, Tenant
from besedka.wire.errors import ErrorCode, Refused

SCHOOL = IPv4Address("192.0.2.1")


def create(rooms: NewRooms, tenant: Tenant, count: int, now: float = 0.0) -> int:
    """How many of so many rooms may be created."""
    for number in range(count):
        try:
            rooms.charge(tenant, now)
        except Refused:
            return number
    return count


@pytest.mark.parametrize("network", [None, SCHOOL], ids=["this machine", "an address"])
def test_thirty_people_of_a_class_make_thirty_rooms_each(network: IPv4Address | None) -> None:
    rooms = NewRooms()
    assert [create(rooms, Tenant(network, f"claim {person}"), 30) for person in range(30)] == [30] * 30


def test_a_new_claim_does_not_make_the_quota_of_its_address_longer() -> None:
    rooms = NewRooms()
    made = [create(rooms, Tenant(SCHOOL, f"claim {person}"), 10**4) for person in range(20)]
    assert max(made) == NEW_ROOMS
    assert sum(made) == NEW_ROOMS_OF_ADDRESS
    assert create(rooms, Tenant(SCHOOL), 1) == 0
    assert create(rooms, Tenant(None), 10**4) == NEW_ROOMS
    with pytest.raises(Refused) as refused:
        rooms.charge(Tenant(None), 1.0)
    assert refused.value.code is ErrorCode.TOO_MANY_ROOMS
    assert refused.value.wait == pytest.approx(1 / NEW_ROOMS_RATE - 1)


def test_a_person_does_not_get_another_quota_at_another_address() -> None:
    rooms = NewRooms()
    assert create(rooms, Tenant(SCHOOL, "claim"), 10**4) == NEW_ROOMS
    assert create(rooms, Tenant(None, "claim"), 1) == 0


@given(st.lists(st.floats(0, 3_000), max_size=20))
def test_after_the_first_rooms_the_rate_holds(pauses: list[float]) -> None:
    rooms, now, made = NewRooms(), 0.0, 0
    for pause in pauses:
        now += pause
        made += create(rooms, Tenant(None), 10**4, now)
        assert made <= NEW_ROOMS + now * NEW_ROOMS_RATE + 1e-3


def test_who_has_created_nothing_for_long_is_forgotten() -> None:
    rooms = NewRooms()
    create(rooms, Tenant(None), 1)
    create(rooms, Tenant(SCHOOL), 1, 100.0)
    assert len(rooms) == 4
    rooms.forget(1 / NEW_ROOMS_RATE)
    assert len(rooms) == 2
    rooms.forget(100.0 + 1 / NEW_ROOMS_RATE)
    assert len(rooms) == 0
