"""The ownership of names, and what is stored of it."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.people.names import FREED_AT_MOST, NAMES_OF_ONE_AT_MOST, Known, KnownNames, Names, claim_of
from besedka.serve.people.written_times import span
from besedka.wire.errors import ErrorCode, Refused
from besedka.wire.skeletons import skeletons
from besedka.wire.validation import clean_name, stored_name

ANNA, EVE = claim_of("anna's"), claim_of("eve's")
THEN, NOW, LATER = "2025-11-19T10:00:00Z", "2025-11-19T10:30:00Z", "2025-11-19T12:00:00Z"


NEXT_DAY, DAY, HOUR = "2025-11-20T10:30:00Z", 24 * 3600, 3600


def at(written: str) -> float:
    return datetime.fromisoformat(written).timestamp()


def line(moment: str, text: str) -> str:
    """A message of a log that is written in UTC."""
    return f"[{moment[:10]} {moment[11:19]}] {text}"


def names_of(*rows: Known, mode: Names = Names.CLAIMED) -> KnownNames:
    names = KnownNames(mode, THEN)
    for row in rows:
        names.take(row.name, row.claim, row.first)
    names.appended(names.take_changes())
    return names


def refused(names: KnownNames, name: str, claim: str) -> ErrorCode:
    with pytest.raises(Refused) as refusal:
        names.check_name(name, claim)
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
            names.take(names.check_name(name, claim), claim, NOW)
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
        assert stored_name(row.name) == row.name


def test_a_name_in_the_file_without_a_claim_is_for_the_first_who_comes() -> None:
    names = KnownNames(Names.INVITED, THEN)
    names.merge("Anna\nBoris\t-\n")
    assert refused(names, "Eve", EVE) is ErrorCode.NOT_KNOWN
    assert refused(names, "Anna", "") is ErrorCode.NOT_KNOWN
    assert names.check_name("anna", ANNA) == "Anna"
    names.take("Anna", ANNA, NOW)
    assert refused(names, "Anna", EVE) is ErrorCode.NAME_CLAIMED
    assert [row.claim for row in names.rows()] == [ANNA, ""]


def test_one_who_has_many_names_may_still_use_them() -> None:
    mine = [Known(f"Anna{number}", ANNA, NOW) for number in range(NAMES_OF_ONE_AT_MOST)]
    names = names_of(*mine)
    assert refused(names, "Another", ANNA) is ErrorCode.TOO_MANY_NAMES
    assert names.check_name("anna3", ANNA) == "Anna3"
    assert names.check_name("Another", EVE) == "Another"


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
    names.touch(ANNA, "Anna", "1970-01-01T00:00:00Z")
    assert [row.last for row in names.rows()] == [NOW]


def test_who_was_seen_by_a_clock_that_was_ahead_is_seen_now() -> None:
    names = names_of(Known("Anna", ANNA, "2099-01-01T00:00:00Z"), Known("Eve", EVE, NOW))
    names.put(Known("Boris"))
    names.rebuild()
    names.correct(at(LATER) + DAY, LATER)
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
        assert refused(names, "anna", claim) is ErrorCode.NAME_CLAIMED
    assert names.check_name("Eve", EVE) == "Eve"
    assert not names.is_known(ANNA)
    with pytest.raises(Refused):
        names.release("Anna")


def test_a_row_without_times_does_not_lapse() -> None:
    names = KnownNames(Names.CLAIMED, THEN)
    names.merge(f"Anna\t{ANNA}\n")
    assert names.lapse(at(LATER) + DAY) == []
    assert refused(names, "Anna", EVE) is ErrorCode.NAME_CLAIMED


def test_what_else_one_holds_is_ones_own_when_a_name_that_looks_like_it_is_released() -> None:
    names = names_of(Known("Ian", ANNA, THEN), Known("Eve", EVE, THEN))
    names.put(Known("lan", ANNA, THEN, THEN))
    names.rebuild()
    names.release("Ian")
    assert refused(names, "Ian", EVE) is ErrorCode.NAME_CLAIMED
    assert names.is_known(ANNA)
    names.release("lan")
    assert names.check_name("Ian", EVE) == "Ian"
    assert not names.is_known(ANNA)


def test_names_of_people_who_came_once_and_are_not_needed_give_way_the_oldest_first() -> None:
    once = [
        Known(f"Once{day}", claim_of(str(day)), f"2026-03-0{day} 10:00:00", f"2026-03-0{day} 10:59:59")
        for day in range(1, 6)
    ]
    names = KnownNames(Names.CLAIMED, "2026-01-01 00:00:00")
    for row in (*reversed(once), Known("Often", ANNA, "2026-03-01 10:00:00", "2026-03-02 10:00:00")):
        names.put(row)
    names.rebuild()
    needed = {claim_of("2")}
    before = span("2026-03-06 00:00:00").earliest
    assert [row.name for row in names.lapse_unused(before, needed.__contains__)] == [
        "Once1",
        "Once3",
        "Once4",
    ]
    assert {row.name for row in names.rows()} == {"Once2", "Once5", "Often"}
    assert names.holder("Once1") is None


def test_what_was_not_used_lapses_and_what_waits_does_not() -> None:
    names = names_of(Known("Anna", ANNA, THEN), Known("Eve", EVE, NEXT_DAY))
    names.put(Known("Boris"))
    names.rebuild()
    assert names.lapse(at(THEN)) == []
    assert [row.name for row in names.lapse(at(NEXT_DAY))] == ["Anna"]
    assert names.check_name("Anna", EVE) == "Anna"
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


def test_only_so_many_names_are_remembered_that_were_set_free() -> None:
    names = names_of()
    for number in range(FREED_AT_MOST + 10):
        names.note_freed(f"Anna {number}")
        names.note_freed(f"Anna {number}")
    assert sum(one.startswith("# freed") for one in names.remarks) == FREED_AT_MOST
