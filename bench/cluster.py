"""The cost of a node of a cluster, beside a single server and a bare stream: ``python bench/cluster.py``.

Three servers of NATS and three nodes on loopback. In each round a bare publisher of JetStream, a single server and a node take
turns, and a table shows the medians: how long a message takes with one in flight, how many are stored in a second with 64 in
flight, and the CPU of a delivery where 500 read. Last, how long a new node takes to catch up.
"""

from __future__ import annotations

import asyncio
import dataclasses
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import nats
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import StreamConfig
from nats.js.errors import Error as StreamError

ROOT: Final = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from harness import peers  # noqa: E402 - below what makes the tools importable
from harness.load import Load  # noqa: E402
from harness.peers import Peer  # noqa: E402
from harness.plan import Plan  # noqa: E402
from harness.server import Server, allow_files  # noqa: E402
from harness.tools import CACHE  # noqa: E402

from tools.run_cluster import server_config, server_url  # noqa: E402

ROUNDS: Final = 5
ALONE: Final = 300
IN_FLIGHT: Final = 64
MESSAGES: Final = 6_400
READERS: Final = 500
READ: Final = 640
"""Messages that they read."""
LONG: Final = 150_000
ADDRESSES: Final = ("127.0.0.1:14222", "127.0.0.1:14223", "127.0.0.1:14224")
ROUTES: Final = ("127.0.0.1:16222", "127.0.0.1:16223", "127.0.0.1:16224")
TEXT: Final = b"x" * 45
TRIES: Final = 100

GONE_SECONDS: Final = 2.0
"""After so long the names of the last round are free again."""


def main() -> None:
    """Measure, and print the table."""
    allow_files()
    plan = Plan(say=print)
    figures: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    node = _node()
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as folder, _servers(Path(folder)), ExitStack() as until:
        first, *_ = [until.enter_context(Server(node, plan.tools)) for _ in range(3)]
        single = until.enter_context(Server(peers.BESEDKA, plan.tools))
        for number in range(ROUNDS):
            print(f"round {number + 1} of {ROUNDS}", flush=True)
            for name, value in asyncio.run(_bare()).items():
                figures["JetStream", name].append(value)
            for name, server in (("single", single), ("node", first)):
                for what, value in _measured(server, plan, f"round{number}").items():
                    figures[name, what].append(value)
        time.sleep(GONE_SECONDS)
        with Load(plan.tools, first.port, _speech("long")) as load:
            load.ask("open 1")
            load.ask(f"say {LONG} flight 512")
        before = time.perf_counter()
        until.enter_context(Server(node, plan.tools))
        caught_up = time.perf_counter() - before
    for (name, what), values in figures.items():
        print(
            f"{name:10} {what:34} {statistics.median(values):10.2f}   {min(values):.2f} … {max(values):.2f}"
        )
    print(f"a new node has the {LONG:,} messages, and those before, {caught_up:.1f} s after its start")


def _node() -> Peer:
    urls = ",".join(map(server_url, ADDRESSES))
    return dataclasses.replace(
        peers.BESEDKA,
        command=lambda tools, folder: [
            *peers.BESEDKA.command(tools, folder),
            *("--utc", "--cluster", urls),
        ],
    )


@contextmanager
def _servers(folder: Path) -> Iterator[None]:
    started: list[subprocess.Popen[Any]] = []
    program = Path(sys.executable).with_name("nats-server")
    try:
        for number in range(len(ADDRESSES)):
            conf = folder / f"nats-{number}.conf"
            store = folder / f"nats-{number}"
            conf.write_text(server_config(number, store, ADDRESSES, ROUTES), encoding="utf-8")
            started.append(subprocess.Popen([program, "-c", conf], stderr=subprocess.DEVNULL))
        yield
    finally:
        for process in started:
            process.terminate()
            process.wait()


def _speech(room: str) -> list[str]:
    """Besedka's speech in a room of its own: in one with a history newcomers receive what the load has not said."""
    rooms = (
        ('{"type":"join"', f'{{"type":"join","room":"{room}"'),
        ('{"type":"chat"', f'{{"type":"chat","room":"{room}"'),
    )
    speech = [*peers.BESEDKA.speech]
    for old, new in rooms:
        speech = [word.replace(old, new) for word in speech]
    return speech


def _measured(server: Server, plan: Plan, room: str) -> dict[str, float]:
    with Load(plan.tools, server.port, _speech(room)) as load:
        load.ask("open 1")
        load.ask("say 20 one")
        alone = load.ask(f"say {ALONE} one")
        load.ask(f"say {4 * IN_FLIGHT} flight {IN_FLIGHT}")
        many = load.ask(f"say {MESSAGES} flight {IN_FLIGHT}")
        load.ask(f"open {READERS - 1}")
        cpu: dict[str, float] = {}
        for how in ("one", f"flight {IN_FLIGHT}"):
            before = server.cpu_seconds()
            read = load.ask(f"say {READ} {how}")
            cpu[how] = (server.cpu_seconds() - before) / read.deliveries * 1e6
    return {
        "1 in flight: p50 in ms": alone.p50_us / 1000,
        "64 in flight: a second": many.messages / many.seconds,
        f"{READERS} readers: CPU of a delivery, µs": cpu["one"],
        f"the same, {IN_FLIGHT} in flight": cpu[f"flight {IN_FLIGHT}"],
    }


async def _bare() -> dict[str, float]:
    """A stream of the same kind, to which single messages are published."""
    client = await nats.connect([*map(server_url, ADDRESSES)])
    stream = client.jetstream(timeout=5)
    await _make_stream(client)
    times: list[float] = []
    for _ in range(ALONE):
        begun = time.perf_counter()
        await stream.publish("bare", TEXT)
        times.append(time.perf_counter() - begun)
    left = iter(range(MESSAGES))

    async def publish() -> None:
        for _ in left:
            await stream.publish("bare", TEXT)

    begun = time.perf_counter()
    await asyncio.gather(*(publish() for _ in range(IN_FLIGHT)))
    seconds = time.perf_counter() - begun
    await client.close()
    return {
        "1 in flight: p50 in ms": statistics.median(times) * 1000,
        "64 in flight: a second": MESSAGES / seconds,
    }


async def _make_stream(client: Client) -> None:
    for _ in range(TRIES):
        try:
            await client.jetstream(timeout=1).add_stream(
                StreamConfig(name="BARE", subjects=["bare"], num_replicas=3)
            )
        except (NatsError, StreamError, TimeoutError):
            await asyncio.sleep(0.1)
        else:
            return
    sys.exit("there is no leader")


if __name__ == "__main__":
    main()
