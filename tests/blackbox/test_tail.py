"""``besedka tail``: the log's own lines, from wherever one likes, without gap and double, unseen."""

from __future__ import annotations

import json
import os
import shlex
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pexpect
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from besedka.commands.tail import tail
from tests.commanding import BESEDKA, Done, Person
from tests.conftest import ClientMaker, ServerMaker
from tests.running import ROOT, RunningServer, free_port, running

LINES = (
    "[2025-11-19 23:46:36] Anna: Hello\n"
    "[2025-11-19 23:46:39] Boris: Hi there\n\tthis is the second line\n"
    "[2025-11-20 09:00:00] Anna: Доброе утро\n"
    "[2025-11-20 09:00:00] Anna: \t and  a tab\n"
)


@pytest.fixture
def boris(tmp_path: Path) -> Iterator[Person]:
    """Somebody who starts commands."""
    home = tmp_path / "boris"
    home.mkdir()
    with Person(home) as person:
        yield person


@pytest.fixture
def old(make_server: ServerMaker, tmp_path: Path) -> RunningServer:
    """A server with a history."""
    (tmp_path / "chat_history.txt").write_text(LINES, encoding="utf-8")
    return make_server("--lang", "en", grpc=True).start()


@pytest.fixture(scope="module")
def read_only(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The same, for those who leave it as it is."""
    directory = tmp_path_factory.mktemp("read_only")
    (directory / "chat_history.txt").write_text(LINES, encoding="utf-8")
    yield from running(RunningServer(directory, "--lang", "en", grpc=True))


@pytest.fixture(params=[0, 1], ids=["ws", "grpc"])
def url(request: pytest.FixtureRequest, old: RunningServer) -> str:
    """Its address, by each way."""
    found: str = old.urls[request.param]
    return found


def test_the_lines_are_those_that_cat_shows(old: RunningServer, url: str, boris: Person) -> None:
    assert boris.run("tail", "--url", url).assert_well() == old.history.read_text("utf-8") == LINES


@pytest.mark.parametrize("way", [0, 1], ids=["ws", "grpc"])
@pytest.mark.parametrize(
    ("options", "ids"),
    [
        (["-n", "2"], [3, 4]),
        (["-n", "0"], []),
        (["-n", "99"], [1, 2, 3, 4]),
        (["--since", "0"], [1, 2, 3, 4]),
        (["--since", "3"], [4]),
        (["--since", "4"], []),
        (["--since", "999999999999999999"], []),
        (["--since", "0", "-n", "1"], [4]),
        (["--since", "2025-11-19"], [1, 2, 3, 4]),
        (["--since", "2025-11-19 23:46:37"], [2, 3, 4]),
        (["--since", "2025-11-20"], [3, 4]),
        (["--since", "2025-11-20 09:00"], [3, 4]),
        (["--since", "2025-11-20 09:00:01"], []),
        (["--since", "2026-01-01"], []),
    ],
)
def test_a_part_of_it_is_printed(
    read_only: RunningServer, boris: Person, options: list[str], ids: list[int], way: int
) -> None:
    printed = boris.run("tail", "--url", read_only.urls[way], "--json", *options).assert_well()
    assert [json.loads(row)["id"] for row in printed.splitlines()] == ids


def test_where_the_clock_is_set_back_or_ahead_it_is_what_the_history_prints(
    make_server: ServerMaker, boris: Person
) -> None:
    stamps = ["2025-03-30 01:50:00", "2025-03-30 03:10:00"]
    stamps += [f"2025-10-26 {clock}:00" for clock in ("02:10", "02:40", "02:05", "02:20")]
    lines = [f"[{stamp}] Anna: {number}\n" for number, stamp in enumerate(stamps, 1)]
    server = make_server(grpc=True, TZ="Europe/Berlin")
    server.history.write_text("".join(lines), encoding="utf-8")
    server.start()
    for since, wanted in {"2025-10-26 02:30": [4], "2025-03-30 02:30": [2, 3, 4, 5, 6]}.items():
        printed = boris.run("history", "--since", since, str(server.history)).assert_well()
        assert printed == "".join(lines[number - 1] for number in wanted)
        for url in server.urls:
            assert boris.run("tail", "--url", url, "--since", since).assert_well() == printed


def test_what_is_said_from_now_on_is_printed_whatever_the_clock_says(
    make_server: ServerMaker, boris: Person
) -> None:
    server = make_server()
    early, late = "[2025-11-19 23:46:36] Anna: early", "[9999-01-01 00:00:00] Anna: from a clock gone wrong"
    server.history.write_text(f"{late}\n{early}\n", encoding="utf-8")
    server.start()
    following = boris.start("tail", "--url", server.url(), "-f", "--since", "9999-01-01")
    assert following.line() == late
    boris.run("send", "--url", server.url(), "now").assert_well()
    assert following.line() == server.lines[-1]
    following.interrupt()
    assert following.end().status == 130


def test_json_is_the_same_as_that_of_the_history(old: RunningServer, url: str, boris: Person) -> None:
    printed = boris.run("tail", "--url", url, "--json").assert_well()
    assert printed == boris.run("history", "--json", str(old.history)).assert_well()


def test_messages_by_unverified_people_are_marked_for_programs(
    server: RunningServer, boris: Person, make_client: ClientMaker
) -> None:
    boris.run("send", "--url", server.url(), "--name", "Boris", "mine").assert_well()
    guest = make_client()
    guest.join("Guest")
    guest.send_frame("chat", text="whose?")
    guest.receive_until(lambda frame: frame.get("text") == "whose?")
    rows = boris.run("tail", "--url", server.url(), "--json").assert_well().splitlines()
    assert [json.loads(row).get("unverified") for row in rows] == [None, True]
    script = """sh -c 'echo "$BESEDKA_USER:$BESEDKA_UNVERIFIED"'"""
    # A command may itself run in a command of another tail.
    printed = boris.run("tail", "--url", server.url(), "--exec", script, BESEDKA_UNVERIFIED="1")
    assert printed.assert_well() == "Boris:\nGuest:1\n"


def examples_of_exec() -> list[str]:
    """The commands in the documents and the help that show a message's author by `--exec`."""
    texts = [
        path.read_text(encoding="utf-8") for path in (ROOT / "README.md", *(ROOT / "docs").rglob("*.md"))
    ]
    texts.append(tail.epilog or "")
    lines = [line.strip() for text in texts for line in text.splitlines()]
    return [line for line in lines if line.startswith("besedka tail") and "BESEDKA_USER" in line]


@pytest.mark.parametrize("example", examples_of_exec())
def test_the_examples_of_exec_show_who_is_unverified(
    server: RunningServer, boris: Person, make_client: ClientMaker, example: str
) -> None:
    boris.run("send", "--url", server.url(), "--name", "Boris", "mine").assert_well()
    guest = make_client()
    guest.join("Boss")
    guest.send_frame("chat", text="whose?")
    guest.receive_until(lambda frame: frame.get("text") == "whose?")
    (boris.home / "bin").mkdir()
    notify = boris.home / "bin" / "notify-send"
    notify.write_text('#!/bin/sh\nprintf "%s|" "$@"\n', encoding="utf-8")
    notify.chmod(0o755)
    path = f"{notify.parent}{os.pathsep}{boris.environment['PATH']}"
    command = shlex.split(example)
    done = boris.run("tail", *command[command.index("--exec") :], "--url", server.url(), PATH=path)
    assert done.assert_well() == "--|Boris|mine|--|Boss?|whose?|"


def test_more_than_a_page_is_printed_whole(make_server: ServerMaker, boris: Person, tmp_path: Path) -> None:
    lines = "".join(
        f"[2025-11-20 {n // 3600:02}:{n // 60 % 60:02}:{n % 60:02}] Anna: number {n}\n" for n in range(20_000)
    )
    (tmp_path / "chat_history.txt").write_text(lines, encoding="utf-8")
    server = make_server("--lang", "en").start()
    assert boris.run("tail", "--url", server.url(), "--since", "0").assert_well() == lines
    last = boris.run("tail", "--url", server.url(), "--since", "2025-11-20 05:33:10").assert_well()
    assert last == "".join(lines.splitlines(keepends=True)[-10:])


def test_an_empty_room_is_no_error(server: RunningServer, boris: Person) -> None:
    assert boris.run("tail", "--url", server.url()).assert_well() == ""
    assert boris.run("tail", "--url", server.url(), "--since", "2025-01-01").assert_well() == ""


def test_a_mistyped_room_is_an_error_unless_it_may_come_later(
    server: RunningServer, boris: Person, make_client: ClientMaker
) -> None:
    url = ("--url", server.url())
    for follow in ((), ("-f",)):
        boris.run("tail", *url, "--room", "gardn", *follow).assert_one_clear_line(4, "There is no room gardn")
    assert boris.run("tail", *url, "--room", "garden", "--wait").assert_well() == ""
    following = boris.start("tail", *url, "--room", "later", "--wait", "-f")
    anna = make_client()
    anna.join("Anna", room="later")
    anna.send_frame("chat", room="later", text="at last")
    assert following.line().endswith("] Anna: at last")
    assert boris.run("tail", *url, "--room", "later").assert_well().endswith("] Anna: at last\n")


def test_it_goes_on_with_what_is_said_through_restarts(old: RunningServer, url: str, boris: Person) -> None:
    following = boris.start("tail", "--url", url, "-f", "-n", "1")
    assert following.line() == LINES.splitlines()[-1]
    for number in range(3):
        boris.run("send", "--url", url, f"{number}\nmore").assert_well()
        assert [following.line(), following.line()] == old.lines[-2:]
        assert old.stop() == 0
        boris.run("send", "--url", url, "nobody hears").assert_one_clear_line(3)
        old.start()
        boris.run("send", "--url", url, f"{number} back").assert_well()
        assert following.line() == old.lines[-1]
    following.interrupt()
    done = following.end()
    assert (done.status, done.stdout, done.stderr) == (130, "", "")


def test_times_of_another_season_are_those_of_the_log_over_grpc_too(
    make_server: ServerMaker, boris: Person
) -> None:
    server = make_server(grpc=True, TZ="Europe/Berlin")
    lines = ["[2025-01-01 12:00:00] Anna: winter", "[2025-07-01 12:00:00] Anna: summer"]
    server.history.write_text("".join(f"{line}\n" for line in lines))
    server.start()
    for url in server.urls:
        assert boris.run("tail", "--url", url).assert_well().splitlines() == lines


@pytest.mark.parametrize(
    ("clock", "stamp"),
    [
        ("23:30:00", "2026-03-28 23:30:00"),
        ("00:30:00", "2026-03-29 00:30:00"),
        ("22:30:00", "2026-03-28 22:30:00"),
        ("nonsense", "2026-03-28 23:30:00"),
    ],
)
def test_the_time_stays_that_of_the_log_when_summer_time_begins(
    boris: Person, clock: str, stamp: str
) -> None:
    at = int(datetime(2026, 3, 28, 22, 30, tzinfo=UTC).timestamp())
    welcome = {
        "type": "welcome",
        "room": "main",
        "user": "",
        "head": 0,
        "epoch": "",
        "users": [],
        "reset": False,
    }
    limits = {"name": 32, "room": 32, "text": 5000, "frame": 65536}
    event = {
        "type": "chat",
        "room": "main",
        "id": 1,
        "user": "Anna",
        "text": "hi",
        "at": at,
        "timestamp": clock,
    }

    def talk(connection: ServerConnection) -> None:
        connection.recv()
        connection.send(json.dumps({**welcome, "clients_count": 0, "limits": limits, "utc_offset": 3600}))
        connection.send(json.dumps(event))
        with suppress(ConnectionClosed):
            connection.recv()

    with serve(talk, "127.0.0.1", 0) as chat:
        threading.Thread(target=chat.serve_forever, daemon=True).start()
        following = boris.start("tail", "-f", "--url", f"127.0.0.1:{chat.socket.getsockname()[1]}")
        assert following.line() == f"[{stamp}] Anna: hi"
        following.interrupt()
        assert following.end().status == 130


def test_nobody_sees_who_only_reads(server: RunningServer, boris: Person, make_client: ClientMaker) -> None:
    anna = make_client()
    anna.join("Anna")
    following = boris.start("tail", "--url", server.url(), "-f")
    anna.send_frame("chat", text="one")
    following.line()
    boris.run("tail", "--url", server.url()).assert_well()
    clara = make_client()
    assert clara.join("Clara")["clients_count"] == 2
    frames = anna.receive_until(lambda frame: frame.get("joined") == ["Clara"])
    assert [frame["joined"] for frame in frames if frame["type"] == "system"] in (
        [["Anna"], ["Clara"]],
        [["Clara"]],
    )


def test_a_history_that_is_replaced_is_reported(server: RunningServer, boris: Person) -> None:
    boris.run("send", "--url", server.url(), "old").assert_well()
    following = boris.start("tail", "--url", server.url(), "-f")
    assert following.line().endswith(": old")
    server.stop()
    server.history.write_text(LINES, encoding="utf-8")
    server.start()
    assert [following.line() for _ in range(5)] == LINES.splitlines()
    following.interrupt()
    assert following.end().stderr == "besedka: the history was replaced; it starts anew here\n"


def test_a_reader_that_has_enough_ends_it_at_once(server: RunningServer, boris: Person) -> None:
    boris.run("send", "--url", server.url(), "one").assert_well()
    following = boris.start("tail", "--url", server.url(), "-f")
    following.line()
    following.close_stdout()
    done = following.end()
    assert (done.status, done.stderr) == (0, "")


def test_at_a_terminal_nothing_can_act(make_server: ServerMaker, boris: Person, tmp_path: Path) -> None:
    evil = "[2025-11-19 23:46:36] Anna: \x1b]0;title\x07 \x9b31m \u202eright to left\n"
    (tmp_path / "chat_history.txt").write_text(evil, encoding="utf-8")
    server = make_server().start()
    assert boris.run("tail", "--url", server.url()).assert_well() == evil
    for command in (["tail", "--url", server.url()], ["history", str(server.history)]):
        shown, status = pexpect.run(
            f"{' '.join(BESEDKA)} {' '.join(command)}",
            env={**boris.environment, "TERM": "xterm"},
            withexitstatus=True,
        )
        assert status == 0
        line = "[2025-11-19 23:46:36] Anna: ␛]0;title␇ \ufffd31m right to left\r\n"
        # The terminal is told not to wrap meanwhile: it may show these signs wider than they are.
        assert shown.decode() == f"\x1b[?7l{line}\x1b[?7h"


def test_a_full_disk_is_reported(server: RunningServer, boris: Person) -> None:
    boris.run("send", "--url", server.url(), "one").assert_well()
    for command in (["tail", "--url", server.url()], ["history", str(server.history)]):
        with Path("/dev/full").open("wb") as full:
            done = boris.run_into(full.fileno(), *command)
        done.assert_one_clear_line(1, "no space left on device")


def test_a_command_is_run_for_each_message_in_order(url: str, boris: Person) -> None:
    script = 'printf "%s|" "$BESEDKA_ID" "$BESEDKA_ROOM" "$BESEDKA_USER" "$BESEDKA_TIME" "$BESEDKA_TEXT"'
    printed = boris.run("tail", "--url", url, "--exec", f"sh -c '{script}; echo'").assert_well()
    assert printed == (
        "1|main|Anna|2025-11-19 23:46:36|Hello|\n"
        "2|main|Boris|2025-11-19 23:46:39|Hi there\nthis is the second line|\n"
        "3|main|Anna|2025-11-20 09:00:00|Доброе утро|\n"
        "4|main|Anna|2025-11-20 09:00:00|\t and  a tab|\n"
    )


def test_no_shell_sees_a_message(server: RunningServer, boris: Person) -> None:
    boris.run(
        "send", "--url", server.url(), "$(touch evil); `touch evil` ' \" \\ && touch evil"
    ).assert_well()
    boris.run("tail", "--url", server.url(), "--exec", "sh -c 'echo $BESEDKA_TEXT'").assert_well()
    assert not (boris.home / "evil").exists()


def test_what_an_environment_cannot_hold_breaks_nothing(
    make_server: ServerMaker, boris: Person, tmp_path: Path
) -> None:
    long = "ж" * 200_000
    (tmp_path / "chat_history.txt").write_bytes(
        f"[2025-11-19 23:46:36] Anna: {long}\n[2025-11-19 23:46:37] Anna: bad ".encode()
        + b"\xff=\0.\n[2025-11-19 23:46:38] Anna: end\n"
    )
    server = make_server().start()
    script = """sh -c 'printf %s "$BESEDKA_TEXT" | wc -c'"""
    printed = boris.run("tail", "--url", server.url(), "--exec", script).assert_well()
    event, *others = printed.split()
    assert int(event) in range(32_000, 34_000)  # of a long message the beginning is told
    assert others == [str(len("bad \ufffd=␀.".encode())), "3"]


def test_a_command_that_fails_is_reported_and_the_next_message_comes(url: str, boris: Person) -> None:
    script = "sh -c 'echo $BESEDKA_ID; test $BESEDKA_ID != 2 || exit 7; test $BESEDKA_ID != 3 || kill -9 $$'"
    done = boris.run("tail", "--url", url, "--exec", script)
    assert done.status == 1
    assert done.stdout == "1\n2\n3\n4\n"
    assert done.stderr.splitlines() == [
        "besedka: sh for message 2: status 7",
        "besedka: sh for message 3: signal 9",
        "besedka: 2 of the commands have failed",
    ]


def test_a_command_that_is_slow_misses_nothing(server: RunningServer, boris: Person) -> None:
    following = boris.start(
        "tail",
        "--url",
        server.url(),
        "-f",
        "--since",
        "0",
        "--exec",
        "sh -c 'sleep 0.02; echo $BESEDKA_TEXT'",
    )
    lines = [str(number) for number in range(100)]
    boris.run("send", "--url", server.url(), "--lines", stdin="\n".join(lines).encode()).assert_well()
    assert [following.line() for _ in lines] == lines
    following.interrupt()
    assert following.end().status == 130


def test_what_cannot_be_done_is_one_clear_line(server: RunningServer, boris: Person) -> None:
    def run(*options: str) -> Done:
        return boris.run("tail", "--url", server.url(), *options)

    run("--since", "yesterday").assert_one_clear_line(2, "neither an id nor a time", "besedka tail --help")
    run("-n", "-1").assert_one_clear_line(2, "-n")
    run("--exec", "echo 'open").assert_one_clear_line(2, "--exec", "quotation")
    run("--exec", " ").assert_one_clear_line(2, "--exec")
    run("--exec", "no-such-command x").assert_one_clear_line(2, "no-such-command")
    run("--exec", "echo", "--json").assert_one_clear_line(2, "--json", "--exec")
    run("--room", "a/b").assert_one_clear_line(4, "room")
    boris.run("tail", "--url", "ftp://x").assert_one_clear_line(2, "'ftp://x' is not an address")
    nowhere = f"localhost:{free_port()}"
    boris.run("tail", "-f", "--url", nowhere).assert_one_clear_line(3, nowhere)
