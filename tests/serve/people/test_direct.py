"""The rules of direct messages, and blocks as a table."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.limits.networks import NOWHERE, THIS_MACHINE, Origin
from besedka.serve.people.blocks import BLOCKS_OF_ONE_AT_MOST, Blocks
from besedka.serve.people.direct import (
    ASKED_AT_MOST,
    BEGUN_BY_ADDRESS,
    BEGUN_BY_ADDRESS_WITH_ONE,
    BEGUN_BY_PERSON,
    BEGUN_BY_SITE,
    BEGUN_BY_SITE_WITH_ONE,
    BEGUN_SECONDS,
    BUCKETS_KEPT,
    DirectRules,
)
from besedka.serve.people.memberships import PrivateRooms, Role, direct_room
from besedka.serve.people.names import Known, claim_of
from besedka.wire.errors import ErrorCode, Refused

ANNA, BORIS, EVE = (claim_of(name) for name in ("Anna", "Boris", "Eve"))
ADDRESS = Origin(1, IPv4Address("192.0.2.7"))


def rules() -> DirectRules:
    return DirectRules(PrivateRooms(), Blocks())


def code(ask: object) -> ErrorCode:
    assert callable(ask)
    with pytest.raises(Refused) as refusal:
        ask()
    return refusal.value.code


def begin(rooms: PrivateRooms, name: str, other: str = ANNA) -> str:
    return rooms.open_direct((name, claim_of(name)), ("Somebody", other))


def test_strangers_are_refused_until_a_person_has_answered_or_blocked_some() -> None:
    rooms, blocks = PrivateRooms(), Blocks()
    direct = DirectRules(rooms, blocks)
    anna = Known("Anna", ANNA)
    begun = [begin(rooms, f"P{number}") for number in range(ASKED_AT_MOST)]
    assert direct.unanswered(ANNA) == begun
    assert code(lambda: direct.check_open(EVE, anna)) is ErrorCode.NOT_ACCEPTED
    direct.check_open(claim_of("P0"), anna)
    direct.note_answer(begun[3], ANNA)
    assert direct.unanswered(ANNA) == begun[:3] + begun[4:]
    direct.check_open(EVE, anna)
    begin(rooms, "Eve")
    blocks.block(ANNA, claim_of("P5"), "P5")
    assert begun[5] not in direct.unanswered(ANNA)
    direct.check_open(BORIS, anna)
    membership = rooms.membership(begun[3], ANNA)
    assert membership is not None
    assert membership.role is Role.MEMBER
    again = PrivateRooms()
    again.merge(rooms.text())
    assert DirectRules(again, blocks).unanswered(ANNA) == direct.unanswered(ANNA)


def test_a_block_holds_in_their_direct_room_only_and_in_one_direction() -> None:
    rooms, blocks = PrivateRooms(), Blocks()
    direct = DirectRules(rooms, blocks)
    room = begin(rooms, "Boris")
    rooms.open_private("plans", "Anna", ANNA)
    blocks.block(ANNA, BORIS, "Boris")
    assert code(lambda: direct.check_post(room, BORIS)) is ErrorCode.NOT_ACCEPTED
    assert not direct.delivers(room, BORIS)
    for other, claim in ((room, ANNA), ("plans", BORIS), ("main", BORIS), ("main", "")):
        direct.check_post(other, claim)
        assert direct.delivers(other, claim)
    assert code(lambda: direct.check_open(BORIS, Known("Anna", ANNA))) is ErrorCode.NOT_ACCEPTED
    assert code(lambda: direct.check_open(ANNA, Known("Boris", BORIS))) is ErrorCode.NOT_ALLOWED
    direct.check_open(BORIS, Known("Eve", EVE))


def test_a_person_begins_twenty_rooms_at_once_and_then_one_every_three_minutes() -> None:
    direct = rules()
    for number in range(BEGUN_BY_PERSON):
        direct.charge_open(0.0, EVE, claim_of(f"P{number}"), NOWHERE)
    with pytest.raises(Refused) as refusal:
        direct.charge_open(0.0, EVE, ANNA, NOWHERE)
    assert refusal.value.code is ErrorCode.NOT_ALLOWED
    assert refusal.value.wait == pytest.approx(BEGUN_SECONDS / BEGUN_BY_PERSON)
    direct.charge_open(BEGUN_SECONDS / BEGUN_BY_PERSON, EVE, ANNA, NOWHERE)
    direct.charge_open(0.0, BORIS, ANNA, NOWHERE)


@pytest.mark.parametrize(("is_one", "count"), [(False, BEGUN_BY_ADDRESS), (True, BEGUN_BY_ADDRESS_WITH_ONE)])
def test_the_people_of_one_address_begin_so_many_together(is_one: bool, count: int) -> None:
    direct = rules()
    for number in range(count):
        other = ANNA if is_one else claim_of(f"Q{number}")
        direct.charge_open(0.0, claim_of(f"P{number}"), other, ADDRESS)
    assert code(lambda: direct.charge_open(0.0, EVE, ANNA, ADDRESS)) is ErrorCode.NOT_ALLOWED
    for origin in (NOWHERE, Origin(2, THIS_MACHINE), Origin(3, IPv4Address("192.0.2.8"))):
        direct.charge_open(0.0, EVE, ANNA, origin)


@pytest.mark.parametrize(("is_one", "count"), [(False, BEGUN_BY_SITE), (True, BEGUN_BY_SITE_WITH_ONE)])
def test_the_people_of_one_ipv6_site_begin_so_many_together(is_one: bool, count: int) -> None:
    direct = rules()
    subnets = [Origin(1, one) for one in IPv6Network("2001:db8:1::/56").subnets(new_prefix=64)]
    for number in range(count):
        other = ANNA if is_one else claim_of(f"Q{number}")
        direct.charge_open(0.0, claim_of(f"P{number}"), other, subnets[number % 256])
    assert count < ASKED_AT_MOST or not is_one
    for origin in (subnets[255], Origin(1, IPv6Network("2001:db8:1:ff00::/64"))):
        assert code(lambda origin=origin: direct.charge_open(0.0, EVE, ANNA, origin)) is ErrorCode.NOT_ALLOWED
    direct.charge_open(0.0, EVE, ANNA, Origin(3, IPv6Network("2001:db8:2::/64")))


def test_a_room_that_is_being_begun_counts_and_costs_nothing_if_that_fails() -> None:
    rooms = PrivateRooms()
    direct, anna = DirectRules(rooms, Blocks()), Known("Anna", ANNA)
    for number in range(ASKED_AT_MOST - 1):
        begin(rooms, f"P{number}")
    for _ in range(2 * BEGUN_BY_PERSON):
        direct.check_open(BORIS, anna)
        with suppress(OSError), direct.beginning(0.0, BORIS, ANNA, ADDRESS):
            assert code(lambda: direct.check_open(EVE, anna)) is ErrorCode.NOT_ACCEPTED
            raise OSError("the disk")
    direct.check_open(EVE, anna)


def test_a_room_that_is_open_costs_nothing_and_neither_does_a_refusal() -> None:
    rooms = PrivateRooms()
    direct = DirectRules(rooms, Blocks())
    begin(rooms, "Eve")
    for number in range(BEGUN_BY_PERSON):
        direct.charge_open(0.0, EVE, ANNA, NOWHERE)
        direct.charge_open(0.0, EVE, claim_of(f"P{number}"), NOWHERE)
    for _ in range(100):
        assert code(lambda: direct.charge_open(0.0, EVE, BORIS, ADDRESS)) is ErrorCode.NOT_ALLOWED
    for number in range(BEGUN_BY_ADDRESS_WITH_ONE):
        direct.charge_open(0.0, claim_of(f"Q{number}"), BORIS, ADDRESS)


def test_ever_new_people_who_begin_rooms_take_no_memory() -> None:
    direct = rules()
    for number in range(5 * BUCKETS_KEPT):
        direct.charge_open(number * BEGUN_SECONDS, claim_of(f"P{number}"), ANNA, NOWHERE)
    assert len(direct._begun) <= BUCKETS_KEPT + 1  # noqa: SLF001 - that it is forgotten cannot be seen from outside


def test_nobody_blocks_more_people_than_they_may() -> None:
    blocks = Blocks()
    for number in range(BLOCKS_OF_ONE_AT_MOST):
        blocks.block(ANNA, claim_of(f"P{number}"), "P")
    blocks.block(ANNA, claim_of("P0"), "P")
    assert code(lambda: blocks.block(ANNA, BORIS, "Boris")) is ErrorCode.NOT_ALLOWED
    blocks.unblock(blocks.of(ANNA)[0])
    blocks.block(ANNA, BORIS, "Boris")
    blocks.block(EVE, BORIS, "Boris")


CLAIMS = st.sampled_from([ANNA, BORIS, EVE])


@given(st.lists(st.tuples(CLAIMS, CLAIMS, st.booleans()), max_size=20))
def test_blocks_are_read_as_they_were_written(acts: list[tuple[str, str, bool]]) -> None:
    blocks = Blocks()
    for by, claim, is_block in acts:
        if is_block:
            blocks.block(by, claim, "Somebody")
        else:
            for row in blocks.of(by)[:1]:
                blocks.unblock(row)
    again = Blocks()
    again.merge(blocks.text())
    assert [*again.rows()] == [*blocks.rows()]
    for claim in (ANNA, BORIS, EVE):
        assert again.of(claim) == blocks.of(claim)
        assert all(again.has_blocked(claim, row.claim) for row in again.of(claim))


@given(st.text())
def test_any_text_is_read_as_blocks(text: str) -> None:
    Blocks().merge(text)


def test_direct_rooms_keep_their_name_whoever_begins() -> None:
    assert begin(PrivateRooms(), "Boris") == direct_room(ANNA, BORIS)
