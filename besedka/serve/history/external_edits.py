"""Another program changes a log that is open: how that is noticed, and how the log is read anew then (decision 9).

What was only added to keeps its epoch: the lines are told in their place. If what was told has changed, the log gets another epoch, and all
who read it start again. Nothing is ever cut off here: there was no crash.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from contextlib import suppress

from besedka.serve.history import check, file
from besedka.serve.history.body import Body
from besedka.serve.history.file import Identity
from besedka.serve.history.findings import restored
from besedka.serve.history.foreign import refuse_binary
from besedka.serve.history.index import IndexDamaged, Record
from besedka.serve.history.reading import ReadableLog
from besedka.serve.history.rebuilding import repaired, with_new_epoch
from besedka.serve.history.restoring import take_anew
from besedka.serve.history.scan import Kind, begins_line, entries
from besedka.serve.history.watch import Watch
from besedka.wire.message import MessageId

log = logging.getLogger(__name__)


class ExternalEdits:
    """Those of one log.

    Args:
        readable: the log.
        watch: is told of writers, since before anything was known of the log that shall still hold.
    """

    def __init__(self, readable: ReadableLog, watch: Watch) -> None:
        self._log = readable
        self._watch = watch
        body = readable.body
        self._left: Identity | None = Identity.of(os.fstat(body.file.number))
        if self._left.size != body.size + (body.torn.size if body.torn else 0):
            self._left = None  # it has grown since it was read

    def leave(self) -> None:
        """The file is as we leave it: what it looks like from here on is compared with now."""
        self._left = Identity.of(os.fstat(self._log.body.file.number))

    def is_as_left(self, size: int | None = None) -> bool:
        """Whether the file at the log's path is the one that we left, as far as size and time of change tell.

        Args:
            size: how long it must be, too.

        Raises:
            OSError: as the system says it.
        """
        now = Identity.at(self._log.path)
        return now is not None and now == self._left and size in {None, now.size}

    def have_happened(self) -> bool:
        """Whether the file is not as we left it, or another program has written to it since this was asked last.

        Raises:
            OSError: as the system says it.
        """
        was_written = self._watch.was_written()
        return was_written or not self.is_as_left()

    def read_anew(self) -> bool:
        """Read the log again. Until all is known, those who read go on in what was known before.

        Returns:
            Whether all that was told stands where it stood; else the log has another epoch now.

        Raises:
            OSError: as the system says it.
            HistoryInUse: another file is there now, and another process has it.
            HistoryUnusable: what is there now is no log.
        """
        known, log_file, path = self._log.body, self._log.body.file, self._log.path
        is_same_file = log_file.is_at(path)
        if not is_same_file:
            log_file = file.open_locked(path)
        self._watch.was_written()  # what happens from here on counts
        identity = Identity.of(os.fstat(log_file.number))
        known.index.cut(known.count)
        is_kept = is_same_file and _is_only_added_to(known)
        if not is_kept:
            refuse_binary(log_file, path)
        body, reading = take_anew(log_file, path, known.index if is_kept else None)
        self._log.exchange(body)
        self._left = identity
        if not is_same_file:
            self._watch.close()
            self._watch = Watch(path)
            self._left = None  # what happened before it was watched would not be told
        self._log.restored = restored(body, reading)
        self._report(is_kept=is_kept)
        return is_kept

    def find(self, batch: Sequence[Record], known: Body) -> MessageId | None:
        """Read the log anew, and find a batch that was written behind what was known when another program wrote, too.

        Lines that begin nothing may have been added behind it: they belong to its last message, which will be told without them. So
        the epoch changes.

        Returns:
            The id of its first message; None if it stands nowhere.

        Raises:
            OSError, HistoryInUse, HistoryUnusable: as `read_anew`.
        """
        is_kept = self.read_anew()
        body = self._log.body
        then, now = known.places_of(batch), body.places_of(batch)
        # The same words may have been there before. What a program rewrote may stand nearer to the beginning than it was written.
        if len(now) <= len(then):
            return None
        first = now[-1]
        stands = [*body.index.records(first, first + len(batch) - 1)]
        # A log that is read anew does not say what was known of a batch beside its lines.
        body.index.change(
            first, [one._replace(flags=ours.flags) for one, ours in zip(stands, batch, strict=True)]
        )
        if is_kept and stands[-1].length != batch[-1].length:
            log.warning(
                "lines that continue what was just said were added to %s by another program", self._log.path
            )
            body = with_new_epoch(body, self._log.path)
        self._log.exchange(body)
        return first

    def replace_index(self) -> None:
        """Have another index in place of a damaged one; the epoch stays if the log is known to be as we left it.

        Raises:
            OSError, HistoryUnusable: as `read_anew`.
        """
        body, path = self._log.body, self._log.path
        if not self.have_happened():
            with suppress(IndexDamaged):  # the log does not hold as many messages as there are records
                self._log.exchange(repaired(body, path))
                return
        self._log.exchange(take_anew(body.file, path, None)[0])
        self._left = None  # the file is looked at again before anything is written behind it

    def close(self) -> None:
        """Notice nothing more."""
        self._watch.close()

    def _report(self, *, is_kept: bool) -> None:
        found = self._log.restored
        log.warning(
            "the history %s was %s by another program; it has %d messages now%s%s%s",
            self._log.path,
            "added to" if is_kept else "replaced or changed",
            found.messages,
            f"; {found.strange.told()}" if found.strange.lines else "",
            f"; line {found.damaged_line} is damaged" if found.damaged_line else "",
            f"; line {found.open_line} has no end and is possibly incomplete" if found.open_line else "",
        )


def _is_only_added_to(known: Body) -> bool:
    """Whether what was told stands where it stood."""
    try:
        if check.first_difference(known.file, known.index) is not None:
            return False
    except IndexDamaged:
        return False
    behind = known.index.end_of(known.count)
    first = next(entries(known.file, behind, known.file.size), None)
    # Lines that begin nothing belong to the message above, which was told without them; but for the line end it lacked.
    is_line_end = first is not None and first.end == behind + 1 and not known.ends_line
    if first and not is_line_end and not begins_line(known.file, behind):
        return False
    return first is None or first.kind is not Kind.REST or is_line_end or not known.count
