"""A change whose aim is reached already succeeds, in every code that the documents have for it."""

from __future__ import annotations

from dataclasses import dataclass

import httpx
import pytest
from msgspec.structs import replace

from sgguard.emulator.core import Emulator
from sgguard.emulator.faces.alibaba.response import RefusedError, failure, status_of
from sgguard.emulator.transport import EmulatorTransport
from tests.remedy.harness import Harness
from tests.worlds.alibaba import WORLD

WEB, APP, BOUND, FREE = WORLD.referenced, WORLD.referrer_in, WORLD.bound, WORLD.free
MISSING_RULE = [
    "InvalidGroupAuthItem.NotFound",
    "InvalidSecurityGroupRule.RuleNotExist",
    "InvalidSecurityGroupRuleId.NotFound",
    "SecurityGroupRule.NotFound",
]
LEFT_ALREADY = [
    "InstanceNotInSecurityGroup",
    "InvalidSecurityGroupAssociation.NotFound",
]
JOINED_ALREADY = ["InvalidInstanceId.AlreadyExists"]
GONE = ["InvalidSecurityGroupId.NotFound"]


class Overtaken(httpx.BaseTransport):
    """Another user makes the same change just before ours arrives, which then gets a code."""

    def __init__(self, emulator: Emulator, action: str, code: str, edit) -> None:
        self.inner = EmulatorTransport(emulator)
        self.action, self.code, self.edit = action, code, edit
        self.overtaken = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        if not request.headers.get("x-acs-action", "").startswith(self.action):
            return self.inner.handle_request(request)
        self.edit(dict(request.url.params))
        self.overtaken += 1
        return failure(RefusedError(self.code, "Overtaken.", status_of(self.code)), is_json=True)


@dataclass
class Raced(Harness):
    """Deliveries that another user overtakes."""

    transport: httpx.BaseTransport | None = None

    def context(self):
        return replace(super().context(), transport=self.transport)

    def overtake(self, action: str, code: str, edit) -> Overtaken:
        self.transport = Overtaken(self.emulator, action, code, edit)
        return self.transport


@pytest.fixture
def harness(tmp_path):
    return Raced(WORLD, tmp_path)


@pytest.mark.parametrize("code", MISSING_RULE)
@pytest.mark.sampled(4)
def test_a_rule_that_is_gone_already_does_not_undo_the_plan(harness, code):
    cloud = harness.emulator.state.clouds[0]

    def revoke(params):
        group = cloud.group(params["SecurityGroupId"])
        group.rules = [one for one in group.rules if one.id != params["SecurityGroupRuleId.1"]]

    transport = harness.overtake("RevokeSecurityGroup", code, revoke)
    document = harness.delete(WEB)
    assert transport.overtaken == 2
    assert document["outcome"] == "remediated"
    assert cloud.group(WEB) is None


@pytest.mark.parametrize("code", LEFT_ALREADY)
@pytest.mark.sampled(2)
def test_a_holder_that_has_left_already_does_not_undo_the_plan(harness, code):
    cloud = harness.emulator.state.clouds[0]
    for one in cloud.interfaces:
        one.groups = [BOUND, APP] if BOUND in one.groups else one.groups

    def leave(params):
        found = cloud.interface(params.get("NetworkInterfaceId", ""))
        found = found or cloud.interfaces_of(params["InstanceId"])[0]
        found.groups = [one for one in found.groups if one != params["SecurityGroupId"]]

    transport = harness.overtake("LeaveSecurityGroup", code, leave)
    document = harness.delete(BOUND)
    assert transport.overtaken == 2
    assert document["outcome"] == "remediated"
    assert cloud.group(BOUND) is None


@pytest.mark.parametrize("code", GONE)
def test_a_group_that_is_deleted_already_is_a_success(harness, code):
    cloud = harness.emulator.state.clouds[0]

    def delete(params):
        cloud.groups = [one for one in cloud.groups if one.id != params["SecurityGroupId"]]

    transport = harness.overtake("DeleteSecurityGroup", code, delete)
    document = harness.delete(WEB)
    assert transport.overtaken == 1
    assert document["outcome"] == "remediated"


@pytest.mark.parametrize("code", JOINED_ALREADY)
def test_a_group_that_is_bound_already_does_not_undo_the_launch(harness, code):
    cloud = harness.emulator.state.clouds[0]
    harness.more = f'\n[launch]\nremedies = ["bind"]\nbaseline = ["{FREE}"]\n'

    def join(params):
        cloud.interfaces_of(params["InstanceId"])[0].groups.append(params["SecurityGroupId"])

    transport = harness.overtake("JoinSecurityGroup", code, join)
    document = harness.launch(WORLD.server, BOUND)
    assert transport.overtaken == 1, document
    assert document["outcome"] == "remediated"
