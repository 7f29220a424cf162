"""A thousand handshakes that never end (Slowloris): some half-open, some sent one byte at a time; and one who talks meanwhile."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from typing import Final

import psutil
from websockets.asyncio.client import ClientConnection, connect

from besedka.serve.doors.timeouts import REQUEST_SECONDS, SWEEP_SECONDS
from tests import looping
from tests.attacks.raw import handshake, request
from tests.clocks import BENT, SWEPT_OFTEN, Clocks
from tests.conftest import ServerMaker
from tests.lengths import LONG
from tests.looping import until
from tests.running import RunningServer

HALF_OPEN: Final = 500
DRIPPING: Final = 500
DRIPS: Final = 3
"""Bytes that come one by one before the server's clock jumps."""

BEGINNINGS: Final = [
    b"",
    b"G",
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\n",
    handshake()[:-2],
    handshake()[:-1],
]


class Slow:
    """A connection on which a request never ends."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._begun = time.monotonic()
        self.answer = asyncio.create_task(self._read(reader))

    @classmethod
    async def open(cls, port: int, at_once: bytes = b"") -> Slow:
        """Connect, and send this much."""
        slow = cls(*await asyncio.open_connection("127.0.0.1", port))
        slow.send(at_once)
        return slow

    def send(self, data: bytes) -> None:
        """Send a bit more, if the other side has not closed."""
        if not self.answer.done():
            self._writer.write(data)

    async def _read(self, reader: asyncio.StreamReader) -> tuple[bytes, float]:
        """The response, and the seconds until the connection is closed."""
        answer = await reader.read()
        self._writer.close()
        return answer, time.monotonic() - self._begun


async def half_open(server: RunningServer) -> list[Slow]:
    return [await Slow.open(server.port, BEGINNINGS[n % len(BEGINNINGS)]) for n in range(HALF_OPEN)]


async def dripping(server: RunningServer) -> list[Slow]:
    return [await Slow.open(server.port) for _ in range(DRIPPING)]


def drip(slow: Sequence[Slow], place: int) -> None:
    """Send the byte at this place of each request."""
    for number, one in enumerate(slow):
        one.send((handshake(), request())[number % 2][place : place + 1])


async def exchange(honest: ClientConnection) -> float:
    """Say something; returns after how many seconds it was heard back."""
    begun = time.perf_counter()
    await honest.send(json.dumps({"type": "chat", "text": f"{begun}"}))
    while json.loads(await honest.recv()).get("text") != f"{begun}":
        pass
    return time.perf_counter() - begun


@asynccontextmanager
async def an_honest_client(server: RunningServer) -> AsyncIterator[ClientConnection]:
    async with connect(server.url(), compression=None, open_timeout=looping.TIMEOUT_SECONDS) as honest:
        await honest.send('{"type":"join","user":"Honest"}')
        yield honest


def test_a_thousand_slow_handshakes_are_closed_in_time_and_nobody_waits_for_them(
    make_server: ServerMaker, clock: Clocks
) -> None:
    """Each is answered 408 when its eight seconds are over and not before, however many bytes come meanwhile; others go on talking."""
    clock.stand_still()
    server = make_server("--rate", "0", module=BENT, CONSTANTS=SWEPT_OFTEN, **clock.environment).start()

    async def attack() -> None:
        descriptors = psutil.Process(server.pid).num_fds
        async with an_honest_client(server) as honest:
            before = descriptors()
            first = await half_open(server)
            await until(lambda: descriptors() >= before + HALF_OPEN)  # it has taken all of them
            await exchange(honest)  # and looked at its clock for the last of them
            clock.jump(2)
            second = await dripping(server)
            await until(lambda: descriptors() >= before + HALF_OPEN + DRIPPING)
            await exchange(honest)
            for place in range(DRIPS):
                drip(second, place)
                await exchange(honest)
            clock.jump(REQUEST_SECONDS - 1)
            # The server looks at all of them at once.
            await until(lambda: all(one.answer.done() for one in first))
            assert not any(one.answer.done() for one in second)
            drip(second, DRIPS)
            await exchange(honest)
            clock.jump(2)
            await until(lambda: all(one.answer.done() for one in second))
            await exchange(honest)
            for one in (*first, *second):
                assert one.answer.result()[0].startswith(b"HTTP/1.1 408 ")

    looping.run(attack())


TALK_SECONDS: Final = 0.01
DRIP_SECONDS: Final = 0.5
QUIET_SECONDS: Final = 5.0
RUNS_AT_MOST: Final = 3
LONGEST_SECONDS: Final = 10.0


def by_the_true_clock(server: RunningServer) -> None:
    """All are closed within ten seconds, and 99 of 100 messages take no more than twice as long as before, or 5 ms."""

    async def measure() -> tuple[list[float], list[float], list[float]]:
        async with an_honest_client(server) as honest:
            quiet = await _talk(honest, asyncio.sleep(QUIET_SECONDS))
            slow: list[Slow] = []

            async def attack() -> None:
                slow.extend(await half_open(server))
                last = await dripping(server)
                slow.extend(last)
                for place in range(len(request())):
                    drip(last, place)
                    await asyncio.wait([one.answer for one in slow], timeout=DRIP_SECONDS)
                await asyncio.wait([one.answer for one in slow])

            meanwhile = await _talk(honest, attack())
            return quiet, meanwhile, [one.answer.result()[1] for one in slow]

    seen: list[tuple[float, float]] = []
    # A message may be late because other programs want the processor; not so many in each of some runs.
    while len(seen) < RUNS_AT_MOST and all(after >= max(2 * before, 0.005) for before, after in seen):
        quiet, meanwhile, lasted = looping.run(measure())
        before, after = (statistics.quantiles(waits, n=100)[-1] for waits in (quiet, meanwhile))
        print(f"p99 {1000 * before:.2f} ms in quiet, {1000 * after:.2f} ms meanwhile")  # noqa: T201
        assert REQUEST_SECONDS - 1 < min(lasted) <= max(lasted) < LONGEST_SECONDS
        seen.append((before, after))
    assert any(after < max(2 * before, 0.005) for before, after in seen), seen
    assert LONGEST_SECONDS > REQUEST_SECONDS + SWEEP_SECONDS


if LONG:

    def test_while_a_thousand_handshakes_are_slow_messages_are_as_quick_as_ever(
        server: RunningServer,
    ) -> None:
        """By the true clock: in `make torture`, where nothing else runs."""
        by_the_true_clock(server)


async def _talk(honest: ClientConnection, during: Awaitable[object]) -> list[float]:
    waits, running = [], asyncio.ensure_future(during)
    while not running.done():
        waits.append(await exchange(honest))
        await asyncio.sleep(TALK_SECONDS)
    await running
    return waits
