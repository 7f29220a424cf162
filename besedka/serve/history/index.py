r"""The index of a log: where its messages are, and their checksums.

``chat_history.txt.index`` can be deleted at any time and is made again from the log. Its layout, little-endian::

    header   "besedka index 2\n"    16 bytes
             epoch                 16 bytes, ASCII, padded with NUL
             strange lines          8 bytes, how many lines in front of the last message are not understood
             first strange line     8 bytes, its number, counted from 1; 0 if there is none
             check                  4 bytes, CRC-32 of the above
             (unused)              12 bytes
    record   end and flags          8 bytes: the offset behind the message (48 bits), and `Flag` (16 bits)
             length                 4 bytes, of the message with all its line ends
             crc                    4 bytes, CRC-32 of these bytes
             head crc               4 bytes, CRC-32 of the message's first line, with its line end
             check                  4 bytes, CRC-32 of the epoch, the message's id and the above

Record n is about message n. What stands between the end of one message and the beginning of the next one (lines that are not
understood) belongs to none. Offsets are absolute and each record has a check of its own, so a damaged record spoils no other.

The rules of writing:

- the records of a batch are written before the batch itself, so an index may know more than the log holds, never less;
- they are synced before the batch only where that is needed to tell torn messages from whole ones: if a message of the batch has
  several lines, if it is the first batch since the index was opened or cut (a disk may still hold the records of a batch that
  died), and whenever `SYNC_RECORDS` have gathered, so that only so many at the end can be lost or stale;
- an index may therefore *contradict* its log, at its end. What that means is decided in `recovery`, and never by the index alone.
"""

from __future__ import annotations

import os
import struct
import tempfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from enum import IntFlag
from itertools import repeat
from pathlib import Path
from typing import Final, NamedTuple

from besedka.serve.history.file import Descriptor, sync_directory

MAGIC: Final = b"besedka index 2\n"
HEADER: Final = struct.Struct("<16s16sQQI12x")
RECORD: Final = struct.Struct("<QIIII")
RECORD_BYTES: Final = RECORD.size

SYNC_RECORDS: Final = 4096
"""At most so many records at the end are not synced: what a power cut may have spoiled, and what is looked at after one."""

LENGTH_AT_MOST: Final = (1 << 32) - 1
"""A log with a longer message cannot be used."""

_END_BITS: Final = 48
_END: Final = (1 << _END_BITS) - 1
_FLAG_BITS: Final = 15
_BODY: Final = struct.Struct("<QIII")
_ID: Final = struct.Struct("<Q")
_CHECKED: Final = HEADER.size - 16  # of the header, what its check is of
_AT_ONCE: Final = 4096


class Flag(IntFlag):
    """What is known of a message beside its bytes.

    `VERIFIED` and `UNVERIFIED` say whether its name was its poster's when it was posted; one without either came into the log by
    another way, or from an index that did not say.
    """

    NONE = 0
    BEGINS_BATCH = 1
    UNVERIFIED = 2
    VERIFIED = 4
    ANNOTATION = 8


_FLAGS: Final = tuple(map(Flag, range(16)))
"""All there are, by their numbers: making one takes longer than reading a record."""


class Record(NamedTuple):
    """What the index knows of a message.

    Attributes:
        end: the offset behind it.
        length: bytes, with all line ends.
        crc: CRC-32 of these bytes.
        head_crc: CRC-32 of its first line, with the line end.
        flags: what is known of it beside.
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
        return cls(end, len(message), crc, head_crc, flags)

    def fits(self, message: bytes) -> bool:
        """Whether these bytes are the message."""
        return len(message) == self.length and zlib.crc32(message) == self.crc


class StrangeLines(NamedTuple):
    """Lines that are not understood.

    Attributes:
        lines: how many.
        first: the number of the first one, counted from 1; 0 if there is none.
    """

    lines: int = 0
    first: int = 0

    def plus(self, other: StrangeLines) -> StrangeLines:
        """These, and others behind them."""
        return StrangeLines(self.lines + other.lines, self.first or other.first)

    def told(self) -> str:
        """What whoever reads the log should know of them; empty if there are none."""
        what = "1 line is no message" if self.lines == 1 else f"{self.lines} lines are no messages"
        return f"{what}, first: line {self.first}" if self.lines else ""


class IndexDamaged(OSError):  # noqa: N818 - says what happened
    """A record is missing or impossible: the index must be made again."""


class Index:
    """An index, open. One thread may write it while others read.

    Attributes:
        epoch: names the log.
        count: how many records there are.
        strange: the lines in front of the last message that are not understood.
    """

    def __init__(self, file: Descriptor, name: str) -> None:
        """Take what is there.

        Args:
            file: the open file.
            name: what it is called in errors.

        Raises:
            OSError: as the system says it.
            ValueError: if it is no index, or one of another version.
        """
        self._file = file
        self._name = name
        header = file.read(0, HEADER.size)
        if len(header) < HEADER.size or not header.startswith(MAGIC):
            raise ValueError(f"{name} is no index of a history")
        _, epoch, *strange, check = HEADER.unpack(header)
        if zlib.crc32(header[:_CHECKED]) != check:
            raise ValueError(f"{name} is damaged")
        self.epoch: str = epoch.rstrip(b"\0").decode("ascii", "replace")
        self.strange = StrangeLines(*strange)
        self.count = (file.size - HEADER.size) // RECORD_BYTES
        self._seed = zlib.crc32(epoch)
        self._is_sync_due = True

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> Index:
        """Open the index at a path, as far as its records are sound.

        Raises:
            OSError, ValueError: as the constructor; `FileNotFoundError` if there is none.
        """
        flags = os.O_RDONLY if read_only else os.O_RDWR | os.O_APPEND
        index = cls(Descriptor(path, flags), str(path))
        index.count = index.sound_count(2 * SYNC_RECORDS)
        return index

    @classmethod
    def temporary(cls, epoch: str) -> Index:
        """One without a name, for a log beside which none can be written."""
        with tempfile.TemporaryFile() as nameless:
            file = Descriptor.of(os.dup(nameless.fileno()))
        file.write(_header(epoch, StrangeLines()))
        return cls(file, "an index without a name")

    @classmethod
    def create(cls, path: Path, epoch: str, records: Iterable[Record]) -> Index:
        """Make one with these records, in place of any other, whole or not at all; it is on disk when this returns.

        Raises:
            OSError: as the system says it; then there is none.
        """
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        fresh.unlink(missing_ok=True)
        try:
            file = Descriptor(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND)
            file.write(_header(epoch, StrangeLines()))
            index = cls(file, str(path))
            index.add_all(records)
            file.sync_all()
            fresh.replace(path)
            sync_directory(path)
        finally:
            fresh.unlink(missing_ok=True)
        return index

    def add_all(self, records: Iterable[Record]) -> None:
        """Append records of messages that are in the log already, however many.

        Raises:
            OSError: as the system says it.
        """
        some: list[Record] = []
        for record in records:
            some.append(record)
            if len(some) == _AT_ONCE:
                self.add(some, sync=True)
                some.clear()
        self._append(some)

    def add(self, records: Sequence[Record], *, sync: bool) -> None:
        """Append the records of a batch; on disk when this returns if ``sync``, or if the rules of writing ask for it.

        Raises:
            OSError: as the system says it.
        """
        before = self.count
        self._append(records)
        if sync or self._is_sync_due or before // SYNC_RECORDS != self.count // SYNC_RECORDS:
            self.sync()

    def sync(self) -> None:
        """Wait until all records are on disk.

        Raises:
            OSError: as the system says it.
        """
        self._file.sync()
        self._is_sync_due = False

    def cut(self, count: int) -> None:
        """Forget the records behind the first ``count``, and whatever is behind them.

        Raises:
            OSError: as the system says it.
        """
        self.count = min(count, self.count)
        size = HEADER.size + self.count * RECORD_BYTES
        if size != self._file.size:
            self._is_sync_due = True
            self._file.cut(size)

    def change(self, first: int, records: Sequence[Record]) -> None:
        """Put other records in place of those from message ``first`` on; on disk when this returns.

        Raises:
            OSError: as the system says it.
        """
        data = b"".join(self._packed(number, record) for number, record in enumerate(records, first))
        self._file.overwrite(HEADER.size + (first - 1) * RECORD_BYTES, data)
        self._file.sync()

    def note_strange(self, lines: StrangeLines) -> None:
        """Say how many lines are not understood; a help for the report at the start, and not synced.

        Raises:
            OSError: as the system says it.
        """
        if lines != self.strange:
            self.strange = lines
            self._file.overwrite(0, _header(self.epoch, lines))

    def record(self, number: int) -> Record:
        """The record of a message.

        Raises:
            IndexDamaged: it is not there.
        """
        return next(self.records(number, number))

    def records(self, first: int, last: int) -> Iterator[Record]:
        """The records of messages ``first`` to ``last``.

        Raises:
            IndexDamaged: one is missing, fails its check, or does not follow the one in front of it.
        """
        behind = 0
        for number, record in enumerate(self.sound_records(first, last), first):
            if record is None:
                raise IndexDamaged(f"{self._name} has no sound record of message {number}")
            if record.end - record.length < behind:
                raise IndexDamaged(f"{self._name} contradicts itself before message {number}")
            behind = record.end
            yield record

    def sound_records(self, first: int, last: int) -> Iterator[Record | None]:
        """The records of messages ``first`` to ``last``; None in place of each that is missing, or fails its check."""
        for start in range(first, last + 1, _AT_ONCE):
            size = min(_AT_ONCE, last + 1 - start) * RECORD_BYTES
            data = self._file.read(HEADER.size + (start - 1) * RECORD_BYTES, size)
            whole = len(data) // RECORD_BYTES
            yield from self._unpacked(start, data[: whole * RECORD_BYTES])
            yield from repeat(None, size // RECORD_BYTES - whole)

    def remembered(self, first: int) -> Iterator[Record | None]:
        """The same from message ``first`` on as far as the file goes, which may be further than ``count``."""
        return self.sound_records(first, (self._file.size - HEADER.size) // RECORD_BYTES)

    def is_sound_at(self, number: int) -> bool:
        """Whether there is a record of a message, and passes its check."""
        return next(self.sound_records(number, number)) is not None

    def end_of(self, number: int) -> int:
        """The offset behind a message; 0 for the one in front of the first.

        Raises:
            IndexDamaged: there is no such record.
        """
        return self.record(number).end if number else 0

    def sound_count(self, look_back: int) -> int:
        """How many records there are in front of the first one that fails its check, among the last ``look_back``."""
        first = max(1, self.count - look_back + 1)
        behind = 0
        for number, record in enumerate(self.sound_records(first, self.count), first):
            if record is None or record.begin < behind:
                return number - 1
            behind = record.end
        return self.count

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def first(self, count: int) -> Index:
        """This index, as if it had no more than ``count`` records; its file stays as it is."""
        self.count = min(count, self.count)
        return self

    def copy(self, count: int) -> Index:
        """The first ``count`` records, in an index without a name.

        Raises:
            OSError: as the system says it.
        """
        copied = Index.temporary(self.epoch)
        copied.note_strange(self.strange)
        copied.add_all(self.records(1, count))
        return copied

    def _unpacked(self, first: int, data: bytes) -> Iterator[Record | None]:
        crc32, pack, seed, at = zlib.crc32, _ID.pack, self._seed, 0
        for number, (word, length, crc, head_crc, check) in enumerate(RECORD.iter_unpack(data), first):
            is_sound = crc32(data[at : at + _BODY.size], crc32(pack(number), seed)) == check
            at += RECORD_BYTES
            flags = _FLAGS[word >> _END_BITS & _FLAG_BITS]
            yield Record(word & _END, length, crc, head_crc, flags) if is_sound else None

    def _check(self, number: int, body: bytes) -> int:
        return zlib.crc32(body, zlib.crc32(_ID.pack(number), self._seed))

    def _append(self, records: Sequence[Record]) -> None:
        if not records:
            return
        data = b"".join(self._packed(number, record) for number, record in enumerate(records, self.count + 1))
        self._file.write(data)
        self.count += len(records)

    def _packed(self, number: int, record: Record) -> bytes:
        end, length, crc, head_crc, flags = record
        body = _BODY.pack(end | flags << _END_BITS, length, crc, head_crc)
        return body + self._check(number, body).to_bytes(4, "little")


def index_path(log: Path) -> Path:
    """Where the index of a log is."""
    return log.with_name(f"{log.name}.index")


def _header(epoch: str, strange: StrangeLines) -> bytes:
    body = HEADER.pack(MAGIC, epoch.encode("ascii"), *strange, 0)[:_CHECKED]
    return body + zlib.crc32(body).to_bytes(4, "little") + bytes(HEADER.size - _CHECKED - 4)
