"""How words look in a terminal: pure, gives fragments of styled text and never a control sequence.

What others have written is made harmless first: nothing in it can move the cursor, colour the screen, or turn the
direction of what stands beside it. What kind of line it is can be seen without colours, by the signs in front::

    23:46 → Anna: one's own
    23:47   Boris: another's
    23:12┆  Boris: from before we came
    23:48   Clara?: another's, who has not shown that the name is hers
    23:49 17  Boris: for one who keeps order, with its number
          · Boris joined (2 here)
          ! There is no command /jion.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Final

from prompt_toolkit.formatted_text import ANSI, to_formatted_text
from prompt_toolkit.utils import get_cwidth

from besedka.remote.events import Heard
from besedka.terminal.commands import ACTION
from besedka.terminal.ui.phrases import Phrases
from besedka.wire.frames import System
from besedka.wire.log_line import clock_time
from besedka.wire.mentions import mentions
from besedka.wire.sanitize import sanitize, sanitize_line

Fragments = list[tuple[str, str]]
"""Styled text, as prompt_toolkit takes it: pairs of a style and a text."""

NAME_COLOURS: Final = (
    "#af5f5f",
    "#af5f00",
    "#008700",
    "#00875f",
    "#008787",
    "#5f5fff",
    "#875fd7",
    "#d700af",
)
"""Each is one of the 256 that terminals have, and can be read on black and on white: a contrast of 4.3 at least."""

GREY: Final = "#767676"
RED: Final = "#ff0000"

STYLES: Final = {
    "time": GREY,
    "old": GREY,
    "own": "bold",
    "name": "bold",
    "mention": "bold",
    "system": f"italic {GREY}",
    "problem": f"bold {RED}",
    "line": GREY,
    "link": "bold",
    "unverified": GREY,
    "bottom-toolbar": "noreverse",
    "bar": GREY,
    "bar.room": "bold",
    "bar.news": "bold",
    "bar.trouble": f"bold {RED}",
}

_GUTTER: Final = " " * 6
_INDENT: Final = " " * 8
_RULE: Final = "─" * 4


UNVERIFIED: Final = "?"
"""Behind a name that nobody has shown to be his."""


def message(heard: Heard, me: str, *, is_numbered: bool = False) -> Fragments:
    """A message with its time, and perhaps its number."""
    own = heard.user == me
    is_called = not own and mentions(heard.text, me)
    name_style = (
        "class:old" if heard.is_old else ("class:own" if own else f"class:name {_colour(heard.user)}")
    )
    text_style = "class:old" if heard.is_old else ("class:mention" if is_called else "")
    name, text = sanitize_line(heard.user), sanitize(heard.text)
    doubt = [("class:unverified", UNVERIFIED)] if heard.is_unverified else []
    if text.startswith(ACTION):
        said = [(name_style, f"* {name}"), *doubt, ("", " "), (text_style, text.removeprefix(ACTION))]
    else:
        said = [(name_style, name), *doubt, (name_style, ": "), (text_style, text)]
    clock = clock_time(sanitize_line(heard.stamp))[:5]
    number = f" {heard.id}" if is_numbered else ""
    gutter = f"{clock}{number}{'┆' if heard.is_old else ' '}{'→' if own else '›' if is_called else ' '} "
    return [("class:time", gutter), *((style, part.replace("\n", f"\n{_INDENT}")) for style, part in said)]


def found(heard: Heard, me: str, *, is_numbered: bool = False) -> Fragments:
    """A message that was looked for, with its day."""
    day = ("class:time", f"{sanitize_line(heard.stamp[:10])} ")
    return [day, *message(heard, me, is_numbered=is_numbered)]


def link(text: str) -> Fragments:
    """An address, in a line of its own, so that it can be taken as a whole."""
    return [("class:link", sanitize_line(text))]


def picture(lines: Sequence[str]) -> Fragments:
    """A picture of our own, which may say its colours as terminals do."""
    return [(style, text) for style, text, *_ in to_formatted_text(ANSI("\n".join(lines)))]


def rule(text: str) -> Fragments:
    """A line between messages."""
    return [("class:line", f"{_RULE} {sanitize_line(text)} {_RULE}")]


def notice(system: System, own: Collection[str], phrases: Phrases) -> Fragments | None:
    """Who came and went, without oneself under any of one's names; None if there is nothing to tell."""
    told = [(phrases.joined, system.joined), (phrases.left, system.left)]
    parts = [phrase.format(names=_names(names, own)) for phrase, names in told if _names(names, own)]
    if not parts:
        return None
    return remark(f"{'; '.join(parts)} ({phrases.people.format(n=system.clients_count)})")


def remark(text: str, *, problem: bool = False) -> Fragments:
    """Something that the client itself has to say."""
    sign, style = ("!", "class:problem") if problem else ("·", "class:system")
    return [(style, f"{_GUTTER}{sign} {sanitize(text)}".replace("\n", f"\n{_INDENT}"))]


def table(rows: Sequence[tuple[str, str]]) -> Fragments:
    """Rows of two columns."""
    shown = [(sanitize_line(left), sanitize_line(right)) for left, right in rows]
    width = max((get_cwidth(left) for left, _ in shown), default=0)
    lines = [f"{_INDENT}{left}{' ' * (width - get_cwidth(left))}  {right}" for left, right in shown]
    return [("", "\n".join(lines))]


def _names(names: Sequence[str], own: Collection[str]) -> str:
    return ", ".join(sanitize_line(name) for name in names if name not in own)


def _colour(name: str) -> str:
    """A steady colour for a name."""
    return NAME_COLOURS[hashlib.sha256(name.encode("utf-8", "replace")).digest()[0] % len(NAME_COLOURS)]
