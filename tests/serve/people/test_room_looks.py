"""Rooms by what their names look like."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.people.room_looks import RoomLooks
from besedka.wire.errors import Refused
from besedka.wire.skeletons import skeletons
from besedka.wire.validation import clean_room


def rooms() -> st.SearchStrategy[str]:
    return st.text("aаoоlI1i0mrnс-", min_size=1, max_size=5).filter(is_room)


def is_room(given: str) -> bool:
    try:
        return clean_room(given) == given
    except Refused:
        return False


@given(st.lists(st.tuples(rooms(), st.booleans())), rooms())
def test_those_like_a_room_are_all_others_that_share_a_skeleton_with_it(
    changes: list[tuple[str, bool]], room: str
) -> None:
    looks, there = RoomLooks(), set[str]()
    for name, is_added in changes:
        (looks.add if is_added else looks.discard)(name)
        (there.add if is_added else there.discard)(name)
        assert (name in looks) is is_added
    assert looks.like(room) == {one for one in there - {room} if skeletons(one) & skeletons(room)}


@given(st.lists(rooms()))
def test_nothing_is_left_of_rooms_that_are_gone(names: list[str]) -> None:
    looks = RoomLooks(names)
    for name in names:
        looks.discard(name)
    assert not any(vars(looks).values())
