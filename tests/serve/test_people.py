"""Who may have which name."""

from __future__ import annotations

import pytest

from besedka.serve.people import People
from besedka.wire.refusals import Code, Refused


def test_a_name_and_what_looks_like_it_belongs_to_one_person() -> None:
    people = People()
    people.come("Paul", "secret")
    for name in ("Paul", "paul", "PAUL", "Pаul", "Ｐaul"):
        with pytest.raises(Refused) as refusal:
            people.come(name, "another secret")
        assert refusal.value.code is Code.NAME_TAKEN
    people.come("Paula")


def test_the_same_secret_is_the_same_person() -> None:
    people = People()
    assert people.come("Anna", "secret") is people.come("Anna", "secret")


def test_no_secret_is_nobodys_secret() -> None:
    people = People()
    people.come("Anna")
    with pytest.raises(Refused):
        people.come("Anna")


def test_a_name_is_free_after_its_last_use() -> None:
    people = People()
    person = people.come("Anna", "secret")
    people.come("Anna", "secret")
    people.go(person)
    with pytest.raises(Refused):
        people.come("Anna", "other")
    people.go(person)
    assert people.come("Anna", "other") is not person


def test_a_secret_may_hold_any_character() -> None:
    people = People()
    people.come("Anna", "тайна")
    assert people.come("Anna", "тайна").uses == 2
    with pytest.raises(Refused):
        people.come("Anna", "secret")
