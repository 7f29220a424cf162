"""Ends rooms that the operator deletes or renames: closes them, moves the rows about them and their files, and finishes what a crash has left.

An end is undone by hand, in the files, which the start notices.
Each step can be done again. Whatever happens, the entry of the act is on disk before the first of them, and the one that says that all is done
(`Event.ENDED`) comes behind the last.
"""

from __future__ import annotations

import errno
import logging
from pathlib import Path

from besedka.serve.chat.open_rooms import OpenRooms
from besedka.serve.chat.workers import Workers
from besedka.serve.directory import Directory
from besedka.serve.files.descriptor import FULL, reason
from besedka.serve.history import kept_path, move_log, read_epoch, room_path
from besedka.serve.people.audit_entry import OPERATOR, AuditEntry, Event
from besedka.wire.errors import ErrorCode, Refused

log = logging.getLogger(__name__)


class RoomEndings:
    """Ends rooms.

    Args:
        history: the default room's log.
        directory: the members, invitations and read marks of rooms; records what is done.
        rooms: the rooms.
        workers: the threads that move files.
    """

    def __init__(self, history: Path, directory: Directory, rooms: OpenRooms, workers: Workers) -> None:
        self._history = history.absolute()
        self._directory = directory
        self._rooms = rooms
        self._workers = workers

    async def is_free(self, room: str, stamp: str) -> bool:
        """Whether the log of a room that is deleted at a time can be kept aside: no other one has that name."""
        return not await self._workers.read(kept_path(self._history, room, stamp).exists)

    async def finish(self, entry: AuditEntry) -> None:
        """Move the rows about a room that is closed for good, and its files.

        Raises:
            Refused: `storage_full`, `not_stored`; the next start tries it again.
        """
        await self._directory.store(self._directory.end_room(entry.room, entry.to))
        target = (
            room_path(self._history, entry.to)
            if entry.to
            else kept_path(self._history, entry.room, entry.stamp)
        )
        try:
            await self._workers.write(move_log, room_path(self._history, entry.room), target)
        except OSError as error:
            log.error("the log of the room %s was not moved: %s", entry.room, reason(error))  # noqa: TRY400
            is_full = error.errno in FULL and error.errno != errno.EEXIST
            raise Refused(
                ErrorCode.STORAGE_FULL if is_full else ErrorCode.NOT_STORED, room=entry.room
            ) from None
        await self._directory.record(AuditEntry(entry.stamp, OPERATOR, Event.ENDED, room=entry.room))

    async def start(self) -> None:
        """Finish the acts that a crash has interrupted, and take note of rooms whose end the operator has undone.

        A room of which the first fails cannot be entered.
        """
        await self._finish_all()
        await self._undo_ends()

    async def _finish_all(self) -> None:
        for entry in [*self._directory.moderation.ended.unfinished]:
            log.warning(
                "the room %s was being %sd when the server ended: this goes on", entry.room, entry.act
            )
            try:
                await self.finish(entry)
            except Refused as refusal:
                log.error("the room %s cannot be entered until this is done: %s", entry.room, refusal)  # noqa: TRY400
                self._rooms.block(entry.room)

    async def _undo_ends(self) -> None:
        """Rooms whose log has its old name again have not ended: the epoch says that it is the same log."""
        ended = self._directory.moderation.ended
        for room, epoch in ended.finished():
            there = await self._workers.read(read_epoch, room_path(self._history, room))
            if there.name == epoch:
                log.info("the room %s is back: its log has its old name again", room)
                ended.undo(room, epoch)
