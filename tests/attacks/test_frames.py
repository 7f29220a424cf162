"""Frames that break RFC 6455, or that promise more than comes."""

from __future__ import annotations

import json
import zlib

import psutil
import pytest

from tests.attacks.raw import (
    BINARY,
    CLOSE,
    CONTINUATION,
    LAST,
    PING,
    TEXT,
    Raw,
    frame,
    handshake,
    opened,
)
from tests.running import RunningServer
from tests.talking import WireClient

JOIN = json.dumps({"type": "join", "user": "Eve"}).encode()

BROKEN = {
    "not masked": (frame(LAST | TEXT, JOIN, is_masked=False), 1002),
    "not masked and empty": (frame(LAST | TEXT, is_masked=False), 1002),
    **{f"reserved bit {bit:#x}": (frame(LAST | bit | TEXT, JOIN), 1002) for bit in (0x40, 0x20, 0x10, 0x70)},
    **{f"opcode {code:#x}": (frame(LAST | code, JOIN), 1002) for code in (3, 4, 5, 6, 7, 0xB, 0xC, 0xF)},
    "a continuation of nothing": (frame(LAST | CONTINUATION, JOIN), 1002),
    "a text inside a text": (frame(TEXT, b"{") + frame(LAST | TEXT, JOIN), 1002),
    "a ping in fragments": (frame(PING, b"x"), 1002),
    "a ping that is too long": (frame(LAST | PING, b"x" * 126), 1002),
    "a close that is too long": (frame(LAST | CLOSE, b"\x03\xe8" + b"x" * 124), 1002),
    "a close with half a code": (frame(LAST | CLOSE, b"\x03"), 1002),
    "a close with a code that is none": (frame(LAST | CLOSE, b"\x03\xee"), 1002),
    "a close whose reason is no UTF-8": (frame(LAST | CLOSE, b"\x03\xe8\xff"), 1007),
    "a text that is no UTF-8": (frame(LAST | TEXT, b"\xff\xfe"), 1007),
    "half a surrogate pair as UTF-8": (
        frame(LAST | TEXT, b'{"type":"join","user":"\xed\xa0\x80"}'),
        1007,
    ),
    "a length of 63 bits": (frame(LAST | TEXT, size=2**63 - 1), 1009),
    "a length of 64 bits": (frame(LAST | TEXT, size=2**64 - 1), 1009),
    "a length of one byte too many": (frame(LAST | TEXT, size=65_537), 1009),
    "a binary frame of 4 GiB": (frame(LAST | BINARY, size=2**32), 1009),
    "a ping of 4 GiB": (frame(LAST | PING, size=2**32), 1009),
    "fragments that grow too long": (frame(TEXT, b"x" * 40_000) + frame(CONTINUATION, size=30_000), 1009),
}


@pytest.mark.usefixtures("bystander")
@pytest.mark.parametrize("path", [b"/", b"/ws"], ids=bytes.decode)
def test_a_frame_that_breaks_the_protocol_ends_the_connection_with_the_code_for_it(
    server: RunningServer, path: bytes
) -> None:
    """Each is answered by a close frame of RFC 6455, section 7.4, and by nothing that a good frame would get."""
    for what, (data, code) in BROKEN.items():
        with opened(server, path) as raw:
            raw.say(data)
            raw.say(frame(LAST | TEXT, JOIN))
            frames = raw.frames()
        ends = [int.from_bytes(data[:2], "big") for first, data in frames if first == LAST | CLOSE]
        assert ends == [code], (what, frames)
        assert not any(b"Eve" in data for _, data in frames), what


def test_a_length_without_its_bytes_takes_no_memory(server: RunningServer, bystander: WireClient) -> None:
    """A frame of the longest length, of which little is sent, takes only the memory of what was sent."""
    before = psutil.Process(server.pid).memory_info().rss
    waiting = [opened(server) for _ in range(200)]
    for raw in waiting:
        raw.say(frame(LAST | TEXT, b"{", size=65_536))
    bystander.send_frame("chat", room="quiet", text="meanwhile")
    assert bystander.receive(seconds=30)["text"] == "meanwhile"
    assert psutil.Process(server.pid).memory_info().rss - before < 200 * 64 * 1024
    for raw in waiting:
        raw.socket.close()


OFFERS = [
    b"permessage-deflate",
    b"permessage-deflate; client_max_window_bits; server_max_window_bits=8",
    b"x-webkit-deflate-frame, permessage-deflate, permessage-bzip2",
]


@pytest.mark.usefixtures("bystander")
def test_compression_is_declined_and_a_compressed_frame_ends_the_connection(server: RunningServer) -> None:
    """Without compression there is no bomb that unpacks, and no length that tells of a secret (CRIME, BREACH)."""
    bomb = zlib.compress(bytes(10_000_000), wbits=-15)
    for offer in OFFERS:
        with Raw(server) as raw:
            raw.say(handshake(headers=[b"Sec-WebSocket-Extensions: " + offer]))
            head = raw.head().lower()
            assert head.startswith(b"http/1.1 101 ")
            assert b"sec-websocket-extensions" not in head
            raw.say(frame(LAST | 0x40 | TEXT, bomb))
            assert raw.closing() == 1002, offer
