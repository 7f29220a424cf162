"""The keys of recent messages: known until they are too many, of one room or of all."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.room import Draft, KeyMemory, Position
from besedka.serve.room import dedup as dedup_module
from besedka.serve.room.dedup import Dedup
from besedka.wire.message import Message, MessageId
from tests.serve.faking import FakeSubscriber


def draft(key: str, user: str = "Anna") -> Draft:
    return Draft(Message("", user, "text", key=key))


def at(number: int) -> Position:
    return Position(MessageId(number), 0, "")


def store(room: Dedup, number: int, key: str) -> None:
    """Post a message, and have it stored with this id."""
    admitted = room.admit(draft(key), FakeSubscriber())
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


def test_of_one_room_the_oldest_key_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dedup_module, "KEYS_OF_ROOM_AT_MOST", 2)
    memory = KeyMemory()
    room, quiet = Dedup(memory), Dedup(memory)
    store(quiet, 1, "a")
    for number, key in enumerate("abc", 1):
        store(room, number, key)
    assert [room.knows("Anna", key) for key in "abc"] == [False, True, True]
    assert quiet.knows("Anna", "a")
    assert len(memory) == 3


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


@given(st.lists(st.tuples(st.integers(0, 2), st.sampled_from("abcdef"), st.booleans())), st.integers(1, 5))
def test_what_is_known_by_key_and_by_id_is_the_same(what: list[tuple[int, str, bool]], limit: int) -> None:
    memory = KeyMemory(limit)
    rooms = [Dedup(memory) for _ in range(3)]
    for number, (room, key, is_found) in enumerate(what, 1):
        if is_found:
            rooms[room].found(draft(key), at(number))
        elif not rooms[room].knows("Anna", key):
            store(rooms[room], number, key)
    for one in rooms:
        known = {key for key in "abcdef" if one.knows("Anna", key)}
        assert known == {*one.keys_of("Anna", range(1, len(what) + 1)).values()}
    assert len(memory) <= limit
