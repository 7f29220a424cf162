"""Recovery of a log after a crash: the torn end, and the part of the index that can still be trusted.

Only the end is ever cut, and only what can be Besedka's *own* torn tail: bytes of a batch that was never synced, and so never delivered.
The index never removes what the log alone shows to be a whole message, with one exception: a message of several lines, cut at a line
end, looks whole; its record was synced before it, and shows that it is not. The record must match the checksum of the message's first
line, because the disk may still hold the record of another message that was to be written there.

At an end that cannot have been delivered, these are cut off:

- NULs at the very end, where a file system extended the file and never wrote it; unless the file looks like text in UTF-16;
- if there is an index: a last line without a line end, if it can be the beginning of a message of Besedka and is not known to be whole;
- if there is an index: a message whose record has more lines, or in which whole sectors are NULs.

Everything else stays: lines without an end that a person or another program wrote, bytes in another encoding, damage in the middle.
"""

from __future__ import annotations

import os
import re
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from besedka.serve.files.descriptor import BLOCK_BYTES, FULL, Descriptor, copy_beside
from besedka.serve.history.index import SYNC_RECORDS, Flag, Index, Record
from besedka.serve.history.scan import Entry, Kind, crc_of, entries, is_damaged
from besedka.wire.log_line import FIRST_LINE, HEAD_BYTES_AT_MOST

SECTOR_BYTES: Final = 512
"""Smallest unit that a disk writes at once."""

_LINE_BYTES_AT_MOST: Final = BLOCK_BYTES
"""More than the longest line that Besedka writes: 5 000 characters of text, and a name."""

_HEAD_BYTES: Final = 2 * HEAD_BYTES_AT_MOST
"""Enough to see whether a message begins after another one."""

_PATTERN: Final = "[dddd-dd-dd dd:dd:dd] "
_NAME: Final = re.compile(rb"[^\n\0:]{0,128}:?")


@dataclass(frozen=True, slots=True)
class Torn:
    """The torn end of a log after a crash.

    Attributes:
        offset: the offset at which it begins.
        size: its size in bytes.
        kept: the file that it was moved to; None as long as there is no room for one: then it is still in the log, and nothing is
            written after it.
    """

    offset: int
    size: int
    kept: Path | None


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


def torn_offset(log: Descriptor, behind: int, record: Record | None, *, has_index: bool) -> int:
    """The offset of Besedka's own torn tail in a log; the log's size if nothing is torn.

    Args:
        log: the log.
        behind: the offset after the last message whose record agrees with the log.
        record: the record of the next message, if there is one.
        has_index: whether there is an index at all.
    """
    end = _end_of_writing(log, behind)
    if not has_index or end <= behind:
        return end
    last = deque(entries(log, behind, end), maxlen=1)[0]
    raw = (
        log.read(last.begin, _LINE_BYTES_AT_MOST + 1) if last.end - last.begin <= _LINE_BYTES_AT_MOST else b""
    )
    raw = raw[: end - last.begin]
    if record and record.begin == last.begin:
        return last.begin if _is_torn(raw, last, record) else end
    if last.kind is Kind.MESSAGE and raw and has_lost_sectors(raw, last.begin):
        return last.begin
    line = _last_line(log, last.begin, end)
    return end - len(line) if line and could_be_torn_line(line) else end


def cut_off(log: Descriptor, path: Path, offset: int) -> Torn:
    """Move the end of a log to a file beside it; if there is no room for that file, leave it where it is.

    Raises:
        OSError: from the system.
    """
    size = log.size - offset
    kept = path.with_name(
        f"{path.name}.torn-{time.strftime('%Y%m%dT%H%M%S')}-{time.time_ns() % 10**9:09}-{os.getpid()}"
    )
    try:
        copy_beside(log, offset, kept)
    except OSError as error:
        if error.errno not in FULL:
            raise
        return Torn(offset, size, None)
    log.cut(offset)
    log.sync()
    return Torn(offset, size, kept)


def could_be_torn_line(line: bytes) -> bool:
    """Whether a line without an end can be the beginning of a message that Besedka wrote."""
    if not line or b"\0" in line or not _is_cut_utf8(line):
        return False
    if FIRST_LINE.match(line):
        return True
    shape = re.sub(rb"\d", b"d", line[: len(_PATTERN)]).decode("ascii", "replace")
    is_stamp = _PATTERN.startswith(shape) and bool(shape)
    return is_stamp and (len(line) <= len(_PATTERN) or _NAME.fullmatch(line[len(_PATTERN) :]) is not None)


def has_lost_sectors(raw: bytes, begin: int) -> bool:
    """Whether the NULs in a message fill whole sectors: no program writes that, but a disk may leave it."""
    if b"\0" not in raw:
        return False
    first = SECTOR_BYTES - begin % SECTOR_BYTES
    sectors = [raw[:first], *(raw[at : at + SECTOR_BYTES] for at in range(first, len(raw), SECTOR_BYTES))]
    return all(b"\0" not in sector or not sector.strip(b"\0") for sector in sectors)


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
        raw = log.read(record.begin, min(record.length, _LINE_BYTES_AT_MOST))
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
    return b"\0" in log.read(record.begin, min(record.length, _LINE_BYTES_AT_MOST))


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


def _is_torn(raw: bytes, last: Entry, record: Record) -> bool:
    """Whether the last message of a log is not whole, by its own record."""
    length = last.end - last.begin
    if length > record.length or not raw:
        return False
    if length == record.length:
        return not record.fits(raw) and has_lost_sectors(raw, last.begin)
    if record.fits(raw + b"\n"):
        return False  # only its line end is missing: an editor removed it
    if raw.endswith(b"\n"):
        return last.head_crc == record.head_crc
    return could_be_torn_line(raw[raw.rfind(b"\n") + 1 :]) or last.head_crc == record.head_crc


def _end_of_writing(log: Descriptor, behind: int) -> int:
    """The offset of the NULs at the end of a log; its size if there are none, or none that a file system may have left."""
    size = end = log.size
    while end > behind:
        begin = max(behind, end - BLOCK_BYTES)
        written = len(log.read(begin, end - begin).rstrip(b"\0"))
        end = begin + written
        if written:
            break
    return size if end < size and _is_wide(log, end) else end


def _is_wide(log: Descriptor, end: int) -> bool:
    """Whether the line that ends here is text in UTF-16, whose last LF is followed by a NUL."""
    begin = max(0, end - _LINE_BYTES_AT_MOST)
    before = log.read(begin, end - begin).removesuffix(b"\n")
    line = before[before.rfind(b"\n") + 1 :]
    return b"\0" in line and not has_lost_sectors(line, end - len(line))


def _last_line(log: Descriptor, begin: int, end: int) -> bytes:
    """The last line if it has no line end, and is not too long to be Besedka's; else empty."""
    begin = max(begin, end - _LINE_BYTES_AT_MOST)
    tail = log.read(begin, end - begin)
    line = tail[tail.rfind(b"\n") + 1 :]
    return line if len(line) < _LINE_BYTES_AT_MOST else b""


def _is_cut_utf8(line: bytes) -> bool:
    """Whether it is UTF-8, except for a last character that may be cut."""
    return not is_damaged(line) or any(not is_damaged(line[:-cut]) for cut in (1, 2, 3) if len(line) > cut)
