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

    def read(self) -> str:
        """What it says; nothing if there is none.

        Raises:
            RecordUnusable: if it is there and cannot be read.
        """
        try:
            mark = _mark_of(self.path)
            text = self.path.read_text(encoding="utf-8") if mark else ""
        except OSError as error:
            raise RecordUnusable(self.path, reason(error)) from error
        except UnicodeDecodeError as error:
            raise RecordUnusable(self.path, "it is not text in UTF-8") from error
        self._mark = mark
        return text

    def news(self) -> str | None:
        """What it says now if other hands have changed it since it was read or written here; else None.

        Raises:
            RecordUnusable: if it cannot be read; told once.
        """
        mark = _mark_of(self.path)
        if mark == self._mark:
            return None
        self._mark = mark
        return self.read()

    def write(self, text: str) -> None:
        """Write it as a whole or not at all, for its owner alone; it is on disk when this returns.

        Raises:
            OSError: if it cannot be written.
        """
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


def _mark_of(path: Path) -> tuple[int, int, int] | None:
    with suppress(FileNotFoundError):
        status = path.stat()
        return status.st_ino, status.st_size, status.st_mtime_ns
    return None
