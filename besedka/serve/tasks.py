"""Tasks whose result nobody may be waiting for any more."""

from __future__ import annotations

import asyncio
from typing import Any, TypeVar

F = TypeVar("F", bound=asyncio.Future[Any])


def unheard(task: F) -> F:
    """A task whose error is told to whoever waits for it, and to nobody else if they have gone.

    Otherwise asyncio logs a traceback ("Task exception was never retrieved") for what is a refusal.
    """
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task
