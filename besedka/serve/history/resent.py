"""Finds messages of a log that a client may be resending, by their name and text, from the end backwards. Pure.

Lines are compared as bytes, so that a log full of messages by the same name costs no more than any other, nor one with CR before LF.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, NamedTuple

from besedka.serve.history.search import Block
from besedka.wire.log_line import (
    BOM,
    STAMP_CHARACTERS,
    tombstone,
    write_line,
    written_bytes,
)
from besedka.wire.message import Message, MessageId

_STAMP_END: Final = 1 + STAMP_CHARACTERS
"""From the beginning of a message to the `]` after its time."""


class Found(NamedTuple):
    """A message of the log that may be the one that is resent.

    Attributes:
        id: its id.
        stamp: its time, as the log writes it.
        text: its text, or the tombstone in its place.
    """

    id: MessageId
    stamp: str
    text: str


class Step(NamedTuple):
    """The result of one step.

    Attributes:
        found: the messages, the newest first.
        left: the ids of messages that were not compared yet.
    """

    found: list[Found]
    left: range


class Resent:
    """A message as it would stand in the log, or its tombstone: resending does not restore a redacted text.

    Args:
        user: the name that it is posted under.
        text: its text.
    """

    __slots__ = ("_texts",)

    def __init__(self, user: str, text: str) -> None:
        lines = {
            other: write_line(Message("", user, other))[1:].encode()
            for other in (text, tombstone(written_bytes(text)))
        }
        self._texts = {line: other for other, line in lines.items()}
        # As it stands in a log that came from Windows.
        self._texts |= {line.replace(b"\n", b"\r\n"): other for other, line in lines.items()}

    def is_in(self, data: bytes) -> bool:
        """Whether some bytes of a log hold its name and text."""
        return any(written in data for written in self._texts)

    def among(self, block: Block) -> Iterator[Found]:
        """The messages of a block that are the same, the newest first."""
        return iter(sorted(self._matches(block), reverse=True))

    def _matches(self, block: Block) -> Iterator[Found]:
        data, spans = block.data, None
        for written, text in self._texts.items():
            at = -1
            while (at := data.find(written, at + 1)) >= 0:
                begin, end = at - _STAMP_END, at + len(written)
                if begin < 0 or data[begin : begin + 1] != b"[" or not _ends(data, end):
                    continue
                begin -= len(BOM) if data.endswith(BOM, 0, begin) else 0
                spans = spans or block.spans()
                position = bisect_left(spans, (begin, 0))
                if position < len(spans) and spans[position] in {(begin, end + rest) for rest in range(3)}:
                    stamp = data[at - STAMP_CHARACTERS : at].decode("ascii", "replace")
                    yield Found(MessageId(block.first + position), stamp, text)


def _ends(data: bytes, end: int) -> bool:
    """Whether a message may end here: the line does, perhaps with a CR, and the next one does not continue it."""
    end += data[end : end + 1] == b"\r"
    return data[end : end + 1] in {b"\n", b""} and data[end + 1 : end + 2] != b"\t"
