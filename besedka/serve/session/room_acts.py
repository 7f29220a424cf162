"""The operator's acts that end a room: deleting and renaming it.

In this order, so that a crash between any two leaves what the next start can finish: nobody may enter; the entry in ``audit.txt``; everybody
leaves, and the log is closed; rows and files are moved, and the entry that says so (`besedka/serve/chat/room_endings.py`).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from besedka.serve.chat import OpenRooms, RoomEndings
from besedka.serve.directory import Directory
from besedka.serve.people.audit_entry import AuditEntry, Event
from besedka.serve.people.ended_rooms import gone
from besedka.wire.errors import ErrorCode, Language, Refused
from besedka.wire.frames import Act, Kind
from besedka.wire.validation import DEFAULT_ROOM

SAME_SECOND: Final = 1.0
"""Seconds to wait where a room of this name was deleted in the same second: the file that is kept is named by it."""

_NOT_MAIN: Final = {
    Language.RU: f"комнату {DEFAULT_ROOM} нельзя ни удалить, ни переименовать",
    Language.EN: f"the room {DEFAULT_ROOM} can be neither deleted nor renamed",
}
_NOT_DIRECT: Final = {
    Language.RU: "личную переписку нельзя ни удалить, ни переименовать",
    Language.EN: "a direct room can be neither deleted nor renamed",
}


class RoomActs:
    """Deletes and renames rooms.

    Args:
        directory: members, invitations, and the record.
        rooms: the rooms.
        endings: moves what belongs to them.
    """

    def __init__(self, directory: Directory, rooms: OpenRooms, endings: RoomEndings) -> None:
        self._directory = directory
        self._rooms = rooms
        self._endings = endings

    async def end(self, entry: AuditEntry) -> None:
        """Delete or rename a room. Must not be called for two rooms at a time.

        Args:
            entry: the act, with the names of rooms as `clean_room` gives them.

        Raises:
            Refused: `not_allowed` for the default room and direct rooms, `no_such_room`; `room_taken`, `bad_room` of the new name; `too_fast`;
                `storage_full`, `not_stored`: if the entry is in ``audit.txt`` all the same, the next start finishes the act.
        """
        await self._check(entry)
        room = await self._rooms.for_operator(entry.room)
        entry = _with_epoch(entry, room.epoch)
        self._rooms.block(entry.room)
        try:
            async with self._claimed(entry.to):
                await self._record(entry)
                await self._rooms.close_for_good(room, gone(entry.room, entry.to))
                await self._endings.finish(entry)
        finally:
            # One that is half ended is finished by the next start.
            if not any(act.room == entry.room for act in self._directory.moderation.ended.unfinished):
                self._rooms.unblock(entry.room)
        self._rooms.forget(entry.room)
        if entry.to:
            self._rooms.note_renamed(entry.to)

    async def _check(self, entry: AuditEntry) -> None:
        kind = self._directory.rooms.kind
        if entry.room == DEFAULT_ROOM:
            raise Refused(ErrorCode.NOT_ALLOWED, room=entry.room, why=_NOT_MAIN)
        if kind(entry.room) is Kind.DIRECT:
            raise Refused(ErrorCode.NOT_ALLOWED, room=entry.room, why=_NOT_DIRECT)
        if not entry.to:
            if not await self._endings.is_free(entry.room, entry.stamp):
                raise Refused(ErrorCode.TOO_FAST, wait=SAME_SECOND, room=entry.room)
            return
        # The name of a private room stays private: only another private room may have it, if nobody is in the first one any more.
        is_private = kind(entry.room) is Kind.PRIVATE
        if entry.to == DEFAULT_ROOM or (kind(entry.to) is not Kind.OPEN and not is_private):
            raise Refused(ErrorCode.ROOM_TAKEN, room=entry.to)
        self._directory.rooms.check_private(entry.to)

    @asynccontextmanager
    async def _claimed(self, name: str) -> AsyncIterator[None]:
        """Claim a new name, if there is one."""
        if not name:
            yield
            return
        async with self._rooms.claimed(name):
            yield

    async def _record(self, entry: AuditEntry) -> None:
        rooms = self._directory.rooms
        if entry.act is Act.RENAME and rooms.kind(entry.room) is Kind.PRIVATE:
            # It is private under its new name before it has it.
            private = AuditEntry(entry.stamp, entry.actor, Event.PRIVATE, room=entry.to)
            with rooms.reserved(entry.to):
                await self._directory.record_ending(entry, [private])
        else:
            await self._directory.record_ending(entry)


def _with_epoch(entry: AuditEntry, epoch: str) -> AuditEntry:
    return AuditEntry(
        entry.stamp, entry.actor, entry.act, room=entry.room, to=entry.to, epoch=epoch, reason=entry.reason
    )
