"""What Tab completes: commands, rooms, and the names of people."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Final

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from besedka.terminal.commands import COMMANDS, quoted
from besedka.wire.sanitize import sanitize_line

_ABOUT_SOMEBODY: Final = {f"/{command.name}" for command in COMMANDS if command.is_about_somebody}


class Endings(Completer):
    """Completes the word before the cursor.

    Args:
        names: who can be spoken to, the likeliest first.
        rooms: where one can go.
        may: what one may do here beside talking.
    """

    def __init__(
        self,
        names: Callable[[], Sequence[str]],
        rooms: Callable[[], Sequence[str]],
        may: Callable[[], Collection[str]],
    ) -> None:
        self._names = names
        self._rooms = rooms
        self._may = may

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002 - theirs
        typed = document.text_before_cursor
        if typed.startswith("/") and " " not in typed:
            may = {"", *self._may()}
            return _matching(typed, [f"/{command.name} " for command in COMMANDS if command.may in may])
        if typed.startswith("/join "):
            return _matching(
                typed.removeprefix("/join ").lstrip("# "), [f"{room} " for room in self._rooms()]
            )
        if typed.startswith("/bell "):
            return _matching(typed.removeprefix("/bell "), ["on", "off", "all"])
        command, _, argument = typed.partition(" ")
        if command in _ABOUT_SOMEBODY and (begun := _begun(argument)) is not None:
            names = [name for name in self._names() if name.casefold().startswith(begun.casefold())]
            return _matching(argument, [f"{quoted(name)} " for name in names], is_chosen=True)
        return self._of_a_name(typed)

    def _of_a_name(self, typed: str) -> Iterable[Completion]:
        # Names may hold blanks: what was typed of one begins behind any of them, the first that fits.
        starts = [0, *(place + 1 for place, sign in enumerate(typed) if sign in " \n@")]
        for start in starts:
            begun = typed[start:]
            if begun or typed.endswith("@"):
                ending = ": " if start == 0 else " "
                found = [*_matching(begun, [name + ending for name in self._names()])]
                if found:
                    return found
        return []


def _begun(argument: str) -> str | None:
    """What was typed of the name that comes first; None if that has ended."""
    if argument.startswith('"'):
        return argument[1:] if argument.count('"') == 1 else None
    return argument


def _matching(begun: str, words: Iterable[str], *, is_chosen: bool = False) -> Iterable[Completion]:
    return [
        Completion(word, -len(begun), display=sanitize_line(word.strip()))
        for word in words
        if (is_chosen or word.casefold().startswith(begun.casefold())) and sanitize_line(word) == word
    ]
