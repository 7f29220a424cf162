"""How long to wait before another try: exponential backoff with jitter, and bounds for what a server asks for."""

from __future__ import annotations

import random
from typing import Final

FIRST_WAIT_SECONDS: Final = 1.0
LONGEST_WAIT_SECONDS: Final = 15.0
"""The longest wait between two tries. Each wait is shortened by a random factor, so that clients do not reconnect all at once."""

LONGEST_HOLD_SECONDS: Final = 60.0
"""The longest wait before a message that was posted too fast is sent again, or a closed room joined again, whatever the server asks for."""

SHORTEST_HOLD_SECONDS: Final = 0.1
"""The shortest such wait, also where the server asks for none. It doubles with each refusal in a row, up to the longest wait between two
tries: a server that refuses everything is asked ever more seldom."""

SHORTEST_PART: Final = 0.1
"""The smallest random factor."""

DOUBLINGS_AT_MOST: Final = 10
"""More than the longest wait needs. After a thousand doublings, some hours without a server, the number would overflow a float."""


def backoff(tries: int) -> float:
    """The wait in seconds after this many failed tries in a row."""
    longest: float = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(tries, DOUBLINGS_AT_MOST))
    return longest * random.uniform(SHORTEST_PART, 1)  # noqa: S311 - spreads load, guards nothing


def hold(asked: float, refusals: int) -> float:
    """How long to hold back what a server has refused for now: as long as it asks for, within bounds.

    Args:
        asked: the `retry_after` of the refusal, in seconds.
        refusals: how many refusals came before it in a row, with nothing accepted between them.
    """
    least: float = min(LONGEST_WAIT_SECONDS, SHORTEST_HOLD_SECONDS * 2 ** min(refusals, DOUBLINGS_AT_MOST))
    return min(max(asked, least), LONGEST_HOLD_SECONDS)
