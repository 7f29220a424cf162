"""A small soak: people come, talk and go without a pause, some never read; the server stays as small as it was."""

from __future__ import annotations

import asyncio
import os
import random
from contextlib import suppress

import psutil
from websockets.asyncio.client import connect

from besedka.wire.frames import Join, Say, encode
from tests import looping
from tests.conftest import ServerMaker

LONG = bool(os.environ.get("BESEDKA_TORTURE"))
SECONDS = 300 if LONG else 12
VISITORS = 100


async def visit(url: str, name: str, until: float) -> int:
    """Come, say something, read or not, and go in one of several ways; again and again."""
    visits = 0
    while asyncio.get_running_loop().time() < until:
        socket = await connect(url, compression=None, max_queue=4)
        await socket.send(encode(Join(user=f"{name}-{visits}", room=random.choice(("main", "main", "side")))))
        await asyncio.sleep(random.uniform(0, 0.5))
        if random.random() < 0.5:
            await socket.send(encode(Say(text="x" * random.randint(1, 2_000))))
        with suppress(TimeoutError):  # perhaps nobody says anything just now
            async with asyncio.timeout(1):
                for _ in range(random.choice((0, 5))):
                    await socket.recv()
        if random.random() < 0.5:
            socket.transport.abort()
        else:
            await socket.close()
        visits += 1
    return visits


def test_comings_and_goings_leave_nothing_behind(make_server: ServerMaker) -> None:
    server = make_server("--rate", "0").start()
    process = psutil.Process(server.pid)
    sizes: list[int] = []

    async def scenario() -> int:
        until = asyncio.get_running_loop().time() + SECONDS
        visitors = asyncio.gather(*(visit(server.url(), f"v{number}", until) for number in range(VISITORS)))
        while not visitors.done():
            await asyncio.sleep(SECONDS / 12)
            sizes.append(process.memory_info().rss)
        return sum(await visitors)

    open_before = process.num_fds()
    visits = looping.run(scenario())
    looping.run(asyncio.sleep(2))
    assert process.num_fds() <= open_before + 2, "descriptors leak"
    grown = max(sizes[-3:]) / max(sizes[3:6]) - 1
    print(f"{visits} visits, {sizes[-1] / 1e6:.1f} MB, {100 * grown:+.1f} % since a third of the time")  # noqa: T201
    assert grown < 0.1
    assert server.stop() == 0
