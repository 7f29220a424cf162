"""Prints lines above the input line.

Lines are printed many at a time, so that a flood of messages costs a few redraws a second.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from typing import Final

from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import BaseStyle

from besedka.terminal.ui.formatting import Line
from besedka.terminal.ui.fragments import Fragments
from besedka.terminal.ui.keyboard import raw
from besedka.terminal.ui.word_wrap import wrap
from besedka.terminal.ui.wrapping import AUTOWRAP_OFF, AUTOWRAP_ON

REST_SECONDS: Final = 0.05
"""Pause between two batches; the first line after a pause is printed at once."""

BATCH_LINES: Final = 200
"""Lines printed at once; a key pressed meanwhile waits for at most these."""

COLUMNS: Final = 80
"""Of a terminal that does not tell how many it has."""

_RAW: Final = "[ZeroWidthEscape]"
"""The style of text that prompt_toolkit writes as it is."""

WAITING_LINES_AT_MOST: Final = 1_000
"""Lines that may wait to be printed before `until_printable` makes their source wait."""


class TerminalOutput:
    """Prints lines in order, above the input line.

    Args:
        output: the terminal.
        style: the style of the lines.
        color_depth: the number of colours; None: as many as the terminal has.
        input_line: returns the content of the input line, on a terminal that cannot erase and redraw it.
    """

    def __init__(
        self,
        output: Output,
        style: BaseStyle,
        color_depth: ColorDepth | None,
        input_line: Callable[[], str] | None,
    ) -> None:
        self._output = output
        self._style = style
        self._color_depth = color_depth
        self._input_line = input_line
        self._lines: deque[Line] = deque()
        self._is_bell_due = False
        self._changed = asyncio.Event()
        self._printed = asyncio.Event()

    def print(self, line: Line) -> None:
        """Print a line soon."""
        self._lines.append(line)
        self._changed.set()

    def ring(self) -> None:
        """Ring the bell soon."""
        self._is_bell_due = True
        self._changed.set()

    async def until_printable(self) -> None:
        """Wait while more than `WAITING_LINES_AT_MOST` lines wait, so that messages are read no faster than they can be shown."""
        while len(self._lines) > WAITING_LINES_AT_MOST:
            self._printed.clear()
            await self._printed.wait()

    async def flush(self) -> None:
        """Print all lines that wait."""
        while self._lines or self._is_bell_due:
            await self._print_batch()

    async def run(self) -> None:
        """Print until cancelled."""
        while True:
            await self._changed.wait()
            self._changed.clear()
            while self._lines or self._is_bell_due:
                await self._print_batch()
                await asyncio.sleep(REST_SECONDS)

    async def _print_batch(self) -> None:
        with raw():
            printing = run_in_terminal(self._write_batch)
        await printing

    def _write_batch(self) -> None:
        batch = [self._lines.popleft() for _ in range(min(BATCH_LINES, len(self._lines)))]
        columns = self._columns()
        text = FormattedText(part for line in batch for part in (*self._rows(line, columns), ("", "\n")))
        if self._input_line:
            self._output.write("\n")
        print_formatted_text(self._output, text, self._style, color_depth=self._color_depth)
        if self._is_bell_due:
            self._is_bell_due = False
            self._output.bell()
        if self._input_line:
            self._output.write(self._input_line())
        self._output.flush()
        self._printed.set()

    def _columns(self) -> int:
        if self._input_line is None:
            return self._output.get_size().columns
        # What prompt_toolkit says of a dumb terminal is always the same.
        try:
            return os.get_terminal_size(self._output.fileno()).columns or COLUMNS
        except OSError:
            return COLUMNS

    def _rows(self, line: Line, columns: int) -> Fragments:
        """A line, broken into rows; the terminal breaks none of them meanwhile."""
        if line.is_whole:
            return line.fragments
        broken = wrap(line.fragments, columns, line.hang)
        # Of ASCII it is known how wide it is, and what a dumb terminal does cannot be changed.
        if self._input_line or all(text.isascii() for _, text in broken):
            return broken
        return [(_RAW, AUTOWRAP_OFF), *broken, (_RAW, AUTOWRAP_ON)]
