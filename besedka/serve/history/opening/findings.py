"""The findings of reading a log's entries: records of its messages, lines that are not understood, damage."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from besedka.serve.errors import HistoryUnusable
from besedka.serve.files.descriptor import Descriptor
from besedka.serve.history.index import SYNC_RECORDS, StrangeLines
from besedka.serve.history.log_state import LogState
from besedka.serve.history.record import LENGTH_AT_MOST, Record
from besedka.serve.history.scan import (
    SCAN_BYTES,
    Entry,
    Kind,
    Run,
    behind_blank_lines,
    crc_of,
    line_ends,
    line_number,
)
from besedka.serve.history.torn_file import Torn
from besedka.wire.log_line import read_line


@dataclass(frozen=True, slots=True)
class Restored:
    """The findings of opening a log.

    Attributes:
        messages: the number of messages.
        first_stamp: the time of the first one, as in the log; empty if there is none.
        last_stamp: the time of the last one.
        torn: the torn end.
        strange: the lines that are no messages and are not understood.
        damaged_line: the number of the first line with NULs or invalid UTF-8, among those that were not in the index.
        changed_line: the number of the first line that is not as it was written, among the last thousands.
        open_line: the number of the last line if it lacks its line end, and so is possibly incomplete.
    """

    messages: int
    first_stamp: str = ""
    last_stamp: str = ""
    torn: Torn | None = None
    strange: StrangeLines = field(default_factory=StrangeLines)
    damaged_line: int | None = None
    changed_line: int | None = None
    open_line: int | None = None

    def concerns(self) -> Iterator[str]:
        """The findings that the operator should know, each as a part of a sentence."""
        if torn := self.torn:
            kept = (
                f"kept in {torn.kept.name}"
                if torn.kept
                else "left where they are: there is no room to keep them"
            )
            yield f"repaired 1 torn line ({torn.size} bytes from byte {torn.offset} on, {kept})"
        if lines := self.strange.report():
            yield lines
        if self.damaged_line:
            yield f"line {self.damaged_line} is damaged and shown as it is"
        if self.changed_line and self.changed_line != self.damaged_line:
            yield f"line {self.changed_line} is not as it was written"
        if self.open_line:
            yield f"line {self.open_line} has no end and is possibly incomplete"


class Reading:
    """Collects findings while the entries of a log are read in order.

    Args:
        log_file: the file.
        path: its path, for errors.
        in_front: the lines that are not understood before the part that is read.

    Attributes:
        in_front: the lines that are not understood before the last message that was read.
        behind: those after it.
        damaged_line: the number of the first damaged line.
        torn: the torn end.
        shortened_line: the number of the last message's first line, if an index of the first version has that message as a longer one.
    """

    def __init__(self, log_file: Descriptor, path: Path, in_front: StrangeLines | None = None) -> None:
        self.in_front = in_front or StrangeLines()
        self.behind = StrangeLines()
        self.damaged_line: int | None = None
        self.torn: Torn | None = None
        self.shortened_line: int | None = None
        self._file = log_file
        self._path = path

    def records(self, found: Iterable[Entry | Run]) -> Iterator[Record | Run]:
        """The records of the messages among these entries; runs as they are.

        Raises:
            HistoryUnusable: a message is longer than a record can store.
        """
        for entry in found:
            if isinstance(entry, Run):
                self._note_message()
                yield entry
                continue
            if entry.kind is Kind.MESSAGE:
                yield self.message(entry)
            else:
                self._note_damage(entry)
                self.behind = self.behind.plus(self._strange_lines(entry))

    def message(self, entry: Entry) -> Record:
        """The record of an entry that is a message; perhaps only by an index, because damage has made its first line another one.

        Raises:
            HistoryUnusable: as `records`.
        """
        self._note_damage(entry)
        self._note_message()
        if entry.end - entry.begin > LENGTH_AT_MOST:
            raise HistoryUnusable(self._path, f"a message in it has more than {LENGTH_AT_MOST:,} bytes")
        return Record.of_entry(entry)

    def _note_damage(self, entry: Entry) -> None:
        if entry.damaged_at is not None and self.damaged_line is None:
            self.damaged_line = line_number(self._file, entry.begin) + entry.damaged_at

    def _note_message(self) -> None:
        if self.behind.lines:
            self.in_front, self.behind = self.in_front.plus(self.behind), StrangeLines()

    def _strange_lines(self, entry: Entry) -> StrangeLines:
        """An entry's lines, without leading blank ones."""
        begin = behind_blank_lines(self._file, entry)
        if begin == entry.end:
            return StrangeLines()
        count = line_ends(self._file, begin, entry.end)
        is_open = self._file.read(entry.end - 1, 1) != b"\n"
        return StrangeLines(count + is_open, self._first_line(begin))

    def _first_line(self, begin: int) -> int:
        """The number of the first strange line; counting it reads the log up to there, so it is done only once."""
        return self.in_front.first or self.behind.first or line_number(self._file, begin)


def restored(body: LogState, reading: Reading) -> Restored:
    """The report of a log that was opened or reread."""
    first, last = (_stamp(body, number) for number in (1, body.count))
    open_line = None if body.ends_line else line_ends(body.file, 0, body.size) + 1
    strange = body.index.strange.plus(body.strange)
    changed = changed_line(body) or reading.shortened_line
    return Restored(body.count, first, last, reading.torn, strange, reading.damaged_line, changed, open_line)


def _stamp(body: LogState, number: int) -> str:
    lines = body.read(number, 1).lines
    return read_line(lines[0]).stamp if lines else ""


def changed_line(body: LogState) -> int | None:
    """The number of the first line that is not as it was written, among the last megabyte at most; None if there is none.

    Raises:
        IndexDamaged, OSError: if it cannot be known.
    """
    first = max(1, body.count - 2 * SYNC_RECORDS + 1)
    for record in body.index.records(first, body.count):
        is_near = body.size - record.begin <= SCAN_BYTES
        if is_near and crc_of(body.file, record.begin, record.end) != record.crc:
            return line_number(body.file, record.begin)
    return None
