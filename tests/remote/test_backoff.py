"""How long a client waits before it tries again."""

from __future__ import annotations

from besedka.remote.backoff import FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS, SHORTEST_PART, backoff


def test_waits_grow_to_a_bound_however_long_there_is_no_server() -> None:
    for tries in range(3_000):
        longest = min(
            LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * (1 << tries) if tries < 10 else LONGEST_WAIT_SECONDS
        )
        assert SHORTEST_PART * longest <= backoff(tries) <= longest
