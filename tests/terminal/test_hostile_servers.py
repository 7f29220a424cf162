"""``besedka chat`` by a link to a server that is not honest."""

from __future__ import annotations

from pathlib import Path

import grpc
import msgspec
import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from websockets.sync.server import ServerConnection

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.remote.chat_connection import ROOMS_AT_MOST
from besedka.terminal.session.direct_room_watcher import ROOMS_FREE
from besedka.wire.frames import (
    Device,
    History,
    Join,
    Kind,
    ListRooms,
    RoomEntry,
    RoomOpened,
    Rooms,
    ServerFrame,
    Welcome,
    decode_client,
    encode,
)
from tests.hostile_servers import (
    LIMITS,
    WELCOME,
    Refusing,
    answering,
    chat_service,
    grpc_server,
    websocket_server,
)
from tests.terminal.conftest import TerminalMaker

FAILED, UNREACHABLE, REFUSED = 1, 3, 4

OPENED_AT_MOST = ROOMS_AT_MOST - ROOMS_FREE - 1
"""Direct rooms that a terminal joins by itself beside the one room of its start."""


def kept(home: Path) -> list[str]:
    """The files of a person, without the one secret that everybody has, and typed lines."""
    folder = home / "state" / "besedka"
    return sorted(path.name for path in folder.glob("*") if path.name not in {"secret", "typed", "unsent"})


def test_a_link_that_promises_one_person_makes_nobody_another(
    make_terminal: TerminalMaker, tmp_path: Path
) -> None:
    with websocket_server(answering(Device("Mallory", "a secret"))) as url:
        terminal = make_terminal(f"{url}#;device=token;name=Bob")
        terminal.wait_for("Use this machine as Bob?")
        terminal.type("y\r")
        assert terminal.exit_status() == FAILED
    assert any("the link promises Bob, and is one of Mallory" in line for line in terminal.lines)
    assert kept(tmp_path / "homes" / "anna") == []


@pytest.mark.parametrize(
    ("name", "secret"),
    [
        ("Bob", "x\nbank.example\tBob\tplanted"),
        ("Bob", "x\u2028bank.example\tBob\tplanted"),
        ("Bob", "x\x1b[2J"),
        ("Bob\tx\nbank.example\tBob", "planted"),
        ("Bob", "x" * 1_000),
        ("Bob", ""),
    ],
)
def test_no_server_plants_a_secret_for_another_host(
    make_terminal: TerminalMaker, tmp_path: Path, name: str, secret: str
) -> None:
    with websocket_server(answering(Device(name, secret))) as url:
        terminal = make_terminal(f"{url}#;device=token", "--yes")
        assert terminal.exit_status() == UNREACHABLE
    assert "is not Besedka" in " ".join(terminal.lines)
    assert kept(tmp_path / "homes" / "anna") == []


def test_a_name_that_can_be_none_is_not_even_asked_about(make_terminal: TerminalMaker) -> None:
    terminal = make_terminal("localhost:1#;device=token;name=Bob%0D%0A13:00%20%20%20Boss")
    assert terminal.exit_status() == REFUSED
    assert not any("on this machine" in line for line in terminal.lines)


def test_a_server_that_offers_rooms_without_end_fills_neither_the_connection_nor_the_file_of_read_positions(
    make_terminal: TerminalMaker, tmp_path: Path
) -> None:
    joined: list[str] = []
    bank = [f"7\tepoch\tdirect-{number:016x}\tws://bank.example:8765/ws" for number in range(20)]
    read = tmp_path / "homes" / "anna" / "state" / "besedka" / "read"
    read.parent.mkdir(parents=True, mode=0o700)
    read.write_text("".join(f"{row}\n" for row in bank), encoding="utf-8")

    def talk(connection: ServerConnection) -> None:
        def send(*frames: ServerFrame) -> None:
            for frame in frames:
                connection.send(encode(frame).decode())

        while True:
            match decode_client(connection.recv()):
                case Join(room="main"):
                    send(WELCOME, *(RoomOpened(f"direct-{n:016x}", Kind.DIRECT, "Bob") for n in range(1_100)))
                case Join(room=room):
                    joined.append(room)
                    direct = {"room": room, "head": 5, "kind": Kind.DIRECT, "peer": "Bob"}
                    line = "[2026-11-30 10:00:00] Bob: hi"
                    send(msgspec.structs.replace(WELCOME, **direct), History(room, 5, [line]))
                case ListRooms(key=key):
                    send(Rooms([], key))
                case _:
                    pass

    with websocket_server(talk) as url:
        terminal = make_terminal(url, "--name", "Anna")
        terminal.wait_until(lambda: len(joined) >= OPENED_AT_MOST, "it does not join")
        terminal.catch_up()
        terminal.type("/exit\r")
        assert terminal.exit_status() == 0
    assert len(joined) == OPENED_AT_MOST
    rows = read.read_text(encoding="utf-8").splitlines()
    assert rows[:20] == bank
    assert len(rows) == 20 + OPENED_AT_MOST


@pytest.mark.parametrize(
    "welcome",
    [
        Welcome("main\tx", "Anna", 0, "epoch", 1, [], LIMITS, 0),
        Welcome("main", "Anna\n12:00   Boss", 0, "epoch", 1, [], LIMITS, 0),
        Welcome("main", "Anna", 0, "e\tdirect-1\tws://bank:8765/ws\n", 1, [], LIMITS, 0),
        Welcome("main", "Anna", -1, "epoch", 1, [], LIMITS, 0),
        Welcome("main", "Anna", 0, "epoch", 1, [], LIMITS, 10**12),
    ],
)
def test_a_welcome_that_none_would_send_ends_the_session(
    make_terminal: TerminalMaker, welcome: Welcome
) -> None:
    with websocket_server(answering(welcome)) as url:
        terminal = make_terminal(url, "--name", "Anna")
        assert terminal.exit_status() == UNREACHABLE
    assert "is not Besedka" in " ".join(terminal.lines)


def test_a_status_that_cannot_be_read_ends_the_session(make_terminal: TerminalMaker) -> None:
    with chat_service(Refusing(grpc.StatusCode.PERMISSION_DENIED, b"\xff\xff\xff")) as url:
        terminal = make_terminal(url, "--name", "Anna")
        assert terminal.exit_status() == UNREACHABLE
    assert "is not Besedka" in " ".join(terminal.lines)


def test_a_time_that_is_none_ends_the_session_before_the_welcome(make_terminal: TerminalMaker) -> None:
    message = pb.Message(id=1, user="Eve", text="x", time=Timestamp(seconds=10**17), clock="12:00:00")
    with grpc_server(pb.ConverseResponse(messages=pb.Messages(room="main", messages=[message]))) as url:
        terminal = make_terminal(url, "--name", "Anna")
        assert terminal.exit_status() == UNREACHABLE
    assert "is not Besedka" in " ".join(terminal.lines)


def test_a_list_of_rooms_that_goes_round_in_circles_is_reported(make_terminal: TerminalMaker) -> None:
    asked: list[str] = []

    def talk(connection: ServerConnection) -> None:
        decode_client(connection.recv())
        connection.send(encode(WELCOME).decode())
        while True:
            frame = decode_client(connection.recv())
            if isinstance(frame, ListRooms):
                asked.append(frame.after)
                entries = [RoomEntry("direct-a", 0, Kind.DIRECT, "Boris")]
                follows = "B" if frame.after == "A" else "A"
                connection.send(encode(Rooms(entries, frame.key, next=follows)).decode())

    with websocket_server(talk) as url:
        terminal = make_terminal(url, "--name", "Anna")
        terminal.wait_for("is not in its order")
        terminal.type("/exit\r")
        assert terminal.exit_status() == 0
    assert asked == ["", "A"]
