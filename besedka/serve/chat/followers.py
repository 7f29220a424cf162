"""Helping those who are behind: from their cursor to the head, page by page, until they are live."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from besedka.serve.chat.log_reader import LogReader
from besedka.serve.chat.presence import PresenceNotices
from besedka.serve.counters import Counters
from besedka.serve.room import Room, Subscriber
from besedka.wire.errors import Refused
from besedka.wire.frames import PAGE_MESSAGES_AT_MOST, History


class Followers:
    """Those who read on.

    Args:
        log_reader: how pages are read.
        notices: what they have missed beside the log.
        counters: where pages are counted.
    """

    def __init__(self, log_reader: LogReader, notices: PresenceNotices, counters: Counters) -> None:
        self._log_reader = log_reader
        self._notices = notices
        self._counters = counters
        self._helped: dict[Subscriber, asyncio.Task[None]] = {}

    def follow(self, room: Room, member: Subscriber) -> None:
        """Have a member who is behind read on from its cursor, until it is live or can take no more.

        What memory still has is told at once, so a newcomer is live when this returns.
        """
        if member.pulls:
            member.read_on()
            return
        if member in self._helped or room.is_live(member) or member.is_full:
            return
        latest = room.latest_from(member.cursor)
        if latest is None:
            self._helped[member] = asyncio.get_running_loop().create_task(self._help(room, member))
        else:
            if latest.lines:
                ids = range(member.cursor, member.cursor + len(latest.lines))
                unverified = self._log_reader.unverified(ids, latest.lines, latest.flags)
                member.send(self._page(room, member, latest.lines, unverified))
            self.try_live(room, member)

    async def read_on(self, room: Room, member: Subscriber) -> History | None:
        """The next page of the log for a member who is behind; None if there is none, or its cursor was moved meanwhile."""
        cursor = member.cursor
        limit = min(room.head - cursor + 1, PAGE_MESSAGES_AT_MOST)
        lines, unverified = await self._log_reader.look(room, cursor, limit)
        # If the log was exchanged meanwhile, the page belongs to the old one.
        return self._page(room, member, lines, unverified) if lines and member.cursor == cursor else None

    def try_live(self, room: Room, member: Subscriber) -> bool:
        """Let a member go live if it is at the head, and tell it what was not in the log while it was behind."""
        if not room.try_live(member):
            return False
        self._notices.send_missed(room, member)
        for redacted in room.missed_redactions(member):
            member.send(redacted)
        return True

    def forget(self, member: Subscriber) -> None:
        """It has left."""
        if member in self._helped:
            self._helped.pop(member).cancel()

    async def close(self) -> None:
        """Help nobody more."""
        tasks = [*self._helped.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _help(self, room: Room, member: Subscriber) -> None:
        """Read on for one who is behind."""
        try:
            while not self.try_live(room, member) and not member.is_full:
                cursor = member.cursor
                page = await self.read_on(room, member)
                if page:
                    member.send(page)
                elif member.cursor == cursor:
                    break
        except Refused as refusal:
            member.refused(Refused(refusal.code, room=room.name))
        finally:
            # Nothing may be awaited between the last look at the member and this line: `follow` may come at once.
            self._helped.pop(member, None)

    def _page(self, room: Room, member: Subscriber, lines: Sequence[str], unverified: list[int]) -> History:
        page = room.page(member, lines, unverified)
        member.cursor += len(lines)
        self._counters.pages += 1
        self._counters.deliveries += len(lines)
        return page
