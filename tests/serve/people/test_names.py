"""Whose a name is, what of that is written down, and what it says of old messages."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.people.names import NAMES_OF_ONE_AT_MOST, Known, KnownNames, Names, claim_of
from besedka.wire.names import clean_name, skeletons
from besedka.wire.refusals import Code, Refused

ANNA, EVE = claim_of("anna's"), claim_of("eve's")
THEN, NOW, LATER = "2025-11-19 10:00:00", "2025-11-19 10:30:00", "2025-11-19 12:00:00"


NEXT_DAY, DAY = "2025-11-20 10:30:00", 24 * 3600


def at(written: str) -> float:
    return datetime.fromisoformat(written).replace(tzinfo=UTC).timestamp()


def names_of(*rows: Known, mode: Names = Names.CLAIMED) -> KnownNames:
    names = KnownNames(mode, THEN)
    for row in rows:
        names.take(row.name, row.claim, row.first)
    names.appended(names.take_changes())
    return names


def refused(names: KnownNames, name: str, claim: str) -> Code:
    with pytest.raises(Refused) as refusal:
        names.allow(name, claim)
    return refusal.value.code


def is_name(text: str) -> bool:
    try:
        return clean_name(text) == text
    except Refused:
        return False


NAMES = st.text(min_size=1, max_size=12).filter(is_name) | st.sampled_from(
    ["Anna", "Аnna", "Ian", "lan", "ТОМ", "TOM"]
)
CLAIMS = st.sampled_from([ANNA, EVE, claim_of("third")])


@given(st.lists(st.tuples(NAMES, CLAIMS), max_size=12))
def test_no_two_people_hold_names_that_look_alike(wanted: list[tuple[str, str]]) -> None:
    names = KnownNames(Names.CLAIMED, THEN)
    for name, claim in wanted:
        with suppress(Refused):
            names.take(names.allow(name, claim), claim, NOW)
    held = [*names.rows()]
    for one in held:
        for other in held:
            assert one.claim == other.claim or skeletons(one.name).isdisjoint(skeletons(other.name))


@given(st.lists(st.tuples(NAMES, CLAIMS), max_size=12))
def test_what_is_written_is_read_again(wanted: list[tuple[str, str]]) -> None:
    names = KnownNames(Names.CLAIMED, THEN)
    for name, claim in wanted:
        if names.holder(name) is None:
            names.take(name, claim, NOW)
    again = KnownNames(Names.CLAIMED, LATER)
    again.merge(names.text())
    assert [*again.rows()] == [*names.rows()]
    assert again.text() == names.text()
    assert not again.strange


@given(st.text())
def test_any_text_is_read(text: str) -> None:
    names = KnownNames(Names.CLAIMED, THEN)
    names.merge(text)
    for row in names.rows():
        assert clean_name(row.name) == row.name


def test_a_name_in_the_file_without_a_claim_is_for_the_first_who_comes() -> None:
    names = KnownNames(Names.INVITED, THEN)
    names.merge("Anna\nBoris\t-\n")
    assert refused(names, "Eve", EVE) is Code.NOT_KNOWN
    assert refused(names, "Anna", "") is Code.NOT_KNOWN
    assert names.allow("anna", ANNA) == "Anna"
    names.take("Anna", ANNA, NOW)
    assert refused(names, "Anna", EVE) is Code.NAME_CLAIMED
    assert [row.claim for row in names.rows()] == [ANNA, ""]


def test_one_who_has_many_names_may_still_use_them() -> None:
    mine = [Known(f"Anna{number}", ANNA, NOW) for number in range(NAMES_OF_ONE_AT_MOST)]
    names = names_of(*mine)
    assert refused(names, "Another", ANNA) is Code.TOO_MANY_NAMES
    assert names.allow("anna3", ANNA) == "Anna3"
    assert names.allow("Another", EVE) == "Another"


def test_when_somebody_was_seen_is_noted_once_an_hour() -> None:
    names = names_of(Known("Anna", ANNA, THEN))
    names.touch(ANNA, "Anna", NOW)
    assert not names.is_changed
    names.touch(EVE, "Anna", LATER)
    assert not names.is_changed
    names.touch(ANNA, "Anna", LATER)
    assert [(row.first, row.last) for row in names.rows()] == [(THEN, LATER)]


def test_a_clock_that_is_behind_does_not_make_anybody_seen_earlier() -> None:
    names = names_of(Known("Anna", ANNA, NOW))
    names.touch(ANNA, "Anna", "1970-01-01 00:00:00")
    assert [row.last for row in names.rows()] == [NOW]


def test_who_was_seen_by_a_clock_that_was_ahead_is_seen_now() -> None:
    names = names_of(Known("Anna", ANNA, "2099-01-01 00:00:00"), Known("Eve", EVE, NOW))
    names.put(Known("Boris"))
    names.rebuild()
    assert [row.name for row in names.seen_later(at(LATER) + DAY, LATER)] == ["Anna"]
    assert {row.name: row.last for row in names.rows()} == {"Anna": LATER, "Eve": NOW, "Boris": ""}


def test_who_is_there_without_a_name_uses_all_of_his() -> None:
    names = names_of(Known("Anna", ANNA, THEN), Known("Annas script", ANNA, THEN), Known("Eve", EVE, THEN))
    names.touch(ANNA, "annas script", LATER)
    assert [row.last for row in names.rows()] == [THEN, LATER, THEN]
    names.touch(ANNA, "", LATER)
    assert [row.last for row in names.rows()] == [LATER, LATER, THEN]


def test_a_line_that_is_not_understood_sets_no_name_free() -> None:
    names = KnownNames(Names.CLAIMED, THEN)
    names.merge(f"Anna\t{ANNA[:-1]}\t{THEN}\t{THEN}\nEve\t{EVE}\t{THEN}\t{THEN}\n")
    for claim in (ANNA, EVE, ""):
        assert refused(names, "anna", claim) is Code.NAME_CLAIMED
    assert names.allow("Eve", EVE) == "Eve"
    assert not names.is_known(ANNA)
    with pytest.raises(Refused):
        names.release("Anna")


def test_a_row_without_times_does_not_lapse() -> None:
    names = KnownNames(Names.CLAIMED, THEN)
    names.merge(f"Anna\t{ANNA}\n")
    assert names.lapse(at(LATER) + DAY) == []
    assert refused(names, "Anna", EVE) is Code.NAME_CLAIMED


def test_what_else_one_holds_is_ones_own_when_a_name_that_looks_like_it_is_released() -> None:
    names = names_of(Known("Ian", ANNA, THEN), Known("Eve", EVE, THEN))
    names.put(Known("lan", ANNA, THEN, THEN))
    names.rebuild()
    names.release("Ian")
    assert refused(names, "Ian", EVE) is Code.NAME_CLAIMED
    assert names.is_known(ANNA)
    names.release("lan")
    assert names.allow("Ian", EVE) == "Ian"
    assert not names.is_known(ANNA)


def test_what_was_not_used_lapses_and_what_waits_does_not() -> None:
    names = names_of(Known("Anna", ANNA, THEN), Known("Eve", EVE, NEXT_DAY))
    names.put(Known("Boris"))
    names.rebuild()
    assert names.lapse(at(THEN)) == []
    assert [row.name for row in names.lapse(at(NEXT_DAY))] == ["Anna"]
    assert names.allow("Anna", EVE) == "Anna"
    assert [row.name for row in names.rows()] == ["Eve", "Boris"]


def test_a_name_is_released() -> None:
    names = names_of(Known("Anna", ANNA, THEN))
    assert names.release("anna").claim == ANNA
    assert not names.is_known(ANNA)
    with pytest.raises(Refused):
        names.release("Anna")
    # Who is still here does not take it again by going.
    names.touch(ANNA, "Anna", LATER)
    assert names.holder("Anna") is None


@pytest.mark.parametrize(
    ("line", "is_doubtful"),
    [
        (f"[{NOW}] Anna: hi", False),
        (f"[{LATER}] Anna: hi", False),
        (f"[{THEN}] Anna: hi", True),
        (f"[{NOW}] anna: hi", True),
        (f"[{NOW}] Boris: hi", True),
        (f"[{NOW}] Anna:\n\tsecond line", False),
        ("[2020-01-01 00:00:00] Anna: before names were held", False),
        ("", False),
    ],
)
def test_a_message_is_doubtful_if_nobody_held_its_name_then(line: str, *, is_doubtful: bool) -> None:
    assert names_of(Known("Anna", ANNA, NOW)).is_doubtful(line) is is_doubtful


@pytest.mark.parametrize("text", ["Boris\n", "# begun soon\nBoris\n", "# begun 9999\nBoris\n"])
def test_since_when_names_are_held_is_known_whatever_hands_have_written(text: str) -> None:
    names = KnownNames(Names.CLAIMED, THEN)
    names.merge(text)
    assert names.is_doubtful(f"[{NOW}] Anna: hi")
    assert not names.is_doubtful("[2020-01-01 00:00:00] Anna: hi")
    again = KnownNames(Names.CLAIMED, LATER)
    again.merge(names.text())
    assert again.is_doubtful(f"[{NOW}] Anna: hi")


def test_nothing_is_doubtful_where_names_are_open() -> None:
    assert names_of(mode=Names.OPEN).unverified([f"[{NOW}] Anna: hi"], 1) == []
