"""Pages of lines."""

from __future__ import annotations

from besedka.terminal.ui.formatting import Line
from besedka.terminal.ui.paging import pages_of


def test_a_page_has_as_many_rows_as_fit_also_of_lines_that_are_broken() -> None:
    lines = [Line([("", text)], 4) for text in ("short", "one two three four", "short", "x\ny", "last")]
    assert pages_of(lines, 14, 3) == [lines[:2], lines[2:4], lines[4:]]
    assert pages_of(lines, 80, 20) == [lines]


def test_a_line_of_more_rows_than_a_page_is_a_page() -> None:
    lines = [Line([("", text)], 4) for text in ("a\nb\nc", "d")]
    assert pages_of(lines, 80, 2) == [lines[:1], lines[1:]]


def test_no_lines_are_one_empty_page() -> None:
    assert pages_of([], 80, 2) == [[]]
