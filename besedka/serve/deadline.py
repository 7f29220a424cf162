"""How long the server may take to end. A disk that does not answer is waited for by nobody, in whatever thread."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Awaitable
from contextlib import suppress
from typing import Final

FINISH_SECONDS: Final = 2.0
"""How long the disk may take to store what was accepted when the server stops."""

END_SECONDS: Final = 4.5
"""How long all of it may take, to the end of the process; it is promised to end within 5 seconds."""

THREAD_SECONDS: Final = 0.2
"""How long a thread that has nothing more to do needs at most to notice it."""

THREADS: Final = "besedka-"
"""What the names of our threads begin with."""

_UNSTORED: Final = "what it was given was told to nobody"
_UNWRITTEN: Final = "what changed last in the files about people may not be in them"


class Deadline:
    """The server has ended by then, once it has begun to.

    A thread in which the system waits for a disk cannot be stopped, and the interpreter waits for all threads before it ends. So
    another thread looks at the time, and ends the process, wherever the others are.
    """

    def __init__(self) -> None:
        self._timer = threading.Timer(END_SECONDS, _give_up, (END_SECONDS, _UNWRITTEN))
        self._timer.daemon = True

    def begin(self) -> None:
        """From now on the time runs."""
        with suppress(RuntimeError):  # it runs already
            self._timer.start()

    async def store(self, storing: Awaitable[None]) -> None:
        """Wait until what was accepted is stored and told.

        A disk that does not answer cannot be waited for: nobody was told of what it was given, so all who said it will say
        it again to the next server.
        """
        try:
            async with asyncio.timeout(FINISH_SECONDS):
                await storing
        except TimeoutError:
            _give_up(FINISH_SECONDS, _UNSTORED)

    def lift(self) -> None:
        """All is closed; the time stops, unless a thread is left for which the interpreter would wait."""
        for thread in threading.enumerate():
            if thread.name.startswith(THREADS):
                thread.join(THREAD_SECONDS)
                if thread.is_alive():
                    return
        self._timer.cancel()


def _give_up(seconds: float, loss: str) -> None:
    # Neither the streams nor their locks can be waited for.
    with suppress(OSError):
        os.write(2, f"besedka: the disk did not answer within {seconds:g} seconds; {loss}\n".encode())
    os._exit(1)
