"""``besedka chat`` by a link to a server that is not honest."""

from __future__ import annotations

from pathlib import Path

from besedka.wire.frames import Device
from tests.hostile_servers import answering, websocket_server
from tests.terminal.conftest import TerminalMaker

FAILED, REFUSED = 1, 4


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


def test_a_name_that_can_be_none_is_not_even_asked_about(make_terminal: TerminalMaker) -> None:
    terminal = make_terminal("localhost:1#;device=token;name=Bob%0D%0A13:00%20%20%20Boss")
    assert terminal.exit_status() == REFUSED
    assert not any("on this machine" in line for line in terminal.lines)
