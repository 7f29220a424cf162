"""Rooms are switched by keys, and each has its own unfinished line, which survives a closed window."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.running import RunningServer
from tests.terminal.conftest import TerminalMaker, create
from tests.terminal.pseudo_terminal import CONTROL_C, UP, Terminal

CONTROL_N, CONTROL_P = "\x0e", "\x10"


def alt(number: int) -> str:
    return f"\x1b{number}"


def wait_for_room(terminal: Terminal, room: str) -> None:
    terminal.wait_until(lambda: terminal.bar.startswith(f"# {room} "), f"the bar does not show {room}")


@pytest.fixture
def three_rooms(terminal: Terminal) -> Terminal:
    """Anna's terminal in the rooms main, dev and docs; docs is on the screen."""
    create(terminal, "dev")
    create(terminal, "docs")
    wait_for_room(terminal, "docs")
    return terminal


def test_keys_lead_to_rooms_by_number_and_to_the_next_and_previous_one(three_rooms: Terminal) -> None:
    for key, room in (
        (alt(1), "main"),
        (alt(3), "docs"),
        (alt(2), "dev"),
        (CONTROL_N, "docs"),
        (CONTROL_N, "main"),
        (CONTROL_P, "docs"),
        (CONTROL_P, "dev"),
    ):
        three_rooms.type(key)
        wait_for_room(three_rooms, room)
    three_rooms.type("/rooms\r")
    three_rooms.wait_for("# dev   1 here · you are here")
    three_rooms.wait_for("# main  1 here · Alt-1")
    three_rooms.type(f"{alt(9)}{alt(2)}still here\r")
    three_rooms.wait_for("→ Anna: still here")
    wait_for_room(three_rooms, "dev")


def test_a_number_stays_and_is_free_again_when_its_room_is_left(three_rooms: Terminal) -> None:
    three_rooms.type("/leave dev\r/rooms\r")
    three_rooms.wait_for("# dev   0 here")
    three_rooms.type(alt(1))
    wait_for_room(three_rooms, "main")
    three_rooms.type(alt(3))
    wait_for_room(three_rooms, "docs")
    create(three_rooms, "late")
    three_rooms.type(alt(1))
    wait_for_room(three_rooms, "main")
    three_rooms.type(alt(2))
    wait_for_room(three_rooms, "late")


def test_up_browses_the_typed_lines_and_so_does_control_p_in_an_only_room(terminal: Terminal) -> None:
    terminal.type("first\rsecond\r")
    terminal.wait_for("→ Anna: second")
    terminal.type(CONTROL_P + CONTROL_P)
    terminal.wait_for("> first")
    terminal.type(CONTROL_N)
    terminal.wait_for("> second")
    terminal.type(CONTROL_C)
    create(terminal, "dev")
    terminal.type(UP + UP + UP + UP)
    terminal.wait_until(lambda: terminal.input_line == "> first", "Up shows another line")


def test_a_line_stays_in_its_room_and_what_was_sent_before_a_key_goes_where_it_was_typed(
    three_rooms: Terminal, server: RunningServer
) -> None:
    three_rooms.type(f"said in docs\rhalf in docs{alt(1)}said in main\rhalf in main{alt(3)}")
    three_rooms.wait_until(lambda: three_rooms.input_line == "> half in docs", "the line of docs is not back")
    wait_for_room(three_rooms, "docs")
    three_rooms.type(f" is whole\r{alt(1)}")
    three_rooms.wait_until(lambda: three_rooms.input_line == "> half in main", "the line of main is not back")
    three_rooms.type(" too\r")
    three_rooms.wait_for("→ Anna: half in main too")
    three_rooms.type(alt(3))
    three_rooms.wait_until(lambda: three_rooms.input_line == ">", "a line that was sent is back")
    in_main, in_docs = (
        [line.partition("Anna: ")[2] for line in path.read_text("utf-8").splitlines()]
        for path in (server.history, server.history.with_name("chat_history.docs.txt"))
    )
    assert in_main == ["said in main", "half in main too"]
    assert in_docs == ["said in docs", "half in docs is whole"]


@pytest.mark.parametrize("end", [Terminal.close_window, Terminal.exit_status])
def test_unfinished_lines_are_back_in_the_next_session_in_their_rooms(
    server: RunningServer, make_terminal: TerminalMaker, tmp_path: Path, end: object
) -> None:
    first = make_terminal(server.url(), "--name", "Anna")
    first.wait_for("You are in # main")
    create(first, "dev")
    first.type(f"half in dev\x1b\rsecond row{alt(1)}")
    wait_for_room(first, "main")
    first.type("half in main")
    first.wait_for("> half in main")
    if end is Terminal.close_window:
        first.close_window()
    else:
        first.terminate()
        assert first.exit_status() == 0
    drafts = tmp_path / "homes" / "anna" / "state" / "besedka" / "drafts"
    assert stat.S_IMODE(drafts.stat().st_mode) == 0o600
    second = make_terminal(server.url(), "--name", "Anna")
    second.wait_for("Your unfinished line is back.")
    second.wait_until(lambda: second.input_line == "> half in main", "the line is not back")
    second.type(" goes on\r")
    second.wait_for("→ Anna: half in main goes on")
    second.type("/join dev\r")
    wait_for_room(second, "dev")
    second.wait_for("> half in dev")
    second.type("\r")
    second.wait_for("→ Anna: half in dev")
    second.type("/exit\r")
    assert second.exit_status() == 0
    assert drafts.read_text() == ""


def test_a_draft_is_offered_to_one_terminal(server: RunningServer, make_terminal: TerminalMaker) -> None:
    first = make_terminal(server.url(), "--name", "Anna")
    first.wait_for("You are in # main")
    first.type("half a line")
    first.wait_for("> half a line")
    first.close_window()
    second = make_terminal(server.url(), "--name", "Anna")
    second.wait_until(lambda: second.input_line == "> half a line", "the line is not back")
    third = make_terminal(server.url(), "--name", "Anna")
    third.wait_for("You are in # main")
    third.catch_up()
