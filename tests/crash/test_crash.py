"""A worker killed at any point: the next delivery finishes its plan."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from sgguard.emulator.server import serve
from tests.crash.comparison import Snapshot
from tests.crash.harness import CRASH_POINTS, Harness, restart
from tests.crash.scenarios import PROVIDERS, SHAPES
from tests.crash.worker_pool import WorkerPool, worker_pool

LAUNCHES = ("baseline", "forbidden", "quarantine")
SCENARIOS = [
    (provider, shape)
    for provider in PROVIDERS
    for shape in SHAPES
    # The legacy API of Tencent does not tell whether an instance can be bound; only it can force.
    if (shape not in LAUNCHES if provider == "tencent-dfw" else shape != "force")
]
IDS = ["-".join(scenario) for scenario in SCENARIOS]
# Every run tries these, at every so many points; the slow run tries all, at every point.
SAMPLED = {
    "tencent": ("rewrite", 11),
    "alibaba": ("move", 6),
    "openstack": ("set", 7),
}
POINTS_MAX = 500
WATCHDOG_S = 300


@pytest.fixture(scope="module")
def workers() -> Iterator[WorkerPool]:
    with worker_pool() as started:
        yield started


def clean_run(provider: str, shape: str, folder: Path) -> Snapshot:
    """The state after the plan was applied without a fault."""
    harness = Harness.of(provider, shape, folder)
    handled = harness.deliver()
    assert not isinstance(handled, Exception), handled
    assert (handled["verdict"], handled["outcome"]) == ("remediate", "remediated"), handled
    world = harness.now()
    assert not set(harness.scenario.targets) & set(world["groups"])
    harness.require_unbroken()
    harness.close()
    return world


def crash_once(
    harness: Harness, workers: WorkerPool, at: int, remediated: Snapshot, *, is_fresh: bool
) -> str:
    """Kill a worker at the point; deliver again; return the point, or nothing beyond the last."""
    job = {
        "provider": harness.scenario.provider,
        "shape": harness.shape,
        "store": harness.store_url,
    }
    response = workers.run({**job, "env": harness.env, "at": at})
    if "document" in response:
        assert response["document"]["outcome"] == "remediated"
        harness.require(remediated)
        harness.require_clean_store()
        return ""
    assert response.get("signal") == 9, response
    wait_for_sent_calls()
    document = harness.deliver_until_decided()
    if is_fresh:
        again = workers.run({**job, "env": harness.env, "at": -1})
        assert again.get("document") == document, again
    harness.require_unbroken()
    harness.require_clean_store()
    harness.require_same_decision(document)
    assert document["outcome"] == "remediated"
    harness.require(remediated)
    return str(response["point"])


def wait_for_sent_calls() -> None:
    """Wait until the calls of the killed worker have had their effect; a lease lasts longer."""
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(WATCHDOG_S)
            assert not thread.is_alive(), "a call of the killed worker is still running"


def sweep(provider: str, shape: str, folder: Path, workers: WorkerPool, every: int) -> int:
    remediated = clean_run(provider, shape, folder)
    points = 0
    base = Harness.of(provider, shape, folder)
    with serve(base.emulator) as server:
        variable = f"SGGUARD_ENDPOINT_{provider.upper().replace('-', '_')}"
        env = {variable: server.url}
        if provider == "openstack":
            env["OS_AUTH_URL"] = f"{server.url}/identity"
        for at in range(0, POINTS_MAX, every):
            harness = Harness.of(provider, shape, folder, env=env)
            harness.emulator, monitor = base.emulator, harness.emulator.monitor
            restart(harness)
            harness.emulator.monitor = monitor
            try:
                point = crash_once(harness, workers, at, remediated, is_fresh=at % 7 == 0)
            except AssertionError as error:
                error.add_note(f"{provider} {shape}, killed at point {at}")
                raise
            finally:
                harness.close()
            if not point:
                break
            CRASH_POINTS[point] += 1
            points += 1
    return points


@pytest.mark.parametrize("provider", SAMPLED)
def test_a_plan_whose_worker_is_killed_is_finished_by_the_next_delivery(provider, folder, workers):
    shape, every = SAMPLED[provider]
    assert sweep(provider, shape, folder, workers, every) >= 5


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "shape"), SCENARIOS, ids=IDS)
def test_a_worker_killed_at_any_point_loses_nothing(provider, shape, folder, workers):
    points = sweep(provider, shape, folder, workers, 1)
    print(f"\n{provider} {shape}: {points} crash points")
    assert points >= 15
