"""Loops for tests: one whose clock a test puts forward, with waits for what has no event; and one whose clock jumps by itself."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

T = TypeVar("T")

TIMEOUT_SECONDS: Final = 60.0
LOOK_SECONDS: Final = 0.001


class Loop(asyncio.SelectorEventLoop):
    """A loop whose clock is ahead of the system's by so many seconds as a test says.

    Attributes:
        ahead: how many.
    """

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead

    @property
    def is_idle(self) -> bool:
        """Whether nothing can be done before a clock, a thread or a socket says so."""
        return not self._ready  # type: ignore[attr-defined]  # asyncio has no other name for it


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run it in a thread of its own: in the main thread the browser tests may have a loop running."""

    def all_of_it() -> T:
        with asyncio.Runner(loop_factory=Loop) as runner:
            return runner.run(work)

    with ThreadPoolExecutor(1) as thread:
        return thread.submit(all_of_it).result()


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


async def jump(seconds: float) -> None:
    """Put the clock forward, and let happen what is due by then."""
    _running().ahead += seconds
    await settle()


async def pass_time(seconds: float) -> None:
    """Let so much time pass in a loop of `run_jumping`: at once."""
    assert isinstance(asyncio.get_running_loop(), _JumpingLoop)
    await asyncio.sleep(seconds)


async def settle() -> None:
    """Let all tasks come as far as they can without a clock, a thread or a socket."""
    await asyncio.sleep(0)
    while not _running().is_idle:  # noqa: ASYNC110 - it is nothing but the loop that is waited for
        await asyncio.sleep(0)


async def until(is_so: Callable[[], object]) -> None:
    """Wait for what has no event: it is looked for all the time."""
    async with asyncio.timeout(TIMEOUT_SECONDS):
        while not is_so():  # noqa: ASYNC110 - that is what it is for
            await asyncio.sleep(LOOK_SECONDS)


def _running() -> Loop:
    loop = asyncio.get_running_loop()
    assert isinstance(loop, Loop)
    return loop
