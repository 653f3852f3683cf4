"""A group that a restore made and takes back: what somebody lets name it meanwhile is not lost."""

from __future__ import annotations

import dataclasses

import pytest
from msgspec.structs import replace

from sgguard import providers
from sgguard.emulator import edit
from sgguard.emulator.faults import Fault
from sgguard.emulator.resource import Rule
from sgguard.operations import restore
from tests.engine.interleaved import Watching, context_of
from tests.remedy.harness import Harness
from tests.worlds import world_of

RULE = Rule("ingress", id="9f0c1a52-0000-4000-8000-00000000aa02", ports="8443")
ADD = {
    "alibaba": "AuthorizeSecurityGroup",
    "huawei": "POST /v3/{project_id}/vpc/security-group-rules",
    "openstack": "POST /v2.0/security-group-rules",
    "tencent": "CreateSecurityGroupPolicies",
    "tencent-dfw": "CreateSecurityGroupPolicy",
}


@pytest.mark.parametrize("is_named", [False, True], ids=["as it was made", "named by somebody"])
@pytest.mark.parametrize("provider", providers.names())
@pytest.mark.sampled(12)
def test_a_group_that_is_named_by_now_is_not_taken_back(provider, is_named, tmp_path):
    world = world_of(provider)
    here = Harness(world, tmp_path)
    (cloud,) = here.emulator.state.clouds
    deleted = here.delete(world.referenced)
    assert deleted["outcome"] == "remediated"
    there = {one.id for one in cloud.groups}
    refused = Fault("error", action=ADD[provider], count=100, code="InvalidParameter", status=400)
    here.emulator.faults.append(refused)

    def before(action: str) -> None:
        new = [one.id for one in cloud.groups if one.id not in there]
        if is_named and action == ADD[provider] and new and not named(cloud, new[0]):
            rule = dataclasses.replace(RULE, peer_group=new[0])
            edit.add_rule(cloud, world.free, rule)

    context = context_of(here, transport=Watching(here, before))
    context = replace(context, retry=replace(context.retry, attempts=1))
    found = restore.restore(deleted["decision_id"], context, by="olga")
    new = [one.id for one in cloud.groups if one.id not in there]
    if not is_named:
        assert (found["outcome"], new) == ("undone", [])
    else:
        assert (found["outcome"], len(new)) == ("partly-undone", 1), found["note"]
        assert named(cloud, new[0])


def named(cloud, group_id: str) -> bool:
    return any(
        (rule.ports, rule.peer_group) == (RULE.ports, group_id)
        for one in cloud.groups
        for rule in one.rules
    )
