"""By which host name and below which path the chat answers, as browsers and attackers ask for it."""

from __future__ import annotations

import re
import socket
from dataclasses import dataclass

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient

HANDSHAKE = (
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==",
)


@dataclass(frozen=True)
class Response:
    """The response of an HTTP server."""

    status: int
    head: str
    body: str


def ask(server: RunningServer, path: str, *headers: str, version: str = "1.1") -> Response:
    """Send a request with just these headers."""
    lines = (f"GET {path} HTTP/{version}", *headers)
    with socket.create_connection(("127.0.0.1", server.port), 10) as there:
        there.sendall("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n")
        head = b""
        while b"\r\n\r\n" not in head:
            head += there.recv(65536)
        head, _, body = head.partition(b"\r\n\r\n")
        if b"101 " not in head.split(b"\r\n")[0]:
            while not is_whole(head, body):
                body += there.recv(65536)
    return Response(int(head.split()[1]), head.decode().lower(), body.decode())


def is_whole(head: bytes, body: bytes) -> bool:
    found = re.search(rb"(?i)\r\ncontent-length: (\d+)", head)
    return len(body) >= int(found[1]) if found else body.endswith(b"0\r\n\r\n")


@pytest.mark.parametrize("handshake", [(), HANDSHAKE], ids=["page", "socket"])
def test_only_who_names_the_chat_is_answered(make_server: ServerMaker, handshake: tuple[str, ...]) -> None:
    server = make_server(
        "--open", "--public-host", "chat.example", "--public-host", "Other.example:8443"
    ).start()
    well = 101 if handshake else 200
    path = "/ws" if handshake else "/healthz"
    for host in (
        *("localhost", "LOCALHOST:1", "a.localhost", "127.0.0.1:99", "[::1]:8765", "192.168.7.7"),
        *("chat.example", "chat.example:8765", "CHAT.EXAMPLE:443", "other.example", "chat.example."),
    ):
        assert ask(server, path, f"Host: {host}", *handshake).status == well, host
    own = socket.gethostname().partition(".")[0]
    for host in (
        *("evil.example", "evil.example:8765", "chat.example.evil.example", "sub.chat.example", "example"),
        *("127.0.0.1.evil.example", "127.1", "localhost.evil.example", "", own, f"{own}.local"),
    ):
        answer = ask(server, path, f"Host: {host}", *handshake)
        assert answer.status == 421, host
        assert "--public-host" in answer.body
        assert len(answer.body.splitlines()) == 1
        assert not host or host not in answer.head + answer.body
    for headers in ((), ("Host: localhost", "Host: localhost"), ("Host: localhost", "Host: evil.example")):
        assert ask(server, path, *headers, *handshake).status == 400, headers
    assert ask(server, "/healthz", version="1.0").status == 200


def test_a_page_whose_domain_leads_here_since_a_minute_hears_nothing(server: RunningServer) -> None:
    page = "http://evil.example:8765"
    for headers in ({"Host": "evil.example:8765"}, {"Host": "localhost"}):
        hosts = [f"{name}: {value}" for name, value in headers.items()]
        answer = ask(server, "/ws", *hosts, f"Origin: {page}", *HANDSHAKE)
        assert answer.status == (403 if "localhost" in hosts[0] else 421)


def test_a_public_host_opens_the_chat_to_its_own_pages_and_to_no_others(make_server: ServerMaker) -> None:
    server = make_server("--open", "--public-host", "a.example", "--public-host", "b.example").start()
    for origin, host, status in (
        ("https://a.example", "a.example", 101),
        ("https://b.example", "b.example", 101),
        ("https://a.example", "b.example", 403),
        ("https://a.example", "localhost", 403),
        ("http://localhost:8080", "a.example", 403),
    ):
        answer = ask(server, "/ws", f"Host: {host}", f"Origin: {origin}", *HANDSHAKE)
        assert answer.status == status, (origin, host)


def test_all_of_the_chat_is_below_its_base_path_and_nothing_elsewhere(make_server: ServerMaker) -> None:
    server = make_server("--base-path", "/talk/chat/", "--lang", "en").start()
    assert f"open      http://localhost:{server.port}/talk/chat/" in server.greeting
    for path in ("", "index.html", "chat.js", "sw.js", "chat/protocol.js", "healthz", "readyz", "metrics"):
        assert ask(server, f"/talk/chat/{path}", "Host: localhost").status == 200, path
    inside = ask(server, "/talk/chat", "Host: localhost")
    assert inside.status == 308
    assert "\r\nlocation: /talk/chat/\r\n" in f"{inside.head}\r\n"
    for path in (
        *(
            "/",
            "/healthz",
            "/readyz",
            "/metrics",
            "/history.txt",
            "/index.html",
            "/chat.js",
            "/talk",
            "/talk/",
        ),
        *(
            "/talk/chatter",
            "/talk/chat/../../healthz",
            "/talk/chat/%2e%2e/%2e%2e/healthz",
            "//talk/chat/healthz",
        ),
        *("/talk//chat/healthz", "/talk/chat/talk/chat/healthz", "/TALK/CHAT/healthz"),
    ):
        assert ask(server, path, "Host: localhost").status == 404, path
    with WireClient(server, "/talk/chat/ws") as anna, WireClient(server, "/talk/chat/") as seed:
        anna.join("Anna")
        anna.send_frame("chat", text="below", key="k")
        assert anna.receive("chat")["text"] == "below"
        assert seed.receive("chat")["text"] == "below"
    for path in ("/ws", "/", "/talk/chat", "/talk/chat/ws/", "/talk/chat//ws"):
        with pytest.raises(InvalidStatus) as refusal:
            connect(server.url(path), proxy=None)
        assert refusal.value.response.status_code == 404
        assert "try /talk/chat/ws" in (refusal.value.response.body or b"").decode()
    assert ask(server, "/talk/chat/history.txt", "Host: localhost").status == 200


@dataclass(frozen=True)
class Named:
    """A server as one asks for it by another name."""

    server: RunningServer
    name: str

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port

    def url(self, path: str = "/ws") -> str:
        """The address of one of its WebSockets."""
        return f"ws://{self.name}:{self.port}{path}"


@pytest.mark.parametrize(
    ("name", "is_limited"), [("chat.example", True), ("localhost", False)], ids=["public", "local"]
)
def test_who_asks_by_the_public_name_is_no_program_of_this_machine(
    name: str, is_limited: bool, make_server: ServerMaker
) -> None:
    """A proxy that nobody has told us of may hand on the name, and nothing else."""
    server = make_server("--open", "--public-host", "chat.example", "--rate", "0.5", "--lang", "en").start()
    there = socket.create_connection(("127.0.0.1", server.port))
    with WireClient(Named(server, name), sock=there, proxy=None) as program:
        program.join("program", quiet=True)
        for number in range(10):
            program.send_frame("chat", text=f"{number}", key=f"k{number}")
        kinds = [program.receive()["type"] for _ in range(10)]
        assert ("error" in kinds) is is_limited


def test_the_operator_is_warned_of_a_network_of_proxies_that_holds_clients(make_server: ServerMaker) -> None:
    server = make_server("--behind-proxy", "0.0.0.0/0", "--behind-proxy", "127.0.0.1", "--open").start()
    warnings = [line.split("WARNING ")[1] for line in server.errors.splitlines() if "WARNING" in line]
    assert len(warnings) == 1
    assert (
        "--behind-proxy 0.0.0.0/0: if a client is in this network, it can pass for any address" in warnings[0]
    )
