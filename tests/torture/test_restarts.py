"""Restarts under load, and a disk that does not answer: the server ends in time, and nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import json
import time

from tests import looping
from tests.conftest import ServerMaker
from tests.lengths import LONG
from tests.running import RunningServer
from tests.talking import WireClient
from tests.torture.checker import Record, check
from tests.torture.crowd import are_heard, torment
from tests.torture.holding import FAULTY, until_it_waits

STOP_SECONDS = 5.0


def stop_in_time(server: RunningServer) -> int:
    begun = time.monotonic()
    status = server.stop()
    assert time.monotonic() - begun < STOP_SECONDS
    return status


def test_restarts_under_load_lose_nothing_and_double_nothing(make_server: ServerMaker) -> None:
    server = make_server(grpc=True).start()
    restarts = 20 if LONG else 2
    slowest = 0.0

    async def torments(record: Record) -> None:
        nonlocal slowest
        for _ in range(restarts):
            await are_heard(record, 300 if LONG else 30)
            begun = time.monotonic()
            assert await asyncio.to_thread(server.stop) == 0
            slowest = max(slowest, time.monotonic() - begun)
            await asyncio.to_thread(server.start)

    record = looping.run(torment(server.urls, 100 if LONG else 20, 0.1, torments))
    assert slowest < STOP_SECONDS
    assert stop_in_time(server) == 0
    count = check(record, server.history)
    assert count == len(record.attempted) == len(record.acknowledged)
    print(f"{restarts} restarts, {count} messages, the slowest stop took {slowest:.2f} s")  # noqa: T201


def test_a_stop_waits_neither_for_those_who_do_not_read_nor_for_those_who_do_not_answer(
    make_server: ServerMaker,
) -> None:
    server = make_server("--rate", "0").start()
    with (
        WireClient(server) as anna,
        WireClient(server, max_queue=16) as deaf,
        WireClient(server, max_queue=16) as mute,
    ):
        deaf.join("Deaf")
        mute.join("Mute")
        mute.half_close()
        anna.join("Anna")
        anna.say_many(["x" * 4_000] * 2_000)
        assert stop_in_time(server) == 0
        assert anna.ending()[0] == 1012
        deaf.abort()
        mute.abort()


def test_a_disk_that_does_not_answer_does_not_keep_the_server_from_ending(make_server: ServerMaker) -> None:
    server = make_server(module=FAULTY, FAULTS=json.dumps({"delay": 30})).start()

    async def torments(_record: Record) -> None:
        await asyncio.to_thread(until_it_waits, server)
        begun = time.monotonic()
        assert await asyncio.to_thread(server.stop) == 1
        assert time.monotonic() - begun < STOP_SECONDS
        server.environment["FAULTS"] = "{}"
        await asyncio.to_thread(server.start)

    record = looping.run(torment(server.urls, 5, 0.05, torments))
    assert "besedka: the disk did not answer within 2 seconds" in server.errors
    assert server.stop() == 0
    assert check(record, server.history) == len(record.attempted) > 0
