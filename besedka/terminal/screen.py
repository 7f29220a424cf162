"""How words look in a terminal: pure, gives fragments of styled text and never a control sequence.

What others have written is made harmless first: nothing in it can move the cursor, colour the screen, or turn the
direction of what stands beside it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

from besedka.remote.connection import Heard
from besedka.terminal.phrases import Phrases
from besedka.wire.line import clock_time
from besedka.wire.words import System

Fragments = list[tuple[str, str]]
"""Styled text, as prompt_toolkit takes it: pairs of a style and a text."""

STYLES: Final = {
    "time": "#888888",
    "old": "#888888",
    "own": "bold",
    "system": "italic #888888",
    "problem": "bold ansired",
}

NAME_COLOURS: Final = ("ansigreen", "ansiyellow", "ansiblue", "ansimagenta", "ansicyan", "ansired")

_DIRECTIONS = (0x061C, *range(0x200E, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2070), 0xFEFF)
_HARMLESS = {
    **{code: 0x2400 + code for code in range(0x20) if code not in {0x09, 0x0A}},
    0x7F: 0x2421,
    **dict.fromkeys((*range(0x80, 0xA0), 0x2028, 0x2029), 0xFFFD),
    **dict.fromkeys(_DIRECTIONS, None),
}
_TEXT_INDENT = " " * 6


def harmless(text: str) -> str:
    """The text without anything that a terminal would obey."""
    return text.translate(_HARMLESS)


def message(heard: Heard, me: str) -> Fragments:
    """A message: ``23:46 Anna: text``, one's own with an arrow, old ones in grey."""
    clock = clock_time(heard.stamp)[:5]
    own = heard.user == me
    name_style = "class:old" if heard.is_old else ("class:own" if own else f"bold {_colour(heard.user)}")
    text_style = "class:old" if heard.is_old else ""
    text = harmless(heard.text).replace("\n", "\n" + _TEXT_INDENT)
    return [
        ("class:time", f"{clock} "),
        (name_style, f"{'→ ' if own else ''}{harmless(heard.user)}: "),
        (text_style, text),
    ]


def day(stamp: str) -> Fragments:
    """The line between two days."""
    return [("class:system", f"──── {harmless(stamp[:10])} ────")]


def notice(system: System, me: str, phrases: Phrases) -> Fragments | None:
    """Who came and went, without oneself; None if there is nothing to tell."""
    told = [(phrases.joined, system.joined), (phrases.left, system.left)]
    parts = [phrase.format(names=_names(names, me)) for phrase, names in told if _names(names, me)]
    if not parts:
        return None
    return [("class:system", f"      {' · '.join(parts)} ({phrases.people.format(n=system.clients_count)})")]


def remark(text: str, *, problem: bool = False) -> Fragments:
    """Something that the client itself has to say."""
    return [("class:problem" if problem else "class:system", harmless(text))]


def _names(names: Sequence[str], me: str) -> str:
    return ", ".join(harmless(name) for name in names if name != me)


def _colour(name: str) -> str:
    """A steady colour for a name."""
    return NAME_COLOURS[hashlib.sha256(name.encode()).digest()[0] % len(NAME_COLOURS)]
