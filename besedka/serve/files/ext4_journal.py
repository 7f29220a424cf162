"""The journal of ext4, whose failure is not always reported to those who wait for it.

A commit of the journal that fails while nobody waits for it, or between the two that syncfs(2) asks for, is over when a sync comes: that finds
nothing to do and returns 0 (fs/sync.c, fs/ext4/super.c, fs/ext4/fsync.c and fs/jbd2/journal.c of Linux 6). So many files may be told to be on the
disk that are not. But the journal is dead from then on: where a file is changed, ext4 notices that, and from the next change on it
refuses. Such a change is the time of a file, made twice.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from besedka.serve.files.descriptor import Descriptor

_MOUNTS: Final = Path("/proc/self/mountinfo")
_TRIES: Final = 2


class Ext4Journal:
    """The journal of one file system.

    Args:
        file: an open file in it; beside that a file without a name is kept open.

    Raises:
        OSError: the file's folder takes no other file, or it cannot be found.
    """

    def __init__(self, file: Descriptor) -> None:
        folder = Path(f"/proc/self/fd/{file.number}").readlink().parent
        self._file = Descriptor(folder, os.O_TMPFILE | os.O_WRONLY)

    def check(self) -> None:
        """Do nothing, if the journal works.

        Raises:
            OSError: it does not, so that what was synced may not be on the disk.
        """
        for _ in range(_TRIES):
            os.utime(self._file.number)


def is_ext4(device: int) -> bool:
    """Whether a device is mounted as ext4 (proc_pid_mountinfo(5)): ext2 and ext3 have the same type for statfs(2).

    Raises:
        OSError: the mounts cannot be read.
    """
    number = f"{os.major(device)}:{os.minor(device)}"
    mounts = (
        row.partition(" - ") for row in _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    )
    return any(place.split()[2] == number and of.split()[0] == "ext4" for place, _, of in mounts)
