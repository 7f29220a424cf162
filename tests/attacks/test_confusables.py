"""Looking like somebody else: names over the whole table of Unicode.

`make test` tries every code point that is confusable, invisible or has another spelling; a fiftieth of those that are unassigned,
private, Han or Hangul; and a fifth of the others. `make torture` (BESEDKA_TORTURE=1) tries all. The confusable ones are those of the
standard's published data (UTS #39), not of our table.
"""

from __future__ import annotations

import sys
import unicodedata
from collections import defaultdict
from functools import cache

import pytest
from confusable_homoglyphs.confusables import confusables_data
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.people.names import KnownNames, Names
from besedka.serve.people.person import Person, PresentPeople
from besedka.wire.errors import Refused
from besedka.wire.skeletons import skeletons
from besedka.wire.validation import clean_name
from tests.lengths import LONG, often

pytestmark = pytest.mark.xdist_group("confusables")  # what they all read is read once

RESERVED = ["System", "Система", "Besedka", "Беседка"]
NOW = "2025-11-19 23:46:36"
MARKS = "\u200e\u200f"

IGNORABLE = [
    *(0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), *range(0x200B, 0x2010)),
    *(*range(0x202A, 0x202F), *range(0x2060, 0x2070), 0x2800, 0x3164, *range(0xFE00, 0xFE10), 0xFEFF, 0xFFA0),
    *(*range(0xFFF0, 0xFFF9), *range(0x1BCA0, 0x1BCA4), *range(0x1D173, 0x1D17B), *range(0xE0000, 0xE1000)),
]
"""Default_Ignorable_Code_Point, and the blank Braille cell: nothing of them is seen."""

ONE_OF, ONE_OF_MANY = (1, 1) if LONG else (5, 50)


def is_one_of_many(character: str) -> bool:
    """Whether the characters around it are of the same kind, and there are ten thousands of them."""
    return unicodedata.category(character) in {"Cn", "Co", "Cs"} or unicodedata.name(
        character, ""
    ).startswith(("CJK UNIFIED", "CJK COMPATIBILITY", "HANGUL SYLLABLE", "TANGUT IDEOGRAPH"))


looks_of = cache(skeletons)


def is_sampled(character: str) -> bool:
    """Whether it stands for those around it."""
    return ord(character) % (ONE_OF_MANY if is_one_of_many(character) else ONE_OF) == 0


def spellings(name: str) -> set[str]:
    """It, and how else it can be written."""
    return {name, name.upper(), name.lower(), unicodedata.normalize("NFKC", name)}


@cache
def used(name: str) -> str:
    """The name as it would be used; empty if it is refused."""
    try:
        return clean_name(name)
    except Refused:
        return ""


@cache
def names_of_one_character() -> list[str]:
    """All that can be a name by itself."""
    return [name for name in map(used, characters()) if name]


@cache
def alike() -> list[set[str]]:
    """Letters and digits, by what the standard says that they look like."""
    classes: dict[str, set[str]] = {}
    for key, likes in confusables_data.items():
        for like in likes:
            one, other = key.strip(MARKS), like["c"].strip(MARKS)
            if all(len(each) == 1 and unicodedata.category(each)[0] in "LN" for each in (one, other)):
                both = classes.get(one, {one}) | classes.get(other, {other})
                classes.update(dict.fromkeys(both, both))
    return list({id(each): each for each in classes.values()}.values())


@cache
def characters() -> list[str]:
    """The table of Unicode."""
    special = set(map(chr, IGNORABLE)).union(*alike())
    table = map(chr, range(sys.maxunicode + 1))
    return [each for each in table if each in special or spellings(each) != {each} or is_sampled(each)]


def test_no_code_point_that_is_not_seen_stays_in_a_name() -> None:
    unseen = set(map(chr, IGNORABLE))
    for character in characters():
        if character in unseen or unicodedata.category(character)[0] in "CZ":
            assert used(f"Sys{character}tem") == "", ascii(character)


def test_no_character_that_looks_like_a_letter_of_the_servers_names_can_stand_for_it() -> None:
    tried = 0
    for name in RESERVED:
        for spelling in (name, name.lower(), name.upper()):
            for letter in set(spelling):
                for like in {like for likes in alike() if letter in likes for like in likes}:
                    assert used(spelling.replace(letter, like)) == "", (spelling, ascii(like))
                    tried += 1
    assert tried > 1_000


def test_letters_that_the_standard_calls_confusable_look_alike_to_us() -> None:
    plain = {name for name in names_of_one_character() if unicodedata.normalize("NFKD", name) == name}
    for likes in alike():
        looks: defaultdict[str, set[str]] = defaultdict(set)
        for name in likes & plain:
            for look in looks_of(name):
                looks[look].add(name)
        assert not likes & plain or max(map(len, looks.values())) == len(likes & plain), likes & plain


def test_a_character_looks_like_its_capital_and_its_small_letter() -> None:
    for name in names_of_one_character():
        for other in spellings(name):
            assert other == name or not used(other) or looks_of(name) & looks_of(other), (name, other)


def test_of_all_characters_no_two_that_look_alike_are_there_as_names_at_once() -> None:
    people = PresentPeople(KnownNames(Names.OPEN, NOW))
    there: dict[str, str] = {}
    for name in names_of_one_character():
        looks = looks_of(name)
        try:
            people.sign_in(name, "", "", NOW)
        except Refused:
            assert any(look in there for look in looks), ascii(name)
        else:
            assert not any(look in there for look in looks), ascii(name)
            there.update(dict.fromkeys(looks, name))
    assert 5_000 < len(set(there.values())) < len(names_of_one_character())


@often(100)
@given(
    st.lists(st.tuples(st.text("aAаАеeЕEoоOО0lI1|ϲсcС ſfsmrn\u0301", min_size=1, max_size=4), st.booleans()))
)
def test_of_all_who_come_and_go_no_two_ever_look_alike(visits: list[tuple[str, bool]]) -> None:
    people = PresentPeople(KnownNames(Names.OPEN, NOW))
    there: list[Person] = []
    for given_, stays in visits:
        name = used(given_)
        if not name:
            continue
        is_free = all(skeletons(name).isdisjoint(skeletons(person.name)) for person in there)
        try:
            person = people.sign_in(name, "", "", NOW)
        except Refused:
            assert not is_free
        else:
            assert is_free
            if stays:
                there.append(person)
            else:
                people.sign_out(person, NOW)
