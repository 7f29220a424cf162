"""``--since``: selects messages of a log, the same way for a file and for a server. Pure.

An id selects the messages after it. A time selects the messages whose own time in the log is not earlier, so it is read as the log
writes it: in the hour that comes twice (the end of summer time) each pass counts by its clock time, and a time that no clock
ever showed is simply later than those before it.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from datetime import datetime, timedelta
from typing import Final

import click

SINCE_HELP: Final = "Only those later than a message's id, or from a time on: 2025-11-19 [23:46[:36]]."

READ_WHOLE: Final = 500
"""A log of at most this many messages is read whole: that is one page of a server."""

LOOKS: Final = 16
"""Number of messages, evenly spread over a log, that show whether its times increase. Together with the binary search they stay
below the requests that one connection may make at once (`besedka.serve.limits.rate_limits`)."""

SET_BACK: Final = timedelta(hours=26)
"""No change of season or zone sets the clock of a log back by more: zones are from 12 hours west to 14 hours east."""

Looking = Generator[int, str, int]
"""Yields the ids of messages, receives their times, and returns an id."""

_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d(?: \d\d:\d\d(?::\d\d)?)?", re.ASCII)
_ID: Final = re.compile(r"[0-9]{1,18}")


def since(_: click.Context, __: click.Parameter, given: str | None) -> int | str | None:
    """Parse the value of ``--since``: the id of a message, or a time as the log writes it, or the beginning of one."""
    if given is None or (_TIME.fullmatch(given) and _is_date(given)):
        return given
    if _ID.fullmatch(given):
        return int(given)
    raise click.BadParameter(f"{given!r} is neither an id nor a time like 2025-11-19, with 23:46 or 23:46:36")


def is_since(stamp: str, since: int | str | None) -> bool:
    """Whether a message's time is not too early; always true if ``since`` is an id."""
    return not isinstance(since, str) or stamp[: len(since)] >= since


def first_id(since: int | str | None, head: int) -> Looking:
    """Find the id from which to read a log of ``head`` messages; from there on, `is_since` decides.

    A log whose times increase, apart from changes of season and zone, is searched by halves. A log whose times go back further
    (another history was imported, or the clock was wrong for long) is read from its first message on, unless the step was too short
    to be noticed.
    """
    if since is None or isinstance(since, int):
        return min(since or 0, head) + 1
    earliest = _set_back(since)
    if head <= READ_WHOLE or not earliest:
        return 1
    first, end = 1, head + 1
    for number in _spread(head):
        if (yield number) >= earliest:
            end = min(end, number)
        elif end <= head:
            return 1
        else:
            first = number + 1
    return (yield from _halve(earliest, first, end))


def _halve(earliest: str, first: int, end: int) -> Looking:
    while first < end:
        middle = (first + end) // 2
        if (yield middle) >= earliest:
            end = middle
        else:
            first = middle + 1
    return first


def _spread(head: int) -> list[int]:
    return [1 + look * (head - 1) // (LOOKS - 1) for look in range(LOOKS)]


def _set_back(since: str) -> str:
    """The earliest time that may follow this one in a log; empty if there is none."""
    try:
        return (datetime.fromisoformat(since) - SET_BACK).isoformat(" ")
    except OverflowError:
        return ""


def _is_date(given: str) -> bool:
    try:
        datetime.fromisoformat(given)
    except ValueError:
        return False
    return True
