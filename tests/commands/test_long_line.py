"""A message in pieces reads as a whole one does, wherever it is cut."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from besedka.commands import long_line
from besedka.wire.log_line import HEAD_BYTES_AT_MOST, read_line, readable_line

HEADS = [
    b"[2025-11-19 23:46:36] Anna: ",
    b"[2025-11-19 23:46:36] Anna:",
    b"\xef\xbb\xbf[2025-11-19 23:46:36] Anna: ",
    b"[2025-11-19 23:46:36] Anna:\r\n",
    b"[2025-11-19 23:46:36] " + b"a" * HEAD_BYTES_AT_MOST + b": ",
    b"\x00025-11-19 23:46:36] Anna: ",
]
PARTS = [
    b"\n",
    b"\r",
    b"\t",
    b" ",
    b"\r\n",
    b"\n\t",
    b"\r\n\t",
    b"x" * 3000,
    "п".encode(),
    b"\xd0",
    b"\xff",
    b":",
    b"\x00",
]
messages = st.builds(
    lambda head, parts: head + b"".join(parts), st.sampled_from(HEADS), st.lists(st.sampled_from(PARTS))
)


def pieces(raw: bytes, sizes: list[int]) -> list[bytes]:
    """A first piece as long as is asked for, and others of these sizes, over and over."""
    cut = [raw[: long_line.FIRST_PIECE_BYTES]]
    at = long_line.FIRST_PIECE_BYTES
    while at < len(raw):
        for size in sizes:
            cut.append(raw[at : at + size])
            at += size
    return cut


@given(messages, st.lists(st.integers(1, 5000), min_size=1))
def test_a_message_in_pieces_reads_as_a_whole_one(raw: bytes, sizes: list[int]) -> None:
    whole = readable_line(raw)
    assert "".join(long_line.shown(pieces(raw, sizes))) == whole
    line, text = long_line.read(pieces(raw, sizes))
    expected = read_line(whole)
    assert (line.stamp, line.user, "".join(text)) == (expected.stamp, expected.user, expected.text)
