"""Threads that work for the loop."""

from __future__ import annotations

import asyncio
import threading
import time

import pytest

from besedka.serve.errors import ThreadsMissing
from besedka.serve.threads import Threads
from tests import looping
from tests.looping import settle


def test_jobs_are_done_in_their_order_and_their_results_and_errors_come_back() -> None:
    async def scenario() -> None:
        threads, done = Threads(1, "test"), list[int]()

        def note(number: int) -> int:
            done.append(number)
            return -number

        results = [threads.run(note, number) for number in range(5)]
        assert await threads.run(threading.current_thread) is not threading.current_thread()
        assert [await result for result in results] == [0, -1, -2, -3, -4]
        assert done == [*range(5)]
        with pytest.raises(ZeroDivisionError):
            await threads.run(divmod, 1, 0)
        assert await threads.run(divmod, 7, 2) == (3, 1)
        threads.close()
        threads.join(5)

    looping.run(scenario())


def test_as_many_jobs_are_done_at_once_as_there_are_threads() -> None:
    async def scenario() -> None:
        threads, together = Threads(3, "test"), threading.Barrier(3)
        assert sorted(await asyncio.gather(*(threads.run(together.wait, 5) for _ in range(3)))) == [0, 1, 2]
        threads.close()

    looping.run(scenario())


def test_no_job_is_left_where_threads_become_idle_while_jobs_come() -> None:
    async def scenario() -> None:
        threads, done = Threads(4, "test"), list[int]()
        for number in range(3000):
            results = [threads.run(done.append, number) for _ in range(number % 6)]
            if number % 3:
                await asyncio.wait_for(asyncio.gather(*results), 60)
        await asyncio.wait_for(threads.run(done.append, -1), 60)
        threads.close()
        threads.join(60)
        assert sorted(done) == [-1, *(number for number in range(3000) for _ in range(number % 6))]

    looping.run(scenario())


def test_a_job_that_was_cancelled_before_its_turn_is_not_done() -> None:
    async def scenario() -> None:
        threads, may_go_on, done = Threads(1, "test"), threading.Event(), list[int]()
        threads.run(may_go_on.wait, 5)
        cancelled, other = threads.run(done.append, 1), threads.run(done.append, 2)
        cancelled.cancel()
        may_go_on.set()
        await other
        assert done == [2]
        threads.close()

    looping.run(scenario())


def test_closing_ends_the_threads_behind_the_jobs_that_wait_or_cancels_these() -> None:
    async def scenario() -> None:
        for cancels in (False, True):
            threads, may_go_on, done = Threads(1, "test"), threading.Event(), list[int]()
            has_begun = threading.Event()

            def work(has_begun: threading.Event = has_begun, may_go_on: threading.Event = may_go_on) -> bool:
                has_begun.set()
                return may_go_on.wait(5)

            busy, waiting = threads.run(work), threads.run(done.append, 1)
            await asyncio.to_thread(has_begun.wait, 5)
            threads.close(cancel=cancels)
            may_go_on.set()
            threads.join(5)
            await settle()
            assert await busy
            assert waiting.cancelled() is cancels
            assert done == ([] if cancels else [1])
            assert not [thread for thread in threading.enumerate() if thread.name.startswith("test")]

    looping.run(scenario())


def test_nobody_waits_longer_for_the_threads_than_they_say() -> None:
    async def scenario() -> None:
        threads, may_go_on = Threads(1, "test"), threading.Event()
        threads.run(may_go_on.wait, 5)
        threads.close()
        begun = time.monotonic()
        threads.join(0.1)
        assert 0.1 <= time.monotonic() - begun < 4
        may_go_on.set()

    looping.run(scenario())


def test_where_the_system_allows_no_more_threads_none_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    really, left = threading.Thread.start, [2]

    def start(thread: threading.Thread) -> None:
        if thread.name.startswith("test"):
            if not left[0]:
                raise RuntimeError("can't start new thread")
            left[0] -= 1
        really(thread)

    async def scenario() -> None:
        monkeypatch.setattr(threading.Thread, "start", start)
        with pytest.raises(ThreadsMissing):
            Threads(3, "test")
        for thread in threading.enumerate():
            if thread.name.startswith("test"):
                thread.join(5)
                assert not thread.is_alive()

    looping.run(scenario())
