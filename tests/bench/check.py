"""Whether a ratio of CPU is worse than the one in RESULTS.md by more than machines differ.

``python -m tests.bench --check`` measures a start and a warm decision of each cloud, with few runs,
and fails where one is worse. Only ratios of CPU are compared: they are much the same on a
machine that is slower or busy. What seems worse is measured again with more runs before it counts:
a busy machine adds to a run, and the least of all runs has the least of it. So
ours and theirs are compared by their least over all tries, which no spell of noise in one of them
can turn into a ratio.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence

from tests.bench import start, work
from tests.bench.measure import Ratio

OF_ANOTHER_DAY = 0.30
"""The part of a ratio that another machine or day makes: 20 % was seen within minutes."""

ROUNDS = (4, 8, 16, 32)
"""The runs of each try; another one only of what seems worse."""

BUSY = 2.0
"""Load by core above which a ratio that seems worse tells of the machine and not of the code."""

_NOISE = re.compile(r"; ± (\d+\.\d\d) \|$")
_OF_A_CLOUD = "CPU of a decision, "
Name = tuple[str, str]
Measure = Callable[[int, Collection[Name]], list[Ratio]]


def measured(runs: int, names: Collection[Name] = ()) -> list[Ratio]:
    """Measure every ratio of CPU that is compared, or those with the names of ``names``.

    All of them take about ten seconds for four runs.
    """
    clouds = [what.removeprefix(_OF_A_CLOUD) for what, _ in names if what.startswith(_OF_A_CLOUD)]
    is_start = len(clouds) < len(names) or not names
    return [
        *(start.measure(runs) if is_start else ()),
        *(work.measure_cpu(runs, 10, clouds) if clouds or not names else ()),
    ]


def limit(row: str) -> float:
    """Return the largest ratio that is no worse than the row that was written.

    Raises:
        ValueError: the row has no noise, so it is no ratio of CPU.
    """
    if _NOISE.search(row) is None:
        raise ValueError(f"no noise is written in: {row}")
    value = float(row.split(" | ")[2])
    return value * (1 + OF_ANOTHER_DAY)


def worse(
    rows: Sequence[str], measure: Measure = measured, rounds: Sequence[int] = ROUNDS
) -> list[str]:
    """Return a line for each ratio that is worse than its row after every try.

    A ratio that has no row is new, and nothing is said of it.

    Raises:
        ValueError: a row to compare with has no noise.
    """
    limits = {_name(row): limit(row) for row in rows if _NOISE.search(row)}
    if not limits:
        raise ValueError("RESULTS.md has no ratio of CPU with its noise")
    ours: dict[Name, float] = {}
    theirs: dict[Name, float] = {}
    over: list[Name] = []
    for runs in rounds:
        for one in measure(runs, over):
            name = (one.what, one.against)
            ours[name] = min(one.ours_s, ours.get(name, one.ours_s))
            theirs[name] = min(one.theirs_s, theirs.get(name, one.theirs_s))
        over = [one for one in limits if one in ours and ours[one] / theirs[one] > limits[one]]
        if not over:
            return []
    return [
        f"{what} against {against}: {ours[what, against] / theirs[what, against]:.2f}, "
        f"at most {limits[what, against]:.2f}"
        for what, against in over
    ]


def is_busy(load: float, cores: int) -> bool:
    """Return whether so much runs beside the check that no ratio can be judged."""
    return load > BUSY * cores


def _name(row: str) -> Name:
    what, against = row.strip("| ").split(" | ")[:2]
    return what, against
