"""Compares a log with its index: which message is the first that is not as it was written."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest

from besedka.serve.history.file import Descriptor
from besedka.serve.history.index import Index
from besedka.serve.history.scan import SCAN_BYTES, is_damaged, line_of_damage, messages


@dataclass(frozen=True, slots=True)
class Difference:
    """The first difference between a log and what was written.

    Attributes:
        message: its id.
        line: the number of its first line in the file, counted from 1.
        is_missing: it was written, and the log ends before it.
    """

    message: int
    line: int
    is_missing: bool = False


def first_difference(log: Descriptor, index: Index) -> Difference | None:
    """Compare all messages that the index knows; what stands behind them is not looked at."""
    line = line_number(log, index.start)
    found = messages(log, index.start, log.size, at_once=SCAN_BYTES)
    for number, (record, raw) in enumerate(zip_longest(index.records(), found), 1):
        if record is None:
            return None
        if raw is None:
            return Difference(number, line, is_missing=True)
        if not record.fits(raw):
            return Difference(number, line)
        line += raw.count(b"\n")
    return None


def first_damage(log: Descriptor, start: int) -> int | None:
    """The number of the first line, counted from 1, with NULs or bytes that are no UTF-8."""
    offset = start
    for raw in messages(log, start, log.size, at_once=SCAN_BYTES):
        if is_damaged(raw):
            return line_number(log, offset) + line_of_damage(raw)
        offset += len(raw)
    return None


def line_number(log: Descriptor, offset: int) -> int:
    """The number of the line, counted from 1, that begins at this offset."""
    steps = range(0, min(offset, log.size), SCAN_BYTES)  # a damaged index may tell of any offset
    return 1 + sum(log.read(at, min(SCAN_BYTES, offset - at)).count(b"\n") for at in steps)
