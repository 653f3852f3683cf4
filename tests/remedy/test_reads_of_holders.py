"""How often a plan reads what each holder carries, where a call tells the groups of one."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from msgspec.structs import replace

from sgguard.providers.tencent_dfw.bindings import INSTANCES_MAX
from tests.bench.remedy import Crowd
from tests.engine.interleaved import Between
from tests.worlds import world_of

HOLDERS, MANY = 12, INSTANCES_MAX + 10


@pytest.fixture(params=[HOLDERS, MANY])
def crowd(request, tmp_path) -> Crowd:
    return crowd_of(tmp_path, request.param)


def crowd_of(folder: Path, holders: int) -> Crowd:
    return Crowd(world_of("tencent-dfw"), ("revoke", "move"), folder, 4, 2, holders)


def carried(crowd: Crowd) -> dict[str, list[str]]:
    cloud = crowd.emulator.state.clouds[0]
    names = [one.id for one in cloud.instances_with(crowd.target)]
    return {one: cloud.interfaces_of(one)[0].groups for one in names}


def reads(crowd: Crowd) -> Counter[str]:
    """How often the groups of each instance were asked for."""
    bodies = (parse_qs(one.body) for one in crowd.emulator.requests)
    return Counter(body["instanceId"][0] for body in bodies if "instanceId" in body)


def interrupted(crowd: Crowd, happens) -> dict:
    """Carry the plan out; what ``happens`` does so right before its keys are locked."""
    context = crowd.context()
    crowd.emulator.requests.clear()
    return crowd.remedy(replace(context, store=Between(context.store, ("lock",), happens)))


@pytest.mark.sampled(2)
def test_an_instance_is_read_for_the_plan_and_right_before_its_change(crowd):
    names = set(carried(crowd))
    handled = interrupted(crowd, lambda: None)
    assert handled["outcome"] == "remediated"
    # Of few instances the verdict tells what else they carry, each time.
    of_the_verdict = 2 if crowd.holders == HOLDERS else 0
    assert set(reads(crowd)) == names
    assert set(reads(crowd).values()) == {2 + of_the_verdict}


@pytest.mark.sampled(2)
def test_an_instance_that_let_the_group_go_meanwhile_is_left_as_it_is(crowd):
    name, groups = next(iter(carried(crowd).items()))
    handled = interrupted(crowd, lambda: groups.__setitem__(0, crowd.world.default))
    assert handled["outcome"] == "remediated"
    assert crowd.emulator.state.clouds[0].groups_of(name) == [crowd.world.default]


@pytest.mark.sampled(2)
def test_an_instance_whose_other_group_was_changed_meanwhile_gets_the_new_ones(crowd):
    cloud, world = crowd.emulator.state.clouds[0], crowd.world
    for groups in carried(crowd).values():
        groups.insert(0, world.default)
    name, groups = next(iter(carried(crowd).items()))
    handled = interrupted(crowd, lambda: groups.remove(world.default))
    assert handled["outcome"] == "remediated"
    assert cloud.groups_of(name) == [world.free]
    assert cloud.group(crowd.target) is None


def test_one_of_few_instances_that_got_a_further_group_meanwhile_keeps_it(tmp_path):
    crowd = crowd_of(tmp_path, HOLDERS)
    cloud, world = crowd.emulator.state.clouds[0], crowd.world
    name, groups = next(iter(carried(crowd).items()))
    handled = interrupted(crowd, lambda: groups.append(world.default))
    assert handled["outcome"] == "remediated"
    assert cloud.groups_of(name) == [world.free, world.default]


@pytest.mark.parametrize("how", ["another group", "another order"])
@pytest.mark.sampled(2)
def test_what_is_not_told_of_many_is_found_before_the_change_and_none_of_it_is_lost(tmp_path, how):
    crowd = crowd_of(tmp_path, MANY)
    cloud, world = crowd.emulator.state.clouds[0], crowd.world
    for groups in carried(crowd).values():
        groups.insert(0, world.default)
    name, groups = next(iter(carried(crowd).items()))
    happens = groups.reverse if how == "another order" else lambda: groups.append(world.referenced)
    rules = [len(one.rules) for one in cloud.groups]
    handled = interrupted(crowd, happens)
    assert handled["outcome"] == "undone"
    expected = [world.default, crowd.target, world.referenced]
    assert cloud.groups_of(name) == (
        [crowd.target, world.default] if how == "another order" else expected
    )
    assert [len(one.rules) for one in cloud.groups] == rules
    assert cloud.group(crowd.target) is not None
    # The next request finds the cloud as it is.
    again = crowd.remedy(event_id="again")
    assert again["outcome"] == "remediated"
    assert crowd.target not in cloud.groups_of(name)
    assert world.default in cloud.groups_of(name)
