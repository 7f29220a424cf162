"""The cost of gRPC calls, beside a bare `grpc.aio` server that keeps nothing."""

from __future__ import annotations

import dataclasses
import json
import re
import statistics
import struct
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from besedka.proto.besedka.v1 import chat_pb2 as pb
from harness.errors import LoadError
from harness.peers import BESEDKA, PEERS, Peer
from harness.plan import Plan
from harness.server import Server, pinned
from harness.tables import Bound, Table
from harness.tools import BENCH, LOAD_CORE, SERVER_CORE

LOAD: Final = BENCH / "load" / "grpc_load.py"
PORT: Final = 50_551
CALLERS: Final = 64
CONNECTIONS: Final = 4
COUNTS: Final = {"follow": 5_000, "send": 19_200, "calls": 32_000, "import": 200_000}
AT_LEAST: Final = {"follow": 40_000, "calls": 5_000, "import": 50_000}
UNITS: Final = {
    "follow": "deliveries a second to 200 streams of `Follow`",
    "send": "stored messages a second from 64 callers of `Send`",
    "calls": "the same, the server on both cores, the callers h2load",
    "import": "stored messages a second by `Import`",
}
PROMISED: Final = {"calls": "stored messages a second from 64 callers of `Send` (h2load, both cores)"}
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
        if what in AT_LEAST:
            promise = f"≥ {AT_LEAST[what]:,} {PROMISED.get(what, unit)}"
            bounds.append(Bound(promise, f"{ours.rate:,.0f}", ours.rate >= AT_LEAST[what]))
        for name, one in ((OURS.name, ours), (BARE.name, bare)):
            rows.append([unit, name, f"{one.rate:,.0f}", f"{one.cpu_us:.1f} µs"])
        if what == "follow":
            ratio = ours.rate / bare.rate
            promise = f"≥ {OF_BARE} of the deliveries of a bare `grpc.aio` server"
            bounds.append(Bound(promise, f"{ratio:.2f}", ratio >= OF_BARE))
    text = (
        "The server on one core, the load, also `grpc.aio` in Python, on the other; the smaller of the two is what limits a row. "
        "Besedka stores and syncs; the bare server keeps nothing. 5 000 messages come by `Import` while 200 streams follow. "
        "A call of `Send` costs a `grpc.aio` server most of what there is of a core, and more than half of that its client; so it is "
        "also measured with h2load, which costs little, and a server that may use both cores, as it does where nobody binds it to one."
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
    return _measure_calls(peer, count, plan) if what == "calls" else _measure_load(peer, what, count, plan)


def _measure_calls(peer: Peer, count: int, plan: Plan) -> Measured:
    """`Send` by h2load: the same message from each caller, without a key."""
    text = "and so on, until it is forty-five letters long"
    # They are one person with many connections, as the secret shows.
    request = pb.SendRequest(user="caller", secret="ours", text=text).SerializeToString()  # noqa: S106
    with (
        Server(peer, plan.tools, cores={SERVER_CORE, LOAD_CORE}) as server,
        tempfile.NamedTemporaryFile() as body,
    ):
        body.write(b"\0" + struct.pack(">I", len(request)) + request)
        body.flush()
        each = [f"-c{CONNECTIONS}", f"-m{CALLERS // CONNECTIONS}", f"-d{body.name}"]
        headers = ["-Hcontent-type: application/grpc", "-Hte: trailers"]
        command = [plan.tools.h2load(), f"-n{count}", *each, *headers]
        before = server.cpu_seconds()
        with pinned(LOAD_CORE):
            url = f"http://127.0.0.1:{server.port}/besedka.v1.Chat/Send"
            done = subprocess.run([*command, url], capture_output=True, text=True, check=True)
        cpu = server.cpu_seconds() - before
        rate = re.search(r"([\d.]+) req/s", done.stdout)
        if not rate or f" {count} succeeded" not in done.stdout:
            raise LoadError(f"{peer.name}, h2load: {done.stdout}")
        if peer is OURS and (stored := server.stored_lines()) != count:
            raise LoadError(f"{stored} of {count} calls are in the history")
    return Measured(float(rate[1]), cpu / count * 1e6)


def _measure_load(peer: Peer, what: str, count: int, plan: Plan) -> Measured:
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
