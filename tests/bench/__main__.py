"""Run the benches: ``python -m tests.bench [--write] [NAME…]``, all of them or those named.

The ratios are printed as RESULTS.md shows them; ``--write`` writes them there. ``--check`` measures
only the ratios of CPU, in under a minute, and fails where one is worse than it was written, or
ends with 75 where the machine is too busy to tell.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping, Sequence

from tests.bench import (
    artifacts,
    bind,
    callers,
    calls,
    check,
    custodian,
    rate,
    remedy,
    sdk,
    sets,
    start,
    store,
    telemetry,
    work,
)
from tests.bench.measure import HEADER, Ratio
from tests.bench.results import RESULTS, rows_of, with_rows

MEASURES: Mapping[str, Callable[[], list[Ratio]]] = {
    "start": start.measure,
    "artifacts": artifacts.measure,
    "sdk": sdk.measure,
    "custodian": custodian.measure,
    "sets": sets.measure,
    "cpu": work.measure_cpu,
    "trips": work.measure_round_trips,
    "batches": calls.measure_batches,
    "rate": rate.measure,
    "store": store.measure,
    "remedy": remedy.measure,
    "bind": bind.measure,
    "callers": callers.measure,
    "telemetry": telemetry.measure,
}


TOO_BUSY = 75
"""The exit code of a check that seems to fail on a machine too busy to tell: try again later."""


def _check() -> int:
    lines = check.worse(rows_of(RESULTS.read_text(encoding="utf-8")))
    for line in lines:
        print(line, file=sys.stderr)
    if not lines:
        print("no ratio of CPU is worse than the written one")
        return 0
    load = os.getloadavg()[0]
    if check.is_busy(load, os.cpu_count() or 1):
        print(f"the machine is too busy to judge that: its load is {load:.0f}", file=sys.stderr)
        return TOO_BUSY
    return 1


def main(arguments: Sequence[str]) -> int:
    if list(arguments) == ["--check"]:
        return _check()
    names = [one for one in arguments if one != "--write"]
    if unknown := [one for one in names if one not in MEASURES]:
        print(f"{unknown[0]}: expected {', '.join(MEASURES)}", file=sys.stderr)
        return 2
    print(HEADER, flush=True)
    rows: list[str] = []
    for name in names or MEASURES:
        for ratio in MEASURES[name]():
            rows.append(ratio.row())
            print(rows[-1], flush=True)
    if "--write" in arguments:
        text = RESULTS.read_text(encoding="utf-8")
        RESULTS.write_text(with_rows(text, rows, is_whole=not names), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
