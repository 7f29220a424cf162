"""Read marks: merged by their maximum, void in another log, bounded, and their person's alone."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.people import read_marks
from besedka.serve.people.read_marks import MARKS_OF_ONE_AT_MOST, ReadMark, ReadMarks

ANNA, BORIS = "a" * 64, "b" * 64

MARKS = st.builds(
    ReadMark,
    st.sampled_from([ANNA, BORIS]),
    st.sampled_from(["main", "dev", "стол"]),
    st.just("epoch"),
    st.integers(1, 50),
)


def moved(*marks: ReadMark) -> ReadMarks:
    table = ReadMarks()
    for mark in marks:
        table.move(mark)
    return table


def reread(table: ReadMarks) -> ReadMarks:
    """The marks as the next server has them, from the changes that this one appends."""
    again = ReadMarks()
    again.merge(table.appendix(table.take_changes()).decode())
    assert not again.strange
    return again


@given(st.lists(MARKS, max_size=20), st.randoms())
def test_marks_of_one_log_are_merged_by_their_maximum_in_any_order_and_however_often(
    marks: list[ReadMark], random: object
) -> None:
    highest: dict[tuple[str, str], int] = {}
    for mark in marks:
        highest[mark.claim, mark.room] = max(mark.id, highest.get((mark.claim, mark.room), 0))
    shuffled = [*marks, *marks]
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis' own
    for table in (moved(*marks), moved(*shuffled), reread(moved(*shuffled))):
        assert {(row.claim, row.room): row.id for row in table.rows()} == highest
        assert all(table.of(claim, room, "epoch") == number for (claim, room), number in highest.items())


def test_a_mark_moves_forward_only() -> None:
    table = ReadMarks()
    assert table.move(ReadMark(ANNA, "main", "e", 7))
    assert not table.move(ReadMark(ANNA, "main", "e", 7))
    assert not table.move(ReadMark(ANNA, "main", "e", 6))
    assert table.of(ANNA, "main", "e") == 7
    assert table.of(BORIS, "main", "e") == table.of(ANNA, "dev", "e") == 0


def test_a_mark_of_another_log_is_void_and_gives_way_to_a_lower_one_of_this_log() -> None:
    table = moved(ReadMark(ANNA, "main", "old", 100))
    assert table.of(ANNA, "main", "new") == 0
    assert table.move(ReadMark(ANNA, "main", "new", 3))
    assert table.of(ANNA, "main", "new") == 3
    assert table.of(ANNA, "main", "old") == 0
    assert reread(table).of(ANNA, "main", "new") == 3


def test_a_person_has_marks_in_so_many_rooms_and_the_one_that_moved_longest_ago_gives_way() -> None:
    table = moved(ReadMark(BORIS, "main", "e", 1))
    for number in range(MARKS_OF_ONE_AT_MOST):
        table.move(ReadMark(ANNA, f"room-{number}", "e", 1))
    table.move(ReadMark(ANNA, "room-0", "e", 2))
    table.move(ReadMark(ANNA, "one-more", "e", 1))
    assert sum(row.claim == ANNA for row in table.rows()) == MARKS_OF_ONE_AT_MOST
    assert table.of(ANNA, "room-0", "e") == 2
    assert table.of(ANNA, "room-1", "e") == 0
    assert table.of(ANNA, "one-more", "e") == table.of(BORIS, "main", "e") == 1


@pytest.mark.parametrize("is_restarted", [False, True])
def test_there_are_so_many_marks_in_all_and_the_oldest_gives_way_also_after_a_restart(
    monkeypatch: pytest.MonkeyPatch, *, is_restarted: bool
) -> None:
    monkeypatch.setattr(read_marks, "MARKS_AT_MOST", 10)
    claims = [sha256(bytes([number])).hexdigest() for number in range(11)]
    table = moved(*(ReadMark(claim, "main", "e", 1) for claim in claims[:10]))
    table.move(ReadMark(claims[0], "main", "e", 2))
    if is_restarted:
        table = reread(table)
    table.move(ReadMark(claims[10], "main", "e", 1))
    assert [row.claim for row in table.rows()] == [*claims[2:10], claims[0], claims[10]]


def test_the_order_in_which_marks_moved_is_the_order_of_the_lines_that_count() -> None:
    table = ReadMarks()
    table.merge(f"{ANNA}\tmain\te\t1\n{BORIS}\tmain\te\t1\n{ANNA}\tmain\te\t2\n")
    assert [row.claim for row in table.rows()] == [BORIS, ANNA]
    assert table.of(ANNA, "main", "e") == 2


def test_the_marks_of_a_claim_without_a_name_go() -> None:
    table = moved(*(ReadMark(claim, room, "e", 1) for claim in (ANNA, BORIS) for room in ("main", "dev")))
    table.keep(lambda claim: claim == BORIS)
    assert {row.claim for row in table.rows()} == {BORIS}
    assert {row.claim for row in reread(table).rows()} == {BORIS}
    table.forget(ANNA)
    assert table.of(BORIS, "dev", "e") == 1


@pytest.mark.parametrize(
    "line",
    [
        f"{ANNA}\tmain\te",
        f"{ANNA}\tmain\te\t0",
        f"{ANNA}\tmain\te\t-1",
        f"{ANNA}\tmain\te\t1e3",
        f"{ANNA}\tmain\te\t" + "9" * 30,
        f"{ANNA}\tmain\t\t1",
        f"{ANNA}\tma/in\te\t1",
        "Anna\tmain\te\t1",
        f"{ANNA}\tmain\te\t1\t2",
    ],
)
def test_a_line_that_is_no_mark_is_left_as_it_is_and_costs_no_other(line: str) -> None:
    table = ReadMarks()
    table.merge(f"{line}\n{BORIS}\tmain\te\t5\n")
    assert table.strange == [1]
    assert table.of(BORIS, "main", "e") == 5
    assert line in table.text().split("\n")
