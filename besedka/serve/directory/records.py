"""A small text file about people, beside the history. Blocking; nothing here knows the event loop, or what the text means.

A batch is appended by one write and one sync. If the disk is full, a partial write is cut off again. After any other failure of a write
or a sync the file is not trusted any more: the sync is never retried (decision 1), and `rewrite` puts a fresh file in its place.
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from besedka.serve.directory.torn_write import cut_off_torn_write
from besedka.serve.errors import RecordUnusable
from besedka.serve.files import file_system
from besedka.serve.files.descriptor import (
    FULL,
    Descriptor,
    Identity,
    distrust_cache,
    exchange,
    open_regular,
    reason,
    sync_directory,
)
from besedka.serve.files.ownership import Care, concern
from besedka.serve.files.trust import UntrustedFile, refuse_untrusted

log = logging.getLogger(__name__)

FIXED: Final = frozenset({errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM, errno.EROFS})
"""Errors of a rename onto a file that may still be writable: it is a mount of its own, or its folder belongs to somebody else."""


class RecordChanged(Exception):  # noqa: N818 - says what happened
    """The file was edited since it was read: read it first."""


class RecordGone(Exception):  # noqa: N818
    """There is no file, or none that can be trusted: rewrite it."""


class Record:
    """One file.

    Args:
        path: the file; it is created by the first write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: Descriptor | None = None
        # The file when this server last read or wrote it.
        self._identity: Identity | None = None
        self._unusable: RecordUnusable | None = None
        self._is_distrusted = False
        # Whether somebody else could have written what was found last: `chmod` and `chown` mend that and leave the content as it is.
        self._is_untrusted = False

    # Reading.

    def open(self, torn: Callable[[bytes], int]) -> str:
        """Read it at the start: without a torn write at its end, and synced. Empty if there is no file.

        Args:
            torn: returns the length in bytes of a torn write at the end of such data.

        Raises:
            RecordUnusable: if it exists and cannot be read, or mended.
        """
        try:
            if self.path.exists():
                self._mend(torn)
        except OSError as error:
            raise RecordUnusable(self.path, reason(error)) from error
        return self.read()

    def read(self) -> str:
        """Read it. Empty if there is no file.

        Raises:
            RecordUnusable: if it exists and cannot be read.
        """
        self._identity = Identity.at(self.path)
        self._is_untrusted = False
        try:
            text = self._content().decode("utf-8") if self._identity else ""
        except OSError as error:
            self._is_untrusted = isinstance(error, UntrustedFile)
            self._unusable = RecordUnusable(self.path, reason(error))
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            self._unusable = RecordUnusable(self.path, f"it is not text in UTF-8: see line {line}")
        else:
            self._unusable = None
            return text
        raise self._unusable

    def read_if_edited(self) -> str | None:
        """Read it again if it was edited since this server last read or wrote it, or could not be trusted then; else None.

        A missing or empty file does not count as edited: many editors leave one for a moment, and the content decides who may enter.

        Raises:
            RecordUnusable: if it cannot be read.
        """
        mark = Identity.at(self.path)
        if mark is None or (mark == self._identity and not self._is_untrusted):
            return None
        return self.read() or None

    @property
    def is_usable(self) -> bool:
        """Whether its content could be read when it was read last."""
        return self._unusable is None

    # Writing.

    @property
    def is_to_be_rewritten(self) -> bool:
        """Whether nothing can be appended: the file is missing, empty, or not trusted."""
        return self._is_distrusted or self._identity is None or self._identity.size == 0

    def append(self, data: bytes, *, must_be_known: bool) -> None:
        """Append whole lines; they are on disk when this returns.

        Args:
            data: the lines.
            must_be_known: whether to refuse if the file was edited and not read since.

        Raises:
            RecordChanged: it must be read first; or it was replaced or truncated meanwhile, and does not hold the lines.
            RecordGone: it must be rewritten.
            RecordUnusable: it was edited and could not be read; it is left alone.
            OSError: it cannot be written; a partial write was cut off.
        """
        self._refuse_unusable()
        file, before = self._opened()
        if before != self._identity and must_be_known:
            raise RecordChanged
        data = data if file.read(before.size - 1, 1) == b"\n" else b"\n" + data
        self._write(file, data, before)
        # Taken before the sync, so that `read_if_edited` notices edits during it, or during the write.
        size = before.size + len(data)
        self._know(file, is_known=before == self._identity and file.size == size)
        self._sync(file)
        if not self._is_in_place(file) or file.size < size:
            raise RecordChanged

    def rewrite(self, pieces: Callable[[], Iterable[bytes]]) -> None:
        """Replace it atomically by a fresh file, mode 0600, that is on disk when this returns.

        Args:
            pieces: returns the whole content, piece by piece.

        Raises:
            RecordChanged: it must be read first.
            RecordGone: it could not be replaced nor filled in place.
            RecordUnusable: it was edited and could not be read; it is left alone.
            OSError: it cannot be written.
        """
        self._refuse_unusable()
        there = Identity.at(self.path)
        if there and there.size and there != self._identity:
            raise RecordChanged
        try:
            self._file = exchange(self.path, pieces())
        except OSError as error:
            # If it was replaced, but the folder not synced, a power cut may bring the old file back.
            self._is_distrusted = self._is_distrusted or Identity.at(self.path) != there
            if error.errno not in FIXED or there is None or there.size or self._is_distrusted:
                raise
            self._file = self._filled(pieces())
        self._identity = Identity.of(os.fstat(self._file.number))
        self._unusable = None
        self._is_distrusted = False

    def close(self) -> None:
        """Close it."""
        if self._file:
            self._file.close()

    # Inside.

    def _mend(self, torn: Callable[[bytes], int]) -> None:
        """Cut off a torn write, and sync the rest, which a killed server may have written without a sync."""
        file = open_regular(self.path, os.O_RDONLY)
        refuse_untrusted(self.path, file)
        if warning := concern(self.path, file, Care.TRUSTED):
            log.warning(warning)
        distrust_cache(file)
        data = file.read(0, file.size)
        if size := torn(data):
            cut_off_torn_write(open_regular(self.path, os.O_RDWR), self.path, len(data) - size)
        file_system.sync(file)
        sync_directory(self.path)

    def _content(self) -> bytes:
        file = open_regular(self.path, os.O_RDONLY)
        refuse_untrusted(self.path, file)
        return file.read(0, file.size)

    def _refuse_unusable(self) -> None:
        if self._unusable and Identity.at(self.path) == self._identity:
            raise self._unusable

    def _opened(self) -> tuple[Descriptor, Identity]:
        """The open file, and its identity now."""
        if self._is_distrusted:
            raise RecordGone
        if not (self._file and self._is_in_place(self._file)):
            try:
                file = open_regular(self.path, os.O_RDWR | os.O_APPEND)
            except FileNotFoundError:
                self._identity = None
                raise RecordGone from None
            except PermissionError:
                self._is_distrusted = True  # replacing it may still be possible
                raise RecordGone from None
            refuse_untrusted(self.path, file)
            self._file = file
        found = Identity.of(os.fstat(self._file.number))
        if not found.size:
            self._identity = found
            raise RecordGone
        return self._file, found

    def _is_in_place(self, file: Descriptor) -> bool:
        try:
            return os.path.samestat(self.path.stat(), os.fstat(file.number))
        except FileNotFoundError:
            return False

    def _write(self, file: Descriptor, data: bytes, before: Identity) -> None:
        try:
            file.write(data)
        except OSError as error:
            self._cut_back(file, data, before)
            if error.errno in FULL:
                raise
            self._distrust("written", error)
            raise RecordGone from error

    def _cut_back(self, file: Descriptor, data: bytes, before: Identity) -> None:
        """Cut off a partial write. If another program has added to it, or it cannot be cut off, the file is not trusted any more."""
        is_known, self._is_distrusted = before == self._identity, True
        try:
            if data.startswith(file.read(before.size, file.size - before.size)):
                self._know(file, is_known=is_known)
                file.cut(before.size)
                self._know(file, is_known=is_known)
                self._is_distrusted = False
        except OSError as error:
            log.error("half a line of %s could not be cut off: %s", self.path, reason(error))  # noqa: TRY400

    def _know(self, file: Descriptor, *, is_known: bool) -> None:
        """Take the file's identity anew, if everything in it is known."""
        if is_known:
            self._identity = Identity.of(os.fstat(file.number))

    def _sync(self, file: Descriptor) -> None:
        try:
            file_system.sync(file)
        except OSError as error:
            self._distrust("synced", error)
            raise RecordGone from error

    def _distrust(self, what: str, error: OSError) -> None:
        self._is_distrusted = True
        log.error(
            "%s could not be %s, and a fresh one must take its place: %s", self.path, what, reason(error)
        )

    def _filled(self, pieces: Iterable[bytes]) -> Descriptor:
        """Write the whole content into the file in place, which is empty and cannot be replaced."""
        file = open_regular(self.path, os.O_RDWR | os.O_APPEND)
        refuse_untrusted(self.path, file)
        self._write(file, b"".join(pieces), Identity.of(os.fstat(file.number)))
        self._sync(file)
        return file
