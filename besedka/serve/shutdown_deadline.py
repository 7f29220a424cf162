"""How long the server may take to end. A disk is waited for as long as it answers; one that does not, by nobody, in whatever thread."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, Final

from besedka.serve.disk_heartbeat import DISK, Disk
from besedka.serve.errors import ThreadsMissing
from besedka.serve.server_log import line_of

SILENT_SECONDS: Final = 2.0
"""A disk that has answered nothing for so long, while something waits for it, is waited for no more. A single sync may take long on
a disk that is busy, but hardly that long."""

END_SECONDS: Final = 4.5
"""How long all of it may take, to the end of the process, where no disk is slow; it is promised to end within 5 seconds then."""

LONGEST_SECONDS: Final = 60.0
"""How long a disk is waited for that answers again and again. What was accepted takes a few syncs; service managers wait for 90."""

THREAD_SECONDS: Final = 0.2
"""How long a thread that has nothing more to do needs at most to notice it."""

THREADS: Final = "besedka-"
"""Prefix of the names of the server's threads."""

_UNSTORED: Final = "the messages on their way to it were delivered to nobody"
_UNWRITTEN: Final = "what changed last in the files about people may not be in them"


class Deadline:
    """The server has ended by then, once it has begun to.

    A thread in which the system waits for a disk cannot be stopped, and the interpreter waits for all threads before it ends. So
    another thread looks at the time, and ends the process, wherever the others are.

    Args:
        disk: what was heard of the disks.

    Raises:
        ThreadsMissing: if the system allows no thread.
    """

    def __init__(self, disk: Disk = DISK) -> None:
        self._disk = disk
        self._begun_at = 0.0
        self._has_begun = threading.Event()
        self._is_lifted = threading.Event()
        try:
            threading.Thread(target=self._watch, daemon=True).start()
        except RuntimeError as error:
            raise ThreadsMissing(1) from error

    def begin(self) -> None:
        """From now on the time runs."""
        if not self._has_begun.is_set():
            self._begun_at = time.monotonic()
            self._has_begun.set()

    async def store(self, storing: Coroutine[Any, Any, None]) -> None:
        """Wait until what was accepted is stored and told, as long as the disk answers.

        One that does not cannot be waited for: nobody was told of what it was given, so all who said it will say it again to the
        next server.
        """
        task = asyncio.ensure_future(storing)
        while not task.done():
            left = self._left(SILENT_SECONDS)
            if left <= 0:
                _give_up(_UNSTORED)
            await asyncio.wait([task], timeout=left)
        await task

    def lift(self) -> None:
        """All is closed; the time stops, unless a thread is left for which the interpreter would wait."""
        for thread in threading.enumerate():
            if thread.name.startswith(THREADS):
                thread.join(THREAD_SECONDS)
                if thread.is_alive():
                    return
        self._is_lifted.set()

    def _left(self, seconds: float) -> float:
        """How long to wait yet, if it is so many seconds, and `SILENT_SECONDS` from the disk's last answer on."""
        until = max(self._begun_at + seconds, self._disk.answered_at + SILENT_SECONDS)
        return min(until, self._begun_at + LONGEST_SECONDS) - time.monotonic()

    def _watch(self) -> None:
        self._has_begun.wait()
        while (left := self._left(END_SECONDS)) > 0:
            if self._is_lifted.wait(left):
                return
        _give_up(_UNWRITTEN)


def _give_up(loss: str) -> None:
    # Neither the streams nor their locks can be waited for.
    with suppress(OSError):
        sentence = f"the disk did not answer within {SILENT_SECONDS:g} seconds; {loss}"
        os.write(2, line_of(sentence, "disk_silent"))
    os._exit(1)
