"""Run every bench and print the ratios as the README shows them."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.bench import start, work
from tests.bench.measure import HEADER


def main() -> None:
    print(HEADER, flush=True)
    with tempfile.TemporaryDirectory() as tmp:
        for measure in (
            lambda: start.measure(Path(tmp)),
            work.measure_cpu,
            work.measure_round_trips,
        ):
            for ratio in measure():
                print(ratio.row(), flush=True)


if __name__ == "__main__":
    sys.exit(main())
