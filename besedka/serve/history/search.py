"""Searching a log, from its end backwards: which messages hold a text, in capitals or small letters.

Pure: the log comes in as blocks of whole messages, the newest first, and who gives them may stop between two of them.

Nearly no block holds what is searched for. So a block is not taken apart, and not even decoded, unless it may: its bytes are
compared in a form in which a capital and its small letter are the same bytes (`SAME`). Other letters are the same in it, too;
that only costs a closer look. But what is the same letter must never differ. Where it does (``ß`` is the same as ``ss``, the
Kelvin sign as ``k``, and the bytes of ``Ё`` are not near those of ``ё``) the letter is *odd*: blocks that hold it are decoded.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, NamedTuple

from besedka.serve.history.index import Flag
from besedka.wire.log_line import FIRST_LINE, read_line, readable_line

FOUND_BYTES: Final = 32 * 1024
"""An answer ends with the message with which it grows past this, as a page does."""

PROBE_CHARACTERS: Final = 64
"""So much of a long text is looked for in whole blocks; a message that holds so much is looked at itself."""

LETTERS_END: Final = 0x20000
"""Behind it Unicode has no letter with two cases (a test looks)."""

_BREAKS = re.compile("[\n\ufffd]")


def _same(byte: int) -> int:
    """A byte of UTF-8 in the form in which both cases are the same: so they are in Latin, Greek and Cyrillic, with few exceptions."""
    if ord("A") <= byte <= ord("Z"):
        return byte | 0x20
    if 0x80 <= byte < 0xC0:  # noqa: PLR2004 - all bytes behind the first one of a character
        return byte & ~0x20
    # α to ω, and а to я, are half of them behind the one first byte, and half behind the other.
    return {0xCF: 0xCE, 0xD1: 0xD0}.get(byte, byte)


SAME: Final = bytes(map(_same, range(256)))
"""For `bytes.translate`."""


class Block(NamedTuple):
    """Some messages of a log.

    Attributes:
        first: the id of the first one.
        data: their bytes, from the first one's beginning to the last one's end.
        spans: gives where each of them begins and ends in these bytes; asked only where something may be found.
    """

    first: int
    data: bytes
    spans: Callable[[], Sequence[tuple[int, int]]]


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found.

    Attributes:
        ids: of the messages, in order.
        lines: theirs, as pages have them.
        before: all messages from this id on were looked at; 0: all there are.
        flags: what is known of each of them beside, if that was looked for.
    """

    ids: list[int]
    lines: list[str]
    before: int
    flags: list[Flag] = field(default_factory=list)


class Needle:
    """What is searched for.

    Args:
        text: as `clean_search` gives it.
    """

    __slots__ = ("_folded", "_odd", "_piece", "_probe")

    def __init__(self, text: str) -> None:
        self._folded = text.casefold()
        # What stands in a log as it stands in a text: a part of one line, without what bad UTF-8 is shown as.
        self._piece = max(_BREAKS.split(self._folded), key=len)[:PROBE_CHARACTERS]
        self._probe = self._piece.encode().translate(SAME)
        odd = defaultdict(set)
        for character in self._piece:
            for letter in _odd_letters().get(character, ()):
                odd[letter[0]].add(letter)
        # By their first byte, which is rare: most blocks are done with by looking for it.
        self._odd = [(first, tuple(letters)) for first, letters in odd.items()]

    def is_in(self, line: str) -> bool:
        """Whether the text of a message, given by its lines, holds it."""
        return self._folded in read_line(line).text.casefold()

    def candidates(self, block: Block) -> Iterator[tuple[int, str]]:
        """The messages of a block that may hold it, the last one first: ids and lines."""
        data, probe = block.data, self._probe
        if self._is_odd(data):
            if self._piece not in data.decode("utf-8", "replace").casefold():
                return
            same, probe = data, b""
        else:
            same = data.translate(SAME)
            if probe not in same:
                return
        for place, (begin, end) in reversed(tuple(enumerate(block.spans()))):
            head = FIRST_LINE.match(data, begin)
            if same.find(probe, head.end() if head else begin, end) >= 0:
                yield block.first + place, readable_line(data[begin:end])

    def _is_odd(self, data: bytes) -> bool:
        return any(
            first in data and any(letter in data for letter in letters) for first, letters in self._odd
        )


def search(
    blocks: Iterable[Block], needle: Needle, before: int, limit: int, is_enough: Callable[[], bool]
) -> Hits:
    """Search blocks of a log, given from the one with the message before the id ``before`` backwards.

    Args:
        blocks: what to search.
        needle: for what.
        before: of messages from this id on nothing is said.
        limit: how many messages to find at most.
        is_enough: asked behind each block whether to stop there.
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
    """For a folded character all letters that fold to it, alone or with others, and are not the same by `SAME`; as UTF-8."""
    odd = defaultdict(set)
    for letter in map(chr, range(LETTERS_END)):
        folded = letter.casefold()
        if folded != letter:
            written = letter.encode()
            for character in folded:
                if character != folded or written.translate(SAME) != character.encode().translate(SAME):
                    odd[character].add(written)
    return {character: frozenset(letters) for character, letters in odd.items()}
