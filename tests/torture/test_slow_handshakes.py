"""A thousand handshakes that never end: what they cost one who talks."""

from __future__ import annotations

import os
import statistics

import pytest

from tests import looping
from tests.attacks.slowness import assert_closed, attack
from tests.running import RunningServer

LONG = bool(os.environ.get("BESEDKA_TORTURE"))


@pytest.mark.skipif(not LONG, reason="tight bounds of time are for a machine that does nothing else")
def test_slow_handshakes_leave_the_waits_of_others_as_they_were(server: RunningServer) -> None:
    """Of an honest client's messages 99 of 100 take at most twice as long as before, or 5 ms."""
    outcome = looping.run(attack(server))
    assert_closed(outcome)
    quiet, slow = (statistics.quantiles(waits, n=100)[-1] for waits in (outcome.quiet, outcome.slow))
    print(f"p99 {1000 * quiet:.2f} ms in quiet, {1000 * slow:.2f} ms meanwhile")  # noqa: T201
    assert slow < max(2 * quiet, 0.005)
