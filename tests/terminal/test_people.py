"""Names that are somebody's, private rooms, talks of two and other devices, as they look at a terminal."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from tests.conftest import TalkerMaker
from tests.running import RunningServer
from tests.terminal.conftest import TerminalMaker
from tests.terminal.seeing import TAB, Terminal


def link_in(terminal: Terminal) -> str:
    """The link that was printed last, also over several rows."""
    links: list[str] = re.findall(r"http://\S+;\S+", "".join(f"{line:<80}" for line in terminal.scrollback))
    return links[-1]


def test_whose_name_is_not_shown_to_be_his_is_marked(
    server: RunningServer, make_terminal: TerminalMaker, talker: TalkerMaker
) -> None:
    terminal = make_terminal(server.url(), "--name", "Anna", NO_COLOR="1")
    terminal.wait_for("You are in # main as Anna.")
    guest, boris = talker(), talker()
    guest.join("Guest", secret="")
    boris.join("Boris")
    guest.tell("chat", text="hello")
    terminal.wait_for("  Guest?: hello")
    guest.tell("chat", text="/me waves")
    terminal.wait_for("  * Guest? waves")
    boris.tell("chat", text="welcome")
    terminal.wait_for("  Boris: welcome")


def test_one_is_welcomed_as_one_spells_oneself_and_others_are_not(
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


def test_a_private_room_is_made_shown_and_entered_by_a_link(
    server: RunningServer, terminal: Terminal, make_terminal: TerminalMaker
) -> None:
    terminal.type("/invite\r")
    terminal.wait_for("! # main is not private; /private ROOM makes a room that is.")
    terminal.type("/private Plans\r")
    terminal.wait_for("You are in # plans as Anna.")
    terminal.wait_until(lambda: terminal.bar.startswith("# plans (private) │"), "the bar shows no mark")
    terminal.type("/private plans\r")
    terminal.wait_for("! There is such a room already; choose another name.")
    terminal.type("/invite 2 soon\r")
    terminal.wait_for("! 2 soon: it must be how many people, and for how long")
    terminal.type("/invite 2 1h\r")
    terminal.wait_for("By this link 2 people may come into # plans, within 1h:")
    terminal.wait_for("this machine only")
    link = link_in(terminal)
    assert link.startswith(f"http://127.0.0.1:{server.port}/#plans;invite=")
    boris = make_terminal(link, "--name", "Boris", person="boris")
    boris.wait_for("You are in # plans as Boris.")
    terminal.wait_for("Boris joined")
    boris.type("/rooms\r")
    boris.wait_for("# plans  2 here · private · you are here")
    boris.type("/uninvite Anna\r")
    boris.wait_for("! You may not do this")
    terminal.type("/uninvite Boris\r")
    terminal.wait_for("Boris is no member of # plans any more.")
    assert boris.exit_status() == 4
    assert any("an invitation is needed" in line for line in boris.scrollback)
    terminal.type("/uninvite\r")
    terminal.wait_for("No invitation into # plans is valid any more.")
    late = make_terminal(link, "--name", "Boris", person="boris")
    assert late.exit_status() == 4
    late.wait_for("besedka: This link is not valid any more")


def test_two_talk_alone_under_each_others_names(terminal: Terminal, talker: TalkerMaker) -> None:
    boris = talker()
    boris.join("Boris B")
    room = boris.ask("direct", user="Anna")["room"]
    terminal.wait_for("· Boris B wants to talk with you alone: /join @Boris B")
    assert b"\a" in terminal.bytes
    rung = terminal.bytes.count(b"\a")
    boris.join("Boris B", room)
    boris.tell("chat", room=room, text="just you")
    terminal.wait_until(lambda: "│ @ Boris B 1!" in terminal.bar, "the bar does not tell")
    terminal.wait_until(lambda: terminal.bytes.count(b"\a") > rung, "it does not ring")
    terminal.type(f"/msg bor{TAB}")
    terminal.wait_until(lambda: terminal.input_line == '> /msg "Boris B"', "Tab does not complete")
    terminal.type("and you\r")
    terminal.wait_for("Boris B: just you")
    terminal.wait_for("→ Anna: and you")
    terminal.wait_until(lambda: terminal.bar.startswith("@ Boris B │ 2 here"), "the bar shows another room")
    assert boris.hear("chat")["text"] == "just you"
    assert boris.hear("chat")["text"] == "and you"
    terminal.type("/rooms\r")
    terminal.wait_for("@ Boris B  2 here · you are here")
    terminal.type("/leave @boris b\r")
    terminal.wait_for("──── # main ────")
    terminal.type("/join @Boris B\r")
    terminal.wait_for("You talk with Boris B alone, as Anna.")
    terminal.type("/msg Nobody\r")
    terminal.wait_for("! Nobody of this name is known here.")
    terminal.type("/msg Anna\r")
    terminal.wait_for("That is you.")
    assert b"direct-" not in terminal.bytes


def test_another_machine_becomes_the_same_person_by_a_link(
    server: RunningServer, terminal: Terminal, make_terminal: TerminalMaker, tmp_path: Path
) -> None:
    terminal.type("/device\r")
    terminal.wait_for("On another device this makes you Anna, once, within 5m:")
    terminal.wait_until(
        lambda: sum("▀" in line or "▄" in line for line in terminal.scrollback) > 15, "no code"
    )
    link = link_in(terminal)
    unwilling = make_terminal(link, person="phone")
    unwilling.wait_for("Be Anna on this machine? (y/n)")
    unwilling.type("n\r")
    assert unwilling.exit_status() == 0
    phone = make_terminal(link, person="phone")
    phone.wait_for("Be Anna on this machine? (y/n)")
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
