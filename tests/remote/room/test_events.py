"""Events of a room: the people in it, and the names of authors."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from besedka.remote.room.events import PEOPLE_AT_MOST, ReceivedMessage, people_after
from besedka.wire.frames import System
from besedka.wire.message import Message

NAMES = st.lists(st.sampled_from("abcdefgh"), unique=True)


def test_those_who_leave_are_taken_out_and_those_who_join_come_last_and_once() -> None:
    change = System("main", "", "", 3, joined=["Clara", "Anna"], left=["Boris"])
    assert people_after(["Anna", "Boris", "Dora"], change) == ["Anna", "Dora", "Clara"]


@given(NAMES, NAMES, NAMES)
def test_those_who_left_are_gone_and_those_who_joined_are_there_once(
    people: list[str], joined: list[str], left: list[str]
) -> None:
    after = people_after(people, System("main", "", "12:00:00", 1, joined, left))
    assert set(after) == (set(people) - set(left)) | set(joined)
    assert len(after) == len(set(after))


def test_a_full_list_replaces_the_one_so_far() -> None:
    assert people_after(["Anna"], System("main", "", "", 1, [], [], users=["Boris"])) == ["Boris"]


def test_no_more_names_are_kept_than_fit_however_many_join() -> None:
    people: list[str] = []
    for number in range(10):
        joined = [f"{number} {index}" for index in range(PEOPLE_AT_MOST)]
        people = people_after(people, System("main", "", "", 1, joined, []))
    assert len(people) == PEOPLE_AT_MOST
    assert people[0] == "0 0"


def test_the_name_that_is_shown_says_whether_it_is_unverified() -> None:
    for unverified, shown in ((False, "Anna"), (True, "Anna?")):
        message = ReceivedMessage(Message("2026-01-01 12:00:00", "Anna", "x", unverified=unverified))
        assert message.display_name == shown
