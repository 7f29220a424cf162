"""The torn end of a log after a crash: where it begins. `history/torn_file.py` cuts it off, `index_trust` says what the index is worth.

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

import re
from collections import deque
from typing import Final

from besedka.serve.files.descriptor import BLOCK_BYTES, Descriptor
from besedka.serve.history.record import Record
from besedka.serve.history.scan import Entry, Kind, entries, is_damaged
from besedka.wire.log_line import FIRST_LINE

SECTOR_BYTES: Final = 512
"""Smallest unit that a disk writes at once."""

LINE_BYTES_AT_MOST: Final = BLOCK_BYTES
"""More than the longest line that Besedka writes: 5 000 characters of text, and a name."""

_PATTERN: Final = "[dddd-dd-dd dd:dd:dd] "
_NAME: Final = re.compile(rb"[^\n\0:]{0,128}:?")


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
    raw = log.read(last.begin, LINE_BYTES_AT_MOST + 1) if last.end - last.begin <= LINE_BYTES_AT_MOST else b""
    raw = raw[: end - last.begin]
    if record and record.begin == last.begin:
        return last.begin if _is_torn(raw, last, record) else end
    if last.kind is Kind.MESSAGE and raw and has_lost_sectors(raw, last.begin):
        return last.begin
    line = _last_line(log, last.begin, end)
    return end - len(line) if line and could_be_torn_line(line) else end


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
    begin = max(0, end - LINE_BYTES_AT_MOST)
    before = log.read(begin, end - begin).removesuffix(b"\n")
    line = before[before.rfind(b"\n") + 1 :]
    return b"\0" in line and not has_lost_sectors(line, end - len(line))


def _last_line(log: Descriptor, begin: int, end: int) -> bytes:
    """The last line if it has no line end, and is not too long to be Besedka's; else empty."""
    begin = max(begin, end - LINE_BYTES_AT_MOST)
    tail = log.read(begin, end - begin)
    line = tail[tail.rfind(b"\n") + 1 :]
    return line if len(line) < LINE_BYTES_AT_MOST else b""


def _is_cut_utf8(line: bytes) -> bool:
    """Whether it is UTF-8, except for a last character that may be cut."""
    return not is_damaged(line) or any(not is_damaged(line[:-cut]) for cut in (1, 2, 3) if len(line) > cut)
