"""``besedka chat`` in a real pseudo-terminal: joining, talking, leaving, and the input line."""

from __future__ import annotations

import re
from pathlib import Path

from tests.commanding import wait_until
from tests.conftest import ClientMaker, ServerMaker
from tests.running import RunningServer
from tests.terminal.conftest import TerminalMaker
from tests.terminal.pseudo_terminal import (
    ALT_ENTER,
    CONTROL_C,
    CONTROL_D,
    CONTROL_R,
    LOOKS_ELSEWHERE,
    LOOKS_HERE,
    TAB,
    UP,
    Terminal,
    pasted,
)


def said(lines: list[str], name: str = "Anna") -> list[str]:
    """The texts of one author in the lines of a log."""
    return [line.split(f"] {name}: ", 1)[1] for line in lines if f"] {name}: " in line]


def test_a_person_talks_and_leaves(
    server: RunningServer, terminal: Terminal, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris")
    terminal.wait_for("· Boris joined (2 here)")
    terminal.type("Hello, Boris!\r")
    assert boris.receive("chat")["text"] == "Hello, Boris!"
    terminal.wait_for("→ Anna: Hello, Boris!")
    boris.send_frame("chat", text="Hello!\nsecond line")
    terminal.wait_for("  Boris: Hello!")
    terminal.wait_for("        second line")
    terminal.type("/exit\r")
    assert terminal.exit_status() == 0
    assert boris.receive("system")["left"] == ["Anna"]
    assert len(server.lines) == 3


def test_a_person_talks_over_grpc_through_a_restart(
    make_server: ServerMaker, make_terminal: TerminalMaker
) -> None:
    server = make_server("--lang", "en", grpc=True).start()
    terminal = make_terminal(f"grpc://127.0.0.1:{server.grpc_port}#dev", "--name", "Anna")
    terminal.wait_for("You are in # dev as Anna.")
    terminal.type("before\r")
    terminal.wait_for("→ Anna: before")
    server.stop()
    terminal.wait_for("no connection")
    terminal.type("meanwhile\r")
    server.start()
    terminal.wait_for("→ Anna: meanwhile")
    terminal.type("/exit\r")
    assert terminal.exit_status() == 0
    assert b"grpc" not in terminal.bytes.lower().replace(b"grpc://", b"")
    lines = (server.directory / "chat_history.dev.txt").read_text().splitlines()
    assert said(lines) == ["before", "meanwhile"]


def test_the_input_line_survives_incoming_messages(terminal: Terminal, make_client: ClientMaker) -> None:
    boris = make_client()
    boris.join("Boris")
    terminal.type("half a sen")
    terminal.wait_for("> half a sen")
    for number in range(30):
        boris.send_frame("chat", text=f"interruption {number}")
    terminal.wait_for("interruption 29")
    terminal.wait_until(lambda: terminal.input_line == "> half a sen", "what was typed is gone")
    terminal.type("tence\r")
    boris.receive_until(lambda frame: frame.get("text") == "half a sentence")


def test_a_flood_is_printed_completely_and_in_order_above_the_input_line(
    make_server: ServerMaker, make_terminal: TerminalMaker
) -> None:
    server = make_server("--lang", "en", "--rate", "0").start()
    terminal = make_terminal(server.url(), "--name", "Anna")
    terminal.wait_for("You are in # main as Anna.")
    from tests.talking import WireClient  # noqa: PLC0415 - its server is not the fixture's

    with WireClient(server) as boris:
        boris.join("Boris", secret="his")
        typed = ""
        for second in range(5):
            for number in range(200):
                boris.send_frame("chat", text=f"flood {second * 200 + number}")
            terminal.type("ab")
            typed += "ab"
            boris.receive_until(lambda frame, last=second: frame.get("text") == f"flood {last * 200 + 199}")  # type: ignore[misc]
            terminal.read(0.05)
        terminal.wait_for("flood 999")
        terminal.wait_until(lambda: terminal.input_line == f"> {typed}", "the line did not stay")
    shown = [line.split("flood ")[1] for line in terminal.scrollback if "Boris: flood " in line]
    assert shown == [str(number) for number in range(1000)]


def test_several_lines_are_one_message(server: RunningServer, terminal: Terminal) -> None:
    terminal.type(f"one{ALT_ENTER}two")
    terminal.wait_for("  two")
    terminal.type("\r")
    terminal.wait_for("→ Anna: one")
    terminal.wait_for("        two")
    terminal.type(pasted("three\r\nfour\nfive"))
    terminal.wait_for("  five")
    terminal.type("\r")
    terminal.wait_for("→ Anna: three")
    assert "\n".join(server.lines).split("Anna: ")[1:][-1] == "three\n\tfour\n\tfive"


def test_a_paste_of_five_thousand_characters_is_posted_and_a_longer_one_is_given_back(
    server: RunningServer, terminal: Terminal
) -> None:
    text = ("word " * 1000)[:4999] + "."
    terminal.type(pasted(text))
    terminal.wait_until(lambda: "word." in terminal.input_line, "the paste did not come")
    terminal.type("\r")
    terminal.wait_until(
        lambda: any("→ Anna: word word" in line for line in terminal.scrollback), "it was not said"
    )
    assert said(server.lines) == [text]
    terminal.type(pasted(text + "!"))
    terminal.wait_until(lambda: "word.!" in terminal.input_line, "the paste did not come")
    terminal.type("\r")
    # What is given back may fill the screen before one has looked.
    terminal.wait_until(lambda: any("5000" in line for line in terminal.scrollback), "it is not told why")
    terminal.wait_until(lambda: "word.!" in terminal.input_line, "it was not given back")
    assert len(server.lines) == 1


def test_wide_and_combining_characters_keep_their_places(server: RunningServer, terminal: Terminal) -> None:
    terminal.type("日本語 e\u0301te\u0301 привет 👍")
    terminal.wait_for("привет")
    terminal.type("\x01")  # to the beginning
    terminal.type("«\x05»\r")
    terminal.wait_for("→ Anna: «")
    assert said(server.lines) == ["«日本語 e\u0301te\u0301 привет 👍»"]


def test_control_c_clears_the_line_and_leaves_when_it_is_empty(
    server: RunningServer, terminal: Terminal
) -> None:
    terminal.type("not this")
    terminal.wait_for("> not this")
    terminal.type(CONTROL_C)
    terminal.wait_until(lambda: terminal.input_line == ">", "the line was not cleared")
    terminal.type("this\r")
    terminal.wait_for("→ Anna: this")
    terminal.type(CONTROL_C)
    assert terminal.exit_status() == 0
    assert said(server.lines) == ["this"]


def test_control_d_leaves(terminal: Terminal) -> None:
    terminal.type(CONTROL_D)
    assert terminal.exit_status() == 0


def test_typed_lines_are_in_the_history_of_the_next_session(
    server: RunningServer, make_terminal: TerminalMaker
) -> None:
    first = make_terminal(server.url(), "--name", "Anna")
    first.wait_for("You are in")
    first.type("remember this\r")
    first.wait_for("→ Anna: remember this")
    first.type("and that\r/exit\r")
    assert first.exit_status() == 0
    second = make_terminal(server.url(), "--name", "Anna")
    second.wait_for("You are in")
    second.wait_for("and that")
    second.type(UP + UP)
    second.wait_for("> and that")
    second.type(CONTROL_C)
    second.wait_until(lambda: second.input_line == ">", "the line was not cleared")
    second.type(f"{CONTROL_R}remem")
    second.wait_for("remember this")
    second.type("\r")
    second.wait_for("> remember this")
    second.type("\r")
    second.wait_until(lambda: len(said(server.lines)) == 3, "it was not said again")
    assert said(server.lines)[-1] == "remember this"


def test_tab_completes_commands_names_and_rooms(
    server: RunningServer, terminal: Terminal, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris Godunov")
    terminal.wait_for("“Boris Godunov” joined")
    terminal.type(f"bo{TAB}")
    terminal.wait_for("> Boris Godunov:")
    terminal.type(f"and @bo{TAB}too\r")
    terminal.wait_for("→ Anna: Boris Godunov: and @Boris Godunov too")
    make_client().join("Clara", room="workshop")
    terminal.type(f"/roo{TAB}\r")
    terminal.wait_for("# workshop")
    terminal.type(f"/jo{TAB}wor{TAB}\r")
    terminal.wait_for("You are in # workshop as Anna.")
    assert len(server.lines) == 1


def test_the_last_messages_are_shown_on_joining(
    server: RunningServer, make_terminal: TerminalMaker, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris")
    for number in range(1, 13):
        boris.send_frame("chat", text=f"message {number}")
    boris.receive_to(12)
    terminal = make_terminal(server.url(), "--name", "Anna")
    terminal.wait_for("message 12")
    old = [line for line in terminal.lines if "Boris: message" in line]
    assert len(old) == 10
    assert all("┆" in line for line in old)
    terminal.wait_for("────")
    boris.send_frame("chat", text="and now")
    terminal.wait_for("and now")
    assert not any("┆" in line for line in terminal.lines if "and now" in line)


def test_a_name_is_asked_for_again_if_it_is_taken(
    server: RunningServer, make_terminal: TerminalMaker, make_client: ClientMaker
) -> None:
    make_client().join("Anna")
    terminal = make_terminal(server.url(), LOGNAME="Ann", USER="Ann")
    terminal.wait_for("Your name: Ann")
    terminal.type("a\r")
    terminal.wait_for("belongs to somebody else")
    terminal.wait_for("Your name: Ann")
    terminal.type("ika\r")
    terminal.wait_for("You are in # main as Annika.")


def test_a_session_reconnects_after_a_restart_and_sends_unsent_messages(
    server: RunningServer, terminal: Terminal
) -> None:
    terminal.type("before\r")
    terminal.wait_for("→ Anna: before")
    terminal.type("a line being ty")
    terminal.wait_for("> a line being ty")
    server.stop()
    terminal.wait_for("no connection")
    terminal.wait_until(lambda: terminal.input_line == "> a line being ty", "what was typed is gone")
    terminal.type("ped\r")
    terminal.wait_for("1 waiting")
    terminal.type("half of an")
    server.start()
    terminal.wait_for("connected again")
    terminal.wait_for("→ Anna: a line being typed")
    terminal.wait_until(lambda: terminal.input_line == "> half of an", "the line did not stay")
    terminal.wait_until(lambda: "waiting" not in terminal.bar, "it still waits")
    terminal.type("other\r")
    terminal.wait_for("→ Anna: half of another")
    assert said(server.lines) == ["before", "a line being typed", "half of another"]
    assert sum("Anna: before" in line for line in terminal.lines) == 1


def test_unsent_messages_survive_leaving_a_closed_window_and_a_killed_program(
    server: RunningServer, make_terminal: TerminalMaker, tmp_path: Path
) -> None:
    unsent = tmp_path / "homes" / "anna" / "state" / "besedka" / "unsent"
    for number, end in enumerate((Terminal.exit_status, Terminal.close_window, Terminal.kill)):
        server.start() if not server.is_running else None
        terminal = make_terminal(server.url(), "--name", "Anna")
        terminal.wait_for("You are in")
        server.stop()
        terminal.wait_for("no connection")
        terminal.type(f"one {number}\rtwo {number}\r")
        terminal.wait_for("2 waiting")
        if end is Terminal.exit_status:
            terminal.type("/exit\r")
            terminal.wait_for("2 waiting to be sent; they are stored")
        elif end is Terminal.kill:
            wait_until(lambda: any(f"two {number}" in file.read_text() for file in unsent.glob("*.jsonl")))  # noqa: B023
        end(terminal)
        server.start()
        again = make_terminal(server.url(), "--name", "Anna")
        again.wait_for(f"→ Anna: two {number}")
        again.type("/exit\r")
        assert again.exit_status() == 0
    assert said(server.lines) == [f"{word} {number}" for number in range(3) for word in ("one", "two")]


def test_a_rule_marks_messages_that_came_while_the_window_had_no_focus(
    terminal: Terminal, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris")
    boris.send_frame("chat", text="seen")
    terminal.wait_for("Boris: seen")
    terminal.type(LOOKS_ELSEWHERE)
    terminal.wait_until(lambda: b"\x1b[?1004h" in terminal.bytes, "it was not asked for")
    terminal.catch_up()
    boris.send_frame("chat", text="not seen")
    boris.send_frame("chat", text="not seen either")
    terminal.wait_for("not seen either")
    places = [line for line in terminal.lines if "unread" in line or "Boris: " in line]
    assert ["unread" in line for line in places] == [False, True, False, False]
    terminal.type(LOOKS_HERE)
    terminal.catch_up()
    boris.send_frame("chat", text="seen again")
    terminal.wait_for("seen again")
    assert sum("unread" in line for line in terminal.lines) == 1


def test_the_bell_rings_as_set(terminal: Terminal, make_client: ClientMaker) -> None:
    boris = make_client()
    boris.join("Boris")

    def rings(text: str) -> int:
        before = terminal.bytes.count(b"\a")
        boris.send_frame("chat", text=text)
        terminal.wait_for(text)
        terminal.catch_up()  # what rings is printed along with the text
        return terminal.bytes.count(b"\a") - before

    assert rings("nobody is meant") == 0
    assert rings("anna, come here") == 1
    terminal.wait_for("› Boris: anna, come here")
    terminal.type("/bell all\r")
    terminal.wait_for("Bell: at each message.")
    assert rings("nobody again") == 1
    terminal.type("/bell off\r")
    terminal.wait_for("Bell: off.")
    assert rings("Anna, come back") == 0


def test_an_unreachable_chat_is_reported_in_one_line(make_terminal: TerminalMaker) -> None:
    terminal = make_terminal("ws://127.0.0.1:1/ws", "--name", "Anna")
    terminal.wait_for("besedka: cannot reach a chat at ws://127.0.0.1:1/ws: connection refused")
    assert terminal.exit_status() == 3


def test_the_session_is_in_russian_in_a_russian_environment(
    server: RunningServer, make_terminal: TerminalMaker
) -> None:
    terminal = make_terminal(server.url(), "--name", "Анна", LANG="ru_RU.UTF-8")
    terminal.wait_for("Вы в комнате # main, ваше имя Анна.")
    terminal.type("/help\r")
    terminal.wait_for("написать личное сообщение")
    terminal.type("/танец\r")
    terminal.wait_for("Нет команды /танец")


def test_without_colours_nothing_is_coloured(server: RunningServer, make_terminal: TerminalMaker) -> None:
    for arguments, environment in ((["--color", "never"], {}), ([], {"NO_COLOR": "1"})):
        terminal = make_terminal(server.url(), "--name", "Anna", *arguments, **environment)
        terminal.wait_for("You are in")
        terminal.type("grey\r")
        terminal.wait_for("→ Anna: grey")
        attributes = {
            int(one)
            for found in re.findall(rb"\x1b\[([0-9;]*)m", terminal.bytes)
            for one in found.split(b";")
            if one
        }
        assert attributes & {*range(30, 50), *range(90, 108)} == set()
        terminal.type("/exit\r")
        assert terminal.exit_status() == 0


def test_a_dumb_terminal_gets_no_control_sequences(
    server: RunningServer, make_terminal: TerminalMaker, make_client: ClientMaker
) -> None:
    terminal = make_terminal(server.url(), "--name", "Anna", TERM="dumb")
    terminal.wait_for("You are in")
    boris = make_client()
    boris.join("Boris")
    terminal.wait_for("Boris joined")
    terminal.type("half a sen")
    terminal.wait_for("> half a sen")
    boris.send_frame("chat", text="an interruption")
    terminal.wait_for("Boris: an interruption")
    terminal.wait_until(lambda: terminal.input_line == "> half a sen", "the line was not shown again")
    terminal.type("tence\r")
    terminal.wait_for("→ Anna: half a sentence")
    terminal.type("/exit\r")
    assert terminal.exit_status() == 0
    assert b"\x1b" not in terminal.bytes


def test_a_session_works_without_a_state_folder(server: RunningServer, make_terminal: TerminalMaker) -> None:
    terminal = make_terminal(server.url(), "--name", "Anna", XDG_STATE_HOME="/dev/null")
    terminal.wait_for("! Typed lines and unsent messages cannot be stored:")
    terminal.type("all the same\r")
    # A secret that is lost again claims no name: one is a guest.
    terminal.wait_for("→ Anna?: all the same")
    terminal.type("/exit\r")
    assert terminal.exit_status() == 0
