"""Errors of the machine that every request may meet, such as a full disk: logged at once, then seldom, so that clients cannot fill the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Final

from besedka.serve.log_event import event

REPEATED_SECONDS: Final = 10.0
"""Shortest interval between two lines about one kind of error: an operator who looks sees that it goes on."""

LASTING_SECONDS: Final = 3600.0
"""Interval between two lines about a trouble that lasts until somebody mends it: it must not be lost with yesterday's log."""


class RepeatedError:
    """One kind of error; any thread may note it.

    Args:
        log: the log that its lines are in.
        ticks: seconds of a monotonic clock.
        level: the level of its lines.
        kind: their event.
    """

    def __init__(
        self,
        log: logging.Logger,
        ticks: Callable[[], float] = time.monotonic,
        *,
        level: int = logging.ERROR,
        kind: str = "",
    ) -> None:
        self._log = log
        self._level = level
        self._kind = kind
        self._ticks = ticks
        self._logged_at = float("-inf")
        self._left_out = 0

    def note(self, text: str, *arguments: object, **fields: object) -> None:
        """Log a line, unless one was logged a moment ago; the next one says how many were left out.

        Args:
            text: its sentence, as `logging` fills it in.
            arguments: what it is filled in with.
            fields: its fields.
        """
        now = self._ticks()
        if now - self._logged_at < REPEATED_SECONDS:
            self._left_out += 1
            return
        more = f" (and {self._left_out} times since the last such line)" if self._left_out else ""
        extra = event(self._kind, **fields, left_out=self._left_out) if self._kind else None
        self._logged_at, self._left_out = now, 0
        self._log.log(self._level, "%s%s", text % arguments, more, extra=extra)
