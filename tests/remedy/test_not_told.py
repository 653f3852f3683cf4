"""Where a cloud tells no tags or no name, nothing is changed that a policy could protect."""

from __future__ import annotations

import pytest

from tests.remedy.harness import Harness
from tests.worlds import world_of

SCOPED = """
[[scope]]
match = { tag = "env=prod" }
mode = "observe"
[scope.delete]
protected = ["*"]
"""
DFW = world_of("tencent-dfw")
TENCENT = world_of("tencent")


@pytest.fixture
def harness(tmp_path):
    return lambda world, **more: Harness(world, tmp_path, **more)


def test_a_scope_by_tag_holds_on_an_api_that_tells_no_tags(harness):
    untold = harness(DFW, more=SCOPED)
    found = untold.delete(DFW.referenced)
    assert (found["verdict"], found["mode"], found["outcome"]) == ("block", "observe", "unchanged")
    assert found["facts"]["groups"][0]["tags"] is None
    assert any(one.id == DFW.referenced for one in untold.emulator.state.clouds[0].groups)


def test_a_scope_by_tag_does_not_hold_for_a_group_that_is_told_to_have_none(harness):
    told = harness(TENCENT, more=SCOPED)
    for one in told.emulator.state.clouds[0].groups:
        one.tags = {}
    found = told.delete(TENCENT.referenced)
    assert (found["mode"], found["outcome"]) == ("enforce", "remediated")
    assert found["facts"]["groups"][0]["tags"] == []


TOLERANT = """
[[scope]]
match = {{ {match} }}
mode = "observe"
delete.tolerate_unseen = ["no-permission"]
[[scope]]
match = {{ region = "*" }}
delete.tolerate_unseen = ["no-permission"]
"""


@pytest.mark.parametrize("match", ['name = "prod-*"', 'tag = "env=prod"'])
@pytest.mark.sampled(2)
def test_a_group_that_was_not_read_keeps_its_stricter_scope_where_the_gap_is_tolerated(
    harness, match
):
    tolerant = harness(TENCENT, more=TOLERANT.format(match=match))
    tolerant.emulator.state.clouds[0].accounts[0].denied = ["DescribeSecurityGroups"]
    found = tolerant.delete(TENCENT.referenced)
    assert (found["verdict"], found["mode"]) == ("remediate", "observe")
    assert any(one.id == TENCENT.referenced for one in tolerant.emulator.state.clouds[0].groups)
