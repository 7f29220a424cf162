"""The signals that end the server. One that was ignored at the start, as by ``nohup``, stays ignored."""

from __future__ import annotations

import asyncio
import signal
import sys
from typing import Final

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if sys.platform != "win32" else []))
"""Ctrl-C, a service manager, a terminal that is closed."""


class Signals:
    """Waits for the signals of a server, from now on.

    Args:
        loop: of the server.

    Attributes:
        stop: set when the server is to end.
        cause: the signal by which.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.stop = asyncio.Event()
        self.cause = ""
        for number in STOP_SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self._end, number.name)

    def _end(self, cause: str) -> None:
        self.cause = self.cause or cause
        self.stop.set()
