"""The signals: SIGINT and SIGTERM end the server, SIGHUP has it reload, or ends it where its terminal was closed (decision 50).

A signal that was ignored at the start, as by ``nohup``, stays ignored.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import sys
from typing import Final

TERMINAL: Final = "/dev/tty"
"""The controlling terminal of a process, whatever its real name (tty(4))."""

GONE: Final = frozenset({errno.ENXIO, errno.EIO, errno.ENODEV, errno.ENOENT})
"""The errors of opening it where there is none, or no longer."""

CLOSING_SECONDS: Final = 2.0
"""A shell may pass SIGHUP on before its window is closed: if the terminal is gone so soon after one, that was meant."""


class Signals:
    """Waits for the signals of a server, from now on.

    Args:
        loop: of the server.

    Attributes:
        stop: set when the server is to end.
        cause: the signal by which.
        reload: set when it is to reload; whoever does clears it.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.stop = asyncio.Event()
        self.reload = asyncio.Event()
        self.cause = ""
        self._loop = loop
        self._has_terminal = has_terminal()
        self._watch(signal.SIGINT)
        self._watch(signal.SIGTERM)
        if sys.platform != "win32" and _is_heeded(signal.SIGHUP):
            loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    def _watch(self, number: signal.Signals) -> None:
        if _is_heeded(number):
            self._loop.add_signal_handler(number, self._end, number.name)

    def _end(self, cause: str) -> None:
        self.cause = self.cause or cause
        self.stop.set()

    def _hang_up(self) -> None:
        if self._end_without_terminal():
            return
        self.reload.set()
        if self._has_terminal:
            self._loop.call_later(CLOSING_SECONDS, self._end_without_terminal)

    def _end_without_terminal(self) -> bool:
        """End if there was a terminal at the start and is none now."""
        is_closed = self._has_terminal and not has_terminal()
        if is_closed:
            self._end("SIGHUP, because its terminal was closed")
        return is_closed


def has_terminal() -> bool:
    """Whether this process has a controlling terminal."""
    try:
        os.close(os.open(TERMINAL, os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK))
    except OSError as error:
        return error.errno not in GONE
    return True


def _is_heeded(number: signal.Signals) -> bool:
    return signal.getsignal(number) is not signal.SIG_IGN
