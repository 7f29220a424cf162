"""Redaction, for a moderator (`besedka/serve/session/moderation.py`): on disk first, then for the subscribers.

`besedka/serve/history/redact.py` writes the tombstone over the text; `besedka/serve/room/room.py` tells those who are live at once, and the others
when they have caught up.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Final, TypeVar

from besedka.serve.chat.open_rooms import OpenRooms
from besedka.serve.chat.sequencer import RedactionOrder
from besedka.serve.chat.workers import Workers
from besedka.serve.errors import AppendError, HistoryChanged, StorageFull
from besedka.serve.files.descriptor import reason
from besedka.serve.history import Subject
from besedka.serve.room import Room
from besedka.wire.errors import ErrorCode, Language, Refused

A = TypeVar("A")
T = TypeVar("T")

log = logging.getLogger(__name__)

_CHANGED: Final = {
    Language.RU: "сообщение изменили в самом файле",
    Language.EN: "the message was changed in the file itself",
}


class Redactor:
    """Redacts messages for moderators.

    Args:
        order: has redactions done by all servers; None if there are no others.
        rooms: the rooms.
        workers: the threads that write.
    """

    def __init__(self, order: RedactionOrder | None, rooms: OpenRooms, workers: Workers) -> None:
        self._order = order
        self._rooms = rooms
        self._workers = workers

    async def subject(self, room: Room, number: int) -> Subject:
        """Identify the message to redact.

        Raises:
            Refused: `bad_cursor` if there is none; `not_allowed` after an external edit of it; `not_stored`, `going_down`;
                `out_of_reach` if it could not be redacted on all servers now.
        """
        if self._order:
            await self._order.check(room.name)
        if not 1 <= number <= room.head:
            raise Refused(ErrorCode.BAD_CURSOR, room=room.name, given=number, head=room.head)
        return await self._try(room, self._rooms.history(room).subject, number)

    async def redact(self, room: Room, subject: Subject) -> None:
        """Replace a message's text by a tombstone, on disk and for all subscribers.

        Raises:
            Refused: as `subject`; `storage_full`.
        """
        if self._order:
            await self._order.order(room.name, subject)
            return
        size = await self._try(room, self._rooms.history(room).redact, subject)
        if room.epoch == subject.epoch:
            room.redact(subject.number, size)

    async def _try(self, room: Room, act: Callable[[A], T], about: A) -> T:
        try:
            return await self._workers.write(act, about)
        except HistoryChanged as error:
            log.warning("nothing was redacted: %s", error)
            raise Refused(ErrorCode.NOT_ALLOWED, why=_CHANGED, room=room.name) from None
        except OSError as error:
            log.error("a message in room %s was not redacted: %s", room.name, reason(error))  # noqa: TRY400
            raise Refused(ErrorCode.NOT_STORED, room=room.name) from None
        except AppendError as error:
            log.error("a message in room %s was not redacted: %s", room.name, error)  # noqa: TRY400 - the sentence is enough
            self._workers.lose(error)
            code = ErrorCode.STORAGE_FULL if isinstance(error, StorageFull) else ErrorCode.NOT_STORED
            raise Refused(code, room=room.name) from None
