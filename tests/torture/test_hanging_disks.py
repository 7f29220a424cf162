"""A disk that does not answer, under any of the files, keeps the server from ending for five seconds at most."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress

from tests.conftest import ServerMaker
from tests.ordering import Operator
from tests.running import RunningServer
from tests.talking import WireClient
from tests.torture.holding import FAULTY, until_it_waits, waits

STOP_SECONDS = 5
IMPATIENT = json.dumps(
    {
        "besedka.serve.shutdown_deadline.SILENT_SECONDS": 0.5,
        "besedka.serve.shutdown_deadline.END_SECONDS": 1.0,
    }
)
"""By the true constants `test_restarts` ends a server whose disk does not answer."""
SECRET = "a" * 64


def hanging(make_server: ServerMaker, call: str, name: str, at: int = 1, *options: str) -> RunningServer:
    faults = json.dumps({"hang": [call, name, at]})
    return make_server("--lang", "en", *options, module=FAULTY, FAULTS=faults, CONSTANTS=IMPATIENT).start()


def ends_in_time(server: RunningServer) -> None:
    begun = time.monotonic()
    assert server.stop() == 1
    assert time.monotonic() - begun < STOP_SECONDS
    said = [line for line in server.errors.splitlines() if line.startswith("besedka: ")]
    assert len(said) == 1
    assert "the disk did not answer" in said[0]


def begin(server: RunningServer, act: str, **fields: object) -> None:
    """Have the operator do something that will not be done."""

    def do() -> None:
        with suppress(OSError), Operator(server) as operator:
            operator.ask(act, **fields)  # type: ignore[arg-type]

    before = waits(server)
    threading.Thread(target=do, daemon=True).start()
    until_it_waits(server, before + 1)


def test_under_what_is_known_of_people(make_server: ServerMaker) -> None:
    server = hanging(make_server, "fsync", "known_names.txt")
    with WireClient(server) as anna:
        anna.send_frame("join", room="main", user="Anna", secret=SECRET)
        until_it_waits(server)
        assert anna.receives_nothing()
        ends_in_time(server)


def test_under_what_is_known_of_people_and_changes_as_they_leave(make_server: ServerMaker) -> None:
    server = hanging(make_server, "stat", "invitations.txt", 4)
    with WireClient(server) as anna:
        anna.join("Anna", secret=SECRET)
        ends_in_time(server)


def test_under_the_notes_of_what_is_done_to_keep_order(make_server: ServerMaker) -> None:
    server = hanging(make_server, "fdatasync", "audit.txt", 2)
    begin(server, "mute", user="Eve")
    ends_in_time(server)


def test_under_a_log_of_which_a_text_is_taken_away(make_server: ServerMaker) -> None:
    server = hanging(make_server, "fdatasync", "chat_history.txt", 4)
    with WireClient(server) as anna:
        anna.join("Anna", secret=SECRET)
        anna.send_frame("chat", text="hello")
        anna.receive("chat")
        begin(server, "redact", id=1)
        ends_in_time(server)


def test_under_the_access_keys(make_server: ServerMaker) -> None:
    server = hanging(make_server, "open", "access_key.txt", 1, "--key-file", "access_key.txt")
    until_it_waits(server)
    ends_in_time(server)


def test_what_is_being_done_to_keep_order_is_done_before_the_server_ends(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en", module=FAULTY, FAULTS=json.dumps({"delay": 0.5})).start()
    with WireClient(server) as anna:
        anna.join("Anna", secret=SECRET)
        anna.send_frame("chat", text="hello")
        anna.receive("chat")
        begin(server, "redact", id=1)
        assert server.stop() == 0
        anna.receive_until(lambda frame: frame["type"] == "redacted")
    assert "hello" not in server.history.read_text()
