"""The names of the rooms that exist, so that none comes into being that looks like another.

A room exists while it is open, while it has something in its log, and while it is private or direct. One that exists may be opened
whatever it looks like: rooms of an older version, files that the operator has laid there, and in a cluster rooms that came into being at two nodes at
once, stay usable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

from besedka.serve.chat.workers import Workers
from besedka.serve.history import has_log
from besedka.serve.people.memberships import PrivateRooms, looks_direct, looks_taken, reserved
from besedka.serve.people.room_looks import RoomLooks
from besedka.wire.frames import Kind
from besedka.wire.validation import DEFAULT_ROOM


class Claim(NamedTuple):
    """A room's name when somebody wants to open it.

    Attributes:
        is_new: whether no room of this name was known.
        like: the rooms that look like it, which were there first.
    """

    is_new: bool
    like: frozenset[str] = frozenset()


class RoomNames:
    """The names.

    Args:
        history: the default room's log.
        private: the rooms that are not open to everybody.
        workers: the threads that look at files.
        is_open: whether a room is open, or being opened.
    """

    def __init__(
        self, history: Path, private: PrivateRooms, workers: Workers, is_open: Callable[[str], bool]
    ) -> None:
        self._history = history
        self._private = private
        self._workers = workers
        self._is_open = is_open
        self._looks = RoomLooks([DEFAULT_ROOM])

    async def start(self, written: Iterable[str]) -> None:
        """Add the rooms that have a log at the start; in a thread, because there may be many."""
        self._looks = await self._workers.read(RoomLooks, [DEFAULT_ROOM, *written])

    def add(self, rooms: Iterable[str]) -> None:
        """Add rooms that exist."""
        for room in rooms:
            self._looks.add(room)

    def admit(self, room: str) -> frozenset[str]:
        """Add a room in which something was posted at another node. Returns the rooms that it looks like, if it was not known here."""
        if room in self._looks:
            return frozenset()
        self._looks.add(room)
        return self.like(room)

    def discard(self, room: str) -> None:
        """Forget a room that does not exist any more."""
        self._looks.discard(room)

    def claim(self, room: str) -> Claim:
        """Claim a name, before anything is waited for: of two rooms that look alike the second one is the look-alike."""
        is_new = room not in self._looks and self._private.kind(room) is Kind.OPEN
        self._looks.add(room)
        return Claim(is_new, self.like(room)) if is_new else Claim(is_new)

    def like(self, room: str) -> frozenset[str]:
        """The rooms that look like a room, as far as is known: the files of some may be gone."""
        return self._looks.like(room) | self._private.looks.like(room)

    async def check(self, room: str, like: Iterable[str]) -> None:
        """Check that a room may come into being beside others that look like it.

        Raises:
            Refused: `bad_room`, always with the same sentence: it does not tell which room that is, nor of which kind.
        """
        if not (like or looks_direct(room)) or await self._has_log(room):
            return
        if looks_direct(room):
            raise reserved(room)
        for other in like:
            if await self._exists(other):
                raise looks_taken(room)
            self._looks.discard(other)

    async def _exists(self, room: str) -> bool:
        is_known = room == DEFAULT_ROOM or self._private.kind(room) is not Kind.OPEN
        return is_known or self._is_open(room) or await self._has_log(room)

    async def _has_log(self, room: str) -> bool:
        return await self._workers.read(has_log, self._history, room)
