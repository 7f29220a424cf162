"""Runs the server by a wall clock that a test sets: ``python -m tests.clocked_server serve …``.

The environment variable CLOCK names a file with the seconds by which the clock is ahead; it is read whenever the server asks what time
it is. Monotonic clocks stay as they are: this is what a wrong battery, NTP, or an administrator does.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

really_time = time.time
FILE = Path(os.environ["CLOCK"])


def ahead() -> float:
    """The time of the clock that the test has set."""
    return really_time() + float(FILE.read_text() or 0)


if __name__ == "__main__":
    time.time = ahead  # before anything takes it as a default

    from besedka.cli import main

    main()
