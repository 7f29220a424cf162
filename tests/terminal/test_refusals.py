"""The reason of a refusal is where the user types; what was refused comes back, and is not mixed with the next line."""

from __future__ import annotations

import pytest

from tests.conftest import ClientMaker, ServerMaker
from tests.ordering import Operator
from tests.running import RunningServer
from tests.terminal.pseudo_terminal import CONTROL_C, ROWS, UP, Terminal, pasted

LEFT, END = "\x1b[D", "\x1b[F"


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    return make_server("--lang", "en").start()


def texts(server: RunningServer) -> list[str]:
    return [line.split("Anna: ")[1] for line in server.lines]


def test_a_long_paste_leaves_the_messages_in_sight_and_the_bar_says_why_it_is_refused(
    server: RunningServer, terminal: Terminal
) -> None:
    terminal.type("in sight\r")
    terminal.wait_for("→ Anna: in sight")
    terminal.type(pasted("\n".join(f"line {number} of a long paste" for number in range(300))))
    terminal.wait_for("line 299 of a long paste")
    terminal.wait_until(lambda: "300 lines" in terminal.bar, "the bar does not say how long it is")
    assert sum("of a long paste" in line for line in terminal.lines) == ROWS // 3
    assert any("→ Anna: in sight" in line for line in terminal.lines)
    terminal.type("\r")
    terminal.wait_until(lambda: "The message is too long: 7389" in terminal.bar, "the bar does not say why")
    terminal.wait_for("! The message is too long: 7389 characters, at most 5000")
    terminal.wait_for("line 299 of a long paste")
    assert any("→ Anna: in sight" in line for line in terminal.lines)
    # The cursor moves inside.
    terminal.type(LEFT + UP * 299)
    terminal.wait_for("> line 0 of a long paste")
    terminal.type(CONTROL_C)
    terminal.wait_until(lambda: terminal.input_line == ">", "the line was not cleared")
    terminal.wait_until(lambda: "too long" not in terminal.bar, "the bar still says so")
    terminal.type("short\r")
    terminal.wait_for("→ Anna: short")
    assert texts(server) == ["in sight", "short"]


def test_an_overlong_paste_is_reported_in_the_bar(terminal: Terminal) -> None:
    terminal.wait_until(lambda: terminal.input_line == ">", "there is no input line")
    terminal.type(pasted("word " * 8_000))
    terminal.wait_until(lambda: "Dropped: a line holds 20000" in terminal.bar, "the bar does not say why")


def test_what_a_muted_person_types_next_takes_the_place_of_the_text_given_back(
    server: RunningServer, terminal: Terminal
) -> None:
    with Operator(server) as operator:
        operator.do("mute", "Anna")
        for number, text in enumerate(("first", "second")):
            terminal.type(f"{text}\r")
            terminal.wait_until(lambda: terminal.input_line == f"> {text}", "it is not given back")  # noqa: B023
            terminal.wait_until(
                lambda: "You are muted (" in terminal.bar, f"the bar does not say why {number}"
            )
        operator.do("unmute", "Anna")
    # A key that moves the cursor keeps it.
    terminal.type(f"{END}!\r")
    terminal.wait_for("→ Anna: ")
    assert texts(server) == ["second!"]
    terminal.wait_until(lambda: "You are muted" not in terminal.bar, "the bar still says so")
    terminal.type(UP + UP)
    terminal.wait_for("> second")


def test_a_paste_takes_the_place_of_the_text_given_back(server: RunningServer, terminal: Terminal) -> None:
    with Operator(server) as operator:
        operator.do("mute", "Anna")
        terminal.type("refused\r")
        terminal.wait_until(lambda: terminal.input_line == "> refused", "it is not given back")
        operator.do("unmute", "Anna")
    terminal.type(pasted("pasted"))
    terminal.wait_until(lambda: terminal.input_line == "> pasted", "it is glued to the text given back")
    terminal.type("\r")
    terminal.wait_for("→ Anna: pasted")
    assert texts(server) == ["pasted"]


def test_slow_mode_is_announced_and_the_bar_counts_the_seconds(
    server: RunningServer, terminal: Terminal
) -> None:
    with Operator(server) as operator:
        operator.do("slow", room="main", seconds=600)
        terminal.wait_for("· Slow mode: one message per person every 10m.")
        terminal.type("one\rtwo\r")
        terminal.wait_for("→ Anna: one")
        terminal.wait_until(
            lambda: "1 waiting │ slow mode, next in" in terminal.bar, "the bar does not count"
        )
        assert sum("! Slow mode: this is sent in" in line for line in terminal.lines) == 1
        operator.do("slow", room="main", seconds=0)
        terminal.wait_for("· Slow mode is off.")


def test_slow_mode_is_announced_to_newcomers(server: RunningServer, terminal: Terminal) -> None:
    with Operator(server) as operator:
        operator.do("slow", room="main", seconds=30)
    terminal.wait_for("every 30s.")
    terminal.type("/exit\r")
    assert terminal.exit_status() == 0
    with Terminal(server.url(), "--name", "Boris", home=server.directory) as boris:
        boris.wait_for("You are in # main as Boris.")
        boris.wait_for("· Slow mode: one message per person every 30s.")


def test_an_archived_room_says_so_at_once_and_to_newcomers(server: RunningServer, terminal: Terminal) -> None:
    with Operator(server) as operator:
        terminal.type("the last word\r")
        terminal.wait_for("→ Anna: the last word")
        operator.do("archive", room="main")
        terminal.wait_for("· This room is archived: it can be read, but nobody can post in it.")
        terminal.type("one more\r")
        terminal.wait_for("! This room is archived")
        with Terminal(server.url(), "--name", "Boris", home=server.directory) as boris:
            boris.wait_for("· This room is archived: it can be read, but nobody can post in it.")
        operator.do("unarchive", room="main")
        terminal.wait_for("· This room is no longer archived: people can post in it again.")


def test_what_waits_is_listed_and_taken_back(server: RunningServer, terminal: Terminal) -> None:
    terminal.type("/waiting\r")
    terminal.wait_for("Nothing is waiting to be sent.")
    server.stop()
    terminal.wait_for("no connection")
    terminal.type("one\rtwo\rthree\rfour\r")
    terminal.wait_until(lambda: "4 waiting" in terminal.bar, "they do not wait")
    terminal.type("/waiting\r")
    terminal.wait_for("4  # main: four")
    terminal.type("/waiting discard 2\r")
    terminal.wait_for("· Not sent any more: two")
    # The numbers are those of the list.
    terminal.type("/waiting discard 3\r")
    terminal.wait_for("· Not sent any more: three")
    terminal.type("/waiting discard 3\r")
    terminal.wait_for("! 3: no such message is waiting")
    terminal.type("/waiting discard 0\r")
    terminal.wait_for("! 0: no such message is waiting")
    terminal.wait_until(lambda: "2 waiting" in terminal.bar, "the bar counts them still")
    server.start()
    terminal.wait_for("→ Anna: four")
    assert texts(server) == ["one", "four"]
    terminal.type("/waiting drop 3\r")
    terminal.wait_for("! drop 3 is not one of the choices: /waiting [discard N|all]")


def test_all_that_waits_is_taken_back(server: RunningServer, terminal: Terminal) -> None:
    server.stop()
    terminal.wait_for("no connection")
    terminal.type("one\rtwo\r")
    terminal.wait_until(lambda: "2 waiting" in terminal.bar, "they do not wait")
    terminal.type("/waiting discard all\r")
    terminal.wait_until(lambda: "waiting" not in terminal.bar, "they wait still")
    server.start()
    terminal.wait_for("connected again")
    terminal.type("three\r")
    terminal.wait_for("→ Anna: three")
    assert texts(server) == ["three"]


def test_a_message_that_slow_mode_holds_is_taken_back_and_holds_up_no_other(
    server: RunningServer, terminal: Terminal
) -> None:
    with Operator(server) as operator:
        operator.do("slow", room="main", seconds=600)
        terminal.type("one\rtwo\rthree\r")
        terminal.wait_until(lambda: "2 waiting │ slow mode, next in" in terminal.bar, "they do not wait")
        terminal.type("/waiting\r")
        terminal.wait_for("2  # main: three")
        terminal.type("/waiting discard 1\r")
        terminal.wait_for("· Not sent any more: two")
        terminal.wait_until(lambda: "1 waiting │ slow mode, next in" in terminal.bar, "the other is lost")
        operator.do("slow", room="main", seconds=0)
        terminal.wait_for("→ Anna: three")
    assert texts(server) == ["one", "three"]


def test_a_search_is_continued(terminal: Terminal, make_client: ClientMaker) -> None:
    boris = make_client()
    boris.join("Boris")
    for number in range(1, 46):
        boris.send_frame("chat", text=f"needle {number}.")
    boris.receive_to(45)
    terminal.wait_for("needle 45.")
    terminal.type("/more\r")
    terminal.wait_for("! There is no search to go on with: /find WORDS begins one.")
    terminal.type("/clear\r/find needle\r")
    terminal.wait_for("· 20 found, and perhaps more: /more shows older ones.")
    assert not any("needle 25." in line for line in terminal.lines)
    terminal.type("/clear\r/more\r")
    terminal.wait_for("needle 6.")
    terminal.wait_for("· 20 found, and perhaps more")
    assert not any("needle 5." in line or "needle 26." in line for line in terminal.lines)
    terminal.type("/clear\r/more\r")
    terminal.wait_for("needle 1.")
    terminal.wait_for("· 5 found")
    terminal.type("/clear\r/more\r")
    terminal.wait_for("! There is no search to go on with")
