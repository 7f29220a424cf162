"""How far a drawing reaches when its lines are broken by a narrower window."""

from __future__ import annotations

import pytest
from prompt_toolkit.layout.screen import Char, Screen

from besedka.terminal.ui.window import breaks_lines, rows_more


def drawn(*rows: str) -> Screen:
    screen = Screen()
    for number, row in enumerate(rows):
        for column, sign in enumerate(row):
            screen.data_buffer[number][column] = Char(sign)
    return screen


@pytest.mark.parametrize(
    ("rows", "row", "column", "columns", "more"),
    [
        (["> short"], 0, 7, 80, 0),
        (["> short"], 0, 7, 7, 1),
        (["> short"], 0, 7, 3, 2),
        (["x" * 80, "yy"], 1, 2, 80, 0),
        (["x" * 80, "yy"], 1, 2, 79, 1),
        (["x" * 80, "yy"], 1, 2, 40, 1),
        (["x" * 80, "yy"], 1, 2, 39, 2),
        (["x" * 10 + " " * 70, "yy"], 1, 2, 40, 0),
        (["", "", "x"], 2, 1, 40, 0),
    ],
)
def test_the_rows_above_the_cursor_are_counted_as_they_are_broken(
    rows: list[str], row: int, column: int, columns: int, more: int
) -> None:
    assert rows_more(drawn(*rows), row, column, columns) == more


def test_a_few_terminals_do_not_break_lines() -> None:
    assert breaks_lines({"TERM": "xterm-256color"})
    assert not breaks_lines({"TERM": "xterm-256color", "XTERM_VERSION": "XTerm(379)"})
    assert not breaks_lines({"TERM": "screen", "STY": "123.pts-0"})
    assert not breaks_lines({"TERM": "linux"})
