"""External edits: detecting that another program has changed an open log, and rereading it (decision 9).

A log that was only added to keeps its epoch: the new messages are delivered in their place. If delivered messages have changed, the log gets
another epoch, and all readers start again. Nothing is cut off: there was no crash.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import suppress

from besedka.serve.files import descriptor
from besedka.serve.files.descriptor import Identity
from besedka.serve.files.trust import refuse_untrusted_log
from besedka.serve.history.index import IndexDamaged
from besedka.serve.history.log_state import LogState
from besedka.serve.history.opening.findings import restored
from besedka.serve.history.opening.foreign import refuse_binary
from besedka.serve.history.opening.loading import reread_log
from besedka.serve.history.reading import ReadableLog
from besedka.serve.history.record import Record
from besedka.serve.history.reindexing import repaired, with_new_epoch
from besedka.serve.history.scan import Kind, begins_line, entries
from besedka.serve.history.verifying import comparison
from besedka.serve.history.watch import Watch
from besedka.wire.message import MessageId

log = logging.getLogger(__name__)


class ExternalEdits:
    """Detects external edits of one log.

    Args:
        readable: the log.
        watch: notices writers; older than everything that is known of the log.
        may_be_link: whether a symbolic link is followed.

    Attributes:
        is_private: whether a file that is there now must be the server's own.
    """

    def __init__(
        self, readable: ReadableLog, watch: Watch, *, may_be_link: bool, is_private: bool = False
    ) -> None:
        self.is_private = is_private
        self._log = readable
        self._path = os.fspath(readable.path)
        self._may_be_link = may_be_link
        self._watch = watch
        body = readable.body
        self._was_noticed = False
        self._seen: Identity | None = Identity.of(os.fstat(body.file.number))
        if self._seen.size != body.size + (body.torn.size if body.torn else 0):
            self._seen = None  # it has grown since it was read

    def note_own_change(self) -> None:
        """Remember the file's present state: this process has just changed it."""
        self._seen = Identity.of(os.fstat(self._log.body.file.number))

    def is_unchanged(self, size: int | None = None) -> bool:
        """Whether the file at the log's path is as it was remembered last, by its size and time of change.

        Args:
            size: the size that it must have, too.

        Raises:
            OSError: from the system.
        """
        now = Identity.at(self._path)
        return now is not None and now == self._seen and size in {None, now.size}

    def have_happened(self) -> bool:
        """Whether another program has changed the file, or has written to it, since it was read last.

        Raises:
            OSError: from the system.
        """
        # The watch reports a write once, and whoever asks may leave the reading to somebody else.
        self._was_noticed = self._watch.was_written() or self._was_noticed or not self.is_unchanged()
        return self._was_noticed

    def reread(self, *, is_own: bool = False) -> bool:
        """Reread the log. Until that is done, readers continue with the previous state.

        Args:
            is_own: whether this process itself has replaced it, which is not reported.

        Returns:
            Whether all known messages are where they were; else the log has another epoch now.

        Raises:
            OSError: from the system.
            HistoryInUse: another file is there now, and another process has it.
            HistoryUnusable: the file that is there now is no log.
        """
        known, log_file, path = self._log.body, self._log.body.file, self._log.path
        is_same_file = log_file.is_at(path)
        if not is_same_file:
            log_file = descriptor.open_locked(path, may_be_link=self._may_be_link)
            if self.is_private:
                refuse_untrusted_log(path, log_file)
        self._was_noticed = self._watch.was_written() or self._was_noticed  # these are about to be read
        identity = Identity.of(os.fstat(log_file.number))
        known.index.cut(known.count)
        is_kept = is_same_file and _is_only_added_to(known)
        if not is_kept:
            refuse_binary(log_file, path)
        body, reading = reread_log(log_file, path, known.index if is_kept else None)
        self._log.exchange(body)
        self._seen = identity
        self._was_noticed = False
        if not is_same_file:
            self._watch.close()
            self._watch = Watch(path)
            self._seen = None  # a write before it was watched would go unnoticed
        self._log.restored = restored(body, reading)
        if is_own:
            self.note_own_change()
        else:
            self._report(is_kept=is_kept)
        return is_kept

    def find(self, batch: Sequence[Record], known: LogState) -> MessageId | None:
        """Reread the log, and find a batch that was written while another program wrote, too.

        Lines that begin no message may have been added after it: they belong to its last message, which will be delivered without
        them. So the epoch changes.

        Returns:
            The id of its first message; None if it is not in the log.

        Raises:
            OSError, HistoryInUse, HistoryUnusable: as `reread`.
        """
        is_kept = self.reread()
        body = self._log.body
        before, now = known.occurrences(batch), body.occurrences(batch)
        # The same texts may have been there before. A program that rewrites the file may also move the batch towards its beginning.
        if len(now) <= len(before):
            return None
        first = now[-1]
        found = [*body.index.records(first, first + len(batch) - 1)]
        # The log itself does not have the flags of a batch.
        flagged = [record._replace(flags=own.flags) for record, own in zip(found, batch, strict=True)]
        body.index.change(first, flagged)
        if is_kept and found[-1].length != batch[-1].length:
            log.warning(
                "lines that continue what was just said were added to %s by another program", self._log.path
            )
            body = with_new_epoch(body, self._log.path)
        self._log.exchange(body)
        return first

    def replace_index(self) -> None:
        """Replace a damaged index; the epoch stays if the log has not been edited externally.

        Raises:
            OSError, HistoryUnusable: as `reread`.
        """
        body, path = self._log.body, self._log.path
        if not self.have_happened():
            with suppress(IndexDamaged):  # the log does not hold as many messages as there are records
                self._log.exchange(repaired(body, path))
                return
        self._log.exchange(reread_log(body.file, path, None)[0])
        self._seen = None  # the file is checked again before the next write

    def close(self) -> None:
        """Stop watching."""
        self._watch.close()

    def _report(self, *, is_kept: bool) -> None:
        found = self._log.restored
        log.warning(
            "the history %s was %s by another program; it has %d messages now%s%s%s",
            self._log.path,
            "added to" if is_kept else "replaced or changed",
            found.messages,
            f"; {found.strange.report()}" if found.strange.lines else "",
            f"; line {found.damaged_line} is damaged" if found.damaged_line else "",
            f"; line {found.open_line} has no end and is possibly incomplete" if found.open_line else "",
        )


def _is_only_added_to(known: LogState) -> bool:
    """Whether all known messages are where they were."""
    try:
        if comparison.first_difference(known.file, known.index) is not None:
            return False
    except IndexDamaged:
        return False
    behind = known.index.end_of(known.count)
    first = next(entries(known.file, behind, known.file.size), None)
    # Lines that begin no message belong to the one above, which was delivered without them; a missing line end is no such change.
    is_line_end = first is not None and first.end == behind + 1 and not known.ends_line
    if first and not is_line_end and not begins_line(known.file, behind):
        return False
    return first is None or first.kind is not Kind.REST or is_line_end or not known.count
