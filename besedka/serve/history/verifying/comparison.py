"""Comparing a log with its index: the first message that is not as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from besedka.serve.files.descriptor import Descriptor
from besedka.serve.history.index import Index
from besedka.serve.history.record import Record
from besedka.serve.history.scan import SCAN_BYTES, crc_of, entries, line_number


@dataclass(frozen=True, slots=True)
class Difference:
    """The first message that is not as it was written.

    Attributes:
        message: its id.
        line: the number of its first line in the file, counted from 1.
        is_missing: whether the log ends before the end of it.
    """

    message: int
    line: int
    is_missing: bool = False


def first_difference(log: Descriptor, index: Index) -> Difference | None:
    """Compare all messages that are in the index; bytes between and after them are ignored.

    Raises:
        IndexDamaged: the index cannot be compared with.
    """
    number = 0
    for run in _runs(index):
        begin = run[0].begin
        data = log.read(begin, run[-1].end - begin) if len(run) > 1 else b""
        for record in run:
            number += 1
            if not _fits(log, record, data, begin):
                return Difference(number, line_number(log, record.begin), is_missing=record.end > log.size)
    return None


def first_damage(log: Descriptor, start: int) -> int | None:
    """The number of the first line, counted from 1, with NULs or invalid UTF-8."""
    for entry in entries(log, start, log.size):
        if entry.damaged_at is not None:
            return line_number(log, entry.begin) + entry.damaged_at
    return None


def _runs(index: Index) -> Iterator[list[Record]]:
    """The records in runs whose messages are read at once; a longer message is a run of its own."""
    run: list[Record] = []
    for record in index.records(1, index.count):
        if run and record.end - run[0].begin > SCAN_BYTES:
            yield run
            run = []
        run.append(record)
    if run:
        yield run


def _fits(log: Descriptor, record: Record, data: bytes, begin: int) -> bool:
    if data:
        return record.fits(data[record.begin - begin : record.end - begin])
    return record.end <= log.size and crc_of(log, record.begin, record.end) == record.crc
