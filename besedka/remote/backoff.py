"""How long a client waits before it tries to connect again."""

from __future__ import annotations

import random
from typing import Final

FIRST_WAIT_SECONDS: Final = 1.0
LONGEST_WAIT_SECONDS: Final = 15.0
"""Between two tries to come back; each is shortened by chance, so that not all clients come at once."""

SHORTEST_PART: Final = 0.1
"""How much of a wait is left at least."""

DOUBLINGS_AT_MOST: Final = 10
"""More than the longest wait needs; after a thousand, some hours without a server, the number would be no float any more."""


def backoff(tries: int) -> float:
    """The seconds to wait after so many tries in a row."""
    longest: float = min(LONGEST_WAIT_SECONDS, FIRST_WAIT_SECONDS * 2 ** min(tries, DOUBLINGS_AT_MOST))
    return longest * random.uniform(SHORTEST_PART, 1)  # noqa: S311 - spreads load, guards nothing
