"""What an event says of the people in a room."""

from __future__ import annotations

from besedka.remote.room.events import PEOPLE_AT_MOST, people_after
from besedka.wire.frames import System


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
