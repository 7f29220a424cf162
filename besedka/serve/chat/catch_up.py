"""Serve subscribers that are behind: pages from their cursor to the head, until they are live.

A client that returns says up to where it has read; `besedka/serve/room/room.py` (`enter`) makes a cursor of it. Pages are read in turn, and what
was in the log before the subscriber entered is charged. Later messages are free: they are its live delivery, only delayed.
So a reader pays for a number of messages that does not grow, and reaches the head however much is posted meanwhile.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, Final

from besedka.serve.chat.page_turns import PageTurns
from besedka.serve.chat.presence import PresenceNotices
from besedka.serve.chat.shared_pages import Page, SharedPages
from besedka.serve.clock import Clock
from besedka.serve.counters import Counters
from besedka.serve.limits.rate_limits import RateLimiter
from besedka.serve.room import Broadcast, Room, Subscriber, Tenant
from besedka.wire.errors import Refused

log = logging.getLogger(__name__)

_BREAKS_OFF: Final = "a subscriber of room %s could not be served, and its session is broken off"
"""Nothing else would have the subscriber read on, and its client would not notice."""


class CatchUp:
    """Subscribers that are behind.

    Args:
        pages: the pages of the logs.
        turns: those at reading them.
        notices: the presence notices that they have missed.
        counters: counts pages.
        clock: the server's clock.
    """

    def __init__(
        self,
        pages: SharedPages,
        turns: PageTurns,
        notices: PresenceNotices,
        counters: Counters,
        clock: Clock,
    ) -> None:
        self._pages = pages
        self._notices = notices
        self._counters = counters
        self._clock = clock
        self._turns = turns
        self._catching_up: dict[Subscriber, asyncio.Task[Any]] = {}

    def follow(self, room: Room, subscriber: Subscriber) -> None:
        """Send pages to a subscriber that is behind, from its cursor on, until it is live or its socket is full.

        Messages that are still in memory are sent at once, so a newcomer is live when this returns. An error of the server breaks
        off the subscriber's session, and is not raised: the callers serve others, too.
        """
        if subscriber.pulls:
            subscriber.read_on()
            return
        try:
            self._follow(room, subscriber)
        except Exception:
            log.exception(_BREAKS_OFF, room.name)
            subscriber.break_off()

    def _follow(self, room: Room, subscriber: Subscriber) -> None:
        if subscriber in self._catching_up or room.is_live(subscriber) or subscriber.is_full:
            return
        latest = room.latest_from(subscriber.cursor)
        if latest is None:
            self._catching_up[subscriber] = asyncio.get_running_loop().create_task(
                self._catch_up(room, subscriber)
            )
        else:
            if latest.lines:
                page = self.take(room, subscriber, self._pages.of_latest(room, latest))
                if page:
                    subscriber.send_page(page)
            self.try_live(room, subscriber)

    def fetch(self, room: Room, subscriber: Subscriber) -> asyncio.Task[Page | None]:
        """Begin to read the next page of a pulling subscriber that is behind; it is cancelled when the subscriber leaves.

        Its result, None if there is no page, is for `take`. Its errors: `Refused`, of the log.
        """
        fetching = asyncio.get_running_loop().create_task(self._read_on(room, subscriber))
        self._catching_up[subscriber] = fetching
        fetching.add_done_callback(lambda _: self._fetched(subscriber, fetching))
        return fetching

    def _fetched(self, subscriber: Subscriber, fetching: asyncio.Task[Page | None]) -> None:
        if self._catching_up.get(subscriber) is fetching:
            del self._catching_up[subscriber]

    async def _read_on(self, room: Room, subscriber: Subscriber) -> Page | None:
        """The next page of the log for a subscriber that is behind.

        None if there is none, its socket is full when it is its turn, or its cursor was moved meanwhile.
        """
        async with self._turns.turn(subscriber.tenant or Tenant(None), _charged_by(subscriber)):
            cursor = subscriber.cursor
            wanted = self._pages.wanted(room, cursor)
            if wanted < 1 or subscriber.is_full:
                return None
            try:
                page = await self._pages.read(room, cursor)
            except asyncio.CancelledError:
                # The thread reads all the same: else joining and leaving would have pages read for nothing.
                self._charge(subscriber, [""] * wanted)
                raise
            # If the log was replaced meanwhile, the page belongs to the old one.
            if not page.lines or subscriber.cursor != cursor:
                return None
            self._charge(subscriber, page.lines)
            return page

    def _charge(self, subscriber: Subscriber, lines: Sequence[str]) -> None:
        """Charge for the page with these messages at a subscriber's cursor."""
        limiter = _charged_by(subscriber)
        if limiter:
            charged = lines[: subscriber.charged_to - subscriber.cursor + 1]
            limiter.charge_catch_up(self._clock.now(), charged, subscriber.page_cost)

    def try_live(self, room: Room, subscriber: Subscriber) -> bool:
        """Make a subscriber live if it is at the head, and send it the notices and redactions that it missed while behind."""
        if not room.try_live(subscriber):
            return False
        self._notices.send_missed(room, subscriber)
        for redacted in room.missed_redactions(subscriber):
            subscriber.send(redacted)
        return True

    def forget(self, subscriber: Subscriber) -> None:
        """Stop serving a subscriber that has left."""
        if subscriber in self._catching_up:
            self._catching_up.pop(subscriber).cancel()

    async def close(self) -> None:
        """Stop serving all subscribers."""
        tasks = [*self._catching_up.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _catch_up(self, room: Room, subscriber: Subscriber) -> None:
        """Send pages until the subscriber is live, or its socket is full."""
        try:
            while not self.try_live(room, subscriber) and not subscriber.is_full:
                cursor = subscriber.cursor
                page = await self._read_on(room, subscriber)
                if page and (taken := self.take(room, subscriber, page)):
                    subscriber.send_page(taken)
                elif subscriber.cursor == cursor:
                    break
        except Refused as refusal:
            subscriber.refused(Refused(refusal.code, room=room.name))
        except Exception:
            log.exception(_BREAKS_OFF, room.name)
            subscriber.break_off()
        finally:
            # There must be no await between the last check of the subscriber and this line: `follow` may be called at once.
            self._catching_up.pop(subscriber, None)

    def take(self, room: Room, subscriber: Subscriber, page: Page) -> Broadcast | None:
        """Move a subscriber's cursor behind a page that is sent to it now.

        Returns:
            The page as the subscriber gets it, with the keys of its own messages; None if its cursor was moved since the page was read.
        """
        if subscriber.cursor != page.history.first:
            return None
        # A stream that is not read may have had it for minutes.
        page = page.as_now(room)
        history = room.with_keys(subscriber, page.history)
        subscriber.cursor += len(page.lines)
        self._counters.pages += 1
        self._counters.deliveries += len(page.lines)
        return page.broadcast if history is page.history else Broadcast([history])


def _charged_by(subscriber: Subscriber) -> RateLimiter | None:
    """The limits by which a subscriber's next page is charged; None if it is free."""
    limiter = subscriber.limiter
    if limiter is None or limiter.is_own_program or subscriber.cursor > subscriber.charged_to:
        return None
    return limiter
