"""All tests of the server's parts leave no thread behind."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from typing import Final

import pytest

from besedka.serve.shutdown_deadline import THREADS

END_SECONDS: Final = 20.0


@pytest.fixture(autouse=True)
def no_thread_is_left() -> Iterator[None]:
    """Fail where a chat was not closed: Python waits for its threads before it ends, and the tests would hang at their end."""
    before = {*threading.enumerate()}
    yield
    deadline = time.monotonic() + END_SECONDS
    for thread in [*threading.enumerate()]:
        if thread not in before and thread.name.startswith(THREADS):
            thread.join(max(0.0, deadline - time.monotonic()))
            assert not thread.is_alive(), f"{thread.name} has not ended"
