"""A small text file about people, beside the history.

It is read at the start, written when it changes, and read again when other hands have changed it. Blocking; nothing here knows the
loop, or what the text means.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

from besedka.serve.errors import RecordUnusable
from besedka.serve.history.file import reason

_PRIVATE: Final = 0o600


class Record:
    """One file.

    Args:
        path: where it is; it is made when there is something to write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mark: tuple[int, int, int] | None = None
        self._unusable: RecordUnusable | None = None

    def read(self) -> str:
        """What it says; nothing if there is none.

        Raises:
            RecordUnusable: if it is there and cannot be read.
        """
        self._mark = _mark_of(self.path)
        try:
            text = self.path.read_text(encoding="utf-8") if self._mark else ""
        except OSError as error:
            self._unusable = RecordUnusable(self.path, reason(error))
        except UnicodeDecodeError:
            self._unusable = RecordUnusable(self.path, "it is not text in UTF-8")
        else:
            self._unusable = None
            return text
        raise self._unusable

    def news(self) -> str | None:
        """What it says now if other hands have changed it since it was read or written here; else None.

        A file that is gone, or empty, says nothing: many editors leave it so for a moment, and what it said before lets people in and keeps
        others out.

        Raises:
            RecordUnusable: if it cannot be read.
        """
        mark = _mark_of(self.path)
        if mark is None or mark == self._mark:
            return None
        return self.read() or None

    def write(self, text: str) -> None:
        """Write it as a whole or not at all, for its owner alone; it is on disk when this returns.

        Raises:
            OSError: if it cannot be written.
            RecordUnusable: what is there could not be read, and is somebody's work: nothing is written over it.
        """
        if self._unusable and _mark_of(self.path) == self._mark:
            raise self._unusable
        fresh = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        try:
            descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.path)
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        finally:
            fresh.unlink(missing_ok=True)
        self._mark = _mark_of(self.path)
        self._unusable = None


def _mark_of(path: Path) -> tuple[int, int, int] | None:
    with suppress(FileNotFoundError):
        status = path.stat()
        return status.st_ino, status.st_size, status.st_mtime_ns
    return None
