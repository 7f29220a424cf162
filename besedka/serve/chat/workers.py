"""The threads that read and write files for the loop, and whether they accept more work."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final, TypeVar, TypeVarTuple

from besedka.serve.disk_heartbeat import DISK
from besedka.serve.errors import AppendError, HistoryLost
from besedka.serve.files.descriptor import reason
from besedka.serve.repeated_error import RepeatedError
from besedka.serve.threads import Threads
from besedka.wire.errors import ErrorCode, Refused

log = logging.getLogger(__name__)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

WORKERS: Final = 4
"""Threads that write, and as many that read. A disk seldom gets faster with more, and each waits in the kernel, not in Python.
One more thread searches logs, for users and for resent messages: that is work for Python, and never done by two at once."""

SEARCH_SECONDS: Final = 0.1
"""Time limit of one step of a search, which then returns how far it has come. Searches take turns, and so do resent messages that are
looked for; each waits for at most one step of the other kind."""


class Workers:
    """The threads of one chat.

    Raises:
        ThreadsMissing: if the system allows no more of them.

    Attributes:
        is_going_down: whether nothing more is accepted, because the server is stopping.
        is_stopped: whether no more work is started, either.
        lost: done when a history can no longer be written; the server must then stop with this error.
    """

    def __init__(self) -> None:
        self.is_going_down = False
        self.is_stopped = False
        self._loop = asyncio.get_running_loop()
        self._unreadable = RepeatedError(log)
        self.lost: asyncio.Future[HistoryLost] = self._loop.create_future()
        # Reads must not keep a batch from being written.
        self._writers = Threads(WORKERS, "besedka-writes")
        self._readers = Threads(WORKERS, "besedka-reads")
        self._searcher = Threads(1, "besedka-searches")

    def write(self, act: Callable[[*Ts], T], *arguments: *Ts) -> asyncio.Future[T]:
        """Run a function that writes.

        Raises:
            Refused: `going_down`, as do the other two.
        """
        self._check_running()
        return self._writers.run(act, *arguments)

    def read(self, act: Callable[[*Ts], T], *arguments: *Ts) -> asyncio.Future[T]:
        """Run a function that reads.

        Raises:
            Refused: also `room_unavailable`, as does `search`: the file system reports an error.
        """
        self._check_running()
        return self._readers.run(self._read, act, *arguments)

    def search(self, act: Callable[[*Ts], T], *arguments: *Ts) -> asyncio.Future[T]:
        """Run a function that searches a log."""
        self._check_running()
        return self._searcher.run(self._read, act, *arguments)

    def lose(self, error: AppendError) -> None:
        """Report a failed write; after `HistoryLost` the server must stop."""
        if isinstance(error, HistoryLost) and not self.lost.done():
            self.is_going_down = True
            self.lost.set_result(error)

    def stop(self) -> None:
        """Start no more work."""
        self.is_going_down = self.is_stopped = True

    def close(self) -> None:
        """Let the threads end after their present work; reads that wait for one are refused."""
        self._writers.close(cancel=True)
        for threads in (self._readers, self._searcher):
            threads.close()

    def _check_running(self) -> None:
        if self.is_stopped:
            raise Refused(ErrorCode.GOING_DOWN)

    def _read(self, act: Callable[[*Ts], T], *arguments: *Ts) -> T:
        self._check_running()
        try:
            result = act(*arguments)
        except OSError as error:
            if self.is_stopped:
                raise Refused(ErrorCode.GOING_DOWN) from error  # the logs may be closed already
            self._unreadable.note("a file could not be read: %s", reason(error))
            raise Refused(ErrorCode.ROOM_UNAVAILABLE) from error
        DISK.answered()
        return result
