"""The same traffic in one room and in many: what a message costs where five people read each."""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final

from harness.errors import LoadError
from harness.failures import Failures
from harness.load import Load
from harness.peers import BESEDKA, NATS, Peer
from harness.plan import Plan
from harness.server import Server
from harness.tables import Bound, Table, ratio
from harness.tools import Tools

READERS: Final = 5
IN_FLIGHT: Final = 64
ROOMS: Final = (1, 10, 100, 900)
MESSAGES: Final = 10_000
WARM_UP: Final = 2_000
ROUNDS: Final = 3

COST_AT_MOST: Final = 2.5
"""So many times the cost of a message in one room, of Besedka's."""

RATE_AT_LEAST: Final = 0.5


def _besedka(tools: Tools, folder: Path) -> Sequence[str]:
    # Strangers at one address may open fewer rooms than people who are known.
    rows = [f"p{number}\t{sha256(f'of-p{number}'.encode()).hexdigest()}\n" for number in range(max(ROOMS))]
    (folder / "known_names.txt").write_text("".join(rows), encoding="ascii")
    return BESEDKA.command(tools, folder)


# The last of two equal options counts.
PEERS: Final = (
    dataclasses.replace(
        BESEDKA,
        command=_besedka,
        speech=[
            *BESEDKA.speech,
            *("--hello", '{"type":"join","user":"p%r","secret":"of-p%r","room":"room%r"}'),
            *("--say", '{"type":"chat","room":"room%r","text":"%m","key":"%k"}'),
        ],
    ),
    dataclasses.replace(
        NATS,
        speech=[
            *NATS.speech,
            *("--hello", 'CONNECT {"verbose":false}\r\nSUB room%r 1\r\nPING\r\n'),
            *("--say", "PUB room%r 45\r\n%m\r\n"),
        ],
    ),
)


@dataclasses.dataclass(frozen=True, slots=True)
class Traffic:
    """One run: the CPU time of the server for a message, in microseconds, and how many a second there were."""

    cpu_us: float
    rate: float


def run(servers: Sequence[Peer], plan: Plan) -> list[Table]:
    """Measure servers with each number of rooms, in turn; one table."""
    names = {peer.name for peer in servers}
    found: dict[tuple[str, int], list[Traffic]] = {}
    failures = Failures(plan.say)
    for _ in range(min(plan.rounds, ROUNDS)):
        for rooms in ROOMS:
            for peer in PEERS:
                if peer.name in names and peer.name not in failures:
                    with failures.of(peer.name):
                        traffic = _measure(peer, rooms, plan)
                        plan.say(
                            f"{rooms} rooms: {peer.name:12} {traffic.cpu_us:6.1f} µs a message, {traffic.rate:,.0f} a second"
                        )
                        found.setdefault((peer.name, rooms), []).append(traffic)
    middle = {which: _middle(traffic) for which, traffic in found.items() if which[0] not in failures}
    return [
        Table(
            title="The same traffic in 1, 10, 100 and 900 rooms",
            text=f"{READERS} people read in each room; {IN_FLIGHT} messages are in flight in all, in one room after the other.",
            columns=["rooms", "server", "CPU for a message", "÷ that in one room", "a second"],
            rows=[_row(name, rooms, traffic, middle[name, 1]) for (name, rooms), traffic in middle.items()],
            notes=failures.notes(),
            bounds=_bounds(middle),
        )
    ]


def _measure(peer: Peer, rooms: int, plan: Plan) -> Traffic:
    messages = MESSAGES // (1 if plan.rounds >= ROUNDS else 5)
    with Server(peer, plan.tools) as server, Load(plan.tools, server.port, peer.speech, rooms=rooms) as load:
        load.ask(f"open {READERS * rooms}")
        load.ask("wait 1")
        load.ask(f"say {WARM_UP} flight {IN_FLIGHT}")
        before = server.cpu_seconds()
        answer = load.ask(f"say {messages} flight {IN_FLIGHT}")
        cpu = server.cpu_seconds() - before
        if answer.deliveries != messages * READERS:
            raise LoadError(f"{answer.deliveries} deliveries instead of {messages * READERS}")
        return Traffic(cpu / messages * 1e6, messages / answer.seconds)


def _middle(traffic: Sequence[Traffic]) -> Traffic:
    return Traffic(
        statistics.median(one.cpu_us for one in traffic), statistics.median(one.rate for one in traffic)
    )


def _row(name: str, rooms: int, traffic: Traffic, in_one: Traffic) -> list[str]:
    times = ratio(traffic.cpu_us / in_one.cpu_us) if rooms > 1 else ""
    return [f"{rooms:,}", name, f"{traffic.cpu_us:.1f} µs", times, f"{traffic.rate:,.0f}"]


def _bounds(middle: dict[tuple[str, int], Traffic]) -> list[Bound]:
    bounds = []
    for rooms in ROOMS[2:]:
        promises = (
            f"{rooms} rooms: ≤ {COST_AT_MOST} × the CPU of one",
            f"{rooms} rooms: ≥ {RATE_AT_LEAST} × the rate of one",
        )
        found, in_one = middle.get((BESEDKA.name, rooms)), middle.get((BESEDKA.name, 1))
        if found is None or in_one is None:
            bounds += [Bound(promise, "not measured", is_met=False) for promise in promises]
            continue
        cost, rate = found.cpu_us / in_one.cpu_us, found.rate / in_one.rate
        bounds.append(Bound(promises[0], f"{cost:.1f} ×", cost <= COST_AT_MOST))
        bounds.append(Bound(promises[1], f"{rate:.2f} ×", rate >= RATE_AT_LEAST))
    return bounds
