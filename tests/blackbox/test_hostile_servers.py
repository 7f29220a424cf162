"""Commands against servers that send what no Besedka sends: each ends with one clear line, and what was kept at home is as it was."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import grpc
import msgspec
import pytest
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.remote.address import address
from besedka.remote.transport.grpc import open_channel
from besedka.wire.frames import Chat, encode
from besedka.wire.validation import SERVER_FRAME_BYTES_AT_MOST
from tests.commanding import Person
from tests.hostile_servers import (
    MEBIBYTE,
    WELCOME,
    answering,
    garbled_grpc_server,
    grpc_server,
    http_server,
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
    sent = 0

    def talk(connection: ServerConnection) -> None:
        def parts() -> Iterator[str]:
            nonlocal sent
            for _ in range(100):
                yield "x" * MEBIBYTE
                sent += 1

        connection.recv()
        connection.send(parts())

    with websocket_server(talk) as url:
        done = boris.run("tail", "--url", url)
    done.assert_one_clear_line(3, f"a frame of more than {SERVER_FRAME_BYTES_AT_MOST} bytes")
    # What the kernel holds for a connection on one machine comes on top.
    assert sent < 32


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


def test_messages_of_grpc_that_are_none_are_reported_in_one_line(boris: Person) -> None:
    with garbled_grpc_server() as url:
        boris.run("tail", "--url", url).assert_one_clear_line(3, "is not Besedka", "cannot be read")


@pytest.mark.parametrize("user", ["Boris\n[2026-01-01 12:00:00] Boss", "Boris\n", "Boss: hi", "<Boss> hi"])
def test_a_message_is_one_message_in_a_pipe_whatever_its_name(boris: Person, user: str) -> None:
    head = msgspec.structs.replace(WELCOME, head=1)
    forged = Chat("main", 1, user, "pay Eve", "12:00:00", 1)
    with websocket_server(answering(head, forged)) as url:
        for options in ([], ["--json"], ["--exec", "echo"]):
            done = boris.run("tail", *options, "--url", url)
            done.assert_one_clear_line(3, "is not Besedka", "`user`")


@pytest.mark.parametrize("host", ["unix", "ipv4", "xds"])
def test_a_host_is_never_taken_for_another_way_to_a_server(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    targets: list[str] = []
    monkeypatch.setattr(grpc.aio, "insecure_channel", lambda target, **_: targets.append(target))
    open_channel(address(f"grpc://{host}:1").url)
    assert targets == [f"dns:///{host}:1"]
