"""Input from a pipe: the same messages whatever its pieces are; and nothing of it is held back for long."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.commands.piped import SEQUENCE_CHARACTERS_AT_MOST, Lines, Plain
from besedka.wire.validation import TEXT_CHARACTERS_AT_MOST

CASES = {
    "one\ntwo\n": ["one", "two"],
    "no end": ["no end"],
    "\n \n\t\n\u200b\n": [],
    "windows\r\nmac\rnel\x85end": ["windows", "mac", "nel", "end"],
    "\x1b[1;31mred\x1b[0m \x1b[2Kcleared \x1b[?25lhidden": ["red cleared hidden"],
    "\x1b]0;title\x07\x1b]8;;http://x/\x1b\\link\x1b]8;;\x1b\\": ["link"],
    "\x1bPdevice\x1b\\\x1b(Bset \x1b=keypad": ["set keypad"],
    "an open \x1b]0;title\nand \x1b[31": ["an open 0;title", "and 31"],
    "\x1b": ["␛"],
    "bell\x07 back\x08": ["bell␇ back␈"],
    "жжж \U0001f600": ["жжж \U0001f600"],
    "x" * 12_001: ["x" * 5_000, "x" * 5_000, "x" * 2_001],
}


def messages(pieces: list[bytes]) -> list[str]:
    lines = Lines()
    return [text for piece in pieces for text in lines.feed(piece)] + list(lines.feed(b"", is_last=True))


def one_by_one(data: bytes) -> list[bytes]:
    return [data[place : place + 1] for place in range(len(data))]


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_lines_are_messages_in_whatever_pieces_they_come(text: str, expected: list[str]) -> None:
    data = text.encode()
    assert messages([data]) == expected
    assert messages(one_by_one(data)) == expected
    assert messages([data, b"\nbehind\n"])[-1] == "behind"


@given(
    st.lists(
        st.sampled_from(["a", "ж", " ", "\n", "\r", "\x1b", "[", "]", "0", ";", "m", "\x07", "\\", "P"])
    ),
    st.lists(st.integers(0, 200)),
)
def test_where_it_is_cut_changes_nothing(characters: list[str], cuts: list[int]) -> None:
    data = "".join(characters).encode()
    places = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    pieces = [data[begin:end] for begin, end in pairwise(places)]
    assert messages(pieces) == messages([data])


@given(st.binary(max_size=300))
def test_any_bytes_are_taken_and_no_message_holds_a_control(data: bytes) -> None:
    for text in messages(one_by_one(data)):
        assert 0 < len(text) <= TEXT_CHARACTERS_AT_MOST
        assert all(
            character.isprintable() or character in "\t\n" or ord(character) > 0x9F for character in text
        )


def test_a_line_and_a_sequence_without_an_end_are_not_kept() -> None:
    lines = Lines()
    for _ in range(100):
        assert all(len(text) == TEXT_CHARACTERS_AT_MOST for text in lines.feed(b"x" * 65_536))
    plain = Plain()
    waiting = plain.feed(b"\x1b]0;")
    given = sum(len(plain.feed(b"y" * 1_000)) for _ in range(100))
    assert waiting == ""
    assert given >= 100_000 - SEQUENCE_CHARACTERS_AT_MOST
