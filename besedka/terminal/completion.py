"""What Tab completes: commands, rooms, and the names of people."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from besedka.terminal.commands import COMMANDS
from besedka.wire.harmless import harmless_line


class Endings(Completer):
    """Completes the word before the cursor.

    Args:
        names: who can be spoken to, the likeliest first.
        rooms: where one can go.
    """

    def __init__(self, names: Callable[[], Sequence[str]], rooms: Callable[[], Sequence[str]]) -> None:
        self._names = names
        self._rooms = rooms

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterable[Completion]:  # noqa: ARG002 - theirs
        typed = document.text_before_cursor
        if typed.startswith("/") and " " not in typed:
            return _matching(typed, [f"/{command.name} " for command in COMMANDS])
        if typed.startswith("/join "):
            return _matching(
                typed.removeprefix("/join ").lstrip("# "), [f"{room} " for room in self._rooms()]
            )
        if typed.startswith("/bell "):
            return _matching(typed.removeprefix("/bell "), ["on", "off", "all"])
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


def _matching(begun: str, words: Iterable[str]) -> Iterable[Completion]:
    return [
        Completion(word, -len(begun), display=harmless_line(word.strip()))
        for word in words
        if word.casefold().startswith(begun.casefold()) and harmless_line(word) == word
    ]
