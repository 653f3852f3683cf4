"""A plan for many references and holders: no more calls than were counted once."""

from __future__ import annotations

from collections import Counter

import pytest

from sgguard import providers
from tests.bench.remedy import MOST_CALLS, Crowd, is_writing, plans, used
from tests.worlds import world_of

REFERENCES, REFERRERS, HOLDERS = 12, 4, 20
CASES = [(name, remedies) for name in providers.names() for remedies in plans(name)]
# What changes something, beside the delete: for a rule that goes or is rewritten, for all rules of
# a group that do, and for a holder.
WRITES = {
    ("alibaba", "revoke"): REFERRERS + HOLDERS,
    ("alibaba", "rewrite"): 2 * REFERRERS + HOLDERS,
    ("huawei", "revoke"): REFERENCES + HOLDERS,
    ("huawei", "rewrite"): REFERRERS + REFERENCES + 2 * HOLDERS,
    ("openstack", "revoke"): REFERENCES + HOLDERS,
    ("openstack", "rewrite"): REFERRERS + REFERENCES + HOLDERS,
    ("tencent", "revoke"): REFERRERS + 1,
    ("tencent", "rewrite"): REFERRERS + 2,
    ("tencent-dfw", "revoke"): REFERRERS + 1,
    ("tencent-dfw", "rewrite"): 2 * REFERRERS + 1,
}
# Here what is read once a plan weighs more than in the plans of the benchmark.
MOST = 1.7


@pytest.mark.parametrize(("provider", "remedies"), CASES, ids="".join)
@pytest.mark.sampled(6)
def test_a_plan_takes_few_calls_and_few_reads(provider, remedies, tmp_path):
    crowd = Crowd(world_of(provider), remedies, tmp_path, REFERENCES, REFERRERS, HOLDERS)
    found = used(crowd)
    writes = sum(n for name, n in found.calls.items() if is_writing(name))
    assert writes == WRITES[provider, remedies[0]] + 1, found.calls
    assert found.total <= MOST * found.fewest, (found.fewest, found.calls)


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "remedies"), CASES, ids="".join)
def test_the_plans_of_the_benchmark_take_no_more_calls_than_it_aims_at(
    provider, remedies, tmp_path
):
    found = used(Crowd(world_of(provider), remedies, tmp_path))
    assert found.total <= MOST_CALLS * found.fewest, (found.fewest, found.calls)


def test_what_is_left_is_the_cloud_without_the_group(tmp_path):
    crowd = Crowd(world_of("tencent"), ("rewrite", "move"), tmp_path, REFERENCES, REFERRERS, 150)
    handled = crowd.remedy()
    assert handled["outcome"] == "remediated"
    cloud = crowd.emulator.state.clouds[0]
    assert cloud.group(crowd.target) is None
    assert len(cloud.interfaces_with(crowd.world.free)) == 150
    assert len(cloud.references(crowd.world.free)) == REFERENCES
    states = Counter(line["state"] for line in handled["journal"])
    assert states == {"done": 2 * REFERENCES + 2 * 150 + 1}
