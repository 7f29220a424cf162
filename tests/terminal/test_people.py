"""Claimed names, private rooms, direct messages and other devices at a terminal."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from tests.commanding import wait_until
from tests.conftest import ClientMaker
from tests.running import RunningServer
from tests.talking import WireClient
from tests.terminal.conftest import TerminalMaker
from tests.terminal.pseudo_terminal import TAB, Terminal


def link_in(terminal: Terminal) -> str:
    """The link printed last, wrapped or not."""
    links: list[str] = re.findall(r"http://\S+;\S+", "".join(f"{line:<80}" for line in terminal.scrollback))
    return links[-1]


def test_unverified_names_are_marked(
    server: RunningServer, make_terminal: TerminalMaker, make_client: ClientMaker
) -> None:
    terminal = make_terminal(server.url(), "--name", "Anna", NO_COLOR="1")
    terminal.wait_for("You are in # main as Anna.")
    guest, boris = make_client(), make_client()
    guest.join("Guest", secret="")
    boris.join("Boris")
    guest.send_frame("chat", text="hello")
    terminal.wait_for("  Guest?: hello")
    guest.send_frame("chat", text="/me waves")
    terminal.wait_for("  * Guest? waves")
    boris.send_frame("chat", text="welcome")
    terminal.wait_for("  Boris: welcome")


def test_a_name_keeps_its_first_spelling_and_belongs_to_one_person(
    server: RunningServer, terminal: Terminal, make_terminal: TerminalMaker
) -> None:
    assert any("You are in # main as Anna." in line for line in terminal.lines)
    again = make_terminal(server.url(), "--name", "ANNA")
    again.wait_for("You are in # main as Anna.")
    again.type("it is me\r")
    terminal.wait_for("→ Anna: it is me")
    other = make_terminal(server.url(), "--name", "Anna", person="eve")
    other.wait_for("belongs to somebody else")
    other.wait_for("Your name:")


def test_a_private_room_is_joined_by_an_invitation_link(
    server: RunningServer, terminal: Terminal, make_terminal: TerminalMaker
) -> None:
    terminal.type("/invite\r")
    terminal.wait_for("! # main is not private; /private ROOM makes a room that is.")
    terminal.type("/private Plans\r")
    terminal.wait_for("You are in # plans as Anna.")
    terminal.wait_until(lambda: terminal.bar.startswith("# plans (private) │"), "the bar shows no mark")
    terminal.type("/private plans\r")
    terminal.wait_for("! This room already exists; choose another name.")
    terminal.type("/invite 2 soon\r")
    terminal.wait_for("! 2 soon: it must be how many people, and for how long")
    terminal.type("/invite 2 1h\r")
    terminal.wait_for("2 people can join # plans by this link, within 1h:")
    terminal.wait_for("this machine only")
    link = link_in(terminal)
    assert link.startswith(f"http://127.0.0.1:{server.port}/#plans;invite=")
    boris = make_terminal(link, "--name", "Boris", person="boris")
    boris.wait_for("You are in # plans as Boris.")
    terminal.wait_for("Boris joined")
    boris.type("/rooms\r")
    boris.wait_for("# plans  2 here · private · you are here")
    boris.type("/uninvite Anna\r")
    boris.wait_for("! This cannot be done")
    terminal.type("/uninvite Boris\r")
    terminal.wait_for("Boris is no longer a member of # plans.")
    boris.wait_for("You are in # main as Boris.")
    terminal.type("/uninvite\r")
    terminal.wait_for("All invitations to # plans were revoked.")
    late = make_terminal(link, "--name", "Boris", person="boris")
    assert late.exit_status() == 4
    late.wait_for("besedka: This link is no longer valid")


def test_a_direct_room_is_shown_by_the_name_of_the_other_person(
    terminal: Terminal, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris B")
    room = boris.ask("direct", user="Anna")["room"]
    terminal.wait_for("· “Boris B” has opened direct messages with you: /join @Boris B")
    terminal.wait_until(lambda: b"\a" in terminal.bytes, "it does not ring")
    rung = terminal.bytes.count(b"\a")
    boris.join("Boris B", room)
    boris.send_frame("chat", room=room, text="just you")
    terminal.wait_until(lambda: "│ 2: @ Boris B 1!" in terminal.bar, "the bar does not tell")
    terminal.wait_until(lambda: terminal.bytes.count(b"\a") > rung, "it does not ring")
    terminal.type(f"/msg bor{TAB}")
    terminal.wait_until(lambda: terminal.input_line == '> /msg "Boris B"', "Tab does not complete")
    terminal.type("and you\r")
    terminal.wait_for("Boris B: just you")
    terminal.wait_for("→ Anna: and you")
    terminal.wait_until(lambda: terminal.bar.startswith("@ Boris B │ 2 here"), "the bar shows another room")
    assert boris.receive("chat")["text"] == "just you"
    assert boris.receive("chat")["text"] == "and you"
    terminal.type("/rooms\r")
    terminal.wait_for("@ Boris B  2 here · you are here")
    terminal.type("/leave @boris b\r")
    terminal.wait_for("──── # main ────")
    terminal.type("/join @Boris B\r")
    terminal.wait_for("Direct messages with “Boris B”, as Anna.")
    terminal.type("/msg Nobody\r")
    terminal.wait_for("! Nobody here is known by this name.")
    terminal.type("/msg Anna\r")
    terminal.wait_for("That is you.")
    assert b"direct-" not in terminal.bytes


def test_a_device_link_makes_another_machine_the_same_person(
    server: RunningServer, terminal: Terminal, make_terminal: TerminalMaker, tmp_path: Path
) -> None:
    terminal.type("/device\r")
    terminal.wait_for("Open this link on another device to be Anna there; once, within 5m:")
    terminal.wait_until(
        lambda: sum("▀" in line or "▄" in line for line in terminal.scrollback) > 15, "no code"
    )
    link = link_in(terminal)
    unwilling = make_terminal(link, person="phone")
    unwilling.wait_for("Use this machine as Anna? (y/n)")
    unwilling.type("n\r")
    assert unwilling.exit_status() == 0
    phone = make_terminal(link, person="phone")
    phone.wait_for("Use this machine as Anna? (y/n)")
    phone.type("y\r")
    phone.wait_for("You are Anna on this machine now.")
    phone.wait_for("You are in # main as Anna.")
    phone.type("from the phone\r")
    terminal.wait_for("→ Anna: from the phone")
    phone.type("/exit\r")
    assert phone.exit_status() == 0
    (kept,) = (tmp_path / "homes" / "phone").rglob("secrets")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    again = make_terminal(server.url(), "--name", "Anna", person="phone")
    again.wait_for("You are in # main as Anna.")
    used = make_terminal("--yes", link, person="tablet", LANG="ru_RU.UTF-8")
    assert used.exit_status() == 4
    used.wait_for("Эта ссылка больше не действует")


def test_direct_messages_posted_while_the_user_was_away_are_unread(
    server: RunningServer, make_terminal: TerminalMaker, make_client: ClientMaker
) -> None:
    first = make_terminal(server.url(), "--name", "Anna")
    first.wait_for("You are in # main as Anna.")
    first.type("/exit\r")
    assert first.exit_status() == 0
    # Talks that begin while she is away.
    boris, clara = make_client(), make_client()
    for person, name in ((boris, "Boris"), (clara, "Clara")):
        person.join(name)
        room = person.ask("direct", user="Anna")["room"]
        person.join(name, room)
        person.send_frame("chat", room=room, text=f"it is {name}")
        person.receive("chat")
    boris_room, clara_room = (person_room(person) for person in (boris, clara))
    second = make_terminal(server.url(), "--name", "Anna")
    second.wait_until(
        lambda: "@ Boris 1!" in second.bar and "@ Clara 1!" in second.bar, "the bar does not tell"
    )
    second.type("/rooms\r")
    second.wait_until(
        lambda: any(re.search(r"@ Boris  2 here · Alt-[23] · 1 new", line) for line in second.lines),
        "the list does not tell",
    )
    second.type("/join @Boris\r")
    second.wait_for("Boris: it is Boris")
    second.wait_until(lambda: "@ Boris" not in second.bar.partition("│")[2], "it was read")
    # Left unread: Clara's. Read: Boris's.
    second.type("/exit\r")
    assert second.exit_status() == 0
    boris.send_frame("chat", room=boris_room, text="and more")
    boris.receive("chat")
    third = make_terminal(server.url(), "--name", "Anna")
    third.wait_until(
        lambda: "@ Boris 1!" in third.bar and "@ Clara 1!" in third.bar,
        "the bar does not tell of what is new",
    )
    third.type("/join @Boris\r")
    third.wait_for("Boris: and more")
    assert not any("it is Boris" in line for line in third.lines)
    third.type("/join @Clara\r")
    third.wait_for("Clara: it is Clara")
    third.type("/exit\r")
    assert third.exit_status() == 0
    # All is read: she is in none of them, until something is said.
    fourth = make_terminal(server.url(), "--name", "Anna")
    fourth.wait_for("You are in # main as Anna.")
    fourth.type("/rooms\r")
    fourth.wait_for("@ Clara  1 here")
    assert not any("@" in line and "Alt-" in line for line in fourth.lines)
    rung = fourth.bytes.count(b"\a")
    clara.send_frame("chat", room=clara_room, text="are you there?")
    fourth.wait_for("Clara has opened direct messages with you: /join @Clara")
    fourth.wait_until(lambda: "@ Clara 1!" in fourth.bar, "the bar does not tell")
    fourth.wait_until(lambda: fourth.bytes.count(b"\a") > rung, "it does not ring")


def test_twenty_direct_rooms_with_unread_messages_are_joined_at_the_start(
    server: RunningServer, make_terminal: TerminalMaker, make_client: ClientMaker
) -> None:
    first = make_terminal(server.url(), "--name", "Anna")
    first.wait_for("You are in # main as Anna.")
    first.type("/exit\r")
    assert first.exit_status() == 0
    people = {f"Guest {number:02}": make_client() for number in range(22)}
    rooms = {}
    for name, person in people.items():
        person.join(name)
        rooms[name] = person.ask("direct", user="Anna")["room"]
        person.join(name, rooms[name])
        person.send_frame("chat", room=rooms[name], text="hello")
        person.receive("chat")
    # She has answered all of them.
    server.stop()
    kept = server.directory / "private_rooms.txt"
    kept.write_text(kept.read_text("utf-8").replace("\tasked\t", "\tmember\t"), "utf-8")
    server.start()
    second = make_terminal(server.url(), "--name", "Anna")
    second.wait_until(lambda: shown_by_rooms(second).count(True) == 20, "it is not come to twenty")
    is_come_to = shown_by_rooms(second)
    assert is_come_to.count(False) == 2
    # Who goes on is heard all the same.
    late = next(
        name for name in people if not any(name in line and is_joined(line) for line in second.scrollback)
    )
    again = make_client()
    again.join(late, rooms[late])
    again.send_frame("chat", room=rooms[late], text="hello?")
    second.wait_for(f"“{late}” has opened direct messages with you")


def is_joined(line: str) -> bool:
    """Whether a line of the list of `/rooms` is about a room that is joined, and not on the screen."""
    return re.search(r"· (Alt-[1-9]|joined)", line) is not None


def shown_by_rooms(terminal: Terminal) -> list[bool]:
    """Whether there are unread messages, for each direct room in the list of `/rooms`."""

    def lists() -> list[list[str]]:
        """The lists that were printed completely."""
        lines = "\n".join(line.strip() for line in terminal.scrollback)
        return [
            part.split("\n# main ")[0].split("\n")
            for part in lines.split("Rooms:")[1:]
            if "\n# main " in part
        ]

    before = len(lists())
    terminal.type("/rooms\r")
    terminal.wait_until(lambda: len(lists()) > before, "no list")
    return ["1 new" in line for line in lists()[-1] if line.startswith("@ ")]


def test_a_direct_room_stays_left_until_a_new_message_is_posted(
    terminal: Terminal, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris")
    room = boris.ask("direct", user="Anna")["room"]
    boris.join("Boris", room)
    boris.send_frame("chat", room=room, text="one")
    terminal.wait_until(lambda: "@ Boris 1!" in terminal.bar, "the bar does not tell")
    # Unread as it is.
    terminal.type("/leave @Boris\r")
    terminal.wait_until(lambda: "@ Boris" not in terminal.bar, "it is not left")
    wait_until(lambda: {"name": room, "clients_count": 1}.items() <= boris.ask("rooms")["rooms"][0].items())
    boris.send_frame("chat", room="main", text="to all")
    terminal.wait_for("Boris: to all")
    assert "@ Boris" not in terminal.bar
    boris.send_frame("chat", room=room, text="two")
    terminal.wait_until(lambda: "@ Boris 1!" in terminal.bar, "it is missed")
    terminal.type("/join @Boris\r")
    terminal.wait_for("Boris: two")
    assert not any("Boris: one" in line for line in terminal.lines)
    terminal.type("and three\r")
    terminal.wait_for("→ Anna: and three")


def test_a_direct_room_opened_while_disconnected_is_joined_on_reconnect(
    server: RunningServer, terminal: Terminal, make_client: ClientMaker
) -> None:
    server.stop()
    terminal.wait_until(lambda: "no connection" in terminal.bar, "the bar does not tell")
    server.start()
    boris = make_client()
    boris.join("Boris")
    room = boris.ask("direct", user="Anna")["room"]
    boris.join("Boris", room)
    boris.send_frame("chat", room=room, text="just you")
    terminal.wait_until(lambda: "@ Boris 1!" in terminal.bar, "the bar does not tell")


def person_room(person: WireClient) -> str:
    """The direct room that somebody is in."""
    (room,) = {entry["name"] for entry in person.ask("rooms")["rooms"] if entry.get("kind") == "direct"}
    return str(room)


def test_of_many_strangers_the_newest_five_are_watched_and_one_can_be_blocked(
    server: RunningServer, make_terminal: TerminalMaker, make_client: ClientMaker
) -> None:
    first = make_terminal(server.url(), "--name", "Anna")
    first.wait_for("You are in # main as Anna.")
    first.type("/exit\r")
    assert first.exit_status() == 0
    people = {f"Stranger {number}": make_client() for number in range(8)}
    rooms = {}
    for name, person in people.items():
        person.join(name)
        rooms[name] = person.ask("direct", user="Anna")["room"]
        person.join(name, rooms[name])
        person.send_frame("chat", room=rooms[name], text="hello")
        person.receive("chat")
    second = make_terminal(server.url(), "--name", "Anna")
    second.wait_until(lambda: shown_by_rooms(second).count(True) == 5, "the newest five are not joined")
    assert shown_by_rooms(second).count(False) == 3
    # One more is announced, and joined when she goes there.
    late = make_client()
    late.join("Late")
    late.ask("direct", user="Anna")
    second.wait_for("Late has opened direct messages with you: /join @Late")
    second.type("/join @Stranger 0\r")
    second.wait_for("Direct messages with “Stranger 0”, as Anna.")
    second.type('/block "Stranger 0"\r')
    second.wait_for("You no longer receive direct messages from “Stranger 0”.")
    second.wait_until(lambda: second.bar.startswith("# main"), "the room was not left")
    assert people["Stranger 0"].ask("direct", user="Anna")["code"] == "not_accepted"
    second.type("/block\r")
    second.wait_for("Blocked: “Stranger 0”")
    second.type('/unblock "Stranger 0"\r')
    second.wait_for("You receive direct messages from “Stranger 0” again.")
    second.type("/block\r")
    second.wait_for("You have not blocked anyone.")
    assert people["Stranger 0"].ask("direct", user="Anna")["type"] == "place"


def test_a_person_who_was_blocked_under_a_second_name_is_left_alone(
    server: RunningServer, make_terminal: TerminalMaker, make_client: ClientMaker
) -> None:
    bob, secret = make_client(), "the secret of one person"
    bob.join("Bobby", "dev", secret=secret)
    bob.join("Bob the builder", secret=secret)
    first = make_terminal(server.url(), "--name", "Anna")
    first.wait_for("You are in # main as Anna.")
    room = bob.ask("direct", user="Anna")["room"]
    first.wait_for("Bobby has opened direct messages with you")
    bob.join("Bobby", room, secret=secret)
    bob.send_frame("chat", room=room, text="hello", key="hello")
    first.wait_until(lambda: "@ Bobby 1!" in first.bar, "the bar does not tell")
    first.type('/block "Bob the builder"\r')
    first.wait_for("You no longer receive direct messages from “Bob the builder”.")
    first.wait_until(lambda: shown_by_rooms(first) == [False], "the room was not left")
    first.type("/exit\r")
    assert first.exit_status() == 0
    # The message that she has not read opens the room no more.
    again = make_terminal(server.url(), "--name", "Anna")
    again.wait_for("You are in # main as Anna.")
    again.wait_until(lambda: shown_by_rooms(again).count(False) == 1, "the room is not listed")
    assert shown_by_rooms(again).count(True) == 0
