"""Loops for tests: an ordinary one, and one whose clock jumps."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread of its own: in the main thread the browser tests may have a loop running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def run_jumping(work: Coroutine[Any, Any, T]) -> T:
    """Run work whose peers are fakes in the same loop: its clock jumps to the next timer whenever nothing else is to be done.

    So an hour passes at once, and a wait that nothing can end is an error.
    """

    def in_thread() -> T:
        with asyncio.Runner(loop_factory=_JumpingLoop) as runner:
            return runner.run(work)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(in_thread).result()


class _JumpingSelector(selectors.DefaultSelector):
    jumped = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if not ready and timeout is None:
            raise AssertionError("everything waits, and nothing can end that")
        if not ready and timeout:
            self.jumped += timeout
        return ready


class _JumpingLoop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.jumped
