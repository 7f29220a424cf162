"""Scanning a log's bytes from an offset on: its messages, lines that are not understood, and damage.

The time is linear in the bytes, whatever they are: a line of 100 MB without an end costs as much as a million short ones.
"""

from __future__ import annotations

import codecs
import re
import zlib
from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple

from besedka.serve.files.descriptor import Descriptor
from besedka.wire.annotations import ANNOTATION_BYTES_AT_MOST, is_annotation
from besedka.wire.log_line import BOM, ENTRY, FIRST_LINE, HEAD_BYTES_AT_MOST, PLAIN_FIRST

SCAN_BYTES: Final = 1024 * 1024
"""Bytes that are read at once: so many that reading does not dominate the time."""

FIRST_BYTES: Final = 4 * HEAD_BYTES_AT_MOST
"""Bytes that are read at once where only the first message is wanted."""

_HEAD_BYTES: Final = HEAD_BYTES_AT_MOST + 64
_RUN: Final = re.compile(rb"(?:" + PLAIN_FIRST + rb".*+\n(?:\t.*+\n)*+)++")
_PLAIN_MESSAGE: Final = re.compile(rb".++\n(?:\t.*+\n)*+")
_LINE_START: Final = re.compile(rb"\n(?=\[|\0|\xef\xbb\xbf\[|\xe2\x80[\x8e\x8f]\[)")
_BLANK_BYTES: Final = HEAD_BYTES_AT_MOST


class Kind(Enum):
    """The kind of an entry."""

    MESSAGE = "message"
    STRANGE = "strange"  # lines that are not understood: a message in the format of another program
    REST = "rest"  # lines that start nothing: the end of the entry before them, or a preamble


class Entry(NamedTuple):
    """A stretch of whole lines (the last line of a log may lack its line end).

    Attributes:
        begin: its offset in the log.
        end: the offset after it.
        kind: its kind.
        crc: CRC-32 of its bytes.
        head_crc: CRC-32 of its first line, with the line end.
        damaged_at: the number of its first line, counted from 0, with a NUL or invalid UTF-8; None if there is none.
        is_annotation: whether it is a message of that form (`besedka.wire.annotations`).
    """

    begin: int
    end: int
    kind: Kind
    crc: int
    head_crc: int
    damaged_at: int | None = None
    is_annotation: bool = False

    @classmethod
    def of(cls, raw: bytes, begin: int, kind: Kind) -> Entry:
        crc = zlib.crc32(raw)
        size = len(raw)
        head = raw.find(b"\n") + 1
        head_crc = zlib.crc32(raw[:head]) if 0 < head < size else crc
        damaged_at = line_of_damage(raw) if is_damaged(raw) else None
        annotates = kind is Kind.MESSAGE and is_annotation(raw)
        return cls(begin, begin + size, kind, crc, head_crc, damaged_at, annotates)


class Run(NamedTuple):
    """Whole messages one behind the other, as nearly all in a log are.

    Each begins with its time, all its other lines begin with a tab, and nothing is damaged. It takes a fifth of the time to
    split it as a whole.

    Attributes:
        begin: the offset of the first of them in the log.
        raw: their bytes.
    """

    begin: int
    raw: bytes

    @property
    def has_continuations(self) -> bool:
        """Whether a message of it has several lines."""
        # The first alone is ten times as fast, and nearly always enough.
        return b"\t" in self.raw and b"\n\t" in self.raw

    @property
    def may_annotate(self) -> bool:
        """Whether a message of it may be an annotation."""
        return b"] *" in self.raw

    def messages(self) -> list[bytes]:
        """The bytes of each message, with its line ends."""
        return _PLAIN_MESSAGE.findall(self.raw)

    def entries(self) -> Iterator[Entry]:
        """Its messages as entries."""
        begin = self.begin
        for raw in self.messages():
            yield Entry.of(raw, begin, Kind.MESSAGE)
            begin += len(raw)


def entries(log: Descriptor, offset: int, end: int, *, at_once: int = SCAN_BYTES) -> Iterator[Entry]:
    """All entries from an offset, at which a line begins, to an end. The first one is `Kind.REST` if nothing starts there.

    Args:
        log: the log.
        offset: the offset to begin at.
        end: the offset to end at.
        at_once: the number of bytes to read at once; fewer where only the first entries are wanted. More than `HEAD_BYTES_AT_MOST`.
    """
    for found in runs(log, offset, end, at_once=at_once):
        if isinstance(found, Run):
            yield from found.entries()
        else:
            yield found


def runs(log: Descriptor, offset: int, end: int, *, at_once: int = SCAN_BYTES) -> Iterator[Run | Entry]:
    """The same as `entries`, but what forms a `Run` comes as one."""
    growing = _Growing(offset, Kind.REST)
    for data, begin, is_line_start in _pieces(log, offset, end, at_once):
        # The entry that the bytes from `at` on belong to; None: the growing one.
        at, kind = 0, None
        for mark in _marks(data, is_line_start=is_line_start):
            if kind:
                yield Entry.of(data[at : mark.begin], begin + at, kind)
            else:
                growing.feed(data[: mark.begin])
                if growing.size:
                    yield growing.entry()
            if mark.begin < mark.last:
                run = Run(begin + mark.begin, data[mark.begin : mark.last])
                yield from run.entries() if is_damaged(run.raw) else (run,)
            at, kind = mark.last, mark.kind
        if kind:
            growing = _Growing(begin + at, kind)
        growing.feed(data[at:])
    if growing.size:
        yield growing.entry()


def messages(log: Descriptor, end: int, *, at_once: int = SCAN_BYTES) -> Iterator[Entry]:
    """The entries of a log up to an end that are messages."""
    return (entry for entry in entries(log, 0, end, at_once=at_once) if entry.kind is Kind.MESSAGE)


def first_head(log: Descriptor, end: int) -> str:
    """The beginning of a log's first message, up to its text; empty if there is none."""
    first = next(messages(log, end, at_once=FIRST_BYTES), None)
    head = FIRST_LINE.match(log.read(first.begin, _HEAD_BYTES)) if first else None
    return head[0].removeprefix(BOM).decode("utf-8", "replace").strip() if head else ""


class _Mark(NamedTuple):
    """A place where an entry starts, or a run of messages.

    Attributes:
        begin: its offset.
        kind: the kind of the entry, or of the last one of the run.
        last: the offset of that entry; the end of it is not known here.
    """

    begin: int
    kind: Kind
    last: int


def _marks(data: bytes, *, is_line_start: bool) -> Iterator[_Mark]:
    """The places where entries start.

    Lines that may start an entry are found first: on long lines that is ten times faster than `ENTRY`.
    """
    # Where a piece begins within a line, nothing starts at its first byte.
    start = 0 if is_line_start else _next_line_start(data, 0)
    while start is not None:
        behind = start
        if run := _RUN.match(data, start):
            last = data.rfind(b"\n[", start, run.end()) + 1
            yield _Mark(start, Kind.MESSAGE, max(start, last))
            behind = run.end() - 1
        elif entry := ENTRY.match(data, start):
            yield _Mark(start, Kind.MESSAGE if entry.lastgroup else Kind.STRANGE, start)
        start = _next_line_start(data, behind)


def _next_line_start(data: bytes, offset: int) -> int | None:
    found = _LINE_START.search(data, offset)
    return found.end() if found else None


def behind_blank_lines(log: Descriptor, entry: Entry) -> int:
    """The offset of an entry's first line that is not blank; its end if its first `_BLANK_BYTES` are blank."""
    raw = log.read(entry.begin, min(entry.end - entry.begin, _BLANK_BYTES))
    bom = len(raw) - len(raw.removeprefix(BOM))
    text = raw[bom:].lstrip()
    if not text:
        return entry.end
    blank = raw.rfind(b"\n", 0, len(raw) - len(text)) + 1
    return entry.begin + blank


def is_damaged(raw: bytes) -> bool:
    """Whether bytes contain a NUL or invalid UTF-8."""
    if b"\0" in raw:
        return True
    if raw.isascii():
        return False
    try:
        raw.decode()
    except UnicodeDecodeError:
        return True
    return False


def line_of_damage(raw: bytes) -> int:
    """The number of the first damaged line of damaged bytes, counted from 0."""
    return next(number for number, line in enumerate(raw.split(b"\n")) if is_damaged(line))


def begins_line(log: Descriptor, offset: int) -> bool:
    """Whether a line begins at an offset."""
    return not offset or log.read(offset - 1, 1) == b"\n"


def line_number(log: Descriptor, offset: int) -> int:
    """The number of the line, counted from 1, that begins at this offset."""
    return 1 + line_ends(log, 0, offset)


def line_ends(log: Descriptor, begin: int, end: int) -> int:
    """The number of lines that end in a stretch of a log, of any length."""
    steps = range(begin, min(end, log.size), SCAN_BYTES)
    return sum(log.read(at, min(SCAN_BYTES, end - at)).count(b"\n") for at in steps)


def crc_of(log: Descriptor, begin: int, end: int) -> int:
    """CRC-32 of a stretch of a log, of any length."""
    crc = 0
    for at in range(begin, min(end, log.size), SCAN_BYTES):
        crc = zlib.crc32(log.read(at, min(SCAN_BYTES, end - at)), crc)
    return crc


def _pieces(log: Descriptor, offset: int, end: int, at_once: int) -> Iterator[tuple[bytes, int, bool]]:
    """The bytes in pieces of whole lines; a line longer than ``at_once`` comes in several pieces.

    Yields:
        The bytes, their offset, and whether a line begins there.
    """
    carried, is_line_start = b"", True
    while offset < end:
        block = log.read(offset, min(at_once, end - offset))
        if not block:
            break
        offset += len(block)
        data = carried + block
        is_last = offset >= end
        cut = len(data) if is_last else data.rfind(b"\n") + 1
        if not cut and len(data) >= at_once:
            cut = len(data)
        carried = data[cut:]
        if cut:
            yield data[:cut], offset - len(data), is_line_start
            is_line_start = data.endswith(b"\n", 0, cut)
    if carried:
        yield carried, offset - len(carried), is_line_start


class _Growing:
    """An entry whose end is not known yet, built piece by piece."""

    def __init__(self, begin: int, kind: Kind) -> None:
        self.size = 0
        self._begin = begin
        self._kind = kind
        self._crc = 0
        self._head = b""
        self._head_crc: int | None = None
        self._lines = 0
        self._damaged_at: int | None = None
        self._decoder = codecs.getincrementaldecoder("utf-8")()

    def feed(self, piece: bytes) -> None:
        if self._head_crc is None and b"\n" in piece:
            self._head_crc = zlib.crc32(piece[: piece.index(b"\n") + 1], self._crc)
        if len(self._head) < ANNOTATION_BYTES_AT_MOST:
            self._head += piece[: ANNOTATION_BYTES_AT_MOST - len(self._head)]
        self._crc = zlib.crc32(piece, self._crc)
        if self._damaged_at is None and (place := self._damage(piece)) is not None:
            self._damaged_at = self._lines + piece.count(b"\n", 0, place)
        self._lines += piece.count(b"\n")
        self.size += len(piece)

    def entry(self) -> Entry:
        head_crc = self._crc if self._head_crc is None else self._head_crc
        if self._damaged_at is None and self._damage(b"", is_end=True) is not None:
            self._damaged_at = self._lines
        end = self._begin + self.size
        annotates = self._kind is Kind.MESSAGE and is_annotation(self._head)
        return Entry(self._begin, end, self._kind, self._crc, head_crc, self._damaged_at, annotates)

    def _damage(self, piece: bytes, *, is_end: bool = False) -> int | None:
        """The offset of the first damage in a piece, which may begin within a character."""
        begun = len(self._decoder.getstate()[0])
        places = [piece.find(b"\0")]
        try:
            self._decoder.decode(piece, is_end)
        except UnicodeDecodeError as error:
            places.append(max(0, error.start - begun))
        return min((place for place in places if place >= 0), default=None)
