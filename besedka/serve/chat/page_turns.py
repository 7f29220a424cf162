"""Turns at reading pages of the logs, for subscribers that are behind and for whoever asks for older messages.

One page is read at a time, in turn for sites and their people: a crowd of readers keeps nobody's post or join waiting for more than one page,
and no other reader for more than two. What was in the log before a reader came also has a price (`besedka.serve.limits.rate_limits`): its connection pays for
itself, and the readers of one address, and of one IPv6 site, queue for what all of them together may read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from weakref import WeakValueDictionary

from besedka.serve.chat.turns import Turns
from besedka.serve.limits.networks import Network, site_of
from besedka.serve.limits.rate_limits import RateLimiter
from besedka.serve.limits.room_shares import Tenant


class PageTurns:
    """Turns at reading pages.

    Nobody is refused: at most all subscriptions, connections and calls wait, and these are limited.

    Args:
        now: seconds of a monotonic clock.
    """

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._reading = Turns(waiting_at_most=None)
        # Each lives while somebody waits there.
        self._at: WeakValueDictionary[Network | None, Turns] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(
        self, reader: Tenant, limiter: RateLimiter | None, *, is_behind: bool = True
    ) -> AsyncIterator[None]:
        """Wait for a turn, and keep it for a block.

        Args:
            reader: the reader.
            limiter: the limits by which the page is charged, in the block; None if it is free.
            is_behind: whether it is a page that a subscriber has missed, for which its connection pays apart. For one that was asked for, the door
                has waited for the connection.
        """
        async with AsyncExitStack() as until_read:
            if limiter:
                if is_behind:
                    await self._wait(limiter.catch_up_delay)
                # Only the first of an address looks at what it may read: each page is charged before the next one is read.
                await until_read.enter_async_context(self._turns_at(reader.network).turn(reader))
                await self._wait(limiter.address_delay)
                site = site_of(reader.network)
                if site != reader.network:
                    await until_read.enter_async_context(self._turns_at(site).turn(reader))
                    await self._wait(limiter.site_delay)
            await until_read.enter_async_context(self._reading.turn(reader))
            yield

    def _turns_at(self, network: Network | None) -> Turns:
        turns = self._at.get(network)
        if turns is None:
            turns = self._at[network] = Turns(waiting_at_most=None)
        return turns

    async def _wait(self, delay: Callable[[float], float]) -> None:
        seconds = delay(self._now())
        if seconds:
            await asyncio.sleep(seconds)
