"""Quotas of private and direct rooms: nobody takes all places, and no two requests the same one."""

from __future__ import annotations

from contextlib import ExitStack, suppress
from ipaddress import IPv4Address, IPv6Network

import pytest

from besedka.serve.limits.networks import Network
from besedka.serve.people import room_quotas
from besedka.serve.people.memberships import PrivateRooms, direct_room
from besedka.serve.people.names import claim_of
from besedka.serve.people.room_quotas import (
    DIRECT_ROOMS_OF_ONE_AT_MOST,
    NAMES_TIMES,
    PRIVATE_ROOMS_OF_ADDRESS_AT_MOST,
    ROOMS_OF_OWNER_AT_MOST,
    RoomQuotas,
)
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import Kind

ANNA, BORIS, EVE = (claim_of(name) for name in ("Anna", "Boris", "Eve"))
ADDRESS, OTHER = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")


class Places:
    """Rooms, and their quotas."""

    def __init__(self) -> None:
        self.rooms = PrivateRooms()
        self.quotas = RoomQuotas(self.rooms)

    def make(self, room: str, claim: str = ANNA, network: Network | None = None) -> None:
        with self.quotas.place(Kind.PRIVATE, room, claim, network):
            self.rooms.open_private(room, "Name", claim)

    def begin(self, claim: str, other: str) -> None:
        with self.quotas.place(Kind.DIRECT, direct_room(claim, other), claim, None):
            self.rooms.open_direct(("Name", claim), ("Other", other))

    def refuses(self, claim: str = ANNA, network: Network | None = None) -> bool:
        try:
            with self.quotas.place(Kind.PRIVATE, "one-more", claim, network):
                return False
        except Refused as refusal:
            return refusal.code is ErrorCode.NOT_ALLOWED


def test_names_of_rooms_that_are_given_up_stay_taken_and_have_a_quota_too() -> None:
    """Once private, a room is never open again: else whoever makes and gives up would take all names."""
    places = Places()
    for number in range(NAMES_TIMES * ROOMS_OF_OWNER_AT_MOST):
        assert not places.refuses()
        places.make(f"room{number}", network=ADDRESS)
        places.rooms.note_recorded(f"room{number}")
        places.rooms.give_up(f"room{number}")
    assert places.refuses()
    assert not places.refuses(BORIS)


def test_an_address_has_a_quota_of_names_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_quotas, "PRIVATE_ROOMS_OF_ADDRESS_AT_MOST", 5)
    places = Places()
    for number in range(NAMES_TIMES * 5):
        places.make(f"room{number}", claim_of(f"{number}"), ADDRESS)
        places.rooms.note_recorded(f"room{number}")
        places.rooms.give_up(f"room{number}")
    assert places.refuses(BORIS, ADDRESS)
    assert not places.refuses(BORIS, OTHER)


def test_a_person_has_so_many_and_gets_places_back() -> None:
    places = Places()
    for number in range(ROOMS_OF_OWNER_AT_MOST):
        assert not places.refuses()
        places.make(f"room{number}")
    assert places.refuses()
    assert not places.refuses(BORIS)
    places.rooms.give_up("room7")
    assert not places.refuses()


def test_a_person_begins_so_many_direct_rooms_and_those_that_others_begin_do_not_count() -> None:
    places = Places()
    for number in range(DIRECT_ROOMS_OF_ONE_AT_MOST):
        places.begin(ANNA, claim_of(f"P{number}"))
    with pytest.raises(Refused):
        places.begin(ANNA, EVE)
    places.begin(EVE, ANNA)
    for number in range(DIRECT_ROOMS_OF_ONE_AT_MOST):
        places.begin(claim_of(f"P{number}"), BORIS)
    places.begin(BORIS, EVE)


def test_rooms_that_are_being_made_count_and_failures_give_their_places_back() -> None:
    places = Places()
    for number in range(ROOMS_OF_OWNER_AT_MOST - 1):
        places.make(f"room{number}")
    with suppress(OSError), places.quotas.place(Kind.PRIVATE, "last", ANNA, ADDRESS):
        assert places.refuses()
        raise OSError("the disk")
    assert not places.refuses()
    with ExitStack() as making:
        making.enter_context(places.quotas.place(Kind.PRIVATE, "last", ANNA, None))
        assert places.refuses()
    assert not places.refuses()  # nobody has made it


def test_an_address_has_a_share_whatever_claims_it_shows() -> None:
    places = Places()
    for number in range(PRIVATE_ROOMS_OF_ADDRESS_AT_MOST):
        places.make(f"room{number}", claim_of(str(number)), ADDRESS)
    assert places.refuses(ANNA, ADDRESS)
    assert not places.refuses(ANNA, OTHER)
    assert not places.refuses(ANNA)
    places.rooms.give_up("room3")
    assert not places.refuses(ANNA, ADDRESS)


def test_the_networks_of_an_ipv6_site_have_twice_that_together() -> None:
    places = Places()
    networks = [*IPv6Network("2001:db8:1::/56").subnets(new_prefix=64)]
    for number in range(2 * PRIVATE_ROOMS_OF_ADDRESS_AT_MOST):
        places.make(f"room{number}", claim_of(str(number)), networks[number % 256])
    assert places.refuses(ANNA, networks[0])
    assert places.refuses(ANNA, IPv6Network("2001:db8:1:ff00::/64"))
    assert not places.refuses(ANNA, IPv6Network("2001:db8:2::/64"))


def test_there_are_so_many_in_all_also_after_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room_quotas, "PRIVATE_ROOMS_AT_MOST", 3)
    places = Places()
    for number in range(3):
        places.make(f"room{number}", claim_of(str(number)))
    places.begin(ANNA, BORIS)
    again = Places()
    again.rooms.merge(places.rooms.text())
    for each in (places, again):
        assert each.refuses()
        each.rooms.give_up("room1")
        assert not each.refuses()
