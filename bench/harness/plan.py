"""How much is measured: in whole, or quickly, to see that everything works."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from harness.tools import Tools


@dataclass(frozen=True, slots=True)
class Plan:
    """How much is measured.

    Attributes:
        say: is told what is going on.
        rounds: how often what a delivery costs is measured, in turn for all servers.
        crowd_seconds: how long 200 people talk.
        connections: how many are idle.
        settle_seconds: how long they are left alone before the memory is looked at.
        churn_minutes: how long people come and go.
        starts: how often each command is started.
        missed_messages: how many messages pass while 500 readers do not read.
    """

    say: Callable[[str], None]
    tools: Tools = field(default_factory=Tools)
    rounds: int = 10
    crowd_seconds: int = 60
    connections: int = 10_000
    settle_seconds: int = 30
    churn_minutes: float = 10.0
    missed_messages: int = 100_000
    starts: int = 15


QUICK: Final = {
    "rounds": 2,
    "crowd_seconds": 5,
    "connections": 2_000,
    "settle_seconds": 3,
    "churn_minutes": 0.25,
    "missed_messages": 5_000,
    "starts": 3,
}
"""The reductions of a quick run. Its figures say only that everything works."""
