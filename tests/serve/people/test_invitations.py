"""How many invitations there may be: of one person, from one address, in all."""

from __future__ import annotations

import pytest

from besedka.serve.people.invitations import (
    INVITATIONS_AT_MOST,
    INVITATIONS_OF_ONE_AT_MOST,
    INVITATIONS_OF_ROOM_AT_MOST,
    INVITATIONS_OF_SOURCE_AT_MOST,
    Invitations,
)
from besedka.wire.errors import ErrorCode, Language, Refused

HOUR = 3600
ROOMS = INVITATIONS_OF_ROOM_AT_MOST


def make(invitations: Invitations, number: int, by: str = "", source: str = "", now: int = 0) -> str:
    """One of many invitations, each by another person if none is given."""
    room, name = f"room{number // ROOMS}", by or f"Name {number // ROOMS}"
    return invitations.make("room", room, name, now, uses=1, seconds=HOUR, source=source)[0]


def refused(invitations: Invitations, by: str = "", source: str = "") -> str:
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
        make(invitations, number, source="192.0.2.1")
    refused(invitations, source="192.0.2.1")
    make(invitations, INVITATIONS_AT_MOST, source="192.0.2.2")
    make(invitations, INVITATIONS_AT_MOST)
    invitations.revoke_all("room", "room0")
    make(invitations, INVITATIONS_AT_MOST, source="192.0.2.1")
    # Only what the server knows of counts, also after the file was edited.
    invitations.appended(invitations.take_changes())
    invitations.merge("# somebody has emptied it\n")
    for number in range(INVITATIONS_OF_SOURCE_AT_MOST):
        make(invitations, number, source="192.0.2.1")


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
