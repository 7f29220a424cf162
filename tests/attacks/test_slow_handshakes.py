"""A thousand handshakes that never end (Slowloris): some half-open, some sent one byte at a time; and one who talks meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect

from besedka.serve.doors.timeouts import REQUEST_SECONDS, SWEEP_SECONDS
from tests import looping
from tests.attacks.raw import handshake, request
from tests.running import RunningServer

LONG: Final = bool(os.environ.get("BESEDKA_TORTURE"))

HALF_OPEN: Final = 500
DRIPPING: Final = 500
TALK_SECONDS: Final = 0.01
DRIP_SECONDS: Final = 0.5
APART_SECONDS: Final = 0.004
GRACE_SECONDS: Final = 3.0
WAIT_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 10.0

BEGINNINGS: Final = [
    b"",
    b"G",
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\n",
    handshake()[:-2],
    handshake()[:-1],
]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was seen.

    Attributes:
        quiet: how long each message took before, in seconds.
        slow: how long meanwhile.
        answers: what each of the slow ones was told.
        lasted: after how many seconds it was closed.
    """

    quiet: Sequence[float]
    slow: Sequence[float]
    answers: Sequence[bytes]
    lasted: Sequence[float]


async def attack(server: RunningServer) -> Outcome:
    """Talk in quiet for some seconds, then with a thousand slow handshakes until all of them are closed."""
    async with connect(server.url(), compression=None) as honest:
        await honest.send('{"type":"join","user":"Honest"}')
        quiet = await _talk(honest, asyncio.create_task(asyncio.sleep(2)))
        slow = asyncio.gather(
            *(_attack(server.port, n, BEGINNINGS[n % len(BEGINNINGS)]) for n in range(HALF_OPEN)),
            *(_attack(server.port, n, b"", (handshake(), request())[n % 2]) for n in range(DRIPPING)),
        )
        waits = await _talk(honest, slow)
        answers, lasted = zip(*slow.result(), strict=True)
        return Outcome(quiet, waits, answers, lasted)


async def _talk(honest: ClientConnection, during: asyncio.Future[Any]) -> list[float]:
    waits = []
    while not during.done():
        begun = time.perf_counter()
        await honest.send(json.dumps({"type": "chat", "text": f"{begun}"}))
        while json.loads(await honest.recv()).get("text") != f"{begun}":
            pass
        waits.append(time.perf_counter() - begun)
        await asyncio.sleep(TALK_SECONDS)
    return waits


async def _attack(port: int, number: int, at_once: bytes, slowly: bytes = b"") -> tuple[bytes, float]:
    """Returns the answer, and after how many seconds the connection was closed."""
    # All at once they would keep our own loop from measuring.
    await asyncio.sleep(number * APART_SECONDS)
    begun = time.monotonic()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(reader.read())
    writer.write(at_once)
    for byte in slowly:
        writer.write(bytes([byte]))
        await asyncio.wait([answer], timeout=DRIP_SECONDS)
        if answer.done():
            break
    told = await answer
    writer.close()
    return told, time.monotonic() - begun


def test_a_thousand_slow_handshakes_are_closed_in_time_and_nobody_waits_for_them(
    server: RunningServer,
) -> None:
    """Each is answered 408 after eight seconds, and meanwhile no message of an honest client takes half a second.

    In `make torture`, where nothing else runs, all are closed within ten seconds, and 99 of 100 messages take no more than twice as long
    as before, or 5 ms.
    """
    outcome = looping.run(attack(server))
    assert len(outcome.answers) == HALF_OPEN + DRIPPING
    assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in outcome.answers)
    assert min(outcome.lasted) > REQUEST_SECONDS - 1
    # A machine that is busy with other things keeps us, too, from seeing an end.
    assert max(outcome.lasted) < REQUEST_SECONDS + SWEEP_SECONDS + GRACE_SECONDS + max(outcome.slow)
    assert len(outcome.slow) > 100
    # A machine that is busy with other things may be slow in quiet, too.
    assert max(outcome.slow) < max(WAIT_SECONDS, 3 * max(outcome.quiet))
    quiet, slow = (statistics.quantiles(waits, n=100)[-1] for waits in (outcome.quiet, outcome.slow))
    print(f"p99 {1000 * quiet:.2f} ms in quiet, {1000 * slow:.2f} ms meanwhile")  # noqa: T201
    assert not LONG or (slow < max(2 * quiet, 0.005) and max(outcome.lasted) < LONGEST_SECONDS)
