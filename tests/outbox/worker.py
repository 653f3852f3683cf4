"""A process that delivers until it is killed: python -m tests.outbox.worker START FOLDER.

Its clock, and the store's, go ten times as fast since START, so that no test waits for minutes. It
leaves a file in FOLDER for each notice that another worker took over.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from msgspec.structs import replace

from sgguard.engine.context import Context
from sgguard.engine.delivery import deliverer
from sgguard.store import open_store
from sgguard.wire.clock import Deadline

SPEED = 10.0
LONGEST_S = 600.0


def fast(start_s: float) -> Callable[[], float]:
    return lambda: start_s + (time.time() - start_s) * SPEED


def main() -> None:
    now = fast(float(sys.argv[1]))
    store = open_store(os.environ["SGGUARD_STORE"], now)
    given = Context.from_env(os.environ)
    mine = deliverer(replace(given, store=store, now=now, deadline=Deadline(math.inf)))
    ends = time.monotonic() + LONGEST_S
    while time.monotonic() < ends:
        found = list(mine.drain(most=50))
        for one in found:
            if one.what == "lost":
                Path(sys.argv[2], f"lost-{os.getpid()}-{time.monotonic_ns()}").touch()
        if not found:
            time.sleep(0.1)


if __name__ == "__main__":
    main()
