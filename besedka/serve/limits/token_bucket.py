"""A token bucket: the one measure of all rate limits. Pure; time is an argument, in seconds of any monotonic clock."""

from __future__ import annotations

from typing import Final

BURST_SECONDS: Final = 10.0
"""A bucket holds the tokens of this time: a paste, or an outbox after a reconnect, goes through at once."""

_ROUNDING: Final = 1e-6  # seconds; floats do not add up exactly


class TokenBucket:
    """A bucket that is filled with tokens at a rate, up to a burst.

    Its only state is the moment when it will be full again: the generic cell rate algorithm (ITU-T I.371, annex A).

    Args:
        rate: tokens a second, more than 0.
        burst: its size in seconds' worth of tokens; at least one token.
    """

    __slots__ = ("_burst", "_full_at", "_rate")

    def __init__(self, rate: float, burst: float = BURST_SECONDS) -> None:
        self._rate = rate
        self._burst = max(burst, 1 / rate)
        self._full_at = 0.0

    def wait(self, now: float, tokens: int = 1) -> float:
        """The seconds until there are enough tokens; 0 if they are there."""
        missing = max(self._full_at, now) + tokens / self._rate - now - self._burst
        return missing if missing > _ROUNDING else 0.0

    def spend(self, now: float, tokens: int = 1) -> None:
        """Take tokens, even if they are not there yet; a negative number returns them."""
        self._full_at = max(self._full_at, now) + tokens / self._rate

    def is_full(self, now: float) -> bool:
        """Whether all tokens are there."""
        return now >= self._full_at
