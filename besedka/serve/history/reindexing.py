"""Rebuilding an index while its log is open, from its own records: for another epoch, or because some records are damaged.

The log is read only where records are damaged. So the flags, which only the index has, are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from besedka.serve.files.descriptor import Descriptor
from besedka.serve.history.epoch import Epoch, keep_epoch, new_epoch
from besedka.serve.history.index import Index, IndexDamaged, index_path, warn_unkept
from besedka.serve.history.log_state import LogState
from besedka.serve.history.record import Record
from besedka.serve.history.scan import Kind, entries, first_head
from besedka.wire.counting import count_of


def with_new_epoch(body: LogState, path: Path) -> LogState:
    """Give a log another epoch; the flags of its messages are kept.

    Raises:
        OSError: from the system.
    """
    return with_epoch(body, path, new_epoch())


def with_epoch(body: LogState, path: Path, name: str) -> LogState:
    """Give a log this epoch; the flags of its messages are kept.

    Raises:
        OSError: from the system.
    """
    keep_epoch(path, Epoch(name, first_head(body.file, body.size)))
    return _with_index(body, path, name, lambda: body.index.records(1, body.count))


def repaired(body: LogState, path: Path) -> LogState:
    """Rebuild the damaged records of an index from its log, which was not changed.

    Raises:
        OSError: from the system.
        IndexDamaged: the log does not hold as many messages as there are damaged records.
    """
    return _with_index(body, path, body.index.epoch, lambda: _records(body))


def _with_index(body: LogState, path: Path, epoch: str, records: Callable[[], Iterable[Record]]) -> LogState:
    try:
        index = Index.create(index_path(path), epoch, records())
    except IndexDamaged:
        raise
    except OSError as error:
        warn_unkept(path, error)
        index = Index.temporary(epoch)
        index.add_all(records())
    index.note_strange(body.index.strange)
    return body.with_index(index)


def _records(body: LogState) -> Iterator[Record]:
    behind, damaged = 0, 0
    for record in body.index.sound_records(1, body.count):
        if record is None:
            damaged += 1
            continue
        if damaged:
            yield from _between(body.file, behind, record.begin, damaged)
        yield record
        behind, damaged = record.end, 0
    yield from _between(body.file, behind, body.size, damaged)


def _between(log_file: Descriptor, begin: int, end: int, count: int) -> Iterator[Record]:
    """The records of ``count`` messages in a part of a log."""
    found = 0
    for entry in entries(log_file, begin, end):
        if entry.kind is Kind.MESSAGE:
            found += 1
            yield Record.of_entry(entry)
    if found != count:
        raise IndexDamaged(
            f"{count_of(found, 'message')} where {count_of(count, 'record')} cannot be used, between bytes {begin} and {end}"
        )
