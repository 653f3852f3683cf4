"""Whether a ratio of CPU is worse than the one in RESULTS.md by more than its noise.

``python -m tests.bench --check`` measures a start and a warm decision of each cloud, with few runs,
and fails where one is worse. Only ratios of CPU are compared: they are the same on a machine that
is slower or busy, but for the noise that stands with them. What seems worse is measured again with
more runs before it counts: a busy machine adds to a run, and the least of more runs has less of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from tests.bench import start, work
from tests.bench.measure import Ratio

LEAST_NOISE = 0.04
"""The part of a ratio by which runs on another machine or day differ at least."""

TIMES_NOISE = 2.0
ROUNDS = (4, 8, 16)
"""The runs of each try; another one only where a ratio seems worse."""

_NOISE = re.compile(r"; ± (\d+\.\d\d) \|$")
Measure = Callable[[int], list[Ratio]]


def measured(runs: int) -> list[Ratio]:
    """Measure every ratio of CPU that is compared, in about ten seconds for four runs."""
    return [*start.measure(runs), *work.measure_cpu(runs, decisions=10)]


def limit(row: str) -> float:
    """Return the largest ratio that is no worse than the row that was written.

    Raises:
        ValueError: the row has no noise, so it is no ratio of CPU.
    """
    found = _NOISE.search(row)
    if found is None:
        raise ValueError(f"no noise is written in: {row}")
    value = float(row.split(" | ")[2])
    return value + max(TIMES_NOISE * float(found[1]), LEAST_NOISE * value)


def worse(
    rows: Sequence[str], measure: Measure = measured, rounds: Sequence[int] = ROUNDS
) -> list[str]:
    """Return a line for each ratio that is worse than its row in every try.

    A ratio that has no row is new, and nothing is said of it.

    Raises:
        ValueError: a row to compare with has no noise.
    """
    limits = {_name(row): limit(row) for row in rows if _NOISE.search(row)}
    if not limits:
        raise ValueError("RESULTS.md has no ratio of CPU with its noise")
    best: dict[tuple[str, str], float] = {}
    for runs in rounds:
        for one in measure(runs):
            name = (one.what, one.against)
            best[name] = min(one.value, best.get(name, one.value))
        over = [name for name in limits if name in best and best[name] > limits[name]]
        if not over:
            return []
    return [
        f"{what} against {against}: {best[what, against]:.2f}, at most {limits[what, against]:.2f}"
        for what, against in over
    ]


def _name(row: str) -> tuple[str, str]:
    what, against = row.strip("| ").split(" | ")[:2]
    return what, against
