"""Output to the terminal: prints lines above the input line, and corrects some of prompt_toolkit's output.

Lines are printed many at a time, so that a flood of messages costs a few redraws a second.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

from prompt_toolkit.application import Application, run_in_terminal
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.layout.screen import Screen
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import BaseStyle

from besedka.terminal.ui.formatting import Fragments, Line
from besedka.terminal.ui.keyboard import raw
from besedka.terminal.ui.wrapping import AUTOWRAP_OFF, AUTOWRAP_ON, Rows

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
        rows = Rows(columns, line.hang, is_hung=True)
        broken = [(style, rows.feed(text)) for style, text in line.fragments]
        # Of ASCII it is known how wide it is, and what a dumb terminal does cannot be changed.
        if self._input_line or all(text.isascii() for _, text in broken):
            return broken
        return [(_RAW, AUTOWRAP_OFF), *broken, (_RAW, AUTOWRAP_ON)]


def ignore_closed_window(output: Output) -> None:
    """Ignore the error (EIO) of writing to a closed window.

    The session ends by the end of its input, or by SIGHUP.
    """
    flush = output.flush

    def try_to_flush() -> None:
        try:
            flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    output.flush = try_to_flush  # type: ignore[method-assign]


def keep_scrollback_clean(output: Output) -> None:
    """Keep erased lines out of tmux's scrollback; tmux adds everything erased from the upper left corner on (`scroll-on-clear`).

    With the input line in the first row, each printed line would leave a copy of it there.
    """
    erase_down = output.erase_down

    def erase_down_from_second_column() -> None:
        output.cursor_forward(1)
        erase_down()
        output.cursor_backward(1)
        output.erase_end_of_line()

    output.erase_down = erase_down_from_second_column  # type: ignore[method-assign]


def erase_whole_on_resize(app: Application[Any], environment: Mapping[str, str] = os.environ) -> None:
    """Erase all rows of the input line when the window gets narrower.

    Most terminals then rewrap lines that have become too long, which take more rows than before. prompt_toolkit moves up only by
    the rows that it has drawn, and would leave the others behind.
    """
    if not rewraps_lines(environment):
        return
    redraw = app._on_resize  # noqa: SLF001 - there is no public hook

    def on_resize() -> None:
        renderer = app.renderer
        if renderer.last_rendered_screen:
            cursor = renderer._cursor_pos  # noqa: SLF001
            columns = app.output.get_size().columns
            app.output.cursor_up(rows_added(renderer.last_rendered_screen, cursor.y, cursor.x, columns))
        redraw()

    app._on_resize = on_resize  # type: ignore[method-assign]  # noqa: SLF001


def rewraps_lines(environment: Mapping[str, str]) -> bool:
    """Whether this terminal rewraps lines when it gets narrower, as nearly all do."""
    return not (
        environment.get("XTERM_VERSION")
        or environment.get("STY")
        or environment.get("TERM") in {"linux", "dumb"}
    )


def rows_added(screen: Screen, row: int, column: int, columns: int) -> int:
    """The number of rows that rewrapping to a number of columns adds above a position on the screen."""
    above = sum((_width(screen, number) - 1) // columns for number in range(row) if _width(screen, number))
    return above + column // columns


def _width(screen: Screen, row: int) -> int:
    """The number of columns up to the last one that is not blank."""
    cells = screen.data_buffer[row]
    return max(
        (column + 1 for column, cell in cells.items() if cell.char.strip() or cell.width > 1), default=0
    )
