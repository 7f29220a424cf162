"""A terminal with ``besedka chat`` in it, whose screen is read as a person would."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Self

import pexpect
import pyte

ROWS, COLUMNS = 24, 80
PATIENCE_SECONDS = 20.0

CONTROL_C, CONTROL_D, CONTROL_L, CONTROL_R = "\x03", "\x04", "\x0c", "\x12"
ALT_ENTER, UP, TAB = "\x1b\r", "\x1b[A", "\t"
LOOKS_HERE, LOOKS_ELSEWHERE = "\x1b[I", "\x1b[O"


def pasted(text: str) -> str:
    """What a terminal sends when a text is pasted into it."""
    return f"\x1b[200~{text}\x1b[201~"


class Terminal:
    """A terminal that somebody looks at.

    Args:
        arguments: of ``besedka chat``.
        home: where the person's files are.
        environment: added to ours.
        ignores_hangup: as ``nohup`` starts a program.

    Attributes:
        bytes: all that was written to the terminal.
    """

    def __init__(
        self,
        *arguments: str,
        home: Path,
        environment: Mapping[str, str] = {},
        ignores_hangup: bool = False,
    ) -> None:
        self._screen = pyte.HistoryScreen(COLUMNS, ROWS, history=100_000, ratio=0.5)
        self._stream = pyte.ByteStream(self._screen)
        self.bytes = b""
        self._child = pexpect.spawn(
            sys.executable,
            ["-m", "besedka", "chat", *arguments],
            dimensions=(ROWS, COLUMNS),
            env={
                **os.environ,
                **at_home(home),
                "TERM": "xterm-256color",
                "LANG": "C.UTF-8",
                "LC_ALL": "",
                **environment,
            },
            timeout=PATIENCE_SECONDS,
            ignore_sighup=ignores_hangup,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._child.close(force=True)

    @property
    def lines(self) -> list[str]:
        """The screen's lines."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def scrollback(self) -> list[str]:
        """The lines above the screen, and the screen's."""
        above = [
            "".join(row[column].data for column in range(COLUMNS)).rstrip()
            for row in self._screen.history.top
        ]
        return [*above, *self.lines]

    @property
    def input_line(self) -> str:
        """The line with the cursor."""
        return self.lines[self._screen.cursor.y]

    @property
    def bar(self) -> str:
        """The last line that holds something."""
        return next((line for line in reversed(self.lines) if line), "")

    def wait_for(self, text: str) -> None:
        """Read until the screen shows a text."""
        self.wait_until(lambda: any(text in line for line in self.lines), f"{text!r} never came")

    def wait_until(self, is_so: Callable[[], bool], complaint: str) -> None:
        """Read until something is so."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not is_so():
            assert time.monotonic() < deadline, f"{complaint}:\n" + "\n".join(self.lines)
            self.read()

    def type(self, text: str | bytes) -> None:
        """Press keys."""
        self._child.send(text)

    def close_window(self) -> None:
        """Close the window, as the button of its frame does."""
        self._child.close(force=False)

    def hang_up(self) -> int:
        """Close the window and send no signal beside the kernel's own; the status with which the program ends then."""
        self._child.ptyproc.fileobj.close()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._child.ptyproc.isalive():
            assert time.monotonic() < deadline, "it does not end when its window is closed"
            time.sleep(0.01)
        status: int = self._child.ptyproc.exitstatus
        return status

    def kill(self) -> None:
        """End the program as a lost machine would."""
        self._child.kill(9)
        self._child.wait()

    def exit_status(self) -> int:
        """Wait for the program's end."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._child.isalive():
            assert time.monotonic() < deadline, "it does not end:\n" + "\n".join(self.lines)
            self.read()
        self.read()
        self._child.close()
        status: int = self._child.exitstatus
        return status

    def read(self, seconds: float = 0.2) -> None:
        """Take in what is written, waiting for so long at most."""
        try:
            data = self._child.read_nonblocking(65536, timeout=seconds)
        except (pexpect.TIMEOUT, pexpect.EOF):
            return
        self.bytes += data
        self._stream.feed(data)
        if b"\x1b[6n" in data:  # it asks where the cursor is, as of every terminal
            self._child.send(f"\x1b[{self._screen.cursor.y + 1};{self._screen.cursor.x + 1}R")


def at_home(home: Path) -> dict[str, str]:
    """The environment of a person whose files are in a folder."""
    return {"HOME": str(home), "XDG_STATE_HOME": str(home / "state"), "XDG_CONFIG_HOME": str(home / "config")}
