"""Many processes that are delivered the same events while their store comes and goes.

``python -m tests.crash.outage_workers FOLDER PROCESSES``: ``FOLDER/job.json`` has the environment
and the events. Every process delivers every event until it has an answer, and writes what it was
answered, one line of JSON, to ``FOLDER/answers``; the test that uses it stops the store meanwhile.
"""

from __future__ import annotations

import json
import os
import random
import sys
import time
from pathlib import Path

from sgguard.engine import handle, keeper
from sgguard.engine.context import Context
from sgguard.errors import SgguardError
from sgguard.model.address import Address
from sgguard.model.event import Event
from sgguard.model.request import DeleteRequest

LEASE_S = 8.0
"""What a worker that lost its store leaves is waited for so long, not a minute."""

GIVE_UP_S = 150.0
PAUSE_S = 0.05


def deliver(event_id: str, target: str, env: dict[str, str]) -> dict[str, object]:
    """Deliver one event; return its document.

    Raises:
        SgguardError: it is to be delivered again.
    """
    request = DeleteRequest((Address.parse(target),), "alice")
    event = Event(event_id, {"target": target}, "/bus")
    (handled,) = handle.deletes([(request, event)], Context.from_env(env))
    if isinstance(handled, Exception):
        raise handled
    return handled


def work_off(folder: Path, events: dict[str, str], env: dict[str, str], seed: int) -> None:
    """Deliver all events, in an order of its own, each until it has an answer."""
    keeper.LEASE_S = LEASE_S
    left = random.Random(seed).sample(sorted(events), len(events))
    give_up = time.monotonic() + GIVE_UP_S
    while left and time.monotonic() < give_up:
        event_id = left.pop(0)
        try:
            document = deliver(event_id, events[event_id], env)
        except SgguardError:
            left.append(event_id)
            time.sleep(PAUSE_S)
            continue
        note(folder / "answers", {"event": event_id, "document": document})
    if left:
        raise SystemExit(f"without an answer: {left}")


def note(path: Path, line: object) -> None:
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(file, f"{json.dumps(line)}\n".encode())
    os.close(file)


def main(folder: Path, processes: int) -> int:
    """Fork the workers and wait for them; return how many failed."""
    job = json.loads((folder / "job.json").read_text())
    for number in range(processes):
        if os.fork():
            continue
        status = 1
        try:
            work_off(folder, job["events"], job["env"], number)
            status = 0
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    return sum(os.wait()[1] != 0 for _ in range(processes))


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
