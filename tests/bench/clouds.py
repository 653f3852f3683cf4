"""An emulator in a process of its own, so that its work is not counted as ours."""

from __future__ import annotations

import atexit
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import httpx

from sgguard import providers
from sgguard.engine import decide as pipeline
from sgguard.engine.context import Context
from sgguard.model.address import Address, Scope
from sgguard.model.request import DeleteRequest
from tests.worlds import World, world_of


@contextmanager
def emulated(*, latency_ms: float = 0.0) -> Iterator[str]:
    """Serve every provider's test world from one emulator; yields its URL.

    ``latency_ms`` is added to every call, as a cloud far away would.
    """
    scenario = {
        "clouds": [
            cloud for name in providers.names() for cloud in world_of(name).scenario["clouds"]
        ]
    }
    command = [sys.executable, "-m", "sgguard.cli", "emulate", "--port", "0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        url = json.loads(process.stdout.readline())["url"]
        httpx.put(f"{url}/_emulator/scenario", json=scenario).raise_for_status()
        if latency_ms:
            slow = {"kind": "latency", "latency_ms": latency_ms, "count": 1_000_000}
            httpx.post(f"{url}/_emulator/faults", json=slow).raise_for_status()
        yield url
    finally:
        process.terminate()
        process.wait()


def environment(world: World, url: str) -> dict[str, str]:
    """Return the variables that lead this world's provider to the emulator.

    The store is one of this process: what others have kept would be in the figures.
    """
    env = dict(world.env)
    env[f"SGGUARD_ENDPOINT_{world.provider.upper().replace('-', '_')}"] = url
    env["SGGUARD_STORE"] = f"sqlite:///{_own_folder()}/store.db"
    env["SGGUARD_PACE"] = "1000000"  # a bench asks faster than any cloud allows
    return env


@lru_cache(maxsize=1)
def _own_folder() -> str:
    folder = tempfile.mkdtemp(prefix="sgguard-bench-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def requests(url: str) -> list[dict[str, Any]]:
    """Return what the emulator was asked since the last time, and forget it."""
    found: list[dict[str, Any]] = httpx.get(f"{url}/_emulator/requests").json()
    httpx.delete(f"{url}/_emulator/requests").raise_for_status()
    return found


def decide(world: World, context: Context) -> None:
    """Decide whether the world's free group may be deleted."""
    address = Address(Scope(world.provider, "", world.region), world.free)
    pipeline.decide_delete(DeleteRequest((address,)), context, event_id="bench")
