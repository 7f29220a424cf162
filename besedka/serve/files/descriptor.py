"""Files of logs, and small ones: opened, locked, inspected, written. System calls and their errors; nothing about messages."""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import secrets
import stat
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from besedka.serve.disk_heartbeat import DISK
from besedka.serve.errors import HistoryInUse

BLOCK_BYTES: Final = 64 * 1024
"""Bytes that are read at once, and so about the most that is read in vain to find a message."""

CACHE_BYTES: Final = 8 * 1024 * 1024
"""Bytes at a log's end that are read from the disk itself at the start: more than any batch that may have failed."""

PRIVATE: Final = 0o600

NAME_BYTES: Final = 8
"""Random bytes of a name that nobody can have laid."""

FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
"""The errors of a system that has no room for more."""

FALLOC_FL_KEEP_SIZE: Final = 1
"""From linux/falloc.h; Python's `os.posix_fallocate` lets the file grow."""

_LIBC: Final = ctypes.CDLL(None)


class PartlyWritten(OSError):  # noqa: N818 - says what happened
    """A write failed after some of the bytes were written.

    Attributes:
        written: their number.
    """

    def __init__(self, error: OSError, written: int) -> None:
        super().__init__(error.errno, error.strerror)
        self.written = written


class Descriptor:
    """An open file that closes with its last reference, so that a thread may still read it while it is replaced.

    Attributes:
        device: the number of its file system.
    """

    __slots__ = ("device", "name", "number")

    def __init__(self, path: Path, flags: int) -> None:
        self.number = -1
        self.name = path.name
        self.number = os.open(path, flags | os.O_CLOEXEC, PRIVATE)
        self.device = os.fstat(self.number).st_dev

    @classmethod
    def of(cls, number: int) -> Descriptor:
        """Take over an open file without a name."""
        descriptor = cls.__new__(cls)
        descriptor.name = ""
        descriptor.number = number
        descriptor.device = os.fstat(number).st_dev
        return descriptor

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Close it, if it is open. Its content was synced before, so an error of the system here means nothing new."""
        number, self.number = self.number, -1
        if number >= 0:
            with suppress(OSError):
                os.close(number)

    @property
    def size(self) -> int:
        """Its length in bytes."""
        return os.fstat(self.number).st_size

    def read(self, offset: int, size: int) -> bytes:
        """Up to ``size`` bytes from an offset."""
        return os.pread(self.number, size, offset)

    def write(self, data: bytes) -> None:
        """Append all of it (the file must have been opened to append).

        Raises:
            PartlyWritten: from the system.
        """
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self.number, view) :]
            except OSError as error:
                raise PartlyWritten(error, len(data) - len(view)) from error
            DISK.answered()

    def overwrite(self, offset: int, data: bytes) -> None:
        """Write all of it at an offset; nobody may append meanwhile.

        A descriptor that appends writes at the end whatever the offset (pwrite(2)), so the flag is cleared meanwhile.
        """
        flags = fcntl.fcntl(self.number, fcntl.F_GETFL)
        fcntl.fcntl(self.number, fcntl.F_SETFL, flags & ~os.O_APPEND)
        try:
            view = memoryview(data)
            while view:
                done = os.pwrite(self.number, view, offset)
                view, offset = view[done:], offset + done
        finally:
            fcntl.fcntl(self.number, fcntl.F_SETFL, flags)

    def is_at(self, path: Path) -> bool:
        """Whether this file is the one at a path."""
        with suppress(FileNotFoundError):
            return os.path.samestat(path.stat(), os.fstat(self.number))
        return False

    def sync(self) -> None:
        """Wait until everything written is on the disk."""
        if sys.platform == "darwin":
            # On macOS fsync ends at the drive's cache; only this flushes it (fcntl(2)).
            fcntl.fcntl(self.number, fcntl.F_FULLFSYNC)
        else:
            os.fdatasync(self.number)
        DISK.answered()

    def sync_all(self) -> None:
        """Wait until content and metadata are on the disk."""
        os.fsync(self.number)
        DISK.answered()

    def has_room(self) -> bool:
        """Whether the file system has a free block for this user."""
        return os.fstatvfs(self.number).f_bavail > 0

    def reserve(self, size: int) -> None:
        """Reserve space for bytes behind its end, which keeps its place; only Linux can, and not every file system (fallocate(2)).

        Nothing is raised: without the space the next write may find none.
        """
        if sys.platform == "linux":
            offsets = ctypes.c_long(self.size), ctypes.c_long(size)
            _LIBC.fallocate(self.number, FALLOC_FL_KEEP_SIZE, *offsets)

    def cut(self, size: int) -> None:
        """Truncate it to a size."""
        os.ftruncate(self.number, size)


class Identity(NamedTuple):
    """A file's identity and state: if all is equal, it is the same file, and no other program has changed it."""

    device: int
    inode: int
    size: int
    changed_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Identity:
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)

    @classmethod
    def at(cls, path: str | Path) -> Identity | None:
        """That of the file at a path; None if there is none."""
        try:
            return cls.of(os.stat(path))  # noqa: PTH116 - asked twice for each batch, often by a string
        except FileNotFoundError:
            return None


def open_regular(path: Path, flags: int, *, may_be_link: bool = False) -> Descriptor:
    """Open a file of the server's own: nothing else that somebody may have laid in its place.

    Args:
        path: where it is.
        flags: as `os.open` takes them.
        may_be_link: whether a symbolic link is followed, because the operator has named the path.

    Raises:
        OSError: from the system; also if it is a link, or no regular file.
    """
    try:
        # Opening a pipe would wait for its other end.
        descriptor = Descriptor(path, flags | os.O_NONBLOCK | (0 if may_be_link else os.O_NOFOLLOW))
    except OSError as error:
        if not may_be_link and path.is_symlink():
            raise OSError(
                errno.ELOOP, "it is a symbolic link, which is followed for --history and --key-file only"
            ) from error
        raise
    mode = os.fstat(descriptor.number).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is not a regular file")
    return descriptor


def create_private(path: Path, flags: int) -> Descriptor:
    """Make a file that is not there, with mode 0600 whatever the umask is.

    Raises:
        OSError: from the system; also if there is something of this name, a link to nowhere too.
    """
    descriptor = Descriptor(path, flags | os.O_CREAT | os.O_EXCL)
    os.fchmod(descriptor.number, PRIVATE)
    return descriptor


def read_regular(path: Path) -> bytes:
    """All of a small file of the server's own.

    Raises:
        OSError: as `open_regular`.
    """
    file = open_regular(path, os.O_RDONLY)
    return file.read(0, file.size)


def open_locked(path: Path, *, may_be_link: bool = False) -> Descriptor:
    """Open a file to read and append, and lock it as long as it is open; it is created if there is none.

    A file that another process has locked is not opened for writing: closing it would make that process reread all of it.

    Raises:
        OSError: as `open_regular`.
        HistoryInUse: if another process has it.
    """
    with suppress(FileNotFoundError):
        lock(open_regular(path, os.O_RDONLY, may_be_link=may_be_link), path)
    descriptor = open_or_create(path, may_be_link=may_be_link)
    lock(descriptor, path)
    return descriptor


def open_or_create(path: Path, *, may_be_link: bool = False) -> Descriptor:
    """Open a log to read and append; if it is created, its directory is synced, too, and its mode is 0600 whatever the umask is.

    Raises:
        OSError: as `open_regular`.
    """
    existed = path.exists()
    descriptor = open_regular(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, may_be_link=may_be_link)
    if not existed:
        os.fchmod(descriptor.number, PRIVATE)
        sync_directory(path)
    return descriptor


def sync_directory(path: Path) -> None:
    """Wait until the name of a new file is on the disk."""
    directory = Descriptor(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    directory.sync_all()
    directory.close()


def lock(descriptor: Descriptor, path: Path) -> None:
    """Lock the file for this process, as long as it is open.

    Raises:
        HistoryInUse: if another has it.
    """
    try:
        fcntl.flock(descriptor.number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise HistoryInUse(path, _holder(descriptor)) from None


def distrust_cache(descriptor: Descriptor) -> None:
    """Drop the end of the file from the cache: after a failed sync it may show bytes that are not on the disk."""
    if sys.platform == "linux":
        start = max(0, descriptor.size - CACHE_BYTES)
        os.posix_fadvise(descriptor.number, start, 0, os.POSIX_FADV_DONTNEED)


def copy_beside(source: Descriptor, begin: int, path: Path) -> None:
    """Copy a file's end to a new private file, whole or not at all; it is on the disk on return.

    Raises:
        OSError: from the system.
    """
    copy = create_private(path, os.O_WRONLY)
    try:
        while data := source.read(begin, BLOCK_BYTES):
            copy.write(data)
            begin += len(data)
        copy.sync_all()
        sync_directory(path)
    except OSError:
        path.unlink(missing_ok=True)
        raise
    finally:
        copy.close()


def fresh_beside(path: Path, suffix: str) -> Path:
    """The name of a file to be made beside another one: the usual one, unless there is something that cannot be removed.

    A crashed server may have left it, so it is removed. In a sticky folder only its owner can: somebody may have laid it to have nothing written.
    """
    usual = path.with_name(f".{path.name}.{suffix}")
    try:
        usual.unlink(missing_ok=True)
    except OSError:
        return path.with_name(f".{path.name}.{secrets.token_hex(NAME_BYTES)}")
    return usual


def write_whole(path: Path, text: str, *, replace: bool) -> None:
    """Write a small private file as a whole or not at all; it is on the disk on return.

    Args:
        path: the file.
        text: its content.
        replace: replace an existing file; else that is left as it is.

    Raises:
        OSError: from the system.
    """
    fresh = fresh_beside(path, str(os.getpid()))
    try:
        file = create_private(fresh, os.O_WRONLY)
        file.write(text.encode())
        file.sync_all()
        file.close()
        if replace:
            fresh.replace(path)
        else:
            # If another program has just created it, that file wins.
            with suppress(FileExistsError):
                path.hardlink_to(fresh)
        sync_directory(path)
    finally:
        fresh.unlink(missing_ok=True)


def exchange(path: Path, pieces: Iterable[bytes]) -> Descriptor:
    """Rewrite a small private file: beside the old one, then moved to its place. It is on disk on return.

    Returns:
        The new file, open to read and append.

    Raises:
        OSError: from the system; the old file is still there, unless only its folder could not be synced.
    """
    fresh = fresh_beside(path, "new")
    try:
        file = create_private(fresh, os.O_RDWR | os.O_APPEND)
        for piece in pieces:
            file.write(piece)
        file.sync_all()
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_directory(path)
    return file


def reason(error: Exception) -> str:
    """The system's text for an error, as a part of a sentence; of an error of ours its type and text."""
    if not isinstance(error, OSError):
        return f"{type(error).__name__}: {error}"
    text = error.strerror or str(error)
    return text[:1].lower() + text[1:]


def _holder(descriptor: Descriptor) -> int | None:
    """The process that holds the lock on this file, if the kernel reports it (Linux)."""
    status = os.fstat(descriptor.number)
    device = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    with suppress(OSError):
        for row in Path("/proc/locks").read_text(encoding="ascii").splitlines():
            fields = row.split()
            if fields[1] == "FLOCK" and fields[5] == device:
                return int(fields[4])
    return None
