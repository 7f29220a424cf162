"""Ignored people: nothing of theirs is shown, counted or rung, on this machine only."""

from __future__ import annotations

from tests.conftest import ClientMaker
from tests.running import RunningServer
from tests.terminal.conftest import TerminalMaker
from tests.terminal.pseudo_terminal import TAB, Terminal


def test_an_ignored_person_is_not_seen_until_they_are_ignored_no_longer(
    server: RunningServer, terminal: Terminal, make_terminal: TerminalMaker, make_client: ClientMaker
) -> None:
    boris, clara = make_client(), make_client()
    boris.join("Boris")
    clara.join("Clara")
    terminal.wait_for("Clara joined")
    terminal.type("/ignore\r")
    terminal.wait_for("You ignore nobody.")
    terminal.type("/ignore anna\r")
    terminal.wait_for("That is you.")
    terminal.type("/ignore boris\r")
    terminal.wait_for("Messages by boris are hidden on this machine; /unignore boris ends it.")
    rung = terminal.bytes.count(b"\a")
    boris.send_frame("typing")
    boris.send_frame("chat", text="anna, look here")
    clara.receive_until(lambda frame: frame.get("text") == "anna, look here")
    clara.send_frame("chat", text="not ignored")
    terminal.wait_for("Clara: not ignored")
    assert not any("look here" in line or "Boris:" in line or "typing" in line for line in terminal.lines)
    assert terminal.bytes.count(b"\a") == rung
    terminal.type("/ignore\r")
    terminal.wait_for("Ignored: boris")
    terminal.type("/exit\r")
    assert terminal.exit_status() == 0
    again = make_terminal(server.url(), "--name", "Anna")
    again.wait_for("Clara: not ignored")
    again.type("/history\r")
    again.wait_for("──── now ────")
    assert not any("look here" in line for line in again.scrollback)
    boris.close()
    clara.receive_until(lambda frame: frame.get("left") == ["Boris"])
    clara.send_frame("chat", text="gone")
    again.wait_for("Clara: gone")
    assert not any("Boris left" in line for line in again.lines)
    again.type(f"/unignore bo{TAB}\r")
    again.wait_for("Messages by boris are shown again.")
    again.type("/unignore Boris\r")
    again.wait_for("Boris is not ignored.")
    again.type("/find look here\r")
    again.wait_for("Boris: anna, look here")


def test_messages_of_ignored_people_are_not_counted_as_unread(
    terminal: Terminal, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris")
    boris.join("Boris", room="dev")
    terminal.type("/ignore Boris\r/join dev\r")
    terminal.wait_for("You are in # dev")
    boris.send_frame("chat", text="anna, in main", room="main")
    boris.send_frame("chat", text="in dev", room="dev")
    boris.receive_until(lambda frame: frame.get("text") == "in dev")
    clara = make_client()
    clara.join("Clara", room="dev")
    clara.send_frame("chat", text="seen", room="dev")
    terminal.wait_for("Clara: seen")
    assert "# main" not in terminal.bar
    terminal.type("/unignore Boris\r/join main\r")
    terminal.wait_for("──── # main ────")
    boris.send_frame("chat", text="and now", room="main")
    terminal.wait_for("Boris: and now")


def test_direct_messages_of_an_ignored_person_open_no_room_aloud(
    terminal: Terminal, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris")
    terminal.wait_for("Boris joined")
    terminal.type("/ignore Boris\r")
    terminal.wait_for("are hidden")
    rung = terminal.bytes.count(b"\a")
    room = boris.ask("direct", user="Anna")["room"]
    boris.join("Boris", room)
    boris.send_frame("chat", room=room, text="psst")
    boris.receive_until(lambda frame: frame.get("text") == "psst")

    def is_joined() -> bool:
        terminal.type("/rooms\r")
        terminal.catch_up()
        return any("@ Boris  2 here · Alt-2" in line for line in terminal.lines)

    terminal.wait_until(is_joined, "the room is not joined")
    assert "@ Boris" not in terminal.bar
    assert not any("has opened" in line for line in terminal.lines)
    assert terminal.bytes.count(b"\a") == rung
    terminal.type("/join @Boris\r")
    terminal.wait_for("──── @ Boris ────")
    terminal.type("/unignore Boris\r/history\r")
    terminal.wait_for("Boris: psst")
