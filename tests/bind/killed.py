"""A process that forks a worker for each line it reads, and kills it after so many seconds.

It has one thread itself, so that a fork is safe, and costs milliseconds instead of an import.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from msgspec.structs import replace

from sgguard.engine import bind
from sgguard.engine.context import Context
from sgguard.engine.delivery import deliverer
from sgguard.events.bind import bind_event
from sgguard.model.event import Event
from sgguard.operations import resume as resuming
from sgguard.store import open_store
from sgguard.wire.clock import Deadline
from sgguard.wire.retry import Retry
from tests.worlds import lanes

Json = dict[str, Any]
ROOT = Path(__file__).parents[2]
SLOT_S = 60.0


def work(job: Json) -> Json:
    """Deliver the event, or go on as ``how`` says; return the document, empty where none is told.

    The clocks of a later worker are ahead by ``ahead_s``: the lease of a dead one is over.
    """

    def now() -> float:
        return time.time() + float(job["ahead_s"])

    network = httpx.HTTPTransport(verify=False, trust_env=False)
    context = Context.from_env(job["env"], transport=network, makes_store=False)
    context = replace(
        context,
        store=open_store(job["store"], now),
        retry=Retry(sleep=lambda _: time.sleep(0.002)),
        lanes=lanes(),
        deadline=Deadline.after(SLOT_S),
    )
    assert context.store is not None
    context.store.paces().tick = context.lanes.clock
    if job["how"] == "resume":
        found = [resuming.resume(one.decision_id, context) for one in resuming.unresolved(context)]
        return found[-1] if found else {}
    if job["how"] == "outbox":
        list(deliverer(context).drain())
        return {}
    (done,) = bind.binds([(bind_event(job["data"]), Event("b-1", job["data"], "/portal"))], context)
    if isinstance(done, Exception):
        raise done
    return done


class Workers:
    """The client side."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, job: Json, kill_after_s: float | None = None) -> Json | None:
        """Run the job in a worker; None where it was killed before it told anything."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({**job, "kill_after_s": kill_after_s}) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the process that forks has ended"
        answer = json.loads(line)
        assert "error" not in answer, answer["error"]
        return answer.get("done")


@contextmanager
def workers() -> Iterator[Workers]:
    """Start the process that forks."""
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}",
    }
    with subprocess.Popen(
        [sys.executable, "-m", "tests.bind.killed"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
        cwd=ROOT,
    ) as process:
        try:
            yield Workers(process)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=30)


def _serve() -> None:
    for line in sys.stdin:
        print(json.dumps(_forked(json.loads(line))), flush=True)


def _forked(job: Json) -> Json:
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        _child(job, write_end)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        is_told, _, _ = select.select([pipe], [], [], job["kill_after_s"])
        if not is_told:
            os.kill(child, signal.SIGKILL)
        text = pipe.read()
    os.waitpid(child, 0)
    try:
        answer: Json = json.loads(text)
    except ValueError:
        return {}  # killed, at the latest while it told
    return answer


def _child(job: Json, write_end: int) -> None:
    try:
        text = json.dumps({"done": work(job)})
    except BaseException:  # noqa: BLE001 - the test sees any error
        text = json.dumps({"error": traceback.format_exc()})
    try:
        with os.fdopen(write_end, "w") as pipe:
            pipe.write(text)
    finally:
        os._exit(0)


if __name__ == "__main__":
    _serve()
