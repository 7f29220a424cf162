"""Scenarios 1 and 2: what a delivery to 500 readers costs, one message at a time and with 64 in flight.

All servers run side by side, each with its readers, and take turns: while one is measured the others are idle. So a machine
that becomes slower or quicker meanwhile does so for all of them.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Final

from harness import peers
from harness.errors import LoadError
from harness.failures import Failures
from harness.load import Answer, Load
from harness.peers import Peer
from harness.plan import Plan
from harness.server import Server
from harness.tables import Bound, Table, ratio

READERS: Final = 500

WARM_UP: Final = ("say 50 one", "say 256 flight 64")
"""Not counted, at the beginning: Node compiles meanwhile, and buffers get their size."""

LATE: Final = "wait 0.5"
"""A delivery that comes now must not come: it would be a double."""


@dataclass(frozen=True, slots=True)
class Manner:
    """One way to say messages.

    Attributes:
        warm_up: not counted, before each turn: the caches of the processor are those of another server.
        bounds: for each peer, at most how much of its cost Besedka's may be.
    """

    title: str
    text: str
    bars_title: str
    warm_up: str
    command: str
    bounds: dict[Peer, float]


ONE_BY_ONE: Final = Manner(
    title="One message at a time to 500 readers",
    text="The next message is said when all 500 have the one before: what a quiet room costs.",
    bars_title="one message at a time",
    warm_up="say 5 one",
    command="say 40 one",
    bounds={peers.FLOOR: 1.6, peers.BROADCAST: 0.9},
)

FLYING: Final = Manner(
    title="64 messages in flight to 500 readers",
    text="One sender has 64 messages on their way, and says one more for each that it hears: what a busy room costs.",
    bars_title="64 messages in flight",
    warm_up="say 64 flight 64",
    command="say 400 flight 64",
    bounds={peers.BROADCAST: 1 / 12, peers.NODE_WS: 1 / 12, peers.SEED: 1 / 25, peers.NATS: 1.2},
)

MANNERS: Final = (ONE_BY_ONE, FLYING)


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of one turn for a server."""

    cpu_seconds: float
    answer: Answer

    @property
    def us(self) -> float:
        """Microseconds of CPU for a delivery."""
        return self.cpu_seconds / self.answer.deliveries * 1e6


@dataclass(frozen=True, slots=True)
class Costs:
    """All turns of all servers in one manner."""

    manner: Manner
    turns: dict[Peer, list[Cost]] = field(default_factory=dict)

    def median(self, peer: Peer, figure: Callable[[Cost], float]) -> float:
        """A figure of the middle one of a server's turns."""
        return statistics.median(map(figure, self.turns[peer]))

    def us(self, peer: Peer) -> float:
        """Microseconds of CPU for a delivery."""
        return self.median(peer, lambda cost: cost.us)

    def ratio(self, peer: Peer) -> float:
        """How much of a peer's cost Besedka's is: the middle one of the rounds, as each compares like with like."""
        ours, its = self.turns[peers.BESEDKA], self.turns[peer]
        return statistics.median(our.us / one.us for our, one in zip(ours, its, strict=True))


class Contestant:
    """A server with its readers."""

    def __init__(self, peer: Peer, plan: Plan, stack: ExitStack, readers: int = READERS) -> None:
        self.peer = peer
        self._readers = readers
        self._server = stack.enter_context(Server(peer, plan.tools))
        self._load = stack.enter_context(Load(plan.tools, self._server.port, peer.speech))
        self._load.ask(f"open {readers}")
        self._load.ask("wait 1")
        self._said = sum(self._load.ask(command).messages for command in WARM_UP)

    def take_turn(self, all_costs: Sequence[Costs]) -> None:
        """Say messages in each manner, and enter what it costs."""
        for costs in all_costs:
            costs.turns.setdefault(self.peer, []).append(self._cost(costs.manner))
        self._check()

    def _cost(self, manner: Manner) -> Cost:
        self._said += self._load.ask(manner.warm_up).messages
        before = self._server.cpu_seconds()
        answer = self._load.ask(manner.command)
        cost = Cost(self._server.cpu_seconds() - before, answer)
        self._said += answer.messages
        if answer.deliveries != answer.messages * self._readers:
            raise LoadError(f"{answer.deliveries} deliveries instead of {answer.messages * self._readers}")
        return cost

    def _check(self) -> None:
        """Make sure that nothing came twice, and that Besedka has stored everything."""
        self._load.ask(LATE)
        stored = self._server.stored_marks()
        if self.peer is peers.BESEDKA and stored != self._said:
            raise LoadError(f"the history has {stored} messages, and {self._said} were said")


def run(servers: Sequence[Peer], plan: Plan) -> list[Table]:
    """Measure all servers in turn, as often as the plan says; a table for each manner."""
    failures = Failures(plan.say)
    all_costs = measured(servers, MANNERS, READERS, plan, failures)
    return [_table(costs, failures) for costs in all_costs]


def measured(
    servers: Sequence[Peer], manners: Sequence[Manner], readers: int, plan: Plan, failures: Failures
) -> list[Costs]:
    """The costs of all servers that do not fail, in each manner."""
    all_costs = [Costs(manner) for manner in manners]
    with ExitStack() as stack:
        contestants = []
        for peer in servers:
            with failures.of(peer.name):
                contestants.append(Contestant(peer, plan, stack, readers))
        for number in range(1, plan.rounds + 1):
            plan.say(f"{readers} readers: round {number} of {plan.rounds}")
            for contestant in contestants:
                if contestant.peer.name not in failures:
                    with failures.of(contestant.peer.name):
                        contestant.take_turn(all_costs)
    for costs in all_costs:
        for peer in [peer for peer in costs.turns if peer.name in failures]:
            del costs.turns[peer]
    for peer in all_costs[0].turns:
        figures = "".join(f"{costs.us(peer):8.2f} µs" for costs in all_costs)
        plan.say(f"{readers} readers: {peer.name:20} {figures}")
    return all_costs


def _table(costs: Costs, failures: Failures) -> Table:
    bounds = {peer: bound(costs, peer) for peer in costs.manner.bounds}
    rounds = max((len(turns) for turns in costs.turns.values()), default=0)
    return Table(
        title=costs.manner.title,
        text=f"{costs.manner.text} {rounds} rounds.",
        columns=[
            *("server", "CPU seconds", "CPU for a delivery", "least … most"),
            *("say → last reader", "Besedka ÷ it", "bound"),
        ],
        rows=[_row(costs, peer, bounds.get(peer)) for peer in sorted(costs.turns, key=costs.us)],
        notes=failures.notes(),
        bounds=list(bounds.values()),
        bars=[(peer.name, costs.us(peer)) for peer in costs.turns],
        bars_title=costs.manner.bars_title,
    )


def _row(costs: Costs, peer: Peer, bound: Bound | None) -> list[str]:
    turns = costs.turns[peer]
    p50, p99 = (costs.median(peer, figure) / 1000 for figure in (_p50_us, _p99_us))
    return [
        peer.name,
        f"{sum(cost.cpu_seconds for cost in turns):.2f} for {sum(cost.answer.deliveries for cost in turns):,}",
        f"{costs.us(peer):.2f} µs",
        f"{min(cost.us for cost in turns):.2f} … {max(cost.us for cost in turns):.2f}",
        f"p50 {p50:.1f} ms, p99 {p99:.1f} ms",
        ratio(costs.ratio(peer)) if peers.BESEDKA in costs.turns and peer is not peers.BESEDKA else "",
        f"{bound.promise}: {bound.verdict}" if bound else "",
    ]


def _p50_us(cost: Cost) -> float:
    return cost.answer.p50_us


def _p99_us(cost: Cost) -> float:
    return cost.answer.p99_us


def bound(costs: Costs, peer: Peer) -> Bound:
    """The promised ratio to a peer, and the measured one."""
    most = costs.manner.bounds[peer]
    if not {peer, peers.BESEDKA} <= costs.turns.keys():
        return Bound(f"≤ {ratio(most)} of {peer.name}", "not measured", is_met=False)
    found = costs.ratio(peer)
    return Bound(f"≤ {ratio(most)} of {peer.name}", ratio(found), is_met=found <= most)
