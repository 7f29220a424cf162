"""Tasks whose result nobody may be waiting for any more."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from besedka.wire.errors import Refused

log = logging.getLogger(__name__)

F = TypeVar("F", bound=asyncio.Future[Any])
T = TypeVar("T")


def unheard(task: F) -> F:
    """A task whose error is told to whoever waits for it, and to nobody else if they have gone.

    Otherwise asyncio logs a traceback ("Task exception was never retrieved") for what is a refusal.
    """
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


def to_the_end(work: Coroutine[Any, Any, T]) -> asyncio.Future[T]:
    """Begin work that is done to its end, also when nobody waits for it any more; then an error of ours is logged."""
    task = asyncio.ensure_future(work)
    waited_for = unheard(asyncio.shield(task))

    def ended(_: asyncio.Future[T]) -> None:
        if waited_for.cancelled():
            task.add_done_callback(_log_error)

    waited_for.add_done_callback(ended)
    return waited_for


def _log_error(done: asyncio.Task[Any]) -> None:
    error = None if done.cancelled() else done.exception()
    if error and not isinstance(error, Refused):
        log.error("what was asked for could not be done, and nobody waits for it any more", exc_info=error)
