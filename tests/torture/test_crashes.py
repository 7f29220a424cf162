"""Crashes at random moments under load: nothing that was acknowledged is lost, nothing is doubled or forged."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import Awaitable, Callable

import pytest

from tests import looping
from tests.blackbox.test_how_the_server_is import figures
from tests.conftest import ServerMaker
from tests.lengths import LONG
from tests.running import RunningServer
from tests.torture.checker import Record, check
from tests.torture.crowd import CALM_SECONDS, are_heard, torment
from tests.torture.holding import FAULTY

MOMENT_SECONDS = 0.05
"""Within such a time some messages are on their way, and some batches are written, at any chance moment."""


def run(
    server: RunningServer, people: int, pause: float, torments: Callable[[Record], Awaitable[None]]
) -> int:
    record = looping.run(torment(server.urls, people, pause, torments))
    assert server.stop() == 0
    count = check(record, server.history)
    assert len(record.acknowledged) > 0
    return count


def test_kill_9_loses_nothing_and_doubles_nothing(make_server: ServerMaker) -> None:
    server = make_server(grpc=True).start()
    kills = 500 if LONG else 5

    async def torments(record: Record) -> None:
        for _ in range(kills):
            await are_heard(record, 1)
            await asyncio.sleep(random.uniform(0, MOMENT_SECONDS))
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)

    count = run(server, 20, 0.1, torments)
    print(f"{kills} kills, {count} messages")  # noqa: T201 - a figure for docs/reliability.md


@pytest.mark.parametrize("call", ["write", "fdatasync"])
def test_an_input_output_error_ends_the_server_and_the_next_one_goes_on(
    make_server: ServerMaker, call: str
) -> None:
    server = make_server(module=FAULTY, FAULTS=json.dumps({"call": call, "at": 5, "errno": "EIO"})).start()
    errors = 50 if LONG else 3

    async def torments(_record: Record) -> None:
        for _ in range(errors):
            assert await asyncio.to_thread(server.wait) == 1
            # The first sync is that of the start: if it fails, there is no start.
            plan = {"call": call, "at": random.randint(2, 40), "errno": "EIO"}
            server.environment["FAULTS"] = json.dumps(plan)
            await asyncio.to_thread(server.start)
        await asyncio.to_thread(server.wait)
        server.environment["FAULTS"] = "{}"
        await asyncio.to_thread(server.start)

    run(server, 5, 0.02, torments)
    lines = [line for line in server.errors.splitlines() if line.startswith("besedka: ")]
    assert len(lines) == errors + 1
    assert all("cannot be written any more: input/output error" in line for line in lines)


def refusals(server: RunningServer) -> float:
    """How many messages have been refused because the disk is full."""
    return figures(server).get("besedka_refusals_total:storage_full", 0)


@pytest.mark.parametrize("number", ["ENOSPC", "EFBIG"])
def test_a_full_disk_stops_nothing_but_the_messages_that_find_no_room(
    make_server: ServerMaker, number: str
) -> None:
    times = 100 if LONG else 10
    plan = {"call": "write", "at": 10, "times": times, "errno": number}
    server = make_server(module=FAULTY, FAULTS=json.dumps(plan)).start()

    async def torments(record: Record) -> None:
        async with asyncio.timeout(CALM_SECONDS):
            # Each failed write refuses at least one message; the log says so once in a while only.
            while await asyncio.to_thread(refusals, server) < times:
                await are_heard(record, 1)

    run(server, 5, 0.01, torments)
    assert 1 <= server.errors.count("no room for") < times
