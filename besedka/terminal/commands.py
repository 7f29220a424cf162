"""Parsing of typed lines: text to post, or one of the commands in the table. Pure.

The table is the only list of commands: `/help` shows it, Tab completes from it, and `actions` has one action for each.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from besedka.wire.durations import parse_duration


@dataclass(frozen=True, slots=True)
class CommandSpec:
    """A row of the table of commands.

    Attributes:
        name: typed after the slash; also the key of its description in `Phrases.commands`.
        usage: the arguments: ``NAME`` is required, ``[NAME]`` is optional.
        aliases: other ways to type the command, with their prefix.
        is_query: whether it is only a request to the server, so that lines typed next need not wait for the response.
        requires: the right that it needs, as in `Welcome.may`; empty if everybody may use it.
    """

    name: str
    usage: str = ""
    aliases: tuple[str, ...] = ()
    is_query: bool = False
    requires: str = ""

    @property
    def needs_argument(self) -> bool:
        """Whether the command cannot stand alone."""
        return bool(self.usage) and not self.usage.startswith("[")

    @property
    def takes_person(self) -> bool:
        """Whether its first argument is the name of somebody else."""
        return self.usage.lstrip("[").startswith("NAME") and self.name != "name"


_MODERATE: Final = "moderate"


COMMANDS: Final = (
    CommandSpec("help", "[PAGE]"),
    CommandSpec("me", "TEXT"),
    CommandSpec("who"),
    CommandSpec("rooms", is_query=True),
    CommandSpec("join", "ROOM"),
    CommandSpec("leave", "[ROOM]"),
    CommandSpec("private", "ROOM"),
    CommandSpec("msg", "NAME [TEXT]"),
    CommandSpec("block", "[NAME]"),
    CommandSpec("unblock", "NAME"),
    CommandSpec("ignore", "[NAME]"),
    CommandSpec("unignore", "NAME"),
    CommandSpec("invite", "[USES] [TIME]"),
    CommandSpec("uninvite", "[NAME]"),
    CommandSpec("name", "NAME"),
    CommandSpec("device"),
    CommandSpec("history", "[N]", is_query=True),
    CommandSpec("goto", "DATE", is_query=True),
    CommandSpec("find", "WORDS", is_query=True),
    CommandSpec("more", is_query=True),
    CommandSpec("waiting", "[discard N|all]"),
    CommandSpec("edit", "[TEXT]"),
    CommandSpec("bell", "[on|off|all]"),
    CommandSpec("kick", "NAME [REASON]", requires=_MODERATE),
    CommandSpec("mute", "NAME [TIME] [REASON]", requires=_MODERATE),
    CommandSpec("unmute", "NAME", requires=_MODERATE),
    CommandSpec("ban", "NAME [TIME] [REASON]", requires=_MODERATE),
    CommandSpec("unban", "NAME", requires=_MODERATE),
    CommandSpec("slow", "SECONDS", requires=_MODERATE),
    CommandSpec("redact", "ID", requires=_MODERATE),
    CommandSpec("clear"),
    CommandSpec("exit", aliases=("/quit", ":q", ":q!")),
)

EMOTE_PREFIX: Final = "/me "
"""An action ("Anna waves") is sent as typed; clients that support it show it without the prefix (XEP-0245)."""

_SPECS: Final = {typed: spec for spec in COMMANDS for typed in (f"/{spec.name}", *spec.aliases)}
"""The rows of the table, by name and by alias."""

_CLOSE_ENOUGH: Final = 0.78
"""The least similarity (`difflib` ratio) of a command that is suggested for an unknown one."""

_MISTYPED: Final = re.compile(r"/[^\W\d_]+")
"""A pattern of mistyped commands; a path, `/usr/bin`, is none."""


@dataclass(frozen=True, slots=True)
class Text:
    """Text to post."""

    text: str


@dataclass(frozen=True, slots=True)
class Command:
    """A command as it was typed: its row of the table, and its argument without surrounding blanks."""

    spec: CommandSpec
    argument: str


@dataclass(frozen=True, slots=True)
class InvalidCommand:
    """An unknown command, or one with an argument missing or too many.

    Attributes:
        typed: the command as typed.
        spec: the known command whose argument is wrong; None for an unknown command.
        near: the known command most similar to an unknown one; empty if none is close.
    """

    typed: str
    spec: CommandSpec | None = None
    near: str = ""


def parse(line: str) -> Text | Command | InvalidCommand | None:
    """Parse a typed line; None for a blank one."""
    typed, _, argument = line.partition(" ")
    typed, argument = typed.strip().casefold(), argument.strip()
    spec = _SPECS.get(typed)
    # `:q` followed by anything is text.
    if spec and (typed.startswith("/") or not argument):
        return _with_argument(typed, spec, argument)
    if line.startswith("/") and not line.startswith("//"):
        return InvalidCommand(typed, near=nearest(typed, _SPECS))
    return Text(line.removeprefix("/")) if line.strip() else None


def nearest(typed: str, words: Iterable[str]) -> str:
    """The word most similar to a mistyped one, with the same first letter; empty if none is near.

    A wrong guess is worse than none: `/nick` is no `/kick`, and `/bin` no `/ban`.
    """
    if not _MISTYPED.fullmatch(typed):
        return ""
    near = difflib.get_close_matches(
        typed, [word for word in words if word[:2] == typed[:2]], n=1, cutoff=_CLOSE_ENOUGH
    )
    return near[0] if near else ""


def _with_argument(typed: str, spec: CommandSpec, argument: str) -> Text | Command | InvalidCommand:
    if (spec.needs_argument and not argument) or (argument and not spec.usage):
        return InvalidCommand(typed, spec)
    if spec.name == "me":
        return Text(EMOTE_PREFIX + argument)
    return Command(spec, argument)


def split_name(argument: str) -> tuple[str, str]:
    """Split off the leading name. A name that contains blanks is in double quotes."""
    if argument.startswith('"'):
        name, _, rest = argument[1:].partition('"')
    else:
        name, rest = _first_word(argument)
    return name.strip(), rest.strip()


def _first_word(argument: str) -> tuple[str, str]:
    word, *rest = [*argument.split(maxsplit=1), ""][:2]
    return word, rest[0].strip() if rest else ""


def unquoted(argument: str) -> str:
    """A name that is the whole argument, without the double quotes in which it may stand."""
    is_quoted = len(argument) > 1 and argument[0] == argument[-1] == '"'
    return argument[1:-1].strip() if is_quoted else argument


def quote_name(name: str) -> str:
    """Quote a name for `split_name`, if necessary."""
    return f'"{name}"' if " " in name or name.startswith('"') else name


def split_duration(argument: str) -> tuple[int, str]:
    """Split off the leading duration, in seconds; 0 and the whole argument if there is none."""
    word, rest = _first_word(argument)
    seconds = parse_duration(word)
    return (seconds, rest) if seconds else (0, argument)


def mistyped_duration(argument: str) -> str:
    """The first word, where a duration may stand, if it begins with a digit and is no duration; else an empty string.

    It is never taken for the beginning of a reason: ``/ban Boris 1month`` would be for ever.
    """
    word, _ = _first_word(argument)
    return word if word[:1].isdecimal() and not parse_duration(word) else ""
