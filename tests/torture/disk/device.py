"""A disk with a volatile cache: ``python -m tests.torture.disk.device MOUNT_POINT BACKING_FILE JOURNAL``.

The mount point shows two files. ``disk`` has the content of the backing file; a loop device makes a block device of it. Every write
and every flush (REQ_PREFLUSH arrives as FUSE_FSYNC; REQ_FUA as a write and a flush) is appended to the journal before it is
answered, so that the journal's size is a clock: whatever somebody was told when it had this size must be in any image that is made
from it at this size or a later one.

``faults`` takes a JSON object at run time: ``{"write": "EIO", "flush": "EIO", "delay": 0.5}``, all optional; ``delay`` is of a
flush, in seconds.
"""

from __future__ import annotations

import errno
import json
import os
import stat
import sys
import time
from typing import Any

import mfusepy

from tests.torture.disk.journal import FLUSH, WRITE, entry

DISK, FAULTS = "/disk", "/faults"


class Device(mfusepy.Operations):  # type: ignore[misc]  # published without types
    """The file system's answers, one request after the other."""

    use_ns = True

    def __init__(self, backing: str, journal: str) -> None:
        self._backing = os.open(backing, os.O_RDWR)
        self._journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._faults: dict[str, Any] = {}

    def init_with_config(self, conn_info: object, config: object) -> None:  # noqa: ARG002 - as libfuse calls it
        """Tell the parent that the file system is mounted."""
        print("mounted", flush=True)  # noqa: T201

    def getattr(self, path: str, fh: int | None = None) -> dict[str, int]:  # noqa: ARG002
        if path == "/":
            return {"st_mode": stat.S_IFDIR | 0o700, "st_nlink": 2}
        if path not in {DISK, FAULTS}:
            raise mfusepy.FuseOSError(errno.ENOENT)
        size = os.fstat(self._backing).st_size if path == DISK else 0
        return {"st_mode": stat.S_IFREG | 0o600, "st_nlink": 1, "st_size": size}

    def truncate(self, path: str, length: int, fh: int | None = None) -> None:
        """Only the list of faults is ever opened to be written anew."""

    def read(self, path: str, size: int, offset: int, fh: int) -> bytes:  # noqa: ARG002
        return os.pread(self._backing, size, offset)

    def write(self, path: str, data: bytes, offset: int, fh: int) -> int:  # noqa: ARG002
        if path == FAULTS:
            self._faults = json.loads(data)
            return len(data)
        self._fail("write")
        os.write(self._journal, entry(WRITE, offset, data))
        return os.pwrite(self._backing, data, offset)

    def fsync(self, path: str, datasync: int, fh: int) -> None:  # noqa: ARG002
        time.sleep(self._faults.get("delay", 0))
        self._fail("flush")
        os.write(self._journal, entry(FLUSH))

    def _fail(self, call: str) -> None:
        if call in self._faults:
            raise mfusepy.FuseOSError(getattr(errno, self._faults[call]))


if __name__ == "__main__":
    mount_point, backing_file, journal_file = sys.argv[1:]
    mfusepy.FUSE(Device(backing_file, journal_file), mount_point, foreground=True, nothreads=True)
