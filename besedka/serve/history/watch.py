"""Noticing writers of a log by inotify(7), on Linux.

Size and time of change, compared before each batch, show most external edits. They cannot show one between that comparison and the write
of the batch, which changes the file anyway. So the kernel also reports when a file that was open for writing is closed: Besedka itself
opens and closes its logs only at the start and at the end.
"""

from __future__ import annotations

import ctypes
import os
import select
import struct
import sys
import threading
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Final

IN_CLOSE_WRITE: Final = 0x8
IN_Q_OVERFLOW: Final = 0x4000

_EVENT: Final = struct.Struct("iIII")
_READ_BYTES: Final = 4 * 1024


class Watch:
    """Notices when another program closes a log after writing to it.

    All logs of a process share one inotify instance: a user may have only 128 of them. Without one nothing is noticed here, and only size
    and time of change show external edits.
    """

    def __init__(self, path: Path) -> None:
        self._kernel = _kernel()
        self._number = self._kernel.add(path)

    def was_written(self) -> bool:
        """Whether that has happened since the last call."""
        return self._number >= 0 and self._kernel.was_written(self._number)

    def close(self) -> None:
        """Stop watching."""
        number, self._number = self._number, -1
        if number >= 0:
            self._kernel.remove(number)


class _Inotify:
    """The inotify instance of this process; its watches by their numbers, with the number of users of each."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._written: set[int] = set()
        self._users: defaultdict[int, int] = defaultdict(int)
        self._libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
        self._file = self._libc.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC) if self._libc else -1
        if self._file >= 0:
            self._arrivals = select.poll()
            self._arrivals.register(self._file, select.POLLIN)

    def add(self, path: Path) -> int:
        if self._libc is None or self._file < 0:
            return -1
        with self._lock:
            number = int(self._libc.inotify_add_watch(self._file, os.fsencode(path), IN_CLOSE_WRITE))
            if number >= 0:
                self._users[number] += 1
            return number

    def remove(self, number: int) -> None:
        with self._lock:
            self._users[number] -= 1
            if not self._users[number] and self._libc:
                del self._users[number]
                self._libc.inotify_rm_watch(self._file, number)
                self._take()
                self._written.discard(number)

    def was_written(self, number: int) -> bool:
        with self._lock:
            self._take()
            was_written = number in self._written
            self._written.discard(number)
            return was_written

    def _take(self) -> None:
        # Nothing is there before nearly every batch; to read that would be an exception, which takes three times as long.
        while self._arrivals.poll(0):
            for number, mask in _events(os.read(self._file, _READ_BYTES)):
                if mask & IN_Q_OVERFLOW:
                    self._written |= self._users.keys()
                elif mask & IN_CLOSE_WRITE:
                    self._written.add(number)


def _events(data: bytes) -> Iterator[tuple[int, int]]:
    at = 0
    while at < len(data):
        number, mask, _, length = _EVENT.unpack_from(data, at)
        yield number, mask
        at += _EVENT.size + length


_instances: list[_Inotify] = []
_making = threading.Lock()


def _kernel() -> _Inotify:
    with _making:
        if not _instances:
            _instances.append(_Inotify())
    return _instances[0]
