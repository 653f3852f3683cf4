"""Run the benches: ``python -m tests.bench [--write] [NAME…]``, all of them or those named.

The ratios are printed as RESULTS.md shows them; ``--write`` writes them there.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tests.bench import artifacts, bind, callers, calls, rate, remedy, start, store, telemetry, work
from tests.bench.measure import HEADER, Ratio
from tests.bench.results import RESULTS, with_rows


def _start() -> list[Ratio]:
    with tempfile.TemporaryDirectory() as tmp:
        return start.measure(Path(tmp))


MEASURES: Mapping[str, Callable[[], list[Ratio]]] = {
    "start": _start,
    "artifacts": artifacts.measure,
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


def main(arguments: Sequence[str]) -> int:
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
