"""The name of a person at a terminal: changed by `/name`, and remembered."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conftest import ClientMaker
from tests.running import RunningServer
from tests.terminal.conftest import TerminalMaker
from tests.terminal.pseudo_terminal import Terminal


@pytest.mark.parametrize("typed", ["Anna Maria", '"Anna Maria"', ' "Anna Maria" '])
def test_a_name_with_blanks_may_stand_in_quotes(terminal: Terminal, typed: str) -> None:
    terminal.type(f"/name {typed}\r")
    terminal.wait_for("You are Anna Maria now.")


def test_the_last_name_is_that_of_the_next_session(
    server: RunningServer, make_terminal: TerminalMaker
) -> None:
    first = make_terminal(server.url())
    first.wait_for("Your name:")
    first.type("\x15Anna\r")
    first.wait_for("You are in # main as Anna.")
    first.type("/exit\r")
    assert first.exit_status() == 0
    second = make_terminal(server.url())
    second.wait_for("You are in # main as Anna.")
    second.type("/name Bella\r")
    second.wait_for("You are Bella now.")
    second.type("/exit\r")
    assert second.exit_status() == 0
    third = make_terminal(server.url())
    third.wait_for("You are in # main as Bella.")
    given = make_terminal(server.url(), "--name", "Clara")
    given.wait_for("You are in # main as Clara.")


def test_a_name_in_the_config_file_precedes_the_remembered_one(
    server: RunningServer, make_terminal: TerminalMaker, tmp_path: Path
) -> None:
    first = make_terminal(server.url(), "--name", "Anna")
    first.wait_for("You are in # main as Anna.")
    config = tmp_path / "homes" / "anna" / "config" / "besedka" / "config.toml"
    config.parent.mkdir(parents=True)
    config.write_text('name = "Bella"\n')
    second = make_terminal(server.url())
    second.wait_for("You are in # main as Bella.")


def test_the_names_of_two_chats_are_remembered_apart(
    server: RunningServer, make_terminal: TerminalMaker
) -> None:
    first = make_terminal(server.url(), "--name", "Anna")
    first.wait_for("You are in # main as Anna.")
    elsewhere = make_terminal(server.url().replace("127.0.0.1", "localhost"))
    elsewhere.wait_for("Your name:")


def test_a_change_of_name_is_reported_as_one(
    server: RunningServer, terminal: Terminal, make_terminal: TerminalMaker, make_client: ClientMaker
) -> None:
    old = make_client()
    old.join("Boris")
    clara = make_terminal(server.url(), "--name", "Clara", person="clara")
    clara.wait_for("You are in # main as Clara.")
    old.receive("system")
    terminal.wait_for("Clara joined")
    clara.type("/name Bella\r")
    clara.wait_for("You are Bella now.")
    terminal.wait_for("· Clara is now Bella (3 here)")
    clara.type("/exit\r")
    terminal.wait_for("· Bella left (2 here)")
    shown = [line for line in terminal.scrollback if "Clara" in line or "Bella" in line]
    assert len(shown) == 3
    # Clients that do not know of it list the people as before.
    *_, change = old.receive_until(lambda frame: "renamed" in frame)
    assert (change["joined"], change["left"], change["clients_count"]) == (["Bella"], ["Clara"], 3)
    assert change["renamed"] == {"Clara": "Bella"}
    assert not any("Bella joined" in line for line in clara.scrollback)
