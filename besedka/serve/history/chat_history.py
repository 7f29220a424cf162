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
import secrets
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from besedka.serve.errors import HistoryChanged, HistoryInUse, HistoryLost, HistoryUnusable, StorageFull
from besedka.serve.history import check, file
from besedka.serve.history.body import LATEST_MESSAGES, Body, Latest
from besedka.serve.history.file import FULL, Descriptor, Identity, reason
from besedka.serve.history.index import Record, index_path
from besedka.serve.history.redact import Message, Subject, covered, find_as_written, finish, subject, text_of
from besedka.serve.history.repair import Torn, belongs, repair
from besedka.serve.history.restoring import Restored, restore
from besedka.serve.history.search import Hits, Needle, search
from besedka.serve.history.sidecar import Sidecar
from besedka.wire.line import Line, MessageId, read_line, show_line

log = logging.getLogger(__name__)

LINES_AT_ONCE: Final = 10_000
"""How many messages are looked through in one step at most."""

STEP_ASIDE_SECONDS: Final = 0.000_01
"""How long who looks through a log sleeps after each block. Python hands its lock to another thread only after 5 ms, unless the
one who has it sleeps; and a message needs the lock a dozen times on its way to the disk and back."""


class ChatHistory:
    """One room's log. Make it with `open` or `open_to_read`.

    Attributes:
        path: the file.
        epoch: names this log, so that ids of another are not mistaken for its own.
        latest: the last 10 messages; replaced as a whole, so that any thread may look.
        restored: what was found when it was opened.
        sync_seconds: how long the last batch took to be written and synced.
    """

    def __init__(self, path: Path, log_file: Descriptor, sidecar: Sidecar) -> None:
        self.path = path
        self.epoch = ""
        self.latest = Latest(1, ())
        self.restored = Restored(0, "", "")
        self.sync_seconds = 0.0
        self._body = Body(log_file)
        self._sidecar = sidecar
        self._identity = Identity.of(os.fstat(log_file.number))
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
            log_file = file.open_or_create(path)
            file.lock(log_file, path)
            log_file.close()
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
            log_file = file.open_or_create(path)
            file.lock(log_file, path)
            file.distrust_cache(log_file)
            sidecar = Sidecar(path)
            if unfinished:
                finish(log_file, path, sidecar.index, unfinished)
            sidecar.index, torn = repair(log_file, path, sidecar.index)
            # What a killed server has written and not synced will be read now: it must be on disk before.
            log_file.sync()
            history = cls(path, log_file, sidecar)
            history._restore(log_file, torn, is_ours=True)
        except OSError as error:
            raise HistoryUnusable(path, reason(error)) from error
        return history

    @classmethod
    def open_to_read(cls, path: Path) -> ChatHistory:
        """Open a log that another process may be writing: nothing is locked, repaired or made.

        Raises:
            HistoryUnusable: if it cannot be read.
        """
        try:
            log_file = Descriptor(path, os.O_RDONLY)
            sidecar = Sidecar(path, read_only=True)
            if sidecar.index and not belongs(log_file, sidecar.index):
                sidecar.drop()
            history = cls(path, log_file, sidecar)
            history._restore(log_file, None, is_ours=False)
        except OSError as error:
            raise HistoryUnusable(path, reason(error)) from error
        return history

    @property
    def count(self) -> int:
        """How many messages it holds; also the id of the last one."""
        return self._body.count

    def append(self, lines: Sequence[str]) -> MessageId:
        """Write messages, given as `write_line` gives them, and wait until they are on disk.

        If other hands have changed the file, it is read anew first: what they have added behind is there then, and if
        they have changed what was there before, `epoch` is another one.

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
                self._look_for_other_hands()
                self._write(batch, sync_index=any("\n" in line for line in lines))
            except HistoryLost as error:
                self._lost = error
                raise
            self.sync_seconds = time.perf_counter() - begun
            return self._stored(lines, batch)

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

        It holds at least one message if there is one, and ends after the one with which it passes `PAGE_BYTES`.
        """
        return self._body.read(first, limit)

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
        until = time.perf_counter() + seconds
        body = self._body
        before = min(before, body.count + 1)

        def is_enough() -> bool:
            time.sleep(STEP_ASIDE_SECONDS)
            return time.perf_counter() >= until

        return search(body.backwards(before), Needle(text), before, limit, is_enough)

    def close(self, *, remove_if_empty: bool = False) -> None:
        """Let go of the file; one that holds nothing, and is still ours, can be removed."""
        if remove_if_empty and self._body.file.size == 0:
            with suppress(OSError):
                if Identity.of(self.path.stat()) == self._identity:
                    self.path.unlink()
                    index_path(self.path).unlink(missing_ok=True)
        self._body.file.close()
        self._sidecar.drop()

    # What it holds.

    def _restore(
        self, log_file: Descriptor, torn: Torn | None, *, is_ours: bool, new_epoch: str = ""
    ) -> None:
        """Learn what a file holds. Until all is known, those who read go on in what was known before."""
        body, self.epoch, self.restored = restore(
            log_file, self._sidecar, torn, is_ours=is_ours, new_epoch=new_epoch
        )
        self._body, self.latest = body, body.latest()

    # Writing.

    def _look_for_other_hands(self) -> None:
        """Never write into a file that is no longer there, or whose content is not what we take it for."""
        try:
            status = self.path.stat()
            if Identity.of(status) == self._identity:
                return
            is_same_file = (status.st_dev, status.st_ino) == (self._identity.device, self._identity.inode)
        except FileNotFoundError:
            is_same_file = False
        except OSError as error:
            raise HistoryLost(self.path, reason(error)) from error
        try:
            self._take_anew(is_same_file=is_same_file)
        except (OSError, HistoryInUse) as error:
            raise HistoryLost(
                self.path, reason(error) if isinstance(error, OSError) else str(error)
            ) from error

    def _take_anew(self, *, is_same_file: bool) -> None:
        log_file = self._body.file
        if not is_same_file:
            log_file = file.open_or_create(self.path)
            file.lock(log_file, self.path)
        index = self._sidecar.index if is_same_file else None
        is_changed = index is None or check.first_difference(log_file, index) is not None
        index, torn = repair(log_file, self.path, None if is_changed else index)
        log_file.sync()
        before = self.epoch
        self._sidecar.index = index
        self._restore(log_file, torn, is_ours=True, new_epoch=secrets.token_hex(6) if is_changed else "")
        self._identity = Identity.of(os.fstat(log_file.number))
        what = "replaced or changed" if self.epoch != before else "added to"
        log.warning(
            "the history %s was %s by other hands; it has %d messages now", self.path, what, self.count
        )

    def _write(self, batch: Sequence[bytes], *, sync_index: bool) -> None:
        records = [Record.of(message, begins_batch=place == 0) for place, message in enumerate(batch)]
        try:
            self._sidecar.add(records, sync=sync_index)
            self._body.file.write(b"".join(batch))
        except OSError as error:
            if error.errno not in FULL:
                raise HistoryLost(self.path, reason(error)) from error
            self._cut_back()
            raise StorageFull(self.path, sum(map(len, batch))) from error
        try:
            self._body.file.sync()
        except OSError as error:
            raise HistoryLost(self.path, reason(error)) from error

    def _cut_back(self) -> None:
        try:
            self._body.file.cut(self._body.size)
            self._sidecar.cut(self._body.count)
            self._identity = Identity.of(os.fstat(self._body.file.number))
        except OSError as error:
            raise HistoryLost(self.path, f"half a batch could not be cut off: {reason(error)}") from error

    def _stored(self, lines: Sequence[str], batch: Sequence[bytes]) -> MessageId:
        body = self._body
        first = body.add(batch)
        last = (*self.latest.lines, *lines)[-LATEST_MESSAGES:]
        self.latest = Latest(body.count - len(last) + 1, last)
        self._identity = Identity.of(os.fstat(body.file.number))
        return first

    # Redacting.

    def _check(self) -> None:
        if self._lost:
            raise self._lost

    def _message(self, number: int) -> Message:
        return find_as_written(self.path, self._body, self._sidecar.index, number)

    def _cover(self, message: Message, data: bytes) -> None:
        try:
            # What other hands have done elsewhere in the file is to be noticed after this as it was before.
            is_known = Identity.of(self.path.stat()) == self._identity
            message.cover(self._body.file, self.path, self._sidecar.index)
        except OSError as error:
            if error.errno in FULL and self._is_untouched(message):
                raise StorageFull(self.path, len(data)) from error
            self._lost = HistoryLost(self.path, reason(error))
            raise self._lost from error
        if is_known:
            self._identity = Identity.of(os.fstat(self._body.file.number))
        latest, place = self.latest, message.number - self.latest.first
        if 0 <= place < len(latest.lines):
            line = show_line(data)
            self.latest = Latest(latest.first, (*latest.lines[:place], line, *latest.lines[place + 1 :]))

    def _is_untouched(self, message: Message) -> bool:
        return self._body.file.read(message.offset, len(message.raw)) == message.raw
