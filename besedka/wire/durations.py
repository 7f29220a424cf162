"""Durations as people type them: ``30s``, ``10m``, ``2h``, ``3d``, ``1w``. The page reads them in the same way (`writing/commands.js`). Pure."""

from __future__ import annotations

import re
from typing import Final

UNIT_SECONDS: Final = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60, "w": 7 * 24 * 60 * 60}
"""The units of a duration, in ascending order."""

EXAMPLES: Final = "30s, 10m, 2h, 3d or 1w"
"""One duration of each unit, for sentences that say what is allowed."""

_DURATION: Final = re.compile(f"([1-9][0-9]{{0,5}})([{''.join(UNIT_SECONDS)}])", re.IGNORECASE)


def parse_duration(word: str) -> int:
    """The seconds in a duration; 0 if the word is not a duration."""
    found = _DURATION.fullmatch(word)
    return int(found[1]) * UNIT_SECONDS[found[2].lower()] if found else 0


def format_duration(seconds: int) -> str:
    """A duration in the largest unit that divides it, as `parse_duration` reads it."""
    unit = next(unit for unit in reversed(UNIT_SECONDS) if seconds % UNIT_SECONDS[unit] == 0)
    return f"{seconds // UNIT_SECONDS[unit]}{unit}"
