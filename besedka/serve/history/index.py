r"""The index of a log: the offsets and checksums of its messages.

``chat_history.txt.index`` can be deleted at any time and is rebuilt from the log. Its layout, little-endian::

    header   "besedka index 2\n"    16 bytes
             epoch                 16 bytes, ASCII, padded with NUL
             strange lines          8 bytes, the number of lines before the last message that are not understood
             first strange line     8 bytes, its number, counted from 1; 0 if there is none
             check                  4 bytes, CRC-32 of the above
             (unused)              12 bytes
    records  24 bytes each, as in `record`

Record n describes message n. Bytes between the end of one message and the beginning of the next (lines that are not understood) belong
to neither.

The rules of writing:

- the records of a batch are written before the batch itself, so an index may describe more than the log holds, never less;
- they are synced before the batch only where torn messages would otherwise look like whole ones: if a message of the batch has
  several lines, if it is the first batch since the index was opened or cut (the disk may still hold the records of a lost batch), and
  whenever `SYNC_RECORDS` have gathered, so that no more than these can be lost or stale at the end;
- an index may therefore *contradict* the end of its log. `opening` decides what that means, and never by the index alone.
"""

from __future__ import annotations

import logging
import os
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from pathlib import Path
from typing import Final, NamedTuple

from besedka.serve.files.descriptor import (
    Descriptor,
    create_private,
    fresh_beside,
    open_regular,
    reason,
    sync_directory,
)
from besedka.serve.history.record import RECORD_BYTES, Record, RecordFormat
from besedka.serve.history.scan import Run
from besedka.serve.repeated_error import RepeatedError

_unkept: Final = RepeatedError(logging.getLogger(__name__))

MAGIC: Final = b"besedka index 2\n"
HEADER: Final = struct.Struct("<16s16sQQI12x")

SYNC_RECORDS: Final = 4096
"""Most records at the end that are not synced: a power cut may have spoiled them, and they are checked after one."""

_CHECKED: Final = HEADER.size - 16  # the part of the header that its check covers
_AT_ONCE: Final = 4096


class StrangeLines(NamedTuple):
    """Lines that are not understood.

    Attributes:
        lines: their number.
        first: the number of the first one, counted from 1; 0 if there is none.
    """

    lines: int = 0
    first: int = 0

    def plus(self, other: StrangeLines) -> StrangeLines:
        """These, followed by others."""
        return StrangeLines(self.lines + other.lines, self.first or other.first)

    def report(self) -> str:
        """A report for people who read the log; empty if there are none."""
        lines = "1 line is no message" if self.lines == 1 else f"{self.lines} lines are no messages"
        return f"{lines}, first: line {self.first}" if self.lines else ""


class IndexDamaged(OSError):  # noqa: N818 - says what happened
    """A record is missing or impossible: the index must be rebuilt."""


class Index:
    """An index, open. One thread may write it while others read.

    Attributes:
        epoch: the name of the log.
        count: the number of records.
        strange: the lines before the last message that are not understood.
    """

    def __init__(self, file: Descriptor, name: str, *, has_name: bool = True) -> None:
        """Read the header of an index.

        Args:
            file: the open file.
            name: its name in errors.
            has_name: whether it can be opened again later.

        Raises:
            OSError: from the system.
            ValueError: if it is no index, or one of another version.
        """
        self._file = file
        self._name = name
        self._has_name = has_name
        header = file.read(0, HEADER.size)
        if len(header) < HEADER.size or not header.startswith(MAGIC):
            raise ValueError(f"{name} is no index of a history")
        _, epoch, *strange, check = HEADER.unpack(header)
        if zlib.crc32(header[:_CHECKED]) != check:
            raise ValueError(f"{name} is damaged")
        self.epoch: str = epoch.rstrip(b"\0").decode("ascii", "replace")
        self.strange = StrangeLines(*strange)
        self.count = (file.size - HEADER.size) // RECORD_BYTES
        self._format = RecordFormat(epoch)
        self._is_sync_due = True

    @classmethod
    def open(cls, path: Path, check: Callable[[Descriptor], None], *, read_only: bool = False) -> Index:
        """Open the index at a path, up to its first unsound record.

        Args:
            path: where it is.
            check: raises an error if the open file is not to be believed.
            read_only: whether it is only read.

        Raises:
            OSError, ValueError: as the constructor; `FileNotFoundError` if there is none.
        """
        file = open_regular(path, os.O_RDONLY if read_only else os.O_RDWR | os.O_APPEND)
        check(file)
        index = cls(file, str(path))
        index.count = index.sound_count(2 * SYNC_RECORDS)
        return index

    @classmethod
    def temporary(cls, epoch: str) -> Index:
        """An index without a name, for a log beside which none can be written."""
        with tempfile.TemporaryFile() as nameless:
            file = Descriptor.of(os.dup(nameless.fileno()))
        file.write(_header(epoch, StrangeLines()))
        return cls(file, "an index without a name", has_name=False)

    @classmethod
    def create(cls, path: Path, epoch: str, records: Iterable[Record | Run]) -> Index:
        """Create an index with these records, in place of any other, whole or not at all; it is on disk on return.

        Raises:
            OSError: from the system; then there is no new index.
        """
        fresh = fresh_beside(path, str(os.getpid()))
        try:
            file = create_private(fresh, os.O_RDWR | os.O_APPEND)
            file.write(_header(epoch, StrangeLines()))
            index = cls(file, str(path), has_name=False)
            index.add_all(records)
            file.sync_all()
            fresh.replace(path)
            index._has_name = True
            sync_directory(path)
        finally:
            fresh.unlink(missing_ok=True)
        return index

    def add_all(self, records: Iterable[Record | Run]) -> None:
        """Append any number of records of messages that are in the log already; of a run, those of its messages, with no flag but `Flag.ANNOTATION`.

        Raises:
            OSError: from the system.
        """
        for chunk in _chunks(records):
            first, pack = self.count + 1, self._format
            self._append_synced(
                pack.packed_run(first, chunk) if isinstance(chunk, Run) else pack.packed(first, chunk)
            )

    def write(self, records: Sequence[Record], *, sync: bool) -> bool:
        """Append the records of a batch. Returns whether `file` must be synced before the batch is written: if ``sync``, or by the rules of writing.

        Raises:
            OSError: from the system.
        """
        has_gathered = self._append(self._format.packed(self.count + 1, records))
        return self._has_name and (sync or self._is_sync_due or has_gathered)

    def note_synced(self) -> None:
        """Note that all records are on disk, because somebody else has synced the file."""
        self._is_sync_due = False

    def sync(self) -> None:
        """Wait until all records are on disk; an index without a name is lost with the server anyway.

        Raises:
            OSError: from the system.
        """
        if self._has_name:
            self._file.sync()
        self.note_synced()

    @property
    def file(self) -> Descriptor:
        """The open file."""
        return self._file

    def cut(self, count: int) -> None:
        """Truncate the index to its first ``count`` records.

        Raises:
            OSError: from the system.
        """
        self.count = min(count, self.count)
        size = HEADER.size + self.count * RECORD_BYTES
        if size != self._file.size:
            self._is_sync_due = True
            self._file.cut(size)

    def change(self, first: int, records: Sequence[Record]) -> None:
        """Overwrite the records from message ``first`` on; they are on disk on return.

        Raises:
            OSError: from the system.
        """
        data = self._format.packed(first, records)
        self._file.overwrite(HEADER.size + (first - 1) * RECORD_BYTES, data)
        self._file.sync()

    def note_strange(self, lines: StrangeLines) -> None:
        """Store the lines that are not understood; only for the report at the start, so not synced.

        Raises:
            OSError: from the system.
        """
        if lines != self.strange:
            self.strange = lines
            self._file.overwrite(0, _header(self.epoch, lines))

    def record(self, number: int) -> Record:
        """The record of a message.

        Raises:
            IndexDamaged: it is missing or unsound.
        """
        return next(self.records(number, number))

    def records(self, first: int, last: int) -> Iterator[Record]:
        """The records of messages ``first`` to ``last``.

        Raises:
            IndexDamaged: one is missing, fails its check, or overlaps the one before it.
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
        """The records of messages ``first`` to ``last``; None for each that is missing or fails its check."""
        for start in range(first, last + 1, _AT_ONCE):
            size = min(_AT_ONCE, last + 1 - start) * RECORD_BYTES
            data = self._file.read(HEADER.size + (start - 1) * RECORD_BYTES, size)
            whole = len(data) // RECORD_BYTES
            yield from self._format.unpacked(start, data[: whole * RECORD_BYTES])
            yield from repeat(None, size // RECORD_BYTES - whole)

    def remembered(self, first: int) -> Iterator[Record | None]:
        """The sound records from message ``first`` to the end of the file, which may be beyond ``count``."""
        return self.sound_records(first, (self._file.size - HEADER.size) // RECORD_BYTES)

    def is_sound_at(self, number: int) -> bool:
        """Whether a message has a record that passes its check."""
        return next(self.sound_records(number, number)) is not None

    def end_of(self, number: int) -> int:
        """The offset after a message; 0 for number 0.

        Raises:
            IndexDamaged: there is no such record.
        """
        return self.record(number).end if number else 0

    def sound_count(self, look_back: int) -> int:
        """The number of records before the first unsound one; only the last ``look_back`` are checked."""
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
        """This index, limited to ``count`` records; its file stays as it is."""
        self.count = min(count, self.count)
        return self

    def copy(self, count: int) -> Index:
        """Copy the first ``count`` records to an index without a name.

        Raises:
            OSError: from the system.
        """
        copied = Index.temporary(self.epoch)
        copied.note_strange(self.strange)
        copied.add_all(self.records(1, count))
        return copied

    def _append_synced(self, records: bytes) -> None:
        for at in range(0, len(records), SYNC_RECORDS * RECORD_BYTES):
            if self._append(records[at : at + SYNC_RECORDS * RECORD_BYTES]):
                self.sync()

    def _append(self, records: bytes) -> bool:
        """Append packed records; returns whether `SYNC_RECORDS` have gathered."""
        before = self.count
        if records:
            self._file.write(records)
            self.count += len(records) // RECORD_BYTES
        return before // SYNC_RECORDS != self.count // SYNC_RECORDS


def index_path(log: Path) -> Path:
    """The file with the index of a log."""
    return log.with_name(f"{log.name}.index")


def warn_unkept(path: Path, error: OSError) -> None:
    """Log that no index can be kept beside a log: on a full disk that happens with each room that is opened."""
    _unkept.note("no index can be kept for %s: %s", path, reason(error))


def _chunks(records: Iterable[Record | Run]) -> Iterator[Run | list[Record]]:
    """Runs as they are, and single records some thousands at a time."""
    chunk: list[Record] = []
    for record in records:
        if isinstance(record, Run):
            yield chunk
            yield record
            chunk = []
            continue
        chunk.append(record)
        if len(chunk) == _AT_ONCE:
            yield chunk
            chunk = []
    yield chunk


def _header(epoch: str, strange: StrangeLines) -> bytes:
    body = HEADER.pack(MAGIC, epoch.encode("ascii"), *strange, 0)[:_CHECKED]
    return body + zlib.crc32(body).to_bytes(4, "little") + bytes(HEADER.size - _CHECKED - 4)
