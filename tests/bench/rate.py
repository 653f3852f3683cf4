"""Decisions per second on one core, with many events at once and a cloud that is far away."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx

from sgguard.engine.context import Context
from tests.bench.clouds import decide, environment
from tests.bench.measure import Ratio, interleaved, one_core
from tests.bench.replay import again, recorded, replayed
from tests.worlds import World, world_of

LATENCY_S = 0.05
EVENTS = 64
ROUNDS = 4
PROVIDERS = ("alibaba", "openstack", "tencent")


def measure(runs: int = 5) -> list[Ratio]:
    return [_rate(world_of(name), runs) for name in PROVIDERS]


def _rate(world: World, runs: int) -> Ratio:
    calls, answers = recorded(world)
    with (
        tempfile.TemporaryDirectory() as tmp,
        replayed(answers, Path(tmp), LATENCY_S) as url,
        one_core(),
        ThreadPoolExecutor(EVENTS) as events,
        ThreadPoolExecutor(2 * EVENTS) as bare,
    ):
        env = environment(world, url)
        ask = _bare_call(url)
        ours, theirs, ratio = interleaved(
            lambda: _timed(events, EVENTS * ROUNDS, lambda _: decide(world, Context.from_env(env))),
            lambda: _timed(
                bare, EVENTS * ROUNDS * len(calls), lambda n: ask(calls[n % len(calls)])
            ),
            runs,
        )
    per_s, bare_per_s = EVENTS * ROUNDS / ours, EVENTS * ROUNDS / theirs
    return Ratio(
        f"time of {EVENTS} decisions at once at 50 ms, one core, {world.provider}",
        "bare httpx calls",
        ratio,
        1.60,
        f"{len(calls)} calls; {per_s:.0f} and {bare_per_s:.0f} decisions a second",
    )


def _bare_call(url: str) -> Callable[[httpx.Request], None]:
    local = threading.local()

    def ask(call: httpx.Request) -> None:
        client = getattr(local, "client", None)
        if client is None:
            client = local.client = httpx.Client(trust_env=False)
        again(client, url, call)

    return ask


def _timed(threads: ThreadPoolExecutor, count: int, work: Callable[[int], None]) -> float:
    begun = time.perf_counter()
    list(threads.map(work, range(count)))
    return time.perf_counter() - begun
