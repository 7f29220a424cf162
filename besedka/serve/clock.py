"""The server's clocks, and the time as the log writes it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo

from besedka.wire.log_line import stamp


class Clock:
    """A wall clock and a monotonic clock.

    Args:
        zone: of the log's times; None for the machine's.
        wall: unix seconds.

    Attributes:
        zone: the same.
        wall: the same.
        now: seconds of a monotonic clock, the loop's.
    """

    __slots__ = ("now", "wall", "zone")

    def __init__(self, zone: tzinfo | None, wall: Callable[[], float] = time.time) -> None:
        self.zone = zone
        self.wall = wall
        self.now = asyncio.get_running_loop().time

    def stamp(self) -> str:
        """The time now, as the log writes it."""
        return stamp(self.wall(), self.zone)

    def utc_offset(self) -> int:
        """Offset of the zone from UTC now, in seconds; positive to the east."""
        offset = datetime.fromtimestamp(self.wall(), UTC).astimezone(self.zone).utcoffset()
        return int(offset.total_seconds()) if offset else 0
