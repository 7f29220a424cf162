"""The server's figures for its operator: no names, no rooms, no texts.

They are counted here in plain numbers; `besedka.serve.exposition` writes them in Prometheus' text format.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from typing import Final, NamedTuple

from besedka.serve.counters import Counters
from besedka.serve.refusal_tally import RefusalTally, Where

BATCH_MESSAGES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
SYNC_SECONDS: Final = (0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)

TALLIED: Final = {
    "messages": "Messages stored.",
    "deliveries": "Messages handed to readers, live or by pages.",
    "pages": "Pages of the log handed to readers who were behind.",
    "searches": "Answers to those who searched a log.",
    "fell_behind": "How often a live reader's socket was full.",
    "bytes_received": "Bytes from WebSocket clients, after their handshake.",
    "bytes_told": "Bytes of frames handed to sockets.",
    "connections": "WebSocket connections that were opened.",
}

GRPC: Final = {
    "grpc_connections": "gRPC connections over TCP.",
    "streams_open": "gRPC streams that read now.",
}
"""The figures of the gRPC door; where there is none they are 0."""


class Figure(NamedTuple):
    """A number that is shown as it is at the moment of asking."""

    name: str
    meaning: str
    value: Callable[[], float]


class Distribution:
    """How often a value was how large.

    Args:
        bounds: the largest value of each bucket, but of the last one, which has none.

    Attributes:
        bounds: the same.
        counts: how many values each bucket has.
        total: the sum of all values.
    """

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


class Metrics:
    """All figures of one server.

    Attributes:
        counters: plain numbers, to be added to where things happen.
        batches: messages that were stored at once.
        syncs: seconds that a batch took to be stored.
        refusals: how often which error code was answered.
        endings: connections ended by the server, by close code.
        figures: what `show` was given, in this order.
        refusal_tally: the same refusals for the log, with the addresses that no figure has.
    """

    def __init__(self) -> None:
        self.counters = Counters()
        self.batches = Distribution(BATCH_MESSAGES)
        self.syncs = Distribution(SYNC_SECONDS)
        self.refusals: dict[str, int] = {}
        self.endings: dict[str, int] = {}
        self.figures: list[Figure] = []
        self.refusal_tally = RefusalTally()

    def stored(self, messages: int, seconds: float) -> None:
        """A batch is on disk."""
        self.batches.add(messages)
        self.syncs.add(seconds)

    def refused(self, code: str, source: Where) -> None:
        """A client was refused something; the log says from where most of them are."""
        self.refusals[code] = self.refusals.get(code, 0) + 1
        self.refusal_tally.add(code, source)

    def ended(self, code: int) -> None:
        """The server has ended a connection."""
        self.endings[str(code)] = self.endings.get(str(code), 0) + 1

    def show(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Have a number shown as it is at the moment of asking."""
        self.figures.append(Figure(name, meaning, value))
