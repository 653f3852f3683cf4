"""Bad instances scattered at random: every good one bound, every bad one named, calls in bound."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.engine.bulk.pool import Hunt, Pool
from tests.bind.harness import Fleet, by_status, ids
from tests.examples import examples

CODE = "UnsupportedOperation.InstanceStateIsolating"


def bound(size: int, bad: int) -> int:
    return math.ceil(size / 100) + bad * (math.ceil(math.log2(100)) + 1)


@pytest.mark.parametrize(
    ("size", "share"),
    [
        (200, 0.1),
        *(
            pytest.param(size, share, marks=pytest.mark.slow)
            for size, share in ((1000, 0.01), (1000, 0.1), (400, 0.5), (100, 1.0))
        ),
    ],
)
def test_every_good_one_is_bound_and_every_bad_one_named_within_the_bound(tmp_path, size, share):
    fleet, chance = Fleet(tmp_path, size), random.Random(f"{size} {share}")
    bad = {one for one in ids(size) if chance.random() < share}
    told = dict.fromkeys(bad, CODE)
    fleet.cloud.quirks |= {"binding_refused_with": told, "names_nobody": True}
    done = fleet.bind(ids(size))
    assert by_status(done, "refused") == bad
    assert fleet.holders_of() == set(ids(size)) - bad == by_status(done, "done")
    assert fleet.calls() <= bound(size, len(bad))


def test_a_named_culprit_costs_one_call(tmp_path):
    fleet = Fleet(tmp_path, 200)
    bad = set(ids(200)[::29])
    fleet.cloud.quirks["binding_refused_with"] = dict.fromkeys(bad, CODE)
    done = fleet.bind(ids(200))
    assert by_status(done, "refused") == bad
    assert fleet.calls() <= 2 + len(bad) + 1


@examples(200)
@given(st.integers(1, 260), st.sampled_from([0.0, 0.005, 0.02, 0.1, 0.5, 1.0]), st.integers())
def test_a_pool_finds_exactly_the_culprits_and_keeps_the_bound(size, share, seed):
    chance = random.Random(seed)
    everyone = ids(size)
    bad = {one for one in everyone if chance.random() < share}
    pool = Pool(100, total=size)
    pool.add(everyone)
    good: set[str] = set()
    found: set[str] = set()
    for hunt, tried in _sets(pool, found):
        pool.calls += 1
        if bad.isdisjoint(tried):
            good |= set(tried)
            pool.accepted += len(tried)
            if hunt:
                hunt.accepted()
        elif hunt:
            pool.add(hunt.refused(ValueError()))
        elif len(tried) == 1:
            found |= set(tried)
            pool.culprits += 1
        else:
            pool.hunts.append(Hunt(tried, ValueError()))
    assert (found, good) == (bad, set(everyone) - bad)
    assert pool.calls <= bound(size, len(bad))


def _sets(pool, found):
    """What goes into the next call, one after the other, as the run asks for it."""
    while True:
        for hunt in list(pool.hunts):
            if hunt.next():
                yield hunt, hunt.tried
            else:
                pool.hunts.remove(hunt)
                pool.culprits += 1
                found |= set(hunt.suspects)
        if batch := pool.fresh():
            yield None, batch
        elif not pool.hunts:
            return
