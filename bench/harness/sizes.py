"""Rooms of other sizes: what one message at a time costs where 5, 50 or 5 000 read.

In a small room a message's own price shows, in a large one that of a delivery.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Final

from harness import peers
from harness.deliveries import Cost, Costs, Manner, bound, measured
from harness.failures import Failures
from harness.peers import Peer
from harness.plan import Plan
from harness.tables import Bound, Table, ratio

PEERS: Final = (
    peers.BESEDKA,
    peers.FLOOR,
    peers.SYNCING_FLOOR,
    peers.NATS,
    peers.JETSTREAM,
    peers.BROADCAST,
    peers.NODE_WS,
)

SIZES: Final[dict[int, tuple[int, float | None]]] = {
    5: (400, 2.0),
    50: (200, 1.6),
    500: (40, 1.4),
    5_000: (8, None),
}
"""For each number of readers: how many messages are said in a turn, and at most how much of the syncing floor's cost is promised."""


def run(servers: Sequence[Peer], plan: Plan) -> list[Table]:
    """Measure servers in rooms of all sizes; one table."""
    failures = Failures(plan.say)
    rows: list[list[str]] = []
    bounds: list[Bound] = []
    present = [peer for peer in servers if peer in PEERS]
    for readers in SIZES:
        (costs,) = measured(present, [_manner(readers)], readers, plan, failures)
        found = {peer: bound(costs, peer) for peer in costs.manner.bounds}
        bounds += [
            Bound(f"{readers} readers: {one.promise}", one.found, one.is_met) for one in found.values()
        ]
        rows += [_row(readers, costs, peer, found.get(peer)) for peer in sorted(costs.turns, key=costs.us)]
    return [
        Table(
            title="One message at a time to 5, 50, 500 and 5,000 readers",
            text=f"As above, in rooms of other sizes, beside a floor that also stores and syncs. {plan.rounds} rounds.",
            columns=[
                *("readers", "server", "CPU for a message", "for a delivery"),
                *("say → last reader", "Besedka ÷ it", "bound"),
            ],
            rows=rows,
            notes=failures.notes(),
            bounds=bounds,
        )
    ]


def _manner(readers: int) -> Manner:
    messages, most = SIZES[readers]
    return Manner(
        title=f"{readers} readers",
        text="",
        bars_title="",
        warm_up="say 5 one",
        command=f"say {messages} one",
        bounds={peers.SYNCING_FLOOR: most} if most else {},
    )


def _row(readers: int, costs: Costs, peer: Peer, found: Bound | None) -> list[str]:
    p50_ms = statistics.median(cost.answer.p50_us for cost in costs.turns[peer]) / 1000
    return [
        f"{readers:,}",
        peer.name,
        f"{costs.median(peer, _message_us):.0f} µs",
        f"{costs.us(peer):.2f} µs",
        f"p50 {p50_ms:.2f} ms",
        ratio(costs.ratio(peer)) if peers.BESEDKA in costs.turns and peer is not peers.BESEDKA else "",
        f"{found.promise}: {found.verdict}" if found else "",
    ]


def _message_us(cost: Cost) -> float:
    return cost.cpu_seconds / cost.answer.messages * 1e6
