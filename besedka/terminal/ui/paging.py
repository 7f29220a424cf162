"""Parts lines into pages that fit a window. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from besedka.terminal.ui.formatting import Line
from besedka.terminal.ui.word_wrap import wrap


def pages_of(lines: Sequence[Line], columns: int, rows: int) -> list[list[Line]]:
    """The lines, page by page; each has at least one.

    Args:
        lines: the lines.
        columns: of the window.
        rows: of a page.
    """
    pages: list[list[Line]] = [[]]
    free = rows
    for line in lines:
        height = 1 + sum(text.count("\n") for _, text in wrap(line.fragments, columns, line.hang))
        if height > free and pages[-1]:
            pages.append([])
            free = rows
        pages[-1].append(line)
        free -= height
    return pages
