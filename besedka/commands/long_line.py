"""Read a message of any length piece by piece, with the results of `readable_line` and `read_line`. Pure.

Memory use is that of one piece, however long the message is.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final

from besedka.wire.log_line import (
    BOM,
    FIRST_LINE,
    HEAD_BYTES_AT_MOST,
    NO_HEAD,
    read_line,
    without_half_a_line_end,
)
from besedka.wire.message import Message

FIRST_PIECE_BYTES: Final = HEAD_BYTES_AT_MOST + 64
"""The first piece must have at least this size, or hold the whole message: only it is searched for a time and a name."""


def shown(pieces: Iterable[bytes]) -> Iterator[str]:
    """The text of one message from a log, as `readable_line` returns it."""
    rest = iter(pieces)
    first = next(rest, b"")
    if head := FIRST_LINE.match(first):
        first = without_half_a_line_end(first, head.end())
    else:
        yield NO_HEAD
    text = _decoded(chain((first.removeprefix(BOM),), rest))
    yield from _without_line_end(_replaced(text, "\r\n", "\n"))


def read(pieces: Iterable[bytes]) -> tuple[Message, Iterator[str]]:
    """The message as `read_line` returns it: a `Message` without its text, and the text."""
    lines = shown(pieces)
    beginning = ""
    for piece in lines:
        beginning += piece
        if len(beginning) >= FIRST_PIECE_BYTES:
            break
    line = read_line(beginning)
    text = beginning[len(f"[{line.stamp}] {line.user}:") :].removeprefix(" ")
    return Message(line.stamp, line.user, ""), _replaced(chain((text,), lines), "\n\t", "\n")


def _decoded(pieces: Iterable[bytes]) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    for piece in pieces:
        yield decoder.decode(piece)
    yield decoder.decode(b"", final=True)


def _replaced(pieces: Iterable[str], pair: str, by: str) -> Iterator[str]:
    """Replace a pair of characters, of which the first may end a piece."""
    held = ""
    for piece in pieces:
        text = held + piece
        held = pair[0] if text.endswith(pair[0]) else ""
        yield text[: len(text) - len(held)].replace(pair, by)
    yield held


def _without_line_end(pieces: Iterable[str]) -> Iterator[str]:
    held = ""
    for piece in pieces:
        if piece:
            text = held + piece
            held = "\n" if text.endswith("\n") else ""
            yield text[: len(text) - len(held)]
