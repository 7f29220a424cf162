"""A file system that dies, and a system that gives no thread: everybody is answered, and the server ends with its one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.clocks import BENT
from tests.commanding import TIMEOUT_SECONDS, Done, Person, wait_until
from tests.conftest import ServerMaker
from tests.ordering import Operator
from tests.running import ROOT, RunningServer, fetch
from tests.talking import WireClient
from tests.torture.holding import FAULTY

SECRET = "b" * 64


@pytest.fixture
def anna(tmp_path: Path) -> Iterator[Person]:
    with Person(tmp_path) as person:
        yield person


def planned(make_server: ServerMaker, plan: str, *options: str, **more: object) -> tuple[RunningServer, Path]:
    """A server that something will happen to, and the file that has it happen."""
    folder = make_server().directory
    happens = folder / "now"
    faults = json.dumps({plan: str(happens), **more})
    return make_server("--lang", "en", *options, module=FAULTY, FAULTS=faults, grpc=True).start(), happens


def last_words(server: RunningServer) -> str:
    """The one line with which it has ended."""
    (line,) = (line for line in server.errors.splitlines() if line.startswith("besedka: "))
    assert "Traceback" not in server.errors
    return line


def test_a_file_system_that_dies_is_reported_in_one_line(make_server: ServerMaker) -> None:
    unix = "run.grpc"
    server, dies = planned(make_server, "dies", "--key-file", "access_key.txt", "--grpc-unix", unix)
    key = server.link.rpartition("=")[2]
    with WireClient(server, additional_headers={"Authorization": f"Bearer {key}"}) as anna:
        anna.join("Anna", secret=SECRET)
        anna.join("Anna", room="other", secret=SECRET)
        anna.send_frame("chat", text="before")
        anna.receive("chat")
        dies.touch()
        # Nobody's question brings a traceback either.
        assert fetch(server, "/readyz", {"Authorization": f"Bearer {key}"})[0] == 503
        anna.send_frame("rooms")
        anna.send_frame("chat", text="after", key="k1")
        (error,) = anna.receive_until(lambda frame: frame.get("key") == "k1")[-1:]
        assert error["code"] == "not_stored"
        assert server.wait() == 1
    assert last_words(server).endswith("chat_history.txt cannot be written any more: input/output error")


@pytest.mark.parametrize("option", ["--admin-socket", "--grpc-unix", "--key-file", "--history", "--people"])
def test_a_server_that_cannot_use_a_path_says_so_in_one_line(option: str, anna: Person) -> None:
    # Nothing can be made there, not even by root.
    path = "/proc" if option == "--people" else "/proc/besedka.txt"
    done = anna.run("serve", "--port", "0", "--grpc-port", "0", option, path)
    done.assert_one_clear_line(1, "/proc/")


def test_a_server_that_is_given_no_threads_does_not_start(tmp_path: Path) -> None:
    faults = json.dumps({"no_threads": str(tmp_path)})
    done = subprocess.run(
        [sys.executable, "-m", FAULTY, "serve", "--port", "0", "--grpc-port", "0"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT), "FAULTS": faults},
        capture_output=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    Done(done.returncode, done.stdout, done.stderr).assert_one_clear_line(1, "the system allows none")


def test_a_server_that_runs_needs_no_more_threads(make_server: ServerMaker) -> None:
    server, happens = planned(make_server, "no_threads")
    happens.touch()
    with WireClient(server) as anna:
        anna.join("Anna", secret=SECRET)
        anna.send_frame("chat", text="hello")
        assert anna.receive("chat")["text"] == "hello"
        assert anna.search("hell")["messages"]
        assert server.stop() == 0
    assert server.lines[0].endswith("Anna: hello")


def test_an_error_of_ours_leaves_nobody_unanswered(make_server: ServerMaker) -> None:
    server, happens = planned(make_server, "broken")
    with WireClient(server) as anna:
        anna.join("Anna", secret=SECRET)
        happens.touch()
        anna.send_frame("chat", text="lost", key="k1")
        assert anna.receive("error")["code"] == "not_stored"
        assert server.wait() == 1
    # What happened is for us to read, and what it means for whoever runs the server.
    assert "ValueError: something nobody has thought of" in server.errors
    (server.directory / "stderr.txt").write_text("")


@pytest.mark.parametrize(
    ("loop", "what"),
    [
        ("connections", "looking after connections"),
        ("http", "serving HTTP"),
        ("keys", "reading the access keys"),
        ("people", "writing the files about people"),
        ("batches", "writing the files about people"),
    ],
)
def test_a_loop_in_the_background_that_fails_ends_the_server_in_good_order(
    make_server: ServerMaker, loop: str, what: str
) -> None:
    folder = make_server().directory
    happens = folder / "now"
    faults = json.dumps({"loop": [loop, str(happens)], "delay": 0.3})
    options = ("--lang", "en", "--key-file", "access_key.txt")
    server = make_server(*options, module=FAULTY, FAULTS=faults).start()
    header = {"Authorization": f"Bearer {server.link.rpartition('=')[2]}"}
    with (
        WireClient(server, additional_headers=header) as anna,
        WireClient(server, additional_headers=header) as boris,
    ):
        anna.join("Anna", secret=SECRET)
        anna.send_frame("chat", text="heard before")
        anna.receive("chat")
        anna.send_frame("chat", text="on its way")
        wait_until(lambda: "on its way" in server.history.read_text())
        happens.touch()
        assert anna.receive("chat")["text"] == "on its way"
        assert boris.ending()[0] == 1012
        assert server.wait() == 1
    assert [line.partition("Anna: ")[2] for line in server.lines] == ["heard before", "on its way"]
    (line,) = (line for line in server.errors.splitlines() if line.startswith("besedka: "))
    assert (
        line
        == f"besedka: the server had to stop: {what} failed (ValueError: something nobody has thought of)"
    )
    # What happened is for us to read.
    assert server.errors.count("Traceback") == 1
    (folder / "stderr.txt").write_text("")


def test_an_error_of_ours_while_names_are_written_is_not_retried_for_ever(make_server: ServerMaker) -> None:
    folder = make_server().directory
    happens = folder / "now"
    faults = json.dumps({"loop": ["rows", str(happens)]})
    server = make_server("--lang", "en", module=FAULTY, FAULTS=faults).start()
    with WireClient(server) as anna:
        happens.touch()
        assert anna.refused("join", room="main", user="Anna", secret=SECRET) == "not_stored"
        assert server.wait() == 1
    (line,) = (line for line in server.errors.splitlines() if line.startswith("besedka: "))
    assert "writing the files about people failed (ValueError: something nobody has thought of)" in line
    assert_one_traceback(server, times=3)


def one_error_of_ours(
    make_server: ServerMaker, name: str, *options: str, log: str = ""
) -> tuple[RunningServer, Path]:
    """A server in which one call fails when the file is there that is returned."""
    folder = make_server().directory
    (folder / "chat_history.txt").write_text(log)
    happens = folder / "now"
    faults = json.dumps({"once": [name, str(happens)]})
    return make_server("--lang", "en", *options, module=FAULTY, FAULTS=faults).start(), happens


def assert_one_traceback(server: RunningServer, *, times: int = 1) -> None:
    """One error is logged with its traceback, and so often named."""
    assert server.errors.count("Traceback") == 1
    assert server.errors.count("ValueError: something nobody has thought of") == times
    (server.directory / "stderr.txt").write_text("")


def test_a_session_that_cannot_be_disconnected_is_cut_off_and_the_others_are_disconnected(
    make_server: ServerMaker,
) -> None:
    server, happens = one_error_of_ours(make_server, "disconnect")
    with ExitStack() as stack:
        sessions = [stack.enter_context(WireClient(server)) for _ in range(3)]
        for session in sessions:
            session.join("Boris", secret=SECRET)
        happens.touch()
        with Operator(server) as operator:
            assert operator.do("kick", "Boris") == "Boris was disconnected"
        assert sorted(session.end_code() for session in sessions) == [1006, 4004, 4004]
    assert_one_traceback(server)


def test_a_connection_whose_access_cannot_be_revoked_is_cut_off_and_the_others_are_closed(
    make_server: ServerMaker,
) -> None:
    server, happens = one_error_of_ours(make_server, "revoke", "--key-file", "access_key.txt")
    header = {"Authorization": f"Bearer {server.link.rpartition('=')[2]}"}
    with ExitStack() as stack:
        sessions = [stack.enter_context(WireClient(server, additional_headers=header)) for _ in range(3)]
        for session in sessions:
            session.join(None)
        happens.touch()
        (server.directory / "access_key.txt").write_text("another-key-of-this-chat\n")
        assert sorted(session.end_code() for session in sessions) == [1006, 4003, 4003]
    assert_one_traceback(server)


def test_a_reader_to_whom_a_page_cannot_be_sent_comes_back_and_reads_on_and_others_notice_nothing(
    make_server: ServerMaker,
) -> None:
    old = "".join(f"[2025-01-01 00:00:00] Old: {number}\n" for number in range(1, 3001))
    server, happens = one_error_of_ours(make_server, "read", log=old)
    with WireClient(server) as boris, WireClient(server) as anna:
        boris.join("Boris")
        happens.touch()
        anna.join("Anna", since=1)
        assert anna.ending() == (1011, "the server has made an error")
        boris.send_frame("chat", text="I am still here")
        assert boris.receive("chat")["id"] == 3001
    with WireClient(server) as anna:
        anna.join("Anna", since=1)
        assert anna.receive_to(3001) == list(range(2, 3002))
    assert_one_traceback(server)


def test_the_operator_learns_that_the_server_has_failed_and_not_the_command(
    make_server: ServerMaker, anna: Person
) -> None:
    server, happens = one_error_of_ours(make_server, "command")
    happens.touch()
    history = ("--history", str(server.history))
    anna.run("admin", *history, "kick", "Boris").assert_one_clear_line(1, "The server made an error", "log")
    # A refusal is none, and has a status of its own.
    anna.run("admin", *history, "kick", "Boris").assert_one_clear_line(4, "Boris is not here now")
    assert_one_traceback(server)


def test_a_disk_that_is_slow_and_answers_is_waited_for(make_server: ServerMaker) -> None:
    # The server would end sooner than what it was given is stored, if the disk did not answer again and again.
    end = 0.2
    constants = json.dumps({"besedka.serve.shutdown_deadline.END_SECONDS": end})
    faults = json.dumps({"slow": 0.3})
    server = make_server("--lang", "en", module=FAULTY, FAULTS=faults, CONSTANTS=constants).start()
    with WireClient(server) as anna:
        anna.join("Anna", secret=SECRET)
        for number in range(3):
            anna.send_frame("chat", text=f"message {number}")
            wait_until(lambda: f"message {number}" in server.history.read_text())  # noqa: B023 - at once
        begun = time.monotonic()
        server.ask_to_stop()
        frames = anna.receive_until(lambda frame: frame.get("text") == "message 2")
        assert "error" not in {frame["type"] for frame in frames}
        assert server.wait() == 0
        assert time.monotonic() - begun > end
    assert len(server.lines) == 3
    assert "Anna" in (server.directory / "known_names.txt").read_text()


def test_where_the_kernel_says_nothing_of_what_is_pending_many_rooms_are_stored(
    make_server: ServerMaker,
) -> None:
    """As in a service that sees nothing of /proc but its own processes (ProcSubset=pid)."""
    constants = json.dumps({"besedka.serve.files.file_system._MEMORY": "/proc/nothing"})
    server = make_server("--rate", "0", module=BENT, CONSTANTS=constants).start()
    with ExitStack() as open_ones:
        clients = [open_ones.enter_context(WireClient(server)) for _ in range(12)]
        for number, client in enumerate(clients):
            client.join(f"p{number}", f"room{number}")
        for _ in range(20):
            for number, client in enumerate(clients):
                client.send_frame("chat", room=f"room{number}", text="hello\nthere")
            for client in clients:
                assert client.receive("chat")["text"] == "hello\nthere"
    assert server.stop() == 0
