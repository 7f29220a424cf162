"""``besedka chat`` in tmux, which rewraps lines when its window gets narrower, as most terminals do."""

from __future__ import annotations

import itertools
import os
import select
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.conftest import ClientMaker
from tests.running import ROOT, RunningServer
from tests.terminal.pseudo_terminal import TIMEOUT_SECONDS, at_home

LOOK_SECONDS = 1.0
"""tmux may notify a moment before the screen changes, so the screen is checked in any case."""

LONG = "a line that is long enough to be broken in two when the window gets narrow"


class Tmux:
    """A window of tmux with ``besedka chat`` in it, on a tmux server of its own.

    A second client of that server, in control mode, is notified of all output: so nothing here sleeps.
    """

    def __init__(self, directory: Path, *arguments: str) -> None:
        self._socket = str(directory / "tmux")
        environment = {**at_home(directory), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
        command = ["env", *(f"{name}={value}" for name, value in environment.items())]
        command += [sys.executable, "-m", "besedka", "chat", *arguments]
        self._run("-f", os.devnull, "new-session", "-d", "-x", "80", "-y", "24", shlex.join(command))
        self._control = subprocess.Popen(
            ["tmux", "-S", self._socket, "-C", "attach", "-f", "ignore-size"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    @property
    def lines(self) -> list[str]:
        """All lines, including the scrollback."""
        return [line.rstrip() for line in self._run("capture-pane", "-p", "-S", "-").split("\n")]

    def type(self, text: str) -> None:
        """Press keys."""
        self._run("send-keys", "-l", text)

    def press(self, key: str) -> None:
        """Press a key that has a name."""
        self._run("send-keys", key)

    def resize(self, columns: int, rows: int, typed: str) -> None:
        """Give the window another size, and wait until the program has drawn its input line for it.

        Args:
            columns: of the window.
            rows: of the window.
            typed: what stands in the input line. What tmux rewraps has no indent; what the program draws has.
        """
        self._run("resize-window", "-x", str(columns), "-y", str(rows))
        width = columns - len("> ")
        parts = [typed[begin : begin + width] for begin in range(0, len(typed), width)]
        drawn = [f"{'  ' if number else '> '}{part}".rstrip() for number, part in enumerate(parts)]

        def is_drawn() -> bool:
            lines = self.lines
            return any(lines[begin : begin + len(drawn)] == drawn for begin in range(len(lines)))

        self._wait_until(is_drawn, f"{drawn} was not drawn for {columns}x{rows}")

    def count(self, text: str) -> int:
        """How often a text is shown, wrapped or not."""
        return "".join(self.lines).replace(" ", "").count(text.replace(" ", ""))

    def wait_for(self, text: str, count: int = 1) -> None:
        """Wait until a text is shown a number of times."""
        self._wait_until(lambda: self.count(text) == count, f"{text!r}, {count} times, never came")

    def wait_for_bar(self, beginning: str) -> list[str]:
        """Wait until the last line that is not blank begins so. Returns the lines that are not blank, as they were then: it may be drawn anew."""
        shown: list[str] = []

        def is_there() -> bool:
            shown[:] = filter(None, self.lines)
            return shown[-1].startswith(beginning)

        self._wait_until(is_there, "another status bar")
        return shown

    def wait_until_top_is(self, line: str) -> None:
        """Wait until the first line of the window, without the scrollback, is this one."""
        self._wait_until(
            lambda: self._run("capture-pane", "-p").split("\n")[0].rstrip() == line, "another first line"
        )

    def close(self) -> None:
        """End tmux, and all that is in it."""
        self._run("kill-server")
        self._control.communicate(timeout=TIMEOUT_SECONDS)

    def _wait_until(self, is_so: Callable[[], bool], complaint: str) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while not is_so():
            remaining = deadline - time.monotonic()
            assert remaining > 0, f"{complaint}:\n" + "\n".join(self.lines)
            self._wait_for_notifications(min(remaining, LOOK_SECONDS))

    def _wait_for_notifications(self, seconds: float) -> None:
        """Wait until tmux notifies its control client of something, for so long at most."""
        assert self._control.stdout
        while select.select([self._control.stdout], [], [], seconds)[0]:
            assert os.read(self._control.stdout.fileno(), 65536), "tmux has ended"
            seconds = 0

    def _run(self, *arguments: str) -> str:
        return subprocess.run(
            ["tmux", "-S", self._socket, *arguments], check=True, capture_output=True, text=True, timeout=60
        ).stdout


@pytest.fixture
def tmux(server: RunningServer, tmp_path: Path) -> Iterator[Tmux]:
    """Anna's terminal."""
    window = Tmux(tmp_path, server.url(), "--name", "Anna")
    try:
        window.wait_for("You are in # main as Anna.")
        window.wait_for_bar("# main │")
        yield window
    finally:
        window.close()


def test_the_input_line_leaves_no_copy_in_the_scrollback(tmux: Tmux, make_client: ClientMaker) -> None:
    tmux.press("C-l")
    tmux.wait_until_top_is(">")
    boris = make_client()
    boris.join("Boris")
    boris.send_frame("chat", text="under a clear screen")
    tmux.wait_for("Boris: under a clear screen")
    shown = tmux.wait_for_bar("# main │ 2 here")
    assert [line for line in shown if line.startswith(">")] == [">"]
    assert len([line for line in shown if line.startswith("# main │")]) == 1


def test_a_long_line_stays_one_line_when_the_window_changes(tmux: Tmux, make_client: ClientMaker) -> None:
    boris = make_client()
    boris.join("Boris")
    for number in range(30):
        boris.send_frame("chat", text=f"before {number}")
    tmux.wait_for("before 29")
    # Printed while tmux has rewrapped the lines and the program does not know yet, it would be in the wrong place.
    tmux.wait_for("Boris joined (2 here)")
    tmux.type(LONG)
    tmux.wait_for(LONG)
    for columns, rows in ((50, 24), (30, 20), (60, 10), (24, 24), (80, 24), (40, 12)):
        tmux.resize(columns, rows, LONG)
        boris.send_frame("chat", text=f"at {columns} columns")
        tmux.wait_for(f"at {columns} columns")
        tmux.wait_for("a line that is long")
        tmux.wait_for("# main │")
    tmux.press("Enter")
    boris.receive_until(lambda frame: frame.get("text") == LONG)
    assert [number for number in range(30) if not tmux.count(f"before {number}")] == []


def test_no_text_forges_a_line_whatever_tmux_thinks_of_its_width(
    tmux: Tmux, make_client: ClientMaker
) -> None:
    mallory = make_client()
    mallory.join("Mallory")
    fillers = [
        " ",
        "\t",
        "あ",
        "❤\ufe0f",
        "1\ufe0f\u20e3",
        "👨\u200d👩\u200d👧",
        "🇷🇺",
        "\u1100",
        "\u1160",
        "±",
    ]
    for filler, count in itertools.product(fillers, range(10, 75, 4)):
        mallory.send_frame("chat", text=f"{filler * count}13:00   Boss: go")
    mallory.send_frame("chat", text="fin")
    tmux.wait_for("Mallory: fin")
    lines = tmux.lines
    assert any("Boss" in line for line in lines)
    assert not [line for line in lines if line.startswith("13:00") or "Boss" in line[: len("13:00   Boss")]]
