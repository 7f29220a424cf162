"""The server's log on stderr: what an operator finds there, and what nobody may."""

from __future__ import annotations

import json
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from besedka.proto.besedka.v1 import chat_pb2 as pb
from tests.calling import TIMEOUT_SECONDS, Caller
from tests.clocks import BENT
from tests.commanding import Person, wait_until
from tests.conftest import ServerMaker
from tests.running import RunningServer, edit, fetch
from tests.talking import WireClient
from tests.torture.holding import FAULTY

ANNA = "a" * 64


@dataclass
class Marks:
    """Texts, keys and secrets that would be found again.

    Attributes:
        key: the access key.
        wrong: none.
        text: of messages, and where it does not belong.
        secret: a person's.
        other: another person's.
        made: tokens that the server has made.
    """

    key: str = field(default_factory=secrets.token_urlsafe)
    wrong: str = field(default_factory=secrets.token_urlsafe)
    text: str = "marked-text"
    secret: str = field(default_factory=lambda: secrets.token_hex(32))
    other: str = field(default_factory=lambda: secrets.token_hex(32))
    made: list[str] = field(default_factory=list)

    @property
    def bearer(self) -> dict[str, str]:
        """The headers of whoever has the key."""
        return {"Authorization": f"Bearer {self.key}"}


def sentences(server: RunningServer) -> list[str]:
    """The log's lines, without time and logger."""
    return [
        f"{level} {text}"
        for level, text in re.findall(r"^\S+ \S+ (\w+) [\w.]+: (.*)$", server.errors, re.MULTILINE)
    ]


def events(server: RunningServer) -> list[dict[str, Any]]:
    """The log's lines, each of which must be a JSON object."""
    return [json.loads(line) for line in server.errors.splitlines()]


def kinds(server: RunningServer) -> list[str]:
    return [line["event"] for line in events(server)]


def operate(server: RunningServer, *act: str) -> None:
    with Person(server.directory) as operator:
        operator.run("admin", *act).assert_well()


def test_the_life_of_a_server_is_in_its_log(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en", grpc=True).start()
    with WireClient(server) as anna:
        anna.join("Anna", "dev", secret=ANNA)
        anna.send_frame("chat", room="dev", text="hello")
        anna.receive("chat")
        operate(server, "kick", "Anna", "--reason", "a private matter")
        anna.end_code()
    assert server.stop() == 0
    server.start()
    assert server.stop() == 0
    one, two = "\n".join(sentences(server)).split("INFO stopped", 1)
    found = re.sub(r"process \d+", "process 1", one).splitlines()
    history, socket = server.history, f"{server.history}.admin"
    assert found == [
        "INFO Besedka 0.1.0 is up as process 1",
        f"INFO messages in {history}: 0",
        f"INFO listens on http://127.0.0.1:{server.port}",
        f"INFO listens on grpc://127.0.0.1:{server.grpc_port}",
        f"INFO listens on unix:{socket}",
        "INFO the room dev is new",
        "INFO 'operator': kick user='Anna'",
        "INFO stops: SIGTERM",
        "INFO refused not_allowed: 1, most of them from this machine",
    ]
    assert "is new" not in two


def test_the_log_is_json_where_that_is_wanted(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en", "--log-format", "json", "--log-level", "debug").start()
    with WireClient(server) as anna:
        anna.join("Anna", "dev", secret=ANNA)
        anna.refused("chat", room="dev", text="")
    operate(server, "slow", "30s")
    assert server.stop() == 0
    lines = events(server)
    assert all({"time", "level", "event", "message"} <= line.keys() for line in lines)
    by_kind = {line["event"]: line for line in lines}
    assert by_kind["room_created"]["room"] == "dev"
    assert by_kind["act"]["act"] == "slow"
    assert by_kind["act"]["seconds"] == 30
    assert by_kind["refusals"] | {"time": ""} == {
        "time": "",
        "level": "info",
        "event": "refusals",
        "message": "refused empty_text: 1, most of them from this machine",
        "logger": "besedka.serve.refusal_tally",
        "code": "empty_text",
        "count": 1,
        "address": "this machine",
        "of_address": 1,
    }
    assert by_kind["stopping"]["signal"] == "SIGTERM"
    assert kinds(server)[:2] == ["room_opened", "started"]
    assert kinds(server)[-1] == "stopped"
    assert {"connected", "disconnected", "refused"} <= {*kinds(server)}


def test_a_start_that_fails_is_one_line_of_json(tmp_path: Path) -> None:
    (tmp_path / "irssi.log").write_text("--- Log opened Wed Nov 19 23:46:30 2014\n", encoding="utf-8")
    with Person(tmp_path) as anna:
        done = anna.run("serve", "--history", "irssi.log", "--port", "0", "--log-format", "json")
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert done.status == 1
    assert [line["event"] for line in lines] == ["failed"]
    assert "a log of irssi" in lines[-1]["message"]


@pytest.mark.parametrize(("level", "shown"), [("info", True), ("warning", False), ("error", False)])
def test_the_level_says_what_is_shown(make_server: ServerMaker, level: str, *, shown: bool) -> None:
    server = make_server("--log-level", level).start()
    assert server.stop() == 0
    assert bool(server.errors) is shown


def test_refusals_are_a_line_with_their_number_and_the_address_that_has_most(
    make_server: ServerMaker,
) -> None:
    server = make_server(
        "--lang", "en", "--log-format", "json", module=BENT, OWN_ADDRESS="none", CONSTANTS="{}"
    ).start()
    for address, count in (("127.0.0.2", 30), ("127.0.0.3", 5)):
        with WireClient(server, source_address=(address, 0)) as eve:
            eve.join("Eve")
            for _ in range(count):
                eve.send_frame("chat", text="")
            for _ in range(count):
                eve.receive("error")
    assert server.stop() == 0
    (line,) = [line for line in events(server) if line["event"] == "refusals"]
    assert (line["code"], line["count"], line["address"], line["of_address"]) == (
        "empty_text",
        35,
        "127.0.0.2",
        30,
    )


def test_a_slow_disk_and_a_full_one_are_reported_and_when_it_has_room_again(make_server: ServerMaker) -> None:
    plan = {"call": "write", "at": 2, "times": 1, "errno": "ENOSPC"}
    slow = {"besedka.serve.chat.committer.SLOW_SYNC_SECONDS": 0.0}
    server = make_server(
        "--lang",
        "en",
        "--log-format",
        "json",
        module=FAULTY,
        FAULTS=json.dumps(plan),
        CONSTANTS=json.dumps(slow),
    ).start()
    with WireClient(server) as anna:
        anna.join("Anna")
        for text in ("one", "no room", "three"):
            anna.send_frame("chat", text=text)
            anna.receive_until(lambda frame: frame["type"] in {"chat", "error"})
    assert server.stop() == 0
    disk = [
        line["event"]
        for line in events(server)
        if line["event"] in {"slow_sync", "storage_full", "storage_free"}
    ]
    assert disk == ["slow_sync", "storage_full", "storage_free"]
    (line,) = [line for line in events(server) if line["event"] == "slow_sync"]
    assert (line["level"], line["room"], line["messages"]) == ("warning", "main", 1)


def test_a_repaired_log_is_reported_for_each_room(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en", "--log-format", "json").start()
    with WireClient(server) as anna:
        anna.join("Anna", "dev")
        anna.send_frame("chat", room="dev", text="whole")
        anna.receive("chat")
    server.kill()
    log = server.directory / "chat_history.dev.txt"
    log.write_bytes(log.read_bytes() + b"[2026-12-01 10:00:00] Anna: torn")
    server.start()
    with WireClient(server) as anna:
        anna.join("Anna", "dev")
    assert server.stop() == 0
    (line,) = [line for line in events(server) if line["event"] == "log_repaired"]
    assert line["room"] == "dev"
    assert "repaired 1 torn line (32 bytes" in line["message"]


def test_changes_of_the_access_keys_are_reported_by_their_labels(
    make_server: ServerMaker, tmp_path: Path
) -> None:
    first, second = secrets.token_urlsafe(32), secrets.token_urlsafe(32)
    keys = tmp_path / "keys.txt"
    keys.write_text(f"{first} the phone\n", encoding="utf-8")
    keys.chmod(0o600)
    server = make_server("--key-file", "keys.txt", "--log-format", "json").start()
    with WireClient(server, additional_headers={"Authorization": f"Bearer {first}"}) as anna:
        anna.join("Anna")
        edit(keys, f"{second} the laptop\n")
        anna.end_code()
    assert server.stop() == 0
    by_kind = {line["event"]: line for line in events(server)}
    assert by_kind["keys_changed"]["count"] == 1
    assert (by_kind["key_withdrawn"]["label"], by_kind["key_withdrawn"]["ended"]) == ("the phone", 1)
    assert first not in server.errors
    assert second not in server.errors


def over_websockets(server: RunningServer, marks: Marks) -> None:
    """Use `/ws` and `/`, rightly and wrongly."""
    with WireClient(server, additional_headers=marks.bearer) as anna:
        anna.join("Anna", secret=marks.secret)
        anna.send_frame("chat", text=marks.text, key="k1")
        anna.receive("chat")
        for wrong in (
            json.dumps({"type": "chat", "text": marks.text * 1_000, "key": "k2"}),
            f'{{"type": "chat", "text": "{marks.text}", "nonsense"',
            f'{{"type": "{marks.text}", "secret": "{marks.secret}"}}',
            json.dumps({"type": "join", "user": f"{marks.text}:", "secret": marks.other}),
            json.dumps({"type": "direct", "user": marks.text}),
        ):
            anna.send(wrong)
            anna.receive("error")
        anna.search(marks.text)
        anna.ask("private", room="plans")
        marks.made.append(anna.ask("invite", room="plans")["token"])
        marks.made.append(anna.ask("add_device", user="Anna", secret=marks.secret)["token"])
    with WireClient(server, additional_headers=marks.bearer) as eve:
        eve.ask("take_device", token=marks.made[-1])
        eve.refused("join", user="Anna", secret=marks.other)
        eve.refused("join", room="plans", user="Eve", secret=marks.other, invite=marks.wrong)
        eve.send(b"\xff" + marks.text.encode())
        eve.receive("error")
    with WireClient(server, "/", additional_headers=marks.bearer) as seed:
        seed.send_frame("chat", user="Boris", text=marks.text)
        seed.receive("chat")
        seed.send(f"{marks.text} is no JSON")
        seed.receive("error")
    with WireClient(server, additional_headers={"Authorization": f"Bearer {marks.wrong}"}) as stranger:
        stranger.end_code()


def over_http(server: RunningServer, marks: Marks) -> None:
    """Ask for pages with the right key and with a wrong one."""
    for path in (
        "history.txt",
        f"history.txt?room={marks.text}&key={marks.wrong}",
        f"{marks.text}?{marks.wrong}",
        "metrics",
    ):
        for headers in (
            marks.bearer,
            {"Authorization": f"Bearer {marks.wrong}"},
            {"Cookie": f"key={marks.wrong}", "Host": marks.text},
        ):
            fetch(server, f"/{path}", headers)


def over_grpc(server: RunningServer, target: str, marks: Marks) -> None:
    """Call with a key and without."""
    with Caller(server, target) as caller:
        for metadata in (
            (),
            [("authorization", f"Bearer {marks.wrong}")],
            [("authorization", f"Bearer {marks.key}")],
        ):
            for call, asked in (
                (caller.stub.Send, pb.SendRequest(user="Clara", text=marks.text, secret=marks.other)),
                (
                    caller.stub.Send,
                    pb.SendRequest(user=f"{marks.text}:", text=marks.text, secret=marks.other),
                ),
                (caller.stub.ListMessages, pb.ListMessagesRequest(room=marks.text)),
            ):
                with suppress(grpc.RpcError):
                    call(asked, metadata=metadata, timeout=TIMEOUT_SECONDS)


def test_no_text_key_or_secret_is_in_it_at_whatever_level(make_server: ServerMaker, tmp_path: Path) -> None:
    marks, keys = Marks(), tmp_path / "keys.txt"
    keys.write_text(f"{marks.key}\n", encoding="utf-8")
    keys.chmod(0o600)
    options = ("--lang", "en", "--log-level", "debug", "--key-file", "keys.txt", "--grpc-unix", "grpc.sock")
    server = make_server(*options, grpc=True).start()
    over_websockets(server, marks)
    over_http(server, marks)
    over_grpc(server, "", marks)
    over_grpc(server, f"unix:{tmp_path / 'grpc.sock'}", marks)
    with Person(tmp_path) as operator:
        operator.run("admin", "mute", "Anna", "--reason", marks.text).assert_well()
        operator.run("admin", "redact", "1", "--reason", marks.text).assert_well()
        link = operator.run("admin", "admit", "Vera", "--key-file", "keys.txt").assert_well()
        marks.made += re.findall(r"invite=([\w-]+)", link)
    edit(keys, f"{marks.wrong}\n")
    wait_until(lambda: "access keys valid" in server.errors)
    assert server.stop() == 0
    assert "DEBUG" in server.errors
    assert len(marks.made) == 3
    for mark in (marks.key, marks.wrong, marks.text, marks.secret, marks.other, *marks.made):
        assert len(mark) > 8
        assert mark not in server.errors
