"""The server's uptime and its wall clock during it: decides whether to believe a clock that says that time has passed. Pure.

When the wall clock is months ahead of the last time seen, the server cannot know whether the clock is wrong or it was down all summer.
So an irreversible consequence of elapsed time waits until the clock has confirmed it for a week *in which the server was up*: the people
concerned had a week to come back, and the operator a week to notice. Uptime is counted by the monotonic clock, also over restarts.

A `Stretch` is some uptime without a jump of the wall clock. Stretches stay in the order in which they were counted, so a clock that jumps
there and back is outvoted: the time during which it said that a moment has passed counts for the moment, the time during which it said
that the moment is still to come counts against it, and the score is never below zero.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from besedka.serve.people.table import Table
from besedka.serve.people.written_times import UNKNOWN, span, write_moment

SETTLED_SECONDS: Final = 7 * 24 * 3600
"""Uptime after which the server believes its clock: as long as people may be away without thinking of the chat."""

STEP_SECONDS: Final = 3600
"""Most uptime that counts between two calls: a process that was stopped, or whose monotonic clock jumps, was not up."""

JUMP_SECONDS: Final = 3600
"""A smaller step of the wall clock, or a shorter downtime, starts no new stretch."""

BRIEF_SECONDS: Final = 60
"""A shorter run does not count as uptime, so that not every run needs a line."""

STRETCHES_KEPT: Final = 400
"""Older stretches are dropped, which only lets claims last longer. Enough for a year of daily restarts."""

REMARK: Final = "When the server was up, by its clock: from, to, and for how many seconds in between."

_END: Final = int(span("9999-12-01T00:00:00Z").latest)
"""Approximately the last moment that can be written."""

_SECONDS: Final = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some uptime.

    Attributes:
        begun: the clock's time at its start, in unix seconds.
        ended: the clock's time when it was counted last.
        seconds: the server's uptime between them.
    """

    begun: int
    ended: int
    seconds: int

    def behind(self, moment: int) -> int:
        """How much of it was surely after a moment: everything that may have been before it counts as before."""
        return min(max(self.seconds - max(moment - self.begun, 0), 0), self.seconds)


class Uptime(Table[Stretch]):
    """All stretches."""

    def __init__(self) -> None:
        super().__init__(REMARK)
        self._pending = 0.0

    @staticmethod
    def key(row: Stretch) -> str:
        return write_moment(row.begun)

    @staticmethod
    def read(fields: list[str]) -> Stretch:
        begun, ended, seconds = fields
        from_, to = span(begun), span(ended)
        if UNKNOWN in {from_, to} or not _SECONDS.fullmatch(seconds):
            raise ValueError(fields)
        # A time written by hand may have no zone: it never counts as more uptime than there was, whatever it means.
        return Stretch(int(from_.earliest), int(to.latest), int(seconds))

    @staticmethod
    def write(row: Stretch) -> Iterable[str]:
        return (write_moment(row.begun), write_moment(row.ended), str(row.seconds))

    def rebuild(self) -> None:
        pass  # nothing depends on the rows

    def grow(self, now: float, elapsed: float) -> None:
        """Count more uptime.

        Args:
            now: the wall clock's time, in unix seconds.
            elapsed: seconds of the monotonic clock since the last call.
        """
        self._pending += min(max(elapsed, 0.0), STEP_SECONDS)
        if self._pending < BRIEF_SECONDS:
            return
        seconds, self._pending = int(self._pending), self._pending % 1
        last = next(reversed(self._rows.values()), None)
        if last and -JUMP_SECONDS <= int(now) - seconds - last.ended <= JUMP_SECONDS:
            self.put(Stretch(last.begun, max(last.ended, int(now)), last.seconds + seconds))
        else:
            self._begin(Stretch(int(now) - seconds, int(now), seconds))

    def _begin(self, stretch: Stretch) -> None:
        # The clock may have been set to the same second before: keep that stretch.
        while self.key(stretch) in self._rows:
            stretch = Stretch(stretch.begun + 1, stretch.ended, stretch.seconds)
        self.put(stretch)
        for key in [*self._rows][:-STRETCHES_KEPT]:
            self.drop(key)

    @property
    def ended(self) -> int:
        """The clock's time when uptime was counted last, in unix seconds; 0: never."""
        last = next(reversed(self._rows.values()), None)
        return last.ended if last else 0

    def passed(self, now: float = float("inf")) -> int:
        """The latest moment, in unix seconds, that has passed by the clock now and for long enough; 0: none.

        Without ``now``, the clock's present time does not matter.
        """
        return _last_moment(int(min(now, _END)), self._has_passed)

    def ahead(self, now: float) -> int:
        """The moment, in unix seconds, after which everything is still to come by the clock, now and for long enough."""
        return max(int(now), _last_moment(_END, lambda moment: not self._is_ahead(moment)) + 1)

    def _has_passed(self, moment: int) -> bool:
        score = 0
        for stretch in self._rows.values():
            behind = stretch.behind(moment)
            score = max(score - (stretch.seconds - behind), 0) + behind
        return score >= SETTLED_SECONDS

    def _is_ahead(self, moment: int) -> bool:
        score = 0
        for stretch in self._rows.values():
            behind = stretch.behind(moment)
            score = max(score + stretch.seconds - behind - behind, 0)
        return score >= SETTLED_SECONDS


def _last_moment(end: int, is_so: Callable[[int], bool]) -> int:
    """The last moment up to ``end`` for which a predicate holds, if it holds for all earlier moments as well; else 0."""
    first, last = 0, max(end, 0)
    while first < last:
        middle = (first + last + 1) // 2
        if is_so(middle):
            first = middle
        else:
            last = middle - 1
    return first
