r"""The sidecar of a log: where its messages are, how long they are, and their checksums.

``chat_history.txt.index`` can be deleted at any time and is made again from the log. Its layout, little-endian::

    header   "besedka index 1\n"    16 bytes
             epoch                 16 bytes, ASCII, padded with NUL
             start                  8 bytes, where the first message begins (behind a BOM, or a preamble)
    record   length                 4 bytes, of a message with all its line ends; the highest bit marks the first
                                    message of a batch
             crc32                  4 bytes, of the same bytes

Records of a batch are written before the batch itself. So whatever a crash leaves of a log, its whole messages can be
told from torn ones. They are synced beforehand only if a message of the batch has several lines: a torn end of a message
of one line shows by itself.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from besedka.serve.history.file import BLOCK_BYTES, Descriptor

MAGIC: Final = b"besedka index 1\n"
HEADER: Final = struct.Struct("<16s16sQ")
RECORD_BYTES: Final = 8
CRC_BYTES: Final = 4
BATCH_BIT: Final = 1 << 31
LENGTH_AT_MOST: Final = (1 << 22) - 1
"""4 MiB, hundreds of times what Besedka writes; a log with a longer message has no index."""

START_AT_MOST: Final = 1 << 62
"""No log's first message begins beyond it, and behind it places could not be told to the system: there they have 63 bits."""

_RECORDS_AT_ONCE: Final = 64 * 1024
_STRIDE: Final = 256
"""Messages that are added up at once. So many of the longest length stay below the batch bit."""

_BATCH_MESSAGES_AT_MOST: Final = 65_536
"""How far back the beginning of the last batch is looked for."""

_BATCH_STEP: Final = 256

_NEAR: Final = BLOCK_BYTES // 2


class Record(NamedTuple):
    """What the index knows of a message.

    Attributes:
        length: bytes, with all line ends.
        crc: CRC-32 of these bytes.
        begins_batch: whether it is the first of those that were written together.
    """

    length: int
    crc: int
    begins_batch: bool = False

    @classmethod
    def of(cls, message: bytes, *, begins_batch: bool = False) -> Record:
        return cls(len(message), zlib.crc32(message), begins_batch)

    def fits(self, message: bytes) -> bool:
        """Whether these bytes are the message."""
        return len(message) == self.length and zlib.crc32(message) == self.crc


class Places:
    """Where messages begin: about one entry for each block of the log, so that any message is found by one block."""

    def __init__(self) -> None:
        self._ids = array("Q")
        self._offsets = array("Q")

    def note(self, number: int, offset: int) -> None:
        """Message ``number`` begins here; noted only if the last entry is far enough away."""
        if not self._offsets or offset - self._offsets[-1] >= _NEAR:
            self._ids.append(number)
            self._offsets.append(offset)

    def before(self, number: int) -> tuple[int, int]:
        """The nearest entry at or before a message: its id and offset."""
        entry = bisect_right(self._ids, number, hi=len(self._offsets)) - 1
        return self._ids[entry], self._offsets[entry]

    def up_to(self, number: int) -> Places:
        """The same without the entries behind a message."""
        count = bisect_right(self._ids, number)
        places = Places()
        places._ids, places._offsets = self._ids[:count], self._offsets[:count]
        return places

    def backwards(self, number: int, end: int) -> Iterator[tuple[int, int, int]]:
        """The stretches between entries, from the one with a message backwards to the first.

        Args:
            number: the message.
            end: where the last stretch ends.

        Yields:
            The id of the first message of a stretch, where it begins and where it ends.
        """
        count = len(self._offsets)
        entry = bisect_right(self._ids, number, hi=count) - 1
        if entry + 1 < count:
            end = self._offsets[entry + 1]
        for at in range(entry, -1, -1):
            begin = self._offsets[at]
            yield self._ids[at], begin, end
            end = begin

    def before_offset(self, offset: int) -> tuple[int, int]:
        """The nearest entry that begins at or before an offset: its id and offset."""
        entry = max(0, bisect_right(self._offsets, offset) - 1)
        return self._ids[entry], self._offsets[entry]


class Index:
    """The sidecar file of a log, open.

    Attributes:
        epoch: names the log.
        start: where its first message begins.
        count: how many records there are.
        is_writable: whether it may be changed.
    """

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open it.

        Raises:
            OSError: as the system says it.
            ValueError: if it is no index.
        """
        self.is_writable = not read_only
        self._path = path
        self._sum: tuple[Places, int] | None = None
        self._file = Descriptor(path, os.O_RDONLY if read_only else os.O_RDWR | os.O_APPEND)
        header = self._file.read(0, HEADER.size)
        if len(header) < HEADER.size or not header.startswith(MAGIC):
            raise ValueError(f"{path} is no index of a history")
        _, epoch, self.start = HEADER.unpack(header)
        if self.start > START_AT_MOST:
            raise ValueError(f"{path} is damaged: no history begins at byte {self.start}")
        self.epoch = epoch.rstrip(b"\0").decode("ascii", "replace")
        self.count = self._whole_records()
        if self.is_writable and self._file.size != HEADER.size + self.count * RECORD_BYTES:
            self.cut(self.count)

    @classmethod
    def create(cls, path: Path, epoch: str, start: int) -> Index:
        """Make a new one, in place of any other."""
        path.unlink(missing_ok=True)
        fresh = Descriptor(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND)
        fresh.write(HEADER.pack(MAGIC, epoch.encode("ascii"), start))
        os.fsync(fresh.number)
        return cls(path)

    def add(self, records: Sequence[Record], *, sync: bool = False) -> None:
        """Append records.

        Raises:
            OSError: as the system says it.
            ValueError: if a message is longer than `LENGTH_AT_MOST`.
        """
        numbers = array("I")
        for record in records:
            if record.length > LENGTH_AT_MOST:
                raise ValueError(f"a message of {record.length} bytes is longer than an index can tell")
            numbers.append(record.length | (BATCH_BIT if record.begins_batch else 0))
            numbers.append(record.crc)
        self._sum = None
        self._file.write(_little(numbers).tobytes())
        if sync:
            self._file.sync()
        self.count += len(records)

    def cut(self, count: int) -> None:
        """Forget the records behind the first ``count``, and whatever is behind them."""
        self._sum = None
        self._file.cut(HEADER.size + count * RECORD_BYTES)
        self.count = count

    def change(self, number: int, crc: int) -> None:
        """Note that a message has other bytes now, as many as before; on disk when this returns.

        Raises:
            OSError: as the system says it.
        """
        own = Descriptor(self._path, os.O_WRONLY)
        if not own.is_same_file(self._file):
            raise FileNotFoundError(errno.ENOENT, "the index was replaced", str(self._path))
        own.overwrite(HEADER.size + number * RECORD_BYTES - CRC_BYTES, crc.to_bytes(CRC_BYTES, "little"))
        own.sync()
        own.close()

    def records(self, first: int = 1) -> Iterator[Record]:
        """The records from message ``first`` on."""
        for numbers in self._numbers(first):
            for place in range(0, len(numbers), 2):
                word = numbers[place]
                yield Record(word & LENGTH_AT_MOST, numbers[place + 1], bool(word & BATCH_BIT))

    def add_up(self) -> tuple[Places, int]:
        """The places of all messages, and the offset behind the last one.

        Adds up hundreds of lengths at once: ten million take a fifth of a second, the first time.
        """
        if self._sum is None:
            self._sum = self._add_up()
        return self._sum

    def _add_up(self) -> tuple[Places, int]:
        places = Places()
        offset: int = self.start
        number = 1
        for numbers in self._numbers(1):
            lengths = numbers[::2]
            for begin in range(0, len(lengths), _STRIDE):
                some = lengths[begin : begin + _STRIDE]
                total = sum(some) % BATCH_BIT
                if total >= _NEAR:
                    for length in some:
                        places.note(number, offset)
                        offset += length & LENGTH_AT_MOST
                        number += 1
                else:
                    places.note(number, offset)
                    offset += total
                    number += len(some)
        return places, offset

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def where(self, places: Places, number: int) -> tuple[int, Record]:
        """Where a message begins, and what is known of it."""
        near, offset = places.before(number)
        for at, record in enumerate(self.records(near), near):
            if at == number:
                return offset, record
            offset += record.length
        raise IndexError(number)

    def within(self, places: Places, size: int) -> tuple[int, int]:
        """How many messages end within the first ``size`` bytes of the log, and where the last of them ends."""
        if not self.count or size <= self.start:
            return 0, self.start
        number, offset = places.before_offset(size)
        for record in self.records(number):
            if offset + record.length > size:
                break
            offset += record.length
            number += 1
        return number - 1, offset

    def last_batch(self, places: Places, count: int) -> tuple[int, int]:
        """The first message of the last batch among the first ``count``, and where it begins."""
        if not count:
            return 1, self.start
        first = count
        for start in range(count - _BATCH_STEP + 1, count - _BATCH_MESSAGES_AT_MOST, -_BATCH_STEP):
            begins = [
                number
                for number, record in enumerate(
                    islice(self.records(max(1, start)), _BATCH_STEP), max(1, start)
                )
                if record.begins_batch and number <= count
            ]
            first = begins[-1] if begins else max(1, start)
            if begins or start <= 1:
                break
        return first, self.where(places, first)[0]

    def _whole_records(self) -> int:
        """How many there are, without a half one, or empty ones that a crash may have left behind."""
        count = (self._file.size - HEADER.size) // RECORD_BYTES
        while count and not any(self._file.read(HEADER.size + (count - 1) * RECORD_BYTES, RECORD_BYTES)):
            count -= 1
        return count

    def _numbers(self, first: int) -> Iterator[array[int]]:
        at, end = HEADER.size + (first - 1) * RECORD_BYTES, HEADER.size + self.count * RECORD_BYTES
        while at < end:
            data = self._file.read(at, min(_RECORDS_AT_ONCE * RECORD_BYTES, end - at))
            numbers = array("I", data[: len(data) // RECORD_BYTES * RECORD_BYTES])
            if not numbers:
                return
            yield _little(numbers)
            at += len(numbers) * numbers.itemsize


def index_path(log: Path) -> Path:
    """The sidecar of a log."""
    return log.with_name(f"{log.name}.index")


def _little(numbers: array[int]) -> array[int]:
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
