"""What a log holds when it is opened: by the index as far as it agrees with the log, and from there on by reading."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, repeat
from pathlib import Path
from typing import NamedTuple

from besedka.serve.errors import HistoryUnusable
from besedka.serve.history.body import Body
from besedka.serve.history.epoch import Epoch, derived_epoch, keep_epoch, new_epoch, read_epoch
from besedka.serve.history.file import Descriptor, reason
from besedka.serve.history.foreign import is_ours_without_messages, is_text, looks_like
from besedka.serve.history.index import (
    LENGTH_AT_MOST,
    SYNC_RECORDS,
    Flag,
    Index,
    IndexDamaged,
    Record,
    StrangeLines,
    index_path,
)
from besedka.serve.history.old_index import OldIndex
from besedka.serve.history.recovery import Torn, agreeing_records, cut_off, standing_records, torn_offset
from besedka.serve.history.scan import (
    FIRST_BYTES,
    SCAN_BYTES,
    Entry,
    Kind,
    begins_line,
    behind_blank_lines,
    crc_of,
    entries,
    first_head,
    line_ends,
    line_number,
    messages,
)
from besedka.wire.log_line import read_line

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Restored:
    """What was found when a log was opened.

    Attributes:
        messages: how many there are.
        first_stamp: the time of the first one as the log tells it, empty if there is none.
        last_stamp: the same for the last one.
        torn: what was torn at its end.
        strange: the lines that are no messages and are not understood.
        damaged_line: the number of the first line with NULs or bytes that are no UTF-8, among those that the index did not know.
        changed_line: the number of the first line that is not as it was written, among the last thousands.
        open_line: the number of the last line if it lacks its end, and so is possibly incomplete.
    """

    messages: int
    first_stamp: str = ""
    last_stamp: str = ""
    torn: Torn | None = None
    strange: StrangeLines = field(default_factory=StrangeLines)
    damaged_line: int | None = None
    changed_line: int | None = None
    open_line: int | None = None


class Reading:
    """Collects findings while the entries of a log are read in order.

    Args:
        log_file: the file.
        in_front: the lines that are not understood in front of what is read.

    Attributes:
        in_front: the same in front of the last message that was read.
        behind: the same behind that.
        damaged_line: the number of the first line that is damaged.
        shortened_line: the number of the first line of the last message, if an index of the first version knows that as a longer one.
    """

    def __init__(self, log_file: Descriptor, path: Path, in_front: StrangeLines | None = None) -> None:
        self.in_front = in_front or StrangeLines()
        self.behind = StrangeLines()
        self.damaged_line: int | None = None
        self.shortened_line: int | None = None
        self._file = log_file
        self._path = path

    def records(self, found: Iterable[Entry], flags: Flag = Flag.NONE) -> Iterator[Record]:
        """The records of the messages among these entries.

        Args:
            found: the entries.
            flags: what is known of the first message among them.

        Raises:
            HistoryUnusable: one is longer than an index can tell.
        """
        for entry in found:
            if entry.damaged_at is not None and self.damaged_line is None:
                self.damaged_line = line_number(self._file, entry.begin) + entry.damaged_at
            if entry.kind is Kind.MESSAGE:
                if self.behind.lines:
                    self.in_front, self.behind = self.in_front.plus(self.behind), StrangeLines()
                yield self._record(entry, flags)
                flags = Flag.NONE
            else:
                self.behind = self.behind.plus(self._strange_lines(entry))

    def _record(self, entry: Entry, flags: Flag) -> Record:
        length = entry.end - entry.begin
        if length > LENGTH_AT_MOST:
            raise HistoryUnusable(self._path, f"a message in it has more than {LENGTH_AT_MOST:,} bytes")
        return Record(entry.end, length, entry.crc, entry.head_crc, flags)

    def _strange_lines(self, entry: Entry) -> StrangeLines:
        """Its lines, but for blank ones in front of the first message."""
        begin = behind_blank_lines(self._file, entry)
        if begin == entry.end:
            return StrangeLines()
        count = line_ends(self._file, begin, entry.end)
        is_open = self._file.read(entry.end - 1, 1) != b"\n"
        return StrangeLines(count + is_open, self._first_line(begin))

    def _first_line(self, begin: int) -> int:
        """Its number, which takes reading all that is in front: only of the very first."""
        return self.in_front.first or self.behind.first or line_number(self._file, begin)


def open_to_write(log_file: Descriptor, path: Path) -> tuple[Body, Reading, Torn | None]:
    """Take a log for this process: repair its end, and make its index fit.

    Raises:
        OSError: as the system says it.
        HistoryUnusable: it holds no message and is not ours, or has a message of more than 4 GiB.
    """
    known, index = read_epoch(path), _open_index(path)
    old = None if index else _open_old_index(path)
    agreed = _agreed(log_file, index, known) if index else None
    if not agreed:
        _refuse_what_is_not_ours(log_file, path)
    if index and agreed is not None:
        before = [*index.remembered(agreed + 1)]
        torn = _repair(log_file, path, index, agreed)
        found = _read_rest(index, log_file, path, _end(log_file, torn), before)
    else:
        torn = _cut_if_torn(log_file, path, 0, None, has_index=index is not None or old is not None)
        end = _end(log_file, torn)
        is_changed = index is not None and index.epoch == known.name and index.is_sound_at(1)
        epoch = new_epoch() if is_changed else _epoch_of(log_file, end, known, old)
        found = _read_all(log_file, path, end, epoch, index)
        found[1].shortened_line = _shortened_line(log_file, end, old) if old else None
    body, reading = found
    first = first_head(log_file, body.size)
    if (known.name, known.first) != (body.index.epoch, first):
        keep_epoch(path, Epoch(body.index.epoch, first))
    return body, reading, torn


def take_anew(log_file: Descriptor, path: Path, index: Index | None) -> tuple[Body, Reading]:
    """Read a log again that was changed from outside while it was open: nothing of it is cut.

    Args:
        log_file: the file.
        path: where it is.
        index: what is known of it, if all of that still holds; else the log gets another epoch.

    Raises:
        OSError, HistoryUnusable: as `open_to_write`.
    """
    size = log_file.size
    # A record that knows more of a message than the disk does would make it look torn after a power cut.
    log_file.sync()
    if index:
        found = _read_rest(index, log_file, path, size)
        if not found[0].ends_line:
            index.sync()  # without its record a line without an end looks torn
        return found
    epoch = Epoch(new_epoch(), first_head(log_file, size))
    keep_epoch(path, epoch)
    return _read_all(log_file, path, size, epoch.name)


def open_to_read(log_file: Descriptor, path: Path, *, use_index: bool = True) -> tuple[Body, Reading]:
    """Look at a log that another process may be writing: nothing is repaired or made.

    Args:
        log_file: the file.
        path: where it is.
        use_index: if there is one; it may have turned out to be damaged.

    Raises:
        OSError, HistoryUnusable: as `open_to_write`.
    """
    index, known = _open_index(path, read_only=True) if use_index else None, read_epoch(path)
    agreed = _agreed(log_file, index, known) if index else None
    if not agreed:
        _refuse_what_is_not_ours(log_file, path)
    if index and agreed is not None:
        with suppress(IndexDamaged):
            return _read_by(index, agreed, log_file, path)
    end = log_file.size
    return _read_rest(Index.temporary(_epoch_of(log_file, end, known, None)), log_file, path, end)


def _read_by(index: Index, agreed: int, log_file: Descriptor, path: Path) -> tuple[Body, Reading]:
    # What would be torn after a crash is being written just now.
    record = index.record(agreed + 1) if agreed < index.count else None
    end = torn_offset(log_file, index.end_of(agreed), record, has_index=True)
    index = index.copy(agreed) if end > index.end_of(agreed) else index.first(agreed)
    return _read_rest(index, log_file, path, end)


def restored(body: Body, reading: Reading, torn: Torn | None) -> Restored:
    """What is to be said of a log that was opened."""
    first, last = (_stamp(body, number) for number in (1, body.count))
    open_line = None if body.ends_line else line_ends(body.file, 0, body.size) + 1
    strange = body.index.strange.plus(body.strange)
    changed_line = _changed_line(body) or reading.shortened_line
    return Restored(body.count, first, last, torn, strange, reading.damaged_line, changed_line, open_line)


def _stamp(body: Body, number: int) -> str:
    lines = body.read(number, 1).lines
    return read_line(lines[0]).stamp if lines else ""


def _changed_line(body: Body) -> int | None:
    """The first line that is not as it was written, among the last megabyte at most."""
    first = max(1, body.count - 2 * SYNC_RECORDS + 1)
    for record in body.index.records(first, body.count):
        is_near = body.size - record.begin <= SCAN_BYTES
        if is_near and crc_of(body.file, record.begin, record.end) != record.crc:
            return line_number(body.file, record.begin)
    return None


# The index.


def _open_index(path: Path, *, read_only: bool = False) -> Index | None:
    try:
        return Index.open(index_path(path), read_only=read_only)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        log.info("the index of %s is of no use: %s", path, error)
        return None


def _open_old_index(path: Path) -> OldIndex | None:
    try:
        return OldIndex(index_path(path))
    except (OSError, ValueError):
        return None


def _agreed(log_file: Descriptor, index: Index, known: Epoch) -> int | None:
    """How many records of an index agree with the log and its epoch; None if it is of no use."""
    if known.name and known.name != index.epoch:
        return None
    try:
        if _is_without_messages(log_file) and (standing := standing_records(log_file, index)):
            return standing
        agreed = agreeing_records(log_file, index)
    except IndexDamaged as damage:
        log.info("the index of a log is of no use: %s", damage)
        return None
    is_of_it = agreed is not None and Epoch(index.epoch, known.first).is_of(
        first_head(log_file, log_file.size)
    )
    return agreed if is_of_it else None


def _read_all(
    log_file: Descriptor, path: Path, end: int, epoch: str, before: Index | None = None
) -> tuple[Body, Reading]:
    """Read a whole log, and make an index of it: beside the log, or, if that cannot be, without a name.

    Args:
        log_file: the file.
        path: where it is.
        end: how far it is read.
        epoch: what it is called.
        before: the index that it had, if any.
    """
    reading = Reading(log_file, path)
    records = reading.records(entries(log_file, 0, end))
    known = before.remembered(1) if before else ()
    try:
        index = Index.create(index_path(path), epoch, _flagged(records, known))
    except OSError as error:
        log.warning("no index can be kept for %s: %s", path, reason(error))
        known = before.remembered(1) if before else ()
        return _read_rest(Index.temporary(epoch), log_file, path, end, known)
    index.note_strange(reading.in_front)
    return _body(log_file, index, end, reading), reading


def _read_rest(
    index: Index, log_file: Descriptor, path: Path, end: int, before: Iterable[Record | None] = ()
) -> tuple[Body, Reading]:
    """Note the messages that the index does not know yet.

    Args:
        index: the index.
        log_file: the file.
        path: where it is.
        end: how far it is read.
        before: what was known of these messages, as `Index.remembered` gives it.
    """
    reading = Reading(log_file, path, index.strange)
    found = entries(log_file, index.end_of(index.count), end)
    first = next(found, None)
    if first and index.count and (first.kind is Kind.REST or not begins_line(log_file, first.begin)):
        # Something was added from outside that belongs to the last message.
        last = index.record(index.count)
        found = entries(log_file, last.begin, end)
        index.change(index.count, [*reading.records([next(found)], last.flags)])
    elif first:
        found = chain((first,), found)
    index.add_all(_flagged(reading.records(found), before))
    index.note_strange(reading.in_front)
    return _body(log_file, index, end, reading), reading


def _flagged(records: Iterable[Record], before: Iterable[Record | None]) -> Iterator[Record]:
    """Records that were read from a log, with what another index knows of the same messages: the log does not tell that."""
    for record, known in zip(records, chain(before, repeat(None)), strict=False):
        is_same = known is not None and known._replace(flags=record.flags) == record
        yield known if known and is_same else record


def _body(log_file: Descriptor, index: Index, end: int, reading: Reading) -> Body:
    body = Body(log_file, index)
    body.count, body.size, body.strange = index.count, end, reading.behind
    body.ends_line = not end or log_file.read(end - 1, 1) == b"\n"
    return body


# Its end.


def _repair(log_file: Descriptor, path: Path, index: Index, agreed: int) -> Torn | None:
    record = index.record(agreed + 1) if agreed < index.count else None
    torn = _cut_if_torn(log_file, path, index.end_of(agreed), record, has_index=True)
    index.cut(agreed)
    return torn


def _cut_if_torn(
    log_file: Descriptor, path: Path, behind: int, record: Record | None, *, has_index: bool
) -> Torn | None:
    size = log_file.size  # what another program adds from here on is not torn
    offset = torn_offset(log_file, behind, record, has_index=has_index)
    return cut_off(log_file, path, offset) if offset < size else None


def _end(log_file: Descriptor, torn: Torn | None) -> int:
    return torn.offset if torn else log_file.size


# Whose it is.


def _epoch_of(log_file: Descriptor, end: int, known: Epoch, old: OldIndex | None) -> str:
    """The epoch of a log without an index that agrees with it."""
    if known.name:
        return known.name if known.is_of(first_head(log_file, end)) else new_epoch()
    if old:
        return old.epoch if _is_as_then(log_file, end, old) else new_epoch()
    first = next(messages(log_file, end), None)
    return derived_epoch(
        log_file.read(first.begin, min(first.end - first.begin, SCAN_BYTES)) if first else b""
    )


class _Unlike(NamedTuple):
    """A message that is not as long as an index of the first version says; a line end that it lacks does not count."""

    number: int
    entry: Entry
    lacks: int


def _first_unlike(log_file: Descriptor, end: int, old: OldIndex) -> _Unlike | None:
    then = zip(messages(log_file, end), old.messages(), strict=False)
    for number, (entry, (length, crc)) in enumerate(then, 1):
        lacks = length - (entry.end - entry.begin - _bom_bytes(log_file, entry))
        if lacks and (lacks, zlib.crc32(b"\n", entry.crc)) != (1, crc):
            return _Unlike(number, entry, lacks)
    return None


def _is_as_then(log_file: Descriptor, end: int, old: OldIndex) -> bool:
    """Whether all messages of a log, but perhaps its last one, are as long as they were; then their ids are the same, too."""
    unlike = _first_unlike(log_file, end, old)
    return unlike is None or (unlike.entry.end == end and unlike.number == old.count)


def _shortened_line(log_file: Descriptor, end: int, old: OldIndex) -> int | None:
    """The first line of the last message, if that is shorter than it was: perhaps it is torn."""
    unlike = _first_unlike(log_file, end, old)
    is_last = unlike is not None and unlike.entry.end == end
    return line_number(log_file, unlike.entry.begin) if unlike and is_last and unlike.lacks > 0 else None


def _bom_bytes(log_file: Descriptor, entry: Entry) -> int:
    return 0 if entry.begin else 3 * (log_file.read(0, 3) == b"\xef\xbb\xbf")


def _is_without_messages(log_file: Descriptor) -> bool:
    size = log_file.size
    return next(messages(log_file, size, at_once=FIRST_BYTES), None) is None


def refuse_binary(log_file: Descriptor, path: Path) -> None:
    """What somebody has put in the place of a log that is open is not touched if it holds no message and is no plain text.

    A person may begin a new file with some words of their own.

    Raises:
        HistoryUnusable: if it is none of ours.
    """
    if not is_text(log_file):
        _refuse_what_is_not_ours(log_file, path)


def _refuse_what_is_not_ours(log_file: Descriptor, path: Path) -> None:
    """A file with something in it, but without a message, is somebody else's; whatever stands beside it."""
    if _is_without_messages(log_file) and not is_ours_without_messages(log_file):
        raise HistoryUnusable(
            path,
            f"it holds no message of Besedka and looks like {looks_like(log_file)}; it was left as it is: "
            "name another file, or move this one away",
        )
