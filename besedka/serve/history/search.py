"""Case-insensitive search of a log for a text, from its end backwards.

Pure: the log comes in as blocks of whole messages, the newest first, and the caller may stop after any block.

Nearly no block contains the text. So a block is not split, and not even decoded, unless it may contain it: its bytes are compared in a
form in which upper and lower case are the same bytes (`SAME`). Some other letters become the same, too; that only costs a closer look.
But two cases of a letter must never differ. Where they do (``ß`` folds to ``ss``, the Kelvin sign to ``k``, and the bytes of ``Ё`` are far
from those of ``ё``) the letter is *odd*: blocks that contain it are decoded.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, NamedTuple

from besedka.serve.history.record import Flag
from besedka.wire.log_line import FIRST_LINE, read_line, readable_line

FOUND_BYTES: Final = 32 * 1024
"""A result ends with the message that takes it past this size, as a page does."""

PROBE_CHARACTERS: Final = 64
"""The part of a long text that is looked for in whole blocks; a message that contains it is compared with the whole text."""

LETTERS_END: Final = 0x20000
"""The end of Unicode's letters with two cases (a test checks it)."""

_BREAKS = re.compile("[\n\ufffd]")


def _same(byte: int) -> int:
    """A byte of UTF-8 in a form in which both cases are the same; this holds in Latin, Greek and Cyrillic, with few exceptions."""
    if ord("A") <= byte <= ord("Z"):
        return byte | 0x20
    if 0x80 <= byte < 0xC0:  # noqa: PLR2004 - all bytes behind the first one of a character
        return byte & ~0x20
    # Half of α to ω, and of а to я, have one first byte, and half the other.
    return {0xCF: 0xCE, 0xD1: 0xD0}.get(byte, byte)


SAME: Final = bytes(map(_same, range(256)))
"""For `bytes.translate`."""


class Block(NamedTuple):
    """Some messages of a log.

    Attributes:
        first: the id of the first message.
        data: their bytes, from the beginning of the first message to the end of the last.
        spans: returns the begin and end of each message in these bytes; called only if the block may contain the text.
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


class Needle:
    """The text to search for.

    Args:
        text: the text, as returned by `clean_search`.
    """

    __slots__ = ("_folded", "_odd", "_piece", "_probe")

    def __init__(self, text: str) -> None:
        self._folded = text.casefold()
        # The log has the same bytes as the text only within a line, and without the replacement characters of invalid UTF-8.
        self._piece = max(_BREAKS.split(self._folded), key=len)[:PROBE_CHARACTERS]
        self._probe = self._piece.encode().translate(SAME)
        odd = defaultdict(set)
        for character in self._piece:
            for letter in _odd_letters().get(character, ()):
                odd[letter[0]].add(letter)
        # By their first byte, which is rare: most blocks do not contain it.
        self._odd = [(first, tuple(letters)) for first, letters in odd.items()]

    def is_in(self, line: str) -> bool:
        """Whether the text of a message, given by its lines, contains it."""
        return self._folded in read_line(line).text.casefold()

    def candidates(self, block: Block) -> Iterator[tuple[int, str]]:
        """The messages of a block that may contain it, the last one first: ids and lines."""
        data = block.data
        if not self.may_be_in(data):
            return
        same, probe = (data, b"") if self._is_odd(data) else (data.translate(SAME), self._probe)
        for position, (begin, end) in reversed(tuple(enumerate(block.spans()))):
            head = FIRST_LINE.match(data, begin)
            if same.find(probe, head.end() if head else begin, end) >= 0:
                yield block.first + position, readable_line(data[begin:end])

    def may_be_in(self, data: bytes) -> bool:
        """Whether some bytes of a log may contain it."""
        if self._is_odd(data):
            return self._piece in data.decode("utf-8", "replace").casefold()
        return self._probe in data.translate(SAME)

    def _is_odd(self, data: bytes) -> bool:
        return any(
            first in data and any(letter in data for letter in letters) for first, letters in self._odd
        )


def search(
    blocks: Iterable[Block], needle: Needle, before: int, limit: int, is_enough: Callable[[], bool]
) -> Hits:
    """Search blocks of a log, from the one with the message before the id ``before`` backwards.

    Args:
        blocks: the blocks to search.
        needle: the text to search for.
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


@cache
def _odd_letters() -> Mapping[str, frozenset[bytes]]:
    """For each folded character, the letters that fold to it, alone or with others, but differ from it under `SAME`; as UTF-8."""
    odd = defaultdict(set)
    for letter in map(chr, range(LETTERS_END)):
        folded = letter.casefold()
        if folded != letter:
            written = letter.encode()
            for character in folded:
                if character != folded or written.translate(SAME) != character.encode().translate(SAME):
                    odd[character].add(written)
    return {character: frozenset(letters) for character, letters in odd.items()}
