"""The storage of one session. Disk errors do not leave this module: the first one is reported, and the session goes on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from besedka.home import state_folder
from besedka.terminal.storage.drafts import Drafts
from besedka.terminal.storage.ignored import IgnoredNames
from besedka.terminal.storage.read_positions import Position, ReadPositions
from besedka.terminal.storage.unsent import UnsentMessages, remove_stale_locks

UNSENT: Final = "unsent"


class Storage:
    """The stored state of one chat.

    Args:
        url: the chat's URL.
        warn: called once, with the first error.
    """

    def __init__(self, url: str, warn: Callable[[str], None]) -> None:
        self._url = url
        self._warn = warn
        self._has_failed = False
        self._folder: Path | None = None
        self._positions: ReadPositions | None = None
        self._drafts: Drafts | None = None
        try:
            self._folder = state_folder()
            self._positions = ReadPositions(self._folder / "read", url)
            self._positions.load()
            self._drafts = Drafts(self._folder / "drafts", url)
            remove_stale_locks(self._folder / UNSENT)
        except OSError as error:
            self._failed(error)

    @property
    def works(self) -> bool:
        """Whether nothing has failed so far."""
        return not self._has_failed

    def typed_lines(self) -> History:
        """The lines typed so far, in this session and before."""
        return _TypedLines(self._folder / "typed", self._failed) if self._folder else InMemoryHistory()

    def unsent(self, room: str, user: str) -> UnsentMessages | None:
        """The unsent messages of a room; None if they cannot be stored."""
        if self._folder is None:
            return None
        try:
            return UnsentMessages(self._folder / UNSENT, self._url, room, user, self._failed)
        except OSError as error:
            self._failed(error)
            return None

    def read_position(self, room: str) -> Position | None:
        """The read position of a direct room; None if it is unknown."""
        return self._positions.get(room) if self._positions else None

    def set_read_position(self, room: str, position: Position) -> None:
        """Set the read position of a direct room."""
        if self._positions:
            self._positions.set(room, position)

    def save_read_positions(self) -> None:
        """Write changed read positions to disk."""
        if self._positions:
            try:
                self._positions.save()
            except OSError as error:
                self._failed(error)

    def take_draft(self, room: str) -> str:
        """The draft of a room, which is no longer stored; empty if there is none."""
        try:
            return self._drafts.take(room) if self._drafts else ""
        except OSError as error:
            self._failed(error)
            return ""

    def keep_drafts(self, drafts: Mapping[str, str]) -> None:
        """Store drafts, by room."""
        try:
            if self._drafts:
                self._drafts.keep(drafts)
        except OSError as error:
            self._failed(error)

    def ignored_names(self) -> IgnoredNames:
        """The names that the user ignores."""
        return IgnoredNames(self._folder / "ignored" if self._folder else None, self._url, self._failed)

    def _failed(self, error: OSError) -> None:
        if not self._has_failed:
            self._has_failed = True
            self._warn(str(error))


class _TypedLines(FileHistory):
    """A file that only its owner may read."""

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
