"""Fits the parts of the status bar into a window: the most urgent ones stay. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final

from prompt_toolkit.utils import get_cwidth

from besedka.terminal.ui.fragments import Fragments

_WIDE: Final = " │ "
_NARROW: Final = "│"
_CUT: Final = "…"

NAME_COLUMNS_AT_LEAST: Final = 8
"""Columns to which the names of a room and a person are cut in the narrowest windows."""


class Urgency(IntEnum):
    """How long a part stays when the window gets narrower: the least urgent one goes first."""

    TYPING = 1
    UNREAD = 2
    COMMAND = 3
    UNSENT = 4
    ALWAYS = 5


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the bar.

    Attributes:
        style: the style.
        text: the text.
        short: what stands there in a narrow window.
        urgency: how long it stays.
        is_name: whether it may be cut.
    """

    style: str
    text: str
    short: str
    urgency: Urgency
    is_name: bool = False


def fit(parts: Sequence[Part], columns: int) -> Fragments:
    """The parts in so many columns, if that can be.

    They are shortened, then moved closer together, then the least urgent ones are left out, of several the last one first; and at last
    names are cut.
    """
    if _width(parts, _WIDE) <= columns:
        return _separated(parts, _WIDE)
    left = [replace(part, text=part.short) for part in parts]
    if _width(left, _WIDE) <= columns:
        return _separated(left, _WIDE)
    last_first = left[::-1]
    for part in sorted(last_first, key=lambda part: part.urgency):
        if part.urgency is not Urgency.ALWAYS and _width(left, _NARROW) > columns:
            left.remove(part)
    return _separated(_with_names_cut(left, columns), _NARROW)


def _width(parts: Sequence[Part], between: str) -> int:
    return sum(get_cwidth(part.text) for part in parts) + len(between) * (len(parts) - 1)


def _with_names_cut(parts: Sequence[Part], columns: int) -> list[Part]:
    cut: list[Part] = []
    excess = _width(parts, _NARROW) - columns
    for part in parts:
        text = part.text
        if part.is_name and excess > 0:
            text = _cut(text, max(NAME_COLUMNS_AT_LEAST, get_cwidth(text) - excess))
            excess -= get_cwidth(part.text) - get_cwidth(text)
        cut.append(replace(part, text=text))
    return cut


def _cut(text: str, columns: int) -> str:
    if get_cwidth(text) <= columns:
        return text
    while get_cwidth(text) > columns - 1:
        text = text[:-1]
    return f"{text}{_CUT}"


def _separated(parts: Sequence[Part], between: str) -> Fragments:
    separated: Fragments = []
    for part in parts:
        separated += [("class:bar", between)] if separated else []
        separated.append((part.style, part.text))
    return separated
