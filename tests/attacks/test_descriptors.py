"""A server whose file descriptors are asked for by connections without number, or are gone: what must not fail does not."""

from __future__ import annotations

import resource
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from google.protobuf.message import Message

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.doors.http.door import UNWELCOME_SHARE
from besedka.serve.limits.descriptors import for_connections
from tests.calling import Caller
from tests.clocks import BENT
from tests.commanding import Person, wait_until
from tests.conftest import ServerMaker
from tests.running import RunningServer, edit, fetch
from tests.talking import WireClient

LIMIT: Final = 300
FLOOD: Final = LIMIT
ONE, OTHER, OWN = "127.0.0.2", "127.0.0.3", "127.0.0.1"
REQUEST = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
KEYS: Final = {name: name * 8 for name in ("phone", "laptop")}


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.txt"
    path.write_text("".join(f"{key} {name}\n" for name, key in KEYS.items()))
    path.chmod(0o600)
    return path


@pytest.fixture
def server(make_server: ServerMaker, keys: Path) -> RunningServer:
    """A server with few descriptors, gRPC and access keys, started."""
    options = ("--key-file", str(keys), "--lang", "en")
    return make_server(*options, module=BENT, OWN_ADDRESS=OWN, DESCRIPTORS=str(LIMIT), grpc=True).start()


@pytest.fixture
def operator(server: RunningServer, tmp_path: Path) -> Iterator[Person]:
    """The operator, who is somewhere else in the file system."""
    home = tmp_path / "home"
    home.mkdir()
    with Person(home, BESEDKA_HISTORY=str(server.history)) as person:
        yield person


def flood(stack: ExitStack, port: int, address: str) -> list[socket.socket]:
    """Connections on which nothing is said."""
    found = []
    for _ in range(FLOOD):
        found.append(socket.create_connection(("127.0.0.1", port), 60, (address, 0)))
        stack.callback(found[-1].close)
    return found


def closed(connections: list[socket.socket]) -> int:
    """How many the server has closed."""
    return sum(map(_is_closed, connections))


def _is_closed(connection: socket.socket) -> bool:
    connection.setblocking(False)
    try:
        return not connection.recv(1, socket.MSG_PEEK) or connection.recv(9, socket.MSG_PEEK) == b"HTTP/1.1 "
    except BlockingIOError:
        return False
    except OSError:
        return True


def make_client(server: RunningServer, address: str, key: str = "laptop") -> WireClient:
    headers = {"Authorization": f"Bearer {KEYS[key]}"}
    return WireClient(server, source_address=(address, 0), additional_headers=headers)


def chats_work(
    server: RunningServer, operator: Person, keys: Path, phone: WireClient, laptop: WireClient
) -> None:
    """The acts that must not fail when there are no descriptors: acts of the operator, and a key that is withdrawn."""
    assert operator.run("admin", "mute", "Phone").assert_well().startswith("Phone is muted")
    laptop.send_frame("chat", text="still here")
    assert laptop.receive("chat")["text"] == "still here"
    edit(keys, f"{KEYS['laptop']} laptop\n")
    assert phone.ending()[0] == 4003
    assert operator.run("admin", "kick", "Laptop").assert_well()
    assert laptop.ending()[0] == 4004
    assert "Traceback" not in server.errors


@pytest.mark.parametrize("door", ["http", "grpc"])
def test_an_address_that_takes_all_it_can_leaves_half_to_others(server: RunningServer, door: str) -> None:
    with ExitStack() as stack:
        opened = flood(stack, server.port if door == "http" else server.grpc_port, ONE)
        share = for_connections(LIMIT) // 2 // (1 if door == "http" else 3)
        lingering = (
            for_connections(LIMIT) // UNWELCOME_SHARE + 1 if door == "http" else 0
        )  # they are told why, when they ask
        wait_until(lambda: closed(opened) >= FLOOD - share - lingering)
        assert closed(opened) <= FLOOD - share
        with make_client(server, OTHER) as other:
            other.join("Other")
            other.send_frame("join", room="fresh", user="Other")
            assert other.receive("welcome")["room"] == "fresh"
        with Caller(server) as caller:
            metadata = [("authorization", f"Bearer {KEYS['laptop']}")]
            assert caller.stub.ListRooms(pb.ListRoomsRequest(), metadata=metadata, timeout=60).rooms


def test_a_flood_from_this_machine_itself_leaves_what_the_server_needs(
    server: RunningServer, operator: Person, keys: Path
) -> None:
    """This machine's own address has no share of its own: so the limit of all connections holds."""
    with ExitStack() as stack:
        phone, laptop = (stack.enter_context(make_client(server, OTHER, name)) for name in KEYS)
        phone.join("Phone", secret="p" * 20)
        laptop.join("Laptop", secret="l" * 20)
        opened = flood(stack, server.port, OWN) + flood(stack, server.grpc_port, OWN)
        wait_until(lambda: closed(opened) >= len(opened) - for_connections(LIMIT))
        with socket.create_connection(("127.0.0.1", server.port), 60) as late:
            assert late.recv(65_536).startswith(b"HTTP/1.1 503 ")
        laptop.send_frame("join", room="fresh", user="Laptop", secret="l" * 20)
        assert laptop.receive("welcome")["room"] == "fresh"
        chats_work(server, operator, keys, phone, laptop)


def test_without_a_single_descriptor_the_spare_ones_are_used_for_what_matters(
    server: RunningServer, operator: Person, keys: Path
) -> None:
    with make_client(server, OTHER, "phone") as phone, make_client(server, OTHER) as laptop:
        phone.join("Phone", secret="p" * 20)
        laptop.join("Laptop", secret="l" * 20)
        limit = first_free(server)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (limit, LIMIT))
        laptop.send_frame("join", room="fresh", user="Laptop", secret="l" * 20)
        assert laptop.receive("error")["code"] == "room_unavailable"
        chats_work(server, operator, keys, phone, laptop)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
    wait_until(lambda: fetch(server, "/healthz")[0] == 200)


def test_a_request_that_finds_no_descriptor_is_refused_and_its_connection_goes_on(
    server: RunningServer,
) -> None:
    """Also where a file must be opened of a room that is open; and afterwards all is as before."""
    with make_client(server, OTHER) as laptop, Caller(server) as caller:
        metadata = [("authorization", f"Bearer {KEYS['laptop']}")]
        laptop.join("Laptop", secret="l" * 20)
        for number in range(20):
            laptop.send_frame("chat", text=f"{number}")
        laptop.receive_to(20)
        caller.stub.ListRooms(pb.ListRoomsRequest(), metadata=metadata, timeout=60)
        limit = first_free(server)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (limit, LIMIT))
        for kind, fields in REQUESTS:
            laptop.send_frame(kind, key=kind, **fields)
            answer = laptop.receive()
            while answer["type"] == "system":
                answer = laptop.receive()
            assert answer["type"] != "error" or answer["code"] == "room_unavailable", answer
        for call, request in (
            (caller.stub.ListRooms, pb.ListRoomsRequest()),
            (caller.stub.ListMessages, pb.ListMessagesRequest(room="none")),
            (caller.stub.Search, pb.SearchRequest(text="1")),
            (caller.stub.Send, pb.SendRequest(user="Anna", room="fresh", text="x")),
        ):
            assert code(call, request) in {"OK", "UNAVAILABLE", "NOT_FOUND"}
        laptop.send_frame("chat", text="still here", key="k")
        assert laptop.receive("chat")["text"] == "still here"
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (LIMIT, LIMIT))
        laptop.send_frame("join", room="fresh", user="Laptop", secret="l" * 20)
        assert laptop.receive("welcome")["room"] == "fresh"
    assert "Traceback" not in server.errors


def code(call: Any, request: Message) -> str:
    """The status of a call, by its name."""
    answer = call.future(request, metadata=[("authorization", f"Bearer {KEYS['laptop']}")], timeout=60)
    return str(answer.code().name)


REQUESTS: Final[list[tuple[str, dict[str, object]]]] = [
    ("rooms", {}),
    ("search", {"text": "1"}),
    ("history", {"before": 5, "limit": 3}),
    ("join", {"room": "other", "user": "Laptop", "secret": "l" * 20}),
    ("private", {"room": "own"}),
    ("add_device", {"user": "Laptop", "secret": "l" * 20}),
]


def first_free(server: RunningServer) -> int:
    """The number that the next file would get that the server opens."""
    taken = {int(entry.name) for entry in Path(f"/proc/{server.pid}/fd").iterdir()}
    return next(number for number in range(LIMIT) if number not in taken)
