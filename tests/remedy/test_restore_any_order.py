"""Groups that named each other come back in any order, with every rule between them."""

from __future__ import annotations

import copy
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st

from sgguard import providers
from sgguard.emulator import edit
from sgguard.emulator.resource import Rule
from tests.examples import examples
from tests.remedy.harness import Harness
from tests.remedy.test_restore import made
from tests.worlds import world_of

NUMBERS = range(3)
PAIRS = [(one, other) for one in NUMBERS for other in NUMBERS if one != other]


def harness_of(provider: str, folder, remedies=("revoke", "unbind", "move")) -> Harness:
    return Harness(world_of(provider), folder, remedies=remedies)


def circle(harness: Harness, pairs=((0, 1), (1, 0))) -> list[str]:
    """Build groups that name each other, and one that names them all; return their ids.

    A group that nothing names is not deleted by sgguard but by whoever asked.
    """
    (cloud,) = harness.emulator.state.clouds
    ids = []
    for number in NUMBERS:
        group = copy.deepcopy(cloud.group(harness.world.free))
        group.id, group.name = f"{group.id[:-1]}{number + 1}", f"circle-{number}"
        cloud.groups.append(group)
        ids.append(group.id)
        watcher = harness.world.referrer_in
        edit.add_rule(cloud, watcher, _rule(f"70{number:02d}", peer_group=group.id))
    for number, (one, other) in enumerate(pairs):
        edit.add_rule(cloud, ids[one], _rule(f"90{number:02d}", peer_group=ids[other]))
        edit.add_rule(cloud, ids[one], _rule(f"80{number:02d}", cidr=f"10.{number}.0.0/16"))
    return ids


def _rule(port: str, **more: str) -> Rule:
    return Rule("ingress", id=f"9f0c1a52-0000-4000-8000-00000000{port}", ports=port, **more)


def state(harness: Harness, *restored: dict[str, Any]) -> Any:
    """The cloud but for the ids of what was built again; rules in their order where it counts."""
    return harness.comparable_state(*(pair for one in restored for pair in made(one)))


def deleted(harness: Harness, *groups: str) -> list[str]:
    found = [harness.delete(one, event_id=f"e-{one}") for one in groups]
    assert [one["outcome"] for one in found] == ["remediated"] * len(groups), found
    return [one["decision_id"] for one in found]


@pytest.mark.parametrize("provider", providers.names())
@pytest.mark.parametrize("remedy", ["revoke", "rewrite"])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["as deleted", "reversed"])
@pytest.mark.sampled(34)
def test_two_groups_that_named_each_other_come_back_in_any_order(provider, remedy, order, tmp_path):
    harness = harness_of(provider, tmp_path, (remedy, "unbind", "move"))
    ids = circle(harness)
    before = state(harness)
    decisions = deleted(harness, ids[0], ids[1])
    first, second = (harness.restore(decisions[one]) for one in order)
    assert [first["outcome"], second["outcome"]] == ["remediated", "remediated"]
    assert state(harness, first, second) == before
    assert "left out" not in second["note"]


@pytest.mark.sampled(4)
@pytest.mark.parametrize("provider", providers.names())
@examples(8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pairs=st.lists(st.sampled_from(PAIRS), max_size=5, unique=True),
    removal=st.sampled_from(list(permutations(NUMBERS))),
    order=st.sampled_from(list(permutations(NUMBERS))),
    remedies=st.sampled_from([("revoke",), ("rewrite",)]),
)
def test_any_groups_come_back_in_any_order(provider, tmp_path_factory, **drawn):
    pairs, removal, order = drawn["pairs"], drawn["removal"], drawn["order"]
    harness = harness_of(provider, tmp_path_factory.mktemp("r"), drawn["remedies"])
    ids = circle(harness, pairs)
    before = state(harness)
    decisions = dict(zip(removal, deleted(harness, *(ids[one] for one in removal)), strict=True))
    restored = [harness.restore(decisions[one]) for one in order]
    assert {one["outcome"] for one in restored} == {"remediated"}
    assert state(harness, *restored) == before
