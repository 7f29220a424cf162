"""Writes down what a server does to the files of its folder, and makes some of it fail; for a disk that is only simulated.

It takes the place of the system calls by which the server changes files. Each change is appended to a journal, which is the disk's
clock as that of `device` is. ``faults`` beside the journal holds a JSON object: ``write`` and ``flush`` name an error,
``delay`` has seconds that a flush takes, ``room`` bytes that a write may have at most, ``hand`` a line that somebody else appends to the
first room's log right after a flush of it.

A sync is known by who asks for it: the functions that lead to it, from the caller outside `besedka.serve.files.descriptor` on. One of them can
be left out, to see whether a test notices.
"""

from __future__ import annotations

import errno
import json
import os
import random
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Final

from besedka.serve.files import file_system
from tests.torture.disk.events import Event, Kind

LOG: Final = "chat_history.txt"
XFS: Final = 0x58465342
LOWEST: Final = (
    "besedka/serve/files/descriptor.py",
    "besedka/serve/files/file_system.py",
    "tests/torture/disk/server.py",
)
"""Here files are written and synced for others: it is they who are asked why."""

LATE: Final = 0.8
"""How many of the syncs that take their time are done at the end of it only."""

_really_open, _really_write, _really_pwrite, _really_cut = os.open, os.write, os.pwrite, os.ftruncate
_really_fsync, _really_fdatasync = os.fsync, os.fdatasync
_changing = threading.Lock()  # a sync of all files is of one moment
_really_replace, _really_link, _really_unlink = os.replace, os.link, os.unlink


@dataclass(frozen=True)
class Recorder:
    """The parameters of a server's start.

    Attributes:
        folder: whose files are meant.
        journal: the file to append to.
        left_out: the sync that is not done.
    """

    folder: Path
    journal: Path
    left_out: str = ""
    _full: set[int] = field(default_factory=set, compare=False)
    _appended: set[str] = field(default_factory=set, compare=False)

    def install(self) -> None:
        """Take the place of the system calls in this process."""
        self._end_torn_row()
        os.open, os.write, os.pwrite, os.ftruncate = self.open, self.write, self.pwrite, self.cut  # type: ignore[assignment]
        os.fsync = os.fdatasync = self.sync  # type: ignore[assignment]
        file_system.syncfs = self.sync_all
        file_system.type_of = lambda file: XFS  # noqa: ARG005 - it has this name
        file_system.reports_errors = lambda: True
        os.replace, os.link, os.unlink = self.replace, self.link, self.unlink  # type: ignore[assignment]

    def open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        is_new = bool(flags & os.O_CREAT) and not os.path.lexists(path)
        number = _really_open(path, flags, mode, dir_fd=dir_fd)
        if flags & (os.O_WRONLY | os.O_RDWR) and self._is_ours(number):
            kind = Kind.CREATE if is_new else Kind.OPEN
            self._note(Event(kind, os.fstat(number).st_ino, name=Path(path).name))
        return number

    def write(self, number: int, data: bytes) -> int:
        if not self._is_ours(number):
            return _really_write(number, data)
        self._fail("write")
        self._fail_if_full(number)
        some = bytes(data[: self._faults().get("room", len(data))])
        if len(some) < len(data):
            self._full.add(number)
        with _changing:
            self._note(Event(Kind.APPEND, os.fstat(number).st_ino, os.fstat(number).st_size, some))
            return _really_write(number, some)

    def pwrite(self, number: int, data: bytes, offset: int) -> int:
        if not self._is_ours(number):
            return _really_pwrite(number, data, offset)
        self._fail("write")
        self._note(Event(Kind.WRITE, os.fstat(number).st_ino, offset, bytes(data)))
        return _really_pwrite(number, data, offset)

    def cut(self, number: int, size: int) -> None:
        with _changing:
            if self._is_ours(number):
                self._note(Event(Kind.CUT, os.fstat(number).st_ino, size))
            _really_cut(number, size)

    def sync(self, number: int) -> None:
        if not self._is_ours(number):
            _really_fsync(number)
            return
        time.sleep(self._faults().get("delay", 0))
        self._fail("flush")
        who = asked_by(sys._getframe(1))  # noqa: SLF001 - the only way to know
        status = os.fstat(number)
        if who == self.left_out:
            self._note(Event(Kind.LEFT_OUT, status.st_ino, name=who))
            return
        is_folder = Path(f"/proc/self/fd/{number}").readlink() == self.folder
        kind = Kind.SYNC_FOLDER if is_folder else Kind.SYNC
        self._note(Event(kind, status.st_ino, 0 if is_folder else status.st_size, name=who))
        if not is_folder and os.path.samestat((self.folder / LOG).stat(), status):
            self._interfere()

    def sync_all(self, number: int) -> None:
        """Take what all files hold now, and their names, to the disk, at the beginning or at the end of the time that it takes.

        A server that is killed while it waits may have synced nothing, and data written during the sync is not covered by it.
        """
        is_late = random.random() < LATE
        if is_late:
            time.sleep(self._faults().get("delay", 0))
        self._fail("flush")
        who = asked_by(sys._getframe(1))  # noqa: SLF001
        if who == self.left_out:
            self._note(Event(Kind.LEFT_OUT, os.fstat(number).st_ino, name=who))
        else:
            with _changing:
                for file in self.folder.iterdir():
                    status = file.stat()
                    self._note(Event(Kind.SYNC, status.st_ino, status.st_size, name=who))
                self._note(Event(Kind.SYNC_FOLDER, self.folder.stat().st_ino, name=who))
        if not is_late:
            time.sleep(self._faults().get("delay", 0))
        self._interfere()

    def replace(self, source: Any, target: Any) -> None:
        self._note(Event(Kind.RENAME, 0, name=Path(target).name, old_name=Path(source).name))
        _really_replace(source, target)

    def link(self, source: Any, target: Any, *, follow_symlinks: bool = True) -> None:
        _really_link(source, target, follow_symlinks=follow_symlinks)
        self._note(Event(Kind.LINK, 0, name=Path(target).name, old_name=Path(source).name))

    def unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        _really_unlink(path, dir_fd=dir_fd)
        if Path(path).absolute().parent == self.folder:
            self._note(Event(Kind.UNLINK, 0, name=Path(path).name))

    def _fail_if_full(self, number: int) -> None:
        """Fail behind a write that was cut short, as the kernel does."""
        if number in self._full:
            self._full.remove(number)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _interfere(self) -> None:
        """Be somebody else who appends a line to the first room's log, once."""
        path, line = self.folder / LOG, self._faults().get("hand")
        if line and line not in self._appended:
            self._appended.add(line)
            self._append_by_hand(path, line.encode())

    def _append_by_hand(self, path: Path, data: bytes) -> None:
        """Append to a file as another program does."""
        number = _really_open(path, os.O_WRONLY | os.O_APPEND)
        status = os.fstat(number)
        self._note(Event(Kind.APPEND, status.st_ino, status.st_size, data))
        _really_write(number, data)
        os.close(number)

    def _is_ours(self, number: int) -> bool:
        path = Path(f"/proc/self/fd/{number}").readlink()
        return self.folder in {path, path.parent}

    def _faults(self) -> dict[str, Any]:
        faults: dict[str, Any] = json.loads(self.journal.with_name("faults").read_text(encoding="utf-8"))
        return faults

    def _fail(self, call: str) -> None:
        if name := self._faults().get(call):
            number = getattr(errno, name)
            raise OSError(number, os.strerror(number))

    def _end_torn_row(self) -> None:
        """End the row that a server was writing when it was killed: a kill may interrupt a write between two pages."""
        if self.journal.exists() and self.journal.read_bytes()[-1:] not in {b"", b"\n"}:
            with self.journal.open("ab") as journal:
                journal.write(b"\n")

    def _note(self, event: Event) -> None:
        journal = _really_open(self.journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        _really_write(journal, event.encoded())
        os.close(journal)


def asked_by(frame: FrameType | None) -> str:
    """The caller of a sync: ``where:function`` of the first one that is not itself a sync function, and the functions in between."""
    ways: list[str] = []
    while frame is not None:
        path, name = frame.f_code.co_filename, frame.f_code.co_qualname
        if not path.endswith(LOWEST) and not name.endswith(".sync"):
            place = path.rpartition("besedka/")[2]
            return " > ".join([f"{place}:{frame.f_lineno} {name}", *reversed(ways)])
        ways.append(name)
        frame = frame.f_back
    return "nobody"
