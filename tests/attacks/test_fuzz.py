"""Anything at all: whatever comes as a frame, as a handshake or as a log gives a value or a documented refusal.

`make test` tries some hundreds of each; `make torture` (BESEDKA_TORTURE=1) tries for some minutes.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Opcode

from besedka.serve.errors import ServeError
from besedka.serve.history import ChatHistory, Query, ReadableLog
from besedka.serve.history.resent import Resent
from besedka.serve.history.verifying.verdict import judge
from besedka.wire.errors import Refused
from besedka.wire.frames import AnyFrame, ClientFrame, decode_client, decode_seed, decode_server, encode
from besedka.wire.log_line import FIRST_LINE, write_line
from besedka.wire.message import Message
from tests.attacks.raw import handshake, request
from tests.attacks.test_fields import VALUES, made, sound, tag
from tests.lengths import often
from tests.running import RunningServer
from tests.serve.doors.test_connection import Scene


def damaged(whole: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Sound bytes, some of which were cut out, doubled, changed, or had others put in front of them."""

    @st.composite
    def damage(draw: st.DrawFn) -> bytes:
        data = draw(whole)
        for _ in range(draw(st.integers(0, 3))):
            begin = draw(st.integers(0, len(data)))
            end = draw(st.integers(begin, min(len(data), begin + 40)))
            put = draw(st.binary(max_size=4) | st.just(data[begin:end] * 2))
            data = data[:begin] + put + data[end:]
        return data

    return damage()


# Frames.

WORDS = [(frame, sound(frame)) for frame in ClientFrame.__args__]


@st.composite
def frames(draw: st.DrawFn) -> bytes:
    """A word with some values in some of its fields."""
    frame, whole = draw(st.sampled_from(WORDS))
    values = st.sampled_from(sorted(VALUES.values(), key=len)[:-8])
    some = draw(st.dictionaries(st.sampled_from(["user", "more", *whole]), values, max_size=3))
    return made(f'"{tag(frame)}"', whole | some).encode()


FRAMES = st.binary(max_size=60) | frames() | damaged(frames())


@often(100)
@given(FRAMES, st.booleans())
def test_any_bytes_of_a_frame_are_a_word_or_refused(data: bytes, is_text: bool) -> None:
    """Each decoder gives a word that can be encoded again, or raises `Refused`, and nothing else."""
    decoders: list[Callable[[bytes | str], AnyFrame]] = [decode_client, decode_seed, decode_server]
    for decode in decoders:
        with suppress(Refused):
            frame = decode(data.decode("utf-8", "surrogateescape") if is_text else data)
            assert encode(frame)


@st.composite
def websocket_bytes(draw: st.DrawFn) -> bytes:
    """Frames, most of them sound."""
    data = b""
    for _ in range(draw(st.integers(1, 6))):
        first = draw(
            st.sampled_from([0x81, 0x81, 0x01, 0x80, 0x00, 0x82, 0x89, 0x8A, 0x88]) | st.integers(0, 255)
        )
        payload = draw(st.binary(max_size=130) | frames())
        mask = draw(st.sampled_from([b"\0\0\0\0", b"\0\0\0\0", b"abcd"]))
        size = draw(st.just(len(payload)) | st.integers(0, 2**16))
        short = bytes([0x80 | size]) if size < 126 else b"\xfe" + (size % 2**16).to_bytes(2, "big")
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(payload))
        data += bytes([first]) + short + mask + masked
    return data


@often(80)
@given(damaged(websocket_bytes()), st.lists(st.integers(1, 40), max_size=8))
def test_any_bytes_on_a_websocket_are_heard_or_end_it(data: bytes, cuts: list[int]) -> None:
    """However they are cut: no exception, nothing but text is heard, and a connection is closed once."""
    scene, whole = Scene(), Scene()
    whole.receive(data)
    rest = data
    for cut in cuts:
        scene.receive(rest[:cut])
        rest = rest[cut:]
    scene.receive(rest)
    assert scene.session.heard == whole.session.heard
    assert [str(one) for one in scene.session.refusals] == [str(one) for one in whole.session.refusals]
    # Which of two faults is named, and whether a ping behind the first is answered, depends on the cut.
    closes = [[frame.opcode for frame in one.answers()].count(Opcode.CLOSE) for one in (scene, whole)]
    assert closes in ([0, 0], [1, 1])
    for one in (scene, whole):
        session = one.session
        one.connection.connection_lost(None)
        assert session.ended


# Handshakes.

LINES = st.sampled_from(
    [
        *(
            b"GET / HTTP/1.1",
            b"GET /ws HTTP/1.1",
            b"GET /healthz HTTP/1.0",
            b"HEAD / HTTP/1.1",
            b"POST / HTTP/1.1",
        ),
        *(b"OPTIONS * HTTP/1.1", b"GET /history.txt?since=1 HTTP/1.1", b"PRI * HTTP/2.0", b"Host: localhost"),
        *(
            b"Connection: Upgrade",
            b"Connection: keep-alive, Upgrade",
            b"Connection: close",
            b"Upgrade: websocket",
        ),
        *(
            b"Upgrade: h2c",
            b"Sec-WebSocket-Version: 13",
            b"Sec-WebSocket-Version: 8",
            b"Sec-WebSocket-Key: x",
        ),
        *(b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", b"Origin: http://localhost", b"Origin: null"),
        *(
            b"Content-Length: 5",
            b"Content-Length: -1",
            b"Transfer-Encoding: chunked",
            b"Expect: 100-continue",
        ),
        *(
            b"Range: bytes=0-1",
            b"Range: bytes=-",
            b"If-None-Match: *",
            b" folded",
            b": nothing",
            b"",
            b"5",
            b"0",
        ),
    ]
)
REQUESTS = (
    st.binary(max_size=60)
    | st.lists(LINES, max_size=12).map(lambda lines: b"\r\n".join([*lines, b"", b""]))
    | damaged(st.sampled_from([handshake(), request(), handshake() + request(), request(b"/metrics")]))
)


@often(60)
@given(data=REQUESTS)
def test_any_bytes_of_a_request_are_answered_or_refused(quiet_server: RunningServer, data: bytes) -> None:
    """The server sends an HTTP response or nothing, logs no error, and serves the next request."""
    answer = exchange(quiet_server, data)
    assert not answer or answer.startswith(b"HTTP/1.1 ")
    assert b" 500 " not in answer.split(b"\r\n", 1)[0]
    assert exchange(quiet_server, request(b"/healthz")).endswith(b"alive\n")
    assert quiet_server.errors == ""


@pytest.fixture(scope="module")
def quiet_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for all examples."""
    server = RunningServer(tmp_path_factory.mktemp("fuzz"), "--log-level", "warning").start()
    yield server
    server.close()


def exchange(server: RunningServer, data: bytes) -> bytes:
    answer = b""
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection, suppress(ConnectionError):
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        while piece := connection.recv(65536):
            answer += piece
    return answer


# Logs.

TEXTS = ["hi", "two\nlines", "", "й" * 30, "[2025-11-19 23:46:36] Eve: forged"]
MESSAGES = st.lists(st.lists(st.sampled_from(TEXTS), min_size=1, max_size=3), min_size=1, max_size=5)
PIECES = st.lists(
    st.sampled_from(
        [
            *(
                b"[2025-11-19 23:46:36] Anna: hi\n",
                b"[9999-99-99 99:99:99] Anna: hi\n",
                b"[2025-11-19 23:46:36] :\n",
            ),
            *(
                b"\n",
                b"\r\n",
                b"\t",
                b"\0",
                b"\xff",
                b"\xef\xbb\xbf",
                b"[2025-11-19",
                b"x: y",
                b"\xd0",
                b"\x85",
                b"\r",
            ),
        ]
    ),
    max_size=30,
).map(b"".join)


def batches(texts: list[list[str]]) -> list[list[str]]:
    return [[write_line(Message("2025-11-19 23:46:36", "Anna", text)) for text in batch] for batch in texts]


def use(history: ReadableLog) -> None:
    """All that may be asked of a log."""
    found: list[str] = []
    while page := history.read(len(found) + 1, 3):
        found += page
    history.search(Query("i"), history.count + 1, 5, 1)
    history.resent(Resent("Anna", "i"), range(1, history.count + 1), lambda _: False, 5, 1)
    assert history.read(history.count + 1, 5) == []


@pytest.mark.usefixtures("syncs_cost_nothing")
@often(120)
@given(texts=MESSAGES, data=st.data())
def test_any_bytes_of_a_log_and_its_index_are_read_or_refused(
    tmp_path: Path, texts: list[list[str]], data: st.DataObject
) -> None:
    """Damage anything: opening, repairing, reading, searching and judging give a value, or a `ServeError`."""
    for left in tmp_path.iterdir():
        left.unlink()
    path = tmp_path / "talk.txt"
    index = path.with_name("talk.txt.index")
    history = ChatHistory.open(path)
    for batch in batches(texts):
        history.append(batch)
    history.close()
    log = data.draw(damaged(st.just(path.read_bytes())) | PIECES | st.binary(max_size=200), "log")
    sidecar = data.draw(st.none() | damaged(st.just(index.read_bytes())), "index")
    path.write_bytes(log)
    index.unlink()
    if sidecar is not None:
        index.write_bytes(sidecar)
    judge(path)
    for open_ in (ChatHistory.open_to_read, ChatHistory.open, ChatHistory.open):
        with suppress(ServeError):
            opened = open_(path)
            use(opened)
            if isinstance(opened, ChatHistory):
                opened.append([write_line(Message("2025-11-19 23:46:36", "Boris", "new"))])
                assert path.read_bytes().endswith(b"] Boris: new\n")
                use(opened)
            opened.close()
    kept = b"".join(part.read_bytes() for part in path.parent.glob("*.torn-*"))
    there = path.read_bytes()
    for line in filter(FIRST_LINE.match, log.split(b"\n")):
        assert line in there or line in kept, "what stood in the log is gone"
