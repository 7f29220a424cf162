"""``audit.txt``: the moderators' acts and the private rooms, one line each, in the grammar of the log. Blocking; nothing here knows the loop.

An entry is on disk before it takes effect. The open file is locked, so that no other server can use the folder. Space for further acts is
reserved behind its end, where the system can do that: to remove whoever fills the disk must be possible when it is full.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import Final

from besedka.serve.errors import AuditLost, FolderInUse, HistoryInUse, RecordUnusable
from besedka.serve.files import descriptor
from besedka.serve.files.descriptor import FULL, Descriptor, reason
from besedka.serve.files.ownership import Care, concern, refuse_untrusted
from besedka.serve.people.audit_entry import AuditEntry, Event, read_entry, write_entry

log = logging.getLogger(__name__)

NAME: Final = "audit.txt"

RESERVE_BYTES: Final = 64 * 1024
"""Space that is reserved for acts: two hundred, until some are undone and the disk has space again."""

STRANGE_LINES_LOGGED: Final = 10
"""Most line numbers in a warning about lines that are not understood."""


class Audit:
    """The file.

    Args:
        folder: its folder, which is created if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self._file: Descriptor | None = None
        self._is_lost = False

    def open(self) -> list[AuditEntry]:
        """Lock it for this server, cut off a torn write at its end, and read it.

        Raises:
            FolderInUse: if another server has locked it.
            RecordUnusable: if it cannot be read and written.
        """
        try:
            opened = descriptor.open_locked(self.path)
            refuse_untrusted(opened)
            descriptor.distrust_cache(opened)
            text = _mended(opened, self.path).decode("utf-8", "replace")
            opened.sync()
        except HistoryInUse as error:
            raise FolderInUse(self.path.parent, error.holder) from None
        except OSError as error:
            raise RecordUnusable(self.path, reason(error)) from error
        self._file = opened
        opened.reserve(RESERVE_BYTES)
        if warning := concern(self.path, opened, Care.TRUSTED):
            log.warning(warning)
        return self._understood(text)

    def write(self, *entries: AuditEntry) -> None:
        """Append entries, and wait until they are on disk. New private rooms, which anybody creates, leave the reserve to acts.

        Raises:
            AuditLost: if they could not be written; the file holds none of them.
        """
        if self._file is None or self._is_lost:
            raise AuditLost(self.path, "an earlier write failed", is_full=False)
        if any(entry.act is Event.PRIVATE for entry in entries) and not self._file.has_room():
            raise AuditLost(self.path, "the rest of the disk is kept for acts of moderation", is_full=True)
        size = self._file.size
        try:
            if not os.path.samestat(self.path.stat(), os.fstat(self._file.number)):
                raise AuditLost(self.path, "another program has replaced it", is_full=False)
            self._file.write("".join(f"{write_entry(entry)}\n" for entry in entries).encode())
            self._file.sync()
            self._file.reserve(RESERVE_BYTES)
        except OSError as error:
            self._cut_back(size, error)
            raise AuditLost(self.path, reason(error), is_full=error.errno in FULL) from error

    def close(self) -> None:
        """Close and unlock it."""
        if self._file:
            self._file.close()

    def _cut_back(self, size: int, why: OSError) -> None:
        """Cut off a refused entry, which must not count at the next start. After a disk error nothing is retried (decision 1)."""
        self._is_lost = why.errno not in FULL
        try:
            if self._file and self._file.size > size:  # a cut gives up the reserve, too
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
            shown = ", ".join(map(str, strange[:STRANGE_LINES_LOGGED]))
            log.warning("%s: not understood, and without effect: lines %s", self.path, shown)
        return entries


def _mended(opened: Descriptor, path: Path) -> bytes:
    """Its content, after a torn write at its end was cut off."""
    data = opened.read(0, opened.size)
    nul = data.find(b"\0")
    end = data.rfind(b"\n", 0, nul if nul >= 0 else len(data)) + 1
    if end < len(data):
        log.warning(
            "%s: its end was torn, and is cut off: %s", path, ascii(data[end:].decode("utf-8", "replace"))
        )
        opened.cut(end)
    return data[:end]
