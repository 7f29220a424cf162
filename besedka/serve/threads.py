"""Threads, all of which are there from the start: later the system may allow no more, and what was given to a pool would hang."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from besedka.serve.errors import ThreadsMissing


def started(count: int, name: str) -> ThreadPoolExecutor:
    """A pool with so many threads, which run already.

    Args:
        count: how many.
        name: what theirs begin with.

    Raises:
        ThreadsMissing: if the system allows no more.
    """
    pool = ThreadPoolExecutor(count, thread_name_prefix=name)
    # Whoever waits here is not idle, so the pool needs another thread for the next.
    together = threading.Barrier(count + 1)
    try:
        for _ in range(count):
            pool.submit(together.wait)
    except RuntimeError as error:
        together.abort()
        pool.shutdown(wait=False, cancel_futures=True)
        raise ThreadsMissing(count) from error
    together.wait()
    return pool
