"""Ten thousand decisions in one process: what it holds, and what it holds after the first thousand.

``python -m tests.bench.many PROVIDER COUNT`` decides as a function does, with a store, on an
emulator in the same process whose log of requests is emptied, and prints one line of JSON for each
thousand decisions.
"""

from __future__ import annotations

import gc
import json
import re
import sys
import tempfile
import threading
from pathlib import Path

from msgspec.structs import replace

from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import handle
from sgguard.engine.context import Context
from sgguard.model.address import Address, Scope
from sgguard.model.event import Event
from sgguard.model.request import DeleteRequest
from sgguard.wire.retry import Retry
from tests.worlds import lanes, world_of

STEP = 1000


def held() -> dict[str, float]:
    """Return what this process holds now: megabytes, open files, threads."""
    gc.collect()
    status = Path("/proc/self/status").read_text()
    found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
    assert found is not None
    return {
        "memory_mb": int(found[1]) / 1024,
        "descriptors": sum(1 for _ in Path("/proc/self/fd").iterdir()),
        "threads": threading.active_count(),
    }


def main(provider: str, count: int) -> None:
    """Decide ``count`` times whether one of two groups may be deleted."""
    world = world_of(provider)
    emulator = world.emulator()
    with tempfile.TemporaryDirectory() as folder:
        env = {**world.env, "SGGUARD_STORE": f"sqlite:///{folder}/store.db"}
        transport, pace = EmulatorTransport(emulator), lanes()
        scope = Scope(world.provider, "", world.region)
        print(json.dumps({"decisions": 0, **held()}), flush=True)
        for number in range(1, count + 1):
            # As a function does it: a context for each request.
            context = Context.from_env(env, transport=transport)
            context = replace(context, retry=Retry(attempts=1), lanes=pace)
            target = Address(scope, world.free if number % 2 else world.referenced)
            event = Event(f"many-{number}", {"target": str(target)}, "/many", "/data")
            (found,) = handle.deletes([(DeleteRequest((target,)), event)], context)
            assert isinstance(found, dict), found
            assert found["verdict"] == ("allow" if number % 2 else "block")
            emulator.requests.clear()
            emulator.state.clouds[0].nonces.clear()  # which it would remember for ever
            if number % STEP == 0:
                print(json.dumps({"decisions": number, **held()}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
