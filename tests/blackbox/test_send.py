"""``besedka send``: from arguments and from pipes, once and in order, unseen."""

from __future__ import annotations

import json
import socket
import subprocess
import threading
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import pexpect
import pytest
from websockets.sync.server import ServerConnection, serve

from besedka import home
from besedka.wire.validation import NAME_CHARACTERS_AT_MOST
from tests.commanding import BESEDKA, TIMEOUT_SECONDS, Person, wait_until
from tests.conftest import ClientMaker, ServerMaker
from tests.lengths import LONG
from tests.running import RunningServer, free_port
from tests.talking import WireClient

MANY = 1_000


@pytest.fixture
def anna(tmp_path: Path) -> Iterator[Person]:
    """Somebody who starts commands."""
    home = tmp_path / "anna"
    home.mkdir()
    with Person(home) as person:
        yield person


def said(server: RunningServer, room: str = "") -> list[str]:
    """The log's messages, without their times: ``name: text``."""
    path = server.history.with_name(f"chat_history.{room}.txt") if room else server.history
    return [line[22:] if line.startswith("[") else line for line in path.read_text("utf-8").split("\n")[:-1]]


def test_words_of_the_command_line_are_one_message_on_disk(server: RunningServer, anna: Person) -> None:
    assert anna.run("send", "--url", server.url(), "the", "cake  is", "here").assert_well() == ""
    assert said(server) == ["anna: the cake  is here"]


def test_stdin_as_a_whole_is_one_message(server: RunningServer, anna: Person) -> None:
    anna.run("send", "--url", server.url(), stdin=b"one\ntwo\n\nfour\n").assert_well()
    anna.run("send", "--url", server.url(), "-", stdin="пять".encode()).assert_well()
    assert said(server) == ["anna: one", "\ttwo", "\t", "\tfour", "anna: пять"]


def test_a_room_and_a_name_can_be_given(server: RunningServer, anna: Person) -> None:
    anna.run("send", "--url", server.url(), "--room", "dev", "--name", "build", "green").assert_well()
    anna.run("send", "--url", f"{server.url()}#dev", "red", BESEDKA_NAME="build 2").assert_well()
    assert said(server, "dev") == ["build: green", "build 2: red"]


def test_json_tells_the_id(server: RunningServer, anna: Person) -> None:
    anna.run("send", "--url", server.url(), "one").assert_well()
    printed = anna.run("send", "--url", server.url(), "--json", "two\nlines").assert_well()
    assert json.loads(printed) == {"id": 2, "room": "main", "user": "anna", "text": "two\nlines"}
    printed = anna.run(
        "send", "--url", server.url(), "--room", "dev", "--json", "--lines", stdin=b"a\n\nb\n"
    ).assert_well()
    assert [json.loads(row) for row in printed.splitlines()] == [
        {"id": 1, "room": "dev", "user": "anna", "text": "a"},
        {"id": 2, "room": "dev", "user": "anna", "text": "b"},
    ]


def test_a_script_that_comes_and_goes_is_not_announced(
    server: RunningServer, anna: Person, make_client: ClientMaker
) -> None:
    boris = make_client()
    boris.join("Boris")
    anna.run("send", "--url", server.url(), "hello").assert_well()
    anna.run("send", "--url", server.url(), "--lines", stdin=b"one\ntwo\n").assert_well()
    boris.send_frame("chat", text="end")
    frames = boris.receive_until(lambda frame: frame.get("text") == "end")
    assert [frame["text"] for frame in frames if frame["type"] != "system"] == ["hello", "one", "two", "end"]
    assert all(frame["joined"] == ["Boris"] for frame in frames if frame["type"] == "system")


def test_one_may_be_in_the_chat_under_the_same_name(
    server: RunningServer, anna: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna.run("send", "--url", server.url(), "first").assert_well()
    monkeypatch.setenv("XDG_STATE_HOME", str(anna.home / "state"))
    with WireClient(server) as present:
        present.join("anna", secret=home.secret_for(server.url()))
        anna.run("send", "--url", server.url(), "second").assert_well()
    with WireClient(server) as guest:
        guest.join("Guest")
        refused = anna.run("send", "--url", server.url(), "--name", "Guest", "third")
        refused.assert_one_clear_line(4, "in use")
    assert said(server) == ["anna: first", "anna: second"]


def test_lines_are_said_as_they_come(server: RunningServer, anna: Person) -> None:
    sending = anna.start("send", "--url", server.url(), "--lines", "--json", stdin=subprocess.PIPE)
    for text in ("one", "two", "three"):
        sending.feed(f"{text}\n".encode())
        assert json.loads(sending.line())["text"] == text
    sending.feed(b"without an end")
    sending.close_stdin()
    assert json.loads(sending.line())["text"] == "without an end"
    sending.end().assert_well()


@pytest.mark.parametrize(
    ("piped", "texts"),
    [
        (b"  indented\n\n \t\nend  \n", ["  indented", "end"]),
        (b"\x1b[01;31merror:\x1b[0m it \x1b]8;;http://x\x1b\\failed\x1b]8;;\x07\n", ["error: it failed"]),
        (b"no \xff UTF-8\n", ["no \ufffd UTF-8"]),
        (b"bell \x07 and NUL \0\n", ["bell ␇ and NUL ␀"]),
        (b"windows\r\nmac\rprogress 1\rprogress 2\n", ["windows", "mac", "progress 1", "progress 2"]),
        ("ж".encode() * 12_001 + b"\nend", ["ж" * 5_000, "ж" * 5_000, "ж" * 2_001, "end"]),
    ],
)
def test_what_programs_print_is_made_readable(
    server: RunningServer, anna: Person, piped: bytes, texts: list[str]
) -> None:
    printed = anna.run("send", "--url", server.url(), "--lines", "--json", stdin=piped).assert_well()
    assert [json.loads(row)["text"] for row in printed.splitlines()] == texts
    assert said(server) == [f"anna: {text}" for text in texts]


def test_stdin_as_a_whole_is_made_readable_too(server: RunningServer, anna: Person) -> None:
    anna.run("send", "--url", server.url(), stdin=b"\x1b[1mone\x1b[m\r\n\xfftwo\n").assert_well()
    assert said(server) == ["anna: one", "\t\ufffdtwo"]


def test_a_text_too_long_for_one_message_is_reported(server: RunningServer, anna: Person) -> None:
    anna.run("send", "--url", server.url(), "x" * 5_001).assert_one_clear_line(4, "5001", "5000")
    for text in (b"x" * 5_001, b"x" * 5_000_000):
        done = anna.run("send", "--url", server.url(), stdin=text)
        done.assert_one_clear_line(4, "too long", "--lines")
    anna.run("send", "--url", server.url(), stdin=b"x" * 5_000 + b"\n").assert_well()
    assert said(server) == ["anna: " + "x" * 5_000]


def test_what_cannot_be_said_is_one_clear_line(server: RunningServer, anna: Person) -> None:
    url = server.url()
    anna.run("send", "--url", url).assert_one_clear_line(4, "empty")
    anna.run("send", "--url", url, " ").assert_one_clear_line(4, "empty")
    anna.run("send", "--url", url, "--name", "a:b", "hi").assert_one_clear_line(4, "colon")
    anna.run("send", "--url", url, "--room", "a/b", "hi").assert_one_clear_line(4, "room")
    for option in ("--name", "--room"):
        anna.run("send", "--url", url, option, "Andr\udce9", "hi").assert_one_clear_line(
            2, "is not UTF-8", option
        )
    anna.run("tail", "--url", url, "--room", "Andr\udce9").assert_one_clear_line(2, "is not UTF-8", "--room")
    anna.run("send", "--url", url, "--lines", "hi").assert_one_clear_line(2, "--lines", "besedka send --help")
    anna.run("send", "--url", "ftp://x", "hi").assert_one_clear_line(2, "'ftp://x' is not an address")
    anna.run("send", "--url", "no-such.invalid", "hi").assert_one_clear_line(3, "no host of this name")
    nowhere = f"localhost:{free_port()}"
    anna.run("send", "--url", nowhere, "hi").assert_one_clear_line(3, nowhere, "refused")
    anna.run("send", "--url", nowhere, "--lines").assert_one_clear_line(3, nowhere)
    assert said(server) == []


def test_at_a_terminal_one_is_not_left_waiting(server: RunningServer, anna: Person) -> None:
    def at_a_terminal(*options: str) -> pexpect.spawn[bytes]:
        command = [*BESEDKA[1:], "send", "--url", server.url(), *options]
        return pexpect.spawn(BESEDKA[0], command, env=anna.environment, timeout=TIMEOUT_SECONDS)

    for options in ([], ["--lines"]):
        refused = at_a_terminal(*options)
        refused.expect("nothing to say: give a TEXT")
        refused.expect(pexpect.EOF)
        refused.close()
        assert refused.exitstatus == 2
    typing = at_a_terminal("--lines", "-", "--json")
    typing.sendline("typed here")
    typing.expect_exact('"text": "typed here"}')
    typing.sendintr()
    typing.expect(pexpect.EOF)
    typing.close()
    assert typing.exitstatus == 130
    assert said(server) == ["anna: typed here"]


def test_what_goes_wrong_with_stdin_or_stdout_is_not_our_affair_where_they_are_not_needed(
    server: RunningServer, anna: Person
) -> None:
    line = f"besedka send --url {server.url()}"
    for redirected in ("hi <&- >&-", "--lines < /dev/null", "- < file", "--lines < file"):
        (anna.home / "file").write_text("in a file\n")
        done = subprocess.run(
            ["bash", "-c", f"{line} {redirected}"],
            cwd=anna.home,
            env=anna.environment,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0
    assert said(server) == ["anna: hi", "anna: in a file", "anna: in a file"]


def test_no_lines_are_no_error(server: RunningServer, anna: Person) -> None:
    assert anna.run("send", "--url", server.url(), "--lines", stdin=b"\n\n").assert_well() == ""


def test_a_login_name_is_made_fit_for_a_name(server: RunningServer, anna: Person) -> None:
    anna.run("send", "--url", server.url(), "hi", LOGNAME="*corp:anna").assert_well()
    assert said(server) == ["corp-anna: hi"]
    # Nobody is root alone: that may pass for the server.
    anna.run("send", "--url", server.url(), "hi", LOGNAME="root").assert_well()
    assert said(server)[-1] == f"root@{socket.gethostname()}"[:NAME_CHARACTERS_AT_MOST] + ": hi"
    done = anna.run("send", "--url", server.url(), "hi", LOGNAME="system")
    done.assert_one_clear_line(2, "'system'", "--name")


@pytest.mark.parametrize(
    ("way", "is_killed"),
    [*product(["ws", "grpc"], [False, True])] if LONG else [("ws", True), ("grpc", False)],
)
def test_a_flood_of_lines_arrives_in_order_and_once_through_restarts(
    make_server: ServerMaker, anna: Person, way: str, is_killed: bool
) -> None:
    # Over gRPC the machine's own programs are not slowed down, whatever the rate.
    server = make_server("--lang", "en", "--rate", "0" if way == "ws" else "100", grpc=True).start()
    sending = anna.start("send", "--url", server.urls[way == "grpc"], "--lines", stdin=subprocess.PIPE)
    lines = [f"{number // 2} of a build" for number in range(MANY)]
    for number in range(5):
        part = lines[number * MANY // 5 : (number + 1) * MANY // 5]
        sending.feed("".join(f"{line}\n" for line in part).encode())
        if number % 2 == 1:
            stored = len(said(server)) if server.history.exists() else 0
            wait_until(lambda: server.history.exists() and len(said(server)) > stored)  # noqa: B023
            _ = server.kill() if is_killed else server.stop()
            server.start()
    sending.close_stdin()
    assert sending.end(90).assert_well() == ""
    assert said(server) == [f"anna: {line}" for line in lines]


def test_a_script_of_the_servers_own_machine_is_not_held_back(make_server: ServerMaker, anna: Person) -> None:
    server = make_server("--lang", "en", "--rate", "0.5").start()
    lines = [f"line {number}" for number in range(300)]
    anna.run("send", "--url", server.url(), "--lines", stdin="\n".join(lines).encode()).assert_well()
    assert said(server) == [f"anna: {line}" for line in lines]


def test_who_writes_waits_where_a_thousand_lines_wait(server: RunningServer, anna: Person) -> None:
    sending = anna.start("send", "--url", server.url(), "--lines", "--json", stdin=subprocess.PIPE)
    sending.feed(b"first\n")
    assert json.loads(sending.line())["text"] == "first"
    server.stop()
    written = sending.feed_until_full(b"and another line of a build\n" * 100)
    assert 28_000 < written < 1_000_000
    server.start()
    assert json.loads(sending.line())["text"] == "and another line of a build"


@pytest.mark.parametrize("options", [["hi"], ["--lines"]])
def test_a_server_that_refuses_the_reconnect_is_reported(anna: Person, options: list[str]) -> None:
    def part(connection: ServerConnection) -> None:
        connection.recv()
        welcome = {"room": "main", "user": "anna", "head": 0, "epoch": "", "clients_count": 0, "users": []}
        limits = {"name": 32, "room": 32, "text": 5000, "frame": 65536}
        connection.send(json.dumps({"type": "welcome", "limits": limits, "utc_offset": 0, **welcome}))
        connection.recv()
        connection.close(1000, "goodbye for ever")

    with serve(part, "127.0.0.1", 0) as unfriendly:
        threading.Thread(target=unfriendly.serve_forever, daemon=True).start()
        url = f"127.0.0.1:{unfriendly.socket.getsockname()[1]}"
        anna.run("send", "--url", url, *options, stdin=b"hi\n").assert_one_clear_line(3, "goodbye for ever")


def test_ctrl_c_ends_it_quietly(server: RunningServer, anna: Person) -> None:
    sending = anna.start("send", "--url", server.url(), "--lines", "--json", stdin=subprocess.PIPE)
    sending.feed(b"one\n")
    sending.line()
    sending.interrupt()
    done = sending.end()
    assert (done.status, done.stdout, done.stderr) == (130, "", "")


def test_a_reader_of_the_ids_that_has_enough_is_no_error(server: RunningServer, anna: Person) -> None:
    sending = anna.start("send", "--url", server.url(), "--lines", "--json", stdin=subprocess.PIPE)
    sending.feed(b"one\n")
    sending.line()
    sending.close_stdout()
    sending.feed(b"two\n")
    done = sending.end()
    assert (done.status, done.stderr) == (0, "")
