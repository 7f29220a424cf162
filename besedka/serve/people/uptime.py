"""How long the server has been up, and what its clock said meanwhile: whether a clock that says that time has passed is right. Pure.

A wall clock that is months ahead of what the server saw last is wrong, or there was a summer: it cannot tell. So what is done for good
because time has passed is done only when the clock has said so for a week *in which the server was up*: whoever is concerned had a week
to show up, and whoever runs the server a week to notice. Uptime is counted by the monotonic clock, also over restarts.

A `Stretch` is some uptime without a jump of the wall clock. They stay in the order in which they were counted, so a clock that jumps
there and back is outvoted: the time during which it said that a moment has passed counts for it, the time during which it said that the
moment is still to come counts against it, and less than nothing is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from besedka.serve.people.moments import UNKNOWN, span, write_moment
from besedka.serve.people.table import Table

SETTLED_SECONDS: Final = 7 * 24 * 3600
"""So long the server must have been up to believe its clock: as long as somebody may be away without thinking of the chat."""

STEP_SECONDS: Final = 3600
"""At most so much counts between two looks: a process that was stopped, or whose monotonic clock jumps, was not up."""

JUMP_SECONDS: Final = 3600
"""A wall clock that is off by less, or a server that was down for less, begins no new stretch."""

BRIEF_SECONDS: Final = 60
"""A server that is stopped sooner than that was not up: not each short run needs a line."""

STRETCHES_KEPT: Final = 400
"""Older stretches are dropped, which only lets claims last longer. Enough for a year of daily restarts."""

REMARK: Final = "When the server was up, by its clock: from, to, and for how many seconds in between."

_END: Final = int(span("9999-12-01T00:00:00Z").latest)
"""About the last moment that can be written."""

_SECONDS: Final = re.compile(r"[0-9]{1,12}")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some uptime.

    Attributes:
        begun: what the clock said when it began, in unix seconds.
        ended: what the clock said when it was counted last.
        seconds: how much of that time the server was up.
    """

    begun: int
    ended: int
    seconds: int

    def behind(self, moment: int) -> int:
        """How much of it was surely behind a moment: all that may have been before it counts as before."""
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
        # By hand a time may be written without a zone: no more uptime is made of it than there was, whatever it means.
        return Stretch(int(from_.earliest), int(to.latest), int(seconds))

    @staticmethod
    def write(row: Stretch) -> Iterable[str]:
        return (write_moment(row.begun), write_moment(row.ended), str(row.seconds))

    def rebuild(self) -> None:
        pass  # all there is are the rows

    def grow(self, now: float, elapsed: float) -> None:
        """The server has been up for some time more.

        Args:
            now: what the wall clock says, in unix seconds.
            elapsed: seconds of the monotonic clock since this was called last.
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
        # The clock may have been set to the very same second before: what was counted then is not lost.
        while self.key(stretch) in self._rows:
            stretch = Stretch(stretch.begun + 1, stretch.ended, stretch.seconds)
        self.put(stretch)
        for key in [*self._rows][:-STRETCHES_KEPT]:
            self.drop(key)

    @property
    def ended(self) -> int:
        """What the clock said when uptime was counted last, in unix seconds; 0: never."""
        last = next(reversed(self._rows.values()), None)
        return last.ended if last else 0

    def passed(self, now: float = float("inf")) -> int:
        """The latest moment, in unix seconds, of which the clock has said long enough that it has passed, also now; 0: none.

        Without ``now``, what the clock says now is no matter.
        """
        return _last_moment(int(min(now, _END)), self._has_passed)

    def ahead(self, now: float) -> int:
        """Of what is later than this moment the clock has said long enough that it is still to come, and says so now."""
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
    """The last moment up to an end of which something is so, if it is so of all moments before it as well; else 0."""
    first, last = 0, max(end, 0)
    while first < last:
        middle = (first + last + 1) // 2
        if is_so(middle):
            first = middle
        else:
            last = middle - 1
    return first
