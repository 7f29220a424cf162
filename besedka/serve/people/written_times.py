"""Moments as the files about people write them, and the possible meanings of a time without a zone. Pure.

A moment is written in UTC, ``2025-11-19T22:46:36Z``. A time of the log, ``2025-11-19 23:46:36``, says neither in which zone it was
written (a server may be started with ``--utc`` today and without it tomorrow) nor, in the hour that comes twice, which pass it was. So
it is read as a span: all the moments that it may be, by the possible offsets from UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, NamedTuple

EAST: Final = 14 * 3600
"""No clock is further ahead of UTC (the Line Islands), in seconds."""

WEST: Final = 12 * 3600
"""No clock is further behind UTC (Baker Island), in seconds."""

MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d:\d\d|T\d\d:\d\d:\d\dZ)", re.ASCII)
"""A moment in UTC, or a time of the log."""

_WRITTEN: Final = "%Y-%m-%dT%H:%M:%SZ"


class Span(NamedTuple):
    """The moments, in unix seconds, between which something happened."""

    earliest: float
    latest: float


UNKNOWN: Final = Span(float("-inf"), float("inf"))


def write_moment(at: float) -> str:
    """Format a moment in unix seconds for a file."""
    return _written(int(at))


@lru_cache(maxsize=16)
def _written(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime(_WRITTEN)


Offsets = tuple[int, ...]
"""Possible offsets of clocks, in seconds east of UTC."""

ALL_OFFSETS: Final[Offsets] = (-WEST, EAST)


@lru_cache(maxsize=4096)
def span(written: str, offsets: Offsets = ALL_OFFSETS) -> Span:
    """The possible meanings of a moment, or of a time of the log by clocks with these offsets; `UNKNOWN` if it is neither."""
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return UNKNOWN
    seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    return Span(seconds, seconds) if at.tzinfo else Span(seconds - max(offsets), seconds - min(offsets))
