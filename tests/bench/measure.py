"""The measuring itself: medians of interleaved runs, and how deep a set of calls was nested."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """What was measured against what; ``aim`` is the largest ratio we want."""

    what: str
    against: str
    value: float
    aim: float
    detail: str = ""

    def row(self) -> str:
        mark = "yes" if self.value <= self.aim else "no"
        return (
            f"| {self.what} | {self.against} | {self.value:.2f} | ≤ {self.aim:.2f} | {mark} "
            f"| {self.detail} |"
        )


HEADER = "| measured | against | ratio | aim | met | detail |\n|---|---|--:|--:|---|---|"


def interleaved(
    first: Callable[[], float], second: Callable[[], float], runs: int
) -> tuple[float, float, float]:
    """Run two measurements in turn, so that a slow spell of the machine strikes both.

    Returns both medians and the median of the ratios pair by pair.
    """
    first(), second()  # both warm, neither counted
    pairs = [(first(), second()) for _ in range(runs)]
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(a / b for a, b in pairs),
    )


def round_trips(spans: Iterable[tuple[float, float]]) -> int:
    """Return how many calls had to wait for another: the longest chain of calls one after another.

    ``spans`` are begin and end of each call, in seconds on one clock.
    """
    depth, last_end = 0, float("-inf")
    for begun, ended in sorted(spans, key=lambda span: span[1]):
        if begun >= last_end:
            depth, last_end = depth + 1, ended
    return depth
