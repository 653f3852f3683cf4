"""Prometheus: the numbers of this process, or of all processes of a deployment, as one page.

``prometheus_client`` keeps them. With ``PROMETHEUS_MULTIPROC_DIR`` every process has files of its
own there, and whichever one is asked adds them up, so that several workers behind one port give one
answer. Gauges are no part of it: they are read when the page is asked for.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any

from sgguard import lazy
from sgguard.telemetry.registry import METRICS, Metric

if TYPE_CHECKING:
    import prometheus_client
    from prometheus_client import core, multiprocess
else:
    prometheus_client = lazy("prometheus_client")  # 60 ms that only /metrics needs
    core = lazy("prometheus_client.core")
    multiprocess = lazy("prometheus_client.multiprocess")

_MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"
_FROM_ZERO_MAX = 40
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

Reading = tuple[Metric, tuple[str, ...], float]
"""A gauge's metric, the values of its labels, and its value now."""


class Prometheus:
    """The sink of ``/metrics``: one counter or histogram of the library for each of ours."""

    def __init__(self) -> None:
        self._registry = prometheus_client.CollectorRegistry()
        # The library locks and compares for each look; labels are closed sets, so these are few.
        self._children: dict[tuple[str, tuple[str, ...]], Any] = {}
        self._counters = {
            one.name: prometheus_client.Counter(
                one.name, one.help, _names(one), registry=self._registry
            )
            for one in METRICS
            if one.kind == "counter"
        }
        for one in METRICS:
            # A counter that appears with its first event at 1 has no increase for an alert to see.
            choices = [label.values for label in one.labels]
            if one.kind == "counter" and prod(map(len, choices)) <= _FROM_ZERO_MAX:
                for labels in product(*choices):
                    self._counters[one.name].labels(*labels)
        self._histograms = {
            one.name: prometheus_client.Histogram(
                one.name, one.help, _names(one), buckets=one.buckets, registry=self._registry
            )
            for one in METRICS
            if one.kind == "histogram"
        }

    def add(self, metric: Metric, amount: float, labels: tuple[str, ...]) -> None:
        """Add to a counter."""
        found = self._children.get((metric.name, labels))
        if found is None:
            found = self._counters[metric.name].labels(*labels)
            self._children[metric.name, labels] = found
        found.inc(amount)

    def observe(self, metric: Metric, value: float, labels: tuple[str, ...]) -> None:
        """Put a value into a histogram."""
        found = self._children.get((metric.name, labels))
        if found is None:
            found = self._histograms[metric.name].labels(*labels)
            self._children[metric.name, labels] = found
        found.observe(value)

    def page(self, readings: Iterable[Reading], env: Mapping[str, str] = os.environ) -> bytes:
        """Return everything that was counted, and the gauges as they are read now."""
        registry = self._registry
        if env.get(_MULTIPROCESS):
            registry = prometheus_client.CollectorRegistry()
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
        counted: bytes = prometheus_client.generate_latest(registry)
        gauges = prometheus_client.CollectorRegistry()
        gauges.register(_Readings(tuple(readings)))
        return counted + prometheus_client.generate_latest(gauges)


class _Readings:
    """Gauges as the library collects them."""

    def __init__(self, readings: tuple[Reading, ...]) -> None:
        self._readings = readings

    def collect(self) -> list[core.Metric]:
        """Return one family for each metric, in the order of the readings."""
        families: dict[str, core.GaugeMetricFamily] = {}
        for metric, labels, value in self._readings:
            if metric.name not in families:
                families[metric.name] = core.GaugeMetricFamily(
                    metric.name, metric.help, labels=_names(metric)
                )
            families[metric.name].add_metric(labels, value)
        return list(families.values())


def _names(metric: Metric) -> list[str]:
    return [label.name for label in metric.labels]
