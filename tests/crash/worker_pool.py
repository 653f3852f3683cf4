"""A process that has imported everything and forks a worker for each line it reads.

It has one thread itself, so that a fork is safe, and costs milliseconds instead of an import.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from sgguard.wire.workers import WORKERS
from tests.crash.harness import Harness
from tests.crash.process import work
from tests.crash.scenarios import PROVIDERS
from tests.crash.worker import Killer

ROOT = Path(__file__).parents[2]


class WorkerPool:
    """The client side of the pool."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def run(self, job: dict[str, Any]) -> dict[str, Any]:
        """Run the job in a worker; return where it was killed (``point``) or its result."""
        self._process.stdin.write(json.dumps(job) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        assert line, "the worker pool has ended"
        return json.loads(line)


@contextmanager
def worker_pool() -> Iterator[WorkerPool]:
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONPATH": f"{ROOT}:{ROOT / 'shared'}",
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.worker_pool"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment,
        cwd=ROOT,
    )
    try:
        yield WorkerPool(process)
    finally:
        process.stdin.close()
        process.wait(timeout=10)
        process.stdout.close()


def _warm_up() -> None:
    """Import and cache whatever a delivery imports and caches; leave no thread behind."""
    with tempfile.TemporaryDirectory() as folder:
        for provider in PROVIDERS:
            for shape in ("rewrite", "baseline"):
                harness = Harness.of(provider, shape, Path(folder))
                harness.deliver()
                harness.close()
    WORKERS.shutdown()
    assert threading.active_count() == 1


def _serve() -> None:
    _warm_up()
    for line in sys.stdin:
        print(json.dumps(_forked(json.loads(line))), flush=True)


def _forked(job: dict[str, Any]) -> dict[str, Any]:
    """Run the job in a child; its report comes through a pipe, however it ends."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(read_end)
        _child(job, write_end)
    os.close(write_end)
    with os.fdopen(read_end) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    answer = json.loads(text) if text else {"error": "the worker reported nothing"}
    return {**answer, "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0}


def _child(job: dict[str, Any], write_end: int) -> None:
    def report(answer: dict[str, Any]) -> None:
        os.write(write_end, json.dumps(answer).encode())

    killer = Killer(job["at"], lambda point: report({"point": point}))
    try:
        report(work(job, killer))
    except BaseException:  # noqa: BLE001 - the test sees any error
        with suppress(OSError):
            report({"error": traceback.format_exc()})
    finally:
        os._exit(0)


if __name__ == "__main__":
    _serve()
