"""Appending batches to a log: the records first, then the messages, then a sync; only then may a batch be delivered (decision 1)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from besedka.serve.errors import HistoryInUse, HistoryLost, HistoryUnusable, StorageFull
from besedka.serve.files.descriptor import FULL, PartlyWritten, reason
from besedka.serve.history.external_edits import ExternalEdits
from besedka.serve.history.full_disk import append_error, cut_back, keep_torn_end
from besedka.serve.history.index import Flag, Record
from besedka.serve.history.log_state import LATEST_MESSAGES, SHOWN_BYTES, Latest, LogState, shown_line
from besedka.serve.history.reading import ReadableLog
from besedka.wire.message import MessageId

log = logging.getLogger(__name__)

TRIES: Final = 5
"""Attempts to write a batch when another program replaces or cuts the file meanwhile; then the file is given up."""


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
            body = self._log.body
            records = self._write(body, batch, flags)
            if self._is_as_written(records):
                return self._stored(body, batch, records)
            # Another program has written, too: only the file shows where the batch is now.
            first = self._find(records, body)
            if first:
                return first
        raise HistoryLost(self._log.path, "another program keeps replacing or cutting it")

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
            raise HistoryLost(self._log.path, reason(error)) from error
        if not is_kept:
            raise StorageFull(self._log.path, size)
        self._edits.note_own_change()

    def _write(self, body: LogState, batch: Sequence[bytes], flags: Sequence[Flag]) -> list[Record]:
        """Write a batch at the known end, and wait until it is on disk."""
        path = self._log.path
        records = _records(body, batch, flags)
        data = (b"" if body.ends_line else b"\n") + b"".join(batch)
        try:
            body.index.add(records, sync=any(record.crc != record.head_crc for record in records))
            body.file.write(data)
            self._edits.note_own_change()
        except OSError as error:
            written = error.written if isinstance(error, PartlyWritten) else 0
            if error.errno in FULL and cut_back(body, path, data, written):
                self._edits.note_own_change()
            raise append_error(error, path, len(data)) from error
        try:
            body.file.sync()
        except OSError as error:
            raise HistoryLost(path, reason(error)) from error
        return records

    def _is_as_written(self, records: Sequence[Record]) -> bool:
        """Whether no other program has written, replaced or cut the file since `_reread_if_edited`."""
        try:
            return self._edits.is_unchanged(records[-1].end)
        except OSError as error:
            raise HistoryLost(self._log.path, reason(error)) from error

    def _find(self, records: Sequence[Record], known: LogState) -> MessageId | None:
        """Find a batch that may be in the log; a failure does not prove that it is not, so it is final."""
        try:
            return self._edits.find(records, known)
        except OSError as error:
            raise HistoryLost(self._log.path, reason(error)) from error
        except (HistoryInUse, HistoryUnusable) as error:
            raise HistoryLost(self._log.path, str(error)) from error

    def _stored(self, body: LogState, batch: Sequence[bytes], records: Sequence[Record]) -> MessageId:
        self._note_strange(body)
        first = body.add(records)
        newest = enumerate(batch[-LATEST_MESSAGES:], body.count - min(len(batch), LATEST_MESSAGES) + 1)
        lines = [_shown(message, number, body.file.name) for number, message in newest]
        latest = self._log.latest
        last = (*latest.lines, *lines)[-LATEST_MESSAGES:]
        known = (*latest.flags, *(record.flags for record in records))[-LATEST_MESSAGES:]
        self._log.latest = Latest(body.count - len(last) + 1, last, known)
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


def _records(body: LogState, batch: Sequence[bytes], flags: Sequence[Flag]) -> list[Record]:
    """The records of a batch that will be written at the known end."""
    end = body.size + (not body.ends_line)
    records = []
    for position, message in enumerate(batch):
        end += len(message)
        records.append(Record.of(message, end, flags[position] if position else flags[0] | Flag.BEGINS_BATCH))
    return records


def _shown(message: bytes, number: int, name: str) -> str:
    """A message of this server as `ReadableLog.read` will return it."""
    if len(message) <= SHOWN_BYTES:
        return message[:-1].decode()
    return shown_line(message[:SHOWN_BYTES], len(message), number, name)
