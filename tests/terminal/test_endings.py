"""The server ends a room or the session: nobody is thrown into the shell while they type."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ServerMaker
from tests.ordering import Operator
from tests.running import RunningServer
from tests.terminal.conftest import TerminalMaker
from tests.terminal.pseudo_terminal import CONTROL_C, CONTROL_D, Terminal
from tests.terminal.test_people import link_in


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    return make_server("--lang", "en").start()


@pytest.fixture
def guest(terminal: Terminal, make_terminal: TerminalMaker) -> Terminal:
    """Boris's terminal, whose only room is Anna's private one."""
    terminal.type("/private plans\r")
    terminal.wait_for("You are in # plans as Anna.")
    terminal.type("/invite\r")
    terminal.wait_for("this machine only")
    boris = make_terminal(link_in(terminal), "--name", "Boris", person="boris")
    boris.wait_for("You are in # plans as Boris.")
    boris.catch_up()
    return boris


def test_losing_the_only_room_leads_to_the_main_one(
    server: RunningServer, terminal: Terminal, guest: Terminal
) -> None:
    guest.type("half a sen")
    guest.wait_for("> half a sen")
    terminal.type("/uninvite Boris\r")
    guest.wait_for("! You are no longer a member of # plans.")
    guest.wait_for("You are in # main as Boris.")
    guest.wait_until(lambda: guest.input_line == "> half a sen", "what was typed is gone")
    guest.type("tence\r")
    guest.wait_for("→ Boris: half a sentence")
    assert len(server.lines) == 1
    guest.type("/exit\r")
    assert guest.exit_status() == 0


@pytest.mark.parametrize(
    ("act", "why"),
    [("delete", "the operator of the chat has deleted it"), ("rename", "it is called ideas now")],
)
def test_a_room_that_is_deleted_or_renamed_leads_to_the_main_one(
    server: RunningServer, make_terminal: TerminalMaker, act: str, why: str
) -> None:
    anna = make_terminal(server.url() + "#dev", "--name", "Anna", person="anna")
    anna.wait_for("You are in # dev as Anna.")
    anna.type("hello\r")
    anna.wait_for("→ Anna: hello")
    anna.type("half a sen")
    anna.wait_for("> half a sen")
    with Operator(server) as operator:
        operator.do(act, room="dev", **({"to": "ideas"} if act == "rename" else {}))
    anna.wait_for(f"! # dev: The room dev is gone: {why}")
    anna.wait_for("You are in # main as Anna.")
    anna.type("tence\r")
    anna.wait_for("→ Anna: half a sentence")
    assert len(server.lines) == 1
    assert not (server.directory / "chat_history.dev.txt").exists()


def reports(terminal: Terminal) -> int:
    """How often the screen says that the session has ended."""
    return sum("Nothing is sent any more." in line for line in terminal.scrollback)


@pytest.mark.parametrize(
    ("act", "why"), [("kick", "You were disconnected by a moderator."), ("ban", "You are banned (")]
)
def test_a_session_that_the_server_has_ended_keeps_the_screen_until_the_user_leaves(
    server: RunningServer, terminal: Terminal, act: str, why: str
) -> None:
    terminal.type("half a sen")
    terminal.wait_for("> half a sen")
    with Operator(server) as operator:
        operator.do(act, "Anna")
    terminal.wait_for(f"! {why}")
    terminal.wait_for("Nothing is sent any more. Enter in an empty line leaves.")
    # A person who has not looked up yet goes on.
    terminal.type("tence\r\r")
    terminal.wait_until(lambda: terminal.input_line == "> half a sentence", "the text is not given back")
    terminal.type("\r")
    terminal.wait_until(lambda: reports(terminal) > 2, "it is not said again")
    terminal.type(CONTROL_C)
    terminal.wait_until(lambda: terminal.input_line == ">", "the line was not cleared")
    terminal.type("\r")
    assert terminal.exit_status() == 4
    assert server.lines == []


def test_typing_ends_a_lost_session_only_by_the_keys_that_leave(
    server: RunningServer, make_terminal: TerminalMaker
) -> None:
    for leaves in ("/exit\r", CONTROL_D, CONTROL_C):
        anna = make_terminal(server.url(), "--name", "Anna")
        anna.wait_for("You are in # main as Anna.")
        anna.catch_up()
        with Operator(server) as operator:
            operator.do("kick", "Anna")
        anna.wait_for("Enter in an empty line leaves.")
        anna.type(leaves)
        assert anna.exit_status() == 4


def test_a_person_banned_in_the_only_room_is_not_led_to_the_main_one(
    server: RunningServer, guest: Terminal
) -> None:
    with Operator(server) as operator:
        operator.do("ban", "Boris")
    guest.wait_for("! You are banned (")
    guest.wait_for("Enter in an empty line leaves.")
    guest.type("\r")
    assert guest.exit_status() == 4
    assert not any("# main" in line for line in guest.scrollback)


@pytest.mark.parametrize("leaves", ["/exit\r", CONTROL_D])
def test_what_is_typed_behind_the_end_does_not_reach_the_shell(
    server: RunningServer, tmp_path: Path, leaves: str
) -> None:
    with Terminal(server.url(), "--name", "Anna", home=tmp_path, module="tests.terminal.shell") as terminal:
        terminal.wait_for("You are in # main as Anna.")
        terminal.catch_up()
        with Operator(server) as operator:
            operator.do("kick", "Anna")
        terminal.wait_for("Enter in an empty line leaves.")
        # More than the program reads at once.
        terminal.type(f"{leaves}{'rm -rf x' * 200}\r")
        terminal.wait_for("besedka: You were disconnected by a moderator.")
        terminal.type("ls\r")
        terminal.wait_for("the shell runs")
        assert any("the shell runs ls" in line for line in terminal.lines)


def test_what_is_typed_for_a_chat_that_is_not_reached_does_not_get_to_the_shell(tmp_path: Path) -> None:
    unreachable = ("ws://127.0.0.1:1/ws", "--name", "Anna")
    with Terminal(*unreachable, home=tmp_path, module="tests.terminal.shell") as terminal:
        terminal.type("rm -rf x\r")
        terminal.wait_for("besedka: cannot reach a chat")
        terminal.type("ls\r")
        terminal.wait_for("the shell runs")
        assert any("the shell runs ls" in line for line in terminal.lines)
