"""What a launch needs beside its groups: the default group, and who names a crowded one."""

from __future__ import annotations

import dataclasses

import pytest
from msgspec.structs import replace

from sgguard.emulator.core import Emulator
from sgguard.facts.gather import gather_launch
from sgguard.guards import launch
from sgguard.model.address import Scope
from sgguard.model.request import LaunchRequest
from sgguard.model.resource import Group, Limit, Seen
from sgguard.policy import LaunchPolicy, Policy
from sgguard.render.language.sentence import in_english, message_of
from tests.facts.test_gather import FORBIDDEN, REFERENCE, SCOPE, Cloud
from tests.worlds import world_of

DEFAULT = Group("sg-d", "default", project="p-1", is_default=True)
FULL = (Limit("instances-per-group", 2000, source="live"),)


def of(cloud, *group_ids, **more):
    return gather_launch(cloud, LaunchRequest(SCOPE, group_ids, **more))


@pytest.mark.parametrize(("count", "verdict"), [(500, "allow"), (501, "block")])
def test_instances_without_groups_are_counted_for_the_default_one(count, verdict):
    cloud = Cloud(groups={"sg-d": DEFAULT}, counts={"sg-d": 1500}, limits=FULL)
    facts = of(cloud, count=count)
    assert [one.address.group_id for one in facts.groups] == ["sg-d"]
    found = launch.judge(facts, Policy())
    assert found.verdict == verdict
    (reason,) = (one for one in found.reasons if one.code == "default-group-applies")
    assert "sg-d (default)" in message_of(reason)


def test_a_forbidden_default_group_is_forbidden_to_who_names_none():
    cloud = Cloud(groups={"sg-d": DEFAULT}, counts={"sg-d": 1})
    policy = Policy(launch=LaunchPolicy(forbidden=("default",)))
    assert launch.judge(of(cloud), policy).verdict == "block"


@pytest.mark.parametrize(
    ("groups", "project", "found"),
    [
        ((), "", False),
        ((DEFAULT,), "p-1", True),
        ((DEFAULT,), "p-2", False),
        ((DEFAULT, replace(DEFAULT, group_id="sg-e", project="p-2")), "", False),
        ((DEFAULT, replace(DEFAULT, group_id="sg-e", project="p-2")), "p-2", True),
        ((replace(DEFAULT, is_default=False),), "", False),
    ],
)
def test_the_default_group_is_that_of_the_project_or_stays_untold(groups, project, found):
    cloud = Cloud(groups={one.group_id: one for one in groups}, counts={"sg-d": 1, "sg-e": 1})
    facts = of(cloud, project=project)
    assert (bool(facts.groups), facts.is_default_applied) == (found, found)


def test_what_is_named_is_all_that_is_launched_with():
    cloud = Cloud(groups={"sg-d": DEFAULT, "sg-1": Group("sg-1", "web")}, counts={"sg-1": 1})
    facts = of(cloud, "sg-1")
    assert [one.address.group_id for one in facts.groups] == ["sg-1"]
    assert not facts.is_default_applied


@pytest.mark.parametrize("name", ["tencent", "tencent-dfw", "huawei", "openstack"])
def test_every_cloud_with_a_default_group_tells_it(name):
    world = world_of(name)
    emulator = Emulator.load(world.scenario_copy())
    default = [one for one in emulator.state.clouds[0].groups if one.default]
    request = LaunchRequest(Scope(name, "", world.region), count=2)
    facts = gather_launch(world.connect(emulator), request)
    assert [one.address.group_id for one in facts.groups] == [one.id for one in default]


# -- the lower ceiling of a referenced group ------------------------------------------------------

LOWER = (*FULL, Limit("instances-per-referenced-group", 10, source="live"))


@pytest.mark.parametrize(("count", "asked"), [(5, False), (6, True)])
def test_who_names_a_group_is_read_where_it_decides(count, asked):
    cloud = Cloud(
        groups={"sg-1": Group("sg-1", "web")},
        counts={"sg-1": 5},
        limits=LOWER,
        references={"sg-1": (REFERENCE,)},
    )
    facts = of(cloud, "sg-1", count=count)
    assert ("references" in [name for name, _ in cloud.calls]) is asked
    assert launch.judge(facts, Policy()).verdict == ("block" if asked else "allow")
    assert launch.judge(of(dataclasses.replace(cloud, references={"sg-1": ()}), "sg-1", count=6),
                        Policy()).verdict == "allow"  # fmt: skip


def test_references_that_may_not_be_read_are_a_gap_of_a_crowded_group():
    cloud = Cloud(
        groups={"sg-1": Group("sg-1", "web")},
        counts={"sg-1": 10},
        limits=Seen(LOWER),
        references=FORBIDDEN,
    )
    (group,) = of(cloud, "sg-1").groups
    assert [in_english(one.what) for one in group.unseen] == ["references"]
