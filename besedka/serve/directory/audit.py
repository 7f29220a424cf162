"""``audit.txt``: the moderators' acts and the private rooms, one line each, in the grammar of the log. Blocking; nothing here knows the loop.

An entry is on disk before it takes effect. The open file is locked, so that no other server can use the folder. Space for further acts is
reserved behind its end, where the system can do that: to remove whoever fills the disk must be possible when it is full.
"""

from __future__ import annotations

import codecs
import logging
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from besedka.serve.directory.torn_write import cut_off_torn_write
from besedka.serve.errors import AuditLost, FolderInUse, HistoryInUse, RecordUnusable
from besedka.serve.files import descriptor, file_system
from besedka.serve.files.descriptor import FULL, Descriptor, reason
from besedka.serve.files.ownership import Care, concern
from besedka.serve.files.trust import refuse_replaceable, refuse_untrusted
from besedka.serve.history.opening.torn_end import could_be_torn_line, has_lost_sectors
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
            RecordUnusable: if it cannot be read and written, or somebody else could have written or replaced it.
        """
        try:
            refuse_replaceable(self.path)
            opened = descriptor.open_locked(self.path)
            refuse_untrusted(self.path, opened)
            descriptor.distrust_cache(opened)
            data = opened.read(0, opened.size)
            if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                raise RecordUnusable(self.path, "it is text in UTF-16: save it in UTF-8")
            if (offset := _torn_offset(data)) < len(data):
                cut_off_torn_write(opened, self.path, offset)
            file_system.sync(opened)
        except HistoryInUse as error:
            raise FolderInUse(self.path.parent, error.holder) from None
        except OSError as error:
            raise RecordUnusable(self.path, reason(error)) from error
        self._file = opened
        opened.reserve(RESERVE_BYTES)
        if warning := concern(self.path, opened, Care.TRUSTED):
            log.warning(warning)
        return self._understood(data[:offset])

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
            self._file.write(self._appendix(entries))
            file_system.sync(self._file)
            self._file.reserve(RESERVE_BYTES)
        except OSError as error:
            self._cut_back(size, error)
            raise AuditLost(self.path, reason(error), is_full=error.errno in FULL) from error

    def close(self) -> None:
        """Close and unlock it."""
        if self._file:
            self._file.close()

    def _appendix(self, entries: Iterable[AuditEntry]) -> bytes:
        """The bytes to append; a last line that somebody has left without its end gets it first."""
        has_end = not (self._file and self._file.size) or self._file.read(self._file.size - 1, 1) == b"\n"
        return "".join(["" if has_end else "\n", *(f"{write_entry(entry)}\n" for entry in entries)]).encode()

    def _cut_back(self, size: int, why: OSError) -> None:
        """Cut off a refused entry, which must not count at the next start. After a disk error nothing is retried (decision 1)."""
        self._is_lost = why.errno not in FULL
        try:
            if self._file and self._file.size > size:  # a cut gives up the reserve, too
                self._file.cut(size)
        except OSError as error:
            self._is_lost = True
            log.error("half a line of %s could not be cut off: %s", self.path, reason(error))  # noqa: TRY400

    def _understood(self, data: bytes) -> list[AuditEntry]:
        """The entries. Damage costs only the lines that hold it."""
        entries: list[AuditEntry] = []
        strange: list[int] = []
        for number, line in enumerate(data.removeprefix(codecs.BOM_UTF8).split(b"\n"), 1):
            if line.strip() and not line.startswith(b"#"):
                try:
                    entries.append(read_entry(line.removesuffix(b"\r").decode()))
                except ValueError:
                    strange.append(number)
        if strange:
            shown = ", ".join(map(str, strange[:STRANGE_LINES_LOGGED]))
            log.warning("%s: not understood, and without effect, in lines: %s", self.path, shown)
        return entries


def _torn_offset(data: bytes) -> int:
    """Where the server's own torn write at the end begins; the length of the data if nothing is torn.

    That is an entry without its LF, or NULs that a file system has put behind the last line. Everything else is left as it is: what
    somebody has written by hand without a LF, and damage in the middle.
    """
    kept = data.rstrip(b"\0")
    begin = kept.rfind(b"\n") + 1
    line = kept[begin:]
    if not line:
        return len(kept)
    if b"\0" in line:
        return begin if has_lost_sectors(line, begin) else len(data)
    return begin if could_be_torn_line(line) else len(kept)
