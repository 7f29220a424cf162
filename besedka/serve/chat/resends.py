"""Messages that are resent after a restart: whether the log has them already.

`besedka/serve/session/post.py` asks, for messages whose key is forgotten; `besedka/serve/history/resent.py` compares the lines.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import tzinfo
from typing import Final

from msgspec import structs

from besedka.serve.chat.open_rooms import OpenRooms
from besedka.serve.chat.turns import Turns
from besedka.serve.chat.workers import SEARCH_SECONDS, Workers
from besedka.serve.history.resent import Found, Resent
from besedka.serve.limits.room_shares import Tenant
from besedka.serve.room import Draft, Position, Room
from besedka.wire.log_line import moment
from besedka.wire.message import Message

RESENT_AT_MOST: Final = 1_000
"""Messages of the same name and text that are compared with one that is resent, the newest ones."""


class Resends:
    """Finds resent messages in the logs of all rooms.

    Args:
        rooms: the rooms.
        workers: the threads that search.
        zone: of the log's times.
    """

    def __init__(self, rooms: OpenRooms, workers: Workers, zone: tzinfo | None) -> None:
        self._rooms = rooms
        self._workers = workers
        self._zone = zone
        # They wait here, not in the queue of the thread that searches: it has at most one search and one resent message to look for.
        self._turns = Turns()

    async def find(
        self,
        room: Room,
        draft: Draft,
        after: int,
        is_other: Callable[[int], bool],
        *,
        asker: Tenant,
        pay: Callable[[float], Awaitable[None]],
    ) -> Message | None:
        """The message of the log that a draft resends, if there is one; its key is remembered.

        It is a message by that name, with that text or its tombstone, later than the id ``after``. Of several the oldest is taken, because
        clients resend in order.

        Args:
            room: the room.
            draft: the message that may have been posted before.
            after: the last id that its poster had seen when they posted it first.
            is_other: whether the message with this id is known to be another one, by its key; called in any thread.
            asker: whose turn at the log it is.
            pay: is awaited after each step, with its time in seconds; raises `Refused` to end the search.

        Raises:
            Refused: `too_fast` if too many of this asker are waiting; as ``pay``.
        """
        history, message = self._rooms.history(room), Resent(draft.message.user, draft.message.text)
        found: list[Found] = []
        epoch, ids = room.epoch, range(after + 1, room.head + 1)
        with self._rooms.held(room):
            while ids and len(found) < RESENT_AT_MOST:
                async with self._turns.turn(asker):
                    begun = time.perf_counter()
                    step = await self._workers.search(
                        history.resent, message, ids, is_other, RESENT_AT_MOST, SEARCH_SECONDS
                    )
                    took = time.perf_counter() - begun
                await pay(took)
                found, ids = [*found, *step.found], step.left
                if room.epoch != epoch:
                    # The ids belong to the old log, and so does ``after``.
                    found, epoch, ids = [], room.epoch, range(1, room.head + 1)
        same = next((one for one in reversed(found) if not is_other(one.id)), None)
        if same is None:
            return None
        draft = replace(draft, message=structs.replace(draft.message, text=same.text))
        return room.found(draft, Position(same.id, moment(same.stamp, self._zone), same.stamp))
