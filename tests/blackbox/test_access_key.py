"""The access key, from outside: without it nothing is told at any door; with it all is as ever; withdrawn, it ends at once."""

from __future__ import annotations

import http.client
import itertools
import json
import re
import socket
import stat
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pexpect
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
from websockets.exceptions import ConnectionClosed

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.serve.own_addresses import own_addresses
from tests import prefork
from tests.calling import TIMEOUT_SECONDS, Caller, ending, refusal
from tests.clocks import BENT
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.running import ROOT, RunningServer, free_port
from tests.talking import WireClient

PHONE, LAB, LATER = "the-key-of-the-phone", "the-key-of-the-lab", "a-key-that-comes-later"
GONE_SECONDS = 1.0
"""So soon a withdrawn key ends what came by it."""

BUSY_SECONDS = 3.0
"""Extra time for a busy machine."""

DEAR = json.dumps({"besedka.serve.limits.rate_limits.SEARCH_FRAMES": 600})
"""The `CONSTANTS` of a server where a connection waits for 28 seconds for its first search, and so do its calls behind it."""


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def brought(key: str) -> Any:
    return (("authorization", f"Bearer {key}"),)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    """A file with two keys."""
    path = tmp_path / "keys"
    path.write_text(f"# who may come in\n{PHONE} the phone\n{LAB}\n", encoding="utf-8")
    path.chmod(0o600)
    return path


@pytest.fixture
def server(make_server: ServerMaker, keys: Path) -> Iterator[RunningServer]:
    """A server that asks for a key; no key is ever in its log."""
    started = make_server("--lang", "en", "--key-file", str(keys), grpc=True).start()
    yield started
    assert not re.search("the-key-of|a-key-that|wrong-key", started.errors), started.errors


@pytest.fixture
def lively(server: RunningServer) -> Iterator[RunningServer]:
    """The same, with somebody in it who has said something."""
    with WireClient(server, additional_headers=bearer(PHONE)) as anna:
        anna.join("Anna")
        anna.send_frame("chat", text="a secret of ours")
        anna.receive("chat")
        yield server


def exchange(server: RunningServer, request: bytes, host: str = "127.0.0.1") -> bytes:
    """All that comes back for some bytes."""
    with socket.create_connection((host, server.port), timeout=TIMEOUT_SECONDS) as connection:
        connection.sendall(request)
        connection.shutdown(socket.SHUT_WR)
        data = b""
        while more := connection.recv(65_536):
            data += more
        return data


def asked(server: RunningServer, method: str, path: str, *headers: str, host: str = "127.0.0.1") -> bytes:
    """The answer to a request, without its date."""
    lines = [
        f"{method} {path} HTTP/1.1",
        f"Host: localhost:{server.port}",
        "Connection: close",
        *headers,
        "",
        "",
    ]
    return re.sub(rb"(?i)date: [^\r]*\r\n", b"", exchange(server, "\r\n".join(lines).encode(), host))


def got(server: RunningServer, path: str, **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=TIMEOUT_SECONDS)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    answer = response.status, response.read()
    connection.close()
    return answer


def handshake(path: str, *headers: str) -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: localhost",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        *headers,
        "",
        "",
    ]
    return "\r\n".join(lines).encode()


def masked(text: str) -> bytes:
    data = text.encode()
    size = bytes([0x80 | len(data)]) if len(data) < 126 else b"\xfe" + len(data).to_bytes(2, "big")
    return b"\x81" + size + b"\0\0\0\0" + data


# Without a key.


def test_over_http_all_who_bring_no_key_get_the_same_bytes_whatever_they_ask(lively: RunningServer) -> None:
    answers = {
        asked(lively, method, path, *headers)
        for method in ("GET", "POST", "OPTIONS", "DELETE", "NONSENSE")
        for path in (
            "/readyz",
            "/history.txt",
            "/history.txt?room=main",
            "/history.txt?room=nowhere&since=x",
            f"/history.txt?key={PHONE}&access_token={PHONE}&token={PHONE}",
            f"/readyz?authorization=Bearer%20{PHONE}",
        )
        for headers in (
            (),
            ("Authorization: Bearer wrong-key-of-some-length",),
            (f"Authorization: Bearer {PHONE[:-1]}",),
            (f"Authorization: Basic {PHONE}",),
            (f"Authorization: Bearer {PHONE}", f"Authorization: Bearer {LAB}"),
            (f"Cookie: key={PHONE}",),
        )
        if method != "NONSENSE"
    }
    answers |= {asked(lively, "GET", "/metrics", "X-Forwarded-For: 10.0.0.1")}
    (answer,) = answers
    assert answer.startswith(b"HTTP/1.1 401 Unauthorized\r\n")
    assert b"www-authenticate: Bearer\r\n" in answer
    assert answer.endswith(
        b"\r\n\r\nAn access key is needed: open the link that the server printed at its start\n"
    )
    head = answer[: answer.index(b"\r\n\r\n") + 4]
    for path in ("/readyz", "/history.txt", "/history.txt?room=nowhere"):
        assert asked(lively, "HEAD", path) == head


def test_over_websocket_all_without_a_key_get_the_same_answer_and_nothing_they_send_counts(
    lively: RunningServer,
) -> None:
    said = masked('{"type": "join", "user": "Mallory"}') + masked(
        '{"type": "chat", "user": "Mallory", "text": "let me in"}'
    )
    tries = [
        (),
        ("Authorization: Bearer wrong-key-of-some-length",),
        (f"Authorization: Bearer {PHONE}", f"Authorization: Bearer {LAB}"),
        (f"Cookie: key={PHONE}",),
    ]
    answers = {
        re.sub(rb"Date: [^\r]*\r\n", b"", exchange(lively, handshake(path, *headers) + behind))
        for path in ("/", "/ws", f"/ws?key={PHONE}")
        for headers in tries
        for behind in (b"", said, said[:20])
    }
    (answer,) = answers
    head, _, rest = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 101 ")
    assert rest == b"\x88" + bytes([2 + 23]) + b"\x0f\xa3an access key is needed"
    # A page is answered the subprotocol without which a browser would not even see the close.
    for offered in (
        "besedka",
        "besedka, besedka.key.wrong-key-of-some-length",
        f"besedka.key.{PHONE[1:]}, besedka",
    ):
        head, _, paged = exchange(lively, handshake("/ws", f"Sec-WebSocket-Protocol: {offered}")).partition(
            b"\r\n\r\n"
        )
        assert b"Sec-WebSocket-Protocol: besedka\r\n" in head + b"\r\n"
        assert paged == rest
    with WireClient(lively, additional_headers=bearer(LAB)) as boris:
        boris.send_frame("join", user="Boris", room="main")
        assert [boris.receive("welcome")["users"]] == [["Anna", "Boris"]]
    assert len(lively.lines) == 1


def test_what_was_said_after_the_close_is_not_heard_either(server: RunningServer) -> None:
    with WireClient(server) as mallory:
        with suppress(ConnectionClosed):
            for _ in range(1_000):
                mallory.send_frame("chat", user="Mallory", text="let me in")
        assert mallory.ending() == (4003, "an access key is needed")
    assert server.lines == []


def test_over_grpc_all_who_bring_no_key_get_the_same_status_whatever_they_call(lively: RunningServer) -> None:
    requests: dict[str, list[Any]] = {
        "/besedka.v1.Chat/Send": [pb.SendRequest(user="Mallory", text="x")],
        "/besedka.v1.Chat/ListMessages": [pb.ListMessagesRequest(), pb.ListMessagesRequest(room="nowhere")],
        "/besedka.v1.Chat/ListRooms": [pb.ListRoomsRequest()],
        "/besedka.v1.Chat/Search": [pb.SearchRequest(text="secret")],
        "/besedka.v1.Chat/Follow": [pb.FollowRequest(), pb.FollowRequest(room="nowhere")],
        "/besedka.v1.Chat/Import": [pb.ImportRequest(speaker=pb.Speaker(user="Mallory"))],
        "/besedka.v1.Chat/Converse": [pb.ConverseRequest(join=pb.Join(user="Mallory"))],
        "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo": [
            reflection_pb2.ServerReflectionRequest(list_services="")
        ],
        "/besedka.v1.Chat/Nothing": [pb.SendRequest()],
        "/nothing.v1.Nothing/Nothing": [pb.SendRequest(text="x" * 2_000_000)],
        "/grpc.health.v1.Healthy/Check": [health_pb2.HealthCheckRequest()],
    }
    assert {
        f"/besedka.v1.Chat/{method.name}" for method in pb.DESCRIPTOR.services_by_name["Chat"].methods
    } <= {*requests}
    metadata: list[Any] = [
        (),
        brought("wrong-key-of-some-length"),
        (*brought(PHONE), *brought(LAB)),
        (("key", PHONE), ("authorization", PHONE)),
    ]
    with Caller(lively) as caller:
        statuses = set()
        for method, given in itertools.product(requests, metadata):
            for request in requests[method]:
                # Whatever kind of call it is, a unary one is answered with a status.
                call = caller.channel.unary_unary(method, type(request).SerializeToString, None)
                ended = refusal(partial(call, request, metadata=given, timeout=TIMEOUT_SECONDS))
                statuses.add((ended.code, ended.sentence, ended.status.SerializeToString()))
                assert ended.reason == "no_access"
        stream: Any = caller.channel.stream_stream(
            "/besedka.v1.Chat/Converse", pb.ConverseRequest.SerializeToString, None
        )
        ended = ending(stream(iter(requests["/besedka.v1.Chat/Converse"]), timeout=TIMEOUT_SECONDS))
        statuses.add((ended.code, ended.sentence, ended.status.SerializeToString()))
        ((code, sentence, _),) = statuses
        assert code is grpc.StatusCode.UNAUTHENTICATED
        assert sentence == "An access key is needed: open the link that the server printed at its start"
        health = health_pb2_grpc.HealthStub(caller.channel)
        assert health.Check(health_pb2.HealthCheckRequest()).status == health_pb2.HealthCheckResponse.SERVING
    assert len(lively.lines) == 1


def test_the_page_and_healthz_are_for_everybody(server: RunningServer) -> None:
    assert got(server, "/healthz") == (200, b"alive\n")
    assert b"<script" in got(server, "/")[1]
    assert got(server, "/chat.js")[0] == 200


# With a key.


def test_with_a_key_all_is_as_ever(lively: RunningServer) -> None:
    assert got(lively, "/readyz", **bearer(LAB)) == (200, b"ready\n")
    status, text = got(lively, "/history.txt", **bearer(LAB))
    assert (status, text) == (200, lively.history.read_bytes())
    assert got(lively, "/history.txt?room=nowhere", **bearer(LAB))[0] == 404
    assert asked(lively, "POST", "/readyz", f"Authorization: Bearer {LAB}").startswith(b"HTTP/1.1 405 ")
    with WireClient(lively, subprotocols=["besedka", f"besedka.key.{LAB}"]) as boris:
        assert boris.join("Boris")["users"] == ["Anna", "Boris"]
    with WireClient(lively, "/", additional_headers=bearer(LAB)) as seed:
        assert seed.receive()["type"] == "history"
    with Caller(lively) as caller:
        page = caller.stub.ListMessages(pb.ListMessagesRequest(), metadata=brought(LAB))
        assert [message.text for message in page.messages] == ["a secret of ours"]
        ended = refusal(lambda: caller.channel.unary_unary("/x/Send", None, None)(b"", metadata=brought(LAB)))
        assert ended.code is grpc.StatusCode.UNIMPLEMENTED
        ended = ending(caller.stub.Follow(pb.FollowRequest(room="nowhere"), metadata=brought(LAB)))
        assert (ended.code, ended.reason) == (grpc.StatusCode.NOT_FOUND, "no_such_room")
        ended = ending(
            caller.stub.Converse(iter([pb.ConverseRequest(say=pb.Say(text="x"))]), metadata=brought(LAB))
        )
        assert (ended.code, ended.reason) == (grpc.StatusCode.INVALID_ARGUMENT, "bad_frame")


def test_the_unix_socket_needs_none(make_server: ServerMaker, keys: Path, tmp_path: Path) -> None:
    options = ("--lang", "en", "--key-file", str(keys), "--grpc-unix", str(tmp_path / "s"))
    server = make_server(*options, grpc=True).start()
    with Caller(server, f"unix:{tmp_path / 's'}") as anna, Caller(server) as mallory:
        assert anna.send("Anna", "hello").id == 1
        assert refusal(lambda: mallory.send("Mallory", "hello")).code is grpc.StatusCode.UNAUTHENTICATED
        assert anna.rooms() == {"main": 0}


def test_without_a_key_to_ask_for_one_that_is_brought_does_no_harm(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en", grpc=True).start()
    with WireClient(server, additional_headers=bearer(PHONE), subprotocols=["besedka"]) as anna:
        anna.join("Anna")
    with WireClient(server, subprotocols=["other"]) as boris:
        boris.join("Boris")
    with Caller(server) as caller:
        assert caller.stub.ListRooms(pb.ListRoomsRequest(), metadata=brought(PHONE)).rooms
    assert got(server, "/readyz", **bearer(PHONE))[0] == 200
    assert not (server.directory / "access_key.txt").exists()


# Figures.


def test_figures_are_for_this_machine_unless_they_are_open(
    make_server: ServerMaker, keys: Path, tmp_path: Path
) -> None:
    shut = make_server("--lang", "en", "--lan", "--open").start()
    (tmp_path / "open").mkdir()
    with_key = make_server(
        "--lang", "en", "--lan", "--key-file", str(keys), "--metrics-open", directory=tmp_path / "open"
    ).start()
    key = f"Authorization: Bearer {PHONE}"
    for server in (shut, with_key):
        assert asked(server, "GET", "/metrics").startswith(b"HTTP/1.1 200 ")
    for header in (
        "X-Forwarded-For: 10.0.0.1",
        "Forwarded: for=10.0.0.1",
        "X-Real-IP: 10.0.0.1",
        "Via: 1.1 proxy",
        "x-forwarded-host: x",
    ):
        assert asked(shut, "GET", "/metrics", header).startswith(b"HTTP/1.1 403 ")
        assert asked(with_key, "GET", "/metrics", header).startswith(b"HTTP/1.1 401 ")
        assert asked(with_key, "GET", "/metrics", header, key).startswith(b"HTTP/1.1 200 ")
    # Each of our own addresses is one that others use.
    for host in own_addresses():
        assert asked(shut, "GET", "/metrics", host=host).startswith(b"HTTP/1.1 403 ")
        assert asked(with_key, "GET", "/metrics", host=host).startswith(b"HTTP/1.1 401 ")
        assert asked(with_key, "GET", "/metrics", key, host=host).startswith(b"HTTP/1.1 200 ")


# Withdrawn.


def test_a_withdrawn_key_ends_what_came_by_it_within_a_second_and_nothing_else(
    server: RunningServer, keys: Path
) -> None:
    server.stop()
    with server.history.open("ab") as history:
        for number in range(4_000):
            history.write(f"[2025-11-19 10:00:00] Anna: {number} {'x' * 4_000}\n".encode())
    server.start()
    over = threading.Event()
    with (
        WireClient(server, additional_headers=bearer(PHONE)) as phone,
        WireClient(server, "/", additional_headers=bearer(PHONE)) as seed,
        WireClient(server, additional_headers=bearer(LAB)) as lab,
        Caller(server) as caller,
        socket.create_connection(("127.0.0.1", server.port), timeout=TIMEOUT_SECONDS) as download,
        ExitStack() as ends,
    ):
        phone.join("Phone")
        seed.receive("history")
        lab.join("Lab")
        calls = {
            "follow": caller.stub.Follow(pb.FollowRequest(since=4_000), metadata=brought(PHONE)),
            "converse": caller.stub.Converse(
                _one(pb.ConverseRequest(join=pb.Join(user="Call")), over), metadata=brought(PHONE)
            ),
            "import": caller.stub.Import.future(
                _one(pb.ImportRequest(speaker=pb.Speaker(user="Import")), over), metadata=brought(PHONE)
            ),
            "reflection": reflection_pb2_grpc.ServerReflectionStub(caller.channel).ServerReflectionInfo(
                _one(reflection_pb2.ServerReflectionRequest(list_services=""), over), metadata=brought(PHONE)
            ),
        }
        staying = caller.stub.Follow(pb.FollowRequest(since=4_000), metadata=brought(LAB))
        ends.callback(over.set)
        for name in ("follow", "converse", "reflection"):
            next(calls[name])
        next(staying)
        download.sendall(
            f"GET /history.txt HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {PHONE}\r\n\r\n".encode()
        )
        assert download.recv(16).startswith(b"HTTP/1.1 200")

        keys.write_text(f"{LAB}\n{LATER} for later\n", encoding="utf-8")
        withdrawn = time.monotonic()
        assert phone.ending() == (4003, "an access key is needed")
        assert seed.ending() == (4003, "an access key is needed")
        for name, call in calls.items():
            ended = refusal(call.result) if name == "import" else ending(call)
            assert (ended.code, ended.reason) == (grpc.StatusCode.UNAUTHENTICATED, "no_access")
        assert time.monotonic() - withdrawn < GONE_SECONDS + BUSY_SECONDS
        # Nobody has read it, and yet it ended: what comes is what was on its way.
        assert _rest(download) < server.history.stat().st_size / 2

        lab.send_frame("chat", text="who is still here?")
        assert lab.receive("chat")["text"] == "who is still here?"
        received = [next(staying)]
        while not received[-1].messages.messages:
            received.append(next(staying))
        assert received[-1].messages.messages[-1].text == "who is still here?"
        with WireClient(server, additional_headers=bearer(PHONE)) as again:
            assert again.ending()[0] == 4003
        with WireClient(server, additional_headers=bearer(LATER)) as fresh:
            fresh.join("Fresh")
    assert "'the phone' was withdrawn; connections, calls and downloads ended: 7" in server.errors


def test_a_call_that_waits_for_its_turn_when_its_key_is_withdrawn_neither_writes_nor_reads(
    make_server: ServerMaker, keys: Path
) -> None:
    server = make_server(
        *("--rate", "1", "--lang", "en", "--key-file", str(keys)), module=BENT, grpc=True, CONSTANTS=DEAR
    ).start()
    with Caller(server) as caller:
        # A call for somebody else is charged when its handler begins, and so after the search that came before it.
        metadata = (*brought(PHONE), ("x-forwarded-for", "192.0.2.1"))
        of_phone: Any = {"timeout": TIMEOUT_SECONDS, "metadata": metadata}
        caller.stub.ListRooms(pb.ListRoomsRequest(), **of_phone)
        search = caller.stub.Search.future(pb.SearchRequest(text="nothing"), **of_phone)
        send = caller.stub.Send.future(pb.SendRequest(user="Anna", text="too late"), **of_phone)
        keys.write_text(f"{LAB}\n")
        assert refusal(send.result).reason == "no_access"
        assert refusal(search.result).reason == "no_access"
    assert server.stop() == 0
    assert b"too late" not in server.history.read_bytes()


def _one(request: Any, over: threading.Event) -> Iterator[Any]:
    """One request, and then nothing until all is over."""
    yield request
    over.wait(TIMEOUT_SECONDS)


def _rest(connection: socket.socket) -> int:
    size = 0
    try:
        while more := connection.recv(1 << 20):
            size += len(more)
    except ConnectionResetError:
        return size
    return size


def test_a_file_that_is_gone_or_broken_leaves_the_keys_as_they_were(
    server: RunningServer, keys: Path
) -> None:
    with WireClient(server, additional_headers=bearer(PHONE)) as anna:
        anna.join("Anna")
        keys.unlink()
        wait_until(lambda: "cannot be read" in server.errors)
        keys.write_text("too-short\n")
        wait_until(lambda: "it has 9 characters" in server.errors)
        with WireClient(server, additional_headers=bearer(LAB)) as boris:
            boris.join("Boris")
        anna.send_frame("chat", text="still here")
        anna.receive("chat")
        keys.write_text(f"{LAB}\n")
        assert anna.ending()[0] == 4003
    assert server.errors.count("cannot be read") == 2


def test_the_last_key_can_be_withdrawn_too(server: RunningServer, keys: Path) -> None:
    with WireClient(server, additional_headers=bearer(PHONE)) as anna:
        anna.join("Anna")
        keys.write_text("# nobody\n")
        assert anna.ending()[0] == 4003
    with WireClient(server, additional_headers=bearer(PHONE)) as anna:
        assert anna.ending()[0] == 4003


# At the start.


def test_lan_listens_everywhere_and_shows_no_key_where_nobody_looks(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en", "--lan", grpc=True).start()
    path = server.directory / "access_key.txt"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    (key,) = [line for line in path.read_text().splitlines() if not line.startswith("#")]
    assert server.link == f"http://localhost:{server.port}/#;key={key}"
    assert f"open      http://localhost:{server.port}" in server.greeting
    assert "links     besedka admin link shows one with the key" in server.greeting
    hosts = [f"[{host}]" if ":" in host else host for host in own_addresses()]
    links = [line.split()[1] for line in server.greeting if line.startswith("lan  ")]
    assert links == [f"http://{host}:{server.port}" for host in hosts] or (
        not hosts and "no network" in "".join(server.greeting)
    )
    assert f"keys      {path}" in server.greeting
    assert not any("█" in line for line in server.greeting), "no QR code where nobody looks"
    assert server.greeting[-1] == "stop      Ctrl-C"
    for host in ("127.0.0.1", *own_addresses(), *(["::1"] if socket.has_dualstack_ipv6() else [])):
        assert exchange(server, b"GET /healthz HTTP/1.0\r\n\r\n", host).endswith(b"alive\n")
        target = f"[{host}]:{server.grpc_port}" if ":" in host else f"{host}:{server.grpc_port}"
        with Caller(server, target) as caller:
            rooms = caller.stub.ListRooms(
                pb.ListRoomsRequest(), metadata=brought(key), timeout=TIMEOUT_SECONDS
            )
            assert [room.name for room in rooms.rooms] == ["main"]
    server.stop()
    server.start()
    assert server.link.endswith(key), "it is the same one after a restart"
    assert key not in "".join(server.greeting), "whoever keeps what is printed keeps no key"
    assert key not in server.errors


def test_a_terminal_shows_the_links_with_the_key_and_a_code_of_the_first_one(tmp_path: Path) -> None:
    port = free_port()
    with pexpect.spawn(
        sys.executable,
        ["-m", "besedka", "serve", "--host", "0.0.0.0", "--port", str(port), "--grpc-port", "0"],  # noqa: S104 - meant
        cwd=str(tmp_path),
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8", "TERM": "xterm-256color"},
        dimensions=(60, 100),
        timeout=TIMEOUT_SECONDS,
        encoding="utf-8",
    ) as serving:
        serving.expect("stop      Ctrl-C")
        shown = serving.before or ""
        serving.sendintr()
        serving.expect(pexpect.EOF)
    (key,) = [
        line for line in (tmp_path / "access_key.txt").read_text().splitlines() if not line.startswith("#")
    ]
    assert f"open      http://localhost:{port}/#;key={key}\r\n" in shown
    assert "besedka admin link" not in shown
    # It is wherever there is a network to be reached by.
    assert ("\x1b[38;5;16;48;5;231m" in shown) == bool([host for host in own_addresses() if "." in host])


def start_badly(directory: Path, *options: str) -> tuple[int, str]:
    done = prefork.run_as_text(
        ["serve", "--port", "0", "--grpc-port", "0", *options],
        cwd=directory,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT), "LANG": "C.UTF-8"},
    )
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.returncode, done.stderr


def test_contradictions_are_used_wrongly(tmp_path: Path) -> None:
    for options, said in (
        (("--open", "--key-file", "keys"), "--open asks for no key"),
        (("--lan", "--host", "127.0.0.1"), "--lan listens on all addresses"),
    ):
        status, stderr = start_badly(tmp_path, *options)
        assert status == 2
        assert said in stderr
    assert [*tmp_path.iterdir()] == []


def test_a_file_without_keys_is_reported_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("this-key-has-an-ümlaut-in-it\n", encoding="utf-8")
    status, stderr = start_badly(tmp_path, "--key-file", "keys")
    assert status == 1
    assert "cannot use the access keys in keys: the key in line 1 cannot be used: it is not ASCII" in stderr
    assert "mlaut" not in stderr


def test_a_file_that_others_can_read_is_warned_of(make_server: ServerMaker, keys: Path) -> None:
    keys.chmod(0o644)
    server = make_server("--key-file", str(keys)).start()
    assert "other users of this machine can read" in server.errors
