"""`ChatHistory`: one room's log.

The rules of this module:

- the file is the truth, and alone is enough; the index beside it is made again when it is missing or does not fit;
- a message counts when its whole line is on disk: `append` returns only after ``fdatasync``;
- nothing here knows a loop, a socket or a room. The methods block, and the caller runs them where that does no harm;
  `append` and `redact` wait for each other, `read` and `search` for nobody.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from besedka.serve.errors import HistoryLost, HistoryUnusable
from besedka.serve.history import file
from besedka.serve.history.appending import Appender
from besedka.serve.history.body import Body
from besedka.serve.history.epoch import epoch_path
from besedka.serve.history.external_edits import ExternalEdits
from besedka.serve.history.file import reason
from besedka.serve.history.findings import Reading
from besedka.serve.history.index import Flag, IndexDamaged, index_path
from besedka.serve.history.reading import ReadableLog
from besedka.serve.history.redact import Subject, find_as_written, finished, redact, subject
from besedka.serve.history.restoring import open_to_write
from besedka.serve.history.watch import Watch
from besedka.wire.message import MessageId


class ChatHistory(ReadableLog):
    """One room's log, which this process writes. Make it with `open`.

    Attributes:
        sync_seconds: how long the last batch took to be written and synced.
    """

    def __init__(self, path: Path, body: Body, reading: Reading) -> None:
        # From here on nothing of the file is believed that was changed meanwhile.
        watch = Watch(path)
        super().__init__(path, body, reading)
        self.sync_seconds = 0.0
        self._edits = ExternalEdits(self, watch)
        self._appender = Appender(self, self._edits)
        self._lost: HistoryLost | None = None
        # Also held by those who read, while a damaged index is made anew.
        self._changing = threading.RLock()

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
            body, reading = open_to_write(log_file, path)
            if unfinished:
                body = finished(body, path, unfinished)
            return cls(path, body, reading)
        except OSError as error:
            raise HistoryUnusable(path, reason(error)) from error

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
        with self._one_change():
            begun = time.perf_counter()
            first = self._appender.append(batch, flags or [Flag.NONE] * len(batch))
            self.sync_seconds = time.perf_counter() - begun
            return first

    def subject(self, number: int) -> Subject:
        """What a message is known by, of which only the text will be redacted.

        Raises:
            HistoryChanged: if other hands were on it.
        """
        with self._one_change():
            message = self._by_index(lambda body: find_as_written(self.path, body, number))
            return subject(message, self.epoch)

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
        with self._one_change():
            return self._by_index(lambda body: redact(self, self._edits, body, wanted))

    def has_room(self) -> bool:
        """Whether the file system has room for more, as far as it tells beforehand."""
        return self._lost is None and self.body.file.has_room()

    def close(self, *, remove_if_empty: bool = False) -> None:
        """Let go of the file; one that holds nothing, and is still ours, can be removed."""
        if remove_if_empty:
            with suppress(OSError):
                if self._edits.is_as_left(0):
                    self.path.unlink()
                    index_path(self.path).unlink(missing_ok=True)
                    epoch_path(self.path).unlink(missing_ok=True)
        super().close()
        self._edits.close()

    @contextmanager
    def _one_change(self) -> Iterator[None]:
        """One at a time, and none behind a failure that must not be retried."""
        with self._changing:
            if self._lost:
                raise self._lost
            try:
                yield
            except HistoryLost as error:
                self._lost = error
                raise

    def _replace_index(self, body: Body, damage: IndexDamaged) -> None:
        with self._changing:
            super()._replace_index(body, damage)

    def _make_index_anew(self) -> None:
        self._edits.replace_index()
