"""Rows that the input line takes after a narrower window has rewrapped its lines."""

from __future__ import annotations

import pytest
from prompt_toolkit.application import Application
from prompt_toolkit.application.current import set_app
from prompt_toolkit.data_structures import Size
from prompt_toolkit.layout import FormattedTextControl, Layout, Window
from prompt_toolkit.layout.screen import Char, Screen
from prompt_toolkit.output import DummyOutput

from besedka.terminal.ui.terminal_quirks import erase_whole_on_resize, rewraps_lines, rows_added


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


class ResizedOutput(DummyOutput):
    """A terminal with a number of columns, which notes how far up the cursor has been moved."""

    def __init__(self) -> None:
        self.columns = 60
        self.up = 0

    def get_size(self) -> Size:
        return Size(rows=24, columns=self.columns)

    def cursor_up(self, amount: int) -> None:
        self.up += amount


@pytest.mark.parametrize("act", ["draw", "erase"])
def test_whatever_comes_first_after_a_resize_moves_up_by_the_rewrapped_rows(act: str) -> None:
    """The terminal has rewrapped the lines before its program knows by SIGWINCH."""
    output = ResizedOutput()
    typed = FormattedTextControl([("", "x" * 69), ("[SetCursorPosition]", "x")], focusable=True)
    app: Application[None] = Application(Layout(Window(typed, wrap_lines=True)), output=output)
    erase_whole_on_resize(app, {"TERM": "xterm-256color"})
    with set_app(app):
        app.renderer.render(app, app.layout)
        output.columns, output.up = 24, 0
        if act == "draw":
            app.renderer.render(app, app.layout)
        else:
            app.renderer.erase()
    # Two rows were drawn, of 60 columns and of 10; the first one takes three rows of 24.
    assert output.up >= 3
