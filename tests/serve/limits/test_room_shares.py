"""Shares of open rooms and quotas of new ones: of a person, of the unverified at an address, of an address."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Network
from itertools import islice
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.chat.open_rooms import ROOMS_AT_MOST
from besedka.serve.limits import room_shares
from besedka.serve.limits.room_shares import (
    MACHINE_TIMES,
    NEW_ROOMS,
    NEW_ROOMS_OF_ADDRESS,
    NEW_ROOMS_RATE,
    ROOMS_OF_ADDRESS,
    ROOMS_OF_PERSON,
    ROOMS_OF_UNVERIFIED,
    SUBSCRIPTIONS_OF_ADDRESS,
    NewRooms,
    RoomShares,
    Tenant,
    accounts_of,
    address_of,
    owner_of,
)
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.validation import DEFAULT_ROOM

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


# Shares of the open rooms.


def hold(shares: RoomShares, tenant: Tenant, rooms: list[str]) -> int:
    """How many of these rooms a source may hold."""
    for number, room in enumerate(rooms):
        try:
            shares.check(tenant, room)
        except Refused:
            return number
        shares.hold(tenant, room)
    return len(rooms)


def names(count: int, prefix: str = "r") -> list[str]:
    return [f"{prefix}{number}" for number in range(count)]


@pytest.mark.parametrize("network", [None, SCHOOL], ids=["this machine", "an address"])
def test_thirty_people_of_a_class_are_in_thirty_rooms_each(network: IPv4Address | None) -> None:
    shares = RoomShares()
    held = [
        hold(shares, Tenant(network, f"claim {person}"), names(30, f"p{person}-")) for person in range(30)
    ]
    assert held == [30] * 30


@pytest.mark.parametrize("network", [None, SCHOOL], ids=["this machine", "an address"])
def test_no_source_holds_all_rooms_however_many_names_it_takes(network: IPv4Address | None) -> None:
    shares = RoomShares()
    unverified = hold(shares, Tenant(network), names(ROOMS_AT_MOST))
    people = [
        hold(shares, Tenant(network, f"claim {person}"), names(ROOMS_AT_MOST, f"p{person}-"))
        for person in range(20)
    ]
    assert unverified == ROOMS_OF_UNVERIFIED
    assert max(people) == ROOMS_OF_PERSON
    assert unverified + sum(people) == ROOMS_OF_ADDRESS < ROOMS_AT_MOST
    assert hold(shares, Tenant(IPv4Address("192.0.2.2")), names(1, "other")) == 1


def enter(shares: RoomShares, tenant: Tenant, room: str, times: int) -> int:
    """How many of so many subscriptions to a room there may be."""
    for number in range(times):
        try:
            shares.check(tenant, room)
        except Refused:
            return number
        shares.hold(tenant, room)
    return times


@pytest.mark.parametrize(("network", "times"), [(SCHOOL, 1), (None, MACHINE_TIMES)])
def test_an_address_is_in_rooms_only_so_many_times_under_whatever_names(
    network: IPv4Address | None, times: int
) -> None:
    shares, limit = RoomShares(), times * SUBSCRIPTIONS_OF_ADDRESS
    held = [enter(shares, Tenant(network, f"claim {person % 3}"), "room", limit // 5) for person in range(6)]
    assert sum(held) == limit
    with pytest.raises(Refused, match=f"rooms {limit} times"):
        shares.check(Tenant(network), "another")
    assert enter(shares, Tenant(network), DEFAULT_ROOM, 10) == 10
    assert enter(shares, Tenant(IPv4Address("192.0.2.2")), "room", 10) == 10
    shares.release(Tenant(network, "claim 0"), "room")
    assert enter(shares, Tenant(network), "room", 10) == 1


def test_a_class_with_three_devices_each_in_thirty_rooms_does_not_notice() -> None:
    shares = RoomShares()
    for person in range(40):
        for room in names(30, "class-"):
            assert enter(shares, Tenant(SCHOOL, f"claim {person}"), room, 3) == 3


def test_the_networks_of_an_ipv6_site_are_in_rooms_as_many_times_as_an_address() -> None:
    shares = RoomShares()
    subnets = IPv6Network("2001:db8:1::/48").subnets(new_prefix=64)
    held = [
        enter(shares, Tenant(subnet), "room", SUBSCRIPTIONS_OF_ADDRESS // 4) for subnet in islice(subnets, 5)
    ]
    assert sum(held) == SUBSCRIPTIONS_OF_ADDRESS


def test_the_shares_of_verified_people_are_not_used_up_by_the_others_there() -> None:
    shares = RoomShares()
    hold(shares, Tenant(SCHOOL), names(ROOMS_AT_MOST))
    assert hold(shares, Tenant(SCHOOL, "claim"), names(ROOMS_AT_MOST, "own")) == ROOMS_OF_PERSON


def test_a_room_counts_once_for_all_connections_and_the_default_room_never() -> None:
    shares, tenant = RoomShares(), Tenant(SCHOOL)
    rooms = names(ROOMS_OF_UNVERIFIED)
    for _ in range(3):
        assert hold(shares, tenant, rooms) == len(rooms)
    assert hold(shares, tenant, [DEFAULT_ROOM] * 3) == 3
    assert hold(shares, tenant, ["one more"]) == 0
    for _ in range(2):
        shares.release(tenant, rooms[0])
        assert hold(shares, tenant, ["one more"]) == 0
    shares.release(tenant, rooms[0])
    assert hold(shares, tenant, ["one more"]) == 1


@given(st.lists(st.tuples(st.sampled_from(["", "a", "b"]), st.sampled_from(["x", "y", DEFAULT_ROOM]))))
def test_what_is_released_as_often_as_it_was_held_leaves_nothing(held: list[tuple[str, str]]) -> None:
    shares = RoomShares()
    for claim, room in held:
        shares.hold(Tenant(None, claim), room)
    for claim, room in reversed(held):
        shares.release(Tenant(None, claim), room)
    assert all(
        shares.held_by(account) == 0
        for claim in ("", "a", "b")
        for account in (owner_of(Tenant(None, claim)), address_of(Tenant(None)))
    )


def occupy(shares: RoomShares, tenant: Tenant, *rooms: str) -> None:
    for room in rooms:
        shares.check(tenant, room)
        shares.hold(tenant, room)


def found(shares: RoomShares, tenant: Tenant, *rooms: str) -> str | None:
    """The first room that may be closed."""
    return next(iter(shares.to_close(tenant, rooms)), None)


MANY, FEW, NOBODY = (Tenant(IPv4Address(f"192.0.2.{number}")) for number in (7, 8, 9))


def test_a_room_is_closed_for_those_who_hold_fewer_and_for_nobody_else() -> None:
    shares = RoomShares()
    occupy(shares, MANY, "a", "b", "c")
    occupy(shares, FEW, "d")
    rooms = ("d", "a", "b", "c")
    assert found(shares, NOBODY, *rooms) == "a"
    assert found(shares, FEW, *rooms) == "a"
    occupy(shares, FEW, "e")
    # Else both would take the room from each other for ever.
    assert found(shares, FEW, *rooms, "e") is None
    assert found(shares, MANY, *rooms, "e") is None


def test_a_room_counts_by_the_poorest_of_its_holders() -> None:
    shares = RoomShares()
    occupy(shares, MANY, "a", "b", "c", "d")
    occupy(shares, FEW, "a")
    assert found(shares, NOBODY, "a", "b") == "b"
    assert found(shares, NOBODY, "a") is None
    # Two who hold many do not keep their rooms by sharing them.
    occupy(shares, Tenant(IPv4Address("192.0.2.6"), "claim"), "b", "c", "d")
    assert found(shares, NOBODY, "a", "b") == "b"


def test_a_search_that_finds_nothing_does_not_look_at_all_holders_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shares, rooms = RoomShares(), names(50)
    asker = Tenant(SCHOOL, "asker")
    for number, room in enumerate(rooms):
        for person in range(20):
            occupy(shares, Tenant(SCHOOL, f"claim {(number + person) % 50}"), room)
        occupy(shares, Tenant(SCHOOL, f"poor {number}"), room)
    searches = []

    def poorest(holders: Counter[Any], key: Callable[[Any], int]) -> Any:
        searches.append(len(holders))
        return min(holders, key=key)

    monkeypatch.setattr(room_shares, "min", poorest, raising=False)
    assert shares.to_close(asker, rooms) == []
    assert sum(searches) == 50 * (1 + 21)  # sites, and people
    searches.clear()
    assert shares.to_close(asker, rooms) == []
    assert searches == []
    shares.release(Tenant(SCHOOL, "poor 7"), rooms[7])
    assert shares.to_close(asker, rooms) == [rooms[7]]
    assert searches == [20]


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5), st.booleans()), max_size=60), st.integers(0, 5)
)
def test_what_is_found_is_the_same_however_often_it_was_looked_for(
    moves: list[tuple[int, int, bool]], asker: int
) -> None:
    shares, held = RoomShares(), list[tuple[Tenant, str]]()
    tenants = [Tenant(IPv4Address(f"192.0.2.{number % 3}"), "claim" * (number // 3)) for number in range(6)]
    for who, which, leaves in moves:
        holding = tenants[who], f"room-{which}"
        if not leaves:
            held.append(holding)
            shares.hold(*holding)
        elif holding in held:
            held.remove(holding)
            shares.release(*holding)
        shares.to_close(tenants[asker], names(6, "room-"))
    anew = RoomShares()
    for holding in held:
        anew.hold(*holding)
    for tenant in tenants:
        assert shares.to_close(tenant, names(6, "room-")) == anew.to_close(tenant, names(6, "room-"))


def test_within_an_address_people_who_hold_many_make_room_for_those_who_hold_few() -> None:
    shares = RoomShares()
    greedy, modest = Tenant(SCHOOL, "greedy"), Tenant(SCHOOL, "modest")
    occupy(shares, greedy, "a", "b", "c")
    occupy(shares, FEW, "d")
    assert found(shares, modest, "d", "a") == "a"
    occupy(shares, modest, "a")
    assert found(shares, modest, "d", "a") is None
    assert found(shares, modest, "d", "a", "b") == "b"


@pytest.mark.parametrize("prefix", [56, 48])
def test_the_networks_of_an_ipv6_customer_share_what_an_address_may_have(prefix: int) -> None:
    shares, new = RoomShares(), NewRooms()
    customer = IPv6Network("2001:db8:1::/48").supernet(new_prefix=48)
    subnets = list(islice(next(customer.subnets(new_prefix=prefix)).subnets(new_prefix=64), 256))
    people = [Tenant(subnet, f"claim {number}") for number, subnet in enumerate(subnets)]
    for number in range(ROOMS_OF_ADDRESS):
        occupy(shares, people[number % 256], f"room-{number}")
    with pytest.raises(Refused, match="one network may hold 900"):
        shares.check(people[0], "another")
    shares.check(Tenant(IPv6Network("2001:db8:2::/64")), "another")
    assert sum(create(new, person, 10) for person in people) == NEW_ROOMS_OF_ADDRESS
    for number in range(ROOMS_OF_ADDRESS):
        shares.release(people[number % 256], f"room-{number}")
    assert [shares.held_by(account) for account in accounts_of(people[0])] == [0, 0, 0]


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 9)), max_size=60))
def test_closing_rooms_for_whoever_asks_comes_to_an_end(asked: list[tuple[int, int]]) -> None:
    shares = RoomShares()
    tenants = [Tenant(IPv4Address(f"192.0.2.{number}")) for number in range(5)]
    holders: dict[str, set[Tenant]] = {}
    for who, which in asked:
        room = f"room-{which}"
        if tenants[who] not in holders.setdefault(room, set()):
            holders[room].add(tenants[who])
            occupy(shares, tenants[who], room)
    for step in range(200):
        closed = next(filter(None, (found(shares, tenant, *holders) for tenant in tenants)), None)
        if closed is None:
            break
        asker = next(tenant for tenant in tenants if shares.to_close(tenant, holders))
        for holder in holders.pop(closed):
            shares.release(holder, closed)
        holders[f"new-{step}"] = {asker}
        occupy(shares, asker, f"new-{step}")
    else:
        pytest.fail("rooms are closed for ever")
