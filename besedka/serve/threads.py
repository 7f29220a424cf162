"""Threads that work for the loop, all of which are there from the start: later the system may allow no more, and what waits would hang."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar, TypeVarTuple

from besedka.serve.errors import ThreadsMissing

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_Job = tuple[asyncio.Future[Any], Callable[..., Any], tuple[Any, ...]]


class Threads:
    """Some threads that do jobs for the loop, in the order in which they were given; made and used in the loop's thread.

    A job wakes one thread, the one that has been idle for the shortest time. (`concurrent.futures` has such a pool. Its futures have locks of
    their own, and are copied to those of asyncio: that costs a message in a small room a tenth of its time. And of several threads that wait for
    one queue each that takes a job wakes the next one, for nothing: another tenth.)

    Args:
        count: how many.
        name: what the threads' names begin with.

    Raises:
        ThreadsMissing: if the system allows no more.
    """

    def __init__(self, count: int, name: str) -> None:
        self._loop = asyncio.get_running_loop()
        # A None ends a thread.
        self._jobs: deque[_Job | None] = deque()
        # Of each idle thread the lock that it waits for; whoever takes one out releases it. The methods of both are atomic.
        self._idle: deque[threading.Lock] = deque()
        self._threads: list[threading.Thread] = []
        try:
            for number in range(count):
                thread = threading.Thread(target=self._work, name=f"{name}_{number}")
                thread.start()
                self._threads.append(thread)
        except RuntimeError as error:
            self.close()
            raise ThreadsMissing(count) from error

    def run(self, act: Callable[[*Ts], T], *arguments: *Ts) -> asyncio.Future[T]:
        """Have a function called in a thread. If the result is cancelled before its turn, it is not called."""
        result: asyncio.Future[T] = self._loop.create_future()
        self._jobs.append((result, act, arguments))
        self._wake_one()
        return result

    def close(self, *, cancel: bool = False) -> None:
        """Let the threads end behind the jobs that wait; or cancel these."""
        while cancel:
            try:
                job = self._jobs.popleft()
            except IndexError:
                break
            if job:
                job[0].cancel()
        for _ in self._threads:
            self._jobs.append(None)
            self._wake_one()

    def join(self, seconds: float) -> None:
        """Wait until the threads have ended, but not longer than this; for one that was closed, also when the loop has stopped."""
        deadline = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _wake_one(self) -> None:
        try:
            wake = self._idle.pop()
        except IndexError:
            return  # all are at work
        wake.release()

    def _next(self, wake: threading.Lock) -> _Job | None:
        """Wait for a job.

        Args:
            wake: the lock of this thread, which it holds.
        """
        while True:
            try:
                return self._jobs.popleft()
            except IndexError:
                self._idle.append(wake)
            # One that came meanwhile has found nobody idle.
            if self._jobs:
                self._wake_one()
            wake.acquire()

    def _work(self) -> None:
        wake = threading.Lock()
        wake.acquire()
        while job := self._next(wake):
            result, act, arguments = job
            if result.cancelled():
                continue
            try:
                done = act(*arguments)
            except BaseException as error:  # noqa: BLE001 - whoever waits for the result gets it
                self._report(_fail, result, error)
            else:
                self._report(_settle, result, done)
            del job, result, act, arguments

    def _report(self, how: Callable[..., None], result: asyncio.Future[Any], value: object) -> None:
        try:
            self._loop.call_soon_threadsafe(how, result, value)
        except RuntimeError:
            return  # the loop is closed, and nobody waits


def _settle(result: asyncio.Future[Any], value: object) -> None:
    if not result.done():
        result.set_result(value)


def _fail(result: asyncio.Future[Any], error: BaseException) -> None:
    if not result.done():
        result.set_exception(error)
