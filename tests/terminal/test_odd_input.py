"""Whatever a terminal sends, the session goes on; when the terminal is gone, ``besedka chat`` ends."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.conftest import ClientMaker
from tests.running import RunningServer
from tests.terminal.conftest import TerminalMaker
from tests.terminal.pseudo_terminal import CONTROL_C, Terminal, pasted

PIECES = [
    *(b"\x1b", b"\x1b[", b"\x1bO", b"\x1b]8;;", b"\x1bP", b"\x1b_x", b"\x07", b"\x1b\\", b"\x1b\x1b"),
    *(b";", b"<", b"?", b"m", b"M", b"R", b"~", b"31", b"0", b"9" * 20, b"\x1b[200~", b"\x1b[201~"),
    *(b"\xff", b"\x80", b"\xc3", b"\xc2\x9b", b"\x00", b"a", b"word ", b"\r", b"\n", b"\t", b"\x7f"),
    *(b"\x0b", b"\x19", b"\x1f", b"\x1b[A", b"\x1b[1;5C", "👍".encode(), "日本".encode()),
]


KEYS = 60


@pytest.fixture
def session(terminal: Terminal) -> Terminal:
    terminal.wait_until(lambda: terminal.input_line == ">", "there is no input line")
    return terminal


@pytest.mark.parametrize("colour", [b"\x1b[31m", b"\x1b[;;m"])
def test_coloured_text_is_typed_without_its_colours(
    server: RunningServer, session: Terminal, colour: bytes
) -> None:
    session.type(colour + b"red\x1b[0m and " + pasted(f"{colour.decode()}more\x1b(B\x1b[m").encode() + b"\r")
    session.wait_for("→ Anna: red and more")
    assert [line.split("] ")[1] for line in server.lines] == ["Anna: red and more"]
    assert session.hang_up() == 0
    assert b"Traceback" not in session.bytes


def test_random_input_does_not_end_the_session(session: Terminal) -> None:
    chance = random.Random(14)
    for _ in range(60):
        session.type(b"".join(chance.choices(PIECES, k=chance.randint(1, 20))))
        session.read(0.02)
    session.type("\x1b[201~")
    session.read()
    session.type(f"\x07{CONTROL_C}")
    session.wait_until(lambda: session.input_line == ">", "the line was not cleared")
    session.type("still here\r")
    session.wait_for("→ Anna: still here")
    assert b"Traceback" not in session.bytes
    assert b"ENTER" not in session.bytes
    assert session.hang_up() == 0


def test_keys_pressed_while_lines_are_printed_stay_in_the_input_line(
    session: Terminal, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris")
    for number in range(1, KEYS + 1):
        boris.send_frame("chat", text=f"line {number}")
        for _ in range(4):
            session.type("q")
            session.read(0.003)
    session.wait_for(f"Boris: line {KEYS}")
    session.type("!")
    session.wait_until(
        lambda: any(line.endswith("q!") for line in session.lines), "the last key is not shown"
    )
    typed = "".join(line.strip() for line in session.scrollback).partition("> q")[2]
    assert typed.startswith("q" * (4 * KEYS - 1) + "!"), typed
    printed = [line for line in session.scrollback if "Boris: line" in line]
    assert [line[8:] for line in printed] == [f"Boris: line {number}" for number in range(1, KEYS + 1)]


def test_an_overlong_paste_is_dropped_and_reported(server: RunningServer, session: Terminal) -> None:
    session.type("kept ")
    session.type(pasted("word " * 8_000))
    session.wait_for("! Dropped: a line holds 20000 characters.")
    session.type("too\r")
    session.wait_for("→ Anna: kept too")
    assert len(server.lines) == 1


def test_closing_the_window_at_the_name_prompt_ends_the_program(
    server: RunningServer, make_terminal: TerminalMaker
) -> None:
    terminal = make_terminal(server.url())
    terminal.wait_for("name")
    terminal.type("\x1b[31m")
    terminal.hang_up()


def test_closing_the_window_ends_a_program_that_ignores_sighup(server: RunningServer, tmp_path: Path) -> None:
    with Terminal(server.url(), home=tmp_path, ignores_hangup=True) as terminal:
        terminal.wait_for("name")
        assert terminal.hang_up() == 0
