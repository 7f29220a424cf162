"""A small text file about people, beside the history. Blocking; nothing here knows the loop, or what the text means.

It is read at the start; changes are appended, each batch by one write and one sync; it is read again when other hands have changed
it, and rewritten when that is worth it. What cannot be appended, because there is no room, is cut off again. A sync that failed is
final for the file that it was about: it is never tried again, and everything is written into a fresh one instead (decision 1).
"""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from besedka.serve.errors import RecordUnusable
from besedka.serve.history.file import (
    FULL,
    Descriptor,
    Identity,
    distrust_cache,
    exchange,
    reason,
    sync_directory,
)

log = logging.getLogger(__name__)

FIXED: Final = frozenset({errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM, errno.EROFS})
"""What a system answers where a file can be written but not exchanged: it is mounted there by itself, or its folder is not ours."""


class RecordChanged(Exception):  # noqa: N818 - says what happened
    """Other hands have changed the file since it was read: read it first."""


class RecordGone(Exception):  # noqa: N818
    """There is nothing to append to, or nothing that could be trusted: write it as a whole."""


class Record:
    """One file.

    Args:
        path: where it is; it is made when there is something to write.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file: Descriptor | None = None
        # What is known to be there: as it was read or written last.
        self._mark: Identity | None = None
        self._unusable: RecordUnusable | None = None
        self._is_distrusted = False

    # Reading.

    def open(self, torn: Callable[[bytes], int]) -> str:
        """What it says at the start, on disk and without what a crash has torn; nothing if there is no such file.

        Args:
            torn: how many bytes at the end of such a file are torn.

        Raises:
            RecordUnusable: if it is there and cannot be read, or mended.
        """
        try:
            if self.path.exists():
                self._mend(torn)
        except OSError as error:
            raise RecordUnusable(self.path, reason(error)) from error
        return self.read()

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

    # Writing.

    @property
    def is_to_be_rewritten(self) -> bool:
        """Whether nothing can be appended: there is no file, it is empty, or a sync of it has failed."""
        return self._is_distrusted or self._mark is None or self._mark.size == 0

    def append(self, data: bytes, *, whatever_is_there: bool) -> None:
        """Add whole lines; they are on disk when this returns, or not in the file.

        Args:
            data: the lines.
            whatever_is_there: add them also to what other hands have changed and was not read yet.

        Raises:
            RecordChanged: it must be read first; or it was exchanged or cut by other hands just now, and the lines are not in it.
            RecordGone: it must be rewritten.
            RecordUnusable: what is there could not be read, and is somebody's work: nothing is added to it.
            OSError: if it cannot be written.
        """
        self._refuse_unusable()
        file, before = self._opened()
        if before != self._mark and not whatever_is_there:
            raise RecordChanged
        data = data if file.read(before.size - 1, 1) == b"\n" else b"\n" + data
        self._write(file, data, before)
        # What others have added while we wrote, or while we sync, is noticed at the next look.
        size = before.size + len(data)
        self._know(file, is_known=before == self._mark and file.size == size)
        self._sync(file)
        if not self._is_in_place(file) or file.size < size:
            raise RecordChanged

    def rewrite(self, pieces: Callable[[], Iterable[bytes]]) -> None:
        """Write it as a whole or not at all, for its owner alone; it is on disk when this returns.

        Args:
            pieces: gives all that it shall say.

        Raises:
            RecordChanged: it must be read first.
            RecordUnusable: what is there could not be read, and is somebody's work: nothing is written over it.
            OSError: if it cannot be written.
        """
        self._refuse_unusable()
        there = Identity.at(self.path)
        if there and there.size and there != self._mark:
            raise RecordChanged
        try:
            # Where the name is a link, the file behind it is meant.
            self._file = exchange(Path(os.path.realpath(self.path)), pieces())
        except OSError as error:
            # Is the new one there, but perhaps not after a power cut?
            self._is_distrusted = self._is_distrusted or Identity.at(self.path) != there
            if error.errno not in FIXED or there is None or there.size or self._is_distrusted:
                raise
            self._file = self._filled(pieces())
        self._mark = Identity.of(os.fstat(self._file.number))
        self._unusable = None
        self._is_distrusted = False

    def close(self) -> None:
        """Let go of it."""
        if self._file:
            self._file.close()

    # Inside.

    def _mend(self, torn: Callable[[bytes], int]) -> None:
        """Cut off what a crash has torn, and have on disk what is left: of what a killed server wrote last nothing may be so."""
        file = Descriptor(self.path, os.O_RDONLY)
        distrust_cache(file)
        data = file.read(0, file.size)
        size = torn(data)
        if size:
            kept = len(data) - size
            shown = ascii(data[kept:].decode("utf-8", "replace"))
            os.truncate(self.path, kept)
            log.warning(
                "%s: its end was torn, and is cut off, %d bytes from byte %d: %s",
                self.path,
                size,
                kept,
                shown,
            )
        file.sync()
        sync_directory(self.path)

    def _refuse_unusable(self) -> None:
        if self._unusable and Identity.at(self.path) == self._mark:
            raise self._unusable

    def _opened(self) -> tuple[Descriptor, Identity]:
        """The file that is there now, and what it is like."""
        if self._is_distrusted:
            raise RecordGone
        if not (self._file and self._is_in_place(self._file)):
            try:
                self._file = Descriptor(self.path, os.O_RDWR | os.O_APPEND)
            except FileNotFoundError:
                self._mark = None
                raise RecordGone from None
            except PermissionError:
                self._is_distrusted = True  # perhaps the folder is ours, though the file is not
                raise RecordGone from None
        found = Identity.of(os.fstat(self._file.number))
        if not found.size:
            self._mark = found
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
        """Take half a line off again, unless it cannot be told from what others have added; then it goes with the file."""
        is_known, self._is_distrusted = before == self._mark, True
        try:
            if data.startswith(file.read(before.size, file.size - before.size)):
                self._know(file, is_known=is_known)
                file.cut(before.size)
                self._know(file, is_known=is_known)
                self._is_distrusted = False
        except OSError as error:
            log.error("half a line of %s could not be cut off: %s", self.path, reason(error))  # noqa: TRY400

    def _know(self, file: Descriptor, *, is_known: bool) -> None:
        """What is in the file now is known, if it was before."""
        if is_known:
            self._mark = Identity.of(os.fstat(file.number))

    def _sync(self, file: Descriptor) -> None:
        try:
            file.sync()
        except OSError as error:
            self._distrust("synced", error)
            raise RecordGone from error

    def _distrust(self, what: str, error: OSError) -> None:
        self._is_distrusted = True
        log.error(
            "%s could not be %s, and a fresh one must take its place: %s", self.path, what, reason(error)
        )

    def _filled(self, pieces: Iterable[bytes]) -> Descriptor:
        """The file, which is empty and cannot be exchanged, with all that it shall say."""
        file = Descriptor(self.path, os.O_RDWR | os.O_APPEND)
        self._write(file, b"".join(pieces), Identity.of(os.fstat(file.number)))
        self._sync(file)
        return file
