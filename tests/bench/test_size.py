"""A large account: one check reads only what it needs, and holds little while it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from sgguard import providers
from tests.bench.calls import WHO, counts
from tests.bench.size import CARRIED, check, large, naming_each_other
from tests.worlds import world_of

MEMORY_MB = 120
NAMED = 20
"""How many others each group of a large set names."""
CALLS_A_GROUP = {
    "alibaba": 4.5,
    "huawei": 0.4,
    "openstack": 0.2,
    "tencent": 1.8,
    "tencent-dfw": 6.5,
}
"""The most calls of a set of a thousand groups, for each of them."""

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not Path("/proc/self/status").exists(), reason="memory is read from Linux's /proc"
    ),
]


@pytest.fixture(scope="module", params=providers.names())
def account(request):
    world = world_of(request.param)
    return world, large(world)


@pytest.mark.parametrize(("who", "verdict"), [("free", "allow"), ("referenced", "block")])
def test_a_check_asks_no_more_of_a_large_account_than_of_a_small_one(account, who, verdict):
    world, emulator = account
    group_id = getattr(world, who)
    in_large = check(world, emulator, group_id)
    in_small = check(world, world.emulator(), group_id)
    assert in_large.verdict == verdict
    assert in_large.calls == in_small.calls
    assert sum(in_large.calls.values()) == counts(world)[WHO.index(who)], "the table of calls"
    assert in_large.memory_mb < MEMORY_MB


def test_what_carries_a_group_is_read_and_nothing_else(account):
    world, emulator = account
    bound = check(world, emulator, world.bound)
    assert bound.verdict == "block"
    assert sum(bound.calls.values()) == counts(world)[WHO.index("bound")], "the table of calls"
    assert sum(bound.calls.values()) <= sum(
        check(world, world.emulator(), world.bound).calls.values()
    )
    assert bound.memory_mb < MEMORY_MB


def test_a_set_of_many_groups_is_read_in_chunks_and_in_little_memory(account):
    world, emulator = account
    cloud = emulator.state.clouds[0]
    many = [group.id for group in cloud.groups if group.name.startswith("team ")][:100]
    whole = check(world, emulator, *many)
    assert whole.verdict == "block"
    assert whole.memory_mb < MEMORY_MB


def test_a_thousand_groups_are_one_set_in_bounded_memory_and_few_calls(account):
    """References across the slices leave with their groups."""
    world, _ = account
    emulator, ids = naming_each_other(world, 1000, NAMED)
    whole = check(world, emulator, *ids)
    assert whole.verdict == "allow"
    assert whole.memory_mb < MEMORY_MB
    assert sum(whole.calls.values()) <= CALLS_A_GROUP[world.provider] * len(ids)


def test_groups_that_all_name_each_other_are_judged_in_bounded_memory(account):
    world, _ = account
    emulator, ids = naming_each_other(world, 100, 99)
    whole = check(world, emulator, *ids)
    assert whole.verdict == "allow"
    assert whole.memory_mb < MEMORY_MB


def test_the_bound_group_is_carried_as_often_as_said(account):
    world, emulator = account
    assert len(emulator.state.clouds[0].interfaces_with(world.bound)) >= CARRIED
