"""``audit.txt``: what was done to keep order, one line each, in the grammar of the log. Blocking; nothing here knows the loop.

A line is on disk before what it says has any effect. As long as the file is open it is this server's: no other has the folder.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

from besedka.serve.errors import AuditLost, FolderInUse, HistoryInUse, RecordUnusable
from besedka.serve.history import file
from besedka.serve.history.file import FULL, Descriptor, reason
from besedka.serve.people.audit_entry import AuditEntry, read_entry, write_entry

log = logging.getLogger(__name__)

NAME: Final = "audit.txt"

STRANGE_TOLD: Final = 10
"""How many lines that are not understood are told by their numbers."""


class Audit:
    """The file.

    Args:
        folder: where it is; it is made if there is none.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._file: Descriptor | None = None
        self._is_lost = False

    def open(self) -> list[AuditEntry]:
        """Take it for this server, mend its end if a crash has torn it, and read it.

        Raises:
            FolderInUse: another server has it.
            RecordUnusable: it cannot be read and written.
        """
        try:
            opened = file.open_locked(self.path)
            file.distrust_cache(opened)
            text = _mended(opened, self.path).decode("utf-8", "replace")
            opened.sync()
        except HistoryInUse as error:
            raise FolderInUse(self.path.parent, error.holder) from None
        except OSError as error:
            raise RecordUnusable(self.path, reason(error)) from error
        self._file = opened
        return self._understood(text)

    def write(self, entry: AuditEntry) -> None:
        """Add a line, and wait until it is on disk.

        Raises:
            AuditLost: it could not be; there is no such line now.
        """
        if self._file is None or self._is_lost:
            raise AuditLost(self.path, "it could not be written before", is_full=False)
        size = self._file.size
        try:
            if not os.path.samestat(self.path.stat(), os.fstat(self._file.number)):
                raise AuditLost(self.path, "it was replaced by other hands", is_full=False)
            self._file.write(f"{write_entry(entry)}\n".encode())
            self._file.sync()
        except OSError as error:
            self._cut_back(size, error)
            raise AuditLost(self.path, reason(error), is_full=error.errno in FULL) from error

    def close(self) -> None:
        """Let go of it."""
        if self._file:
            self._file.close()

    def _cut_back(self, size: int, why: OSError) -> None:
        """What was refused must not count at the next start. Where the disk failed, nothing is tried again (decision 1)."""
        self._is_lost = why.errno not in FULL
        try:
            if self._file:
                self._file.cut(size)
        except OSError as error:
            self._is_lost = True
            log.error("half a line of %s could not be cut off: %s", self.path, reason(error))  # noqa: TRY400

    def _understood(self, text: str) -> list[AuditEntry]:
        entries: list[AuditEntry] = []
        strange: list[int] = []
        for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
            if line.strip() and not line.startswith("#"):
                try:
                    entries.append(read_entry(line.removesuffix("\r")))
                except ValueError:
                    strange.append(number)
        if strange:
            shown = ", ".join(map(str, strange[:STRANGE_TOLD]))
            log.warning("%s: not understood, and without effect: lines %s", self.path, shown)
        return entries


def _mended(opened: Descriptor, path: Path) -> bytes:
    """What it holds, without what a crash has left at its end."""
    data = opened.read(0, opened.size)
    nul = data.find(b"\0")
    end = data.rfind(b"\n", 0, nul if nul >= 0 else len(data)) + 1
    if end < len(data):
        log.warning(
            "%s: its end was torn, and is cut off: %s", path, ascii(data[end:].decode("utf-8", "replace"))
        )
        opened.cut(end)
    return data[:end]
