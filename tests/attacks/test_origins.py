"""Cross-site WebSocket hijacking: pages of other hosts that try to talk with a visitor's browser."""

from __future__ import annotations

import pytest

from tests.attacks.raw import Raw, handshake
from tests.conftest import ServerMaker
from tests.running import RunningServer

PATHS = [b"/", b"/ws"]

WELCOME = [
    b"http://localhost",
    b"http://localhost:80",
    b"http://localhost:8080",  # the page may come from another port of the same host
    b"https://localhost",
    b"http://LOCALHOST",
    b"HTTP://Localhost",
]

STRANGE = [
    b"",
    b"null",
    b"NULL",
    b"*",
    b"localhost",
    b"//localhost",
    b"http:localhost",
    b"http:///localhost",
    b"http://",
    b"http://evil.com",
    b"http://sub.localhost",
    b"http://localhost.evil.com",
    b"http://evil-localhost",
    b"http://evillocalhost",
    b"http://localhost-evil.com",
    b"http://localhostevil.com",
    b"http://localhost.",
    b"http://.localhost",
    b"http://local.host",
    b"http://localhos",
    b"http://localhost%2eevil.com",
    b"http://localhost%00.evil.com",
    b"http://localhost@evil.com",
    b"http://evil.com@localhost",
    b"http://localhost:80@evil.com",
    b"http://evil.com#localhost",
    b"http://evil.com?localhost",
    b"http://evil.com/localhost",
    b"http://localhost/",
    b"http://localhost/evil",
    b"http://localhost\\.evil.com",
    b"http://evil.com\\localhost",
    b"http://localhost:port",
    b"http://localhost:99999",
    b"http://localhost:-1",
    b"http://[::1]",
    b"http://127.0.0.1",  # another name, whatever it leads to
    b"http://local\thost",
    b"http://localhost evil.com",
    b"http://localhost, http://evil.com",
    b"http://evil.com, http://localhost",
    b"http://localhost http://evil.com",
    b"http://l\xc3\xb6calhost",
    b"http://\xd0\xbelocalhost",
    b"http://localhost\xff",
    b"ftp://localhost",
    b"ws://localhost",
    b"file://",
    b"file://localhost",
    b"chrome-extension://localhost",
    b"javascript://localhost",
]


def status(server: RunningServer, path: bytes, headers: list[bytes], host: bytes = b"localhost") -> bytes:
    with Raw(server) as raw:
        raw.say(handshake(path, headers, host))
        return raw.head().split()[1]


@pytest.mark.usefixtures("bystander")
@pytest.mark.parametrize("path", PATHS, ids=bytes.decode)
def test_only_pages_of_the_same_host_may_open_a_connection(server: RunningServer, path: bytes) -> None:
    """A page is known by its whole host name, whatever an attacker puts in front of it, behind it or around it."""
    for origin in WELCOME:
        assert status(server, path, [b"Origin: " + origin]) == b"101", origin
    for origin in STRANGE:
        assert status(server, path, [b"Origin: " + origin]) == b"403", origin
    assert status(server, path, []) == b"101"


@pytest.mark.parametrize("path", PATHS, ids=bytes.decode)
def test_two_origins_are_none(server: RunningServer, path: bytes) -> None:
    """A request with two origins, or two hosts, is refused."""
    good, bad = b"Origin: http://localhost", b"Origin: http://evil.com"
    for origins in ([good, bad], [bad, good], [good, good], [good, bad.lower()]):
        assert status(server, path, origins) == b"403", origins
    assert status(server, path, [good, b"Host: localhost"]) in {b"400", b"403"}
    assert status(server, path, [good, b"Host: evil.com"]) in {b"400", b"403"}


@pytest.mark.parametrize("path", PATHS, ids=bytes.decode)
def test_an_origin_that_is_allowed_by_name_opens_the_door_to_no_other(
    make_server: ServerMaker, path: bytes
) -> None:
    """An origin allowed by `--origin` is compared by scheme, whole host and port."""
    server = make_server("--origin", "https://chat.example", "--origin", "http://lab:8080").start()
    for origin in (b"https://chat.example", b"https://CHAT.example:443", b"http://lab:8080"):
        assert status(server, path, [b"Origin: " + origin]) == b"101", origin
    for origin in (
        *(b"http://chat.example", b"https://chat.example:444", b"https://sub.chat.example"),
        *(b"https://chat.example.evil.com", b"https://evil-chat.example", b"http://lab", b"https://lab:8080"),
        *(b"https://chat.example/", b"https://chat.example@evil.com", b"null"),
    ):
        assert status(server, path, [b"Origin: " + origin]) == b"403", origin
