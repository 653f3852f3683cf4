"""The measuring itself: interleaved runs, and how deep a set of calls was nested."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Ratio:
    """What was measured against what; ``aim`` is the largest ratio we want.

    ``noise`` is by how much the ratio differs from run to run, 0 where it was not measured.
    ``ours_s`` and ``theirs_s`` are the two least that a ratio of CPU is made of.
    """

    what: str
    against: str
    value: float
    aim: float
    detail: str = ""
    noise: float = 0.0
    ours_s: float = 0.0
    theirs_s: float = 0.0

    def row(self) -> str:
        mark = "yes" if self.value <= self.aim else "no"
        noise = f"; ± {self.noise:.2f}" if self.noise else ""
        return (
            f"| {self.what} | {self.against} | {self.value:.2f} | ≤ {self.aim:.2f} | {mark} "
            f"| {self.detail}{noise} |"
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


@dataclass(frozen=True)
class Least:
    """The least CPU seconds of ours and of another's, of so many interleaved runs.

    Whatever else a machine does adds to a run and takes nothing away, so the least of many runs is
    the nearest to the truth. ``median`` and ``noise`` are of the ratios run by run: their middle,
    and half of what lies between their quartiles.
    """

    ours_s: float
    theirs_s: float
    median: float
    noise: float
    runs: int

    @property
    def ratio(self) -> float:
        return self.ours_s / self.theirs_s

    def shown(self, per: int = 1) -> str:
        """Return both in milliseconds, of one of ``per`` that a run has."""
        ours, theirs = (one / per * 1000 for one in (self.ours_s, self.theirs_s))
        digits = 0 if ours >= 20 else 2
        return (
            f"{ours:.{digits}f} ms and {theirs:.{digits}f} ms, least of {self.runs}; "
            f"median ratio {self.median:.2f}"
        )


def least(ways: Sequence[Callable[[], float]], runs: int) -> list[Least]:
    """Measure the first way and each other one in turn; return it against each of them."""
    for way in ways:
        way()  # warm, and not counted
    found = [[way() for way in ways] for _ in range(runs)]
    ours, *others = zip(*found, strict=True)
    return [_least(ours, theirs) for theirs in others]


def _least(ours: Sequence[float], theirs: Sequence[float]) -> Least:
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return Least(min(ours), min(theirs), middle, (high - low) / 2, len(ratios))


@contextmanager
def one_core() -> Iterator[None]:
    """Keep this process, and those it starts, on one core, where the system can.

    A server that was started before has the others. Threads of one process that run on two cores at
    once wait for each other and are charged for it: the same work costs up to half as much again,
    or does not, as the system places them. A function has one core or less.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def round_trips(spans: Iterable[tuple[float, float]]) -> int:
    """Return how many calls had to wait for another: the longest chain of calls one after another.

    ``spans`` are begin and end of each call, in seconds on one clock.
    """
    depth, last_end = 0, float("-inf")
    for begun, ended in sorted(spans, key=lambda span: span[1]):
        if begun >= last_end:
            depth, last_end = depth + 1, ended
    return depth
