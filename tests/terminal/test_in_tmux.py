"""``besedka chat`` in tmux: a terminal that breaks lines anew when its window gets narrower, as most do."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import TalkerMaker
from tests.running import ROOT, RunningServer
from tests.terminal.pseudo_terminal import PATIENCE_SECONDS, at_home

LONG = "a line that is long enough to be broken in two when the window gets narrow"


class Tmux:
    """A window of tmux with ``besedka chat`` in it, on a tmux server of its own."""

    def __init__(self, directory: Path, *arguments: str) -> None:
        self._socket = str(directory / "tmux")
        environment = {**at_home(directory), "LANG": "C.UTF-8", "PYTHONPATH": str(ROOT)}
        command = ["env", *(f"{name}={value}" for name, value in environment.items())]
        command += [sys.executable, "-m", "besedka", "chat", *arguments]
        self._run("-f", os.devnull, "new-session", "-d", "-x", "80", "-y", "24", shlex.join(command))

    @property
    def lines(self) -> list[str]:
        """All lines, those that have been scrolled away too."""
        return [line.rstrip() for line in self._run("capture-pane", "-p", "-S", "-").split("\n")]

    def type(self, text: str) -> None:
        """Press keys."""
        self._run("send-keys", "-l", text)

    def press(self, key: str) -> None:
        """Press a key that has a name."""
        self._run("send-keys", key)

    def resize(self, columns: int, rows: int) -> None:
        """Give the window another size."""
        self._run("resize-window", "-x", str(columns), "-y", str(rows))
        time.sleep(0.5)

    def count(self, text: str) -> int:
        """How often a text is shown, even if it is broken."""
        return "".join(self.lines).replace(" ", "").count(text.replace(" ", ""))

    def wait_for(self, text: str, count: int = 1) -> None:
        """Wait until a text is shown, so often."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self.count(text) != count:
            assert time.monotonic() < deadline, f"{text!r}, {count} times, never came:\n" + "\n".join(
                self.lines
            )
            time.sleep(0.05)

    def wait_for_bar(self, beginning: str) -> None:
        """Wait until the last line that is not blank begins so."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not [line for line in self.lines if line][-1].startswith(beginning):
            assert time.monotonic() < deadline, "\n".join(self.lines)
            time.sleep(0.05)

    def wait_until_top_is(self, line: str) -> None:
        """Wait until the first line of the window, without those scrolled away, is this."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._run("capture-pane", "-p").split("\n")[0].rstrip() != line:
            assert time.monotonic() < deadline, "\n".join(self.lines)
            time.sleep(0.05)

    def close(self) -> None:
        """End tmux, and all that is in it."""
        self._run("kill-server")

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


def test_the_input_line_leaves_no_copy_in_the_scrollback(tmux: Tmux, talker: TalkerMaker) -> None:
    tmux.press("C-l")
    tmux.wait_until_top_is(">")
    boris = talker()
    boris.join("Boris")
    boris.tell("chat", text="under a clear screen")
    tmux.wait_for("Boris: under a clear screen")
    tmux.wait_for_bar("# main │ 2 here")
    shown = [line for line in tmux.lines if line]
    assert [line for line in shown if line.startswith(">")] == [">"]
    assert len([line for line in shown if line.startswith("# main │")]) == 1


def test_a_long_line_stays_one_line_when_the_window_changes(tmux: Tmux, talker: TalkerMaker) -> None:
    boris = talker()
    boris.join("Boris")
    for number in range(30):
        boris.tell("chat", text=f"before {number}")
    tmux.wait_for("before 29")
    tmux.type(LONG)
    tmux.wait_for(LONG)
    for columns, rows in ((50, 24), (30, 20), (60, 10), (24, 24), (80, 24), (40, 12)):
        tmux.resize(columns, rows)
        boris.tell("chat", text=f"at {columns} columns")
        tmux.wait_for(f"at {columns} columns")
        tmux.wait_for("a line that is long")
        tmux.wait_for("# main │")
    tmux.press("Enter")
    boris.hear_until(lambda frame: frame.get("text") == LONG)
    assert [number for number in range(30) if not tmux.count(f"before {number}")] == []
