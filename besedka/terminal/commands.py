"""What a line that is typed means: words to be said, or one of the commands in the table. Pure.

The table is also what `/help` shows and what Tab completes.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Command:
    """One command.

    Attributes:
        name: as it is typed behind the slash; also the name of its sentence in the phrases.
        usage: what follows it: ``NAME`` is needed, ``[NAME]`` is not.
        aliases: other ways to type it, with what stands in front of them.
        asks: whether it only asks the server something; what is typed behind it does not wait for the answer.
        may: what one must be allowed to do for it, as a `Welcome` says it; empty: nothing.
    """

    name: str
    usage: str = ""
    aliases: tuple[str, ...] = ()
    asks: bool = False
    may: str = ""

    @property
    def is_incomplete_alone(self) -> bool:
        """Whether something must follow."""
        return bool(self.usage) and not self.usage.startswith("[")

    @property
    def is_about_somebody(self) -> bool:
        """Whether a person's name comes first behind it."""
        return self.usage.lstrip("[").startswith("NAME") and self.name != "name"


_ORDER: Final = "moderate"


COMMANDS: Final = (
    Command("help"),
    Command("me", "TEXT"),
    Command("who"),
    Command("rooms", asks=True),
    Command("join", "ROOM"),
    Command("leave", "[ROOM]"),
    Command("private", "ROOM"),
    Command("msg", "NAME [TEXT]"),
    Command("invite", "[USES] [TIME]"),
    Command("uninvite", "[NAME]"),
    Command("name", "NAME"),
    Command("device"),
    Command("history", "[N]", asks=True),
    Command("find", "WORDS", asks=True),
    Command("edit", "[TEXT]"),
    Command("bell", "[on|off|all]"),
    Command("kick", "NAME [REASON]", may=_ORDER),
    Command("mute", "NAME [TIME] [REASON]", may=_ORDER),
    Command("unmute", "NAME", may=_ORDER),
    Command("ban", "NAME [TIME] [REASON]", may=_ORDER),
    Command("unban", "NAME", may=_ORDER),
    Command("slow", "SECONDS", may=_ORDER),
    Command("redact", "ID", may=_ORDER),
    Command("clear"),
    Command("exit", aliases=("/quit", ":q", ":q!")),
)

ACTION: Final = "/me "
"""What one does rather than says is sent as it is typed, and shown without the mark by those who know it (XEP-0245)."""

SPANS: Final = {"s": 1, "m": 60, "h": 60 * 60, "d": 24 * 60 * 60}
"""The units in which a time is given, in seconds."""

_SPAN: Final = re.compile(r"([1-9][0-9]{0,5})([smhd])", re.IGNORECASE)

_BARE: Final = re.compile(r"[0-9]+(?!\S)")

_BY_WORD: Final = {word: command for command in COMMANDS for word in (f"/{command.name}", *command.aliases)}


@dataclass(frozen=True, slots=True)
class Words:
    """Something to be said."""

    text: str


@dataclass(frozen=True, slots=True)
class Order:
    """A command, and what was typed behind it, without the blanks around."""

    command: Command
    argument: str


@dataclass(frozen=True, slots=True)
class Mistake:
    """No command, or one that lacks what should follow.

    Attributes:
        word: what was typed as the command.
        command: the one that lacks something, or has too much.
        near: the nearest one that there is; empty if none is near.
    """

    word: str
    command: Command | None = None
    near: str = ""


def read(line: str) -> Words | Order | Mistake | None:
    """What was typed; None if it is nothing."""
    word, _, argument = line.partition(" ")
    word, argument = word.strip().casefold(), argument.strip()
    command = _BY_WORD.get(word)
    # `:q` in front of words is words.
    if command and (word.startswith("/") or not argument):
        return _order(word, command, argument)
    if line.startswith("/") and not line.startswith("//"):
        near = difflib.get_close_matches(word, _BY_WORD, n=1, cutoff=0.5)
        return Mistake(word, near=near[0] if near else "")
    return Words(line.removeprefix("/")) if line.strip() else None


def _order(word: str, command: Command, argument: str) -> Words | Order | Mistake:
    if (command.is_incomplete_alone and not argument) or (argument and not command.usage):
        return Mistake(word, command)
    if command.name == "me":
        return Words(ACTION + argument)
    return Order(command, argument)


def split_name(argument: str) -> tuple[str, str]:
    """The name that comes first, and what follows it. A name with blanks stands in double quotes."""
    if argument.startswith('"'):
        name, _, rest = argument[1:].partition('"')
    else:
        name, rest = _first_word(argument)
    return name.strip(), rest.strip()


def _first_word(argument: str) -> tuple[str, str]:
    word, *rest = [*argument.split(maxsplit=1), ""][:2]
    return word, rest[0].strip() if rest else ""


def quoted(name: str) -> str:
    """A name as it is typed in front of something else."""
    return f'"{name}"' if " " in name or name.startswith('"') else name


def read_span(word: str) -> int:
    """How many seconds a time means, like ``30s``, ``10m``, ``2h``, ``3d``; 0 if it is none."""
    found = _SPAN.fullmatch(word)
    return int(found[1]) * SPANS[found[2].lower()] if found else 0


def split_span(argument: str) -> tuple[int, str]:
    """The time that comes first, in seconds, and what follows it; 0 and all of it if none does."""
    word, rest = _first_word(argument)
    seconds = read_span(word)
    return (seconds, rest) if seconds else (0, argument)


def bare_number(rest: str) -> str:
    """The number that comes first where a time may stand, without its unit; empty if none does."""
    found = _BARE.match(rest)
    return found[0] if found else ""


def span(seconds: int) -> str:
    """So many seconds, as a time is given: in the largest unit in which they are a whole number."""
    unit = next(unit for unit in reversed(SPANS) if seconds % SPANS[unit] == 0)
    return f"{seconds // SPANS[unit]}{unit}"
