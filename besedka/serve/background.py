"""Background loops that run as long as the server, and that nothing awaits.

So a failure would go unnoticed: deadlines would not be enforced, or nothing would be saved. Where a loop fails the server stops
in an orderly way: accepted messages are stored first. (An `asyncio.TaskGroup` would cancel it wherever it is.)
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Self

from besedka.serve.errors import PartFailed

log = logging.getLogger(__name__)


class Background:
    """The parent of all such loops; at its end it cancels those that run, and waits for them.

    Attributes:
        failed: done when one has failed; the server must then stop with this error.
    """

    def __init__(self) -> None:
        self.failed: asyncio.Future[PartFailed] = asyncio.get_running_loop().create_future()
        self._tasks: list[asyncio.Task[None]] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def run(self, what: str, act: Callable[[], Awaitable[None]]) -> asyncio.Task[None]:
        """Run work in the background. The task raises nothing.

        Args:
            what: is done, in words for who must hear that it has failed: "reading the access keys".
            act: does it.
        """
        self._tasks.append(asyncio.get_running_loop().create_task(self.guard(what, act)))
        return self._tasks[-1]

    async def guard(self, what: str, act: Callable[[], Awaitable[None]]) -> None:
        """Run work that the server cannot do without."""
        try:
            await act()
        except Exception as error:
            log.exception("%s has failed, the server stops", what)
            if not self.failed.done():
                self.failed.set_result(PartFailed(what, error))
