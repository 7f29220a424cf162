"""The server's figures for its operator, in Prometheus' text format: no names, no rooms, no texts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.metrics_core import CounterMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from besedka.serve.counters import Counters

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST

BATCH_MESSAGES: Final = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
SYNC_SECONDS: Final = (0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)

FRESH_SECONDS: Final = 0.5
"""Writing the figures takes a millisecond or two: more frequent requests get the same ones."""

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


disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each counter that says when it began: with this process


class Metrics:
    """All figures of one server.

    Attributes:
        counters: plain numbers, to be added to where things happen.
    """

    def __init__(self) -> None:
        self.counters = Counters()
        self._written_at = float("-inf")
        self._text = b""
        self._registry = CollectorRegistry()
        self._registry.register(_Tallied(self.counters))
        ProcessCollector(registry=self._registry)
        self._batches = Histogram(
            "besedka_batch_messages",
            "Messages that were stored by one write and one sync.",
            buckets=BATCH_MESSAGES,
            registry=self._registry,
        )
        self._syncs = Histogram(
            "besedka_sync_seconds",
            "How long a batch took to be written and synced.",
            buckets=SYNC_SECONDS,
            registry=self._registry,
        )
        self._refusals = Counter(
            "besedka_refusals", "What clients were refused, by code.", ["code"], registry=self._registry
        )
        self._endings = Counter(
            "besedka_endings",
            "Connections that the server has ended, by close code.",
            ["code"],
            registry=self._registry,
        )

    def stored(self, messages: int, seconds: float) -> None:
        """A batch is on disk."""
        self._batches.observe(messages)
        self._syncs.observe(seconds)

    def refused(self, code: str) -> None:
        """A client was refused something."""
        self._refusals.labels(code).inc()

    def ended(self, code: int) -> None:
        """The server has ended a connection."""
        self._endings.labels(str(code)).inc()

    def show(self, name: str, meaning: str, value: Callable[[], float]) -> None:
        """Have a number shown as it is at the moment of asking."""
        Gauge(f"besedka_{name}", meaning, registry=self._registry).set_function(value)

    def text(self) -> bytes:
        """All figures, in `CONTENT_TYPE`, not older than `FRESH_SECONDS`."""
        now = time.monotonic()
        if now - self._written_at > FRESH_SECONDS:
            self._written_at, self._text = now, generate_latest(self._registry)
        return self._text


class _Tallied(Collector):
    def __init__(self, counters: Counters) -> None:
        self._counters = counters

    def collect(self) -> Iterator[Metric]:
        for name, meaning in TALLIED.items():
            yield CounterMetricFamily(f"besedka_{name}", meaning, value=getattr(self._counters, name))
