"""A pseudo-terminal with ``besedka chat`` in it, whose screen is read as a person would."""

from __future__ import annotations

import os
import select
import termios
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

import pyte

from tests import prefork

ROWS, COLUMNS = 24, 80
TIMEOUT_SECONDS = 60.0

CONTROL_C, CONTROL_D, CONTROL_L, CONTROL_R = "\x03", "\x04", "\x0c", "\x12"
ALT_ENTER, UP, TAB = "\x1b\r", "\x1b[A", "\t"
LOOKS_HERE, LOOKS_ELSEWHERE = "\x1b[I", "\x1b[O"


def pasted(text: str) -> str:
    """The bytes that a terminal sends when a text is pasted into it."""
    return f"\x1b[200~{text}\x1b[201~"


class Terminal:
    """A terminal with a screen.

    Args:
        arguments: of the command.
        home: where the person's files are.
        environment: added to ours.
        ignores_hangup: as ``nohup`` starts a program.
        command: of ``besedka``.
        columns: of the window.
        module: the program to run.

    Attributes:
        bytes: all that was written to the terminal.
    """

    def __init__(
        self,
        *arguments: str,
        home: Path,
        environment: Mapping[str, str] = {},
        ignores_hangup: bool = False,
        command: str = "chat",
        columns: int = COLUMNS,
        module: str = "besedka",
    ) -> None:
        self._screen = pyte.HistoryScreen(columns, ROWS, history=100_000, ratio=0.5)
        self._stream = pyte.ByteStream(self._screen)
        self.bytes = b""
        self._window, terminal = os.openpty()
        termios.tcsetwinsize(self._window, (ROWS, columns))
        self._program = prefork.Forked(
            [command, *arguments],
            module=module,
            cwd=Path.cwd(),
            env={
                **prefork.environment(),
                **at_home(home),
                "TERM": "xterm-256color",
                "LANG": "C.UTF-8",
                "LC_ALL": "",
                **environment,
            },
            stdin=terminal,
            stdout=terminal,
            stderr=terminal,
            is_terminal=True,
            ignores_hangup=ignores_hangup,
        )
        os.close(terminal)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._close()
        self._program.kill()
        self._program.wait(TIMEOUT_SECONDS)

    @property
    def lines(self) -> list[str]:
        """The screen's lines."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def scrollback(self) -> list[str]:
        """The lines above the screen, and the screen's."""
        above = [
            "".join(row[column].data for column in range(self._screen.columns)).rstrip()
            for row in self._screen.history.top
        ]
        return [*above, *self.lines]

    @property
    def input_line(self) -> str:
        """The line with the cursor."""
        return self.lines[self._screen.cursor.y]

    @property
    def bar(self) -> str:
        """The last line that is not blank."""
        return next((line for line in reversed(self.lines) if line), "")

    def look_of(self, text: str) -> pyte.screens.Char:
        """The first character of a text where it stands on the screen last, with its colours and styles."""
        places = [(number, line.rfind(text)) for number, line in enumerate(self._screen.display)]
        row, column = [place for place in places if place[1] >= 0][-1]
        return self._screen.buffer[row][column]

    def wait_for(self, text: str) -> None:
        """Read until the screen shows a text."""
        self.wait_until(lambda: any(text in line for line in self.lines), f"{text!r} never came")

    def wait_until(self, is_so: Callable[[], bool], complaint: str) -> None:
        """Read until a condition holds."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not is_so():
            assert time.monotonic() < deadline, f"{complaint}:\n" + "\n".join(self.lines)
            self.read()

    def type(self, text: str | bytes) -> None:
        """Press keys."""
        os.write(self._window, text.encode() if isinstance(text, str) else text)

    def catch_up(self) -> None:
        """Wait until everything typed and printed has been processed: type a letter into the empty input line, and delete it."""
        self.type("x")
        self.wait_until(lambda: self.input_line == "> x", "a letter is not shown")
        self.type("\x7f")
        self.wait_until(lambda: self.input_line == ">", "a letter is not taken back")

    def resize(self, columns: int, rows: int = ROWS) -> None:
        """Make the window another size, as its corner does."""
        self._screen.resize(rows, columns)
        termios.tcsetwinsize(self._window, (rows, columns))

    def close_window(self) -> None:
        """Close the window, as the button of its frame does, and wait for the program's end."""
        self.hang_up()

    def hang_up(self) -> int:
        """Close the window without a signal of our own, only the kernel's; the status of the program."""
        self._close()
        return self._program.wait(TIMEOUT_SECONDS)

    def terminate(self) -> None:
        """Ask the program to end (SIGTERM), as a machine does that shuts down."""
        self._program.terminate()

    def kill(self) -> None:
        """Kill the program, as a power failure would."""
        self._program.kill()
        self._program.wait(TIMEOUT_SECONDS)

    def exit_status(self) -> int:
        """Wait for the program's end."""
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while (status := self._program.poll()) is None:
            assert time.monotonic() < deadline, "it does not end:\n" + "\n".join(self.lines)
            self.read()
        while self.read():
            pass
        self._close()
        return status

    def read(self, seconds: float = 0.2) -> bytes:
        """Read what the program writes, waiting for no longer than this; empty once it has ended."""
        if not select.select([self._window], [], [], seconds)[0]:
            return b""
        try:
            data = os.read(self._window, 65536)
        except OSError:  # EIO: the program has ended
            return b""
        self.bytes += data
        self._stream.feed(data)
        if b"\x1b[6n" in data:  # it asks where the cursor is, as of every terminal
            self.type(f"\x1b[{self._screen.cursor.y + 1};{self._screen.cursor.x + 1}R")
        return data

    def _close(self) -> None:
        if self._window >= 0:
            os.close(self._window)
            self._window = -1


def at_home(home: Path) -> dict[str, str]:
    """The environment of a person whose files are in a folder."""
    return {"HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "XDG_CONFIG_HOME": str(home / "config")}
