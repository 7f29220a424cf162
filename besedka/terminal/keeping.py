"""What is kept for one at a terminal: what was typed, and what waits. One talks all the same where it cannot be kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from besedka.home import state_folder
from besedka.terminal.place import Place
from besedka.terminal.unsent import Unsent


class Keeping:
    """What is kept, in the state folder.

    Args:
        tell: told once, why something cannot be kept.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._has_told = False
        self._folder: Path | None = None
        try:
            self._folder = state_folder()
        except OSError as error:
            self._failed(error)

    @property
    def can_keep(self) -> bool:
        """Whether all went well so far."""
        return not self._has_told

    def history(self) -> History:
        """What was typed before."""
        return _Typed(self._folder / "typed", self._failed) if self._folder else InMemoryHistory()

    def unsent(self, url: str, room: str, user: str) -> Unsent | None:
        """What waits in a room; None if that cannot be kept."""
        if self._folder is None:
            return None
        try:
            return Unsent(self._folder / "unsent", url, room, user)
        except OSError as error:
            self._failed(error)
            return None

    def keep(self, places: Iterable[Place]) -> None:
        """Keep what waits in some rooms just now."""
        for place in places:
            try:
                place.keep()
            except OSError as error:
                self._failed(error)

    def _failed(self, error: OSError) -> None:
        if not self._has_told:
            self._has_told = True
            self._tell(str(error))


class _Typed(FileHistory):
    """A file for its owner alone."""

    def __init__(self, path: Path, failed: Callable[[OSError], None]) -> None:
        self._path = path
        self._failed = failed
        super().__init__(path)

    def store_string(self, string: str) -> None:
        try:
            self._path.touch(mode=0o600)
            super().store_string(string)
        except OSError as error:
            self._failed(error)
