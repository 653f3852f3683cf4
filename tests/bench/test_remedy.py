"""A plan for many references and holders: no more calls than were counted once."""

from __future__ import annotations

from collections import Counter

import pytest

from sgguard import providers
from tests.bench.remedy import Crowd, is_writing, plans, used
from tests.worlds import world_of

REFERENCES, REFERRERS, HOLDERS = 12, 4, 20
RATIOS = {"alibaba": 3.2, "huawei": 2.8, "openstack": 2.3, "tencent": 2.7, "tencent-dfw": 3.2}
CASES = [(name, remedies) for name in providers.names() for remedies in plans(name)]


@pytest.mark.parametrize(("provider", "remedies"), CASES, ids="".join)
@pytest.mark.sampled(6)
def test_a_plan_takes_one_call_a_change_or_fewer_and_few_reads(provider, remedies, tmp_path):
    crowd = Crowd(world_of(provider), remedies, tmp_path, REFERENCES, REFERRERS, HOLDERS)
    found = used(crowd)
    rules = REFERENCES * (2 if "rewrite" in remedies else 1)
    holders = 2 if "move" in remedies else 1
    if provider != "tencent":  # there one call takes a hundred instances
        holders *= HOLDERS
    assert sum(n for name, n in found.calls.items() if is_writing(name)) == rules + holders + 1
    assert found.total <= RATIOS[provider] * found.fewest, found.calls


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
