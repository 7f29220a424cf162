"""``besedka chat`` by a link to a server that is not honest."""

from __future__ import annotations

from pathlib import Path

import pytest

from besedka.wire.frames import Device, Welcome
from tests.hostile_servers import LIMITS, answering, websocket_server
from tests.terminal.conftest import TerminalMaker

FAILED, UNREACHABLE, REFUSED = 1, 3, 4


def kept(home: Path) -> list[str]:
    """The files of a person, without the one secret that everybody has, and typed lines."""
    folder = home / "state" / "besedka"
    return sorted(path.name for path in folder.glob("*") if path.name not in {"secret", "typed", "unsent"})


def test_a_link_that_promises_one_person_makes_nobody_another(
    make_terminal: TerminalMaker, tmp_path: Path
) -> None:
    with websocket_server(answering(Device("Mallory", "a secret"))) as url:
        terminal = make_terminal(f"{url}#;device=token;name=Bob")
        terminal.wait_for("Be Bob on this machine?")
        terminal.type("y\r")
        assert terminal.exit_status() == FAILED
    assert any("the link promises Bob, and is one of Mallory" in line for line in terminal.lines)
    assert kept(tmp_path / "homes" / "anna") == []


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("Bob", "x\nbank.example\tBob\tplanted"),
        ("Bob", "x\u2028bank.example\tBob\tplanted"),
        ("Bob", "x\x1b[2J"),
        ("Bob\tx\nbank.example\tBob", "planted"),
        ("Bob", "x" * 1_000),
        ("Bob", ""),
    ],
)
def test_no_server_plants_a_secret_for_another_host(
    make_terminal: TerminalMaker, tmp_path: Path, name: str, secret: str
) -> None:
    with websocket_server(answering(Device(name, secret))) as url:
        terminal = make_terminal(f"{url}#;device=token", "--yes")
        assert terminal.exit_status() == UNREACHABLE
    assert "is not Besedka" in " ".join(terminal.lines)
    assert kept(tmp_path / "homes" / "anna") == []


def test_a_name_that_can_be_none_is_not_even_asked_about(make_terminal: TerminalMaker) -> None:
    terminal = make_terminal("localhost:1#;device=token;name=Bob%0D%0A13:00%20%20%20Boss")
    assert terminal.exit_status() == REFUSED
    assert not any("on this machine" in line for line in terminal.lines)


@pytest.mark.parametrize(
    "welcome",
    [
        Welcome("main\tx", "Anna", 0, "epoch", 1, [], LIMITS, 0),
        Welcome("main", "Anna\n12:00   Boss", 0, "epoch", 1, [], LIMITS, 0),
        Welcome("main", "Anna", 0, "e\tdirect-1\tws://bank:8765/ws\n", 1, [], LIMITS, 0),
        Welcome("main", "Anna", -1, "epoch", 1, [], LIMITS, 0),
        Welcome("main", "Anna", 0, "epoch", 1, [], LIMITS, 10**12),
    ],
)
def test_a_welcome_that_none_would_send_ends_the_session(
    make_terminal: TerminalMaker, welcome: Welcome
) -> None:
    with websocket_server(answering(welcome)) as url:
        terminal = make_terminal(url, "--name", "Anna")
        assert terminal.exit_status() == UNREACHABLE
    assert "is not Besedka" in " ".join(terminal.lines)
