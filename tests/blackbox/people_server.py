"""Runs the server with a disk of its own making under the files about people: ``python -m tests.blackbox.people_server serve …``.

The environment variable DISK is a folder in which a test finds and says what happens:

- ``synced``: a line for each sync that has returned: ``inode size`` of a file about people, and of their folder ``name inode`` of each;
- ``begun``: how many such syncs have begun;
- ``allowed``: if it is there, how many such syncs may return, of all that begin; the others wait until it says more, or nothing;
- ``fault``: if it is there, ``call errno``: which call fails now, and how: ``write`` (after a half), ``fdatasync``, ``fsync``, ``replace``.

CONSTANTS is that of `tests.bent_server`.
"""

from __future__ import annotations

import errno
import json
import os
import time
from functools import partial
from pathlib import Path
from typing import Any

from besedka.cli import main
from tests.bent_server import bend

DISK = Path(os.environ["DISK"])
LOOK_SECONDS = 0.005
begun = 0
KEPT = ("known_names.txt", "private_rooms.txt", "invitations.txt")
really_write, really_fdatasync, really_fsync, really_replace = os.write, os.fdatasync, os.fsync, os.replace


def path_of(number: int) -> Path:
    """The file behind a descriptor."""
    return Path(f"/proc/self/fd/{number}").readlink()


def is_about_people(path: Path) -> bool:
    """Whether it is one of those, or what shall take its place."""
    return any(name in path.name for name in KEPT)


def reported(name: str) -> str:
    """The test's present command; empty if there is none."""
    path = DISK / name
    return path.read_text() if path.exists() else ""


def fail(call: str) -> None:
    """Raise the fault, if it is time for one."""
    planned, _, number = reported("fault").partition(" ")
    if planned == call:
        raise OSError(getattr(errno, number), os.strerror(getattr(errno, number)))


def write(number: int, data: bytes) -> int:
    if is_about_people(path_of(number)):
        try:
            fail("write")
        except OSError:
            really_write(number, data[: len(data) // 2])
            raise
    return really_write(number, data)


def begin() -> None:
    """Count a sync that begins, and tell the test."""
    global begun  # noqa: PLW0603 - this is a program
    begun += 1
    (DISK / "begun.new").write_text(str(begun))
    really_replace(DISK / "begun.new", DISK / "begun")


def sync(call: str, really: Any, number: int) -> None:
    path = path_of(number)
    if not (path.is_dir() or is_about_people(path)):
        really(number)
        return
    fail(call)
    begin()
    number_of_this = begun
    while (allowed := reported("allowed")) and number_of_this > int(allowed):
        time.sleep(LOOK_SECONDS)
    # What comes into the file meanwhile may be lost.
    status = os.fstat(number)
    if path.is_dir():
        kept = [path / name for name in KEPT if (path / name).exists()]
        rows = [f"{one.name} {one.stat().st_ino}\n" for one in kept]
    else:
        rows = [f"{status.st_ino} {status.st_size}\n"]
    really(number)
    with (DISK / "synced").open("a") as journal:
        journal.writelines(rows)


def replace(old: Any, new: Any) -> None:
    if is_about_people(Path(new)):
        fail("replace")
    really_replace(old, new)


if __name__ == "__main__":
    os.write, os.replace = write, replace  # type: ignore[assignment]
    os.fdatasync = partial(sync, "fdatasync", really_fdatasync)
    os.fsync = partial(sync, "fsync", really_fsync)
    bend(json.loads(os.environ["CONSTANTS"]))
    main()
