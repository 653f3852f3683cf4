"""A launch without groups takes the default one: where it cannot be read, that is a gap."""

from __future__ import annotations

import pytest

from sgguard.facts.gather import gather_launch
from sgguard.guards import launch
from sgguard.model.address import Scope
from sgguard.model.request import LaunchRequest
from sgguard.policy import Policy
from sgguard.render.language.sentence import in_english
from tests.worlds import world_of

DENIED = {
    "tencent": "DescribeSecurityGroups",
    "tencent-dfw": "DescribeSecurityGroups",
    "openstack": "GET /v2.0/security-groups",
}


@pytest.mark.parametrize("provider", DENIED)
def test_a_default_group_that_cannot_be_read_blocks_a_launch_without_groups(provider):
    world = world_of(provider)
    emulator = world.emulator()
    request = LaunchRequest(Scope(provider, "", world.region), (), count=2)
    assert not gather_launch(world.connect(emulator), request).unseen
    emulator.state.clouds[0].accounts[0].denied = [DENIED[provider], f"{DENIED[provider]}Ex"]
    facts = gather_launch(world.connect(emulator), request)
    assert [
        one
        for one in facts.unseen
        if "default" in in_english(one.what) or "takes" in in_english(one.what)
    ]
    assert launch.judge(facts, Policy()).verdict == "block"
