"""Turns at pages of the log: addresses and people share the one reading, and what the readers of one address may read."""

from __future__ import annotations

import asyncio
from collections import Counter
from ipaddress import IPv4Address, IPv6Network
from typing import Final

import pytest

from besedka.serve.chat.page_turns import PageTurns
from besedka.serve.limits.networks import Network
from besedka.serve.limits.rate_limits import RateLimiter, RateLimits
from besedka.serve.limits.room_shares import Tenant
from besedka.serve.limits.sources import Sources
from besedka.wire.frames import PAGE_MESSAGES_AT_MOST
from tests.looping import run_jumping

HERE, THERE = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")
ANNA: Final = "a" * 64

PAGE_SECONDS: Final = 0.004
"""For which a page keeps its turn here."""

FRAMES: Final = 21
"""The price of a whole page of short messages."""


async def lasts(seconds: float) -> None:
    """Let so much time pass, by the clock that jumps."""
    await asyncio.sleep(seconds)


class Reading:
    """Readers that never come to an end, and what each has read.

    Attributes:
        pages: the number of pages by reader.
        waits: the longest time between two pages, by reader.
    """

    def __init__(self) -> None:
        self.pages: Counter[str] = Counter()
        self.waits: dict[str, float] = {}
        self._turns = PageTurns(self.now)
        self._sources = Sources(RateLimits())
        self._readers: list[asyncio.Task[None]] = []

    def now(self) -> float:
        return asyncio.get_running_loop().time()

    def limiter(self, network: Network) -> RateLimiter:
        address = network if isinstance(network, IPv4Address) else network[1]
        return self._sources.limiter(self._sources.admit(str(address)))

    def begin(self, name: str, tenant: Tenant, limiter: RateLimiter | None) -> None:
        self._readers.append(asyncio.ensure_future(self._read(name, tenant, limiter)))

    async def end_after(self, seconds: float) -> None:
        await lasts(seconds)
        for reader in self._readers:
            reader.cancel()
        await asyncio.gather(*self._readers, return_exceptions=True)

    async def _read(self, name: str, tenant: Tenant, limiter: RateLimiter | None) -> None:
        while True:
            began = self.now()
            async with self._turns.turn(tenant, limiter):
                await lasts(PAGE_SECONDS)
                if limiter:
                    limiter.charge_catch_up(self.now(), ["short"] * PAGE_MESSAGES_AT_MOST)
            self.pages[name] += 1
            self.waits[name] = max(self.waits.get(name, 0.0), self.now() - began)


def test_a_crowd_of_one_address_keeps_a_reader_of_another_waiting_for_two_pages() -> None:
    async def scenario() -> None:
        reading = Reading()
        for number in range(300):  # more than may wait for a search
            reading.begin(f"{number}", Tenant(HERE), None)
        reading.begin("other", Tenant(THERE), reading.limiter(THERE))
        await reading.end_after(0.3)
        assert reading.waits["other"] == pytest.approx(3 * PAGE_SECONDS)

    run_jumping(scenario())


def test_all_readers_of_an_address_read_no_more_than_it_may_and_its_posts_do_not_wait() -> None:
    async def scenario() -> None:
        reading, owed = Reading(), 0.0
        fellow = reading.limiter(HERE)
        for number in range(200):
            reading.begin(f"{number}", Tenant(HERE), reading.limiter(HERE))
        for _ in range(100):
            await lasts(0.1)
            owed = max(owed, fellow.delay(reading.now()))
        await reading.end_after(0)
        at_once, a_second = 4_000 / FRAMES, 2_000 / FRAMES
        assert reading.pages.total() == pytest.approx(at_once + 10 * a_second, rel=0.02)
        assert {*reading.pages.values()} <= {5, 6}
        assert owed <= FRAMES / 2_000 + 1e-6

    run_jumping(scenario())


def test_all_readers_of_an_ipv6_site_read_twice_as_much_as_an_address() -> None:
    async def scenario() -> None:
        reading = Reading()
        for number, network in enumerate(IPv6Network("2001:db8:1::/57").subnets(new_prefix=64)):
            reading.begin(f"{number}", Tenant(network), reading.limiter(network))
        await reading.end_after(10)
        at_once, a_second = 2 * 4_000 / FRAMES, 2 * 2_000 / FRAMES
        assert reading.pages.total() == pytest.approx(at_once + 10 * a_second, rel=0.02)

    run_jumping(scenario())


def test_a_person_does_not_wait_for_all_others_of_their_address() -> None:
    async def scenario() -> None:
        reading = Reading()
        spent = reading.limiter(HERE)
        for number in range(200):
            reading.begin(f"{number}", Tenant(HERE), reading.limiter(HERE))
        reading.begin("Anna", Tenant(HERE, ANNA), reading.limiter(HERE))
        spent.charge_catch_up(0.0, [""] * 100_000)
        await reading.end_after(1)
        assert reading.pages["Anna"] == pytest.approx(reading.pages.total() / 3, abs=2)

    run_jumping(scenario())


def test_a_connection_reads_twenty_thousand_messages_at_once_and_then_at_its_pace() -> None:
    async def scenario() -> None:
        reading = Reading()
        reading.begin("one", Tenant(HERE), reading.limiter(HERE))
        await lasts(60 * PAGE_SECONDS)
        assert 40 <= reading.pages["one"] < 60
        await reading.end_after(60 - reading.now())
        assert reading.pages["one"] == pytest.approx((1_200 + 60 * 200) / FRAMES, rel=0.01)

    run_jumping(scenario())
