"""Tasks that may lose their last waiter, and steps that all run."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine
from typing import Any, Final, TypeVar

from besedka.wire.errors import Refused

log = logging.getLogger(__name__)

CANCEL_AGAIN_SECONDS: Final = 0.1
"""How long a cancelled task may take to end before it is cancelled again."""

F = TypeVar("F", bound=asyncio.Future[Any])
T = TypeVar("T")


def mark_retrieved(task: F) -> F:
    """Mark a task's error as retrieved, also if no waiter is left.

    Otherwise asyncio logs a traceback ("Task exception was never retrieved") for a mere refusal.
    """
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


def run_to_end(work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
    """Start work that runs to its end, also without a waiter; then an unexpected error is logged."""
    task = asyncio.ensure_future(work)
    waited_for = mark_retrieved(asyncio.shield(task))

    def ended(_: asyncio.Future[T]) -> None:
        if waited_for.cancelled():
            task.add_done_callback(_log_error)

    waited_for.add_done_callback(ended)
    return waited_for


async def run_all(*steps: Callable[[], Awaitable[None] | None]) -> None:
    """Run steps one after the other, each of them also if one before it has failed.

    Raises:
        BaseException: the first error; later ones are logged.
    """
    first: BaseException | None = None
    for step in steps:
        try:
            pending = step()
            if pending is not None:
                await pending
        except BaseException as error:  # a cancellation, too, is raised at the end
            if first is None:
                first = error
            else:
                log.exception("a further step has failed after the first one that did")
    if first is not None:
        raise first


async def cancel_all(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancel tasks, and wait until they have ended.

    Until Python 3.12 a cancellation is lost if it meets `asyncio.wait_for` in the moment in which that has its result (CPython issue 86296),
    and libraries use that: a task that goes on is cancelled again.
    """
    running = {*tasks}
    while running:
        for task in running:
            mark_retrieved(task).cancel()
        _, running = await asyncio.wait(running, timeout=CANCEL_AGAIN_SECONDS)


def _log_error(done: asyncio.Task[Any]) -> None:
    error = None if done.cancelled() else done.exception()
    if error and not isinstance(error, Refused):
        log.error("a request failed after its client had gone", exc_info=error)
