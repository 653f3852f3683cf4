"""Counting: what the code calls, and where it goes.

Without a sink a call is one look at an empty tuple. A sink that fails loses a number and never an
answer.
"""

from __future__ import annotations

import logging
from typing import Protocol

from sgguard.telemetry import logs
from sgguard.telemetry.registry import Metric


class Sink(Protocol):
    """Where numbers go. ``labels`` are the values of the metric's labels, in their order."""

    def add(self, metric: Metric, amount: float, labels: tuple[str, ...]) -> None:
        """Add to a counter."""
        ...

    def observe(self, metric: Metric, value: float, labels: tuple[str, ...]) -> None:
        """Put a value into a histogram."""
        ...


_sinks: tuple[Sink, ...] = ()


def send_to(*sinks: Sink) -> None:
    """Send every number to these from now on, and to no others."""
    global _sinks  # noqa: PLW0603 - the one switch, which hot code only reads
    _sinks = sinks


def is_on() -> bool:
    """Return whether anything is counted."""
    return bool(_sinks)


def count(metric: Metric, amount: float = 1.0, /, **labels: str) -> None:
    """Add to a counter of the registry."""
    if not _sinks:
        return
    values = metric.values(labels)
    for sink in _sinks:
        try:
            sink.add(metric, amount, values)
        except Exception as error:  # noqa: BLE001 - a number is lost, the decision is not
            _lost(metric, error)


def observe(metric: Metric, value: float, /, **labels: str) -> None:
    """Put a value, in the metric's unit, into a histogram of the registry."""
    if not _sinks:
        return
    values = metric.values(labels)
    for sink in _sinks:
        try:
            sink.observe(metric, value, values)
        except Exception as error:  # noqa: BLE001 - as above
            _lost(metric, error)


def _lost(metric: Metric, error: Exception) -> None:
    logs.log(logging.WARNING, "not counted", detail=metric.name, error=type(error).__name__)
