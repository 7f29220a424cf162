"""Runs the server with faults in its system calls: ``python -m tests.torture.faulty_server serve …``.

What goes wrong is told by the environment variable FAULTS, a JSON object:

- ``call``: ``write`` or ``fdatasync``, of a log (not of its index); ``at``: which call fails, counted from 1;
  ``times``: how many in a row; ``errno``: how; a write that fails has written a half before;
- ``delay``: seconds that each sync of a log takes longer, the first one, of the start, left out;
- ``journal``: a file to which a line ``inode size`` is added whenever a sync has returned: what a power cut would leave.
"""

from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path

from besedka.cli import main

PLAN = json.loads(os.environ.get("FAULTS", "{}"))
really_write, really_fdatasync, really_fsync = os.write, os.fdatasync, os.fsync
calls = {"write": 0, "fdatasync": 0, "delay": 0}


def is_log(number: int) -> bool:
    """Whether this is a file with history in it."""
    path = Path(f"/proc/self/fd/{number}").readlink()
    return path.suffix == ".txt" and path.name != "audit.txt"


def fails(call: str, number: int) -> bool:
    """Whether it is time for a fault."""
    if PLAN.get("call") != call or not is_log(number):
        return False
    calls[call] += 1
    return bool(PLAN["at"] <= calls[call] < PLAN["at"] + PLAN.get("times", 1))


def fault() -> OSError:
    """The fault that is planned."""
    number = getattr(errno, PLAN["errno"])
    return OSError(number, os.strerror(number))


def write(number: int, data: bytes) -> int:
    if fails("write", number):
        really_write(number, data[: len(data) // 2])
        raise fault()
    return really_write(number, data)


def fdatasync(number: int) -> None:
    if fails("fdatasync", number):
        raise fault()
    if "delay" in PLAN and is_log(number):
        calls["delay"] += 1
        time.sleep(PLAN["delay"] if calls["delay"] > 1 else 0)
    size = os.fstat(number).st_size
    really_fdatasync(number)
    note(number, size)


def fsync(number: int) -> None:
    size = os.fstat(number).st_size
    really_fsync(number)
    note(number, size)


def note(number: int, size: int) -> None:
    """Write down that so much of a file would outlive a power cut."""
    if "journal" in PLAN:
        journal = os.open(PLAN["journal"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        really_write(journal, f"{os.fstat(number).st_ino} {size}\n".encode())
        os.close(journal)


if __name__ == "__main__":
    os.write, os.fdatasync, os.fsync = write, fdatasync, fsync  # type: ignore[assignment]
    main()
