"""How far a person has read, in the terminal: what they have read elsewhere is not unread here, and the other way round."""

from __future__ import annotations

from tests.conftest import ClientMaker
from tests.running import RunningServer
from tests.talking import WireClient
from tests.terminal.conftest import TerminalMaker, create
from tests.terminal.pseudo_terminal import Terminal
from tests.terminal.test_people import link_in


def post(boris: WireClient, *posted: str, room: str = "main") -> None:
    for text in posted:
        boris.ask("chat", text=text, room=room)


def test_what_was_read_on_another_device_is_not_counted_as_unread(
    server: RunningServer, terminal: Terminal, make_terminal: TerminalMaker, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris")
    create(terminal, "dev")
    post(boris, "one", "two for Anna")
    terminal.wait_until(lambda: "# main 2!" in terminal.bar, "the bar does not count")
    other = make_terminal(server.url(), "--name", "Anna")
    other.wait_for("Boris: two for Anna")
    terminal.wait_until(lambda: "# main" not in terminal.bar, "the bar still counts")
    post(boris, "three", "four")
    other.wait_for("Boris: four")
    terminal.wait_until(lambda: "# main 2" in terminal.bar, "the bar does not count")
    # Nothing says that anybody sees them there, until a key is pressed.
    other.type("x")
    terminal.wait_until(lambda: "# main" not in terminal.bar, "the bar still counts")
    post(boris, "five")
    terminal.wait_until(lambda: "# main 1" in terminal.bar, "the bar does not count")
    terminal.type("/join main\r")
    terminal.wait_for("Boris: five")
    places = [line for line in terminal.lines if "unread" in line or "Boris: " in line]
    assert ["unread" in line for line in places] == [False, False, False, False, True, False]


def test_a_room_is_joined_with_a_rule_where_the_person_has_stopped_reading(
    server: RunningServer, terminal: Terminal, make_terminal: TerminalMaker, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris")
    post(boris, *(f"old {number}" for number in range(5)))
    terminal.wait_for("Boris: old 4")
    terminal.type("mine\r")
    terminal.wait_for("→ Anna: mine")
    terminal.type("/exit\r")
    assert terminal.exit_status() == 0
    post(boris, "new 0", "new 1")
    second = make_terminal(server.url(), "--name", "Anna")
    second.wait_for("Boris: new 1")
    places = [line for line in second.lines if "unread" in line or (": " in line and "You are" not in line)]
    assert [line for line in places if "unread" in line] == ["──── unread ────"]
    at = next(index for index, line in enumerate(places) if "unread" in line)
    assert "Anna: mine" in places[at - 1]
    assert "Boris: new 0" in places[at + 1]
    second.type("/exit\r")
    assert second.exit_status() == 0
    post(boris, *(f"newer {number}" for number in range(15)))
    third = make_terminal(server.url(), "--name", "Anna")
    third.wait_for("Boris: newer 14")
    third.wait_for("5 more before that: /history 5")


def test_direct_messages_that_were_read_on_another_device_are_not_new_at_the_next_start(
    server: RunningServer, make_terminal: TerminalMaker, make_client: ClientMaker
) -> None:
    first = make_terminal(server.url(), "--name", "Anna")
    first.wait_for("You are in # main as Anna.")
    first.type("/device\r")
    first.wait_for("Open this link on another device")
    phone = make_client()
    device = phone.ask("take_device", token=link_in(first).partition("device=")[2])
    first.type("/exit\r")
    assert first.exit_status() == 0
    for name in ("Boris", "Clara"):
        person = make_client()
        person.join(name)
        room = person.ask("direct", user="Anna")["room"]
        person.join(name, room)
        post(person, f"it is {name}", room=room)
        phone.join("Anna", room, secret=device["secret"])
        if name == "Boris":
            phone.send_frame("read", room=room, id=1)
            phone.ask("rooms")
    second = make_terminal(server.url(), "--name", "Anna")
    second.wait_until(lambda: "@ Clara 1!" in second.bar, "the bar does not tell")
    assert "Boris" not in second.bar
    second.type("/rooms\r")
    second.wait_for("@ Clara  2 here · Alt-2 · 1 new")
    assert not any("Boris" in line and "Alt-" in line for line in second.lines)
