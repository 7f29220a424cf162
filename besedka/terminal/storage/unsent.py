"""Unsent messages on disk: they survive leaving, a closed window and a power failure.

One file for each chat, room and name, in the state folder. Each line is the frame to be sent, with its key, so that the server
stores the message once, however often it is sent. Terminals of one person that run at the same time have a file each.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Self

from besedka.home import write_rows
from besedka.wire.errors import Refused
from besedka.wire.frames import Say, decode_client, encode

_PRIVATE: Final = 0o600
_BREAKS: Final = re.compile("[\x7f-\x9f\u2028\u2029]")
"""Characters that JSON leaves as they are, and that end a line elsewhere, or control a terminal."""

TERMINALS_AT_MOST: Final = 20
"""Terminals of one person in one room that have a file; further ones store nothing."""


class UnsentMessages:
    """The unsent messages of one room. Close it when the room is left.

    Args:
        folder: the folder of the files.
        url: the chat's URL.
        room: the room's name.
        user: the name under which the messages are posted.
        failed: called with the error when a file cannot be written.

    Attributes:
        recovered: the messages left by an earlier session of this terminal, or by another terminal that has ended, in order.
        is_damaged: whether some of the lines left behind were unreadable; they have been moved to the file `damaged`.

    Raises:
        OSError: if the files cannot be opened.
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
        self._stored: Sequence[Say] = ()
        self.recovered: list[Say] = []
        self.is_damaged = False
        self.damaged = folder / f"{self._stem}.damaged"
        self._open()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def save(self, messages: Sequence[Say]) -> None:
        """Replace the stored messages by these."""
        try:
            self._write(messages)
        except OSError as error:
            self._failed(error)

    def close(self) -> None:
        """Release the file for another terminal."""
        if self._lock >= 0:
            if self._path and not self._stored:
                self._path.with_suffix(".lock").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1
            self._path = None

    def _write(self, messages: Sequence[Say]) -> None:
        if self._path and tuple(messages) != self._stored:
            self._replace(self._path, messages)

    def _replace(self, path: Path, messages: Sequence[Say]) -> None:
        if messages:
            write_rows(path, [(_as_line(message),) for message in messages])
        else:
            path.unlink(missing_ok=True)
        self._stored = tuple(messages)

    def _open(self) -> None:
        """Lock a file for this terminal, and take over the messages of terminals that have ended."""
        for number in range(TERMINALS_AT_MOST):
            path = self._folder / f"{self._stem}.{number}.jsonl"
            if self._path and not path.with_suffix(".lock").exists():
                break
            lock = _locked(path.with_suffix(".lock"))
            if lock < 0:
                continue  # another terminal has it
            self.recovered += self._read(path)
            if self._path is None:
                self._path, self._lock, self._stored = path, lock, tuple(self.recovered)
                if self.is_damaged:
                    # The damaged lines have been moved away: the next session must not move them again.
                    self._replace(path, self.recovered)
            else:
                # Messages must be in this terminal's file before they are removed from the other one.
                self._write(tuple(self.recovered))
                path.unlink(missing_ok=True)
                path.with_suffix(".lock").unlink(missing_ok=True)
                os.close(lock)

    def _read(self, path: Path) -> list[Say]:
        if not path.exists():
            return []
        messages, damaged = [], []
        for line in path.read_bytes().split(b"\n")[:-1]:
            try:
                frame = decode_client(line)
            except Refused:
                damaged.append(line)
                continue
            if isinstance(frame, Say) and frame.key:
                messages.append(frame)
            else:
                damaged.append(line)
        if damaged:
            self.is_damaged = True
            with self.damaged.open("ab") as file:
                file.write(b"\n".join([*damaged, b""]))
        return messages


def remove_stale_locks(folder: Path) -> None:
    """Remove the locks of rooms without unsent messages whose terminals have ended without doing so: one is left for each room.

    Raises:
        OSError: if one cannot be removed.
    """
    for path in folder.glob("*.lock"):
        if path.with_suffix(".jsonl").exists():
            continue
        lock = _locked(path)
        if lock >= 0:
            path.unlink(missing_ok=True)
            os.close(lock)


def _as_line(message: Say) -> str:
    """A message as JSON in one line, whatever a program takes for the end of one."""
    return _BREAKS.sub(lambda found: f"\\u{ord(found[0]):04x}", encode(message).decode())


def _locked(path: Path) -> int:
    """Lock a file. Returns the descriptor that holds the lock; -1 if another process has it."""
    while True:
        lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, _PRIVATE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # The previous holder may have removed the file in between: then the lock is worthless.
            if os.fstat(lock).st_ino == path.stat().st_ino:
                return lock
        except BlockingIOError:
            os.close(lock)
            return -1
        except FileNotFoundError:
            pass  # create it again
        os.close(lock)
