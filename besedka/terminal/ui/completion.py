"""Tab completion of commands, rooms, names and emoji."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from besedka.terminal.commands import COMMANDS, quote_name
from besedka.terminal.ui.emoji import EMOJI, begun_name, names_like
from besedka.wire.sanitize import sanitize_line

_TAKE_PERSON: Final = {f"/{spec.name}" for spec in COMMANDS if spec.takes_person}

LISTED_AT_MOST: Final = 40
"""Characters of a name in the list of those that fit; one written into a log by hand may be longer, and fill rows."""

_LISTED: Final = "  "
"""Stands in front of each of them, so that no name begins at the left edge, where times stand."""


class LineCompleter(Completer):
    """Completes the text before the cursor.

    Args:
        names: returns the names of other people, the most likely first.
        destinations: returns the completions of `/join`.
        may: returns the user's rights in the current room.
    """

    def __init__(
        self,
        names: Callable[[], Sequence[str]],
        destinations: Callable[[], Sequence[str]],
        may: Callable[[], Collection[str]],
    ) -> None:
        self._names = names
        self._destinations = destinations
        self._may = may

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002 - prompt_toolkit's interface
        typed = document.text_before_cursor
        if typed.startswith("/") and " " not in typed:
            may = {"", *self._may()}
            return _matching(typed, [f"/{spec.name} " for spec in COMMANDS if spec.requires in may])
        if (begun := begun_name(typed)) is not None:
            return _emoji(begun)
        if typed.startswith("/join "):
            return _matching(
                typed.removeprefix("/join ").lstrip("# "), [f"{room} " for room in self._destinations()]
            )
        if typed.startswith("/bell "):
            return _matching(typed.removeprefix("/bell "), ["on", "off", "all"])
        command, _, argument = typed.partition(" ")
        if command in _TAKE_PERSON and (begun := _begun_name(argument)) is not None:
            names = [name for name in self._names() if name.casefold().startswith(begun.casefold())]
            return _matching(argument, [f"{quote_name(name)} " for name in names], is_chosen=True)
        return self._name_in_text(typed)

    def _name_in_text(self, typed: str) -> Iterable[Completion]:
        # Names may contain blanks, so a name may begin after any blank; the first match is taken.
        starts = [0, *(index + 1 for index, sign in enumerate(typed) if sign in " \n@")]
        for start in starts:
            begun = typed[start:]
            if begun or typed.endswith("@"):
                ending = ": " if start == 0 else " "
                found = [*_matching(begun, [name + ending for name in self._names()])]
                if found:
                    return found
        return []


def _emoji(begun: str) -> Iterable[Completion]:
    """Their names, which are replaced when the line is sent."""
    names = names_like(begun)
    return [
        Completion(f":{name}:", -len(begun) - 1, display=f"{_LISTED}{EMOJI[name]} {name}") for name in names
    ]


def _begun_name(argument: str) -> str | None:
    """The typed part of the leading name; None if that name is complete."""
    if argument.startswith('"'):
        return argument[1:] if argument.count('"') == 1 else None
    return argument


def _matching(begun: str, candidates: Iterable[str], *, is_chosen: bool = False) -> Iterable[Completion]:
    return [
        Completion(candidate, -len(begun), display=_LISTED + sanitize_line(candidate.strip(), LISTED_AT_MOST))
        for candidate in candidates
        if (is_chosen or candidate.casefold().startswith(begun.casefold()))
        and sanitize_line(candidate) == candidate
    ]
