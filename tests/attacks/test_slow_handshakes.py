"""A thousand handshakes that never end (Slowloris)."""

from __future__ import annotations

from tests import looping
from tests.attacks.slowness import assert_closed, attack
from tests.running import RunningServer

WAIT_SECONDS = 0.5


def test_a_thousand_slow_handshakes_are_closed_in_time_and_nobody_waits_for_them(
    server: RunningServer,
) -> None:
    """Each is answered 408 after ten seconds, and meanwhile no message of an honest client took half a second."""
    outcome = looping.run(attack(server))
    assert_closed(outcome)
    assert len(outcome.slow) > 100
    # A machine that is busy with other things may be slow in quiet, too.
    assert max(outcome.slow) < max(WAIT_SECONDS, 3 * max(outcome.quiet))
