"""What is printed above the input line: many lines at a time, so that a flood costs a few redrawings a second."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.output import ColorDepth, Output
from prompt_toolkit.renderer import print_formatted_text
from prompt_toolkit.styles import BaseStyle

from besedka.terminal.ui.formatting import Fragments
from besedka.terminal.ui.keyboard import raw

REST_SECONDS: Final = 0.05
"""Between two printings; the first line after a rest is printed at once."""

LINES_AT_ONCE: Final = 200
"""Keys that are typed meanwhile wait for so many lines at most."""


LINES_AT_MOST: Final = 1_000
"""How many lines wait to be printed."""


class Paper:
    """Prints lines in order.

    Args:
        output: the terminal.
        style: what the styles look like.
        color_depth: how many colours there may be; None: as many as the terminal has.
        line: what stands in the input line, if the terminal is one that cannot take it away and draw it again.
    """

    def __init__(
        self,
        output: Output,
        style: BaseStyle,
        color_depth: ColorDepth | None,
        line: Callable[[], str] | None,
    ) -> None:
        self._output = output
        self._style = style
        self._color_depth = color_depth
        self._line = line
        self._lines: deque[Fragments] = deque()
        self._rings = False
        self._more = asyncio.Event()
        self._printed = asyncio.Event()

    def put(self, line: Fragments) -> None:
        """Print a line, soon."""
        self._lines.append(line)
        self._more.set()

    def ring(self) -> None:
        """Ring the bell, soon."""
        self._rings = True
        self._more.set()

    async def room(self) -> None:
        """Wait until there is room for more: who hears faster than can be printed hears no more until then."""
        while len(self._lines) > LINES_AT_MOST:
            self._printed.clear()
            await self._printed.wait()

    async def print_all(self) -> None:
        """Print what there is, and wait until it is printed."""
        while self._lines or self._rings:
            await self._print()

    async def run(self) -> None:
        """Print for ever."""
        while True:
            await self._more.wait()
            self._more.clear()
            while self._lines or self._rings:
                await self._print()
                await asyncio.sleep(REST_SECONDS)

    async def _print(self) -> None:
        with raw():
            printing = run_in_terminal(self._print_some)
        await printing

    def _print_some(self) -> None:
        some = [self._lines.popleft() for _ in range(min(LINES_AT_ONCE, len(self._lines)))]
        text = FormattedText(part for line in some for part in (*line, ("", "\n")))
        if self._line:
            self._output.write("\n")
        print_formatted_text(self._output, text, self._style, color_depth=self._color_depth)
        if self._rings:
            self._rings = False
            self._output.bell()
        if self._line:
            self._output.write(self._line())
        self._output.flush()
        self._printed.set()
