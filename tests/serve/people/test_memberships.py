"""Members of rooms, and the right to enter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.people.invitations import INVITATIONS_OF_ROOM_AT_MOST, Invitations
from besedka.serve.people.memberships import (
    PrivateRooms,
    Role,
    direct_room,
)
from besedka.serve.people.names import KnownNames, Names, claim_of
from besedka.serve.people.policy import Policy
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.frames import Kind
from besedka.wire.validation import clean_room

ANNA, BORIS, EVE = (claim_of(name) for name in ("Anna", "Boris", "Eve"))
CLAIMS = st.sampled_from([ANNA, BORIS, EVE])
ROOMS = st.sampled_from(["plans", "тайны", "x"])
HOUR = 3600


def policy(mode: Names = Names.CLAIMED) -> Policy:
    return Policy(KnownNames(mode, "2025-11-19 10:00:00"), PrivateRooms(), Invitations())


def code(ask: object) -> ErrorCode:
    assert callable(ask)
    with pytest.raises(Refused) as refusal:
        ask()
    return refusal.value.code


@given(CLAIMS, CLAIMS)
def test_a_talk_of_two_has_one_room_whoever_begins(one: str, other: str) -> None:
    assert direct_room(one, other) == direct_room(other, one) == clean_room(direct_room(one, other))


@given(st.lists(st.tuples(ROOMS, CLAIMS, st.booleans()), max_size=20))
def test_what_is_written_of_rooms_is_read_again(acts: list[tuple[str, str, bool]]) -> None:
    rooms = PrivateRooms()
    for room, claim, comes in acts:
        if not comes:
            rooms.remove_member(room, claim)
        elif rooms.kind(room) is Kind.OPEN:
            rooms.open_private(room, "Anna", claim)
        else:
            rooms.add_member(room, "Boris", claim)
    again = PrivateRooms()
    again.merge(rooms.text())
    assert [*again.rows()] == [*rooms.rows()]
    for claim in (ANNA, BORIS, EVE):
        assert again.of(claim) == rooms.of(claim)


def test_only_members_enter_a_private_room() -> None:
    rules = policy()
    rules.check_room("plans", "")
    rules.rooms.open_private("plans", "Anna", ANNA)
    rules.check_room("plans", ANNA)
    for claim in (EVE, ""):
        assert code(lambda claim=claim: rules.check_room("plans", claim)) is ErrorCode.NOT_INVITED
        assert not rules.lists("plans", claim)
    assert rules.lists("plans", ANNA)
    assert rules.may_invite("plans", ANNA)
    rules.rooms.add_member("plans", "Boris", BORIS)
    rules.check_room("plans", BORIS)
    assert not rules.may_invite("plans", BORIS)
    rules.rooms.remove_member("plans", BORIS)
    assert code(lambda: rules.check_room("plans", BORIS)) is ErrorCode.NOT_INVITED


def test_a_room_whose_last_member_was_removed_stays_private() -> None:
    rooms = PrivateRooms()
    rooms.open_private("plans", "Anna", ANNA)
    rooms.remove_member("plans", ANNA)
    assert rooms.kind("plans") is Kind.PRIVATE


def test_a_line_that_is_not_understood_opens_no_room() -> None:
    rules = policy()
    rules.rooms.merge(f"plans\townr\tAnna\t{ANNA}\n# tea\towner\tAnna\t{ANNA}\n")
    assert code(lambda: rules.check_room("plans", EVE)) is ErrorCode.NOT_INVITED
    assert rules.rooms.strange == [1]
    rules.check_room("tea", EVE)


def test_a_talk_of_two_is_theirs() -> None:
    rules = policy()
    room = rules.rooms.open_direct(("Anna", ANNA), ("Boris", BORIS))
    assert rules.rooms.kind(room) is Kind.DIRECT
    assert rules.rooms.open_direct(("Boris", BORIS), ("Anna", ANNA)) == room
    peer = rules.rooms.peer(room, ANNA)
    assert peer is not None
    assert (peer.name, peer.role) == ("Boris", Role.ASKED)
    assert code(lambda: rules.check_room(room, EVE)) is ErrorCode.NOT_INVITED
    assert code(lambda: rules.check_room("direct-0123456789abcdef", ANNA)) is ErrorCode.BAD_ROOM
    assert not rules.may_invite(room, ANNA)


def test_an_invitation_is_for_one_thing_so_often_and_so_long() -> None:
    rules = policy()
    rules.rooms.open_private("plans", "Anna", ANNA)
    token, offer = rules.invitations.make("room", "plans", "Anna", 0, uses=2, seconds=HOUR)
    assert offer.token not in token
    rules.check_room("plans", EVE, token, HOUR - 1)
    for room, claim, invite, now in (
        ("plans", EVE, token, HOUR),
        ("plans", EVE, token + "x", 0),
        ("plans", "", token, 0),
    ):
        assert (
            code(lambda r=room, c=claim, i=invite, n=now: rules.check_room(r, c, i, n)) is ErrorCode.BAD_LINK
        )
    assert rules.invitations.find(token, "room", "secrets", 0) is None
    assert rules.invitations.find(token, "name", "plans", 0) is None
    for _ in range(2):
        found = rules.invitations.find(token, "room", "plans", 0)
        assert found
        rules.invitations.use(found)
    assert rules.invitations.find(token, "room", "plans", 0) is None


def test_invitations_are_taken_back_together() -> None:
    invitations = Invitations()
    tokens = [invitations.make("room", "plans", "Anna", 0, uses=1, seconds=HOUR)[0] for _ in range(3)]
    other, _ = invitations.make("room", "tea", "Anna", 0, uses=1, seconds=HOUR)
    assert len(invitations.revoke_all("room", "plans")) == 3
    assert not any(invitations.find(token, "room", "plans", 0) for token in tokens)
    assert invitations.find(other, "room", "tea", 0)


def test_old_invitations_make_place_for_new_ones() -> None:
    invitations = Invitations()
    for _ in range(INVITATIONS_OF_ROOM_AT_MOST):
        invitations.make("room", "plans", "Anna", 0, uses=1, seconds=HOUR)
    assert (
        code(lambda: invitations.make("room", "plans", "Anna", 1, uses=1, seconds=1)) is ErrorCode.NOT_ALLOWED
    )
    # Those that have ended by the clock alone are kept, because it may be wrong; but not more and more of them.
    for number in range(2 * INVITATIONS_OF_ROOM_AT_MOST):
        invitations.make("room", "plans", "Anna", HOUR + number, uses=1, seconds=1)
    assert len([*invitations.rows()]) == INVITATIONS_OF_ROOM_AT_MOST + 1
    invitations.forget(0)
    assert len([*invitations.rows()]) == INVITATIONS_OF_ROOM_AT_MOST + 1
    invitations.forget(2 * HOUR)
    assert not [*invitations.rows()]


def test_a_room_that_is_given_up_stays_private_and_may_be_created_anew() -> None:
    rooms = PrivateRooms()
    rooms.open_private("plans", "Anna", ANNA)
    rooms.add_member("plans", "Boris", BORIS)
    rooms.note_recorded("plans")
    assert code(lambda: rooms.check_private("plans")) is ErrorCode.ROOM_TAKEN
    assert (rooms.count(Kind.PRIVATE), rooms.count_made(Kind.PRIVATE, ANNA)) == (1, 1)
    assert len(rooms.give_up("plans")) == 2
    assert (rooms.count(Kind.PRIVATE), rooms.count_made(Kind.PRIVATE, ANNA)) == (0, 0)
    assert rooms.kind("plans") is Kind.PRIVATE
    assert rooms.of(BORIS) == []
    rooms.open_private("plans", "Eve", EVE)
    assert rooms.membership("plans", ANNA) is None


def test_only_who_is_known_or_awaited_comes_into_an_invited_chat() -> None:
    rules = policy(Names.INVITED)
    assert code(lambda: rules.check_chat(ANNA, "Anna")) is ErrorCode.NOT_KNOWN
    token, _ = rules.invitations.make("name", "Anna", "operator", 0, uses=1, seconds=HOUR)
    rules.check_chat(ANNA, "Anna", token, 0)
    assert code(lambda: rules.check_chat("", "Anna", token, 0)) is ErrorCode.NOT_KNOWN
    assert code(lambda: rules.check_chat(EVE, "Eve", token, 0)) is ErrorCode.NOT_KNOWN
    rules.names.take("Anna", ANNA, "2025-11-19 10:00:00")
    rules.check_chat(ANNA)
    policy().check_chat("")


@given(st.text())
def test_any_text_is_read_as_rooms_and_invitations(text: str) -> None:
    for table in (PrivateRooms(), Invitations()):
        table.merge(text)
