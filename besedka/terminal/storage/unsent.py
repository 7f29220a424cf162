"""What waits to be sent, kept on disk while it waits: it survives leaving, a closed window and a lost machine.

One file for each chat, room and name, in the state folder; each line is the frame that will be sent, with its key, so that the
server stores it once however often it is sent. Several terminals of one person at once have a file each.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self

from besedka.home import write_private
from besedka.wire.errors import Refused
from besedka.wire.frames import Say, decode_client, encode

_PRIVATE: Final = 0o600

TERMINALS_AT_MOST: Final = 20
"""Terminals of one person in one room that keep what waits; one more does not."""


class Unsent:
    """What waits in one room. Close it when the room is left.

    Args:
        folder: where the files are.
        url: the chat.
        room: the room.
        user: the name under which it is said.
        failed: called with the error when a file cannot be written.

    Attributes:
        left: what waited when we, or another terminal that has ended, left last time; in order.
        is_damaged: whether some of that could not be read; it is left in the file `damaged`.
    """

    def __init__(
        self, folder: Path, url: str, room: str, user: str, failed: Callable[[OSError], None]
    ) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._stem = hashlib.sha256(f"{url}\0{room}\0{user}".encode()).hexdigest()[:16]
        self._folder = folder
        self._failed = failed
        self._lock = -1
        self._path: Path | None = None
        self._kept: Sequence[Say] = ()
        self.left: list[Say] = []
        self.is_damaged = False
        self.damaged = folder / f"{self._stem}.damaged"
        self._take()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def keep(self, words: Sequence[Say]) -> None:
        """Keep these and no others."""
        try:
            self._write(words)
        except OSError as error:
            self._failed(error)

    def _write(self, words: Sequence[Say]) -> None:
        if self._path is None or tuple(words) == self._kept:
            return
        if words:
            write_private(self._path, "".join(f"{encode(word).decode()}\n" for word in words))
        else:
            self._path.unlink(missing_ok=True)
        self._kept = tuple(words)

    def close(self) -> None:
        """Let another terminal have the file."""
        if self._lock >= 0:
            if self._path and not self._kept:
                self._path.with_suffix(".lock").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1
            self._path = None

    def _take(self) -> None:
        """Take a file of our own, and what terminals that have ended have left in theirs."""
        for number in range(TERMINALS_AT_MOST):
            path = self._folder / f"{self._stem}.{number}.jsonl"
            if self._path and not path.with_suffix(".lock").exists():
                break
            lock = _locked(path.with_suffix(".lock"))
            if lock < 0:
                continue  # another terminal is there
            self.left += self._read(path)
            if self._path is None:
                self._path, self._lock, self._kept = path, lock, tuple(self.left)
            else:
                # What is taken over must be in our file before it is gone from there.
                self._write(tuple(self.left))
                path.unlink(missing_ok=True)
                path.with_suffix(".lock").unlink(missing_ok=True)
                os.close(lock)

    def _read(self, path: Path) -> list[Say]:
        if not path.exists():
            return []
        words, damaged = [], []
        for line in path.read_bytes().split(b"\n")[:-1]:
            try:
                word = decode_client(line)
            except Refused:
                damaged.append(line)
                continue
            if isinstance(word, Say) and word.key:
                words.append(word)
            else:
                damaged.append(line)
        if damaged:
            self.is_damaged = True
            with self.damaged.open("ab") as file:
                file.write(b"\n".join([*damaged, b""]))
        return words


def _locked(path: Path) -> int:
    """A descriptor that holds the lock of a file; -1 if another one has it."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Who had it may have removed the file in between: then the lock is one of nothing.
            if os.fstat(lock).st_ino == path.stat().st_ino:
                return lock
        except BlockingIOError:
            os.close(lock)
            return -1
        except FileNotFoundError:
            pass  # it is made anew
        os.close(lock)
