"""Search of a log for a text, a name or a time, from its end backwards, whatever the case and the spelling of letters.

Pure: the log comes in as blocks of whole messages, the newest first, and the caller may stop after any block.

Nearly no block contains the text. So a block is not split, and not even decoded, unless it may contain it (`folding`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from besedka.serve.history.folding import Probe, fold
from besedka.serve.history.record import Flag
from besedka.wire.log_line import FIRST_LINE, read_line, readable_line
from besedka.wire.validation import VARIATIONS

FOUND_BYTES: Final = 32 * 1024
"""A result ends with the message that takes it past this size, as a page does."""


_NO_LETTERS: Final = re.compile(r"\W+")


class Block(NamedTuple):
    """Some messages of a log.

    Attributes:
        first: the id of the first message.
        data: their bytes, from the beginning of the first message to the end of the last.
        spans: returns the begin and end of each message in these bytes; called only if the block may contain what is searched for.
    """

    first: int
    data: bytes
    spans: Callable[[], Sequence[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Hits:
    """The result of a search.

    Attributes:
        ids: the ids of the messages found, in order.
        lines: their lines, as in pages.
        before: the id from which on all messages were searched; 0: the whole log.
        flags: the flags of each message, if they were looked up.
    """

    ids: list[int]
    lines: list[str]
    before: int
    flags: list[Flag] = field(default_factory=list)


class Query(NamedTuple):
    """A search: each message that is found fits all that is not empty, and something is not.

    Attributes:
        text: part of the message's text.
        user: the whole name of its author, in any case, spelling and number of blanks.
        from_stamp: the earliest time, as the log writes it.
        to_stamp: the time before which it is.
    """

    text: str
    user: str = ""
    from_stamp: str = ""
    to_stamp: str = ""


class Needle:
    """A query, prepared to be looked for.

    Args:
        query: the search; its text is as returned by `clean_search`.
    """

    __slots__ = ("_is_in_text", "_probe", "_query", "_text", "_user")

    def __init__(self, query: Query) -> None:
        self._query = query
        self._text, self._user = fold(query.text), _as_compared(query.user)
        self._is_in_text = bool(self._text)
        # Of a name only a word stands in the log as it is compared.
        self._probe = Probe(self._text or max(_NO_LETTERS.split(self._user), key=len))

    def is_in(self, line: str) -> bool:
        """Whether a message, given by its lines, is one of those searched for."""
        message, query = read_line(line), self._query
        return (
            (not query.from_stamp or message.stamp >= query.from_stamp)
            and (not query.to_stamp or message.stamp < query.to_stamp)
            and (not self._user or _as_compared(message.user) == self._user)
            and self._text in fold(message.text)
        )

    def candidates(self, block: Block) -> Iterator[tuple[int, str]]:
        """The messages of a block that may be searched for, the last one first: ids and lines."""
        data = block.data
        if not self._probe.may_be_in(data):
            return
        form, probe = self._probe.form(data)
        for position, (begin, end) in reversed(tuple(enumerate(block.spans()))):
            first = FIRST_LINE.match(data, begin)
            head = first.end() if first else begin
            start, stop = (head, end) if self._is_in_text else (begin, head)
            if form.find(probe, start, stop) >= 0:
                yield block.first + position, readable_line(data[begin:end])

    def may_be_in(self, stretch: bytes) -> bool:
        """Whether a stretch of a log, of many blocks, may contain it."""
        return self._probe.may_be_in(stretch, is_stretch=True)


def _as_compared(name: str) -> str:
    return " ".join(VARIATIONS.sub("", fold(name)).split())


def search(
    blocks: Iterable[Block], needle: Needle, before: int, limit: int, is_enough: Callable[[], bool]
) -> Hits:
    """Search blocks of a log, from the one with the message before the id ``before`` backwards.

    Args:
        blocks: the blocks to search.
        needle: the messages to search for.
        before: the id from which on messages are left out.
        limit: the most messages to find.
        is_enough: called after each block; whether to stop there.
    """
    found: list[tuple[int, str]] = []
    size = 0
    for block in blocks:
        for number, line in needle.candidates(block):
            if number < before and needle.is_in(line):
                found.append((number, line))
                size += len(line.encode())
                if len(found) == limit or size > FOUND_BYTES:
                    return _hits(found, number)
        if is_enough():
            return _hits(found, block.first)
    return _hits(found, 0)


def _hits(found: list[tuple[int, str]], before: int) -> Hits:
    ids, lines = ([*part] for part in zip(*reversed(found), strict=True)) if found else ([], [])
    return Hits(ids, lines, before if before > 1 else 0)
