"""One address uses every request of every door as fast as it may, and nobody else notices."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from statistics import quantiles
from typing import Final

import psutil
from websockets.asyncio.client import ClientConnection, connect

from tests import looping
from tests.clocks import BENT
from tests.conftest import ServerMaker
from tests.lengths import LONG
from tests.running import ROOT, RunningServer
from tests.torture.greedy import FRAMES

SECONDS: Final = float(os.environ.get("BESEDKA_GREEDY_SECONDS", "600")) if LONG else 3.0
ROUNDS: Final = 5 if LONG else 1
"""Rounds of being attacked and not, in turns: what else this machine does comes and goes, and slows both alike."""

CALM_SECONDS: Final = min(SECONDS, 200.0) if LONG else 0.5
"""How long is measured in all while another server is attacked: its attackers use as much of this machine."""

VICTIMS: Final = 5
PAUSE_SECONDS: Final = 0.2
TIMES_SLOWER_AT_MOST: Final = 2.0
GROWTH_AT_MOST: Final = 50 << 20
LOG_MESSAGES: Final = 100_000 if LONG else 2_000

EVERYTHING: Final = 31
"""The kinds of requests of `tests.torture.greedy`."""


def test_one_address_that_uses_everything_slows_nobody_else(make_server: ServerMaker, tmp_path: Path) -> None:
    server, other = (_started(make_server, tmp_path / name) for name in ("server", "other"))
    process = psutil.Process(server.pid)
    calm, attacked, used = [], [], Counter[str]()
    before = 0
    for _ in range(ROUNDS):
        calm += _measure(server, other, CALM_SECONDS / ROUNDS)[0]
        before = before or process.memory_info().rss
        took, requests = _measure(server, server, SECONDS / ROUNDS)
        attacked += took
        used.update(requests)
    growth = process.memory_info().rss - before
    print(  # noqa: T201 - for the report of `make torture`
        f"p99 of {len(calm)} posts while another server is attacked: {_p99(calm) * 1e3:.1f} ms; "
        f"of {len(attacked)} while this one is: {_p99(attacked) * 1e3:.1f} ms; memory +{growth >> 20} MiB; {dict(used)}"
    )
    assert {*FRAMES} <= {*used}
    assert not LONG or len(used) == EVERYTHING
    assert growth < GROWTH_AT_MOST
    assert not LONG or _p99(attacked) <= TIMES_SLOWER_AT_MOST * _p99(calm)


def _started(make_server: ServerMaker, directory: Path) -> RunningServer:
    """A server for which the attackers, at 127.0.0.1, and the others are strangers from different addresses."""
    directory.mkdir()
    server = make_server(directory=directory, module=BENT, OWN_ADDRESS="none", grpc=True)
    line = "[2025-01-01 00:00:00] Old: a message of a busy day\n"
    server.history.write_text(line * LOG_MESSAGES)
    return server.start()


def _measure(
    server: RunningServer, attacked: RunningServer, seconds: float
) -> tuple[list[float], dict[str, int]]:
    """How long messages took at a server while one is attacked, and the attackers' requests by kind."""
    with _greedy(attacked, seconds) as attack:
        took = looping.run(_post_for(server, seconds))
        return took, json.loads(attack.communicate()[0])


def _greedy(server: RunningServer, seconds: float) -> subprocess.Popen[str]:
    arguments = [str(server.port), str(server.grpc_port), str(seconds)]
    command = [sys.executable, "-m", "tests.torture.greedy", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


async def _post_for(server: RunningServer, seconds: float) -> list[float]:
    """Have some people post now and then, for so many seconds; how long each message took until it was received."""
    took = await asyncio.gather(*(_victim(server, number, seconds) for number in range(VICTIMS)))
    return [one for those in took for one in those]


async def _victim(server: RunningServer, number: int, seconds: float) -> list[float]:
    took = []
    until = time.monotonic() + seconds
    source = (f"127.0.0.{2 + number}", 0)
    async with connect(server.url(), max_size=None, ping_interval=None, local_addr=source) as socket:
        await socket.send(json.dumps({"type": "join", "user": f"Victim {number}", "room": "others"}))
        for message in range(1_000_000):
            if time.monotonic() > until:
                break
            began = time.monotonic()
            await socket.send(
                json.dumps({"type": "chat", "room": "others", "text": "x", "key": f"k{message}"})
            )
            await _receive(socket, f"k{message}")
            took.append(time.monotonic() - began)
            await asyncio.sleep(PAUSE_SECONDS)
    return took


async def _receive(socket: ClientConnection, key: str) -> None:
    async with asyncio.timeout(60):
        async for data in socket:
            frame = json.loads(data)
            assert frame["type"] != "error", frame
            if frame.get("key") == key:
                return


def _p99(seconds: list[float]) -> float:
    return quantiles(seconds, n=100)[-1]
