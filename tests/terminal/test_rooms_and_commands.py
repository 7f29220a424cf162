"""The commands of ``besedka chat``, and several rooms, in a real pseudo-terminal."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

from besedka.remote.transport import CLOSE_SECONDS
from tests.conftest import ClientMaker, ServerMaker
from tests.running import RunningServer, connections
from tests.terminal.conftest import TerminalMaker, create
from tests.terminal.pseudo_terminal import CONTROL_D, Terminal


def test_help_shows_every_command_and_key(terminal: Terminal) -> None:
    terminal.type("/help\r")
    terminal.wait_for("page 1 of 2; next: /help 2")
    terminal.type("/help 2\r")
    terminal.wait_for("page 2 of 2")
    shown = "\n".join(terminal.scrollback)
    for command in (
        "/help [PAGE]",
        "/me TEXT",
        "/private ROOM",
        "/msg NAME [TEXT]",
        "/invite [USES] [TIME]",
        "/uninvite [NAME]",
        "/device",
        "/who",
        "/rooms",
        "/join ROOM",
        "/leave",
        "/name NAME",
        "/history [N]",
    ):
        assert f" {command} " in shown
    for command in (
        "/goto DATE",
        "/find WORDS",
        "/edit [TEXT]",
        "/bell [on|off|all]",
        "/clear",
        "/exit /quit :q :q!",
        "Alt-Enter",
        "Anna?",
    ):
        assert f" {command} " in shown
    assert "/kick" not in shown


def test_a_page_of_help_fits_the_window(terminal: Terminal) -> None:
    terminal.type("/help\r")
    terminal.wait_for("page 1 of 2")
    terminal.wait_until(lambda: terminal.bar.startswith("# main"), "no bar")
    assert any(line.startswith("        /help [PAGE]") for line in terminal.lines)
    assert sum(line.startswith("        ") for line in terminal.lines) > 15
    terminal.type("/help 99\r")
    terminal.wait_for("! 99: it must be the number of a page, as in /help 2")
    terminal.resize(40)
    terminal.catch_up()
    terminal.type("/help 2\r")
    terminal.wait_for("page 2 of ")
    terminal.wait_until(lambda: terminal.bar.startswith("# main"), "no bar")
    assert "page 2 of 2" not in "".join(terminal.lines)


def test_an_invalid_command_is_not_posted(server: RunningServer, terminal: Terminal) -> None:
    terminal.type("/jion dev\r")
    terminal.wait_for("! There is no command /jion; did you mean /join?")
    terminal.type("/dance\r")
    terminal.wait_for("! There is no command /dance;")
    terminal.type("/find\r")
    terminal.wait_for("! An argument is missing: /find WORDS")
    terminal.type("//dance\r")
    terminal.wait_for("→ Anna: /dance")
    assert len(server.lines) == 1


def test_me_is_shown_as_an_action(server: RunningServer, terminal: Terminal) -> None:
    terminal.type("/me waves\r")
    terminal.wait_for("→ * Anna waves")
    assert server.lines[0].endswith("Anna: /me waves")


def test_presence_and_typing_are_shown(terminal: Terminal, make_client: ClientMaker) -> None:
    boris = make_client()
    boris.join("Boris")
    terminal.wait_until(lambda: "2 here" in terminal.bar, "the bar does not count")
    terminal.type("/who\r")
    terminal.wait_for("Here: Anna, Boris (2)")
    boris.send_frame("typing")
    terminal.wait_until(lambda: "Boris typing …" in terminal.bar, "the bar does not tell")
    boris.send_frame("chat", text="done")
    terminal.wait_until(lambda: "typing" not in terminal.bar, "the bar does not forget")
    terminal.type("an answer")
    assert boris.receive("typing")["user"] == "Anna"


def test_a_session_is_in_several_rooms_and_counts_unread_messages(
    server: RunningServer, terminal: Terminal, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris")
    boris.join("Boris", room="dev")
    terminal.type("/join #dev\r")
    terminal.wait_for("You are in # dev as Anna.")
    terminal.wait_until(lambda: terminal.bar.startswith("# dev"), "the bar shows another room")
    terminal.type("here\r")
    terminal.wait_for("→ Anna: here")
    boris.send_frame("chat", text="in main")
    terminal.wait_until(lambda: "# main 1" in terminal.bar, "the bar does not count")
    boris.send_frame("chat", text="and for Anna")
    terminal.wait_until(lambda: "# main 2!" in terminal.bar, "the bar does not mark")
    assert not any("in main" in line for line in terminal.lines)
    terminal.type("/join main\r")
    terminal.wait_for("──── # main ────")
    terminal.wait_for("──── unread ────")
    terminal.wait_for("Boris: in main")
    terminal.wait_for("› Boris: and for Anna")
    terminal.type("/leave nowhere\r")
    terminal.wait_for("You are not in # nowhere.")
    terminal.type("/leave main\r")
    terminal.wait_for("──── # dev ────")
    assert boris.receive_until(lambda frame: frame.get("left") == ["Anna"])[-1]["room"] == "main"
    terminal.type("/leave\r")
    terminal.wait_for("This is your only room")
    terminal.type("/rooms\r")
    terminal.wait_for("# dev   2 here · you are here")
    terminal.wait_for("# main  1 here")
    assert (server.directory / "chat_history.dev.txt").read_text().endswith("] Anna: here\n")


def test_a_mistyped_room_is_created_only_if_it_is_typed_once_more(
    server: RunningServer, terminal: Terminal
) -> None:
    terminal.type("/join gardn\r")
    terminal.wait_for("! There is no room # gardn. To create it, type /join gardn again.")
    # Another mistake in between is another question.
    terminal.type("/join gradn\r")
    terminal.wait_for("! There is no room # gradn.")
    terminal.type("/join #gardn\r")
    terminal.wait_until(
        lambda: sum("no room # gardn." in line for line in terminal.lines) == 2, "it does not ask again"
    )
    terminal.wait_until(lambda: terminal.bar.startswith("# main"), "the bar shows another room")
    terminal.type("/join gardn\r")
    terminal.wait_for("You are in # gardn as Anna.")
    terminal.type("here\r")
    terminal.wait_for("→ Anna: here")
    assert {path.name for path in server.directory.glob("chat_history.g*.txt")} == {"chat_history.gardn.txt"}


def test_thirty_rooms_are_one_connection_and_all_go_on_after_a_restart(
    server: RunningServer, terminal: Terminal, make_client: ClientMaker
) -> None:
    rooms = [f"room{number:02}" for number in range(29)]
    for room in rooms:
        create(terminal, room)
    assert connections(server, server.url()) == 1
    server.kill()
    terminal.wait_for("no connection")
    server.start()
    boris = make_client()
    terminal.wait_until(lambda: connections(server, server.url()) == 2, "the terminal has not come back")
    for room in rooms[:-1]:
        boris.join("Boris", room=room)
        boris.send_frame("chat", room=room, text="hello")
    for room in (rooms[0], rooms[-2]):
        terminal.type(f"/join {room}\r")
        terminal.wait_for(f"──── # {room} ────")
        terminal.wait_for("Boris: hello")
    assert connections(server, server.url()) == 2


def test_a_new_name_is_taken_in_all_rooms_or_in_none(
    server: RunningServer, terminal: Terminal, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris")
    boris.send_frame("chat", text="one")
    terminal.wait_for("Boris: one")
    create(terminal, "dev")
    terminal.type("/name Boris\r")
    terminal.wait_for("! This name, or one that looks like it, belongs to somebody else")
    terminal.type("/name a:b\r")
    terminal.wait_for("colon")
    terminal.type("/name Clara\r")
    terminal.wait_for("You are Clara now.")
    assert not any("Clara joined" in line for line in terminal.lines)
    terminal.type("it is me\r")
    terminal.wait_for("→ Clara: it is me")
    boris.receive_until(lambda frame: "Anna" in frame.get("left", []))
    boris.send_frame("chat", text="two")
    terminal.type("/join main\r")
    terminal.wait_for("Boris: two")
    assert sum("Boris: one" in line for line in terminal.lines) == 1
    terminal.type("here too\r")
    terminal.wait_for("→ Clara: here too")
    assert server.lines[-1].endswith("Clara: here too")


def test_older_messages_are_shown_page_by_page(
    server: RunningServer, make_terminal: TerminalMaker, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris")
    boris.say_many([f"message {number}" for number in range(1, 61)])
    terminal = make_terminal(server.url(), "--name", "Anna")
    terminal.wait_for("message 60")
    terminal.type("/history 5\r")
    terminal.wait_for("──── older, from 46 to 50 ────")
    terminal.wait_for("──── now ────")
    assert [number for number in range(46, 51) if any(f"message {number}" in line for line in terminal.lines)]
    terminal.type("/history\r")
    terminal.wait_for("──── older, from 26 to 45 ────")
    terminal.type("/history 500\r")
    terminal.wait_until(
        lambda: any("older, from 1 to 25" in line for line in terminal.scrollback), "they did not come"
    )
    terminal.type("/history\r")
    terminal.wait_for("There is nothing older.")
    terminal.type("/history many\r")
    terminal.wait_for("many: it must be a number")
    terminal.type(f"/history {'9' * 4400}\r")
    terminal.wait_for("! 999999999999999999999999999999999999999…: it must")
    shown = [line.split("message ")[1] for line in terminal.scrollback if "Boris: message " in line]
    assert sorted(map(int, shown)) == list(range(1, 61))


def test_find_searches_the_whole_history(
    server: RunningServer, make_terminal: TerminalMaker, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris")
    boris.say_many(["where is the Straße", *(f"filler {number}" for number in range(100))])
    terminal = make_terminal(server.url(), "--name", "Anna")
    terminal.wait_for("filler 99")
    terminal.type("/find STRASSE\r")
    terminal.wait_for("Boris: where is the Straße")
    terminal.wait_for("· 1 found")
    terminal.type("/find nowhere to be seen\r")
    terminal.wait_for("Nothing found.")


def test_a_day_is_shown_and_messages_are_found_by_author_and_day(
    make_server: ServerMaker, make_terminal: TerminalMaker, tmp_path: Path
) -> None:
    lines = [
        f"[2025-01-{day:02} 10:00:00] {user}: {user} on day {day}\n"
        for day in range(1, 31)
        for user in ("Anna M", "Boris")
    ]
    (tmp_path / "chat_history.txt").write_text("".join(lines), encoding="utf-8")
    terminal = make_terminal(make_server("--lang", "en").start().url(), "--name", "Clara")
    terminal.wait_for("Boris on day 30")
    terminal.type("/goto 2025-01-12\r")
    terminal.wait_for("Boris on day 21")
    terminal.wait_for("now")
    terminal.type('/find from:"anna m" since:2025-01-03 until:2025-01-04\r')
    terminal.wait_for("Anna M on day 4")
    terminal.wait_for("· 2 found")
    terminal.type("/goto 2031-01-01\r")
    terminal.wait_for("Nothing was said on 2031-01-01 or later.")
    for command in ("/goto today", "/find since:today exam"):
        terminal.type(f"{command}\r")
        terminal.wait_for("today: it must be a day, as in 2026-11-30")


def test_text_from_an_editor_comes_into_the_input_line_before_it_is_posted(
    server: RunningServer, make_terminal: TerminalMaker, tmp_path: Path
) -> None:
    editor = tmp_path / "editor"
    editor.write_text("#!/bin/sh\nprintf 'by hand\\nin two lines' >> \"$1\"\n")
    editor.chmod(0o755)
    terminal = make_terminal(server.url(), "--name", "Anna", VISUAL=str(editor))
    terminal.wait_for("You are in")
    terminal.type("/edit begun\r")
    terminal.wait_for("  in two lines")
    assert not server.lines
    terminal.type("\r")
    terminal.wait_for("→ Anna: begun")
    assert (
        "\n".join(server.lines).endswith("begun by hand\n\tin two lines") or "begunby hand" in server.lines[0]
    )


def test_clear_clears_the_screen(terminal: Terminal) -> None:
    terminal.type("gone soon\r")
    terminal.wait_for("→ Anna: gone soon")
    terminal.type("/clear\r")
    terminal.wait_until(lambda: not any("gone soon" in line for line in terminal.lines), "it is still there")
    terminal.wait_for("> ".strip())


def test_every_alias_of_exit_leaves(server: RunningServer, make_terminal: TerminalMaker) -> None:
    for way in ("/exit", "/quit", ":q", "/EXIT"):
        terminal = make_terminal(server.url(), "--name", "Anna")
        terminal.wait_for("You are in")
        terminal.type(f"{way}\r")
        assert terminal.exit_status() == 0
    assert not server.lines


def test_stored_files_are_readable_by_their_owner_only(terminal: Terminal, tmp_path: Path) -> None:
    terminal.type("something\r")
    terminal.wait_for("→ Anna: something")
    terminal.type("/exit\r")
    assert terminal.exit_status() == 0
    kept = [path for path in (tmp_path / "homes").rglob("*") if "besedka" in path.parts]
    assert {path.name for path in kept} >= {"typed", "secret", "unsent"}
    assert [path for path in kept if path.stat().st_mode & 0o077] == []


def test_text_posted_after_a_query_does_not_wait_for_the_answer(
    server: RunningServer, make_terminal: TerminalMaker
) -> None:
    terminal = make_terminal(server.url(), "--name", "Anna")
    terminal.wait_for("You are in")
    os.kill(server.pid, signal.SIGSTOP)
    try:
        terminal.type("/find hello\r")
        terminal.wait_until(lambda: "/find …" in terminal.bar, "the bar does not tell")
        terminal.type("precious words\r")
        terminal.wait_until(lambda: "1 waiting" in terminal.bar, "they wait for the answer")
        terminal.type("/join dev\rmore words\r")
        terminal.catch_up()
        left_at = time.monotonic()
        terminal.type(CONTROL_D)
        assert terminal.exit_status() == 0
        assert time.monotonic() - left_at < 4 * CLOSE_SECONDS  # and not until the server confirms it
    finally:
        os.kill(server.pid, signal.SIGCONT)
    again = make_terminal(server.url(), "--name", "Anna")
    again.wait_for("→ Anna: precious words")
    again.wait_for("→ Anna: more words")
    assert [line.split("Anna: ")[1] for line in server.lines] == ["precious words", "more words"]


def test_a_room_can_be_left_when_its_unsent_messages_cannot_be_stored(
    server: RunningServer, terminal: Terminal, tmp_path: Path
) -> None:
    create(terminal, "dev")
    server.stop()
    terminal.wait_for("no connection")
    shutil.rmtree(tmp_path / "homes" / "anna" / "state" / "besedka" / "unsent")
    terminal.type("precious words\r")
    terminal.wait_for("! Typed lines and unsent messages cannot be stored:")
    terminal.type("/leave\r")
    terminal.wait_for("──── # main ────")
    terminal.type("/exit\r")
    assert terminal.exit_status() == 0
