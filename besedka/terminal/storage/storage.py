"""What is kept for one at a terminal: what was typed, what waits, how far one has read. One talks all the same where it cannot be kept."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from besedka.home import state_folder
from besedka.terminal.room_view import RoomView
from besedka.terminal.storage.read_positions import Reading
from besedka.terminal.storage.unsent import Unsent
from besedka.wire.frames import Kind


class Keeping:
    """What is kept, in the state folder.

    Args:
        url: the chat.
        tell: told once, why something cannot be kept.
    """

    def __init__(self, url: str, tell: Callable[[str], None]) -> None:
        self._url = url
        self._tell = tell
        self._has_told = False
        self._folder: Path | None = None
        self._reading: Reading | None = None
        try:
            self._folder = state_folder()
            self._reading = Reading(self._folder / "read", url)
            self._reading.load()
        except OSError as error:
            self._failed(error)

    @property
    def can_keep(self) -> bool:
        """Whether all went well so far."""
        return not self._has_told

    def history(self) -> History:
        """What was typed before."""
        return _Typed(self._folder / "typed", self._failed) if self._folder else InMemoryHistory()

    def unsent(self, room: str, user: str) -> Unsent | None:
        """What waits in a room; None if that cannot be kept."""
        if self._folder is None:
            return None
        try:
            return Unsent(self._folder / "unsent", self._url, room, user, self._failed)
        except OSError as error:
            self._failed(error)
            return None

    def read_to(self, room: str) -> tuple[int, str] | None:
        """How far one has read in a talk of two: an id and its epoch; None if nobody knows."""
        return self._reading.of(room) if self._reading else None

    def leave(self, place: RoomView) -> None:
        """One has left a talk of two, and with it all that has come there."""
        if self._reading:
            self._reading.move(place.room, place.heard_to)

    def keep(self, places: Iterable[RoomView]) -> None:
        """Keep what waits in some rooms just now, and how far one has read in them."""
        for place in places:
            if self._reading and place.kind is Kind.DIRECT:
                self._reading.move(place.room, place.read_to)
            place.keep()
        if self._reading:
            self._keep_reading(self._reading)

    def _keep_reading(self, reading: Reading) -> None:
        try:
            reading.keep()
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
