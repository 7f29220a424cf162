"""What gRPC calls cost, beside a bare `grpc.aio` server that keeps nothing."""

from __future__ import annotations

import dataclasses
import json
import statistics
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from harness.errors import LoadError
from harness.peers import BESEDKA, PEERS, Peer
from harness.plan import Plan
from harness.server import Server, pinned
from harness.tables import Bound, Table
from harness.tools import BENCH, LOAD_CORE

LOAD: Final = BENCH / "load" / "grpc_load.py"
PORT: Final = 50_551
COUNTS: Final = {"follow": 5_000, "send": 19_200, "import": 200_000}
AT_LEAST: Final = {"follow": 40_000, "send": 5_000, "import": 50_000}
UNITS: Final = {
    "follow": "deliveries a second to 200 streams of `Follow`",
    "send": "stored messages a second from 64 callers of `Send`",
    "import": "stored messages a second by `Import`",
}
ROUNDS: Final = 3
OF_BARE: Final = 0.7

OURS: Final = dataclasses.replace(
    BESEDKA,
    command=lambda tools, folder: [*BESEDKA.command(tools, folder), "--grpc-port", str(PORT)],
    listening=r"grpc\s+localhost:(\d+)",
)
BARE: Final = Peer(
    name="bare grpc.aio",
    about=lambda: f"`bench/peers/bare_grpc.py`, grpcio {version('grpcio')}: hands on, keeps nothing",
    command=lambda _tools, _folder: [sys.executable, str(PEERS / "bare_grpc.py")],
    speech=[],
)


@dataclass(frozen=True, slots=True)
class Measured:
    """One run: how many a second, and the server's CPU time for each, in microseconds."""

    rate: float
    cpu_us: float


def run(_: Sequence[Peer], plan: Plan) -> list[Table]:
    """Measure all kinds of call on both servers, in turn."""
    found: dict[tuple[str, str], list[Measured]] = {}
    for number in range(min(plan.rounds, ROUNDS)):
        for what in COUNTS:
            for peer in (OURS, BARE):
                measured = _measure(peer, what, plan)
                plan.say(f"grpc: round {number + 1}, {peer.name}, {what}: {measured.rate:,.0f} a second")
                found.setdefault((peer.name, what), []).append(measured)
    rows, bounds = [], []
    for what, unit in UNITS.items():
        ours, bare = (_middle(found[peer.name, what]) for peer in (OURS, BARE))
        bounds.append(Bound(f"≥ {AT_LEAST[what]:,} {unit}", f"{ours.rate:,.0f}", ours.rate >= AT_LEAST[what]))
        for name, one in ((OURS.name, ours), (BARE.name, bare)):
            rows.append([unit, name, f"{one.rate:,.0f}", f"{one.cpu_us:.1f} µs"])
        if what == "follow":
            ratio = ours.rate / bare.rate
            promise = f"≥ {OF_BARE} of the deliveries of a bare `grpc.aio` server"
            bounds.append(Bound(promise, f"{ratio:.2f}", ratio >= OF_BARE))
    text = (
        "The server on one core, the load, also `grpc.aio` in Python, on the other; the smaller of the two is what limits a row. "
        "Besedka stores and syncs; the bare server keeps nothing. 5 000 messages come by `Import` while 200 streams follow."
    )
    return [
        Table(
            title="gRPC",
            text=text,
            columns=["", "server", "a second", "CPU of the server for each"],
            rows=rows,
            bounds=bounds,
        )
    ]


def _middle(measured: Sequence[Measured]) -> Measured:
    return Measured(
        statistics.median(one.rate for one in measured), statistics.median(one.cpu_us for one in measured)
    )


def _measure(peer: Peer, what: str, plan: Plan) -> Measured:
    count = COUNTS[what] // (1 if plan.rounds >= ROUNDS else 10)
    with Server(peer, plan.tools) as server:
        command = [sys.executable, str(LOAD), str(server.port), what, str(count)]
        with pinned(LOAD_CORE):
            load = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        with load:
            assert load.stdout  # noqa: S101 - both are pipes
            assert load.stdin  # noqa: S101
            load.stdout.readline()
            before = server.cpu_seconds()
            load.stdin.write("go\n")
            load.stdin.flush()
            answer = load.stdout.readline()
            cpu = server.cpu_seconds() - before
            load.stdin.close()
        if not answer:
            raise LoadError(f"{peer.name}, {what}: the load gave up")
    done = json.loads(answer)
    return Measured(done["done"] / done["seconds"], cpu / done["done"] * 1e6)
