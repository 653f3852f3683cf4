"""CPU per decision against as many bare httpx calls, and round trips one after another."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from sgguard import providers
from sgguard.engine.context import Context
from tests.bench.clouds import decide, emulated, environment, requests
from tests.bench.measure import Ratio, least, one_core, round_trips
from tests.bench.replay import again, recorded, replayed
from tests.worlds import World, world_of

DECISIONS = 40
AIM = 1.15


def measure_cpu(
    runs: int = 15, decisions: int = DECISIONS, names: Sequence[str] | None = None
) -> list[Ratio]:
    """Measure a warm decision of each cloud, or of those named."""
    return [_cpu(world_of(name), runs, decisions) for name in names or providers.names()]


def _cpu(world: World, runs: int, decisions: int) -> Ratio:
    """Set our decisions against the very same requests and answers, sent and read by httpx."""
    calls, answers = recorded(world)
    with (
        tempfile.TemporaryDirectory() as tmp,
        replayed(answers, Path(tmp)) as url,
        httpx.Client(trust_env=False) as bare,
        one_core(),
    ):
        env = environment(world, url)

        def decided() -> float:
            begun = time.process_time()
            for _ in range(decisions):
                decide(world, Context.from_env(env))
            return time.process_time() - begun

        def bare_calls() -> float:
            begun = time.process_time()
            for _ in range(decisions):
                for call in calls:
                    again(bare, url, call)
            return time.process_time() - begun

        found = least((decided, bare_calls), runs)[0]
    detail = f"{len(calls)} calls; {found.shown(per=decisions)}"
    what = f"CPU of a decision, {world.provider}"
    least_s = found.ours_s, found.theirs_s
    return Ratio(what, "bare httpx calls", found.ratio, AIM, detail, found.noise, *least_s)


def measure_round_trips() -> list[Ratio]:
    return [_depth(world_of(name)) for name in providers.names()]


# A list that is empty proves nothing by itself on these three. On Neutron a row that must be shown
# is asked for before it, so that the list is read once. On the other two it is asked for after it,
# where it is empty: before it, that would be up to three calls more for a group that is in use.
_TWO = {"alibaba", "huawei", "openstack"}


def _depth(world: World) -> Ratio:
    aim = 2.0 if world.provider in _TWO else 1.0
    with emulated(latency_ms=40) as url:
        env = environment(world, url)
        decide(world, Context.from_env(env))  # connections, and a token where one is needed
        requests(url)
        decide(world, Context.from_env(env))
        calls = requests(url)
    depth = round_trips((call["begun_s"], call["ended_s"]) for call in calls)
    detail = f"{len(calls)} calls"
    return Ratio(f"round trips of a decision, {world.provider}", "one", float(depth), aim, detail)
