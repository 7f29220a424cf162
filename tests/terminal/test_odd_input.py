"""Whatever a terminal sends, one talks on; when it is gone, ``besedka chat`` ends."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.conftest import TalkerMaker
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
def in_talk(terminal: Terminal) -> Terminal:
    terminal.wait_until(lambda: terminal.input_line == ">", "there is no input line")
    return terminal


@pytest.mark.parametrize("colour", [b"\x1b[31m", b"\x1b[;;m"])
def test_coloured_text_is_typed_without_its_colours(
    server: RunningServer, in_talk: Terminal, colour: bytes
) -> None:
    in_talk.type(colour + b"red\x1b[0m and " + pasted(f"{colour.decode()}more\x1b(B\x1b[m").encode() + b"\r")
    in_talk.wait_for("→ Anna: red and more")
    assert [line.split("] ")[1] for line in server.lines] == ["Anna: red and more"]
    assert in_talk.hang_up() == 0
    assert b"Traceback" not in in_talk.bytes


def test_odd_input_of_all_kinds_leaves_one_talking(in_talk: Terminal) -> None:
    chance = random.Random(14)
    for _ in range(60):
        in_talk.type(b"".join(chance.choices(PIECES, k=chance.randint(1, 20))))
        in_talk.read(0.02)
    in_talk.type("\x1b[201~")
    in_talk.read()
    in_talk.type(f"\x07{CONTROL_C}")
    in_talk.wait_until(lambda: in_talk.input_line == ">", "the line was not cleared")
    in_talk.type("still here\r")
    in_talk.wait_for("→ Anna: still here")
    assert b"Traceback" not in in_talk.bytes
    assert b"ENTER" not in in_talk.bytes
    assert in_talk.hang_up() == 0


def test_keys_that_are_pressed_while_lines_are_printed_stay_in_the_input_line(
    in_talk: Terminal, talker: TalkerMaker
) -> None:
    boris = talker()
    boris.join("Boris")
    for number in range(1, KEYS + 1):
        boris.tell("chat", text=f"line {number}")
        for _ in range(4):
            in_talk.type("q")
            in_talk.read(0.003)
    in_talk.wait_for(f"Boris: line {KEYS}")
    in_talk.type("!")
    in_talk.wait_until(
        lambda: any(line.endswith("q!") for line in in_talk.lines), "the last key is not shown"
    )
    typed = "".join(line.strip() for line in in_talk.scrollback).partition("> q")[2]
    assert typed.startswith("q" * (4 * KEYS - 1) + "!"), typed
    printed = [line for line in in_talk.scrollback if "Boris: line" in line]
    assert [line[8:] for line in printed] == [f"Boris: line {number}" for number in range(1, KEYS + 1)]


def test_a_paste_that_is_too_long_is_left_out_and_told(server: RunningServer, in_talk: Terminal) -> None:
    in_talk.type("kept ")
    in_talk.type(pasted("word " * 8_000))
    in_talk.wait_for("! That is left out: the line takes 20000 characters.")
    in_talk.type("too\r")
    in_talk.wait_for("→ Anna: kept too")
    assert len(server.lines) == 1


def test_a_window_that_is_closed_while_a_name_is_asked_for_ends_the_program(
    server: RunningServer, make_terminal: TerminalMaker
) -> None:
    terminal = make_terminal(server.url())
    terminal.wait_for("name")
    terminal.type("\x1b[31m")
    terminal.hang_up()


def test_a_window_that_is_closed_ends_a_program_that_ignores_the_signal_of_it(
    server: RunningServer, tmp_path: Path
) -> None:
    with Terminal(server.url(), home=tmp_path, ignores_hangup=True) as terminal:
        terminal.wait_for("name")
        assert terminal.hang_up() == 0
