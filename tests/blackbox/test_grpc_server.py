"""The gRPC server as who runs it sees it: health, reflection, TLS, addresses, and its end."""

from __future__ import annotations

import json
import socket
import ssl
import stat
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

from besedka.proto.besedka.v1 import chat_pb2 as pb
from besedka.remote.transport import grpc as client_grpc
from besedka.serve.doors.grpc import door
from besedka.serve.doors.grpc.requests import REQUEST_BYTES
from besedka.wire.log_line import read_line
from tests import prefork
from tests.calling import Caller, many, refusal, speaker
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient
from tests.torture.holding import FAULTY, Hold, until_it_waits

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE = "besedka.v1.Chat"


@pytest.fixture
def server(make_server: ServerMaker) -> RunningServer:
    """A server that also speaks gRPC, with English sentences and an empty history, started."""
    return make_server("--lang", "en", grpc=True).start()


def health(caller: Caller) -> Any:
    return health_pb2_grpc.HealthStub(caller.channel)


def failing_start(directory: Path, *options: str) -> str:
    """The one line that a server prints if it cannot start."""
    done = prefork.run_as_text(["serve", "--port", "0", *options], cwd=directory)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done.stderr


# Health and reflection.


def test_health_is_reported_for_the_server_and_its_service(caller: Caller) -> None:
    for name in ("", SERVICE):
        request = health_pb2.HealthCheckRequest(service=name)
        assert health(caller).Check(request, timeout=60).status == SERVING
        assert next(health(caller).Watch(request, timeout=60)).status == SERVING
    unknown = health_pb2.HealthCheckRequest(service="no.such.Service")
    assert refusal(lambda: health(caller).Check(unknown, timeout=60)).code is grpc.StatusCode.NOT_FOUND


def test_a_client_without_our_proto_finds_the_service_by_reflection(caller: Caller) -> None:
    database = ProtoReflectionDescriptorDatabase(caller.channel)
    assert set(database.get_services()) == {
        SERVICE,
        "grpc.health.v1.Health",
        "grpc.reflection.v1alpha.ServerReflection",
    }
    service = DescriptorPool(database).FindServiceByName(SERVICE)
    assert [method.name for method in service.methods] == [
        method.name for method in pb.DESCRIPTOR.services_by_name["Chat"].methods
    ]


# Addresses.


def test_the_greeting_tells_where_grpc_is(server: RunningServer) -> None:
    assert f"grpc      localhost:{server.grpc_port}" in server.greeting


def test_without_a_port_there_is_no_grpc(make_server: ServerMaker) -> None:
    server = make_server().start()
    assert not any(line.startswith("grpc") for line in server.greeting)


def test_a_port_in_use_is_one_line_and_a_status(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = failing_start(tmp_path, "--grpc-port", str(port))
    assert f"port {port}" in said
    assert "in use" in said


def test_a_unix_socket_is_for_its_user_only_and_serves(make_server: ServerMaker) -> None:
    server = make_server("--grpc-unix", "chat.sock").start()
    path = server.directory / "chat.sock"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_ISSOCK(path.stat().st_mode)
    assert f"grpc      unix:{path}" in server.greeting
    with Caller(server, f"unix:{path}") as caller, caller.follow(since=0) as reader:
        reader.started()
        assert caller.send("Anna", "by a file").id == 1
        assert reader.receive_to(1)[0].text == "by a file"
    (server.directory / "others").mkdir()
    assert "another server" in failing_start(
        server.directory, "--history", "others/history.txt", "--grpc-port", "0", "--grpc-unix", "chat.sock"
    )
    server.kill()
    assert path.exists()
    server.start()
    with Caller(server, f"unix:{path}") as caller:
        assert caller.messages().head == 1


def test_a_unix_socket_and_a_port_serve_the_same_chat(make_server: ServerMaker) -> None:
    server = make_server("--grpc-unix", "chat.sock", grpc=True).start()
    with Caller(server) as one, Caller(server, f"unix:{server.directory / 'chat.sock'}") as other:
        one.send("Anna", "here")
        assert other.messages().messages[0].text == "here"


def test_a_file_in_the_place_of_the_socket_is_let_be(tmp_path: Path) -> None:
    (tmp_path / "chat.sock").write_text("precious")
    said = failing_start(tmp_path, "--grpc-port", "0", "--grpc-unix", "chat.sock")
    assert "chat.sock" in said
    assert (tmp_path / "chat.sock").read_text() == "precious"


# TLS.


def test_tls_is_spoken_on_both_ports_and_nothing_else(make_server: ServerMaker, tmp_path: Path) -> None:
    command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -keyout key.pem"
    subject = ["-out", "cert.pem", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    subprocess.run([*command.split(), *subject], cwd=tmp_path, check=True, capture_output=True)
    server = make_server("--tls-cert", "cert.pem", "--tls-key", "key.pem", grpc=True).start()
    trusted = grpc.ssl_channel_credentials((tmp_path / "cert.pem").read_bytes())
    with Caller(server, f"localhost:{server.grpc_port}", trusted) as caller:
        assert caller.send("Anna", "in secret").id == 1
    context = ssl.create_default_context(cafile=str(tmp_path / "cert.pem"))
    with urllib.request.urlopen(f"https://localhost:{server.port}/healthz", context=context) as response:
        assert response.status == 200
    connection = socket.create_connection(("127.0.0.1", server.port))
    with WireClient(server, seal=(connection, context, "localhost")) as boris:
        boris.join("Boris")
        assert "in secret" in boris.receive("history")["messages"][0]
    with Caller(server) as plain:
        refused = refusal(lambda: plain.stub.ListRooms(pb.ListRoomsRequest(), timeout=60))
        assert refused.code is grpc.StatusCode.UNAVAILABLE
    with Caller(server, f"localhost:{server.grpc_port}", grpc.ssl_channel_credentials()) as stranger:
        refused = refusal(lambda: stranger.stub.ListRooms(pb.ListRoomsRequest(), timeout=60))
        assert refused.code is grpc.StatusCode.UNAVAILABLE


def test_a_certificate_that_is_none_is_one_line_and_a_status(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("nonsense")
    (tmp_path / "key.pem").write_text("nonsense")
    options = ("--tls-cert", "cert.pem", "--tls-key", "key.pem")
    assert "cert" in failing_start(tmp_path, "--grpc-port", "0", *options)


# The end.


def test_a_health_watcher_is_notified_before_the_end(server: RunningServer, caller: Caller) -> None:
    watched = health(caller).Watch(health_pb2.HealthCheckRequest(service=SERVICE), timeout=60)
    assert next(watched).status == SERVING
    server.ask_to_stop()
    assert next(watched).status == NOT_SERVING
    assert server.wait() == 0


def test_at_the_end_streams_get_their_cursors(server: RunningServer, caller: Caller) -> None:
    epoch = caller.import_([speaker("Old"), *many(f"{number}" for number in range(20))]).epoch
    other = caller.send("Old", "x", room="other").epoch
    with caller.follow(since=0) as reader, caller.converse() as boris:
        reader.started()
        reader.past()
        boris.join("Boris")
        boris.receive_to(20)
        boris.join("Boris", "other")
        boris.receive_to(1)
        begun = time.monotonic()
        server.ask_to_stop()
        endings = [reader.ending(), boris.ending()]
        assert server.wait() == 0
        assert time.monotonic() - begun < 5
    for ended in endings:
        assert (ended.code, ended.reason) == (grpc.StatusCode.UNAVAILABLE, "going_down")
        assert ended.sentence
    assert endings[0].cursors == {"main": (20, epoch)}
    assert endings[1].cursors == {"main": (20, epoch), "other": (1, other)}


def test_what_is_in_flight_at_the_end_is_stored_answered_and_broadcast(
    make_server: ServerMaker, hold: Hold
) -> None:
    server = make_server(module=FAULTY, FAULTS=json.dumps(hold.faults), grpc=True).start()
    with Caller(server) as caller, caller.follow(since=0) as reader, WireClient(server) as boris:
        reader.started()
        reader.past()
        boris.join("Boris")
        watched = health(caller).Watch(health_pb2.HealthCheckRequest(), timeout=60)
        next(watched)
        hold.hold()
        sent = [caller.send_later("Anna", f"{number}", key=f"{number}", secret="s") for number in range(5)]
        until_it_waits(server)
        caller.rooms()  # what was sent before it has arrived
        begun = time.monotonic()
        server.ask_to_stop()
        assert next(watched).status == NOT_SERVING
        hold.let_go()
        assert sorted(call.result().id for call in sent) == [1, 2, 3, 4, 5]
        assert boris.receive_to(5) == [1, 2, 3, 4, 5]
        assert [message.id for message in reader.receive_to(5)] == [1, 2, 3, 4, 5]
        ended = reader.ending()
        assert server.wait() == 0
        assert time.monotonic() - begun < 5
        assert ended.cursors["main"][0] == 5


def test_what_comes_after_the_end_has_begun_is_refused_and_not_stored(
    make_server: ServerMaker, hold: Hold
) -> None:
    server = make_server(module=FAULTY, FAULTS=json.dumps(hold.faults), grpc=True).start()
    with Caller(server) as caller:
        hold.hold()
        first = caller.send_later("Anna", "accepted")
        until_it_waits(server)
        watched = health(caller).Watch(health_pb2.HealthCheckRequest(), timeout=60)
        next(watched)
        server.ask_to_stop()
        assert next(watched).status == NOT_SERVING
        refused = refusal(lambda: caller.send("Boris", "too late"))
        assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "going_down")
        hold.let_go()
        assert first.result().id == 1
        assert server.wait() == 0
    assert [read_line(line).text for line in server.lines] == ["accepted"]


def test_an_import_at_the_end_stores_a_beginning_and_says_which(
    server: RunningServer, caller: Caller
) -> None:
    def endless() -> Any:
        yield speaker("Anna")
        for number in range(1_000_000):
            yield next(many([f"{number}"]))
            if number == 500:
                server.ask_to_stop()

    refused = refusal(lambda: caller.import_(endless()))
    assert server.wait() == 0
    assert (refused.code, refused.reason) == (grpc.StatusCode.UNAVAILABLE, "going_down")
    texts = [read_line(line).text for line in server.lines]
    assert texts == [f"{number}" for number in range(len(texts))]
    assert refused.fields == [f"messages[{len(texts)}]"]


def test_a_reader_who_does_not_read_does_not_keep_the_server(make_server: ServerMaker) -> None:
    server = make_server("--rate", "0", grpc=True).start()
    with Caller(server) as caller, Caller(server) as deaf, deaf.follow(since=0) as reader:
        reader.started()
        caller.import_([speaker("Anna"), *many(("x" * 4_000 for _ in range(5_000)), each=200)])
        begun = time.monotonic()
        assert server.stop() == 0
        assert time.monotonic() - begun < 5


def test_after_the_end_the_cursor_gives_exactly_the_rest(server: RunningServer, caller: Caller) -> None:
    caller.import_([speaker("Anna"), *many(f"{number}" for number in range(30))])
    with caller.follow(since=0) as reader:
        reader.started()
        reader.past()
        server.ask_to_stop()
        since, epoch = reader.ending().cursors["main"]
        assert server.wait() == 0
    server.start()
    with Caller(server) as again, again.follow(since=since, epoch=epoch) as reader:
        assert not reader.started().reset
        assert reader.past() == []
        again.send("Anna", "the rest")
        assert [(m.id, m.text) for m in reader.receive_to(31)] == [(31, "the rest")]


def test_our_own_client_pings_no_more_often_than_the_server_allows() -> None:
    server, client = dict(door.OPTIONS), dict(client_grpc.OPTIONS)
    allowed = server["grpc.http2.min_recv_ping_interval_without_data_ms"]
    assert client["grpc.keepalive_time_ms"] >= 2 * allowed
    assert client["grpc.keepalive_time_ms"] > server["grpc.keepalive_time_ms"]
    assert client["grpc.max_receive_message_length"] > REQUEST_BYTES
