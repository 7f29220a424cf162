"""The server's figures in Prometheus' text format. Imported when somebody asks for them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from itertools import accumulate
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from prometheus_client.utils import floatToGoString

from besedka.serve.metrics import TALLIED, Distribution, Metrics

FRESH_SECONDS: Final = 0.5
"""Writing the figures takes a millisecond or two: more frequent requests get the same ones."""


class Exposition:
    """The figures of one server, as text.

    Attributes:
        content_type: of the text.
    """

    content_type: Final = CONTENT_TYPE_LATEST

    def __init__(self, metrics: Metrics) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Tallied(metrics))
        ProcessCollector(registry=self._registry)
        self._registry.register(_Others(metrics))
        self._written_at = float("-inf")
        self._text = b""

    def text(self) -> bytes:
        """All figures, not older than `FRESH_SECONDS`."""
        now = time.monotonic()
        if now - self._written_at > FRESH_SECONDS:
            self._written_at, self._text = now, generate_latest(self._registry)
        return self._text


class _Tallied(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._counters = metrics.counters

    def collect(self) -> Iterator[Metric]:
        for name, meaning in TALLIED.items():
            yield CounterMetricFamily(f"besedka_{name}", meaning, value=getattr(self._counters, name))


class _Others(Collector):
    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        metrics = self._metrics
        yield _histogram(
            "besedka_batch_messages", "Messages that were stored by one write and one sync.", metrics.batches
        )
        yield _histogram(
            "besedka_sync_seconds", "How long a batch took to be written and synced.", metrics.syncs
        )
        yield _by_code("besedka_refusals", "What clients were refused, by code.", metrics.refusals)
        yield _by_code(
            "besedka_endings", "Connections that the server has ended, by close code.", metrics.endings
        )
        for figure in metrics.figures:
            yield GaugeMetricFamily(f"besedka_{figure.name}", figure.meaning, value=figure.value())


def _histogram(name: str, meaning: str, values: Distribution) -> Metric:
    bounds = map(floatToGoString, (*values.bounds, float("inf")))
    return HistogramMetricFamily(
        name,
        meaning,
        buckets=list(zip(bounds, accumulate(values.counts), strict=True)),
        sum_value=values.total,
    )


def _by_code(name: str, meaning: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, meaning, labels=["code"])
    for code, count in counts.items():
        family.add_metric([code], count)
    return family
