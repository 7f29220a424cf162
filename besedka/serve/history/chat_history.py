"""`ChatHistory`: one room's log.

The rules of this module:

- the file is the truth, and alone is enough; the index beside it is made again when it is missing or does not fit;
- a message counts when its whole line is on disk: `append` returns only after ``fdatasync``;
- nothing here knows a loop, a socket or a room. The methods block, and the caller runs them where that does no harm;
  `append` and `redact` wait for each other, `read` and `search` for nobody.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final, TypeVar

from besedka.serve.errors import HistoryChanged, HistoryInUse, HistoryLost, HistoryUnusable, StorageFull
from besedka.serve.history import check, file
from besedka.serve.history.body import LATEST_MESSAGES, TOLD_BYTES, Body, Latest, told_line
from besedka.serve.history.epoch import epoch_path
from besedka.serve.history.file import FULL, Descriptor, Identity, PartlyWritten, reason
from besedka.serve.history.index import Flag, IndexDamaged, Record, index_path
from besedka.serve.history.rebuilding import repaired, with_new_epoch
from besedka.serve.history.recovery import Torn, cut_off
from besedka.serve.history.redact import Message, Subject, covered, find_as_written, finish, subject, text_of
from besedka.serve.history.restoring import (
    Restored,
    open_to_read,
    open_to_write,
    refuse_binary,
    restored,
    take_anew,
)
from besedka.serve.history.scan import Kind, begins_line, entries
from besedka.serve.history.search import Hits, Needle, search
from besedka.serve.history.watch import Watch
from besedka.wire.log_line import Line, MessageId, read_line

log = logging.getLogger(__name__)

T = TypeVar("T")

LINES_AT_ONCE: Final = 10_000
"""How many messages are looked through in one step at most."""

STEP_ASIDE_SECONDS: Final = 0.000_01
"""How long who looks through a log sleeps after each block. Python hands its lock to another thread only after 5 ms, unless the
one who has it sleeps; and a message needs the lock a dozen times on its way to the disk and back."""

TRIES: Final = 5
"""How often a batch is written anew because the file was replaced or cut while it was written; then the file is given up."""


class ChatHistory:
    """One room's log. Make it with `open` or `open_to_read`.

    Attributes:
        path: the file.
        epoch: names this log, so that ids of another are not mistaken for its own.
        latest: the last 10 messages; replaced as a whole, so that any thread may look.
        restored: what was found when it was opened.
        sync_seconds: how long the last batch took to be written and synced.
    """

    def __init__(self, path: Path, body: Body, torn: Torn | None = None, *, is_watched: bool = True) -> None:
        self.path = path
        # From here on nothing of the file is believed that was changed meanwhile.
        self._watch = Watch(path) if is_watched else None
        self.epoch = body.index.epoch
        self.latest = body.latest()
        self.restored = Restored(body.count)
        self.sync_seconds = 0.0
        self._body = body
        # What was torn, as long as it still stands in the file.
        self._torn = torn if torn and not torn.kept else None
        self._identity = self._known_identity()
        self._lost: HistoryLost | None = None
        self._changing = threading.Lock()

    @staticmethod
    def probe(path: Path) -> None:
        """Find out whether a log can be opened: it is made if there is none, and looked at no further.

        Raises:
            HistoryUnusable: if it cannot be read and written.
            HistoryInUse: if another process has it.
        """
        try:
            file.open_locked(path).close()
        except OSError as error:
            raise HistoryUnusable(path, reason(error)) from error

    @classmethod
    def open(cls, path: Path, unfinished: Subject | None = None) -> ChatHistory:
        """Open a log to read and append, make it if there is none, and repair its end if a crash has torn it.

        Args:
            path: where it is.
            unfinished: a message that was being redacted when the last server ended, perhaps; it is redacted now.

        Raises:
            HistoryUnusable: if it cannot be read and written.
            HistoryInUse: if another process has it.
        """
        try:
            log_file = file.open_locked(path)
            file.distrust_cache(log_file)
            # What a killed server has written and not synced will be read now: it must be on disk before.
            log_file.sync()
            body, reading, torn = open_to_write(log_file, path)
            if unfinished:
                body = _finished(body, path, unfinished)
            history = cls(path, body, torn)
            history.restored = restored(body, reading, torn)
        except OSError as error:
            raise HistoryUnusable(path, reason(error)) from error
        return history

    @classmethod
    def open_to_read(cls, path: Path) -> ChatHistory:
        """Open a log that another process may be writing: nothing is locked, repaired or made.

        Raises:
            HistoryUnusable: if it cannot be read, or is not ours.
        """
        try:
            body, reading = open_to_read(Descriptor(path, os.O_RDONLY), path)
            history = cls(path, body, is_watched=False)
            history.restored = restored(body, reading, None)
        except OSError as error:
            raise HistoryUnusable(path, reason(error)) from error
        return history

    @property
    def count(self) -> int:
        """How many messages it holds; also the id of the last one."""
        return self._body.count

    def append(self, lines: Sequence[str], flags: Sequence[Flag] = ()) -> MessageId:
        """Write messages, given as `write_line` gives them, and wait until they are on disk.

        If the file was changed from outside, it is read anew: what was added is there then, and if what was there before has
        changed, `epoch` is another one.

        Args:
            lines: the messages.
            flags: what is known of each of them beside; nothing if left out.

        Returns:
            The id of the first one; the others follow.

        Raises:
            StorageFull: there is no room; the file is as it was.
            HistoryLost: writing failed in a way that must not be retried.
        """
        batch = [f"{line}\n".encode() for line in lines]
        with self._changing:
            self._check()
            begun = time.perf_counter()
            try:
                first = self._append(batch, flags or [Flag.NONE] * len(batch))
            except HistoryLost as error:
                self._lost = error
                raise
            self.sync_seconds = time.perf_counter() - begun
            return first

    def flags(self, first: int, count: int) -> list[Flag]:
        """What is known of ``count`` messages from the id ``first`` on, beside their lines."""

        def flags(body: Body) -> list[Flag]:
            last = min(first + count - 1, body.count)
            return [record.flags for record in body.index.records(max(first, 1), last)]

        return self._reading(flags)

    def subject(self, number: int) -> Subject:
        """What a message is known by, of which only the text will be redacted.

        Raises:
            HistoryChanged: if other hands were on it.
        """
        with self._changing:
            self._check()
            return subject(self._message(number), self.epoch)

    def redact(self, wanted: Subject) -> int:
        """Write a tombstone over the text of a message, and wait until it is on disk; all else stays where it is.

        Done a second time it changes nothing.

        Returns:
            How many bytes the text takes.

        Raises:
            HistoryChanged: if other hands were on the message; nothing was done.
            StorageFull: the file system has no room even for that; nothing was done.
            HistoryLost: it failed in a way that must not be retried; the next `open` does it, if it is told.
        """
        with self._changing:
            self._check()
            message = self._message(wanted.number)
            if subject(message, self.epoch) != wanted:
                raise HistoryChanged(self.path, wanted.number)
            covered_bytes = covered(message.raw)
            if covered_bytes != message.raw:
                self._cover(message, covered_bytes)
            return len(text_of(message.raw))

    def has_room(self) -> bool:
        """Whether the file system has room for more, as far as it tells beforehand."""
        return self._lost is None and self._body.file.has_room()

    def read(self, first: int, limit: int) -> list[str]:
        """A page: the lines of up to ``limit`` messages from the id ``first`` on.

        It holds at least one message if there is one, and ends after the one with which it passes `PAGE_BYTES`. Of a message that
        is longer than that its beginning is given.

        Raises:
            OSError: as the system says it.
        """
        return self.read_with_flags(first, limit)[0]

    def read_with_flags(self, first: int, limit: int) -> tuple[list[str], list[Flag]]:
        """A page as `read` gives it, and what is known of each of its messages beside."""
        return self._reading(lambda body: body.read(first, limit))

    def span(self, first: int, last: int) -> range:
        """The offsets of messages ``first`` to ``last`` in the file, with what stands between them and is not understood.

        What stands in front of the first message of all and behind the last one belongs to those.

        Raises:
            OSError: as the system says it.
        """
        return self._reading(lambda body: body.span(first, last))

    def extents(self, first: int, last: int) -> list[range]:
        """The offsets of each of the messages ``first`` to ``last``, without what stands between them.

        Raises:
            OSError: as the system says it.
        """
        return self._reading(lambda body: body.extents(first, last))

    def read_bytes(self, span: range) -> bytes:
        """The file's own bytes at these offsets.

        Raises:
            OSError: as the system says it.
        """
        return self._body.file.read(span.start, len(span))

    def said_by(self, user: str, after: int) -> list[tuple[MessageId, Line]]:
        """All messages by this name later than the id ``after``, in order."""
        found = []
        name = f"] {user}: "
        number = after + 1
        while page := self.read(number, LINES_AT_ONCE):
            for line in page:
                if line.find(name) == line.find("]"):
                    found.append((MessageId(number), read_line(line)))
                number += 1
            time.sleep(STEP_ASIDE_SECONDS)
        return found

    def search(self, text: str, before: int, limit: int, seconds: float) -> Hits:
        """The newest messages older than the id ``before`` that hold a text, in capitals or small letters.

        It looks about so many seconds long, and then says where it has stopped; one block is looked at in any case.
        """
        until, needle = time.perf_counter() + seconds, Needle(text)

        def is_enough() -> bool:
            time.sleep(STEP_ASIDE_SECONDS)
            return time.perf_counter() >= until

        def hits(body: Body) -> Hits:
            older = min(before, body.count + 1)
            found = search(body.backwards(older), needle, older, limit, is_enough)
            return replace(found, flags=[body.index.record(number).flags for number in found.ids])

        return self._reading(hits)

    def close(self, *, remove_if_empty: bool = False) -> None:
        """Let go of the file; one that holds nothing, and is still ours, can be removed."""
        if remove_if_empty:
            with suppress(OSError):
                if self._body.file.size == 0 and Identity.of(self.path.stat()) == self._identity:
                    self.path.unlink()
                    index_path(self.path).unlink(missing_ok=True)
                    epoch_path(self.path).unlink(missing_ok=True)
        self._body.file.close()
        self._body.index.close()
        if self._watch:
            self._watch.close()

    # Writing.

    def _append(self, batch: Sequence[bytes], flags: Sequence[Flag]) -> MessageId:
        for _ in range(TRIES):
            self._look_for_external_edits(batch)
            self._clear_torn_end(batch)
            body, written = self._body, self._write(batch, flags)
            if self._is_as_written(body, written):
                return self._stored(batch, written)
            # Somebody else has written, too. Where our batch stands now, the file alone can tell.
            first = self._find_anew(written, body)
            if first:
                return first
        raise HistoryLost(self.path, "another program keeps replacing or cutting it")

    def _find_anew(self, written: Sequence[Record], body: Body) -> MessageId | None:
        """Find a batch in a log that is read anew for that; None if it stands nowhere.

        That nothing can be told of it is final, also where a disk without room is the reason: the batch may be on it.
        """
        try:
            self._read_anew()
            first = self._find(written, body)
            if first:
                self._keep_flags(first, written)
                if self.epoch == body.index.epoch and self._is_continued(first, written):
                    self._change_epoch()
        except OSError as error:
            raise HistoryLost(self.path, reason(error)) from error
        except (HistoryInUse, HistoryUnusable) as error:
            raise HistoryLost(self.path, str(error)) from error
        return first

    def _keep_flags(self, first: MessageId, written: Sequence[Record]) -> None:
        """A log that is read anew does not say what was known of a batch beside its lines."""
        body = self._body
        stands = body.index.records(first, first + len(written) - 1)
        flagged = [one._replace(flags=ours.flags) for one, ours in zip(stands, written, strict=True)]
        body.index.change(first, flagged)
        self.latest = body.latest()

    def _write(self, batch: Sequence[bytes], flags: Sequence[Flag]) -> list[Record]:
        """Write a batch behind what is known, and wait until it is on disk."""
        body = self._body
        end = body.size + (not body.ends_line)
        records = []
        for place, message in enumerate(batch):
            end += len(message)
            records.append(Record.of(message, end, flags[place] if place else flags[0] | Flag.BEGINS_BATCH))
        data = (b"" if body.ends_line else b"\n") + b"".join(batch)
        try:
            body.index.add(records, sync=any(one.crc != one.head_crc for one in records))
            body.file.write(data)
            self._identity = Identity.of(os.fstat(body.file.number))
        except OSError as error:
            if error.errno not in FULL:
                raise HistoryLost(self.path, reason(error)) from error
            self._cut_back(data, error.written if isinstance(error, PartlyWritten) else 0)
            raise StorageFull(self.path, len(data)) from error
        try:
            body.file.sync()
        except OSError as error:
            raise HistoryLost(self.path, reason(error)) from error
        return records

    def _is_as_written(self, body: Body, written: Sequence[Record]) -> bool:
        """Whether nobody else has written, replaced or cut the file since we looked for external edits."""
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return False
        except OSError as error:
            raise HistoryLost(self.path, reason(error)) from error
        now = Identity.of(status)
        is_alone = now == self._identity and now.size == written[-1].end
        return is_alone and self._body is body

    def _cut_back(self, data: bytes, written: int) -> None:
        """Take half a batch off the file again: nothing else, if somebody else has written meanwhile."""
        body = self._body
        try:
            end, size = body.size, body.file.size
            if size < end or body.file.read(end, len(data) + 1) != data[: size - end]:
                end = max(0, size - written)  # another program has cut the log, or added to it
            if body.file.read(end, len(data) + 1) == data[: size - end]:
                body.file.cut(end)
                # As long as the disk may still hold the half batch, its records must tell that it is one.
                body.file.sync()
            body.index.cut(body.count)
            if end == body.size:
                self._identity = Identity.of(os.fstat(body.file.number))
        except OSError as error:
            raise HistoryLost(self.path, f"half a batch could not be cut off: {reason(error)}") from error

    def _clear_torn_end(self, batch: Sequence[bytes]) -> None:
        """What a crash has torn, and could not be kept when the log was opened, must go before anything is written behind it."""
        if self._torn is None:
            return
        try:
            torn = cut_off(self._body.file, self.path, self._torn.offset)
        except OSError as error:
            raise HistoryLost(self.path, reason(error)) from error
        if torn.kept is None:
            raise StorageFull(self.path, sum(map(len, batch)))
        log.warning("the torn end of %s, %d bytes, is kept in %s", self.path, torn.size, torn.kept.name)
        self._torn = None
        self._identity = Identity.of(os.fstat(self._body.file.number))

    def _stored(self, batch: Sequence[bytes], records: Sequence[Record]) -> MessageId:
        body = self._body
        self._note_strange(body)
        first = body.add(records)
        newest = enumerate(batch[-LATEST_MESSAGES:], body.count - min(len(batch), LATEST_MESSAGES) + 1)
        lines = [self._told(message, number) for number, message in newest]
        last = (*self.latest.lines, *lines)[-LATEST_MESSAGES:]
        flags = (*self.latest.flags, *(record.flags for record in records))[-LATEST_MESSAGES:]
        self.latest = Latest(body.count - len(last) + 1, last, flags)
        return first

    def _told(self, message: bytes, number: int) -> str:
        """What is told of a message of our own, as `read` will give it."""
        if len(message) <= TOLD_BYTES:
            return message[:-1].decode()
        return told_line(message[:TOLD_BYTES], len(message), number, self.path.name)

    def _note_strange(self, body: Body) -> None:
        """Lines that are not understood stand in front of a message now, and are not looked at again."""
        if not body.strange.lines:
            return
        try:
            body.index.note_strange(body.index.strange.plus(body.strange))
        except OSError as error:
            log.warning(
                "how many lines of %s are no messages could not be noted: %s", self.path, reason(error)
            )

    # External edits.

    def _known_identity(self) -> Identity | None:
        """That of the file, if nobody has changed its size since it was read."""
        identity = Identity.of(os.fstat(self._body.file.number))
        size = self._body.size + (self._torn.size if self._torn else 0)
        return identity if identity.size == size else None

    def _look_for_external_edits(self, batch: Sequence[bytes]) -> None:
        """Never write into a file that is no longer there, or whose content is not what we take it for."""
        was_written = self._watch is not None and self._watch.was_written()
        try:
            is_known = not was_written and Identity.of(self.path.stat()) == self._identity
        except FileNotFoundError:
            is_known = False
        except OSError as error:
            raise HistoryLost(self.path, reason(error)) from error
        if not is_known:
            self._take_anew(batch)

    def _take_anew(self, batch: Sequence[bytes]) -> None:
        """Read a file again that was changed from outside. Until all is known, those who read go on in what was known before."""
        try:
            self._read_anew()
        except OSError as error:
            if error.errno in FULL:
                raise StorageFull(self.path, sum(map(len, batch))) from error
            raise HistoryLost(self.path, reason(error)) from error
        except (HistoryInUse, HistoryUnusable) as error:
            raise HistoryLost(self.path, str(error)) from error

    def _read_anew(self) -> None:
        known, log_file = self._body, self._body.file
        is_same_file = log_file.is_at(self.path)
        if not is_same_file:
            log_file = file.open_locked(self.path)
        if self._watch:
            self._watch.was_written()  # what happens from here on counts
        identity = Identity.of(os.fstat(log_file.number))
        known.index.cut(known.count)
        is_kept = is_same_file and self._is_only_added_to(known)
        if not is_kept:
            refuse_binary(log_file, self.path)
        body, reading = take_anew(log_file, self.path, known.index if is_kept else None)
        self._torn = None
        self._body, self.latest = body, body.latest()
        self.epoch = body.index.epoch
        self._identity = identity
        if not is_same_file and self._watch:
            self._watch.close()
            self._watch = Watch(self.path)
            self._identity = None  # what happened before it was watched would not be told
        self.restored = restored(body, reading, None)
        self._report_change(is_kept=is_kept)

    def _is_only_added_to(self, known: Body) -> bool:
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

    def _report_change(self, *, is_kept: bool) -> None:
        found = self.restored
        log.warning(
            "the history %s was %s by another program; it has %d messages now%s%s%s",
            self.path,
            "added to" if is_kept else "replaced or changed",
            found.messages,
            f"; {found.strange.told()}" if found.strange.lines else "",
            f"; line {found.damaged_line} is damaged" if found.damaged_line else "",
            f"; line {found.open_line} has no end and is possibly incomplete" if found.open_line else "",
        )

    def _find(self, batch: Sequence[Record], known: Body) -> MessageId | None:
        """The id of the batch that was written behind what was known; None if it stands nowhere."""
        then, now = known.places_of(batch), self._body.places_of(batch)
        # The same words may have been there before. What a program rewrote may stand nearer to the beginning than it was written.
        return now[-1] if len(now) > len(then) else None

    def _is_continued(self, first: MessageId, batch: Sequence[Record]) -> bool:
        """Whether lines that begin nothing stand behind a batch: they belong to its last message, which is told without them."""
        return self._body.index.record(first + len(batch) - 1).length != batch[-1].length

    def _change_epoch(self) -> None:
        self._body = with_new_epoch(self._body, self.path)
        self.epoch = self._body.index.epoch
        log.warning("lines that continue what was just said were added to %s by another program", self.path)

    # Reading.

    def _reading(self, act: Callable[[Body], T]) -> T:
        """Have something read; if the index turns out to be damaged, with another one."""
        body = self._body
        try:
            return act(body)
        except IndexDamaged as damage:
            with self._changing:
                if self._body is body:
                    self._make_index_anew(damage)
        return act(self._body)

    def _make_index_anew(self, damage: IndexDamaged) -> None:
        log.error("the index of %s is damaged, and made anew: %s", self.path, damage)
        if not self._watch:
            self._body, _ = open_to_read(self._body.file, self.path, use_index=False)
        elif not self._is_repaired():
            self._body, _ = take_anew(self._body.file, self.path, None)
            self._torn, self._identity = None, None  # the next batch is written behind another look
        self.latest, self.epoch = self._body.latest(), self._body.index.epoch

    def _is_repaired(self) -> bool:
        """Make the index anew from what is sound of it, if nobody has changed the log: then ids and epoch stay."""
        is_as_left = Identity.at(self.path) == self._identity and not (
            self._watch and self._watch.was_written()
        )
        try:
            self._body = repaired(self._body, self.path) if is_as_left else self._body
        except IndexDamaged as damage:
            log.warning("%s: ids may have changed: %s", self.path, damage)
            return False
        return is_as_left

    # Redacting.

    def _check(self) -> None:
        if self._lost:
            raise self._lost

    def _message(self, number: int) -> Message:
        try:
            return find_as_written(self.path, self._body, number)
        except IndexDamaged as damage:
            self._make_index_anew(damage)
        return find_as_written(self.path, self._body, number)

    def _cover(self, message: Message, data: bytes) -> None:
        body = self._body
        try:
            # What another program has done elsewhere in the file is to be noticed after this as it was before.
            is_known = Identity.at(self.path) == self._identity
            message.cover(body)
            if is_known:
                self._identity = Identity.of(os.fstat(body.file.number))
        except OSError as error:
            if error.errno in FULL and self._is_untouched(message):
                raise StorageFull(self.path, len(data)) from error
            self._lost = HistoryLost(self.path, reason(error))
            raise self._lost from error
        latest, place = self.latest, message.number - self.latest.first
        if 0 <= place < len(latest.lines):
            line = told_line(data[:TOLD_BYTES], len(data), message.number, self.path.name)
            self.latest = replace(latest, lines=(*latest.lines[:place], line, *latest.lines[place + 1 :]))

    def _is_untouched(self, message: Message) -> bool:
        return self._body.file.read(message.record.begin, len(message.raw)) == message.raw


def _finished(body: Body, path: Path, unfinished: Subject) -> Body:
    """A log in which a redaction that a crash has cut off is done, by an index without damage where that is in the way."""
    try:
        finish(body, unfinished)
    except IndexDamaged:
        body = repaired(body, path)
        finish(body, unfinished)
    return body
