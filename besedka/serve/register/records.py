"""A small text file about people, beside the history.

It is read at the start, written when it changes, and read again when other hands have changed it. Blocking; nothing here knows the
loop, or what the text means.
"""

from __future__ import annotations

from pathlib import Path

from besedka.serve.errors import RecordUnusable
from besedka.serve.history.file import Identity, reason, write_whole


class Record:
    """One file.

    Args:
        path: where it is; it is made when there is something to write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._mark: Identity | None = None
        self._unusable: RecordUnusable | None = None

    def read(self) -> str:
        """What it says; nothing if there is none.

        Raises:
            RecordUnusable: if it is there and cannot be read.
        """
        self._mark = Identity.at(self.path)
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
        mark = Identity.at(self.path)
        if mark is None or mark == self._mark:
            return None
        return self.read() or None

    def write(self, text: str) -> None:
        """Write it as a whole or not at all, for its owner alone; it is on disk when this returns.

        Raises:
            OSError: if it cannot be written.
            RecordUnusable: what is there could not be read, and is somebody's work: nothing is written over it.
        """
        if self._unusable and Identity.at(self.path) == self._mark:
            raise self._unusable
        write_whole(self.path, text, replace=True)
        self._mark = Identity.at(self.path)
        self._unusable = None
