"""Rooms by what their names look like, so that a new one is compared with all others in one step. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from besedka.wire.skeletons import skeletons


class RoomLooks:
    """Names of rooms by their skeletons: memory grows with the rooms that exist, and with nothing else.

    Args:
        rooms: the first of them, as `clean_room` gives them.
    """

    def __init__(self, rooms: Iterable[str] = ()) -> None:
        self._rooms: set[str] = set()
        self._by_look: dict[str, set[str]] = {}
        for room in rooms:
            self.add(room)

    def __len__(self) -> int:
        return len(self._rooms)

    def __contains__(self, room: str) -> bool:
        return room in self._rooms

    def add(self, room: str) -> None:
        """Add a room; nothing happens if it is there."""
        if room not in self._rooms:
            self._rooms.add(room)
            for look in skeletons(room):
                self._by_look.setdefault(look, set()).add(room)

    def discard(self, room: str) -> None:
        """Remove a room, if it is there."""
        if room in self._rooms:
            self._rooms.remove(room)
            for look in skeletons(room):
                self._by_look[look].remove(room)
                if not self._by_look[look]:
                    del self._by_look[look]

    def like(self, room: str) -> frozenset[str]:
        """The other rooms that look like a room."""
        return frozenset().union(*(self._by_look.get(look, ()) for look in skeletons(room))) - {room}
