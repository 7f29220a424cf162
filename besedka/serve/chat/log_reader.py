"""Read a room's log: pages, searches, and messages that a name has posted before.

Worker threads read the files; texts redacted meanwhile are corrected before they are returned.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from dataclasses import replace
from datetime import tzinfo
from typing import Final

from msgspec import structs

from besedka.serve.chat.open_rooms import OpenRooms
from besedka.serve.chat.turns import Turns
from besedka.serve.chat.workers import Workers
from besedka.serve.counters import Counters
from besedka.serve.history import Flag, Hits
from besedka.serve.history.resent import Found as SameMessage
from besedka.serve.history.resent import Resent
from besedka.serve.people.names import KnownNames
from besedka.serve.room import Draft, Position, Room
from besedka.serve.room_shares import Tenant
from besedka.wire.frames import FOUND_MESSAGES_AT_MOST, PAGE_MESSAGES_AT_MOST, Found, History, Search
from besedka.wire.log_line import moment
from besedka.wire.message import Message

SEARCH_SECONDS: Final = 0.1
"""Time limit of one step of a search, which then returns how far it has come. Searches take turns, and so do resent messages that are
looked for; each waits for at most one step of the other kind."""

RESENT_AT_MOST: Final = 1_000
"""Messages of the same name and text that are compared with one that is resent, the newest ones."""


BYTES_AT_ONCE: Final = 64 * 1024
"""Size of one step when a log is copied."""


class LogReader:
    """Reads the logs of all rooms.

    Args:
        rooms: the rooms.
        workers: the threads that read.
        names: the holders of names, which decide whether a message is unverified.
        counters: counts searches.
        zone: of the log's times.
    """

    def __init__(
        self, rooms: OpenRooms, workers: Workers, names: KnownNames, counters: Counters, zone: tzinfo | None
    ) -> None:
        self._rooms = rooms
        self._workers = workers
        self._names = names
        self._counters = counters
        self._zone = zone
        # They wait here, not in the queue of the thread that searches: it has at most one search and one resent message to look for.
        self._searching = Turns()
        self._resending = Turns()

    async def read(self, room: Room, first: int, limit: int) -> tuple[list[str], list[int]]:
        """The lines of up to ``limit`` messages from the id ``first`` on, fewer where they are long; and the ids of unverified ones."""
        redactions = room.redactions.count
        reading = self._workers.read(self._rooms.history(room).read_with_flags, first, limit)
        lines, flags = await self._rooms.held_for(room, reading)
        return self._as_now(room, first, lines, flags, redactions)

    def _as_now(
        self, room: Room, first: int, lines: list[str], flags: list[Flag], redactions: int
    ) -> tuple[list[str], list[int]]:
        """Lines that were read after so many redactions, without what was redacted meanwhile; and the ids of unverified ones."""
        ids = range(first, first + len(lines))
        return room.redactions.corrected(ids, lines, redactions), self.unverified(ids, lines, flags)

    def unverified(self, ids: Iterable[int], lines: Iterable[str], flags: Iterable[Flag]) -> list[int]:
        """The ids of the messages whose sender is not verified."""
        messages = zip(ids, lines, flags, strict=True)
        return [
            number for number, line, flag in messages if self._names.is_unverified(line, _was_verified(flag))
        ]

    # Pages.

    async def page(self, room: Room, before: int, limit: int) -> History:
        """The messages before an id, at most ``limit`` of them, and fewer where they are long."""
        before = min(max(before, 1), room.head + 1)
        limit, redactions = min(max(limit, 1), PAGE_MESSAGES_AT_MOST), room.redactions.count
        reading = self._workers.read(self._rooms.history(room).read_before, before, limit)
        first, (lines, flags) = await self._rooms.held_for(room, reading)
        lines, unverified = self._as_now(room, first, lines, flags, redactions)
        return History(room=room.name, first=first, messages=lines, unverified=unverified)

    async def page_after(self, room: Room, after: int, limit: int) -> History:
        """The messages after an id, at most ``limit`` of them."""
        limit = min(limit, PAGE_MESSAGES_AT_MOST, room.head - after)
        lines, unverified = await self.read(room, after + 1, limit) if limit > 0 else ([], [])
        return History(room=room.name, first=after + 1, messages=lines, unverified=unverified)

    async def own_bytes(self, room: Room, after: int, last: int) -> AsyncIterator[bytes]:
        """The log's own bytes of the messages after an id, up to ``last``, with the lines between them that are not understood.

        It ends early if the log is replaced.
        """
        history, epoch = self._rooms.history(room), room.epoch
        span = await self._workers.read(history.span, after + 1, last)
        while span and room.epoch == epoch:
            redactions = room.redactions.count
            piece = await self._workers.read(history.read_bytes, span[:BYTES_AT_ONCE])
            if not piece:
                return
            # After a redaction read the piece again: the text is overwritten in place.
            if redactions == room.redactions.count:
                span = span[len(piece) :]
                yield piece

    # Searching.

    async def search(self, room: Room, text: str, before: int, limit: int, asker: Tenant) -> Hits:
        """The newest messages older than the id ``before`` (0: all) that contain a text, as far as one search step goes.

        Raises:
            Refused: `going_down`; `too_fast` if too many searches of this asker are waiting.
        """
        history, limit = self._rooms.history(room), min(limit, FOUND_MESSAGES_AT_MOST)
        with self._rooms.held(room):
            async with self._searching.turn(asker):
                epoch, end, redactions = room.epoch, room.head + 1, room.redactions.count
                before = min(before or end, end)
                hits = await self._workers.search(history.search, text, before, limit, SEARCH_SECONDS)
        if room.epoch != epoch:
            # The hits belong to the old log, and so does ``before``.
            return await self.search(room, text, 0, limit, asker)
        self._counters.searches += 1
        return replace(hits, lines=room.redactions.corrected(hits.ids, hits.lines, redactions))

    def found(self, room: Room, frame: Search, hits: Hits) -> Found:
        """The frame with the result of a search."""
        unverified = self.unverified(hits.ids, hits.lines, hits.flags)
        return Found(room.name, frame.text, hits.lines, hits.ids, hits.before, frame.key, unverified)

    # Resent messages.

    async def resent(
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
        found: list[SameMessage] = []
        epoch, ids = room.epoch, range(after + 1, room.head + 1)
        with self._rooms.held(room):
            while ids and len(found) < RESENT_AT_MOST:
                async with self._resending.turn(asker):
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


def _was_verified(flag: Flag) -> bool | None:
    """Whether a message's poster was verified when it was posted; None if that was not stored."""
    if flag & (Flag.VERIFIED | Flag.UNVERIFIED):
        return Flag.UNVERIFIED not in flag
    return None
