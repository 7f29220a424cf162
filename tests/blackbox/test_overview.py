"""The operator sees who is there, which sessions there are, and how full the limits are."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.commanding import Person
from tests.conftest import ServerMaker
from tests.ordering import Operator
from tests.running import RunningServer
from tests.talking import WireClient


@pytest.fixture
def operator(server: RunningServer, tmp_path: Path) -> Iterator[Person]:
    """The operator, working in another folder."""
    home = tmp_path / "home"
    home.mkdir()
    with Person(home, BESEDKA_HISTORY=str(server.history)) as person:
        yield person


def rows(operator: Person, *words: str) -> list[dict[str, Any]]:
    """The rows that a command prints as JSON."""
    shown = operator.run("admin", *words, "--json").assert_well()
    return [json.loads(line) for line in shown.splitlines()]


def test_the_operator_sees_who_is_in_which_room(server: RunningServer, operator: Person) -> None:
    assert operator.run("admin", "who").assert_well() == "room  user  sessions\n"
    with WireClient(server) as anna, WireClient(server) as phone, WireClient(server) as guest:
        anna.join("Anna", "dev", secret="a")
        anna.join("Anna", secret="a")
        phone.join("Anna", "dev", secret="a")
        guest.join("Вера", "dev")
        guest.join(None)
        assert rows(operator, "who") == [
            {"room": "dev", "user": "Anna", "verified": True, "sessions": 2},
            {"room": "dev", "user": "Вера", "verified": False, "sessions": 1},
            {"room": "main", "user": "", "verified": False, "sessions": 1},
            {"room": "main", "user": "Anna", "verified": True, "sessions": 1},
        ]
        shown = operator.run("admin", "who", "dev").assert_well()
        assert shown == "room  user   sessions\ndev   Anna   2\ndev   Вера?  1\n"
        operator.run("admin", "who", "a:b").assert_one_clear_line(4, "room name")
        for mode in ((), ("--json",)):
            operator.run("admin", "who", "none", *mode).assert_one_clear_line(4, "There is no room none")


def test_a_room_that_nobody_is_in_is_shown_as_empty_but_one_that_does_not_exist_is_refused(
    server: RunningServer, operator: Person
) -> None:
    with WireClient(server) as anna:
        anna.join("Anna", "dev", secret="a")
        anna.send_frame("chat", room="dev", text="hello")
        anna.receive("chat")
        anna.ask("private", room="plans")
    for room in ("main", "dev", "plans"):
        assert operator.run("admin", "who", room).assert_well() == "room  user  sessions\n"
    assert not (server.directory / "chat_history.none.txt").exists()


def test_the_operator_sees_all_sessions(make_server: ServerMaker, tmp_path: Path) -> None:
    path = tmp_path / "grpc.socket"
    server = make_server("--lang", "en", "--grpc-unix", str(path)).start()
    begun = int(time.time())
    home = tmp_path / "home"
    home.mkdir()
    with (
        WireClient(server) as anna,
        WireClient(server, "/") as seed,
        Person(home, BESEDKA_HISTORY=str(server.history)) as operator,
    ):
        anna.join("Anna", "dev", secret="a")
        seed.send_frame("chat", user="Boris", text="hello")
        seed.receive("chat")
        with operator.start("tail", "-f", "--url", f"unix:{path}") as reader:
            assert reader.line().endswith("Boris: hello")
            found = rows(operator, "sessions")
        shown = [(row["door"], row["users"], row["rooms"]) for row in found]
        assert shown == [
            ("/ws", ["Anna"], ["dev"]),
            ("/", ["Boris"], ["main"]),
            ("gRPC Converse", [], ["main"]),
        ]
        assert all(begun <= row["since"] <= time.time() for row in found)
        assert [row["address"] for row in found] == [None, None, None]
        assert {(row["unsent"], row["behind"]) for row in found} == {(0, 0)}
        assert "websockets" in found[0]["client"]
        assert "grpc" in found[2]["client"]
        table = operator.run("admin", "sessions").assert_well().splitlines()
        assert table[0].split() == [
            "since",
            "address",
            "door",
            "users",
            "rooms",
            "unsent",
            "behind",
            "program",
        ]
        assert " this machine /ws Anna dev 0 0 " in " ".join(table[1].split())


def test_the_operator_sees_how_full_the_limits_are(server: RunningServer, operator: Person) -> None:
    with WireClient(server) as anna:
        anna.join("Anna", "dev", secret="a")
        assert anna.ask("private", room="plans")["type"] == "place"
        found = {row["name"]: (row["used"], row["limit"]) for row in rows(operator, "limits")}
        assert found["open rooms"] == (2, 1000)
        assert found["names"] == (1, 50_000)
        assert found["private rooms"] == (1, 10_000)
        assert found["messages a second of a connection"] == (None, 100)
        used, limit = found["descriptors of connections"]
        assert 1 <= used < limit
        assert "open rooms" in operator.run("admin", "limits").assert_well()
        assert '"limit": 1000,' in operator.run("admin", "limits", "--json").assert_well()


def test_the_fullest_address_is_named(make_server: ServerMaker) -> None:
    server = make_server(
        "--lang", "en", "--behind-proxy", "127.0.0.1", "--open", "--connections-per-address", "7"
    ).start()
    headers = {"X-Forwarded-For": "192.0.2.7"}
    with (
        WireClient(server, additional_headers=headers) as one,
        WireClient(server, additional_headers=headers) as other,
        Operator(server) as operator,
    ):
        one.join("Anna")
        other.join("Boris")
        limits = operator.send(b'{"type":"limits","key":"k"}\n')
        assert limits["key"] == "k"
        found = [row for row in limits["limits"] if row["name"] == "connections of an address"]
        assert found == [
            {"name": "connections of an address", "limit": 7.0, "used": 2, "address": "192.0.2.7"}
        ]
        sessions = operator.send(b'{"type":"sessions"}\n')["sessions"]
        assert [row["address"] for row in sessions] == ["192.0.2.7", "192.0.2.7"]


def test_long_lists_come_in_pages_in_which_nothing_is_missing(
    server: RunningServer, operator: Person
) -> None:
    with WireClient(server) as anna, Operator(server) as socket:
        for number in range(100):
            anna.join(f"Anna {number}", f"r{number:02}")
        with WireClient(server) as boris:
            boris.join("Boris", "r00")
            page = socket.send(b'{"type":"who"}\n')
            assert (len(page["people"]), page["next"]) == (100, 100)
            assert len(rows(operator, "who")) == 101


def test_a_client_cannot_act_on_the_operators_terminal_by_its_name(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en").start()
    with (
        WireClient(server, user_agent_header="x\u0080\u009b31m" + "y" * 500) as anna,
        Operator(server) as operator,
    ):
        anna.join("Anna")
        [session] = operator.send(b'{"type":"sessions"}\n')["sessions"]
        assert session["client"].isprintable()
        assert len(session["client"]) == 80
