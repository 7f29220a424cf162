"""The record of private rooms: the audit log has an entry of each before it is private, so that no change of the members opens it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from besedka.serve.people.audit_entry import OPERATOR, AuditEntry, Event
from besedka.serve.people.memberships import PrivateRooms


class Record(Protocol):
    """Appends entries to the audit log, and waits until they are on disk."""

    def __call__(self, *entries: AuditEntry) -> Awaitable[None]: ...


class PrivateRecord:
    """Records private rooms; rooms that are created at the same time share one write.

    Args:
        rooms: the private rooms.
        record: appends entries to the audit log; raises `Refused` if it cannot.
        stamp: the present time, as the log writes it.
    """

    def __init__(self, rooms: PrivateRooms, record: Record, stamp: Callable[[], str]) -> None:
        self._rooms = rooms
        self._record = record
        self._stamp = stamp
        self._writing = asyncio.Lock()
        self._waiting: dict[str, AuditEntry] = {}

    async def enter(self, room: str, actor: str, by: str) -> None:
        """Record a room that is about to be created. Until then, nobody may enter it or create it.

        Args:
            room: the room.
            actor: its creator's name.
            by: its creator's claim.

        Raises:
            Refused: `storage_full`, `not_stored`; then it is as open as before.
        """
        with self._rooms.reserved(room):
            entry = self._waiting.setdefault(room, self._entry(room, actor, by))
            try:
                async with self._writing:
                    if not self._rooms.is_recorded(room):
                        await self._write({**self._waiting, room: entry})
            finally:
                self._waiting.pop(room, None)

    async def enter_all(self) -> None:
        """Record the rooms of an older version, or of an external edit, which are private already.

        Raises:
            Refused: `storage_full`, `not_stored`.
        """
        async with self._writing:
            missing = {room: self._entry(room, OPERATOR, "") for room in self._rooms.unrecorded()}
            if missing:
                await self._write(missing)

    def _entry(self, room: str, actor: str, by: str) -> AuditEntry:
        return AuditEntry(self._stamp(), actor, Event.PRIVATE, room=room, by=by)

    async def _write(self, entries: dict[str, AuditEntry]) -> None:
        await self._record(*entries.values())
        for room in entries:
            self._rooms.note_recorded(room)
