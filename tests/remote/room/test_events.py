"""Events of a room: the people in it, and the names of authors."""

from __future__ import annotations

from besedka.remote.room.events import PEOPLE_AT_MOST, ReceivedMessage, people_after
from besedka.wire.frames import System
from besedka.wire.message import Message


def test_those_who_leave_are_taken_out_and_those_who_join_come_last_and_once() -> None:
    change = System("main", "", "", 3, joined=["Clara", "Anna"], left=["Boris"])
    assert people_after(["Anna", "Boris", "Dora"], change) == ["Anna", "Dora", "Clara"]


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
