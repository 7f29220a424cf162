"""Handshakes that never end: some half-open, some sent one byte at a time; and one who talks meanwhile."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from websockets.asyncio.client import ClientConnection, connect

from besedka.serve.doors.patience import REQUEST_SECONDS, SWEEP_SECONDS
from tests.attacks.raw import handshake, request
from tests.running import RunningServer

HALF_OPEN: Final = 500
DRIPPING: Final = 500
TALK_SECONDS: Final = 0.01
DRIP_SECONDS: Final = 0.5
GRACE_SECONDS: Final = 3.0

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
        lasted: after how many seconds the last of them was closed.
    """

    quiet: Sequence[float]
    slow: Sequence[float]
    answers: Sequence[bytes]
    lasted: float


async def attack(server: RunningServer) -> Outcome:
    """Talk in quiet for some seconds, then with a thousand slow handshakes until all of them are closed."""
    async with connect(server.url(), compression=None) as honest:
        await honest.send('{"type":"join","user":"Honest"}')
        quiet = await _talk(honest, asyncio.create_task(asyncio.sleep(2)))
        begun = time.monotonic()
        slow = asyncio.gather(
            *(_half_open(server.port, BEGINNINGS[n % len(BEGINNINGS)]) for n in range(HALF_OPEN)),
            *(_drip(server.port, (handshake(), request())[n % 2]) for n in range(DRIPPING)),
        )
        waits = await _talk(honest, slow)
        return Outcome(quiet, waits, slow.result(), time.monotonic() - begun)


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


async def _half_open(port: int, beginning: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(beginning)
    answer = await reader.read()
    writer.close()
    return answer


async def _drip(port: int, data: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = asyncio.create_task(reader.read())
    for byte in data:
        writer.write(bytes([byte]))
        await asyncio.wait([answer], timeout=DRIP_SECONDS)
        if answer.done():
            break
    writer.close()
    return await answer


def assert_closed(outcome: Outcome) -> None:
    """All slow ones were told so, and soon."""
    assert len(outcome.answers) == HALF_OPEN + DRIPPING
    assert all(answer.startswith(b"HTTP/1.1 408 ") for answer in outcome.answers)
    assert REQUEST_SECONDS - 1 < outcome.lasted < REQUEST_SECONDS + SWEEP_SECONDS + GRACE_SECONDS
