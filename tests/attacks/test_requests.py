"""Requests that no browser makes: headers without end, and paths that lead out of the page's folder."""

from __future__ import annotations

import re
import socket
import ssl
import subprocess
from itertools import product
from pathlib import Path

import pytest

from tests.attacks.raw import Raw, handshake, request
from tests.conftest import ServerMaker
from tests.running import RunningServer
from tests.talking import WireClient

UPS = ["..", "%2e%2e", "%2E%2e", ".%2e", "%252e%252e", "..%00", "..%c0%af", "%c0%ae%c0%ae", "...", "..;"]
SLASHES = ["/", "%2f", "\\", "%5c", "//", "/./"]
TARGETS = ["etc/passwd", "chat_history.txt", "besedka/cli.py", ".git/config"]

TRAVERSALS = [
    *(f"/{(up + slash) * 6}{target}" for up, slash, target in product(UPS, SLASHES, TARGETS[:2])),
    *(f"/chat/{up}/{up}/{target}" for up, target in product(UPS, TARGETS)),
    *(f"//{target}" for target in TARGETS),
    *(f"/{target}%00.html" for target in TARGETS),
    "/%00",
    "/index.html%00",
    "/C:/windows/win.ini",
    "/c:%5cwindows%5cwin.ini",
    "/file:///etc/passwd",
    "/~root",
    "/" + "a" * 5_000,
    "/" + "a/" * 2_500,
    "/" + "../" * 2_500 + "etc/passwd",
    "/ws/../../etc/passwd",
    "/history.txt/../../etc/passwd",
    "/%ff%fe",
    "/%ed%a0%80",
    "/%",
    "/%zz",
    "http://localhost/../etc/passwd",
    "*",
]


def answer(server: RunningServer, data: bytes) -> bytes:
    with Raw(server) as raw:
        raw.say(data)
        return raw.receive_all()


@pytest.mark.usefixtures("bystander")
def test_every_path_that_leads_out_of_the_pages_folder_gets_the_same_404(server: RunningServer) -> None:
    """From the answer nobody learns what there is on the disk: it is the same for all, but for the date."""
    assert len(TRAVERSALS) > 100
    for make in (request, handshake):
        answers = {}
        for path in TRAVERSALS:
            text = answer(server, make(path.encode()))
            answers[re.sub(rb"(?i)date: [^\r]*", b"", text)] = path
        assert len(answers) == 1, {text[:200]: path for text, path in answers.items()}
        assert next(iter(answers)).startswith(b"HTTP/1.1 404 ")


def test_a_path_that_is_none_is_refused_before_it_is_looked_at(server: RunningServer) -> None:
    """A target outside the grammar of HTTP is answered with 400 by the parser, or is no path."""
    for path in (b"../etc/passwd", b"/\xff", b"/a b", b"/\x00", b"/a\r\nX: y", b"/\ttab", b""):
        for make in (request, handshake):
            assert answer(server, make(path)).split()[1] in {b"400", b"404"}, path


def test_no_room_of_a_download_leads_out_of_the_historys_folder(server: RunningServer) -> None:
    """The room in `/history.txt?room=` becomes a part of a file's name only when it is a room's name."""
    for room in (
        b"main%2f..%2f..%2fetc%2fpasswd",
        b"..",
        b"%00",
        b"a%2fb",
        b"%ff",
        b"%ed%a0%80",
        b"",
        b"a.txt",
    ):
        assert answer(server, request(b"/history.txt?room=" + room)).split()[1] == b"400", room


@pytest.mark.usefixtures("bystander")
def test_headers_that_are_too_long_are_refused(server: RunningServer) -> None:
    """More than 16 KiB of headers are not kept, whether they are one, many, or one without an end."""
    for headers in (b"X: " + b"x" * 20_000 + b"\r\n\r\n", b"X: y\r\n" * 4_000 + b"\r\n", b"x" * 300_000):
        for make in (request, handshake):
            text = answer(server, make().removesuffix(b"\r\n") + headers)
            assert text.startswith(b"HTTP/1.1 431 "), headers[:20]


@pytest.mark.usefixtures("bystander")
def test_two_thousand_headers_harm_nobody(server: RunningServer) -> None:
    """As many as fit into 16 KiB are read for a page, and refused for a WebSocket, which needs a dozen."""
    headers = [b"a:b"] * 2_000
    assert answer(server, request(headers=headers)).startswith(b"HTTP/1.1 200 ")
    assert answer(server, handshake(headers=headers)).startswith(b"HTTP/1.1 431 ")


LISTS = [
    b"Range: bytes=" + b",".join(b"%d-%d" % (n, n) for n in range(0, 3_000, 2)),
    b"Range: bytes=" + b"0-," * 5_000,
    b"Cookie: " + b"a=b;" * 4_000,
    b"If-None-Match: " + b'"a",' * 3_800,
    b"Sec-WebSocket-Extensions: " + b"a;" * 3_500,
    b"Sec-WebSocket-Protocol: " + b"a," * 3_500,
    b"Sec-WebSocket-Extensions: permessage-deflate; \xff",
    b"Sec-WebSocket-Protocol: \xff",
]


def test_no_header_costs_more_than_its_bytes(server: RunningServer, bystander: WireClient) -> None:
    """Lists of thousands of ranges, tags and extensions are read in time that grows with their length only."""
    for header in LISTS:
        for make in (request, handshake):
            with Raw(server) as raw:
                raw.say(make(headers=[header]))
                bystander.send_frame("chat", room="quiet", text="meanwhile")
                assert bystander.receive(seconds=30)["text"] == "meanwhile"
                assert re.match(rb"HTTP/1.1 [1234]\d\d ", raw.head()), header[:40]


def test_a_refusal_is_sent_over_tls_too(make_server: ServerMaker, tmp_path: Path) -> None:
    """TLS cannot end one direction alone: the answer comes all the same, and the server makes no error."""
    command = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 1 -subj /CN=localhost"
    )
    files = ("-keyout", "key.pem", "-out", "cert.pem")
    subprocess.run([*command.split(), *files], cwd=tmp_path, capture_output=True, check=True)
    server = make_server("--tls-cert", "cert.pem", "--tls-key", "key.pem").start()
    context = ssl.create_default_context(cafile=tmp_path / "cert.pem")
    context.check_hostname = False
    with (
        socket.create_connection(("127.0.0.1", server.port), timeout=60) as plain,
        context.wrap_socket(plain) as sealed,
    ):
        sealed.sendall(b"GET / HTTP/1.1\r\nX: " + b"x" * 20_000)
        assert sealed.recv(65536).startswith(b"HTTP/1.1 431 ")
