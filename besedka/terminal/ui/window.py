"""The terminal's window: whether one looks at it, and what becomes of the input line when its size changes or the window is gone."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from prompt_toolkit.application import Application
from prompt_toolkit.input.ansi_escape_sequences import ANSI_SEQUENCES
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.keys import Keys
from prompt_toolkit.layout.screen import Screen
from prompt_toolkit.output import Output

_ASK: Final = "\x1b[?1004h"
_ASK_NO_MORE: Final = "\x1b[?1004l"

# prompt_toolkit has no keys for "one looks here" and "one looks elsewhere" (xterm control sequences, FocusIn and FocusOut),
# so they are given two that no keyboard has.
_LOOKS_HERE: Final = Keys.F23
_LOOKS_ELSEWHERE: Final = Keys.F24


def watch_focus(bindings: KeyBindings, tell: Callable[[bool], None]) -> None:
    """Have it told whether one looks at the window, where the terminal tells it."""
    ANSI_SEQUENCES["\x1b[I"] = _LOOKS_HERE
    ANSI_SEQUENCES["\x1b[O"] = _LOOKS_ELSEWHERE

    @bindings.add(_LOOKS_HERE)
    def _(_: KeyPressEvent) -> None:
        tell(True)

    @bindings.add(_LOOKS_ELSEWHERE)
    def _(_: KeyPressEvent) -> None:
        tell(False)


@contextmanager
def asking_for_focus(output: Output) -> Iterator[None]:
    """Have the terminal tell of it."""
    output.write_raw(_ASK)
    output.flush()
    try:
        yield
    finally:
        output.write_raw(_ASK_NO_MORE)
        output.flush()


def bear_closing(output: Output) -> None:
    """Have nothing go wrong when something is written to a window that is gone (EIO): nobody reads it.

    That the window is gone is told by the end of the input, and by SIGHUP.
    """
    flush = output.flush

    def try_to_flush() -> None:
        try:
            flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    output.flush = try_to_flush  # type: ignore[method-assign]


def keep_scrollback_clean(output: Output) -> None:
    """Have what is erased gone: tmux keeps in its scrollback what is erased from the upper left corner on (`scroll-on-clear`).

    Where the input line stands in the first row, each line printed would leave a copy of it there.
    """
    erase_down = output.erase_down

    def erase_down_from_second_column() -> None:
        output.cursor_forward(1)
        erase_down()
        output.cursor_backward(1)
        output.erase_end_of_line()

    output.erase_down = erase_down_from_second_column  # type: ignore[method-assign]


def keep_whole(app: Application[Any], environment: Mapping[str, str] = os.environ) -> None:
    """Keep the input line whole when the window gets narrower.

    Most terminals then break lines that are too long for it, so that what was drawn takes more rows than before; prompt_toolkit
    goes up only by the rows that it has drawn, and leaves the rest standing.
    """
    if not breaks_lines(environment):
        return
    redraw = app._on_resize  # noqa: SLF001 - there is no other place to stand in

    def on_resize() -> None:
        renderer = app.renderer
        if renderer.last_rendered_screen:
            cursor = renderer._cursor_pos  # noqa: SLF001
            columns = app.output.get_size().columns
            app.output.cursor_up(rows_more(renderer.last_rendered_screen, cursor.y, cursor.x, columns))
        redraw()

    app._on_resize = on_resize  # type: ignore[method-assign]  # noqa: SLF001


def breaks_lines(environment: Mapping[str, str]) -> bool:
    """Whether this terminal breaks lines anew when it gets narrower: all do that are used today, but for a few."""
    return not (
        environment.get("XTERM_VERSION")
        or environment.get("STY")
        or environment.get("TERM") in {"linux", "dumb"}
    )


def rows_more(screen: Screen, row: int, column: int, columns: int) -> int:
    """How many rows more there are now above a place in what was drawn, in a window of so many columns."""
    above = sum((_width(screen, number) - 1) // columns for number in range(row) if _width(screen, number))
    return above + column // columns


def _width(screen: Screen, row: int) -> int:
    """The columns of a row that hold something."""
    cells = screen.data_buffer[row]
    return max(
        (column + 1 for column, cell in cells.items() if cell.char.strip() or cell.width > 1), default=0
    )
