"""Rows that the input line takes after a narrower window has rewrapped its lines."""

from __future__ import annotations

import pytest
from prompt_toolkit.layout.screen import Char, Screen

from besedka.terminal.ui.terminal_quirks import rewraps_lines, rows_added


def drawn(*rows: str) -> Screen:
    screen = Screen()
    for number, row in enumerate(rows):
        for column, sign in enumerate(row):
            screen.data_buffer[number][column] = Char(sign)
    return screen


@pytest.mark.parametrize(
    ("rows", "row", "column", "columns", "added"),
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
def test_the_rows_above_the_cursor_are_counted_after_rewrapping(
    rows: list[str], row: int, column: int, columns: int, added: int
) -> None:
    assert rows_added(drawn(*rows), row, column, columns) == added


def test_a_few_terminals_do_not_rewrap_lines() -> None:
    assert rewraps_lines({"TERM": "xterm-256color"})
    assert not rewraps_lines({"TERM": "xterm-256color", "XTERM_VERSION": "XTerm(379)"})
    assert not rewraps_lines({"TERM": "screen", "STY": "123.pts-0"})
    assert not rewraps_lines({"TERM": "linux"})
