"""Injection: into the log of the server, into the history, into the terminals of those who look at either.

What a client says is in the history, in its lines, and nowhere else: not in what the server prints, at whatever level.
"""

from __future__ import annotations

import json
import re
import socket
from contextlib import suppress
from functools import partial
from pathlib import Path
from urllib.parse import quote

import grpc
import pytest
from websockets.exceptions import InvalidStatus

from besedka.serve.history import ChatHistory
from besedka.wire.frames import Frame
from besedka.wire.log_line import read_line
from tests.attacks.raw import CLOSE, LAST, Raw, frame, handshake, opened, request
from tests.attacks.test_fields import DOORS, is_refusal_of, sound, tag, texts
from tests.calling import Caller
from tests.conftest import ServerMaker
from tests.running import RunningServer, fetch
from tests.talking import WireClient

CANARY = "KanareikA"

LINE_ENDS = ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\0"]
FORGED = "[2025-01-01 00:00:00] Eve: forged"
FORGERIES = [f"{CANARY}{end}{FORGED}" for end in LINE_ENDS] + [
    FORGED + CANARY,
    f"{CANARY}\n\t{FORGED}",
    f"{CANARY}\t\n{FORGED}\n",
    f"{CANARY}\x1b[2J\x1b[31m",
    f"{CANARY}\x1b]52;c;cm0gLXJm\x07",
    f"{CANARY}\x9b31m\x9d52;c;\x9c",
    f"{CANARY}\x1bP+q\x1b\\",
    f"{CANARY}\u202e\u2066\u200b\ufeff",
    f"{CANARY}\x08\x08\x7f",
    f"{CANARY} %s %d %(name)s {{0}} ${{jndi:ldap://x}}",
    CANARY,
]


HEADERS = [
    *("User-Agent", "Origin", "Referer", "Cookie", "Authorization", "X-Forwarded-For", "Forwarded", "Accept"),
    *("Accept-Language", "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Sec-WebSocket-Key", "Via"),
    *("X-Real-IP", "If-None-Match", "If-Modified-Since", "Range", "X-Whatever", "Content-Type", "Expect"),
]


@pytest.mark.parametrize("module", ["besedka", "tests.attacks.talkative_server"], ids=["plain", "talkative"])
def test_nothing_that_anybody_says_is_in_the_servers_log(make_server: ServerMaker, module: str) -> None:
    """Neither texts nor names nor secrets, from any field of any word, header, path or call, at any level: of rooms only, which are plain."""
    options = ("--lang", "en", "--rate", "0", "--log-level", "debug")
    server = make_server(*options, module=module, grpc=True).start()
    with WireClient(server) as bystander, Caller(server) as caller:
        bystander.join("Bystander", "quiet")
        for path, words in DOORS:
            say_in_words(server, path, words)
        say_in_requests(server)
        say_by_calls(caller)
        with Raw(server) as raw:
            raw.say(request(b"/metrics"))
            assert CANARY.encode() not in raw.receive_all()
    assert server.stop() == 0
    shown = server.errors.casefold().replace(f"room {CANARY.casefold()}", "a room")
    assert not [line for line in shown.splitlines() if CANARY.casefold() in line]
    assert CANARY.casefold() not in server.farewell.casefold()
    assert CANARY in server.history.read_text(encoding="utf-8")
    assert_not_forged(server.history)


def say_in_words(server: RunningServer, path: str, words: list[type[Frame]]) -> None:
    """Say all forgeries in all fields that take a string, and as something that is no frame."""
    with WireClient(server, path) as eve:
        for word in words:
            whole = {name: json.loads(value) for name, value in sound(word).items()}
            for name in whole.keys() & texts(word):
                for forgery in FORGERIES:
                    eve.send_frame("join", user="Eve")
                    eve.send_frame(
                        tag(word), **whole | ({"room": "main"} if "room" in whole else {}) | {name: forgery}
                    )
        for forgery in FORGERIES:
            eve.send_frame(forgery)
            eve.send(forgery)
        eve.send_frame("the end")
        eve.receive_until(partial(is_refusal_of, "the end"))
    for forgery in FORGERIES:
        with opened(server, path.encode()) as raw:
            raw.say(frame(LAST | CLOSE, b"\x03\xe8" + forgery.encode()[:120]))
            raw.receive_all()


def say_in_requests(server: RunningServer) -> None:
    """Say all forgeries that a header can hold in each header, and in paths, queries, methods and versions."""
    for forgery in FORGERIES:
        value = re.sub(r"[\n\r\0]", " ", forgery).encode()
        for make in (request, handshake):
            for begin in range(0, len(HEADERS), 5):
                headers = [f"{name}: ".encode() + value for name in HEADERS[begin : begin + 5]]
                ask(server, make(headers=headers))
        quoted = quote(forgery).encode()
        for path in (
            b"/" + quoted,
            b"/ws?key=" + quoted,
            b"/history.txt?room=" + quoted + b"&since=" + quoted,
        ):
            ask(server, request(path))
            ask(server, handshake(path))
        ask(server, value + b" / HTTP/1.1\r\n\r\n")
        ask(server, b"GET / " + value + b"\r\n\r\n")
        ask(server, request(host=value))
        ask(server, handshake(host=value))


def ask(server: RunningServer, data: bytes) -> None:
    with Raw(server) as raw:
        raw.say(data)
        raw.socket.shutdown(socket.SHUT_WR)
        raw.receive_all()


def say_by_calls(caller: Caller) -> None:
    """Say all forgeries in calls of gRPC: in fields, in metadata and as the method."""
    for forgery in FORGERIES:
        plain = re.sub(r"[^ -~]", " ", forgery)
        with suppress(grpc.RpcError):
            caller.send("Eve", forgery, room=CANARY.casefold())
        with suppress(grpc.RpcError):
            caller.send(forgery, "hello", key=forgery, secret=forgery)
        with suppress(grpc.RpcError):
            caller.search(forgery)
        with suppress(grpc.RpcError):
            caller.messages(room=forgery)
        with suppress(grpc.RpcError):
            caller.raw(CANARY, forgery.encode())
        with suppress(grpc.RpcError):
            call = caller.channel.unary_unary("/besedka.v1.Chat/ListRooms", None, None)
            call(b"", timeout=5, metadata=(("authorization", plain), ("x-forwarded-for", plain)))


def assert_not_forged(history: Path) -> None:
    """Each message of the log was said by one who was there, and holds nothing that moves a cursor."""
    log = ChatHistory.open_to_read(history)
    lines: list[str] = []
    while page := log.read(len(lines) + 1, 500):
        lines += page
    assert {read_line(line).user for line in lines} <= {"Eve", "nowhere", CANARY}
    for line in lines:
        assert not line.startswith(FORGED[:21])
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", line), ascii(line)
    assert len(re.findall(rb"^\[", history.read_bytes(), re.MULTILINE)) == len(lines)


@pytest.mark.parametrize("module", ["besedka", "tests.attacks.talkative_server"], ids=["plain", "talkative"])
def test_no_key_no_secret_and_no_token_is_in_any_log_or_file_but_the_keys_own(
    make_server: ServerMaker, module: str, tmp_path: Path
) -> None:
    """Not of those who come in, not of those who do not, not when it is withdrawn or used up, at whatever level."""
    good, wrong, secret = "right-key-right-key", "wrong-key-wrong-key", "s3cret" * 10
    keys = tmp_path / "access_key.txt"
    keys.write_text(f"{good}\n", encoding="utf-8")
    server = make_server("--key-file", str(keys), "--grpc-port", "0", module=module).start()
    for key in (wrong, good):
        bearer = {"Authorization": f"Bearer {key}"}
        fetch(server, f"/readyz?key={key}", bearer)
        fetch(server, "/history.txt", {**bearer, "Besedka-Secret": secret})
        with suppress(InvalidStatus), WireClient(server, f"/ws?key={key}") as stranger:
            stranger.ending()
        with WireClient(server, additional_headers=bearer) as refused:
            if key == wrong:
                refused.ending()
    with WireClient(server, additional_headers={"Authorization": f"Bearer {good}"}) as anna:
        anna.join("Anna", secret=secret)
        anna.ask("private", room="plans")
        tokens = [
            anna.ask("invite", room="plans")["token"],
            anna.ask("add_device", user="Anna", secret=secret)["token"],
        ]
        for token in tokens:
            anna.ask("take_device", token=token)
            anna.send_frame("join", room="plans", user="Anna", invite=token)
        keys.write_text("# nobody\n", encoding="utf-8")
        anna.ending()
    assert server.stop() == 0
    for hidden in (good, wrong, secret, *tokens):
        assert hidden not in server.errors
        assert hidden not in server.farewell
        for path in tmp_path.iterdir():
            assert path.is_socket() or hidden.encode() not in path.read_bytes(), path
