"""Names in use: which of them another person may take."""

from __future__ import annotations

import pytest

from besedka.serve.people.names import KnownNames, Names, claim_of
from besedka.serve.people.person import Person, PresentPeople
from besedka.wire.errors import ErrorCode, Refused

NOW = "2025-11-19 23:46:36"


class Here(PresentPeople):
    """People where names are open, who come with a secret."""

    def __init__(self, mode: Names = Names.OPEN) -> None:
        super().__init__(KnownNames(mode, NOW))

    def comes(self, name: str, secret: str = "", own: str = "") -> Person:
        return self.sign_in(name, claim_of(secret), own, NOW)


def test_an_open_name_and_what_looks_like_it_belongs_to_one_person() -> None:
    people = Here()
    people.comes("Paul", "secret")
    for name in ("Paul", "paul", "PAUL", "Pаul", "Ｐaul"):
        with pytest.raises(Refused) as refusal:
            people.comes(name, "another secret")
        assert refusal.value.code is ErrorCode.NAME_TAKEN
    people.comes("Paula")


@pytest.mark.parametrize("mode", Names)
def test_the_same_secret_is_the_same_person(mode: Names) -> None:
    people = Here(mode)
    if mode is Names.INVITED:
        with pytest.raises(Refused):
            people.comes("Anna", "secret")
        person = people.sign_in("Anna", claim_of("secret"), "", NOW, is_invited=True)
    else:
        person = people.comes("Anna", "secret")
    assert people.comes("Anna", "secret") is person
    assert person.uses == 2


@pytest.mark.parametrize("mode", [Names.OPEN, Names.CLAIMED])
def test_no_secret_is_nobodys_secret(mode: Names) -> None:
    people = Here(mode)
    people.comes("Anna")
    with pytest.raises(Refused):
        people.comes("Anna")


def test_connections_without_a_secret_may_have_something_else_in_common() -> None:
    people = Here()
    assert people.comes("Anna", own="a connection") is people.comes("Anna", own="a connection")
    with pytest.raises(Refused):
        people.comes("Anna", own="another")


def test_an_open_name_is_free_after_its_last_use() -> None:
    people = Here()
    person = people.comes("Anna", "secret")
    people.comes("Anna", "secret")
    people.sign_out(person, NOW)
    with pytest.raises(Refused):
        people.comes("Anna", "other")
    people.sign_out(person, NOW)
    assert people.comes("Anna", "other") is not person


def test_a_claimed_name_is_not_free_after_its_last_use() -> None:
    people = Here(Names.CLAIMED)
    people.sign_out(people.comes("Anna", "secret"), NOW)
    for secret in ("other", ""):
        with pytest.raises(Refused) as refusal:
            people.comes("Аnna", secret)
        assert refusal.value.code is ErrorCode.NAME_CLAIMED
    assert people.comes("ANNA", "secret").name == "Anna"


def test_who_shows_no_secret_is_unverified_where_names_are_held() -> None:
    people = Here(Names.CLAIMED)
    assert people.comes("Anna").is_unverified
    assert people.comes("Boris", "secret").is_verified
    assert not Here().comes("Anna").is_unverified
    assert not Here().comes("Anna", "secret").is_verified


def test_who_has_shown_nothing_and_goes_leaves_no_words_to_who_claims_the_name_in_the_same_second() -> None:
    people = Here(Names.CLAIMED)
    people.sign_out(people.comes("Anna"), NOW)
    with pytest.raises(Refused) as refusal:
        people.comes("anna", "secret")
    assert refusal.value.code is ErrorCode.NAME_TAKEN
    assert people.sign_in("Anna", claim_of("secret"), "", "2025-11-19 23:46:37").is_verified


def test_a_secret_may_hold_any_character() -> None:
    people = Here()
    people.comes("Anna", "тайна")
    assert people.comes("Anna", "тайна").uses == 2
    with pytest.raises(Refused):
        people.comes("Anna", "secret")
