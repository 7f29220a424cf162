"""Finds messages of a log that a client may be resending, by their name and text, from the end backwards. Pure.

Besedka's own lines are compared as bytes, so that a log full of messages by the same name costs no more than any other. Blocks that another
program has written, with CR before LF, are compared message by message.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final, NamedTuple

from besedka.serve.history.search import Block
from besedka.wire.log_line import (
    BOM,
    STAMP_CHARACTERS,
    read_line,
    readable_line,
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

    __slots__ = ("_texts", "_user")

    def __init__(self, user: str, text: str) -> None:
        self._user = user
        self._texts = {
            write_line(Message("", user, other))[1:].encode(): other
            for other in (text, tombstone(written_bytes(text)))
        }

    def among(self, block: Block) -> Iterator[Found]:
        """The messages of a block that are the same, the newest first."""
        data = block.data
        by_line = b"\r" in data or BOM in data
        found = self._line_by_line(block) if by_line else self._by_bytes(block)
        return iter(sorted(found, reverse=True))

    def _by_bytes(self, block: Block) -> Iterator[Found]:
        data, spans = block.data, None
        for written, text in self._texts.items():
            at = -1
            while (at := data.find(written, at + 1)) >= 0:
                begin, end = at - _STAMP_END, at + len(written)
                if begin < 0 or data[begin : begin + 1] != b"[" or not _ends(data, end):
                    continue
                spans = spans or block.spans()
                position = bisect_left(spans, (begin, 0))
                if position < len(spans) and spans[position] in {(begin, end), (begin, end + 1)}:
                    stamp = data[begin + 1 : at].decode("ascii", "replace")
                    yield Found(MessageId(block.first + position), stamp, text)

    def _line_by_line(self, block: Block) -> Iterator[Found]:
        texts = frozenset(self._texts.values())
        for position, (begin, end) in enumerate(block.spans()):
            message = read_line(readable_line(block.data[begin:end]))
            if message.user == self._user and message.text in texts:
                yield Found(MessageId(block.first + position), message.stamp, message.text)


def _ends(data: bytes, end: int) -> bool:
    """Whether a message may end here: the line does, and the next one does not continue it."""
    return data[end : end + 1] in {b"\n", b""} and data[end + 1 : end + 2] != b"\t"
