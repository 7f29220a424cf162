"""Scenario 4: the memory of 10 000 connections that have joined and say nothing, and of a hundred a second that change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from harness import peers
from harness.errors import MissingError
from harness.failures import Failures
from harness.load import Load
from harness.peers import Peer
from harness.plan import Plan
from harness.server import Server, allow_files
from harness.tables import Bound, Table

KIB: Final = 1024
KIB_AT_MOST: Final = 8.0
CHANGES_A_SECOND: Final = 100
SAMPLE_SECONDS: Final = 10.0
FLAT: Final = 0.02
FILES_BESIDE: Final = 500
"""Files that a server may need beside its connections."""


@dataclass(frozen=True, slots=True)
class Memory:
    """The measured memory of one server, in bytes.

    Attributes:
        before: without connections.
        joined: with them.
        churned: while they come and go, one figure every ten seconds.
    """

    connections: int
    before: int
    joined: int
    changes: int = 0
    churned: list[int] = field(default_factory=list)

    @property
    def kib(self) -> float:
        """KiB for a connection."""
        return (self.joined - self.before) / self.connections / KIB

    @property
    def spread(self) -> float:
        """How far, up and down, the memory went from its middle, from when the coming and going began."""
        low, high = min(self.joined, *self.churned), max(self.joined, *self.churned)
        return (high - low) / (high + low)


def run(servers: Sequence[Peer], plan: Plan) -> list[Table]:
    """Look at all servers, one after the other; one table, and what became of Besedka's memory as people came and went."""
    memories: dict[Peer, Memory] = {}
    failures = Failures(plan.say)
    for peer in servers:
        with failures.of(peer.name):
            memory = memories[peer] = _memory(peer, plan)
            plan.say(f"idle: {peer.name:20} {memory.kib:6.1f} KiB for a connection")
    ours = memories.get(peers.BESEDKA)
    return [
        Table(
            title="The memory of idle connections",
            text=f"{plan.connections:,} connections join and say nothing; the memory (RSS) is compared with that before.",
            columns=["server", "before", "with them", "for a connection"],
            rows=[_row(peer, memory) for peer, memory in memories.items()],
            notes=[*([_story(ours)] if ours else []), *failures.notes()],
            bounds=_bounds(ours),
        )
    ]


def _story(ours: Memory) -> str:
    every = max(1, len(ours.churned) // 10)
    steps = ", ".join(f"{sample / KIB**2:.1f}" for sample in ours.churned[every - 1 :: every])
    minutes = ours.changes / CHANGES_A_SECOND / 60
    return (
        f"Besedka, while {CHANGES_A_SECOND} connections a second go and as many come for {minutes:.3g} minutes "
        f"({ours.changes:,} in all): {ours.joined / KIB**2:.1f} MiB when it begins, and then in ten equal steps "
        f"{steps} MiB."
    )


def _memory(peer: Peer, plan: Plan) -> Memory:
    files = allow_files()
    if files < plan.connections + FILES_BESIDE:
        raise MissingError(
            f"only {files} files may be open (ulimit -Hn), {plan.connections} connections need more"
        )
    with Server(peer, plan.tools) as server, Load(plan.tools, server.port, peer.speech) as load:
        before = server.resident_bytes()
        load.ask(f"open {plan.connections}")
        load.ask(f"wait {plan.settle_seconds}")
        memory = Memory(plan.connections, before, server.resident_bytes())
        if peer is not peers.BESEDKA:
            return memory
        churned: list[int] = []
        answer = load.ask(
            f"churn {CHANGES_A_SECOND} {60 * plan.churn_minutes}",
            every=min(SAMPLE_SECONDS, 6 * plan.churn_minutes),
            meanwhile=lambda: churned.append(server.resident_bytes()),
        )
        churned.append(server.resident_bytes())
        return Memory(plan.connections, before, memory.joined, answer.come, churned)


def _row(peer: Peer, memory: Memory) -> list[str]:
    return [
        peer.name,
        f"{memory.before / KIB**2:.1f} MiB",
        f"{memory.joined / KIB**2:.1f} MiB",
        f"{memory.kib:.1f} KiB",
    ]


def _bounds(ours: Memory | None) -> list[Bound]:
    small = f"≤ {KIB_AT_MOST:.0f} KiB for a connection"
    flat = f"flat (± {FLAT:.0%}) while {CHANGES_A_SECOND} a second come and go"
    if ours is None:
        return [Bound(promise, "not measured", is_met=False) for promise in (small, flat)]
    return [
        Bound(small, f"{ours.kib:.1f} KiB", ours.kib <= KIB_AT_MOST),
        Bound(flat, f"± {ours.spread:.1%}", ours.spread <= FLAT),
    ]
