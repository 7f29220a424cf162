"""Requests that name the whole address, as those to a proxy do (RFC 9112, section 3.2.2)."""

from __future__ import annotations

import pytest

from tests.attacks.raw import Raw, handshake, request
from tests.conftest import ServerMaker
from tests.running import RunningServer

PATHS = ["/", "/healthz", "/readyz", "/metrics", "/history.txt?room=main", "/index.html", "/nowhere", "/ws"]


def status(server: RunningServer, data: bytes) -> int:
    with Raw(server) as raw:
        raw.say(data)
        return int(raw.head().split()[1])


@pytest.fixture(scope="module")
def base() -> str:
    return "/chat"


def test_every_path_answers_as_in_the_origin_form(make_server: ServerMaker, base: str) -> None:
    server = make_server("--lang", "en", "--base-path", base, "--open").start()
    for path in [f"{base}{path}" for path in PATHS] + ["/", base, "/nowhere"]:
        for make in (request, handshake):
            plain = status(server, make(path.encode()))
            for scheme in ("http", "HTTPS", "ws"):
                whole = f"{scheme}://localhost:{server.port}{path}"
                assert status(server, make(whole.encode())) == plain, whole
    assert status(server, handshake(f"http://localhost{base}/ws".encode())) == 101


def test_the_host_of_the_address_counts_and_not_the_header(server: RunningServer) -> None:
    for make, well in ((request, 200), (handshake, 101)):
        assert status(server, make(b"http://localhost", host=b"evil.example")) == well
        assert status(server, make(b"http://evil.example/", host=b"localhost")) == 421
    origin = b"Origin: http://chat.localhost"
    assert status(server, handshake(b"http://chat.localhost/ws", [origin], host=b"localhost")) == 101
    assert status(server, handshake(b"http://localhost/ws", [origin], host=b"chat.localhost")) == 403


def test_by_a_foreign_host_one_is_no_program_of_this_machine(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en", "--public-host", "chat.example", "--open").start()
    assert status(server, request(b"http://localhost/metrics", host=b"chat.example")) == 200
    assert status(server, request(b"http://chat.example/metrics", host=b"localhost")) == 403


@pytest.mark.parametrize(
    "target", [b"http:///ws", b"http://user@localhost/ws", b"http://localhost:x/ws", b"ftp://localhost/ws"]
)
def test_what_is_no_address_gets_400(server: RunningServer, target: bytes) -> None:
    assert status(server, request(target)) == status(server, handshake(target)) == 400


def test_two_hosts_get_400_in_this_form_too(server: RunningServer) -> None:
    assert status(server, request(b"http://localhost/", [b"Host: localhost"])) == 400
