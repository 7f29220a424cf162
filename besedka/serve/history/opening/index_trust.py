"""The part of an index that can still be trusted after a crash: how many of its records agree with the log."""

from __future__ import annotations

from typing import Final

from besedka.serve.files.descriptor import Descriptor
from besedka.serve.history.index import SYNC_RECORDS, Index
from besedka.serve.history.opening.torn_end import LINE_BYTES_AT_MOST, has_lost_sectors
from besedka.serve.history.record import Flag, Record
from besedka.serve.history.scan import Kind, crc_of, entries
from besedka.wire.log_line import HEAD_BYTES_AT_MOST

_HEAD_BYTES: Final = 2 * HEAD_BYTES_AT_MOST
"""Enough to see whether a message begins after another one."""


def agreeing_records(log: Descriptor, index: Index) -> int | None:
    """The number of records of an index that agree with a log; None if it is not the index of this log."""
    if not index.count:
        return 0
    first, fitting = index.record(1), _last_fitting(log, index)
    if fitting is None:
        # Nothing near the end matches: this is the index of another log, or the first batch was torn.
        is_torn = first.end > log.size or _holds_nulls(log, first)
        return 0 if is_torn and index.count <= SYNC_RECORDS else None
    if not _fits(log, first) and not _is_in_place(log, first, has_end=False):
        return None
    return _in_front_of_hole(log, index, fitting + _damaged_behind(log, index, fitting))


def standing_records(log: Descriptor, index: Index) -> int:
    """The number of records of an index that agree with a log in which no message begins.

    Damage may have destroyed all beginnings. Then the log ends where one of its messages ended, and each message up to there ends a line.
    """
    size = log.size
    for number, record in enumerate(index.records(1, index.count), 1):
        if log.read(record.end - 1, 1) != b"\n":
            break
        if record.end == size:
            return number
    return 0


def _last_fitting(log: Descriptor, index: Index) -> int | None:
    """The last record that matches its message, among those that may not have been synced, and as many before."""
    for number in range(index.count, max(0, index.count - 2 * SYNC_RECORDS), -1):
        if _fits(log, index.record(number)):
            return number
    return None


def _damaged_behind(log: Descriptor, index: Index, fitting: int) -> int:
    """The number of records after the last matching one whose messages are there all the same, with other bytes."""
    damaged = 0
    for record in index.records(fitting + 1, index.count):
        if record.end > log.size or _holds_nulls(log, record) or not _is_in_place(log, record):
            break
        damaged += 1
    return damaged


def _in_front_of_hole(log: Descriptor, index: Index, agreed: int) -> int:
    """The number of agreeing records before a hole in the last batch.

    A disk that kept later sectors of a batch and lost earlier ones left NULs there. That batch was never delivered: its messages in
    the hole do not count, and the log is reread after the hole.
    """
    for number in range(_last_batch(index, agreed), agreed + 1):
        record = index.record(number)
        raw = log.read(record.begin, min(record.length, LINE_BYTES_AT_MOST))
        if not record.fits(raw) and has_lost_sectors(raw, record.begin):
            return number - 1
    return agreed


def _last_batch(index: Index, number: int) -> int:
    """The first message of the batch that holds this one; no batch is longer than `SYNC_RECORDS`."""
    candidates = range(number, max(0, number - SYNC_RECORDS), -1)
    begins = (candidate for candidate in candidates if Flag.BEGINS_BATCH in index.record(candidate).flags)
    return next(begins, number + 1)


def _fits(log: Descriptor, record: Record) -> bool:
    return record.end <= log.size and crc_of(log, record.begin, record.end) == record.crc


def _holds_nulls(log: Descriptor, record: Record) -> bool:
    return b"\0" in log.read(record.begin, min(record.length, LINE_BYTES_AT_MOST))


def _is_in_place(log: Descriptor, record: Record, *, has_end: bool = True) -> bool:
    """Whether a message is where its record says, though not as it was written.

    Its beginning may be the damaged part: then it is enough that a line ends with it.
    """
    if record.end > log.size:
        return False
    found = next(entries(log, record.begin, min(log.size, record.end + _HEAD_BYTES), at_once=_HEAD_BYTES))
    if found.kind is Kind.MESSAGE:
        return found.end == record.end or not has_end
    return log.read(record.end - 1, 1) == b"\n" or record.end == log.size
