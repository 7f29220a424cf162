"""Corrects what prompt_toolkit writes, where a terminal behaves otherwise than it expects: a closed window, tmux, a window that gets narrower."""

from __future__ import annotations

import os
import sys
import termios
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, TextIO

from prompt_toolkit.application import Application
from prompt_toolkit.layout.screen import Screen
from prompt_toolkit.output import Output


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


def discard_typed_ahead(terminal: TextIO) -> None:
    """Discard what was typed and not read: it was meant for the chat, and the shell would run it.

    Args:
        terminal: the terminal's input.
    """
    with suppress(termios.error):  # the window is closed
        termios.tcflush(terminal, termios.TCIFLUSH)


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
    """Erase all rows of the input line when the window has become narrower.

    Most terminals then rewrap lines that have become too long, which take more rows than before. prompt_toolkit moves up only by
    the rows that it has drawn, and would leave the others behind; at SIGWINCH, and also when it has something to draw before that.
    """
    if not rewraps_lines(environment):
        return
    renderer = app.renderer
    render, erase = renderer.render, renderer.erase
    columns = 0

    def move_up_as_rewrapped() -> None:
        nonlocal columns
        before, columns = columns, app.output.get_size().columns
        screen, cursor = renderer.last_rendered_screen, renderer._cursor_pos  # noqa: SLF001 - there is no public hook
        added = rows_added(screen, cursor.y, cursor.x, columns) if screen and columns < before else 0
        if added:
            app.output.cursor_up(added)

    def render_whole(*arguments: Any, **options: Any) -> None:
        move_up_as_rewrapped()
        render(*arguments, **options)

    def erase_whole(*arguments: Any, **options: Any) -> None:
        move_up_as_rewrapped()
        erase(*arguments, **options)

    renderer.render = render_whole  # type: ignore[method-assign]
    renderer.erase = erase_whole  # type: ignore[method-assign]


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
