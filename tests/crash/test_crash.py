"""A worker that dies anywhere leaves a world that the next delivery makes whole."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from sgguard.emulator.server import serve
from tests.crash.comparison import Seen
from tests.crash.harness import TRIED, Rig, restart
from tests.crash.scenarios import PROVIDERS, SHAPES
from tests.crash.worker_pool import Nursery, nursery

LAUNCHES = ("baseline", "forbidden", "quarantine")
PLOTS = [
    (provider, shape)
    for provider in PROVIDERS
    for shape in SHAPES
    # The legacy API of Tencent does not tell whether an instance can be bound; only it can force.
    if (shape not in LAUNCHES if provider == "tencent-dfw" else shape != "force")
]
IDS = ["-".join(plot) for plot in PLOTS]
# One plot of each cloud is tried by every run, at every so many points.
SAMPLED = {
    "tencent": ("rewrite", 9),
    "tencent-dfw": ("circle", 9),
    "alibaba": ("move", 9),
    "huawei": ("mix", 9),
    "openstack": ("set", 9),
}
POINTS_MAX = 500


@pytest.fixture(scope="module")
def workers() -> Iterator[Nursery]:
    with nursery() as started:
        yield started


def clean_run(provider: str, shape: str, folder: Path) -> Seen:
    """The world after the plan was carried out without any trouble."""
    rig = Rig.of(provider, shape, folder)
    handled = rig.deliver()
    assert not isinstance(handled, Exception), handled
    assert (handled["verdict"], handled["outcome"]) == ("remediate", "remediated"), handled
    world = rig.now()
    assert not set(rig.plot.targets) & set(world["groups"])
    rig.require_unbroken()
    rig.close()
    return world


def crash_once(rig: Rig, workers: Nursery, at: int, remediated: Seen, *, is_fresh: bool) -> str:
    """Kill a worker at the point; deliver again; return the point, or nothing beyond the last."""
    job = {"provider": rig.plot.provider, "shape": rig.shape, "store": rig.store_url}
    told = workers.run({**job, "env": rig.env, "at": at})
    if "document" in told:
        assert told["document"]["outcome"] == "remediated"
        rig.require(remediated)
        rig.require_clean_store()
        return ""
    assert told.get("signal") == 9, told
    let_the_cloud_finish()
    document = rig.deliver_until_answered()
    if is_fresh:
        again = workers.run({**job, "env": rig.env, "at": -1})
        assert again.get("document") == document, again
    rig.require_unbroken()
    rig.require_clean_store()
    rig.require_same_answer(document)
    assert document["outcome"] == "remediated"
    rig.require(remediated)
    return str(told["point"])


def let_the_cloud_finish() -> None:
    """Wait until what the dead worker had sent has had its effect: a lease is longer than that."""
    for _ in range(1000):
        names = [thread.name for thread in threading.enumerate()]
        if not any("process_request_thread" in name for name in names):
            return
        time.sleep(0.002)
    raise AssertionError("the cloud never ends")


def sweep(provider: str, shape: str, folder: Path, workers: Nursery, every: int) -> int:
    remediated = clean_run(provider, shape, folder)
    points = 0
    base = Rig.of(provider, shape, folder)
    with serve(base.emulator) as server:
        variable = f"SGGUARD_ENDPOINT_{provider.upper().replace('-', '_')}"
        env = {variable: server.url}
        if provider == "openstack":
            env["OS_AUTH_URL"] = f"{server.url}/identity"
        for at in range(0, POINTS_MAX, every):
            rig = Rig.of(provider, shape, folder, env=env)
            rig.emulator, watch = base.emulator, rig.emulator.watch
            restart(rig)
            rig.emulator.watch = watch
            try:
                point = crash_once(rig, workers, at, remediated, is_fresh=at % 7 == 0)
            except AssertionError as error:
                error.add_note(f"{provider} {shape}, killed at point {at}")
                raise
            finally:
                rig.close()
            if not point:
                break
            TRIED[point] += 1
            points += 1
    return points


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_plan_whose_worker_dies_is_finished_by_the_next_delivery(provider, folder, workers):
    shape, every = SAMPLED[provider]
    assert sweep(provider, shape, folder, workers, every) >= 5


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "shape"), PLOTS, ids=IDS)
def test_a_worker_may_die_anywhere_and_nothing_is_lost(provider, shape, folder, workers):
    points = sweep(provider, shape, folder, workers, 1)
    print(f"\n{provider} {shape}: {points} crash points")
    assert points >= 15
