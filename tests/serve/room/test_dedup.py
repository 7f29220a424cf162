"""The keys of recent messages: known until they are too many, of one room or of all."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.room import Draft, KeyMemory, Position, Tenant
from besedka.serve.room.dedup import Dedup
from besedka.wire.message import Message, MessageId
from tests.serve.faking import FakeSubscriber


def draft(key: str, user: str = "Anna", source: str = "", site: str = "10.0.0.1") -> Draft:
    return Draft(Message("", user, "text", key=key), source=Tenant(IPv4Address(site), source))


def at(number: int) -> Position:
    return Position(MessageId(number), 0, "")


def store(room: Dedup, number: int, key: str, source: str = "", site: str = "10.0.0.1") -> None:
    """Post a message, and have it stored with this id."""
    admitted = room.admit(draft(key, source=source, site=site), FakeSubscriber())
    assert isinstance(admitted, Draft)
    room.stored(admitted, at(number))


def test_of_all_rooms_together_the_oldest_key_is_forgotten() -> None:
    memory = KeyMemory(limit=3)
    one, other = Dedup(memory), Dedup(memory)
    for room, number, key in [(one, 1, "a"), (other, 1, "b"), (one, 2, "c"), (other, 2, "d")]:
        store(room, number, key)
    assert len(memory) == 3
    assert [one.knows("Anna", key) for key in "ac"] == [False, True]
    assert [other.knows("Anna", key) for key in "bd"] == [True, True]
    assert not one.has_key(1)
    assert one.keys_of("Anna", [1, 2]) == {2: "c"}


def test_a_source_that_posts_much_makes_its_own_keys_be_forgotten_and_nobody_elses() -> None:
    memory = KeyMemory(limit=100)
    one, other = Dedup(memory), Dedup(memory)
    for number in range(1, 5):
        store(one, number, f"a{number}", "honest")
        store(other, number, f"b{number}", "another")
    for number in range(5, 1_000):
        store(one, number, f"c{number}", "many")
        store(other, number, f"d{number}", f"many {number % 5}")
    assert len(memory) == 100
    for number in range(1, 5):
        assert one.knows("Anna", f"a{number}")
        assert other.knows("Anna", f"b{number}")
    assert one.knows("Anna", "c999")


def test_thousands_of_claims_of_one_site_make_nobody_elsewhere_lose_a_key() -> None:
    memory = KeyMemory(limit=1_000)
    room = Dedup(memory)
    for number in range(300):
        store(room, number + 1, f"bot-{number}", "bot", "10.0.0.2")
    for number in range(5_000):
        store(room, number + 301, f"flood-{number}", f"claim {number // 2}")
    assert len(memory) == 1_000
    assert all(room.knows("Anna", f"bot-{number}") for number in range(300))
    assert room.knows("Anna", "flood-4999")


def test_within_a_site_a_claim_with_many_keys_loses_its_own_first() -> None:
    memory = KeyMemory(limit=100)
    room = Dedup(memory)
    store(room, 1, "other site", "Boris", "10.0.0.2")
    for number in range(2, 12):
        store(room, number, f"pupil-{number}", f"claim {number}")
    for number in range(12, 500):
        store(room, number, f"many-{number}", "many")
    assert room.knows("Anna", "other site")
    assert all(room.knows("Anna", f"pupil-{number}") for number in range(2, 12))
    assert not room.knows("Anna", "many-12")


@pytest.mark.parametrize("sites", [1, 7, 256])
def test_keys_that_no_source_has_many_of_are_forgotten_as_well(sites: int) -> None:
    memory = KeyMemory(limit=50)
    room = Dedup(memory)
    for number in range(1, 300):
        store(room, number, f"a{number}", f"source {number}", f"10.0.0.{number % sites}")
        assert len(memory) <= 50
    room.forget_log()
    assert len(memory) == 0
    assert memory.sources == 0


def test_a_key_of_a_message_that_is_being_stored_is_never_forgotten() -> None:
    memory = KeyMemory(limit=1)
    room = Dedup(memory)
    waiting = room.admit(draft("waiting"), FakeSubscriber())
    for number, key in enumerate("abc", 1):
        store(room, number, key)
    assert room.knows("Anna", "waiting")
    assert room.admit(draft("waiting"), FakeSubscriber()) is None
    assert isinstance(waiting, Draft)
    assert len(room.stored(waiting, at(4))) == 2


def test_a_room_that_is_closed_takes_its_keys_along() -> None:
    memory = KeyMemory()
    closed, other = Dedup(memory), Dedup(memory)
    for number, key in enumerate("abc", 1):
        store(closed, number, key)
        store(other, number, key)
    closed.forget_log()
    assert len(memory) == 3
    assert not closed.knows("Anna", "a")
    assert other.knows("Anna", "a")


@given(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from("abcdef"), st.booleans(), st.sampled_from(["", "x"]))
    ),
    st.integers(1, 5),
)
def test_what_is_known_by_key_and_by_id_is_the_same(
    what: list[tuple[int, str, bool, str]], limit: int
) -> None:
    memory = KeyMemory(limit)
    rooms = [Dedup(memory) for _ in range(3)]
    for number, (room, key, is_found, source) in enumerate(what, 1):
        if is_found:
            rooms[room].found(draft(key, source=source), at(number))
        elif not rooms[room].knows("Anna", key):
            store(rooms[room], number, key, source)
    for one in rooms:
        known = {key for key in "abcdef" if one.knows("Anna", key)}
        assert known == {*one.keys_of("Anna", range(1, len(what) + 1)).values()}
    assert len(memory) <= limit
