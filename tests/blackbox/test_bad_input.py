"""Bad input gets a clear answer, and no other client notices."""

from __future__ import annotations

import http.client
import json
import socket
from contextlib import suppress
from typing import Final

import pytest
from websockets.exceptions import ConnectionClosed

from tests.conftest import ClientMaker
from tests.running import RunningServer
from tests.talking import WireClient


@pytest.fixture
def bystander(make_client: ClientMaker) -> WireClient:
    """Somebody who talks on, whatever others do."""
    client = make_client()
    client.join("Bystander", "quiet")
    client.receive("system")
    return client


def assert_unharmed(bystander: WireClient) -> None:
    bystander.send_frame("chat", room="quiet", text="all is well")
    assert bystander.receive()["text"] == "all is well"


BAD_FRAMES: Final[list[tuple[str | bytes, str]]] = [
    ("", "bad_json"),
    ("{", "bad_json"),
    ("nonsense", "bad_json"),
    ("[" * 50_000, "bad_frame"),
    ('{"type":"chat","text":"x","more":' + "[" * 30_000, "bad_json"),
    ('{"type":"chat","text":"\\ud800"}', "bad_json"),
    ('{"type":"chat","text":NaN}', "bad_json"),
    ("null", "bad_frame"),
    ("[]", "bad_frame"),
    ("42", "bad_frame"),
    ('"chat"', "bad_frame"),
    ("{}", "bad_frame"),
    ('{"type":null}', "bad_frame"),
    ('{"type":"shout","text":"x"}', "unknown_type"),
    ('{"type":"chat"}', "bad_frame"),
    ('{"type":"chat","text":5}', "bad_frame"),
    ('{"type":"chat","text":"x","key":{}}', "bad_frame"),
    ('{"type":"join","user":"Anna","since":"1"}', "bad_frame"),
    ('{"type":"join","user":"Anna","since":1e400}', "bad_frame"),
    ('{"type":"history","before":1.5}', "bad_frame"),
    ('{"type":"history","before":0}', "bad_frame"),
    ('{"type":"join","user":"Anna","since":-1}', "bad_frame"),
    ('{"type":"chat","text":"x","room":"nowhere"}', "not_joined"),
    ('{"type":"chat","text":"x","room":"../etc"}', "bad_room"),
    ('{"type":"join","user":"Anna","room":"a/b"}', "bad_room"),
    ('{"type":"join","user":"x\\u202ey"}', "bad_name"),
    ('{"type":"join","user":"System"}', "name_reserved"),
    ('{"type":"join","user":""}', "bad_name"),
    ('{"type":"rooms","key":5}', "bad_frame"),
    ('{"type":"rooms","key":"a b"}', "bad_key"),
    ('{"type":"search","text":1}', "bad_frame"),
    ('{"type":"search","text":"x","limit":0}', "bad_frame"),
    ('{"type":"search","text":"x","before":-1}', "bad_frame"),
    ('{"type":"search","text":"x"}', "not_joined"),
    ('{"type":"join","user":"Anna","quiet":1}', "bad_frame"),
    (json.dumps({"type": "join", "user": "a" + "\u0301\u0316" * 5000}), "bad_name"),
    (json.dumps({"type": "join", "user": "Anna", "room": "a" + "\u0301\u0316" * 5000}), "bad_room"),
    (b"\x00\x01", "binary_frame"),
    (b'{"type":"leave"}', "binary_frame"),
]

VISITOR: Final = "the secret of the visitor"
"""With it the next connection is the same person's, however soon it begins."""


def test_a_bad_frame_gets_an_error_and_the_connection_lives(
    server: RunningServer, bystander: WireClient
) -> None:
    for number, (data, code) in enumerate(BAD_FRAMES, 1):
        with WireClient(server) as visitor:
            visitor.send(data)
            refusal = visitor.receive()
            assert (refusal["type"], refusal["code"]) == ("error", code), data[:80]
            assert len(refusal["text"]) > 10, data[:80]
            visitor.join("Visitor", secret=VISITOR)
            visitor.send_frame("chat", text="and yet I am here")
            assert visitor.receive_to(number)[-1] == number, data[:80]
        assert_unharmed(bystander)


@pytest.mark.parametrize(
    ("text", "code"), [("", "empty_text"), (" \n\t ", "empty_text"), ("x" * 5001, "text_too_long")]
)
def test_a_bad_text_is_refused_with_its_key_so_that_the_sender_knows_which(
    server: RunningServer, make_client: ClientMaker, text: str, code: str
) -> None:
    anna = make_client()
    anna.join("Anna")
    anna.send_frame("chat", text=text, key="this one")
    refusal = anna.receive("error")
    assert (refusal["code"], refusal["key"], refusal["room"]) == (code, "this one", "main")
    assert server.lines == []


@pytest.mark.parametrize("path", ["/ws", "/"])
@pytest.mark.parametrize("text", ['"a\\ud83d"', '"\\udc00\\ud83d"', "7", "[]", '"never end'])
def test_a_frame_that_cannot_be_decoded_is_refused_with_its_key_and_room(
    server: RunningServer, path: str, text: str
) -> None:
    """Else its sender waits for ever, and sends it again after each reconnect."""
    with WireClient(server, path) as anna:
        if path == "/ws":
            anna.join("Anna")
        anna.send(f'{{"type":"chat","user":"Anna","key":"this-one","room":"main","text":{text}}}')
        refusal = anna.receive("error")
        assert (refusal["key"], refusal["room"]) == ("this-one", "main")
        anna.send_frame("chat", user="Anna", text="and on")
        assert anna.receive("chat")["text"] == "and on"
    assert len(server.lines) == 1


def test_a_frame_that_is_too_long_is_explained_before_the_connection_ends(
    bystander: WireClient, make_client: ClientMaker
) -> None:
    visitor = make_client()
    visitor.join("Visitor")
    with suppress(ConnectionClosed):
        visitor.send(json.dumps({"type": "chat", "text": "x" * 1_000_000}))
    assert "65536" in visitor.receive("error")["text"]
    assert visitor.ending()[0] == 1009
    assert_unharmed(bystander)


def test_fragments_are_put_together_and_bounded_as_a_whole(
    bystander: WireClient, make_client: ClientMaker
) -> None:
    visitor = make_client()
    visitor.join("Visitor")
    visitor.send(iter(['{"type":"chat",', '"text":', '"in pieces"}']))
    assert visitor.receive("chat")["text"] == "in pieces"
    with suppress(ConnectionClosed):  # it may be told before it has sent all
        visitor.send(iter(["x" * 1000] * 100))
    assert visitor.receive("error")["code"] == "frame_too_long"
    assert visitor.ending()[0] == 1009
    assert_unharmed(bystander)


def test_connections_that_are_cut_at_any_point_hurt_nobody(
    server: RunningServer, bystander: WireClient
) -> None:
    request = handshake(server.port)
    for length in range(0, len(request), 7):
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            raw.sendall(request[:length])
    for _ in range(20):
        visitor = WireClient(server)
        visitor.send_frame("join", user="Visitor", room="quiet")
        visitor.abort()
    bystander.send_frame("chat", room="quiet", text="all is well")
    assert bystander.receive("chat")["text"] == "all is well"


def test_one_who_only_half_closes_his_connection_stops_nobody(
    server: RunningServer, bystander: WireClient
) -> None:
    for _ in range(10):
        visitor = WireClient(server)
        visitor.join("Visitor", "quiet")
        visitor.half_close()
        for number in range(5):
            bystander.send_frame("chat", room="quiet", text=f"{number}")
            bystander.receive("chat")
        visitor.abort()
    assert server.stop() == 0


def test_the_page_comes_with_headers_that_let_nothing_else_in(server: RunningServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    connection.request("GET", "/")
    answer = connection.getresponse()
    assert answer.status == 200
    assert "default-src 'none'" in (answer.getheader("content-security-policy") or "")
    assert answer.getheader("x-content-type-options") == "nosniff"
    assert b"<title>Besedka</title>" in answer.read()
    connection.close()


def handshake(port: int) -> bytes:
    return (
        f"GET /ws HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n"
    ).encode()
