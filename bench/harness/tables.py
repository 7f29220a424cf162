"""A scenario's results for the report: tables, and bounds that are met or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bound:
    """Something that is promised, and what was found."""

    promise: str
    found: str
    is_met: bool

    @property
    def verdict(self) -> str:
        """One or two words."""
        return "met" if self.is_met else "**not met**"


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the report.

    Attributes:
        text: what was done; stands above the table.
        notes: stand below it: what was left out, and why.
        bounds: all that are promised for this scenario.
        bars: what the picture shows: for each server a figure; and the title above them.
    """

    title: str
    text: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()
    bounds: Sequence[Bound] = ()
    bars: Sequence[tuple[str, float]] = ()
    bars_title: str = ""


def ratio(value: float) -> str:
    """A ratio as one says it: 1.31, 0.72, 1/14."""
    return f"1/{1 / value:.0f}" if value < 1 / 3 else f"{value:.2f}"
