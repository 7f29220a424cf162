"""Read a room's log: pages, searches, and messages that a name has posted before.

Worker threads read the files; texts redacted meanwhile are corrected before they are returned.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from datetime import tzinfo
from typing import Final

from msgspec import structs

from besedka.serve.chat.open_rooms import OpenRooms
from besedka.serve.chat.workers import Workers
from besedka.serve.counters import Counters
from besedka.serve.history import Flag, Hits
from besedka.serve.people.names import KnownNames
from besedka.serve.room import Draft, Position, PostedBefore, Room
from besedka.wire.frames import FOUND_MESSAGES_AT_MOST, PAGE_MESSAGES_AT_MOST, Found, History, Search
from besedka.wire.log_line import moment
from besedka.wire.message import Message, MessageId

SEARCH_SECONDS: Final = 0.1
"""Time limit of one search step, which then returns how far it has come. Searches take turns, and a resent message waits for
at most one turn."""


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
        # Searches wait here, not in the queue of the search thread, where a resent message would wait for all of them.
        self._search_turn = asyncio.Lock()

    async def read(self, room: Room, first: int, limit: int) -> tuple[list[str], list[int]]:
        """The lines of up to ``limit`` messages from the id ``first`` on, fewer where they are long; and the ids of unverified ones."""
        revisions = room.revisions.count
        lines, flags = await self._workers.read(self._rooms.history(room).read_with_flags, first, limit)
        ids = range(first, first + len(lines))
        return room.revisions.corrected(ids, lines, revisions), self.unverified(ids, lines, flags)

    def unverified(self, ids: Iterable[int], lines: Iterable[str], flags: Iterable[Flag]) -> list[int]:
        """The ids of the messages whose sender is not verified."""
        messages = zip(ids, lines, flags, strict=True)
        return [
            number for number, line, flag in messages if self._names.is_unverified(line, _was_verified(flag))
        ]

    # Pages.

    async def page(self, room: Room, before: int, limit: int) -> History:
        """The messages before an id, at most ``limit`` of them."""
        before = min(max(before, 1), room.head + 1)
        first = max(1, before - min(max(limit, 1), PAGE_MESSAGES_AT_MOST))
        lines, unverified = await self.read(room, first, before - first)
        # A page ends early where messages are long: then read on to the newest ones.
        while lines and first + len(lines) < before:
            first += len(lines)
            lines, unverified = await self.read(room, first, before - first)
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
            revisions = room.revisions.count
            piece = await self._workers.read(history.read_bytes, span[:BYTES_AT_ONCE])
            if not piece:
                return
            # After a redaction read the piece again: the text is overwritten in place.
            if revisions == room.revisions.count:
                span = span[len(piece) :]
                yield piece

    # Searching.

    async def search(self, room: Room, text: str, before: int, limit: int) -> Hits:
        """The newest messages older than the id ``before`` (0: all) that contain a text, as far as one search step goes.

        Raises:
            Refused: `going_down`.
        """
        history, limit = self._rooms.history(room), min(limit, FOUND_MESSAGES_AT_MOST)
        with self._rooms.held(room):
            async with self._search_turn:
                epoch, end, revisions = room.epoch, room.head + 1, room.revisions.count
                before = min(before or end, end)
                hits = await self._workers.search(history.search, text, before, limit, SEARCH_SECONDS)
        if room.epoch != epoch:
            # The hits belong to the old log, and so does ``before``.
            return await self.search(room, text, 0, limit)
        self._counters.searches += 1
        return replace(hits, lines=room.revisions.corrected(hits.ids, hits.lines, revisions))

    def found(self, room: Room, frame: Search, hits: Hits) -> Found:
        """The frame with the result of a search."""
        unverified = self.unverified(hits.ids, hits.lines, hits.flags)
        return Found(room.name, frame.text, hits.lines, hits.ids, hits.before, frame.key, unverified)

    # Resent messages.

    async def posted_by(self, room: Room, user: str, after: int) -> PostedBefore:
        """The log's messages by this name, later than an id, to recognise resent ones."""
        messages = await self._workers.search(self._rooms.history(room).posted_by, user, after)
        delivered = [(number, message) for number, message in messages if number <= room.head]
        return PostedBefore(after, delivered)

    def recognise(self, room: Room, draft: Draft, after: int, before: PostedBefore) -> Message | None:
        """The message of the log that this draft resends, if there is one; its key is remembered."""
        found = before.take(draft.message.text, after, room.dedup.has_key)
        if found is None:
            return None
        number, message = found
        # It may have been redacted since it was posted.
        draft = replace(draft, message=structs.replace(draft.message, text=message.text))
        position = Position(MessageId(number), moment(message.stamp, self._zone), message.stamp)
        return room.found(draft, position)


def _was_verified(flag: Flag) -> bool | None:
    """Whether a message's poster was verified when it was posted; None if that was not stored."""
    if flag & (Flag.VERIFIED | Flag.UNVERIFIED):
        return Flag.UNVERIFIED not in flag
    return None
