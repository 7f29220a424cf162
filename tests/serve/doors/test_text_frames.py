"""Whole messages of text are read without a protocol as the protocol reads them, and written as it writes them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from besedka.serve.doors.websocket.frames import encode_frames
from besedka.serve.doors.websocket.text_frames import text_frames
from besedka.wire.frames import Typing, encode
from besedka.wire.validation import FRAME_BYTES_AT_MOST

SIZES = st.sampled_from([0, 1, 125, 126, 127, 300, 65_535, FRAME_BYTES_AT_MOST, FRAME_BYTES_AT_MOST + 1])
TEXTS = SIZES.map(lambda size: Frame(Opcode.TEXT, bytes(range(256)) * (size // 256) + bytes(size % 256)))
OTHERS = st.sampled_from(
    [
        Frame(Opcode.TEXT, b"the begin", fin=False),
        Frame(Opcode.CONT, b"ning"),
        Frame(Opcode.BINARY, b"\0"),
        Frame(Opcode.PING, b"?"),
        Frame(Opcode.CLOSE, b"\x03\xe8"),
    ]
)
STREAMS = st.one_of(
    st.lists(st.one_of(TEXTS, TEXTS, OTHERS), max_size=5).map(
        lambda frames: b"".join(frame.serialize(mask=True) for frame in frames)
    ),
    st.lists(st.sampled_from([b"\x81\x01a", b"\xc1\x81abcdx", b"\x81\xff", b"\x83\x80abcd"])).map(b"".join),
    st.binary(max_size=20),
)


def read(data: bytes) -> tuple[list[tuple[Opcode, bytes, bool]], str]:
    """The frames that the protocol reads in data, and the error that it ends with."""
    protocol = ServerProtocol(state=State.OPEN, max_size=FRAME_BYTES_AT_MOST)
    protocol.receive_data(data)
    frames = [event for event in protocol.events_received() if isinstance(event, Frame)]
    return [(frame.opcode, bytes(frame.data), frame.fin) for frame in frames], repr(protocol.parser_exc)


@given(STREAMS, st.integers(1, 4), st.data())
def test_the_messages_are_those_that_the_protocol_reads(
    data: bytes, at_most: int, draw: st.DataObject
) -> None:
    data = data[: draw.draw(st.integers(0, len(data)))]
    messages, end = text_frames(data, at_most)
    assert len(messages) == at_most or end == len(data) * bool(messages)
    rest, how = read(data[end:])
    assert read(data) == ([(Opcode.TEXT, message, True) for message in messages] + rest, how)


@given(st.lists(SIZES, min_size=1, max_size=4), st.integers(1, 4))
def test_all_messages_that_are_not_too_long_are_read(sizes: list[int], at_most: int) -> None:
    data = b"".join(Frame(Opcode.TEXT, b"x" * size).serialize(mask=True) for size in sizes)
    messages, _ = text_frames(data, at_most)
    looked_at = sizes[:at_most]
    fit = max(looked_at) < FRAME_BYTES_AT_MOST
    assert [*map(len, messages)] == (looked_at if fit else [])


@pytest.mark.parametrize("size", [125, 126, 65_535, 65_536])
def test_a_frame_of_the_server_has_the_header_that_the_protocol_gives_it(size: int) -> None:
    typing = Typing(room="", user="x" * (size - len(encode(Typing(room="", user="")))))
    assert len(encode(typing)) == size
    assert encode_frames([typing, typing]) == 2 * Frame(Opcode.TEXT, encode(typing)).serialize(mask=False)
