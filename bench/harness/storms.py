"""Those who come: what a join costs alone and in a storm, and what a newcomer costs who has missed a thousand messages."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from harness import peers
from harness.failures import Failures
from harness.load import Load
from harness.peers import Peer
from harness.plan import Plan
from harness.server import Server
from harness.tables import Bound, Table, ratio

PEERS: Final = (peers.BESEDKA, peers.FLOOR, peers.NATS, peers.BROADCAST, peers.NODE_WS)

PRESENT: Final = 50
ALONE_A_SECOND: Final = 100
ALONE_SECONDS: Final = 10
COMERS: Final = 5_000
MISSED: Final = 1_000
NEWCOMERS: Final = 500
SETTLE_SECONDS: Final = 2
ROUNDS: Final = 3

ALONE_AT_MOST_MS: Final = 0.3
STORM_AT_MOST_SECONDS: Final = 1.5
NEWCOMER_AT_MOST_MS: Final = 0.8

ALONE: Final = f"in a room of {PRESENT} one goes and one comes, {ALONE_A_SECOND} times a second"
STORM: Final = f"{COMERS:,} come at once"
MISSING: Final = f"{NEWCOMERS} come who have missed {MISSED:,} messages"

# They ask for everything from the first message on.
BEHIND: Final = replace(
    peers.BESEDKA,
    speech=[*peers.BESEDKA.speech, "--hello", '{"type":"join","user":"n%d","since":0}'],
)


def run(servers: Sequence[Peer], plan: Plan) -> list[Table]:
    """Measure who comes to each server, in turn; one table."""
    found: dict[tuple[str, str], list[float]] = {}
    failures = Failures(plan.say)
    present = [peer for peer in PEERS if peer in servers]
    for _ in range(min(plan.rounds, ROUNDS)):
        for what, measure in MEASURES.items():
            for peer in present if what != MISSING else [peers.BESEDKA]:
                if peer.name in failures:
                    continue
                with failures.of(peer.name):
                    cpu_ms = measure(peer, plan)
                    plan.say(f"{what}: {peer.name:20} {cpu_ms:.3f} ms each")
                    found.setdefault((what, peer.name), []).append(cpu_ms)
    middle = {which: statistics.median(times) for which, times in found.items() if which[1] not in failures}
    return [
        Table(
            title="Those who come",
            text=(
                "CPU time of the server for each: the handshake, the join, and telling the others; where somebody has missed "
                "messages, also these."
            ),
            columns=["", "server", "CPU for each", "Besedka ÷ it"],
            rows=[_row(what, name, cpu_ms, middle) for (what, name), cpu_ms in middle.items()],
            notes=failures.notes(),
            bounds=[
                _bound(
                    f"a join alone ≤ {ALONE_AT_MOST_MS} ms",
                    middle.get((ALONE, peers.BESEDKA.name)),
                    ALONE_AT_MOST_MS,
                ),
                _bound(
                    f"{COMERS:,} at once ≤ {STORM_AT_MOST_SECONDS} s, that is {STORM_AT_MOST_SECONDS / COMERS * 1e3} ms each",
                    middle.get((STORM, peers.BESEDKA.name)),
                    STORM_AT_MOST_SECONDS / COMERS * 1e3,
                ),
                _bound(
                    f"a newcomer with {MISSED:,} missed messages ≤ {NEWCOMER_AT_MOST_MS} ms",
                    middle.get((MISSING, peers.BESEDKA.name)),
                    NEWCOMER_AT_MOST_MS,
                ),
            ],
        )
    ]


def _alone(peer: Peer, plan: Plan) -> float:
    with Server(peer, plan.tools) as server, Load(plan.tools, server.port, peer.speech) as load:
        load.ask(f"open {PRESENT}")
        load.ask(f"churn {ALONE_A_SECOND} 1")
        before = server.cpu_seconds()
        answer = load.ask(f"churn {ALONE_A_SECOND} {ALONE_SECONDS}")
        return (server.cpu_seconds() - before) / answer.come * 1e3


def _storm(peer: Peer, plan: Plan) -> float:
    with Server(peer, plan.tools) as server, Load(plan.tools, server.port, peer.speech) as load:
        before = server.cpu_seconds()
        load.ask(f"open {COMERS}")
        load.ask(f"wait {SETTLE_SECONDS}")
        return (server.cpu_seconds() - before) / COMERS * 1e3


def _missing(peer: Peer, plan: Plan) -> float:
    with Server(peer, plan.tools) as server:
        with Load(plan.tools, server.port, peer.speech) as load:
            load.ask("open 1")
            load.ask(f"say {MISSED} flight 64")
        with Load(plan.tools, server.port, BEHIND.speech) as load:
            before = server.cpu_seconds()
            load.ask(f"open {NEWCOMERS}")
            load.ask(f"wait {SETTLE_SECONDS}")
            return (server.cpu_seconds() - before) / NEWCOMERS * 1e3


MEASURES: Final[dict[str, Callable[[Peer, Plan], float]]] = {ALONE: _alone, STORM: _storm, MISSING: _missing}


def _row(what: str, name: str, cpu_ms: float, middle: dict[tuple[str, str], float]) -> list[str]:
    ours = middle.get((what, peers.BESEDKA.name))
    is_other = name != peers.BESEDKA.name
    return [what, name, f"{cpu_ms:.3f} ms", ratio(ours / cpu_ms) if ours and is_other else ""]


def _bound(promise: str, found_ms: float | None, at_most_ms: float) -> Bound:
    if found_ms is None:
        return Bound(promise, "not measured", is_met=False)
    return Bound(promise, f"{found_ms:.3f} ms", is_met=found_ms <= at_most_ms)
