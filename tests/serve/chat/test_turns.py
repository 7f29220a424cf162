"""Turns: sites first, then the people of one site; nobody who is gone, and nobody without end."""

from __future__ import annotations

import asyncio
from ipaddress import IPv4Address, IPv6Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from besedka.serve.chat.turns import WAITING_AT_MOST, Turns
from besedka.serve.limits.room_shares import Tenant
from besedka.wire.errors import ErrorCode, Refused
from tests import looping
from tests.looping import settle

HERE, THERE = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.2")
ANNA, BORIS = "a" * 64, "b" * 64


class Desk:
    """A thing that one asker uses at a time, and the order in which they did."""

    def __init__(self) -> None:
        self.turns = Turns()
        self.served: list[Tenant] = []
        self._users = 0
        self._may_end = asyncio.Semaphore(0)

    async def ask(self, asker: Tenant) -> None:
        async with self.turns.turn(asker):
            self._users += 1
            assert self._users == 1
            self.served.append(asker)
            try:
                await self._may_end.acquire()
            finally:
                self._users -= 1

    async def serve_all(self, *askers: Tenant) -> list[asyncio.Task[None]]:
        """Have them ask in this order, and serve one after the other."""
        asking = await self.all_ask(*askers)
        for _ in askers:
            self.serve()
        await asyncio.gather(*asking)
        return asking

    async def all_ask(self, *askers: Tenant) -> list[asyncio.Task[None]]:
        asking = [asyncio.ensure_future(self.ask(asker)) for asker in askers]
        await settle()
        return asking

    def serve(self) -> None:
        self._may_end.release()


def test_one_with_a_name_of_their_own_waits_for_no_crowd_of_others() -> None:
    async def scenario() -> None:
        desk = Desk()
        await desk.serve_all(*[Tenant(HERE)] * 60, Tenant(HERE, ANNA), Tenant(THERE))
        assert desk.served.index(Tenant(HERE, ANNA)) <= 3
        assert desk.served.index(Tenant(THERE)) <= 2

    looping.run(scenario())


def test_many_people_at_one_address_take_one_turn_of_another() -> None:
    async def scenario() -> None:
        desk = Desk()
        crowd = [Tenant(HERE, f"{number:064}") for number in range(20)]
        await desk.serve_all(*crowd, *[Tenant(THERE)] * 3)
        assert [number for number, asker in enumerate(desk.served) if asker.network == THERE] == [2, 4, 6]

    looping.run(scenario())


def test_many_networks_of_one_ipv6_site_take_one_turn_of_another() -> None:
    async def scenario() -> None:
        desk = Desk()
        crowd = [Tenant(network) for network in IPv6Network("2001:db8:1::/59").subnets(new_prefix=64)]
        await desk.serve_all(*crowd, *[Tenant(THERE)] * 3)
        assert [number for number, asker in enumerate(desk.served) if asker.network == THERE] == [2, 4, 6]

    looping.run(scenario())


def test_those_who_wait_are_bounded_for_each_asker() -> None:
    async def scenario() -> None:
        desk = Desk()
        asking = await desk.all_ask(*[Tenant(HERE)] * (WAITING_AT_MOST + 1))
        with pytest.raises(Refused) as refused:
            await desk.ask(Tenant(HERE))
        assert refused.value.code is ErrorCode.TOO_FAST
        assert refused.value.wait > 0
        await desk.all_ask(Tenant(HERE, ANNA))  # not for others
        for task in asking:
            task.cancel()
        await settle()
        assert desk.served == [Tenant(HERE), Tenant(HERE, ANNA)]

    looping.run(scenario())


def test_those_who_give_up_leave_their_place_to_others_at_once() -> None:
    async def scenario() -> None:
        desk = Desk()
        await desk.all_ask(Tenant(THERE))
        for _ in range(2):
            for task in await desk.all_ask(*[Tenant(HERE)] * WAITING_AT_MOST):
                assert not task.done()
                task.cancel()
            await settle()

    looping.run(scenario())


@given(st.data())
def test_whoever_leaves_while_they_wait_holds_up_nobody(data: st.DataObject) -> None:
    askers = data.draw(
        st.lists(st.builds(Tenant, st.sampled_from([None, HERE, THERE]), st.sampled_from(["", ANNA, BORIS])))
    )
    leaving = data.draw(st.sets(st.integers(0, max(0, len(askers) - 1))))

    async def scenario() -> None:
        desk = Desk()
        asking = await desk.all_ask(*askers)
        for number in leaving & {*range(len(askers))}:
            asking[number].cancel()
        await settle()
        for _ in askers:
            desk.serve()
        outcomes = await asyncio.gather(*asking, return_exceptions=True)
        gone = [outcome for outcome in outcomes if isinstance(outcome, asyncio.CancelledError)]
        assert len(gone) == len(leaving & {*range(len(askers))})
        async with desk.turns.turn(Tenant(HERE)):
            pass  # nobody has kept the turn

    looping.run(scenario())
