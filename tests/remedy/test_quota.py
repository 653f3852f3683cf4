"""Quotas: a change the cloud would refuse in the middle of a plan is known before it begins."""

from __future__ import annotations

import pytest

from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine.context import Context
from sgguard.engine.decide import decide_delete
from sgguard.model.address import Address
from sgguard.model.request import DeleteRequest
from tests.remedy.harness import Harness
from tests.worlds import world_of


def judged(harness: Harness):
    context = Context.from_env(harness.env, transport=EmulatorTransport(harness.emulator))
    request = DeleteRequest((Address(harness.scope, harness.world.referenced),))
    return decide_delete(request, context, event_id="e").judgement


def blocking(judgement) -> list[str]:
    return [one.code for one in judgement.reasons if one.effect == "block"]


def with_quota(tmp_path, *remedies: str, left: int) -> Harness:
    """OpenStack, where so many more rules find room in the project."""
    harness = Harness(world_of("openstack"), tmp_path, remedies=remedies)
    (cloud,) = harness.emulator.state.clouds
    mine = cloud.group(harness.world.referenced).project
    used = sum(len(group.rules) for group in cloud.groups if group.project == mine)
    cloud.limits["rules-per-project"] = used + left
    return harness


@pytest.mark.parametrize(
    ("remedy", "left", "verdict"),
    [
        ("revoke", -1, "block"),
        ("revoke", 0, "remediate"),
        ("rewrite", -1, "block"),
        ("rewrite", 0, "block"),
        ("rewrite", 1, "remediate"),
    ],
)
@pytest.mark.sampled(6)
def test_no_rule_is_removed_that_the_quota_would_not_let_restore(tmp_path, remedy, left, verdict):
    found = judged(with_quota(tmp_path, remedy, left=left))
    assert found.verdict == verdict
    assert ("cap-exceeded" in blocking(found)) == (verdict == "block")


def test_a_replacement_of_another_project_is_not_used(tmp_path):
    harness = Harness(world_of("tencent"), tmp_path, remedies=("rewrite",))
    assert judged(harness).verdict == "remediate"
    (cloud,) = harness.emulator.state.clouds
    cloud.group(harness.world.free).project = "1100"
    found = judged(harness)
    assert found.verdict == "block"
    assert "replacement-unusable" in blocking(found)
