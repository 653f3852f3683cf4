"""Run every bench and print the ratios as the README shows them."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench import calls, rate, remedy, start, store, work
from tests.bench.measure import HEADER


def main() -> None:
    print(HEADER, flush=True)
    with tempfile.TemporaryDirectory() as tmp:
        for measure in (
            lambda: start.measure(Path(tmp)),
            work.measure_cpu,
            work.measure_round_trips,
            calls.measure_batches,
            rate.measure,
            store.measure,
            remedy.measure,
        ):
            for ratio in measure():
                print(ratio.row(), flush=True)
    print(f"\nCalls of one `check delete`, whatever the size of the account:\n\n{calls.table()}")


if __name__ == "__main__":
    sys.exit(main())
