"""Private and direct rooms that lapse, because nothing was ever said in them: else whoever makes many would take their places for good.

A private one lapses with the names of all its members, a direct one after a day; and so does a private one where there are too many. With a single
message in it, neither ever does.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from besedka.serve.chat.open_rooms import OpenRooms
from besedka.serve.directory import Directory
from besedka.wire.errors import Refused
from besedka.wire.frames import Kind

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 600.0
"""Interval between looks for such rooms: as often as names lapse."""

SILENT_SECONDS: Final = 24 * 3600.0
"""How long a direct room in which nothing was said stays, while the server is up: a text that is thought over for a night finds it. A private
one stays as long, too, where there are too many."""

ROOMS_AT_ONCE: Final = 500
"""Rooms that lapse together: each costs a look at the disk."""


class UnusedRooms:
    """Gives back the places of rooms that lapse.

    Args:
        directory: their members.
        rooms: knows in which of them something was said.
        ticks: seconds of a monotonic clock.
    """

    def __init__(self, directory: Directory, rooms: OpenRooms, ticks: Callable[[], float]) -> None:
        self._directory = directory
        self._rooms = rooms
        self._ticks = ticks
        # Since when a room is known to be closed, with nothing said in it.
        self._silent_since: dict[str, float] = {}

    async def watch(self) -> None:
        """Look for such rooms, for ever."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            # A disk that is full, or a folder that cannot be read, is there again later.
            with suppress(Refused):
                await self.give_up_unused()

    async def give_up_unused(self) -> None:
        """Give up the rooms that lapse now.

        Raises:
            Refused: `room_unavailable`, `storage_full`, `not_stored`, `going_down`.
        """
        silent = await self._rooms.silent(self._directory.rooms.names())
        given_up = []
        for room in self._lapsing(silent)[:ROOMS_AT_ONCE]:
            if await self._rooms.is_unused(room) and not self._rooms.is_open(room):
                given_up += self._directory.give_up(room)
                log.info("nothing was said in the room %s, and its place is free", room)
        await self._directory.store(given_up)

    def _lapsing(self, silent: list[str]) -> list[str]:
        now, kind = self._ticks(), self._directory.rooms.kind
        self._silent_since = {room: self._silent_since.get(room, now) for room in silent}
        overdue = [room for room, since in self._silent_since.items() if now - since >= SILENT_SECONDS]
        direct = [room for room in overdue if kind(room) is Kind.DIRECT]
        left = [room for room in silent if kind(room) is Kind.PRIVATE and self._is_left(room)]
        others = {room for room in overdue if kind(room) is Kind.PRIVATE}.difference(left)
        return [*left, *direct, *self._directory.quotas.too_many(sorted(others))]

    def _is_left(self, room: str) -> bool:
        """Whether no member of a room holds a name any more."""
        members, names = self._directory.rooms.members(room), self._directory.names
        return bool(members) and names.is_kept and not any(names.is_known(row.claim) for row in members)
