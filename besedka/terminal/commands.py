"""What a line that is typed means: words to be said, or one of the commands in the table. Pure.

The table is also what `/help` shows and what Tab completes.
"""

from __future__ import annotations

import difflib
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
    """

    name: str
    usage: str = ""
    aliases: tuple[str, ...] = ()
    asks: bool = False

    @property
    def is_incomplete_alone(self) -> bool:
        """Whether something must follow."""
        return bool(self.usage) and not self.usage.startswith("[")


COMMANDS: Final = (
    Command("help"),
    Command("me", "TEXT"),
    Command("who"),
    Command("rooms", asks=True),
    Command("join", "ROOM"),
    Command("leave", "[ROOM]"),
    Command("name", "NAME"),
    Command("history", "[N]", asks=True),
    Command("find", "WORDS", asks=True),
    Command("edit", "[TEXT]"),
    Command("bell", "[on|off|all]"),
    Command("clear"),
    Command("exit", aliases=("/quit", ":q", ":q!")),
)

ACTION: Final = "/me "
"""What one does rather than says is sent as it is typed, and shown without the mark by those who know it (XEP-0245)."""

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
