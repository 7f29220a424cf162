"""Syncing many files of one file system at once.

A sync of each file costs each a commit of the file system's journal. On Linux `syncfs` (syncfs(2)) writes everything that is pending in a file
system: at some sixty files it takes a tenth of the time. It also waits for what other programs have written there, so it is used only while little is
pending, and not for a while after it was slower than a sync of each file. An error may be of any file in the file system; after it none of those that were
to be synced is known to be on the disk, and a sync of each would not tell (the error has been reported, and the next one finds nothing to do).
"""

from __future__ import annotations

import ctypes
import logging
import math
import os
import re
import sys
import time
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

from besedka.serve.disk_heartbeat import DISK
from besedka.serve.files.descriptor import Descriptor, reason
from besedka.serve.files.ext4_journal import Ext4Journal, is_ext4

log = logging.getLogger(__name__)

TOGETHER_FROM: Final = 4
"""Files from which on `syncfs` costs less than a sync of each."""

PENDING_AT_MOST: Final = 16 * 1024 * 1024
"""Bytes that all programs of the machine have written and that are not on a disk, up to which `syncfs` is used: a disk writes them in a moment."""

AVOIDED_SECONDS: Final = 5.0
"""How long each file is synced by itself after `syncfs` was slow, or too much was pending."""

FIRST_GUESS_SECONDS: Final = 0.005  # of one sync, until one was measured
_WEIGHT: Final = 0.1  # of the latest sync in the usual duration

_XFS: Final = 0x58465342
_BTRFS: Final = 0x9123683E
_EXT: Final = 0xEF53
"""The types of file systems (linux/magic.h) whose `syncfs` flushes the disk's cache, and reports what was not written, as power cuts and failing disks
prove (`make torture`); of ext4 together with a look at its journal."""

_FIRST_RELEASE: Final = (5, 17)
"""The release of Linux from which on `syncfs` reports all errors: those of files since 5.8, those of the journal since 5.17."""

_STATFS_BYTES: Final = 256  # more than a struct statfs has
_KIB: Final = 1024
_MEMORY: Final = "/proc/meminfo"
_MEMORY_BYTES: Final = 4096

_LIBC: Final = ctypes.CDLL(None, use_errno=True)


class FileSystem:
    """A file system with some of the server's files. Threads may sync at the same time.

    Args:
        file: a file in it.
    """

    def __init__(self, file: Descriptor) -> None:
        kind = type_of(file)
        self._journal = _journal(file) if kind == _EXT else None
        self._is_xfs = kind == _XFS
        is_proved = kind in {_XFS, _BTRFS} or self._journal is not None
        self._has_syncfs = is_proved and reports_errors() and pending_bytes() < math.inf
        self._avoided_until = float("-inf")
        self._usual_seconds = FIRST_GUESS_SECONDS

    @property
    def syncs_together(self) -> bool:
        """Whether many files are synced together for less, now."""
        return self._has_syncfs and time.monotonic() >= self._avoided_until

    def sync(self, files: Sequence[Descriptor]) -> list[OSError | None]:
        """Wait until everything written to these files is on the disk.

        Returns:
            For each file the error of the system, or None if it is on the disk.
        """
        if len(files) >= TOGETHER_FROM and self.syncs_together and self._has_little_pending():
            return [self._sync_all(files)] * len(files)
        errors: list[OSError | None] = []
        for file in files:
            # As above: those behind a failure are not known to be on the disk, whatever a sync says.
            errors.append((errors[-1] if errors else None) or self.sync_one(file))
        return errors

    def sync_one(self, file: Descriptor) -> OSError | None:
        """Wait until everything written to a file is on the disk. Returns the error of the system, if there is one."""
        begun = time.monotonic()
        try:
            file.sync()
            self._check_journal(file)
        except OSError as error:
            return error
        self._usual_seconds += (time.monotonic() - begun - self._usual_seconds) * _WEIGHT
        return None

    def _has_little_pending(self) -> bool:
        has_little = pending_bytes() <= PENDING_AT_MOST
        if not has_little:
            self._avoid()
        return has_little

    def _sync_all(self, files: Sequence[Descriptor]) -> OSError | None:
        """Sync everything in this file system. An error may be of any file: after it, a sync of each would not tell the truth any more."""
        begun = time.monotonic()
        try:
            syncfs(files[0].number)
            self._check_journal(files[0])
        except OSError as error:
            return error
        DISK.answered()
        if time.monotonic() - begun > self._usual_seconds * len(files):
            self._avoid()
        return None

    def _check_journal(self, file: Descriptor) -> None:
        """Check that the file system still works: a sync that had begun before its journal failed may have found nothing to do.

        Raises:
            OSError: it does not, so that what was synced may not be on the disk.
        """
        if self._journal:
            self._journal.check()
        elif self._is_xfs:
            os.fstat(file.number)  # refused behind a failure of the log (fs/xfs/xfs_iops.c, `xfs_vn_getattr`)

    def _avoid(self) -> None:
        self._avoided_until = time.monotonic() + AVOIDED_SECONDS


def _journal(file: Descriptor) -> Ext4Journal | None:
    """The journal of a file's system; None if that is not ext4, or the journal cannot be watched: then each file is synced by itself."""
    try:
        return Ext4Journal(file) if is_ext4(file.device) else None
    except OSError as error:
        log.warning("the journal of the file system with %s cannot be watched: %s", file.name, reason(error))
        return None


_known: dict[int, FileSystem] = {}


def file_system_of(file: Descriptor) -> FileSystem:
    """The file system of a file; the same for all files in it."""
    known = _known.get(file.device)
    return known or _known.setdefault(file.device, FileSystem(file))


def sync(file: Descriptor) -> None:
    """Wait until everything written to a file is on the disk; somebody may be told then what stands in it.

    Raises:
        OSError: from the system: it may not be.
    """
    if error := file_system_of(file).sync_one(file):
        raise error


def syncfs(number: int) -> None:
    """Wait until all that is pending in the file system of an open file is on the disk (syncfs(2)).

    Raises:
        OSError: from the system: something was not written, perhaps of another file.
    """
    if _LIBC.syncfs(number):
        error = ctypes.get_errno()
        raise OSError(error, os.strerror(error))


def reports_errors() -> bool:
    """Whether the kernel's `syncfs` reports all errors."""
    release = re.match(r"(\d+)\.(\d+)", os.uname().release)
    return (
        sys.platform == "linux"
        and release is not None
        and tuple(map(int, release.groups())) >= _FIRST_RELEASE
    )


def type_of(file: Descriptor) -> int:
    """The type of a file's system (statfs(2)); 0 if it cannot be asked."""
    answer = (ctypes.c_long * (_STATFS_BYTES // ctypes.sizeof(ctypes.c_long)))()
    return 0 if _LIBC.fstatfs(file.number, answer) else answer[0]


def pending_bytes() -> float:
    """The bytes that wait to be written to any disk of the machine, or are being written (proc_meminfo(5)).

    Infinite if that cannot be known: in a container, or a service that sees no more of /proc than its processes.
    """
    try:
        rows = pending_report().read(0, _MEMORY_BYTES).splitlines()
    except OSError:
        return math.inf
    return sum(int(row.split()[1]) for row in rows if row.startswith((b"Dirty:", b"Writeback:"))) * _KIB


@cache
def pending_report() -> Descriptor:
    """The kernel's report, open for good: at the moment when it is needed there may be no free descriptor."""
    return Descriptor(Path(_MEMORY), os.O_RDONLY)
