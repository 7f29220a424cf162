"""Which messages of a log are their names' holders'."""

from __future__ import annotations

import pytest

from besedka.serve.people.names import Known, KnownNames, Names
from besedka.serve.people.verification import Verdicts
from tests.serve.people.test_names import ANNA, EVE, HOUR, LATER, NOW, THEN, at, line, names_of


def is_unverified(names: KnownNames, said: str, *, was_verified: bool | None = None) -> bool:
    """The verdict on one message."""
    return Verdicts(names).is_unverified(said, was_verified)


@pytest.mark.parametrize(
    ("said", "is_doubtful"),
    [
        (line(NOW, "Anna: hi"), False),
        (line(LATER, "Anna: hi"), False),
        (line(THEN, "Anna: hi"), True),
        (line(NOW, "anna: hi"), True),
        (line(NOW, "Boris: hi"), True),
        (line(NOW, "Anna:\n\tsecond line"), False),
        (line(NOW, "*Anna: pin #1 [2025-11-19 10:30:00] Boris"), False),
        (line(THEN, "*Anna: pin #1 [2025-11-19 10:30:00] Boris"), True),
        ("[2020-01-01 00:00:00] Anna: before names were held", False),
        ("[2025-99-99 00:00:00] Anna: whenever that was", True),
        ("", False),
    ],
)
def test_a_message_of_which_nothing_is_stored_is_doubtful_if_nobody_held_its_name_then(
    said: str, *, is_doubtful: bool
) -> None:
    names = names_of(Known("Anna", ANNA, NOW))
    names.note_offset(0)
    assert is_unverified(names, said) is is_doubtful


@pytest.mark.parametrize(
    "stamp", ["1970-01-01 00:00:00", "2025-11-19 10:30:00", "9999-01-01 00:00:00", "nonsense"]
)
def test_what_was_stored_with_a_message_decides_whatever_any_clock_says(stamp: str) -> None:
    names = names_of(Known("Anna", ANNA, NOW))
    assert not is_unverified(names, f"[{stamp}] Anna: hi", was_verified=True)
    assert is_unverified(names, f"[{stamp}] Anna: hi", was_verified=False)
    assert not is_unverified(names, f"[{stamp}] Nobody: hi", was_verified=True)


def test_what_the_first_holder_of_a_name_said_is_not_the_next_ones() -> None:
    names = names_of(Known("Anna", ANNA, THEN))
    names.note_offset(0)
    names.release("Anna")
    assert not is_unverified(names, line(THEN, "Anna: hi"), was_verified=True)
    names.take("anna", EVE, LATER)
    for _ in range(2):
        assert is_unverified(names, line(NOW, "Anna: hi"), was_verified=True)
        assert not is_unverified(names, line(LATER, "anna: hi"), was_verified=True)
        text, names = names.text(), KnownNames(Names.CLAIMED, LATER)
        names.merge(text)


def test_what_was_said_under_a_name_that_a_hand_has_given_to_another_is_not_the_others() -> None:
    names = names_of(Known("Anna", ANNA, THEN))
    names.merge(f"Anna\t{EVE}\t{LATER}\t{LATER}\n")
    assert is_unverified(names, line(NOW, "Anna: hi"), was_verified=True)


@pytest.mark.parametrize(("offset", "said"), [(3, "2025-11-19 13:15:00"), (-5, "2025-11-19 05:15:00")])
def test_a_log_that_was_written_by_several_clocks_is_read_by_all_of_them(offset: int, said: str) -> None:
    names = names_of(Known("Anna", ANNA, NOW))
    session, own = f"[{said}] Anna: hi", f"[{said[:11]}{int(said[11:13]) + 1:02}:15:00] Anna: hi"
    names.note_offset(offset * HOUR)
    assert is_unverified(names, session)
    assert not is_unverified(names, own)
    names.note_offset(0)
    again = KnownNames(Names.CLAIMED, LATER)
    again.merge(names.text())
    assert again.offsets == names.offsets == tuple(sorted((0, offset * HOUR)))
    # By the other clock it was said hours later: it stays in doubt, and where the other clock is ahead so does what is hers.
    assert is_unverified(again, session)


def test_an_hour_that_comes_twice_makes_no_guests_words_anybodys() -> None:
    # At 00:30 UTC it is 02:30 in summer time, and at 01:10 UTC it is 02:10 again.
    names = names_of(Known("Anna", ANNA, "2025-10-26T01:10:00Z"))
    names._begun = "2025-01-01T00:00:00Z"  # noqa: SLF001 - as the file has it
    for hours in (2, 1):
        names.note_offset(hours * HOUR)
    assert is_unverified(names, "[2025-10-26 02:30:00] Anna: I am not she")
    assert not is_unverified(names, "[2025-10-26 03:10:00] Anna: I am")


@pytest.mark.parametrize("text", ["Boris\n", "# begun soon\nBoris\n", "# begun 9999\nBoris\n"])
def test_since_when_names_are_held_is_known_whatever_hands_have_written(text: str) -> None:
    names = KnownNames(Names.CLAIMED, THEN)
    names.note_offset(0)
    names.merge(text)
    assert is_unverified(names, line(NOW, "Anna: hi"))
    assert not is_unverified(names, "[2020-01-01 00:00:00] Anna: hi")
    again = KnownNames(Names.CLAIMED, LATER)
    again.merge(names.text())
    assert is_unverified(again, line(NOW, "Anna: hi"))


def test_a_beginning_that_a_wrong_clock_has_noted_does_not_excuse_guests() -> None:
    names = KnownNames(Names.CLAIMED, "2099-01-01T00:00:00Z")
    names.note_offset(0)
    assert not is_unverified(names, line(NOW, "Anna: hi"))
    names.correct(at(THEN), THEN)
    assert is_unverified(names, line(NOW, "Anna: hi"))
    assert names.text().count("# begun") == 1


def test_rows_of_older_files_are_read_as_they_are() -> None:
    names = KnownNames(Names.CLAIMED, THEN)
    names.merge(f"# begun 2025-11-19 10:00:00\nAnna\t{ANNA}\t2025-11-19 10:30:00\t2025-11-19 11:00:00\n")
    names.note_offset(3 * HOUR)
    assert not names.strange
    assert is_unverified(names, "[2025-11-19 10:29:59] Anna: hi")
    assert not is_unverified(names, "[2025-11-19 10:30:00] Anna: hi")
    assert not is_unverified(names, "[2025-11-19 09:59:59] Anna: hi")


def test_nothing_is_doubtful_where_names_are_open() -> None:
    assert not is_unverified(names_of(mode=Names.OPEN), line(NOW, "Anna: hi"))
    assert not is_unverified(names_of(mode=Names.OPEN), line(NOW, "Anna: hi"), was_verified=False)


def test_verdicts_hold_until_something_that_they_depend_on_changes() -> None:
    names = names_of(Known("Anna", ANNA, THEN))
    names.note_offset(0)

    def verdicts() -> Verdicts:
        made = Verdicts(names)
        for was_verified in (True, False, None):
            made.is_unverified(line(NOW, "Anna: hi"), was_verified)
            made.is_unverified(line(NOW, "Boris: hi"), was_verified)
        return made

    before = verdicts()
    names.take("Anna", ANNA, LATER)
    names.take("Vera", EVE, NOW)
    assert before.still_hold
    names.take("Boris", EVE, NOW)
    assert not before.still_hold
    before = verdicts()
    names.release("Anna")
    assert not before.still_hold
    before = verdicts()
    names.take("anna", EVE, LATER)
    assert not before.still_hold
    before = verdicts()
    names.note_offset(HOUR)
    assert not before.still_hold
    assert verdicts().still_hold
