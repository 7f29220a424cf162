"""``/history.txt``: the log as one would read it on the server."""

from __future__ import annotations

import socket
import threading
import urllib.request
from http.client import HTTPConnection
from urllib.error import HTTPError
from urllib.parse import quote

import pytest

from tests.conftest import ClientMaker, ServerMaker
from tests.running import RunningServer
from tests.talking import TIMEOUT_SECONDS, WireClient

SECRET = "a" * 64


def download(server: RunningServer, query: str = "") -> bytes:
    with urllib.request.urlopen(f"{server.page}history.txt{query}") as response:  # noqa: S310 - our own server
        assert response.headers["content-type"] == "text/plain; charset=utf-8"
        data: bytes = response.read()
        return data


def test_a_room_is_downloaded_byte_for_byte(server: RunningServer, make_client: ClientMaker) -> None:
    anna = make_client()
    anna.join("Anna")
    anna.join("Anna", room="комната")
    anna.send_frame("chat", text="one\nin two lines")
    anna.send_frame("chat", text="two")
    anna.send_frame("chat", text="elsewhere", room="комната")
    waited_for = {"two", "elsewhere"}  # rooms are written side by side
    while waited_for:
        waited_for.discard(anna.receive("chat")["text"])
    assert download(server) == server.history.read_bytes()
    assert download(server, "?since=1") == server.history.read_bytes().split(b"lines\n")[1]
    assert download(server, "?since=2") == b""
    room = server.directory / "chat_history.комната.txt"
    assert download(server, f"?room={quote('комната')}") == room.read_bytes()


@pytest.mark.parametrize(
    ("query", "status", "says"),
    [
        ("?room=nowhere", 404, "There is no room"),
        ("?room=../../etc/passwd", 400, "letters and digits"),
        ("?since=-1", 400, ""),
        ("?since=1", 400, ""),
        ("?since=x", 400, ""),
        (f"?since={'9' * 5000}", 400, ""),
    ],
)
def test_what_there_is_not_is_refused_with_a_sentence(
    server: RunningServer, query: str, status: int, says: str
) -> None:
    with pytest.raises(HTTPError) as refused:
        download(server, query)
    with refused.value as error:
        sentence = error.read().decode()
    assert error.code == status
    assert says in sentence
    assert sentence.endswith("\n")
    assert not list(server.directory.glob("chat_history.nowhere*"))


def caching(server: RunningServer, path: str, **headers: str) -> tuple[int, str | None]:
    connection = HTTPConnection("127.0.0.1", server.port)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status, answer.headers["cache-control"]
    finally:
        connection.close()


def test_no_answer_but_the_files_of_the_page_may_be_kept_by_a_browser_or_a_proxy(
    make_server: ServerMaker,
) -> None:
    server = make_server("--lang", "en", "--key-file", "keys.txt").start()
    key = server.lines_of("keys.txt")[-1]
    with WireClient(server, additional_headers={"authorization": f"Bearer {key}"}) as anna:
        anna.join("Anna", secret=SECRET)
        anna.ask("private", room="plans")
    member = {"authorization": f"Bearer {key}", "besedka-secret": SECRET}
    private = [("/history.txt?room=plans", member, 200), ("/history.txt?room=plans", {}, 401)]
    private += [(path, member, 200) for path in ("/history.txt", "/readyz", "/metrics", "/healthz")]
    private += [("/history.txt?room=elsewhere", member, 404), ("/nothing", {}, 404)]
    private += [("/", {"host": "elsewhere.example"}, 421), ("/", {"content-length": "9"}, 413)]
    for path, headers, status in private:
        assert caching(server, path, **headers) == (status, "no-store"), path
    assert caching(server, "/") == caching(server, "/chat.js") == (200, "no-cache")


UPGRADE = {
    "connection": "Upgrade",
    "upgrade": "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
}


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/nothing", {}, 404),
        ("/history.txt?room=plans", {}, 404),
        ("/ws", {"origin": "http://elsewhere.example"}, 403),
        ("/ws", {"sec-websocket-version": "12"}, 400),
        ("/ws", {"sec-websocket-key": "short"}, 400),
        ("/", {"host": "elsewhere.example"}, 421),
    ],
)
def test_the_refusal_of_a_handshake_is_not_kept_either(
    server: RunningServer, path: str, headers: dict[str, str], status: int
) -> None:
    assert caching(server, path, **(UPGRADE | headers)) == (status, "no-store")


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"garbage\r\n\r\n", b"400"),
        (b"GET / HTTP/1.1\r\n\r\n", b"400"),
        (
            b"POST /ws HTTP/1.1\r\nhost: localhost\r\nconnection: Upgrade\r\nupgrade: websocket\r\n\r\n",
            b"405",
        ),
        (b"OPTIONS / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", b"405"),
        (b"GET /ws HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n", b"404"),
        (b"GET / HTTP/1.1\r\nhost: localhost\r\nx: " + b"x" * 70_000 + b"\r\n\r\n", b"431"),
    ],
)
def test_what_no_browser_sends_gets_an_answer_that_is_not_kept(
    server: RunningServer, request_: bytes, status: bytes
) -> None:
    with socket.create_connection(("127.0.0.1", server.port), TIMEOUT_SECONDS) as connection:
        connection.sendall(request_)
        answer = connection.makefile("rb").read()
    assert answer.split(b" ", 2)[1] == status
    assert b"cache-control: no-store" in answer.lower()


def test_a_long_log_is_streamed_while_the_talk_goes_on(make_server: ServerMaker) -> None:
    server = make_server("--lang", "en")
    lines = [f"[2025-01-01 00:00:00] Boris: message {number} {'x' * 500}\n" for number in range(100_000)]
    server.history.write_text("".join(lines))
    server.start()
    before = server.history.read_bytes()
    got: list[bytes] = []
    reading = threading.Thread(target=lambda: got.append(download(server)))
    with WireClient(server) as anna:
        anna.join("Anna")
        reading.start()
        for number in range(20):
            anna.send_frame("chat", text=f"meanwhile {number}")
            anna.receive_to(100_001 + number)
        reading.join(60)
    assert got
    assert got[0].startswith(before)
    assert server.history.read_bytes().startswith(got[0])
