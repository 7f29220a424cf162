"""The annotations and replies of one log: they are found when they are first asked for, and then as the log grows."""

from __future__ import annotations

import logging
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from besedka.serve.history.annotations.annotation_file import AnnotationFile
from besedka.serve.history.annotations.folding import Fates, Folded
from besedka.serve.history.annotations.path import annotations_path, remove_annotations
from besedka.serve.history.annotations.resolving import resolve
from besedka.serve.history.log_state import LogState

log = logging.getLogger(__name__)


class Annotations:
    """The annotations of one log. Any thread may use it.

    Args:
        path: the log.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: AnnotationFile | None = None
        self._fates = Fates()
        # Whoever finds what is new holds it; reentrant, as it may turn out that all must be found anew.
        self._lock = threading.RLock()

    def lag(self, body: LogState) -> int:
        """The number of entries of a log that were not looked at yet; waits for nobody."""
        file = self._file
        return body.count - file.known if file and file.epoch == body.index.epoch else body.count

    def catch_up(self, body: LogState, pause: Callable[[], object]) -> None:
        """Look at the entries that were not looked at yet; in a long log that takes seconds the first time.

        Args:
            body: the log.
            pause: called now and then, so that others have their turn.

        Raises:
            OSError: from the system; `IndexDamaged` if the index must be rebuilt.
        """
        with self._lock:
            try:
                self._catch_up(self._current(body), body, pause)
            except sqlite3.Error as error:
                self._catch_up(self._in_memory(body, error), body, pause)

    def of(self, body: LogState, first: int, last: int) -> dict[int, Folded]:
        """The fates of those of the messages ``first`` to ``last`` that any entry is about which was looked at, by their ids.

        Args:
            body: the log.
            first: the id of the first message.
            last: the id of the last one, of a page at most.

        Raises:
            OSError: from the system; `IndexDamaged` if the index must be rebuilt.
        """
        with self._lock:
            try:
                return self._fates.of(body, self._current(body), first, last)
            except sqlite3.Error as error:
                file = self._in_memory(body, error)
                self._catch_up(file, body, lambda: None)
                return self._fates.of(body, file, first, last)

    def forget(self) -> None:
        """Forget what is in memory: a text was redacted, or the log is another one."""
        self._fates.clear()

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            if self._file:
                self._file.close()
            self._file = None
            self._fates.clear()

    @staticmethod
    def _catch_up(file: AnnotationFile, body: LogState, pause: Callable[[], object]) -> None:
        known, last = file.known, body.count
        if known < last:
            file.add(resolve(body, known + 1, last, pause), last)

    def _current(self, body: LogState) -> AnnotationFile:
        """The file of this log, as it is now.

        Raises:
            sqlite3.Error: it cannot be used any more.
        """
        if self._file and self._file.epoch != body.index.epoch:
            self.close()
        file = self._file = self._file or AnnotationFile.open(self._path, body.file, body.index.epoch)
        if file.known > body.count:
            self._fates.clear()
            file.cut(body.count)
        return file

    def _in_memory(self, body: LogState, error: sqlite3.Error) -> AnnotationFile:
        """Go on in memory, because the file cannot be used any more."""
        log.warning("%s cannot be used: %s", annotations_path(self._path), error)
        self.close()
        with suppress(OSError):
            remove_annotations(self._path)
        self._file = AnnotationFile.in_memory(body.index.epoch)
        return self._file
