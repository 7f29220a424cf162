"""Moderation at a terminal, as moderators and others see it."""

from __future__ import annotations

import re

import pytest

from tests.conftest import ServerMaker
from tests.ordering import Operator
from tests.running import RunningServer
from tests.terminal.conftest import TerminalMaker
from tests.terminal.pseudo_terminal import CONTROL_C, Terminal


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    """A server whose language is Russian: the sentences here are English, because the terminals are."""
    return make_server("--lang", "ru").start()


def endings(terminal: Terminal) -> list[str]:
    """The times until which somebody was muted, as the answers say them."""
    return re.findall(r"Boris is muted until (\d{4}-\d\d-\d\d \d\d:\d\d)", "\n".join(terminal.scrollback))


def test_moderation_commands_act_and_those_concerned_are_notified(
    server: RunningServer, terminal: Terminal, make_terminal: TerminalMaker
) -> None:
    with Operator(server) as operator:
        operator.do("appoint", "Anna")
    terminal.type("/kick Boris\r")
    anna = make_terminal(server.url(), "--name", "Anna")
    anna.wait_for("You are in # main as Anna.")
    boris = make_terminal(server.url(), "--name", "Boris", person="boris", NO_COLOR="1")
    boris.wait_for("You are in # main as Boris.")
    boris.type("spam\r")
    boris.wait_for("→ Boris: spam")
    anna.wait_until(
        lambda: any(re.search(r"^\d\d:\d\d 1   Boris: spam", line) for line in anna.lines), "no number"
    )
    anna.type("/redact x\r")
    anna.wait_for("! x: it must be a number, 1 or more, as in /redact 50")
    anna.type("/redact 1\r")
    for one in (anna, boris):
        one.wait_for("· message 1 by Boris was removed")
    anna.type("/find spam\r")
    anna.wait_for("Nothing found.")
    anna.type("/slow 30\r")
    anna.wait_for("· Slow mode: one message per person every 30s.")
    anna.type("/slow off\r")
    anna.wait_for("· Slow mode is off.")
    for mistyped in ("10", "90min", "1week"):
        anna.type(f"/mute Boris {mistyped} enough\r")
        anna.wait_for(f"! {mistyped}: it must be a time, as in 30s, 10m, 2h, 3d, 1w")
    anna.type("/mute Boris 1w enough\r")
    anna.wait_until(lambda: len(endings(anna)) == 1, "it does not say until when")
    # What is in force longer stays so.
    anna.type("/mute Boris 10m\r")
    anna.wait_until(lambda: len(endings(anna)) == 2, "no answer")
    assert len({*endings(anna)}) == 1
    boris.type("but\r")
    boris.wait_for("! You are muted (")
    boris.wait_until(lambda: boris.input_line == "> but", "what was typed is lost")
    anna.type("/unmute Boris\r")
    anna.wait_for("Boris is no longer muted")
    anna.type("/kick Boris\r")
    anna.wait_for("Boris was disconnected")
    boris.wait_for("Enter in an empty line leaves.")
    boris.type(f"{CONTROL_C}\r")
    assert boris.exit_status() == 4
    boris.wait_for("besedka: You were disconnected by a moderator.")
    anna.type("/ban Boris 2h too loud\r")
    anna.wait_for("Boris is banned until 2")
    again = make_terminal(server.url(), "--name", "Boris", person="boris")
    assert again.exit_status() == 4
    again.wait_for("besedka: You are banned (")
    anna.type("/help 2\r")
    anna.wait_for("/redact ID")
    anna.type("/kick Nobody\r")
    anna.wait_for("! This cannot be done: Nobody is not here now")
