"""The look of each kind of line: pure functions that return lines of styled text, never a control sequence.

Text by other people is sanitized first: it cannot move the cursor, colour the screen, or change the direction of the
text beside it. Further rows of a line hang to the right of the column where a name stands. Signs in front tell the kinds
of lines apart without colours::

    23:46 → Anna: the user's own
    23:47   Boris: somebody else's
    23:48 › Boris: Anna, this one mentions you
    23:12┆  Boris: from before the user joined
    23:48   Clara?: by a guest, whose name is unverified
    23:49 17  Boris: with its number, for a moderator
          · Boris joined (2 here)
          ! There is no command /jion.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from prompt_toolkit.formatted_text import ANSI, to_formatted_text
from prompt_toolkit.utils import get_cwidth

from besedka.remote.room.events import ReceivedMessage
from besedka.terminal.commands import EMOTE_PREFIX
from besedka.terminal.ui import markup
from besedka.terminal.ui.fragments import Fragments
from besedka.terminal.ui.phrases import Phrases
from besedka.wire.frames import System
from besedka.wire.log_line import clock_time
from besedka.wire.mentions import mentions
from besedka.wire.message import UNVERIFIED_MARK
from besedka.wire.naming import in_sentence, listed
from besedka.wire.sanitize import sanitize, sanitize_line

HANG_COLUMNS: Final = 4
"""Columns from a name to the further rows of its message: more than the sign of an action ("* Anna waves") takes."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line to be printed, in as many rows as it needs.

    Attributes:
        fragments: its text; LF parts its rows.
        hang: blanks in front of each row but the first.
        is_whole: leave the rows to the terminal: what it holds is our own, and is copied or scanned as a whole.
    """

    fragments: Fragments
    hang: int = 8 + HANG_COLUMNS
    is_whole: bool = False


GREY: Final = "#767676"
RED: Final = "#ff0000"
TEAL: Final = "#008787"

STYLES: Final = {
    "time": GREY,
    "old": GREY,
    "own": "bold",
    "name": "bold",
    "mention": "bold reverse",
    "mark": GREY,
    "code": TEAL,
    "quote": f"italic {GREY}",
    "system": f"italic {GREY}",
    "problem": f"bold {RED}",
    "line": GREY,
    "link": "underline",
    "unverified": GREY,
    "bottom-toolbar": "noreverse",
    "bar": GREY,
    "bar.room": "bold",
    "bar.unread": "bold",
    "bar.problem": f"bold {RED}",
}

_GUTTER: Final = " " * 6
_INDENT: Final = " " * 8
_RULE: Final = "─" * 4

EXCERPT_CHARACTERS: Final = 40
"""The length of quoted invalid input."""


def message(posted: ReceivedMessage, me: str, colour: str, *, is_numbered: bool = False) -> Line:
    """A message with its time, and its number if wanted; the marks in it are shown, and have their styles.

    Args:
        posted: the message.
        me: the user's name.
        colour: of its author's name.
        is_numbered: whether to show its number.
    """
    is_own = posted.user == me
    is_mention = not is_own and mentions(posted.text, me)
    name_style = "class:own" if is_own else colour if posted.is_old else f"class:name {colour}"
    text_style = "class:old" if posted.is_old else ""
    name, text = sanitize_line(posted.user), sanitize(posted.text)
    unverified = [("class:unverified", UNVERIFIED_MARK)] if posted.is_unverified else []
    words = markup.styled(markup.parse(text.removeprefix(EMOTE_PREFIX), "" if is_own else me), text_style)
    if text.startswith(EMOTE_PREFIX):
        body = [(name_style, f"* {name}"), *unverified, ("", " "), *words]
    else:
        body = [(name_style, name), *unverified, (name_style, ": "), *words]
    clock = clock_time(sanitize_line(posted.stamp))[:5]
    number = f" {posted.id}" if is_numbered else ""
    sign = "→" if is_own else "›" if is_mention else " "
    gutter = f"{clock}{number}{'┆' if posted.is_old else ' '}{sign} "
    return Line([("class:time", gutter), *body], get_cwidth(gutter) + HANG_COLUMNS)


def found_message(posted: ReceivedMessage, me: str, colour: str, *, is_numbered: bool = False) -> Line:
    """A message that a search has found, with its date; see `message`."""
    date, line = f"{sanitize_line(posted.stamp[:10])} ", message(posted, me, colour, is_numbered=is_numbered)
    return Line([("class:time", date), *line.fragments], get_cwidth(date) + line.hang)


def link(text: str) -> Line:
    """A link on a line of its own, so that it can be copied as a whole."""
    return Line([("class:link", sanitize_line(text))], is_whole=True)


def ansi(lines: Sequence[str]) -> Line:
    """The program's own lines, coloured by control sequences."""
    shown = to_formatted_text(ANSI("\n".join(lines)))
    return Line([(style, text) for style, text, *_ in shown], is_whole=True)


def rule(text: str) -> Line:
    """A rule with a title, between messages."""
    return Line([("class:line", f"{_RULE} {sanitize_line(text)} {_RULE}")])


def presence(system: System, own_names: Collection[str], phrases: Phrases) -> Line | None:
    """The names of people who joined, left and changed their names, without the user; None if there are none."""
    renamed = system.renamed if isinstance(system.renamed, dict) else {}
    joined = [name for name in system.joined if name not in {*renamed.values()}]
    left = [name for name in system.left if name not in renamed]
    changes = [(phrases.joined, joined), (phrases.left, left)]
    parts = [
        phrase.format(names=shown)
        for phrase, names in changes
        if (shown := _others(names, own_names, phrases))
    ]
    parts += [
        phrases.renamed_other.format(
            old=in_sentence(sanitize_line(old), phrases.language),
            user=in_sentence(sanitize_line(new), phrases.language),
        )
        for old, new in renamed.items()
        if new not in own_names
    ]
    if not parts:
        return None
    return notice(f"{'; '.join(parts)} ({phrases.people.format(n=system.clients_count)})")


def notice(text: str) -> Line:
    """Something that the client has to say."""
    return _indented("class:system", "·", text)


def problem(text: str) -> Line:
    """Something that is wrong."""
    return _indented("class:problem", "!", text)


def excerpt(text: str) -> str:
    """The beginning of an invalid text, to be quoted in a problem."""
    return sanitize_line(text, EXCERPT_CHARACTERS)


def table(rows: Sequence[tuple[str, str]]) -> list[Line]:
    """Lines of two columns."""
    shown = [(sanitize_line(left), sanitize_line(right)) for left, right in rows]
    width = max((get_cwidth(left) for left, _ in shown), default=0)
    lines = [f"{_INDENT}{left}{' ' * (width - get_cwidth(left))}  {right}" for left, right in shown]
    return [Line([("", line)]) for line in lines]


def _indented(style: str, sign: str, text: str) -> Line:
    return Line([(style, f"{_GUTTER}{sign} {sanitize(text)}")])


def _others(names: Sequence[str], own_names: Collection[str], phrases: Phrases) -> str:
    return listed((sanitize_line(name) for name in names if name not in own_names), phrases.language)
