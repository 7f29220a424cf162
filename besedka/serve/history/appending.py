"""Writing batches behind a log: the records first, then the messages, then a sync; only then anyone may be told (decision 1)."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from besedka.serve.errors import HistoryInUse, HistoryLost, HistoryUnusable, StorageFull
from besedka.serve.history.body import LATEST_MESSAGES, TOLD_BYTES, Body, Latest, told_line
from besedka.serve.history.external_edits import ExternalEdits
from besedka.serve.history.file import FULL, PartlyWritten, reason
from besedka.serve.history.full_disk import append_error, cut_back, keep_torn_end
from besedka.serve.history.index import Flag, Record
from besedka.serve.history.reading import ReadableLog
from besedka.wire.message import MessageId

log = logging.getLogger(__name__)

TRIES: Final = 5
"""How often a batch is written anew because the file was replaced or cut while it was written; then the file is given up."""


class Appender:
    """Appends to one log.

    Args:
        readable: the log.
        edits: notices when another program changes it.
    """

    def __init__(self, readable: ReadableLog, edits: ExternalEdits) -> None:
        self._log = readable
        self._edits = edits

    def append(self, batch: Sequence[bytes], flags: Sequence[Flag]) -> MessageId:
        """Write a batch, as `ChatHistory.append` does; one at a time.

        Args:
            batch: the messages, with their line ends.
            flags: what is known of each of them beside.

        Raises:
            StorageFull, HistoryLost: as `ChatHistory.append`.
        """
        size = sum(map(len, batch))
        for _ in range(TRIES):
            self._look_for_external_edits(size)
            self._clear_torn_end(size)
            body = self._log.body
            records = self._write(body, batch, flags)
            if self._is_as_written(records):
                return self._stored(body, batch, records)
            # Somebody else has written, too. Where our batch stands now, the file alone can tell.
            first = self._find(records, body)
            if first:
                return first
        raise HistoryLost(self._log.path, "another program keeps replacing or cutting it")

    def _look_for_external_edits(self, size: int) -> None:
        """Never write into a file that is no longer there, or whose content is not what we take it for."""
        try:
            if self._edits.have_happened():
                self._edits.read_anew()
        except OSError as error:
            raise append_error(error, self._log.path, size) from error
        except (HistoryInUse, HistoryUnusable) as error:
            raise HistoryLost(self._log.path, str(error)) from error

    def _clear_torn_end(self, size: int) -> None:
        """What a crash has torn, and could not be kept when the log was opened, must go before anything is written behind it."""
        if self._log.body.torn is None:
            return
        try:
            is_kept = keep_torn_end(self._log.body, self._log.path)
        except OSError as error:
            raise HistoryLost(self._log.path, reason(error)) from error
        if not is_kept:
            raise StorageFull(self._log.path, size)
        self._edits.leave()

    def _write(self, body: Body, batch: Sequence[bytes], flags: Sequence[Flag]) -> list[Record]:
        """Write a batch behind what is known, and wait until it is on disk."""
        path = self._log.path
        records = _records(body, batch, flags)
        data = (b"" if body.ends_line else b"\n") + b"".join(batch)
        try:
            body.index.add(records, sync=any(one.crc != one.head_crc for one in records))
            body.file.write(data)
            self._edits.leave()
        except OSError as error:
            written = error.written if isinstance(error, PartlyWritten) else 0
            if error.errno in FULL and cut_back(body, path, data, written):
                self._edits.leave()
            raise append_error(error, path, len(data)) from error
        try:
            body.file.sync()
        except OSError as error:
            raise HistoryLost(path, reason(error)) from error
        return records

    def _is_as_written(self, records: Sequence[Record]) -> bool:
        """Whether nobody else has written, replaced or cut the file since it was made ready."""
        try:
            return self._edits.is_as_left(records[-1].end)
        except OSError as error:
            raise HistoryLost(self._log.path, reason(error)) from error

    def _find(self, records: Sequence[Record], known: Body) -> MessageId | None:
        """Find a batch that is in the log perhaps; so nothing that goes wrong here means that it is not."""
        try:
            return self._edits.find(records, known)
        except OSError as error:
            raise HistoryLost(self._log.path, reason(error)) from error
        except (HistoryInUse, HistoryUnusable) as error:
            raise HistoryLost(self._log.path, str(error)) from error

    def _stored(self, body: Body, batch: Sequence[bytes], records: Sequence[Record]) -> MessageId:
        self._note_strange(body)
        first = body.add(records)
        newest = enumerate(batch[-LATEST_MESSAGES:], body.count - min(len(batch), LATEST_MESSAGES) + 1)
        lines = [_told(message, number, body.file.name) for number, message in newest]
        latest = self._log.latest
        last = (*latest.lines, *lines)[-LATEST_MESSAGES:]
        known = (*latest.flags, *(record.flags for record in records))[-LATEST_MESSAGES:]
        self._log.latest = Latest(body.count - len(last) + 1, last, known)
        return first

    def _note_strange(self, body: Body) -> None:
        """Lines that are not understood stand in front of a message now, and are not looked at again."""
        if not body.strange.lines:
            return
        try:
            body.index.note_strange(body.index.strange.plus(body.strange))
        except OSError as error:
            log.warning(
                "how many lines of %s are no messages could not be noted: %s", self._log.path, reason(error)
            )


def _records(body: Body, batch: Sequence[bytes], flags: Sequence[Flag]) -> list[Record]:
    """Those of a batch that is to stand behind what is known."""
    end = body.size + (not body.ends_line)
    records = []
    for place, message in enumerate(batch):
        end += len(message)
        records.append(Record.of(message, end, flags[place] if place else flags[0] | Flag.BEGINS_BATCH))
    return records


def _told(message: bytes, number: int, name: str) -> str:
    """What is told of a message of our own, as `ReadableLog.read` will give it."""
    if len(message) <= TOLD_BYTES:
        return message[:-1].decode()
    return told_line(message[:TOLD_BYTES], len(message), number, name)
