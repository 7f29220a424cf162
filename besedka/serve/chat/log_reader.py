"""Read a room's log: pages and searches.

Worker threads read the files, for one asker at a time; texts redacted meanwhile are corrected before they are returned.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import replace
from functools import partial
from typing import Final, NamedTuple, TypeVar

from besedka.serve.chat.open_rooms import OpenRooms
from besedka.serve.chat.page_turns import PageTurns
from besedka.serve.chat.turns import Turns
from besedka.serve.chat.workers import SEARCH_SECONDS, Workers
from besedka.serve.clock import Clock
from besedka.serve.counters import Counters
from besedka.serve.history import Flag, Hits, Page, Query
from besedka.serve.limits.rate_limits import RateLimiter
from besedka.serve.limits.room_shares import Tenant
from besedka.serve.people.names import KnownNames
from besedka.serve.people.verification import Verdicts
from besedka.serve.room import Room
from besedka.wire.frames import FOUND_MESSAGES_AT_MOST, PAGE_MESSAGES_AT_MOST, Found, History, Search
from besedka.wire.log_line import stamp
from besedka.wire.message import MessageId
from besedka.wire.validation import clean_author, clean_search

T = TypeVar("T")

BYTES_AT_ONCE: Final = 32 * 1024
"""Size of one step when a log is copied."""


class Messages(NamedTuple):
    """Consecutive messages of a log, as they are now.

    Attributes:
        lines: their lines.
        unverified: the ids of those whose sender is not verified.
        verdicts: what decided that.
    """

    lines: list[str]
    unverified: list[int]
    verdicts: Verdicts


class LogReader:
    """Reads the logs of all rooms.

    Args:
        rooms: the rooms.
        workers: the threads that read.
        names: the holders of names, which decide whether a message is unverified.
        counters: counts searches.
        clock: the server's clock.

    Attributes:
        turns: those at reading pages, also for subscribers that are behind.
    """

    def __init__(
        self, rooms: OpenRooms, workers: Workers, names: KnownNames, counters: Counters, clock: Clock
    ) -> None:
        self.turns = PageTurns(clock.now)
        self._now = clock.now
        self._zone = clock.zone
        self._rooms = rooms
        self._workers = workers
        self._names = names
        self._counters = counters
        # They wait here, not in the queue of the thread that searches: it has at most one search and one resent message to look for.
        self._searching = Turns()

    async def read(self, room: Room, first: int, limit: int) -> Messages:
        """Up to ``limit`` messages from the id ``first`` on, fewer where they are long."""
        redactions = room.redactions.count
        reading = self._workers.read(self._rooms.history(room).read_with_flags, first, limit)
        lines, flags = await self._rooms.held_for(room, reading)
        return self._as_now(room, first, lines, flags, redactions)

    def _as_now(
        self, room: Room, first: int, lines: list[str], flags: list[Flag], redactions: int
    ) -> Messages:
        """Messages that were read after so many redactions, without what was redacted meanwhile."""
        ids = range(first, first + len(lines))
        return self.judged(ids, room.redactions.corrected(ids, lines, redactions), flags)

    def judged(self, ids: Iterable[int], lines: Iterable[str], flags: Iterable[Flag]) -> Messages:
        """Messages, with the ids of those whose sender is not verified."""
        lines, verdicts = [*lines], Verdicts(self._names)
        unverified = [
            number
            for number, line, flag in zip(ids, lines, flags, strict=True)
            if verdicts.is_unverified(line, _was_verified(flag))
        ]
        return Messages(lines, unverified, verdicts)

    # Pages.

    async def page(
        self, room: Room, before: int, limit: int, *, asker: Tenant, limiter: RateLimiter
    ) -> History:
        """The messages before an id, at most ``limit`` of them, and fewer where they are long; the page is charged.

        Raises:
            Refused: `room_unavailable`, `going_down`; so does `page_after`.
        """
        before = min(max(before, 1), room.head + 1)
        history = self._rooms.history(room)
        return await self._page(room, history.read_before, before, limit, asker=asker, limiter=limiter)

    async def page_since(
        self, room: Room, from_time: int, limit: int, *, asker: Tenant, limiter: RateLimiter
    ) -> History:
        """The messages from a time on, at most ``limit`` of them; the page is charged.

        Args:
            room: the room.
            from_time: the time in unix seconds.
            limit: the most messages.
            asker: who asks.
            limiter: of their connection.
        """
        # A message that is being stored is not delivered yet.
        read = partial(self._rooms.history(room).read_since, last=room.head)
        since = stamp(from_time, self._zone)
        return await self._page(room, read, since, limit, asker=asker, limiter=limiter)

    async def _page(
        self,
        room: Room,
        read: Callable[[T, int], tuple[MessageId, Page]],
        place: T,
        limit: int,
        *,
        asker: Tenant,
        limiter: RateLimiter,
    ) -> History:
        async with self._page_turn(asker, limiter):
            limit, redactions = min(max(limit, 1), PAGE_MESSAGES_AT_MOST), room.redactions.count
            with self._charged_if_cancelled(limiter, min(limit, room.head)):
                reading = self._workers.read(read, place, limit)
                first, (lines, flags) = await self._rooms.held_for(room, reading)
            found = self._as_now(room, first, lines, flags, redactions)
            limiter.charge_page(self._now(), found.lines)
            return History(room=room.name, first=first, messages=found.lines, unverified=found.unverified)

    async def page_after(
        self, room: Room, after: int, limit: int, *, asker: Tenant, limiter: RateLimiter
    ) -> History:
        """The messages after an id, at most ``limit`` of them; the page is charged."""
        async with self._page_turn(asker, limiter):
            limit = min(limit, PAGE_MESSAGES_AT_MOST, room.head - after)
            with self._charged_if_cancelled(limiter, limit):
                found = await self.read(room, after + 1, limit) if limit > 0 else self.judged((), (), ())
            limiter.charge_page(self._now(), found.lines)
            return History(room=room.name, first=after + 1, messages=found.lines, unverified=found.unverified)

    @contextmanager
    def _charged_if_cancelled(self, limiter: RateLimiter, messages: int) -> Iterator[None]:
        """Charge for a page of so many messages if the wait for it in this block is cancelled: the thread reads it all the same."""
        try:
            yield
        except asyncio.CancelledError:
            limiter.charge_page(self._now(), [""] * messages)
            raise

    def _page_turn(self, asker: Tenant, limiter: RateLimiter) -> AbstractAsyncContextManager[None]:
        """A turn at reading a page that was asked for; the page must be charged within it."""
        return self.turns.turn(asker, None if limiter.is_own_program else limiter, is_behind=False)

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

    async def search(self, room: Room, frame: Search, asker: Tenant) -> Hits:
        """The newest messages that are searched for, as far as one search step goes.

        Raises:
            Refused: `bad_search`; `bad_name`; `going_down`; `too_fast` if too many searches of this asker are waiting.
        """
        return await self._search(room, self._query(frame), frame.before, frame.limit, asker)

    def _query(self, frame: Search) -> Query:
        user = clean_author(frame.user)
        has_more = user or frame.from_time is not None or frame.to_time is not None
        text = "" if has_more and not frame.text else clean_search(frame.text)
        since, until = (
            "" if at is None else stamp(at, self._zone) for at in (frame.from_time, frame.to_time)
        )
        return Query(text, user, since, until)

    async def _search(self, room: Room, query: Query, before: int, limit: int, asker: Tenant) -> Hits:
        history, limit = self._rooms.history(room), min(limit, FOUND_MESSAGES_AT_MOST)
        with self._rooms.held(room):
            async with self._searching.turn(asker):
                epoch, end, redactions = room.epoch, room.head + 1, room.redactions.count
                before = min(before or end, end)
                hits = await self._workers.search(history.search, query, before, limit, SEARCH_SECONDS)
        if room.epoch != epoch:
            # The hits belong to the old log, and so does ``before``.
            return await self._search(room, query, 0, limit, asker)
        self._counters.searches += 1
        return replace(hits, lines=room.redactions.corrected(hits.ids, hits.lines, redactions))

    def found(self, room: Room, frame: Search, hits: Hits) -> Found:
        """The frame with the result of a search."""
        unverified = self.judged(hits.ids, hits.lines, hits.flags).unverified
        return Found(room.name, frame.text, hits.lines, hits.ids, hits.before, frame.key, unverified)


def _was_verified(flag: Flag) -> bool | None:
    """Whether a message's poster was verified when it was posted; None if that was not stored."""
    if flag & (Flag.VERIFIED | Flag.UNVERIFIED):
        return Flag.UNVERIFIED not in flag
    return None
