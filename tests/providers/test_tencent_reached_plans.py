"""Plans whose changes somebody else made first: they are carried out to their end."""

from __future__ import annotations

import pytest

from sgguard.emulator.faults import Fault
from tests.providers import test_tencent_changes as newer
from tests.providers import test_tencent_dfw_changes as legacy
from tests.remedy.harness import Harness
from tests.worlds import tencent, tencent_dfw

RULES = {
    "3.0": (tencent.WORLD, newer.ConcurrentEdit, "DeleteSecurityGroupPolicies"),
    "2.0": (tencent_dfw.WORLD, legacy.ConcurrentEdit, "DeleteSecurityGroupPolicy"),
}
CODES = {
    "3.0": ("InvalidParameterValue.Range", "ResourceNotFound", "UnsupportedOperation"),
    "2.0": ("9003", "7001", "5100"),
}


def harness_of(folder, api, edit, *, code, action=""):
    """A cloud in which somebody does this right before the first call of the action."""
    world, wrapper, changing = RULES[api]
    action = action or changing
    harness = Harness(world, folder)
    harness.emulator.faults.append(Fault("error", action=action, code=code))
    harness.emulator = wrapper(harness.emulator, action, edit)
    return harness


@pytest.mark.parametrize(("api", "code"), [(a, code) for a, some in CODES.items() for code in some])
@pytest.mark.sampled(6)
def test_a_rule_that_is_gone_does_not_undo_the_plan(tmp_path, api, code):
    world = RULES[api][0]

    def edit(cloud):
        for name in (world.referrer_in, world.referrer_out):
            group = cloud.group(name)
            group.rules[:] = [one for one in group.rules if one.peer_group != world.referenced]

    harness = harness_of(tmp_path, api, edit, code=code)
    document = harness.delete(world.referenced)
    assert document["outcome"] == "remediated"
    assert harness.emulator.emulator.state.clouds[0].group(world.referenced) is None


@pytest.mark.parametrize("api", RULES)
@pytest.mark.sampled(2)
def test_a_group_that_is_gone_does_not_undo_the_plan(tmp_path, api):
    world = RULES[api][0]

    def edit(cloud):
        cloud.groups.remove(cloud.group(world.referenced))

    code = {"3.0": "InvalidParameterValue.Malformed", "2.0": "5100"}[api]
    harness = harness_of(tmp_path, api, edit, code=code, action="DeleteSecurityGroup")
    document = harness.delete(world.referenced)
    assert document["outcome"] == "remediated"
