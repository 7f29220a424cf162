"""Breaks a styled text into the rows of a window, between words. Pure.

The rules of `besedka.terminal.ui.wrapping` hold here, too: no row is wider than the window, and each one but the first begins with blanks.
Beside them:

- A row ends between two words, or beside a wide character (Chinese and Japanese have no blanks), if it can. Blanks at the end of a row are
  dropped.
- A word that is wider than a row, such as a link, begins where it stands and fills the rows.
- A character is never parted from its accents, nor an emoji from what it is joined to.

`wrapping.Rows` breaks a text of any length piece by piece, and so knows no words.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from typing import Final

from prompt_toolkit.utils import get_cwidth

from besedka.terminal.ui.fragments import Fragments
from besedka.terminal.ui.wrapping import COLUMNS_AT_LEAST, TAB_COLUMNS, columns_of, indent_within

_PART: Final = re.compile(r"\n|[ \t]+|[^ \t\n]+")

_JOINER: Final = "\u200d"
_SKIN_TONES: Final = frozenset("\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff")
_REGIONAL: Final = frozenset(map(chr, range(0x1F1E6, 0x1F200)))
"""Two of them are a flag."""

_NOT_FIRST: Final = frozenset(
    "、。，．・：；？！」』）］｝〉》】〕ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ…,.:;?!)]}»”’"
)
"""Characters before which no row ends."""

_NOT_LAST: Final = frozenset("「『（［｛〈《【〔([{«“‘")
"""Characters behind which no row ends."""

_WIDE: Final = 2


def wrap(fragments: Fragments, columns: int, hang: int) -> Fragments:
    """Break a text into rows.

    Args:
        fragments: the text; LF ends a line.
        columns: of the window.
        hang: blanks in front of each row but the first; fewer in a narrow window, but always one.

    Returns:
        The text with LFs and blanks between its rows, and without TABs.
    """
    text = "".join(part for _, part in fragments)
    if text.isascii() and text.isprintable() and len(text) <= columns:
        return fragments
    columns = max(columns, COLUMNS_AT_LEAST)
    filling = _Filling(columns, indent_within(columns, hang))
    for part in _PART.finditer(text):
        filling.add(part.start(), part.group())
    return _edited(fragments, filling.finished(len(text)))


class _Filling:
    """Fills rows with the parts of a text.

    Args:
        columns: of the window.
        indent: blanks in front of each row but the first.
    """

    def __init__(self, columns: int, indent: int) -> None:
        self._columns = columns
        self._indent = indent
        self._column = 0
        # Blanks are written when a word follows in the same row: the place of the first one, and how many columns they take.
        self._blanks_at: int | None = None
        self._blanks = 0
        self._is_begun = False
        # From where, to where, and what stands there instead.
        self._edits: list[tuple[int, int, str]] = []

    def add(self, at: int, part: str) -> None:
        """Add the end of a line, blanks or a word, which stands at a place of the text."""
        if part == "\n":
            self._begin_row(at, at + 1)
        elif part[0] in " \t":
            self._blanks_at = at
            for blank in part:
                column = self._column + self._blanks
                self._blanks += 1 if blank == " " else TAB_COLUMNS - column % TAB_COLUMNS
        else:
            for start, piece in _pieces(part):
                self._add_piece(at + start, piece)

    def finished(self, end: int) -> list[tuple[int, int, str]]:
        """The changes to the text, which ends here."""
        if self._blanks_at is not None:
            self._edits.append((self._blanks_at, end, ""))
        return self._edits

    def _add_piece(self, at: int, piece: str) -> None:
        width = columns_of(piece)
        fits_a_row = width <= self._columns - self._indent
        if self._column + self._blanks + (width if fits_a_row else _WIDE) > self._columns:
            if self._is_begun:
                self._begin_row(at, at)
            else:
                self._blanks = max(0, self._columns - self._column - width)
        self._write_blanks(at)
        if fits_a_row:
            self._column += width
        else:
            self._fill(at, piece)
        self._is_begun = True

    def _fill(self, at: int, piece: str) -> None:
        """Write a piece that is wider than a row."""
        for start, cluster in _clusters(piece):
            width = columns_of(cluster)
            if self._column + width > self._columns and self._column > self._indent:
                self._begin_row(at + start, at + start)
            self._column += width

    def _write_blanks(self, end: int) -> None:
        if self._blanks_at is not None:
            self._edits.append((self._blanks_at, end, " " * self._blanks))
        self._column += self._blanks
        self._blanks, self._blanks_at = 0, None

    def _begin_row(self, start: int, end: int) -> None:
        """End a row, without the blanks at its end. The text from `start` to `end` is left out."""
        start = start if self._blanks_at is None else self._blanks_at
        self._edits.append((start, end, "\n" + " " * self._indent))
        self._column, self._is_begun = self._indent, False
        self._blanks, self._blanks_at = 0, None


def _pieces(word: str) -> Iterator[tuple[int, str]]:
    """The pieces of a word between which a row may end, each with its place."""
    if word.isascii():
        yield 0, word
        return
    begun, before = 0, ""
    for start, cluster in _clusters(word):
        if before and _may_part(before, cluster):
            yield begun, word[begun:start]
            begun = start
        before = cluster
    yield begun, word[begun:]


def _may_part(before: str, after: str) -> bool:
    is_wide = columns_of(before) >= _WIDE or columns_of(after) >= _WIDE
    return is_wide and before not in _NOT_LAST and after not in _NOT_FIRST


def _clusters(word: str) -> Iterator[tuple[int, str]]:
    """The characters of a word, each with what belongs to it and its place."""
    start, flags = 0, 0
    for index, character in enumerate(word):
        flags = flags + 1 if character in _REGIONAL else 0
        before = word[index - 1] if index else ""
        is_joined = before == _JOINER or character in _SKIN_TONES or (flags and flags % 2 == 0)
        if index and not is_joined and get_cwidth(character):
            yield start, word[start:index]
            start = index
    yield start, word[start:]


def _edited(fragments: Fragments, edits: list[tuple[int, int, str]]) -> Fragments:
    """The fragments with changes to their text. The blanks in front of a row have no style."""
    edited: Fragments = []
    changes, place = deque(edits), 0
    for style, text in fragments:
        begin, end = place, place + len(text)
        while place < end:
            start, stop, instead = changes.popleft() if changes else (end, end, "")
            edited.append((style, text[place - begin : min(start, end) - begin]))
            if start >= end:
                changes.appendleft((start, stop, instead))
                place = end
                break
            edited.append(("" if "\n" in instead else style, instead))
            if stop > end:
                changes.appendleft((end, stop, ""))
            place = min(stop, end)
    return [part for part in edited if part[1]]
