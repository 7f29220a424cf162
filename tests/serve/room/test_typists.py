"""The people who type in a room: one pause for a person, whatever they do with their connections; no memory without bound."""

from __future__ import annotations

from besedka.serve.people.person import Person
from besedka.serve.room.typists import (
    TYPING_RELAYED_SECONDS,
    TYPISTS_REMEMBERED,
    TYPISTS_REPORTED,
    Typists,
)
from tests.serve.faking import FakeSubscriber


def names(typists: Typists) -> list[str]:
    return [typist.person.name for typist in typists.take()]


def test_a_person_is_reported_once_a_second() -> None:
    typists, anna = Typists(), FakeSubscriber("Anna")
    added = [typists.add(anna, now) for now in (10.0, 10.5, 10.9, 11.1)]
    assert added == [True, False, False, True]
    assert names(typists) == ["Anna"]


def test_leaving_joining_again_another_connection_and_another_name_do_not_shorten_the_pause() -> None:
    typists, anna = Typists(), FakeSubscriber("Anna")
    assert typists.add(anna, 10.0)
    typists.leave(anna)
    again, renamed = FakeSubscriber("Anna"), FakeSubscriber("Anna")
    renamed.person = Person("Vera", identity=anna.person.identity)
    assert not typists.add(again, 10.1)
    assert not typists.add(renamed, 10.2)
    assert names(typists) == []
    assert typists.add(renamed, 10.0 + TYPING_RELAYED_SECONDS)
    typists.leave(again)
    assert names(typists) == ["Vera"]


def test_whoever_has_posted_types_no_more_and_may_type_again_at_once() -> None:
    typists, anna = Typists(), FakeSubscriber("Anna")
    typists.add(anna, 10.0)
    typists.post(anna)
    assert names(typists) == []
    assert typists.add(anna, 10.1)
    assert names(typists) == ["Anna"]


def test_of_a_crowd_the_latest_are_reported_and_so_many_are_remembered() -> None:
    typists = Typists()
    crowd = [FakeSubscriber(f"n{number}") for number in range(TYPISTS_REMEMBERED + 1)]
    for typist in crowd:
        assert typists.add(typist, 10.0)
    assert names(typists) == [typist.person.name for typist in crowd[-TYPISTS_REPORTED:]]
    assert not typists.add(crowd[1], 10.5)
    assert typists.add(crowd[0], 10.5)  # forgotten
