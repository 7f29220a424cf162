"""Appending batches to a log: the records first, then the messages, then a sync; only then may a batch be delivered (decision 1).

One sync may serve the batches of many logs (decision 46), so an append has three steps, with a sync of the records, where they need one, and one of
the batch between them.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final, NamedTuple

from besedka.serve.errors import AppendError, HistoryInUse, HistoryLost, HistoryUnusable, StorageFull
from besedka.serve.files.descriptor import FULL, Descriptor, PartlyWritten, reason
from besedka.serve.files.file_system import file_system_of
from besedka.serve.history.external_edits import ExternalEdits
from besedka.serve.history.full_disk import append_error, cut_back, keep_torn_end
from besedka.serve.history.log_state import (
    SHOWN_BYTES,
    Latest,
    LogState,
    message_ids,
    newcomers_begin,
    shown_line,
)
from besedka.serve.history.reading import ReadableLog
from besedka.serve.history.record import BEGINNING, Flag, Record
from besedka.wire.message import MessageId

log = logging.getLogger(__name__)

TRIES: Final = 5
"""Attempts to write a batch when another program replaces or cuts the file meanwhile; then the file is given up."""


class Started(NamedTuple):
    """A batch on its way into its log.

    Attributes:
        body: the log, as it was before.
        batch: the messages, with their line ends.
        records: their records, which are written.
        must_sync: whether the index must be synced before the batch is written.
    """

    body: LogState
    batch: Sequence[bytes]
    records: Sequence[Record]
    must_sync: bool

    @property
    def index_file(self) -> Descriptor:
        """The file that must be synced before the batch is written, if `must_sync`."""
        return self.body.index.file

    @property
    def file(self) -> Descriptor:
        """The file that must be synced behind that."""
        return self.body.file


class Appender:
    """Appends to one log.

    Args:
        readable: the log.
        edits: detects changes by another program.
    """

    def __init__(self, readable: ReadableLog, edits: ExternalEdits) -> None:
        self._log = readable
        self._edits = edits

    def append(self, batch: Sequence[bytes], flags: Sequence[Flag]) -> MessageId:
        """Write a batch, as `ChatHistory.append` does; one at a time.

        Args:
            batch: the messages, with their line ends.
            flags: the flags of each message.

        Raises:
            StorageFull, HistoryLost: as `ChatHistory.append`.
        """
        size = sum(map(len, batch))
        for _ in range(TRIES):
            self._reread_if_edited(size)
            self._clear_torn_end(size)
            started = self._write_records(batch, flags)
            self.write(started, _sync(started.index_file) if started.must_sync else None)
            first = self.finish(started, _sync(started.file))
            if first:
                return first
        raise HistoryLost(self._log.path, "another program keeps replacing or cutting it")

    def start(self, batch: Sequence[bytes], flags: Sequence[Flag]) -> Started | None:
        """Write the records of a batch; None if the log must be reread or repaired before, as `append` does.

        Raises:
            StorageFull, HistoryLost: as `append`.
        """
        try:
            is_ready = self._log.body.torn is None and not self._edits.have_happened()
        except OSError as error:
            raise append_error(error, self._log.path, sum(map(len, batch))) from error
        return self._write_records(batch, flags) if is_ready else None

    def write(self, started: Started, error: Exception | None) -> None:
        """Write a batch, after the sync of its records where they need one.

        Args:
            started: the batch.
            error: why its records could not be synced.

        Raises:
            StorageFull, HistoryLost: as `append`.
        """
        body = started.body
        data = (b"" if body.ends_line else b"\n") + b"".join(started.batch)
        if isinstance(error, OSError):
            raise self._not_written(body, data, error) from error
        if error:
            raise self._lost(error) from error
        if started.must_sync:
            body.index.note_synced()
        try:
            body.file.write(data)
            self._edits.note_own_change()
        except OSError as failure:
            raise self._not_written(body, data, failure) from failure

    def finish(self, started: Started, error: Exception | None) -> MessageId | None:
        """Take a batch that was written for stored, after its sync.

        Args:
            started: the batch.
            error: why it could not be synced.

        Returns:
            The id of its first message; None if another program has removed the batch meanwhile.

        Raises:
            HistoryLost: the sync has failed.
        """
        if error:
            raise self._lost(error) from error
        if self._is_as_written(started.records):
            return self._stored(started)
        # Another program has written, too: only the file shows where the batch is now.
        return self._find(started.records, started.body)

    def _reread_if_edited(self, size: int) -> None:
        """Reread a file that was replaced or changed, before anything is written to it."""
        try:
            if self._edits.have_happened():
                self._edits.reread()
        except OSError as error:
            raise append_error(error, self._log.path, size) from error
        except (HistoryInUse, HistoryUnusable) as error:
            raise HistoryLost(self._log.path, str(error)) from error

    def _clear_torn_end(self, size: int) -> None:
        """Remove a torn end that could not be kept when the log was opened; nothing may be written after it."""
        if self._log.body.torn is None:
            return
        try:
            is_kept = keep_torn_end(self._log.body, self._log.path)
        except OSError as error:
            raise self._lost(error) from error
        if not is_kept:
            raise StorageFull(self._log.path, size)
        self._edits.note_own_change()

    def _write_records(self, batch: Sequence[bytes], flags: Sequence[Flag]) -> Started:
        """Write the records of a batch that will be written at the known end."""
        body = self._log.body
        records = _records(body, batch, flags)
        has_lines = any(record.crc != record.head_crc for record in records)
        try:
            must_sync = body.index.write(records, sync=has_lines)
        except OSError as error:
            raise self._not_written(body, b"".join(batch), error) from error
        return Started(body, batch, records, must_sync)

    def _not_written(self, body: LogState, data: bytes, error: OSError) -> AppendError:
        """The error to raise when a batch or its records could not be written; where there was no room, nothing of them stays."""
        written = error.written if isinstance(error, PartlyWritten) else 0
        if error.errno in FULL and cut_back(body, self._log.path, data, written):
            self._edits.note_own_change()
        return append_error(error, self._log.path, len(data))

    def _lost(self, error: Exception) -> HistoryLost:
        """The error to raise when it is not known what is on the disk."""
        return HistoryLost(self._log.path, reason(error))

    def _is_as_written(self, records: Sequence[Record]) -> bool:
        """Whether no other program has written, replaced or cut the file since `_reread_if_edited`."""
        try:
            return self._edits.is_unchanged(records[-1].end)
        except OSError as error:
            raise self._lost(error) from error

    def _find(self, records: Sequence[Record], known: LogState) -> MessageId | None:
        """Find a batch that may be in the log; a failure does not prove that it is not, so it is final."""
        try:
            return self._edits.find(records, known)
        except OSError as error:
            raise self._lost(error) from error
        except (HistoryInUse, HistoryUnusable) as error:
            raise HistoryLost(self._log.path, str(error)) from error

    def _stored(self, started: Started) -> MessageId:
        body, batch, records, _ = started
        self._note_strange(body)
        first = body.add(records)
        latest, name = self._log.latest, body.file.name
        messages = message_ids(first, records, latest.messages)
        newest = batch[newcomers_begin(messages, body.count) - body.count - 1 :]
        numbers = range(body.count - len(newest) + 1, body.count + 1)
        lines = [_shown(message, number, name) for number, message in zip(numbers, newest, strict=True)]
        known = [*latest.flags, *[record.flags for record in records[-len(lines) :]]]
        self._log.latest = Latest.up_to(body.count, [*latest.lines, *lines], known, messages)
        return first

    def _note_strange(self, body: LogState) -> None:
        """Store the number of lines that are not understood: they are before a message now, and are not read again."""
        if not body.strange.lines:
            return
        try:
            body.index.note_strange(body.index.strange.plus(body.strange))
        except OSError as error:
            log.warning(
                "how many lines of %s are no messages could not be noted: %s", self._log.path, reason(error)
            )


def _sync(file: Descriptor) -> OSError | None:
    """Wait until a file is on the disk. Returns the error, if there is one."""
    return file_system_of(file).sync_one(file)


def _records(body: LogState, batch: Sequence[bytes], flags: Sequence[Flag]) -> list[Record]:
    """The records of a batch that will be written at the known end."""
    end = body.size + (not body.ends_line)
    records = []
    for position, message in enumerate(batch):
        end += len(message)
        records.append(Record.of(message, end, flags[position] if position else BEGINNING[flags[0]]))
    return records


def _shown(message: bytes, number: int, name: str) -> str:
    """A message of this server as `ReadableLog.read` will return it."""
    if len(message) <= SHOWN_BYTES:
        return message[:-1].decode()
    return shown_line(message[:SHOWN_BYTES], len(message), number, name)
