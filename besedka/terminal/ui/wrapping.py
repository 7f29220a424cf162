"""Rows of a window for lines of any length: no row but the first begins at the left edge. Pure.

A terminal wraps a line that is too long itself, and begins the next row in column 0, where times and names stand. So whoever posts a text
and knows the width of a window could have a message of somebody else appear in it. Here the rows are made first, by the width that
prompt_toolkit gives to a character, and each further row begins with blanks.

A terminal may give some characters more columns than that (a newer Unicode, a font). So it is told not to wrap by itself meanwhile
(`AUTOWRAP_OFF`): the terminal cuts off the excess at the right edge instead of wrapping it to the left one.
"""

from __future__ import annotations

from typing import Final

from prompt_toolkit.utils import get_cwidth

AUTOWRAP_OFF: Final = "\x1b[?7l"
AUTOWRAP_ON: Final = "\x1b[?7h"
"""DECAWM, as VT100 has it."""

TAB_COLUMNS: Final = 8

COLUMNS_AT_LEAST: Final = 2
"""Columns that a window is taken to have: one for a blank, one for text."""

TEXT_COLUMNS_AT_LEAST: Final = 8
"""Columns of a row that are left for the text, as long as that is less than half of the window."""

_EMOJI_STYLE: Final = "\ufe0f"
"""Makes the character in front of it as wide as an emoji, in some terminals."""


def columns_of(text: str) -> int:
    """The columns that a text takes, as far as is known: a terminal may draw an emoji of several characters in fewer."""
    return get_cwidth(text) + text.count(_EMOJI_STYLE)


def indent_within(columns: int, hang: int) -> int:
    """The blanks in front of a row that should hang by so many, in a window of so many columns."""
    return min(hang, max(columns - TEXT_COLUMNS_AT_LEAST, columns // 2))


class Rows:
    """Breaks a text into rows, piece by piece.

    Args:
        columns: of the window.
        hang: blanks in front of each row but the first of a line; fewer in a narrow window, but always one.
        is_hung: whether a row behind an LF has the blanks too; else a line begins there.
    """

    def __init__(self, columns: int, hang: int, *, is_hung: bool) -> None:
        self._hang = hang
        self._is_hung = is_hung
        self._begin = 0
        self._column = 0
        self.resize(columns)

    def resize(self, columns: int) -> None:
        """Break what follows for a window of another size."""
        self._columns = max(columns, COLUMNS_AT_LEAST)
        self._indent = indent_within(self._columns, self._hang)

    def skip(self, columns: int) -> None:
        """So many columns of the row are taken by something else."""
        self._column += columns

    def feed(self, text: str) -> str:
        """The next piece with the rows' ends in it, and without TABs."""
        if text.isascii() and text.isprintable() and self._column + len(text) <= self._columns:
            self._column += len(text)
            return text
        return "".join(map(self._put, text))

    def _put(self, character: str) -> str:
        if character == "\n":
            return self._next(self._indent if self._is_hung else 0)
        if character == "\t":
            character = " " * (TAB_COLUMNS - self._column % TAB_COLUMNS)
        width = columns_of(character)
        is_too_wide = width and self._column + width > self._columns and self._column > self._begin
        begin = self._next(self._indent) if is_too_wide else ""
        self._column += width
        return begin + character

    def _next(self, begin: int) -> str:
        self._begin = self._column = begin
        return "\n" + " " * begin
