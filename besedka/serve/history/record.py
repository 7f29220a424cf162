"""The records of an index: what is stored about each message, and their bytes.

The layout of a record, little-endian::

    end and flags          8 bytes: the offset after the message (48 bits), and `Flag` (16 bits)
    length                 4 bytes, of the message with all its line ends
    crc                    4 bytes, CRC-32 of these bytes
    head crc               4 bytes, CRC-32 of the message's first line, with its line end
    check                  4 bytes, CRC-32 of the epoch, the message's id and the above

Offsets are absolute and each record has its own check, so a damaged record spoils no other.
"""

from __future__ import annotations

import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from enum import IntFlag
from itertools import accumulate, chain, repeat
from typing import Final, NamedTuple, TypeAlias

from besedka.serve.history.scan import Entry, Run
from besedka.wire.annotations import is_annotation

_RECORD: Final = struct.Struct("<QIIII")
RECORD_BYTES: Final = _RECORD.size

LENGTH_AT_MOST: Final = (1 << 32) - 1
"""Longest message, in bytes; a log with a longer one cannot be used."""

_END_BITS: Final = 48
_END: Final = (1 << _END_BITS) - 1
_FLAG_BITS: Final = 15
_BODY: Final = struct.Struct("<QIII")
_ID: Final = struct.Struct("<Q")

_CHECKED: Final = struct.Struct(f"{_ID.size + _BODY.size}s")  # what the check covers, behind the epoch


_Column: TypeAlias = "array[int] | memoryview[int]"  # of 32-bit numbers


class Flag(IntFlag):
    """Properties of a message that its bytes do not have, and one that they have: `ANNOTATION`, so that messages can be counted without reading them.

    `VERIFIED` and `UNVERIFIED` say whether its poster owned the name when it was posted; a message with neither was not posted here,
    or its flags were lost with an index.
    """

    NONE = 0
    BEGINS_BATCH = 1
    UNVERIFIED = 2
    VERIFIED = 4
    ANNOTATION = 8


_FLAGS: Final = tuple(map(Flag, range(16)))
"""All flags, by their numbers: making one takes longer than reading a record."""

BEGINNING: Final = {flag: flag | Flag.BEGINS_BATCH for flag in _FLAGS}
"""The flags of a message that begins a batch, by those that it has otherwise."""

ANNOTATING: Final = {flag: flag | Flag.ANNOTATION for flag in _FLAGS}
"""The flags of a message that is an annotation, by those that it has otherwise."""


IS_ANNOTATION: Final = tuple(bool(flag & Flag.ANNOTATION) for flag in _FLAGS)
"""Whether flags are those of an annotation: asking a flag takes ten times as long."""


class Record(NamedTuple):
    """The index's record of a message.

    Attributes:
        end: the offset after it.
        length: its size in bytes, with all line ends.
        crc: CRC-32 of these bytes.
        head_crc: CRC-32 of its first line, with the line end.
        flags: its flags.
    """

    end: int
    length: int
    crc: int
    head_crc: int
    flags: Flag = Flag.NONE

    @property
    def begin(self) -> int:
        """The offset at which it begins."""
        return self.end - self.length

    @classmethod
    def of(cls, message: bytes, end: int, flags: Flag = Flag.NONE) -> Record:
        crc = zlib.crc32(message)
        head = message.find(b"\n") + 1
        head_crc = zlib.crc32(message[:head]) if 0 < head < len(message) else crc
        return cls(end, len(message), crc, head_crc, ANNOTATING[flags] if is_annotation(message) else flags)

    @classmethod
    def of_entry(cls, entry: Entry, flags: Flag = Flag.NONE) -> Record:
        flags = ANNOTATING[flags] if entry.is_annotation else flags
        return cls(entry.end, entry.end - entry.begin, entry.crc, entry.head_crc, flags)

    def fits(self, message: bytes) -> bool:
        """Whether these bytes are the message."""
        return len(message) == self.length and zlib.crc32(message) == self.crc


class RecordFormat:
    """Packs and unpacks the records of one index.

    Args:
        epoch: its epoch, as in its header.
    """

    def __init__(self, epoch: bytes) -> None:
        self._seed = zlib.crc32(epoch)

    def packed(self, first: int, records: Iterable[Record]) -> bytes:
        """The bytes of the records of consecutive messages, the first of them with this id."""
        return b"".join(self._packed(number, record) for number, record in enumerate(records, first))

    def packed_run(self, first: int, run: Run) -> bytes:
        """The same for the messages of a run, with no other flag than `Flag.ANNOTATION`: in a fifth of the time, because no record becomes an object."""
        if sys.byteorder != "little":
            return self.packed(first, map(Record.of_entry, run.entries()))
        messages = run.messages()
        ids = array("Q", range(first, first + len(messages)))
        lengths = array("I", map(len, messages))
        ends = array("Q", accumulate(lengths, initial=run.begin))[1:]
        if run.may_annotate:
            for place, message in enumerate(messages):
                if is_annotation(message):
                    ends[place] |= Flag.ANNOTATION << _END_BITS
        crcs = array("I", map(zlib.crc32, messages))
        head_crcs = array("I", map(zlib.crc32, map(_head, messages))) if run.has_continuations else crcs
        body: list[_Column] = [*_words(ends), lengths, crcs, head_crcs]
        checked = _CHECKED.iter_unpack(_table([*_words(ids), *body]))
        checks = array("I", map(zlib.crc32, chain.from_iterable(checked), repeat(self._seed)))
        return _table([*body, checks])

    def unpacked(self, first: int, data: bytes) -> Iterator[Record | None]:
        """The records of consecutive messages, the first of them with this id; None for each that fails its check."""
        crc32, pack, seed, at = zlib.crc32, _ID.pack, self._seed, 0
        for number, (word, length, crc, head_crc, check) in enumerate(_RECORD.iter_unpack(data), first):
            is_sound = crc32(data[at : at + _BODY.size], crc32(pack(number), seed)) == check
            at += RECORD_BYTES
            flags = _FLAGS[word >> _END_BITS & _FLAG_BITS]
            yield Record(word & _END, length, crc, head_crc, flags) if is_sound else None

    def _packed(self, number: int, record: Record) -> bytes:
        end, length, crc, head_crc, flags = record
        body = _BODY.pack(end | flags << _END_BITS, length, crc, head_crc)
        check = zlib.crc32(body, zlib.crc32(_ID.pack(number), self._seed))
        return body + check.to_bytes(4, "little")


def each_record(found: Iterable[Record | Run]) -> Iterator[Record]:
    """These records, and those of the messages of the runs among them."""
    for one in found:
        if isinstance(one, Run):
            yield from map(Record.of_entry, one.entries())
        else:
            yield one


def _head(message: bytes) -> bytes:
    return message[: message.index(b"\n") + 1]


def _words(numbers: array[int]) -> tuple[_Column, _Column]:
    """The lower and the upper 32 bits of 64-bit numbers."""
    words = memoryview(numbers).cast("B").cast("I")
    return words[::2], words[1::2]


def _table(columns: Sequence[_Column]) -> bytes:
    """32-bit numbers row by row, from columns of them."""
    width = len(columns)
    rows = memoryview(bytearray(4 * width * len(columns[0]))).cast("I")
    for place, column in enumerate(columns):
        rows[place::width] = memoryview(column)
    return rows.tobytes()
