"""A small soak: people come, talk and go without a pause, some never read; the server stays as small as it was."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from contextlib import suppress

import psutil
from websockets.asyncio.client import connect

from besedka.wire.frames import Join, Say, encode
from tests import looping
from tests.commanding import wait_until
from tests.conftest import ServerMaker
from tests.lengths import LONG

PARTS = 12
STAY_SECONDS = 0.1
"""Some stay as long as it takes others to come, and others go at once."""

VISITORS = 100
VISITS = 1_000 if LONG else 12
"""Of each."""


async def visit(url: str, name: str, note_end: Callable[[], None]) -> None:
    """Come, say something, read or not, and go in one of several ways; again and again."""
    for number in range(VISITS):
        socket = await connect(url, compression=None, max_queue=4, open_timeout=looping.TIMEOUT_SECONDS)
        await socket.send(encode(Join(user=f"{name}-{number}", room=random.choice(("main", "main", "side")))))
        await asyncio.sleep(random.uniform(0, STAY_SECONDS))
        if random.random() < 0.5:
            await socket.send(encode(Say(text="x" * random.randint(1, 2_000))))
        with suppress(TimeoutError):  # perhaps nobody says anything just now
            async with asyncio.timeout(STAY_SECONDS):
                for _ in range(random.choice((0, 5))):
                    await socket.recv()
        if random.random() < 0.5:
            socket.transport.abort()
        else:
            await socket.close()
        note_end()


def test_comings_and_goings_leave_nothing_behind(make_server: ServerMaker) -> None:
    server = make_server("--rate", "0").start()
    process = psutil.Process(server.pid)
    sizes: list[int] = []
    ends = itertools.count(1)

    def note_end() -> None:
        if next(ends) % (VISITORS * VISITS // PARTS) == 0:
            sizes.append(process.memory_info().rss)

    async def scenario() -> None:
        await asyncio.gather(*(visit(server.url(), f"v{number}", note_end) for number in range(VISITORS)))

    open_before = process.num_fds()
    looping.run(scenario())
    wait_until(lambda: process.num_fds() <= open_before + 2)  # descriptors do not leak
    assert len(sizes) == PARTS
    grown = max(sizes[-3:]) / max(sizes[3:6]) - 1
    summary = f"{VISITORS * VISITS} visits, {sizes[-1] / 1e6:.1f} MB, {100 * grown:+.1f} % since a third of the time"
    print(summary)  # noqa: T201
    assert grown < 0.1
    assert server.stop() == 0
