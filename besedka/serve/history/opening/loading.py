"""Loading a log when it is opened: by its index as far as that agrees with the log, and by reading from there on."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from itertools import chain, repeat
from pathlib import Path

from besedka.serve.files import file_system
from besedka.serve.files.descriptor import Descriptor
from besedka.serve.files.trust import UntrustedFile, refuse_less_trusted
from besedka.serve.history.epoch import Epoch, derived_epoch, keep_epoch, new_epoch, read_epoch
from besedka.serve.history.index import Index, IndexDamaged, index_path, warn_unkept
from besedka.serve.history.log_state import LogState
from besedka.serve.history.opening.findings import Reading
from besedka.serve.history.opening.foreign import is_without_messages, refuse_foreign
from besedka.serve.history.opening.index_trust import agreeing_records, standing_records
from besedka.serve.history.opening.old_index import OldIndex
from besedka.serve.history.opening.torn_end import torn_offset
from besedka.serve.history.record import ANNOTATING, IS_ANNOTATION, Record, each_record
from besedka.serve.history.scan import (
    FIRST_BYTES,
    SCAN_BYTES,
    Kind,
    Run,
    begins_line,
    entries,
    first_head,
    messages,
    runs,
)
from besedka.serve.history.torn_file import Torn, cut_off

log = logging.getLogger(__name__)


def open_to_write(log_file: Descriptor, path: Path) -> tuple[LogState, Reading]:
    """Load a log for writing: repair its end, and bring its index up to date.

    Raises:
        OSError: from the system.
        HistoryUnusable: it has content but no message, or has a message of more than 4 GiB.
    """
    known, index = read_epoch(path), _open_index(log_file, path)
    old = None if index else _open_old_index(log_file, path)
    agreed = _agreed(log_file, index, known) if index else None
    if not agreed:
        refuse_foreign(log_file, path)
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
        found[1].shortened_line = old.shortened_line(log_file, end) if old else None
    body, reading = found
    first = first_head(log_file, body.size)
    if (known.name, known.first) != (body.index.epoch, first):
        keep_epoch(path, Epoch(body.index.epoch, first))
    reading.torn, body.torn = torn, None if torn and torn.kept else torn
    return body, reading


def reread_log(log_file: Descriptor, path: Path, index: Index | None) -> tuple[LogState, Reading]:
    """Reread a log after an external edit: nothing of it is cut.

    Args:
        log_file: the file.
        path: its path.
        index: its index, if all of that is still right; else the log gets another epoch.

    Raises:
        OSError, HistoryUnusable: as `open_to_write`.
    """
    size = log_file.size
    # A message on disk that is shorter than its record would look torn after a power cut.
    file_system.sync(log_file)
    if index:
        found = _read_rest(index, log_file, path, size)
        if not found[0].ends_line:
            index.sync()  # without its record a line without an end looks torn
        return found
    epoch = Epoch(new_epoch(), first_head(log_file, size))
    keep_epoch(path, epoch)
    return _read_all(log_file, path, size, epoch.name)


def open_to_read(log_file: Descriptor, path: Path, *, use_index: bool = True) -> tuple[LogState, Reading]:
    """Load a log that another process may be writing: nothing is repaired or created.

    Args:
        log_file: the file.
        path: its path.
        use_index: use its index, if there is one; False if that has turned out to be damaged.

    Raises:
        OSError, HistoryUnusable: as `open_to_write`.
    """
    index, known = _open_index(log_file, path, read_only=True) if use_index else None, read_epoch(path)
    agreed = _agreed(log_file, index, known) if index else None
    if not agreed:
        refuse_foreign(log_file, path)
    if index and agreed is not None:
        with suppress(IndexDamaged):
            return _read_by(index, agreed, log_file, path)
    end = log_file.size
    return _read_rest(Index.temporary(_epoch_of(log_file, end, known, None)), log_file, path, end)


def _read_by(index: Index, agreed: int, log_file: Descriptor, path: Path) -> tuple[LogState, Reading]:
    # An end that would be torn after a crash is just being written.
    record = index.record(agreed + 1) if agreed < index.count else None
    end = torn_offset(log_file, index.end_of(agreed), record, has_index=True)
    index = index.copy(agreed) if end > index.end_of(agreed) else index.first(agreed)
    return _read_rest(index, log_file, path, end)


# The index.


def _open_index(log_file: Descriptor, path: Path, *, read_only: bool = False) -> Index | None:
    """The index of a log, unless somebody could have written it who cannot write the log: it says whose messages are verified."""
    beside = index_path(path)
    try:
        return Index.open(beside, partial(_check, log_file, beside), read_only=read_only)
    except FileNotFoundError:
        return None
    except UntrustedFile as why:
        log.warning(
            "the index %s is not used%s: %s", beside, "" if read_only else ", and made anew", why.strerror
        )
        return None
    except (OSError, ValueError) as error:
        log.info("the index of %s is of no use: %s", path, error)
        return None


def _check(log_file: Descriptor, beside: Path, file: Descriptor) -> None:
    refuse_less_trusted(beside, file, log_file)


def _open_old_index(log_file: Descriptor, path: Path) -> OldIndex | None:
    beside = index_path(path)
    try:
        return OldIndex(beside, partial(_check, log_file, beside))
    except (OSError, ValueError):
        return None


def _agreed(log_file: Descriptor, index: Index, known: Epoch) -> int | None:
    """The number of records of an index that agree with the log and its epoch; None if it is of no use."""
    if known.name and known.name != index.epoch:
        return None
    try:
        if is_without_messages(log_file) and (standing := standing_records(log_file, index)):
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
) -> tuple[LogState, Reading]:
    """Read a whole log, and make an index of it: beside the log, or, if that is impossible, without a name.

    Args:
        log_file: the file.
        path: its path.
        end: the offset up to which it is read.
        epoch: its epoch.
        before: the index that it had, if any.
    """
    reading = Reading(log_file, path)
    records = reading.records(runs(log_file, 0, end))
    known = before.remembered(1) if before else ()
    try:
        index = Index.create(index_path(path), epoch, _flagged(records, known))
    except OSError as error:
        warn_unkept(path, error)
        known = before.remembered(1) if before else ()
        return _read_rest(Index.temporary(epoch), log_file, path, end, known)
    index.note_strange(reading.in_front)
    return _body(log_file, index, end, reading), reading


def _read_rest(
    index: Index, log_file: Descriptor, path: Path, end: int, before: Iterable[Record | None] = ()
) -> tuple[LogState, Reading]:
    """Add the messages that are not in the index yet.

    Args:
        index: the index.
        log_file: the file.
        path: its path.
        end: the offset up to which it is read.
        before: earlier records of these messages, as returned by `Index.remembered`.
    """
    reading = Reading(log_file, path, index.strange)
    behind = index.end_of(index.count)
    if index.count and _continues(log_file, behind, end):
        # An external edit has added lines to the last message, whose own beginning may be damaged.
        last = index.record(index.count)
        record = reading.message(next(entries(log_file, last.begin, end)))
        index.change(index.count, [record._replace(flags=last.flags)])
        behind = record.end
    found = runs(log_file, behind, end)
    index.add_all(_flagged(reading.records(found), before))
    index.note_strange(reading.in_front)
    return _body(log_file, index, end, reading), reading


def _continues(log_file: Descriptor, behind: int, end: int) -> bool:
    """Whether what follows a message belongs to it."""
    first = next(entries(log_file, behind, end, at_once=FIRST_BYTES), None)
    return first is not None and (first.kind is Kind.REST or not begins_line(log_file, behind))


def _flagged(records: Iterable[Record | Run], before: Iterable[Record | None]) -> Iterable[Record | Run]:
    """Records read from a log, with the flags that an earlier index has for the same messages: the log has no others than `Flag.ANNOTATION`."""
    return map(_with_flags, each_record(records), chain(before, repeat(None))) if before else records


def _with_flags(record: Record, known: Record | None) -> Record:
    if known is None or known._replace(flags=record.flags) != record:
        return record
    # An index of an older server lacks this one.
    return known._replace(flags=ANNOTATING[known.flags]) if IS_ANNOTATION[record.flags] else known


def _body(log_file: Descriptor, index: Index, end: int, reading: Reading) -> LogState:
    body = LogState(log_file, index)
    body.count, body.size, body.strange = index.count, end, reading.behind
    body.ends_line = not end or log_file.read(end - 1, 1) == b"\n"
    return body


# The end of the log.


def _repair(log_file: Descriptor, path: Path, index: Index, agreed: int) -> Torn | None:
    record = index.record(agreed + 1) if agreed < index.count else None
    torn = _cut_if_torn(log_file, path, index.end_of(agreed), record, has_index=True)
    index.cut(agreed)
    return torn


def _cut_if_torn(
    log_file: Descriptor, path: Path, behind: int, record: Record | None, *, has_index: bool
) -> Torn | None:
    size = log_file.size  # bytes that another program adds from here on are not torn
    offset = torn_offset(log_file, behind, record, has_index=has_index)
    return cut_off(log_file, path, offset) if offset < size else None


def _end(log_file: Descriptor, torn: Torn | None) -> int:
    return torn.offset if torn else log_file.size


# The epoch.


def _epoch_of(log_file: Descriptor, end: int, known: Epoch, old: OldIndex | None) -> str:
    """The epoch of a log without an index that agrees with it."""
    if known.name:
        return known.name if known.is_of(first_head(log_file, end)) else new_epoch()
    if old:
        return old.epoch if old.is_of(log_file, end) else new_epoch()
    first = next(messages(log_file, end), None)
    return derived_epoch(
        log_file.read(first.begin, min(first.end - first.begin, SCAN_BYTES)) if first else b""
    )
