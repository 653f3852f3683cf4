"""Stories with real processes that are killed: no invariant is broken, as in the simulator."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.crash.harness import CRASH_POINTS
from tests.crash.processes import tell
from tests.crash.worker_pool import WorkerPool, worker_pool
from tests.sim.generate import PROVIDERS, story_of
from tests.sim.stores import new_store_of

SEEDS = {"sqlite": range(50_000, 50_012), "postgres": range(50_100, 50_106)}
"""Stories of each cloud."""


@pytest.fixture(scope="module")
def workers() -> Iterator[list[WorkerPool]]:
    """Two: what happens at the same moment is mostly about two workers."""
    with ExitStack() as closing:
        yield [closing.enter_context(worker_pool()) for _ in range(2)]


@pytest.mark.slow
@pytest.mark.usefixtures("postgres_server")
@pytest.mark.parametrize("store", SEEDS)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_no_story_whose_workers_are_killed_breaks_an_invariant(provider, store, workers):
    kills, outcomes = 0, []
    with new_store_of(store, is_alone=False) as new_store:
        for seed in SEEDS[store]:
            world, killed = tell(story_of(provider, str(seed)), new_store(), workers)
            try:
                found = [str(one) for one in world.monitor.violations.values()]
                assert not found, (seed, found, "\n".join(world.log))
                outcomes += world.monitor.outcomes().values()
            finally:
                world.close()
            CRASH_POINTS.update(killed)
            kills += len(killed)
    assert kills
    assert "remediated" in outcomes
