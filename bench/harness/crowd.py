"""Scenario 3: 200 people who say a message a second each, to a room of 1 000."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness import peers
from harness.deliveries import LATE
from harness.errors import LoadError, TooSlowError
from harness.failures import Failures
from harness.load import Answer, Load
from harness.peers import Peer
from harness.plan import Plan
from harness.server import Server
from harness.tables import Bound, Table

READERS: Final = 1_000
SENDERS: Final = 200
P99_AT_MOST: Final = 5.0
"""So many times the p50 of the idle room."""

NEARLY_ALL: Final = 0.99
"""The last messages of the time that is measured arrive a moment after it."""

IDLE: Final = "say 50 pace 0.025"
"""Five messages a second in all."""


@dataclass(frozen=True, slots=True)
class Session:
    """How a server came through.

    Attributes:
        idle: five messages a second.
        busy: two hundred.
        cpu_share: how much of its core the server needed when it was busy.
    """

    idle: Answer
    busy: Answer
    cpu_share: float

    @property
    def deliveries_a_second(self) -> float:
        """How many there were."""
        return self.busy.deliveries / self.busy.seconds

    @property
    def is_sustained(self) -> bool:
        """Whether the server kept up with what was said."""
        return self.deliveries_a_second >= NEARLY_ALL * SENDERS * READERS


def run(servers: Sequence[Peer], plan: Plan) -> list[Table]:
    """Let all servers have the crowd, one after the other; one table."""
    talks: dict[Peer, Session] = {}
    behind: list[Peer] = []
    failures = Failures(plan.say)
    for peer in servers:
        with failures.of(peer.name):
            try:
                talk = talks[peer] = _talk(peer, plan)
            except TooSlowError:
                behind.append(peer)
                plan.say(f"crowd: {peer.name:20} does not keep up")
            else:
                p99, cpu = talk.busy.p99_us / 1000, talk.cpu_share
                plan.say(f"crowd: {peer.name:20} p99 {p99:.1f} ms, {cpu:.0%} of a core")
    return [
        Table(
            title=f"{SENDERS} senders, one message a second each, to {READERS:,} readers",
            text=(
                "Each sender has its own moment of the second, drawn by chance. Latencies run from the moment at which "
                "a message was due to its arrival at the last reader. The idle room hears five messages a second."
            ),
            columns=[
                "server",
                "deliveries a second",
                "CPU of its core",
                "p50",
                "p99",
                "p50 of the idle room",
                "p99 ÷ idle p50",
            ],
            rows=[
                *(_row(peer, talk) for peer, talk in talks.items()),
                *([peer.name, "falls ever further behind", "100%", *[""] * 4] for peer in behind),
            ],
            notes=failures.notes(),
            bounds=_bounds(talks.get(peers.BESEDKA)),
        )
    ]


def _talk(peer: Peer, plan: Plan) -> Session:
    speech, messages = peer.speech, SENDERS * plan.crowd_seconds
    with Server(peer, plan.tools) as server, Load(plan.tools, server.port, speech, senders=SENDERS) as load:
        load.ask(f"open {READERS}")
        load.ask("wait 1")
        # A server that does not keep up has a little more time; then it is clear that it never will.
        timeout = 1.3 * plan.crowd_seconds + 5
        load.ask(f"say {SENDERS} pace 1", at_most=timeout)
        idle = load.ask(IDLE)
        before = server.cpu_seconds()
        busy = load.ask(f"say {messages} pace 1", at_most=timeout)
        cpu = server.cpu_seconds() - before
        load.ask(LATE)
        if busy.deliveries != messages * READERS:
            raise LoadError(f"{busy.deliveries} deliveries instead of {messages * READERS}")
        return Session(idle, busy, cpu / busy.seconds)


def _row(peer: Peer, talk: Session) -> list[str]:
    return [
        peer.name,
        f"{talk.deliveries_a_second:,.0f}" + ("" if talk.is_sustained else ", falls behind"),
        f"{talk.cpu_share:.0%}",
        f"{talk.busy.p50_us / 1000:.1f} ms",
        f"{talk.busy.p99_us / 1000:.1f} ms",
        f"{talk.idle.p50_us / 1000:.1f} ms",
        f"{talk.busy.p99_us / talk.idle.p50_us:.1f}",
    ]


def _bounds(talk: Session | None) -> list[Bound]:
    sustained = f"{SENDERS * READERS:,} deliveries a second, sustained"
    quick = f"p99 ≤ {P99_AT_MOST:.0f} × the p50 of the idle room"
    if talk is None:
        return [Bound(promise, "not measured", is_met=False) for promise in (sustained, quick)]
    times = talk.busy.p99_us / talk.idle.p50_us
    return [
        Bound(sustained, f"{talk.deliveries_a_second:,.0f}", talk.is_sustained),
        Bound(quick, f"{times:.1f} ×", times <= P99_AT_MOST),
    ]
