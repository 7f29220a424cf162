"""Connections and calls without number: no address takes all of them, none holds a place without a request, and no call is free."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial
from itertools import count, islice
from pathlib import Path
from typing import Final

import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.doors.grpc.calls_in_progress import ANSWERED_SECONDS
from besedka.serve.doors.grpc.connections import (
    CALLLESS_SECONDS,
    CALLS_AT_ONCE,
    FRAME_BYTES,
    HALF_OPEN_SECONDS,
    HTTP2_FRAME_BYTES,
)
from besedka.serve.doors.grpc.half_open import HALF_OPEN_BYTES
from besedka.serve.doors.grpc.health_and_reflection import STREAMS_AT_MOST
from besedka.serve.doors.timeouts import REQUEST_SECONDS, STUCK_SECONDS
from besedka.serve.limits.rate_limits import (
    FRAMES_AT_LEAST,
    FRAMES_OF_ADDRESS_AT_LEAST,
    FRAMES_SECONDS,
    HANDSHAKE_FRAMES,
    REFUSED_FRAMES,
)
from tests.calling import Caller, ending
from tests.clocks import BENT, SWEPT_OFTEN, Clocks
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.running import RunningServer, fetch

STRANGER, ANOTHER = "127.0.0.2", "127.0.0.3"
HEADERS: Final = 1
"""The kind of frame with which an answer begins."""
RST_STREAM: Final = 3
"""The kind with which a client cancels a call."""
SEND = pb.SendRequest(user="Boris", text="who reads the answer?").SerializeToString()
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"
"""All that HTTP/2 asks of a client before its first request: with empty settings (RFC 9113, section 3.4)."""


class Line:
    """A connection to the gRPC port on which perhaps nothing is ever said."""

    def __init__(self, server: RunningServer, address: str = STRANGER, data: bytes = b"") -> None:
        self._socket = socket.create_connection(("127.0.0.1", server.grpc_port), 60, (address, 0))
        self._socket.sendall(data)
        self._received = b""

    @property
    def is_closed(self) -> bool:
        """Whether the server has closed it; what it has sent before is read."""
        self._socket.setblocking(False)
        try:
            while more := self._socket.recv(65_536):
                self._received += more
        except BlockingIOError:
            return False
        except OSError:
            return True
        return True

    def send(self, data: bytes) -> None:
        self._socket.setblocking(True)
        self._socket.sendall(data)

    def wait_for_answer(self) -> None:
        """Wait until the server has sent the headers of an answer."""
        wait_until(lambda: any(kind == HEADERS for kind, _, _ in self.frames()))

    def has_answer(self, stream: int) -> bool:
        """Whether the call of this number has ended."""
        return any((kind, flags & 1, number) == (HEADERS, 1, stream) for kind, flags, number in self.frames())

    def frames(self) -> list[tuple[int, int, int]]:
        """All frames so far: their kinds, their flags, and the numbers of their calls."""
        return [frame[:3] for frame in self.payloads()]

    def payloads(self) -> list[tuple[int, int, int, bytes]]:
        """The same, each with what is in it."""
        assert not self.is_closed
        found, at = [], 0
        while at + 9 <= len(self._received):
            start = self._received[at : at + 9]
            end = at + 9 + int.from_bytes(start[:3], "big")
            found.append((start[3], start[4], int.from_bytes(start[5:], "big"), self._received[at + 9 : end]))
            at = end
        return found

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def lines() -> Iterator[ExitStack]:
    """Closes what a test has opened."""
    with ExitStack() as stack:
        yield stack


def opened(server: RunningServer, lines: ExitStack, count: int, data: bytes = b"") -> list[Line]:
    found = [Line(server, data=data) for _ in range(count)]
    for line in found:
        lines.callback(line.close)
    return found


def until_admitted(server: RunningServer, count: int) -> None:
    """Wait until the server has accepted so many gRPC connections."""
    wait_until(lambda: f"besedka_grpc_connections {count:.1f}\n" in fetch(server, "/metrics")[1])


def status_over_http(server: RunningServer) -> int:
    with socket.create_connection(("127.0.0.1", server.port), 60, (STRANGER, 0)) as web:
        web.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return int(web.recv(65_536).split()[1])


def test_an_address_has_its_share_of_grpc_connections_before_it_shows_a_key(
    make_server: ServerMaker, lines: ExitStack
) -> None:
    server = make_server(
        "--connections-per-address", "20", module=BENT, OWN_ADDRESS="127.0.0.1", grpc=True
    ).start()
    flood = opened(server, lines, 200)
    wait_until(lambda: sum(line.is_closed for line in flood) == 180)
    # Another address comes in all the same, and so does the first one when it gives up a connection.
    with Caller(server) as other:
        assert other.send("Anna", "still here").id == 1
    for line in flood:
        line.close()
    wait_until(lambda: not opened(server, lines, 1)[0].is_closed)


def test_grpc_and_websocket_connections_of_an_address_are_counted_together(
    make_server: ServerMaker, lines: ExitStack
) -> None:
    server = make_server(
        "--connections-per-address", "3", module=BENT, OWN_ADDRESS="127.0.0.1", grpc=True
    ).start()
    three = opened(server, lines, 3)
    until_admitted(server, 3)
    assert status_over_http(server) == 429
    assert not any(line.is_closed for line in three)


@pytest.mark.parametrize("data", [b"", PREFACE], ids=["nothing", "a preface"])
def test_a_grpc_connection_without_a_call_is_closed_when_a_request_must_be_there(
    data: bytes, make_server: ServerMaker, clock: Clocks, lines: ExitStack
) -> None:
    clock.stand_still()
    server = make_server(module=BENT, CONSTANTS=SWEPT_OFTEN, grpc=True, **clock.environment).start()
    with Caller(server) as caller, caller.follow(since=0) as reader:
        reader.started()
        (line,) = opened(server, lines, 1, data)
        until_admitted(server, 2)
        clock.jump(REQUEST_SECONDS - 1)
        caller.rooms()
        assert not line.is_closed
        clock.jump(2)
        wait_until(lambda: line.is_closed)
        caller.send("Anna", "hello")
        assert reader.receive_to(1)[0].text == "hello"


def test_who_watches_the_health_of_the_server_stays_and_few_watch_on_one_connection(
    make_server: ServerMaker, clock: Clocks
) -> None:
    clock.stand_still()
    server = make_server(module=BENT, CONSTANTS=SWEPT_OFTEN, grpc=True, **clock.environment).start()
    with Caller(server) as caller, Caller(server) as other:
        request = health_pb2.HealthCheckRequest()
        watches = [health_pb2_grpc.HealthStub(caller.channel).Watch(request) for _ in range(STREAMS_AT_MOST)]
        for watch in watches:
            next(watch)
        one_more = health_pb2_grpc.HealthStub(caller.channel).Watch(request)
        assert ending(one_more).reason == "too_many_connections"
        next(health_pb2_grpc.HealthStub(other.channel).Watch(request))
        clock.jump(REQUEST_SECONDS + 1)
        other.rooms()
        server.ask_to_stop()
        # They are told of the end, so they were still there.
        assert [next(watch).status for watch in watches] == [NOT_SERVING] * STREAMS_AT_MOST
        assert server.wait() == 0


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    """A frame of HTTP/2 (RFC 9113, section 4.1)."""
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def field(name: str, value: str) -> bytes:
    """A header without compression (RFC 7541, section 6.2.2)."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


def headers(path: str, stream: int) -> bytes:
    """The beginning of a call without its request."""
    fields = {
        ":method": "POST",
        ":scheme": "http",
        ":path": path,
        ":authority": "localhost",
        "te": "trailers",
        "content-type": "application/grpc",
    }
    return frame(HEADERS, 4, stream, b"".join(field(name, value) for name, value in fields.items()))


def call(path: str, stream: int, *requests: bytes, ends: bool = True) -> bytes:
    """A call with whole requests, which the client may end."""
    messages = (b"\0" + len(request).to_bytes(4, "big") + request for request in requests or [b""])
    return headers(path, stream) + frame(0, int(ends), stream, b"".join(messages))


NO_WINDOW: Final = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"\0\4\0\0\0\0")
"""The beginning of a connection that takes no byte of any answer."""
ROOMS, HEALTH = "/besedka.v1.Chat/ListRooms", "/grpc.health.v1.Health/Check"
FOLLOW, IMPORT, CONVERSE = "/besedka.v1.Chat/Follow", "/besedka.v1.Chat/Import", "/besedka.v1.Chat/Converse"
SPEAKER = pb.ImportRequest(speaker=pb.Speaker(user="Boris")).SerializeToString()
JOIN = pb.ConverseRequest(join=pb.Join(quiet=True)).SerializeToString()
PAGE = pb.ConverseRequest(history=pb.ListHistory(before=100)).SerializeToString()
SINCE = pb.FollowRequest(since=0).SerializeToString()


@pytest.mark.parametrize(
    ("data", "seconds"),
    [
        (PREFACE + b"".join(headers(ROOMS, 2 * n + 1) for n in range(50)), REQUEST_SECONDS),
        (PREFACE + call(ROOMS, 1) + headers(ROOMS, 3), CALLLESS_SECONDS),
        (PREFACE + call(FOLLOW, 1) + headers(ROOMS, 3), HALF_OPEN_SECONDS),
        (NO_WINDOW + call("/besedka.v1.Chat/Send", 1, SEND), ANSWERED_SECONDS),
        (NO_WINDOW + call(IMPORT, 1, SPEAKER), STUCK_SECONDS),
    ],
    ids=[
        "half-open calls",
        "a half-open call after a whole one",
        "a half-open call beside a stream",
        "an answer that nobody reads",
        "an answer to many requests that nobody reads",
    ],
)
def test_calls_that_do_not_end_keep_no_connection(
    data: bytes, seconds: float, make_server: ServerMaker, clock: Clocks, lines: ExitStack
) -> None:
    clock.stand_still()
    server = make_server(module=BENT, CONSTANTS=SWEPT_OFTEN, grpc=True, **clock.environment).start()
    with Caller(server) as caller, caller.follow(since=0) as reader:
        reader.started()
        (line,) = opened(server, lines, 1, data)
        until_admitted(server, 2)
        if seconds != REQUEST_SECONDS:
            line.wait_for_answer()
            caller.rooms()
        clock.jump(seconds - 1)
        caller.rooms()
        assert not line.is_closed
        clock.jump(2)
        wait_until(lambda: line.is_closed)
        sent = caller.send("Anna", "hello")
        assert reader.receive_to(sent.id)[-1].text == "hello"


@pytest.mark.parametrize(
    "data",
    [call(FOLLOW, 1, SINCE), call(CONVERSE, 1, JOIN, *[PAGE] * 3, ends=False)],
    ids=["Follow", "Converse"],
)
def test_streams_that_nobody_reads_keep_no_connection(
    data: bytes, make_server: ServerMaker, clock: Clocks, lines: ExitStack
) -> None:
    clock.stand_still()
    server = make_server(module=BENT, CONSTANTS=SWEPT_OFTEN, grpc=True, **clock.environment).start()
    with Caller(server) as caller, caller.follow(since=0) as reader:
        reader.started()
        for _ in range(3):
            caller.send("Anna", "x" * 5_000)
        (line,) = opened(server, lines, 1, NO_WINDOW + data)
        line.wait_for_answer()

        def is_closed_later() -> bool:
            clock.jump(STUCK_SECONDS / 4)
            return line.is_closed

        wait_until(is_closed_later)
        sent = caller.send("Anna", "hello")
        assert reader.receive_to(sent.id)[-1].text == "hello"


@pytest.mark.parametrize("limit", ["HALF_OPEN_OF_CONNECTION", "HALF_OPEN_OF_ADDRESS", "HALF_OPEN_AT_MOST"])
def test_half_open_requests_cost_bounded_memory(
    limit: str, make_server: ServerMaker, lines: ExitStack
) -> None:
    """On one connection, on those of one address, and on all, of which the one with the most is cut off."""
    bent = json.dumps({f"besedka.serve.doors.grpc.connections.{limit}": 10 * HALF_OPEN_BYTES})
    server = make_server(module=BENT, CONSTANTS=bent, OWN_ADDRESS="127.0.0.1", grpc=True).start()
    beside = PREFACE + call(FOLLOW, 1)

    def half_open(count: int, address: str) -> Line:
        line = Line(server, address, beside)
        lines.callback(line.close)
        line.wait_for_answer()
        line.send(b"".join(headers(ROOMS, 2 * number + 3) for number in range(count)))
        return line

    if limit == "HALF_OPEN_OF_CONNECTION":
        kept, cut_off = half_open(9, STRANGER), half_open(11, STRANGER)
    elif limit == "HALF_OPEN_OF_ADDRESS":
        kept, others, cut_off = half_open(9, ANOTHER), half_open(6, STRANGER), half_open(5, STRANGER)
        assert not others.is_closed
    else:
        cut_off, kept = half_open(6, STRANGER), half_open(5, ANOTHER)
    wait_until(lambda: cut_off.is_closed)
    # What it held is free again.
    again = half_open(4, STRANGER)
    with Caller(server) as caller:
        for _ in range(5):
            caller.rooms()
    assert [line.is_closed for line in (kept, again)] == [False, False]


def test_a_health_check_without_a_key_keeps_no_connection_where_one_is_needed(
    make_server: ServerMaker, clock: Clocks, lines: ExitStack, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    keys.write_text("the-key-of-the-lab\n", encoding="utf-8")
    keys.chmod(0o600)
    clock.stand_still()
    server = make_server(
        "--key-file", str(keys), module=BENT, CONSTANTS=SWEPT_OFTEN, grpc=True, **clock.environment
    ).start()
    (line,) = opened(server, lines, 1, PREFACE + call(HEALTH, 1))
    line.wait_for_answer()
    assert not line.is_closed
    clock.jump(REQUEST_SECONDS + 1)
    wait_until(lambda: line.is_closed)


BURST: Final = int(FRAMES_AT_LEAST * FRAMES_SECONDS)
FLOOD: Final = 100
"""Calls that a connection makes at once."""


@pytest.mark.parametrize("kind", ["ListRooms", "ListMessages", "Send", "Health"])
def test_calls_without_number_wait_for_their_turn_and_others_have_theirs(
    kind: str, make_server: ServerMaker, clock: Clocks
) -> None:
    clock.stand_still()
    server = make_server("--rate", "1", module=BENT, grpc=True, **clock.environment).start()
    with Caller(server) as flooding, Caller(server) as other:
        stub = health_pb2_grpc.HealthStub(flooding.channel) if kind == "Health" else flooding.stub
        method, request = {
            "ListRooms": ("ListRooms", pb.ListRoomsRequest()),
            "ListMessages": ("ListMessages", pb.ListMessagesRequest(room="none")),
            "Send": ("Send", pb.SendRequest(user="Anna", text="")),
            "Health": ("Check", health_pb2.HealthCheckRequest()),
        }[kind]
        sent = [getattr(stub, method).future(request) for _ in range(FLOOD)]

        wait_until(lambda: any(one.done() for one in sent))
        for _ in range(5):
            assert other.rooms()
        assert not all(one.done() for one in sent)
        for one in sent:
            one.cancel()
        assert other.rooms()
    assert server.stop() == 0
    assert "Traceback" not in server.errors


@pytest.mark.parametrize("method", ["/besedka.v1.Chat/Nonsense", ROOMS], ids=["unknown", "without a key"])
def test_a_client_is_read_no_more_while_it_owes_for_calls_that_are_refused(
    method: str, make_server: ServerMaker, clock: Clocks, lines: ExitStack, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    keys.write_text("the-key-of-the-lab\n", encoding="utf-8")
    keys.chmod(0o600)
    options = ["--key-file", str(keys)] if method == ROOMS else []
    clock.stand_still()
    server = make_server("--rate", "1", *options, module=BENT, grpc=True, **clock.environment).start()
    (line,) = opened(server, lines, 1, PREFACE)
    # The one that makes a debt is read, and then nothing more.
    *read, held = (2 * number + 1 for number in range((BURST - HANDSHAKE_FRAMES) // REFUSED_FRAMES + 2))
    for number in read:
        line.send(call(method, number))
        wait_until(partial(line.has_answer, number))
    line.send(call(method, held))
    with Caller(server) as other:
        for _ in range(10):
            health_pb2_grpc.HealthStub(other.channel).Check(health_pb2.HealthCheckRequest())
    assert not line.has_answer(held)
    clock.jump(FRAMES_SECONDS)
    wait_until(lambda: line.has_answer(held))


@pytest.mark.parametrize("request_", [b"", b"\0\0\0\0\0"], ids=["without a request", "whole"])
def test_a_call_that_is_cancelled_costs_as_much_as_one_that_is_not(
    request_: bytes, make_server: ServerMaker, clock: Clocks, lines: ExitStack
) -> None:
    """When a client resets a call, gRPC may have handed it over or not: it has been charged when it began."""
    clock.stand_still()
    server = make_server("--rate", "1", module=BENT, grpc=True, **clock.environment).start()
    (line,) = opened(server, lines, 1, PREFACE)
    numbers = count(1, 2)

    def send(cancelled: int) -> int:
        """So many calls that are cancelled, and one that is not."""
        for number in islice(numbers, cancelled):
            line.send(headers(ROOMS, number) + (frame(0, 1, number, request_) if request_ else b""))
            line.send(frame(RST_STREAM, 0, number, bytes(4)))
        kept = next(numbers)
        line.send(call(ROOMS, kept))
        return kept

    # The last one of these makes a debt, and then nothing more is read.
    for cancelled in (*[9] * ((BURST - HANDSHAKE_FRAMES) // 10), 0):
        wait_until(partial(line.has_answer, send(cancelled)))
    held = send(0)
    with Caller(server) as other:
        for _ in range(10):
            assert other.rooms()
    assert not line.has_answer(held)
    clock.jump(FRAMES_SECONDS)
    wait_until(lambda: line.has_answer(held))


def test_calls_that_begin_without_number_end_their_connection_and_leave_no_debt(
    make_server: ServerMaker, clock: Clocks, lines: ExitStack
) -> None:
    """A call may be ten bytes, and thousands come in one piece: what they cost is bounded for others at the address."""
    clock.stand_still()
    server = make_server(
        "--rate", "1", module=BENT, grpc=True, OWN_ADDRESS="none", **clock.environment
    ).start()
    floods = opened(server, lines, 5, PREFACE)
    for flood in floods:
        with suppress(OSError):  # it is ended while it still sends
            flood.send(b"".join(frame(HEADERS, 5, number, b"\x82") for number in range(1, 20_000, 2)))
    wait_until(lambda: all(flood.is_closed for flood in floods))
    (line,) = opened(server, lines, 1, PREFACE)
    clock.jump(5 * CALLS_AT_ONCE / FRAMES_OF_ADDRESS_AT_LEAST + 1)
    line.send(call(ROOMS, 1))
    wait_until(partial(line.has_answer, 1))


def test_the_smallest_frames_are_charged_for_their_number(
    make_server: ServerMaker, clock: Clocks, lines: ExitStack
) -> None:
    """Of a kind that nobody knows, which are ignored: a connection is read no more while it owes for them."""
    clock.stand_still()
    server = make_server(
        "--rate", "1", module=BENT, grpc=True, OWN_ADDRESS="none", **clock.environment
    ).start()
    (line,) = opened(server, lines, 1, PREFACE)
    line.send(call(ROOMS, 1))
    wait_until(partial(line.has_answer, 1))
    # By their bytes these are three frames.
    line.send(frame(0xFA, 0, 0, b"") * (BURST * FRAME_BYTES // HTTP2_FRAME_BYTES))
    with Caller(server) as other:
        for _ in range(10):
            assert other.rooms()
        line.send(call(ROOMS, 3))
        for _ in range(10):
            assert other.rooms()
    assert not line.has_answer(3)
    clock.jump(FRAMES_SECONDS)
    wait_until(partial(line.has_answer, 3))
