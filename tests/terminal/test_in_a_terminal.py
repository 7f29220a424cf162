"""``besedka chat`` in a real pseudo-terminal, whose screen is read as a person would."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from typing import Self

import pexpect
import pyte
import pytest

from tests.conftest import ServerMaker, TalkerMaker
from tests.running import RunningServer

ROWS, COLUMNS = 24, 80
PATIENCE_SECONDS = 15.0


class Terminal:
    """A terminal with ``besedka chat`` in it."""

    def __init__(self, *arguments: str, **environment: str) -> None:
        self._screen = pyte.Screen(COLUMNS, ROWS)
        self._stream = pyte.ByteStream(self._screen)
        self.bytes = b""
        self._child = pexpect.spawn(
            sys.executable,
            ["-m", "besedka", "chat", *arguments],
            dimensions=(ROWS, COLUMNS),
            env={**os.environ, "TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "", **environment},
            timeout=PATIENCE_SECONDS,
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
    def input_line(self) -> str:
        """The line with the cursor."""
        return self.lines[self._screen.cursor.y]

    def wait_for(self, text: str) -> None:
        """Read until the screen shows a text."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not any(text in line for line in self.lines):
            assert time.monotonic() < deadline, f"{text!r} never came:\n" + "\n".join(self.lines)
            self._read()

    def type(self, text: str) -> None:
        """Press keys."""
        self._child.send(text)

    def exit_status(self) -> int:
        """Wait for the program's end."""
        self._child.expect(pexpect.EOF)
        self._child.close()
        status: int = self._child.exitstatus
        return status

    def _read(self) -> None:
        try:
            data = self._child.read_nonblocking(65536, timeout=0.2)
        except pexpect.TIMEOUT:
            return
        self.bytes += data
        self._stream.feed(data)
        if b"\x1b[6n" in data:  # it asks where the cursor is, as of every terminal
            self._child.send(f"\x1b[{self._screen.cursor.y + 1};{self._screen.cursor.x + 1}R")


@pytest.fixture
def terminal(server: RunningServer) -> Iterator[Terminal]:
    """Anna's terminal, come in."""
    with Terminal(server.url(), "--name", "Anna") as opened:
        opened.wait_for("You are in # main as Anna.")
        opened.wait_for(">")
        yield opened


def test_a_person_talks_and_leaves(server: RunningServer, terminal: Terminal, talker: TalkerMaker) -> None:
    boris = talker()
    boris.join("Boris")
    terminal.wait_for("Boris joined")
    terminal.type("Hello, Boris!\r")
    assert boris.hear("chat")["text"] == "Hello, Boris!"
    terminal.wait_for("→ Anna: Hello, Boris!")
    boris.tell("chat", text="Hello, Anna!\nsecond line")
    terminal.wait_for("Boris: Hello, Anna!")
    terminal.wait_for("      second line")
    terminal.type("/exit\r")
    assert terminal.exit_status() == 0
    assert boris.hear("system")["left"] == ["Anna"]
    assert len(server.lines) == 3


def test_a_person_talks_over_grpc_through_a_restart(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en", grpc=True).start()
    with Terminal(f"grpc://127.0.0.1:{server.grpc_port}#dev", "--name", "Anna") as terminal:
        terminal.wait_for("You are in # dev as Anna.")
        terminal.type("before\r")
        terminal.wait_for("→ Anna: before")
        server.stop()
        terminal.wait_for("coming back")
        terminal.type("meanwhile\r")
        server.start()
        terminal.wait_for("→ Anna: meanwhile")
        terminal.type("/exit\r")
        assert terminal.exit_status() == 0
        assert b"grpc" not in terminal.bytes.lower().replace(b"grpc://", b"")
    assert [
        line.split("Anna: ")[1]
        for line in (server.directory / "chat_history.dev.txt").read_text().splitlines()
    ] == [
        "before",
        "meanwhile",
    ]


def test_the_input_line_survives_what_arrives(terminal: Terminal, talker: TalkerMaker) -> None:
    boris = talker()
    boris.join("Boris")
    terminal.type("half a sen")
    terminal.wait_for("> half a sen")
    for number in range(30):
        boris.tell("chat", text=f"interruption {number}")
    terminal.wait_for("interruption 29")
    terminal.wait_for("> half a sen")
    assert terminal.input_line == "> half a sen"
    terminal.type("tence\r")
    boris.hear_until(lambda frame: frame.get("text") == "half a sentence")


def test_the_history_is_shown_before_one_talks(server: RunningServer, talker: TalkerMaker) -> None:
    boris = talker()
    boris.join("Boris")
    for number in range(1, 13):
        boris.tell("chat", text=f"message {number}")
    boris.hear_to(12)
    with Terminal(server.url(), "--name", "Anna") as terminal:
        terminal.wait_for("message 12")
        assert sum("Boris: message" in line for line in terminal.lines) == 10
        assert any("────" in line for line in terminal.lines)


def test_a_name_is_asked_for_again_if_it_is_taken(server: RunningServer, talker: TalkerMaker) -> None:
    talker().join("Anna")
    with Terminal(server.url()) as terminal:
        terminal.wait_for("Your name:")
        terminal.type("Anna\r")
        terminal.wait_for("is in use")
        terminal.wait_for("Your name:")
        terminal.type("Hanna\r")
        terminal.wait_for("You are in # main as Hanna.")


def test_it_comes_back_after_a_restart_and_says_what_waited(
    server: RunningServer, terminal: Terminal
) -> None:
    terminal.type("before\r")
    terminal.wait_for("→ Anna: before")
    server.stop()
    terminal.wait_for("no connection")
    terminal.type("in between\r")
    terminal.wait_for("1 waiting")
    server.start()
    terminal.wait_for("connected again")
    terminal.wait_for("→ Anna: in between")
    assert [line.rsplit(": ", 1)[1] for line in server.lines] == ["before", "in between"]
    assert sum("Anna: before" in line for line in terminal.lines) == 1


def test_what_is_no_command_is_not_said(server: RunningServer, terminal: Terminal) -> None:
    terminal.type("/dance\r")
    terminal.wait_for("There is no command /dance")
    terminal.type("//dance\r")
    terminal.wait_for("→ Anna: /dance")
    assert len(server.lines) == 1


def test_ctrl_d_leaves(terminal: Terminal) -> None:
    terminal.type("\x04")
    assert terminal.exit_status() == 0


def test_no_chat_at_the_address_is_one_clear_line() -> None:
    with Terminal("ws://127.0.0.1:1/ws", "--name", "Anna") as terminal:
        terminal.wait_for("besedka: cannot reach a chat at ws://127.0.0.1:1/ws: connection refused")
        assert terminal.exit_status() == 1


def test_a_person_who_speaks_russian_is_spoken_to_in_russian(server: RunningServer) -> None:
    with Terminal(server.url(), "--name", "Анна", LANG="ru_RU.UTF-8") as terminal:
        terminal.wait_for("Вы в комнате # main, ваше имя Анна.")
