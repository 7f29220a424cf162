"""How many invitations there may be: of one person, from one address, from one IPv6 site, in all."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Network

import pytest

from besedka.serve.limits.networks import Network
from besedka.serve.people.invitations import (
    INVITATIONS_AT_MOST,
    INVITATIONS_OF_ONE_AT_MOST,
    INVITATIONS_OF_ROOM_AT_MOST,
    INVITATIONS_OF_SITE_AT_MOST,
    INVITATIONS_OF_SOURCE_AT_MOST,
    Invitations,
)
from besedka.serve.people.names import claim_of
from besedka.wire.errors import ErrorCode, Language, Refused

HOUR = 3600
ROOMS = INVITATIONS_OF_ROOM_AT_MOST
ADDRESS, OTHER = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")


def make(
    invitations: Invitations, number: int, by: str = "", source: Network | None = None, now: int = 0
) -> str:
    """One of many invitations, each by another person if none is given."""
    room, name = f"room{number // ROOMS}", by or f"Name {number // ROOMS}"
    made = invitations.make(
        "room", room, name, now, uses=1, seconds=HOUR, claim=claim_of(name), network=source
    )
    return made[0]


def admit(invitations: Invitations, name: str) -> str:
    """An invitation by the operator."""
    return invitations.make("name", name, "operator", 0, uses=1, seconds=HOUR)[0]


def refused(invitations: Invitations, by: str = "", source: Network | None = None) -> str:
    with pytest.raises(Refused) as refusal:
        make(invitations, INVITATIONS_AT_MOST, by, source)
    assert refusal.value.code is ErrorCode.NOT_ALLOWED
    return refusal.value.sentence(Language.EN)


def test_a_person_may_have_so_many_in_all_their_rooms() -> None:
    invitations = Invitations()
    for number in range(INVITATIONS_OF_ONE_AT_MOST):
        make(invitations, number, "Anna")
    assert f"{INVITATIONS_OF_ONE_AT_MOST} invitations are still unused; revoke them first" in refused(
        invitations, by="Anna"
    )
    make(invitations, 0, "Boris", now=2 * HOUR)
    invitations.revoke_all("room", "room1")
    make(invitations, INVITATIONS_AT_MOST, "Anna")


def test_an_address_has_its_share_and_gets_it_back() -> None:
    invitations = Invitations()
    for number in range(INVITATIONS_OF_SOURCE_AT_MOST):
        make(invitations, number, source=ADDRESS)
    refused(invitations, source=ADDRESS)
    make(invitations, INVITATIONS_AT_MOST, source=OTHER)
    make(invitations, INVITATIONS_AT_MOST)
    invitations.revoke_all("room", "room0")
    make(invitations, INVITATIONS_AT_MOST, source=ADDRESS)
    # Only what the server knows of counts, also after the file was edited.
    invitations.appended(invitations.take_changes())
    invitations.merge("# somebody has emptied it\n")
    for number in range(INVITATIONS_OF_SOURCE_AT_MOST):
        make(invitations, number, source=ADDRESS)


def test_of_too_many_those_that_have_ended_go_first() -> None:
    invitations = Invitations()
    first = make(invitations, 0)
    for number in range(1, INVITATIONS_AT_MOST):
        make(invitations, number, now=HOUR // 2)
    refused(invitations)
    assert invitations.find(first, "room", "room0", 0)
    last = make(invitations, INVITATIONS_AT_MOST, now=HOUR)
    assert not invitations.find(first, "room", "room0", 0)
    assert invitations.find(last, "room", f"room{INVITATIONS_AT_MOST // ROOMS}", HOUR)
    assert len([*invitations.rows()]) == INVITATIONS_AT_MOST


def test_a_person_with_many_names_has_one_share() -> None:
    invitations = Invitations()
    for number in range(INVITATIONS_OF_ONE_AT_MOST):
        invitations.make("room", f"room{number}", f"Name {number}", 0, uses=1, seconds=HOUR, claim="a" * 64)
    again = Invitations()
    again.merge(invitations.text())
    for table in (invitations, again):
        with pytest.raises(Refused):
            table.make("room", "other", "Another", 0, uses=1, seconds=HOUR, claim="a" * 64)
        table.make("room", "other", "Another", 0, uses=1, seconds=HOUR, claim="b" * 64)


def test_rows_of_older_versions_which_name_no_claim_are_valid() -> None:
    invitations = Invitations()
    token = make(invitations, 0)
    again = Invitations()
    again.merge("".join(line.rpartition("\t")[0] + "\n" for line in invitations.text().splitlines()))
    offer = again.find(token, "room", "room0", 0)
    assert offer
    assert offer.claim == ""
    again.use(offer)
    assert not again.find(token, "room", "room0", 0)


def test_all_networks_of_an_ipv6_site_have_twice_the_share_of_an_address() -> None:
    invitations = Invitations()
    networks = [*IPv6Network("2001:db8:1::/56").subnets(new_prefix=64)]
    for number in range(INVITATIONS_OF_SITE_AT_MOST):
        make(invitations, number, source=networks[number % len(networks)])
    assert INVITATIONS_OF_SITE_AT_MOST == 2 * INVITATIONS_OF_SOURCE_AT_MOST
    refused(invitations, source=networks[0])
    refused(invitations, source=IPv6Network("2001:db8:1:ff00::/64"))
    make(invitations, INVITATIONS_AT_MOST, source=IPv6Network("2001:db8:2::/64"))


def test_the_operators_take_the_place_of_the_oldest_of_those_who_have_the_most() -> None:
    invitations = Invitations()
    kept = [admit(invitations, f"Guest {number}") for number in range(INVITATIONS_OF_ONE_AT_MOST + 1)]
    few = make(invitations, 10**6, source=OTHER)
    networks = [*IPv6Network("2001:db8:1::/56").subnets(new_prefix=64)]
    many = [make(invitations, number, source=networks[number % 256]) for number in range(2_000)]
    number = 10**7
    while len([*invitations.rows()]) < INVITATIONS_AT_MOST:
        number += ROOMS
        make(invitations, number)
    refused(invitations)
    token = admit(invitations, "Late")
    assert invitations.find(token, "name", "Late", 0)
    assert not invitations.find(many[0], "room", "room0", 0)
    assert invitations.find(many[1], "room", "room0", 0)
    assert invitations.find(few, "room", f"room{10**6 // ROOMS}", 0)
    assert all(invitations.find(kept[number], "name", f"Guest {number}", 0) for number in range(len(kept)))
    assert len([*invitations.rows()]) == INVITATIONS_AT_MOST
