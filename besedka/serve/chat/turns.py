"""Turns at something that one asker, or a few, use at a time: sites take turns, and so do the people at one site, which for IPv4 is an address."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from besedka.serve.limits.networks import Network, site_of
from besedka.serve.limits.room_shares import Tenant
from besedka.wire.errors import ErrorCode, Refused

WAITING_AT_MOST: Final = 200
"""Those who wait at one site as the same person, or without a name of their own; others are refused until it is less."""

RETRY_SECONDS: Final = 1.0
"""When those who are refused may ask again: until then at least ten have had their turn."""


_Waiting = OrderedDict[asyncio.Future[None], None]


class Turns:
    """Turns at one thing.

    Args:
        waiting_at_most: the number of those who may wait at one site as the same person; None where something else limits it.
        places: the number of turns at the same time.
    """

    def __init__(self, waiting_at_most: int | None = WAITING_AT_MOST, places: int = 1) -> None:
        self._waiting_at_most = waiting_at_most
        self._free = places
        # By site and then by person, the longest-waiting first.
        self._waiting: OrderedDict[Network | None, OrderedDict[str, _Waiting]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, asker: Tenant) -> AsyncIterator[None]:
        """Wait for a turn, and keep it for a block.

        Raises:
            Refused: `too_fast` if too many of the same asker are waiting.
        """
        if self._free:
            self._free -= 1
        else:
            await self._wait(asker)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, asker: Tenant) -> None:
        people = self._waiting.setdefault(site_of(asker.network), OrderedDict())
        queue = people.setdefault(asker.claim, OrderedDict())
        if self._waiting_at_most is not None and len(queue) >= self._waiting_at_most:
            raise Refused(ErrorCode.TOO_FAST, wait=RETRY_SECONDS)
        turn = asyncio.get_running_loop().create_future()
        queue[turn] = None
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._pass_on()
            else:
                self._give_up(asker, turn)
            raise

    def _give_up(self, asker: Tenant, turn: asyncio.Future[None]) -> None:
        """Remove one that waits no longer, at once: a crowd that comes and goes would fill the memory."""
        site = site_of(asker.network)
        people = self._waiting.get(site, OrderedDict())
        queue = people.get(asker.claim, OrderedDict())
        if turn not in queue:
            return  # it was passed over meanwhile
        del queue[turn]
        if not queue:
            del people[asker.claim]
        if not people:
            del self._waiting[site]

    def _pass_on(self) -> None:
        """Give a turn that has ended to the next who still waits."""
        while self._waiting:
            site, people = self._waiting.popitem(last=False)
            claim, queue = people.popitem(last=False)
            turn, _ = queue.popitem(last=False)
            # Whoever remains goes to the end of the line.
            if queue:
                people[claim] = queue
            if people:
                self._waiting[site] = people
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
