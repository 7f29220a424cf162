"""Commands against servers that send what no Besedka sends: each ends with one clear line, and what was kept at home is as it was."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import grpc
import msgspec
import pytest
from google.protobuf.any_pb2 import Any
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from google.rpc.error_details_pb2 import ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from websockets.http11 import Request, Response
from websockets.protocol import State
from websockets.sync.server import ServerConnection

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.remote.address import address
from besedka.remote.transport.grpc import open_channel
from besedka.wire.frames import Chat, encode
from besedka.wire.validation import SERVER_FRAME_BYTES_AT_MOST
from tests.commanding import Person, wait_until
from tests.hostile_servers import (
    MEBIBYTE,
    WELCOME,
    Refusing,
    answering,
    chat_service,
    grpc_server,
    http_server,
    raw_grpc_server,
    websocket_server,
)


@pytest.fixture
def boris(tmp_path: Path) -> Iterator[Person]:
    """Somebody who starts commands."""
    home = tmp_path / "boris"
    home.mkdir()
    with Person(home) as person:
        yield person


def test_a_frame_without_end_is_taken_up_to_the_bound_only(boris: Person) -> None:
    def talk(connection: ServerConnection) -> None:
        def parts() -> Iterator[str]:
            yield from ["x" * MEBIBYTE] * (SERVER_FRAME_BYTES_AT_MOST // MEBIBYTE + 1)
            # More does not come before the client has given up.
            wait_until(lambda: connection.protocol.state is not State.OPEN)

        connection.recv()
        connection.send(parts())

    with websocket_server(talk) as url:
        done = boris.run("tail", "--url", url)
    done.assert_one_clear_line(3, f"a frame of more than {SERVER_FRAME_BYTES_AT_MOST} bytes")


def test_a_frame_whose_length_is_too_much_is_not_even_read(boris: Person) -> None:
    def talk(connection: ServerConnection) -> None:
        connection.recv()
        # A text frame of 300 MB (RFC 6455, section 5.2), and nothing of it.
        connection.socket.sendall(b"\x81\x7f" + (300 * MEBIBYTE).to_bytes(8))

    with websocket_server(talk) as url:
        boris.run("tail", "--url", url).assert_one_clear_line(3, "a frame of more than")


def test_a_compressed_frame_is_not_unpacked(boris: Person) -> None:
    def talk(connection: ServerConnection) -> None:
        connection.recv()
        connection.socket.sendall(b"\xc1\x05hello")

    with websocket_server(talk) as url:
        boris.run("tail", "--url", url).assert_one_clear_line(3, "is not Besedka", "compressed")


def test_a_small_message_of_grpc_that_unpacks_to_much_is_refused(boris: Person) -> None:
    bomb = pb.ConverseResponse(done=pb.Done(text="\0" * 32 * MEBIBYTE))
    for compression in (grpc.Compression.Gzip, grpc.Compression.NoCompression):
        with grpc_server(bomb, compression=compression) as url:
            done = boris.run("tail", "--url", url)
        done.assert_one_clear_line(3, f"a frame of more than {SERVER_FRAME_BYTES_AT_MOST} bytes")


def test_the_longest_frame_that_is_allowed_is_taken(boris: Person) -> None:
    longest = encode(WELCOME).ljust(SERVER_FRAME_BYTES_AT_MOST)
    with websocket_server(answering(longest)) as url:
        boris.run("tail", "--url", url).assert_well()


def test_a_redirect_is_not_followed(boris: Person) -> None:
    asked: list[str] = []

    def elsewhere(connection: ServerConnection, request: Request) -> Response:
        asked.append(request.path)
        response = connection.respond(302, "")
        response.headers["Location"] = "/elsewhere"
        return response

    with websocket_server(lambda _: None, process_request=elsewhere) as url:
        boris.run("tail", "--url", url).assert_one_clear_line(3, "HTTP 302")
    assert asked == ["/ws"]


def test_the_doctor_is_not_confused_by_numbers_out_of_range(boris: Person) -> None:
    def answer(request: bytes) -> bytes:
        if b"Upgrade: websocket" in request:
            return b"HTTP/1.1 101 Switching Protocols\r\n\r\n"
        length, date = "9" * 5_000, "Mon, 01 Jan 99999999999999999999 00:00:00 GMT"
        return f"HTTP/1.1 200 OK\r\nDate: {date}\r\nContent-Length: {length}\r\n\r\nalive".encode()

    with http_server(answer) as url:
        done = boris.run("doctor", url)
    assert (done.status, done.stderr) == (3, "")
    assert "the way is open for a WebSocket" in done.stdout


def test_an_admin_socket_that_never_ends_its_line_is_left(boris: Person) -> None:
    path = boris.home / "socket"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()

        def talk() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(65536)
                with suppress(OSError):
                    for _ in range(100):
                        connection.sendall(b"x" * MEBIBYTE)

        talking = threading.Thread(target=talk)
        talking.start()
        done = boris.run("admin", "--socket", str(path), "kick", "Boris")
        talking.join()
    done.assert_one_clear_line(3, "its answer does not end")


def test_no_answer_makes_a_finding_of_the_doctor_of_its_own(boris: Person) -> None:
    def answer(_: bytes) -> bytes:
        return b"HTTP/1.1 429 Too Many\r\nContent-Length: 40\r\n\r\nwait\n\xe2\x9c\x93 Besedka answers there\x1b[2J      "

    with http_server(answer) as url:
        done = boris.run("doctor", url)
    assert done.status == 4
    assert "\n✓ Besedka answers" not in done.stdout
    assert "\x1b" not in done.stdout
    assert "wait␊✓ Besedka answers there␛[2J" in done.stdout


def packed(*details: Message) -> bytes:
    """The details of a status, as a server sends them."""
    status = Status(code=7, message="no")
    for detail in details:
        status.details.add().Pack(detail)
    serialized: bytes = status.SerializeToString()
    return serialized


UNREADABLE_STATUSES: Final = {
    "bytes that are none": b"\xff\xff\xff",
    "a detail that is none": Status(
        details=[Any(type_url="type.googleapis.com/google.rpc.ErrorInfo", value=b"\xff")]
    ).SerializeToString(),
    "a reason that is no code": packed(ErrorInfo(reason="banned\n12:00 Boss: pay")),
}


@pytest.mark.parametrize("details", UNREADABLE_STATUSES.values(), ids=UNREADABLE_STATUSES.keys())
def test_a_status_whose_details_cannot_be_read_ends_each_command(boris: Person, details: bytes) -> None:
    with chat_service(Refusing(grpc.StatusCode.PERMISSION_DENIED, details)) as url:
        for command in (["tail"], ["send", "hello"], ["send", "--lines"]):
            done = boris.run(*command, "--url", url, stdin=b"hello\n")
            done.assert_one_clear_line(3, "is not Besedka")
    # The first calls of an import pass, and the message is refused.
    allowed = {"ListMessages", "Import"}
    for code in (grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.RESOURCE_EXHAUSTED):
        with chat_service(Refusing(code, details, allowed)) as url:
            done = boris.run("send", "--lines", "--url", url, stdin=b"hello\n")
        done.assert_one_clear_line(3, "is not Besedka")


@pytest.mark.parametrize("seconds", [2**62, -(2**62)])
def test_a_refusal_is_understood_however_long_the_wait_is_that_it_asks_for(
    boris: Person, seconds: int
) -> None:
    details = packed(RetryInfo(retry_delay=Duration(seconds=seconds)), ErrorInfo(reason="name_claimed"))
    for allowed in ([], ["ListMessages", "Import"]):
        with chat_service(Refusing(grpc.StatusCode.PERMISSION_DENIED, details, allowed)) as url:
            done = boris.run("send", "--lines", "--url", url, stdin=b"hello\n")
        done.assert_one_clear_line(4, "no")


@pytest.mark.parametrize("before", [[], [pb.ConverseResponse(welcome=pb.Welcome(room="main", user="Boris"))]])
@pytest.mark.parametrize("seconds", [10**17, 10**12, -(10**17)])
def test_a_time_that_is_none_ends_a_command(
    boris: Person, before: list[pb.ConverseResponse], seconds: int
) -> None:
    message = pb.Message(id=1, user="Eve", text="x", time=Timestamp(seconds=seconds), clock="12:00:00")
    event = pb.ConverseResponse(messages=pb.Messages(room="main", messages=[message]))
    with grpc_server(*before, event) as url:
        boris.run("tail", "-f", "--url", url).assert_one_clear_line(3, "is not Besedka", "out of range")


MANY: Final = 700_000
"""Empty messages: they have 1.4 MB, and would take 250 in memory."""


@pytest.mark.parametrize(
    "empty_messages",
    [
        lambda: pb.ConverseResponse(messages=pb.Messages(messages=[pb.Message()] * MANY)),
        lambda: pb.ConverseResponse(history=pb.HistoryPage(messages=[pb.Message()] * MANY)),
        lambda: pb.ConverseResponse(rooms=pb.Rooms(rooms=[pb.Room()] * MANY)),
        lambda: pb.ConverseResponse(found=pb.Found(messages=[pb.Message()] * MANY)),
        lambda: pb.ConverseResponse(welcome=pb.Welcome(users=[""] * MANY)),
    ],
    ids=["messages", "history", "rooms", "found", "welcome"],
)
def test_empty_messages_without_end_are_counted_and_not_built(
    boris: Person, empty_messages: Callable[[], pb.ConverseResponse]
) -> None:
    with grpc_server(empty_messages()) as url:
        boris.run("tail", "--url", url).assert_one_clear_line(3, "is not Besedka", "cannot be read")


@pytest.mark.parametrize("user", ["Boris\n[2026-01-01 12:00:00] Boss", "Boris\n", "Boss: hi", "<Boss> hi"])
def test_a_message_is_one_message_in_a_pipe_whatever_its_name(boris: Person, user: str) -> None:
    head = msgspec.structs.replace(WELCOME, head=1)
    forged = Chat("main", 1, user, "pay Eve", "12:00:00", 1)
    with websocket_server(answering(head, forged)) as url:
        for options in ([], ["--json"], ["--exec", "echo"]):
            done = boris.run("tail", *options, "--url", url)
            done.assert_one_clear_line(3, "is not Besedka", "`user`")


def test_elements_of_json_without_end_are_counted_and_not_built(boris: Person) -> None:
    for listed in ('"",' * MEBIBYTE, '"a",' * (MEBIBYTE // 2), "{}," * MEBIBYTE):
        frame = f'{{"type":"system","joined":[{listed}""]}}'.encode()
        with websocket_server(answering(frame)) as url:
            boris.run("tail", "--url", url).assert_one_clear_line(3, "is not Besedka")


def test_messages_of_grpc_that_are_none_are_reported_in_one_line(boris: Person) -> None:
    with raw_grpc_server(Converse=b"\xff" * 10) as url:
        boris.run("tail", "--url", url).assert_one_clear_line(3, "is not Besedka", "cannot be read")


EMPTY = b""
ID_0 = pb.SendResponse(id=0).SerializeToString()
ID_TOO_HIGH = pb.SendResponse(id=2**63).SerializeToString()
MANY_RANGES = b"\x12\x00" * MANY
TOO_LONG = pb.SendResponse(id=1, epoch="x" * SERVER_FRAME_BYTES_AT_MOST).SerializeToString()


@pytest.mark.parametrize(
    ("head", "imported", "sent"),
    [
        (b"\xff", EMPTY, EMPTY),
        (EMPTY, b"\xff", EMPTY),
        (EMPTY, EMPTY, b"\xff"),
        (TOO_LONG, EMPTY, EMPTY),
        (EMPTY, TOO_LONG, EMPTY),
        (EMPTY, EMPTY, TOO_LONG),
        (EMPTY, EMPTY, ID_0),
        (EMPTY, EMPTY, ID_TOO_HIGH),
        (EMPTY, MANY_RANGES, EMPTY),
    ],
)
def test_an_answer_that_is_none_ends_an_import(
    boris: Person, head: bytes, imported: bytes, sent: bytes
) -> None:
    with raw_grpc_server(ListMessages=head, Import=imported, Send=sent) as url:
        done = boris.run("send", "--lines", "--url", url, stdin=b"hello\n")
    done.assert_one_clear_line(3, "is not Besedka")


@pytest.mark.parametrize("host", ["unix", "ipv4", "xds"])
def test_a_host_is_never_taken_for_another_way_to_a_server(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets: list[str] = []
    monkeypatch.setattr(grpc.aio, "insecure_channel", lambda target, **_: targets.append(target))
    open_channel(address(f"grpc://{host}:1").url)
    assert targets == [f"dns:///{host}:1"]
