"""The colours of names: neighbours differ, and a name keeps its colour as long as a session lasts. Pure.

All colours are legible on black and on white, with a contrast of at least 4.3 (WCAG 2.2). Only ten of the 256 colours of terminals are, and
not too grey.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

COLOURS_OF_256: Final = (
    "#af5f5f",
    "#af5f00",
    "#008700",
    "#00875f",
    "#008787",
    "#5f5fff",
    "#875fd7",
    "#d700d7",
    "#d700af",
    "#af5f87",
)
"""By hue, so that those beside each other look alike."""

TRUE_COLOURS: Final = (
    "#e91313",
    "#c94e10",
    "#9c6c0d",
    "#79790a",
    "#5a810a",
    "#34860b",
    "#0b890b",
    "#0b8835",
    "#0b865d",
    "#0b8383",
    "#0f7cb3",
    "#2e6eee",
    "#6363f2",
    "#8854f1",
    "#b034ef",
    "#ce11ce",
    "#dc1299",
    "#e51359",
)
"""For terminals that show any colour: each 20 degrees of hue, as bright as the others."""

ALIKE: Final = 0.25
"""Part of the circle of hues within which two colours look alike, as two greens do."""

NAMES_AT_MOST: Final = 1_000
"""Names whose colours are remembered; whoever has not spoken for so many others may return in another colour."""


class NameColours:
    """The colours of the names in one session.

    Args:
        palette: the colours, by hue.
    """

    def __init__(self, palette: Sequence[str]) -> None:
        self._palette = palette
        # The name that spoke last is the last one.
        self._colours: dict[str, str] = {}

    def of(self, name: str) -> str:
        """The colour of a name that speaks now."""
        colour = self._colours.pop(name, None) or self._choose(name)
        self._colours[name] = colour
        if len(self._colours) > NAMES_AT_MOST:
            del self._colours[next(iter(self._colours))]
        return colour

    def _choose(self, name: str) -> str:
        """A colour that nobody has, if there is one: the name's usual one, unless it looks like that of the last speaker.

        If there is none, the one whose holders have been silent for longest.
        """
        latest = [*dict.fromkeys(reversed(self._colours.values()))]
        free = [colour for colour in self._from(name) if colour not in latest]
        if not free:
            return latest[-1]
        return min(free, key=lambda colour: bool(latest) and self._are_alike(colour, latest[0]))

    def _from(self, name: str) -> list[str]:
        """The palette, the usual colour of a name first."""
        first = hashlib.sha256(name.encode("utf-8", "replace")).digest()[0] % len(self._palette)
        return [*self._palette[first:], *self._palette[:first]]

    def _are_alike(self, one: str, other: str) -> bool:
        distance = abs(self._palette.index(one) - self._palette.index(other))
        return min(distance, len(self._palette) - distance) < len(self._palette) * ALIKE
