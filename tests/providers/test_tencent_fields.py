"""Which field of Tencent's answers which fact needs: an odd value stops only what needs it.

Each table names the fields of one row. A needed field with an odd value is an unknown shape; any
other is shown as it is, and the facts of the verdict stay the same.
"""

from __future__ import annotations

import json

import httpx
import pytest

from sgguard.facts.gather import gather_delete, gather_launch
from sgguard.model.address import Address, Scope
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.render.language.sentence import whole_english
from tests.worlds import tencent, tencent_dfw

ODD = ([], {}, [1], {"a": None}, 1.5, True, "\u0000")
"""Values that no document has; numbers and texts are read as each other where they can be."""

# What needs the field, by field; "" for what is only shown or kept for building it again.
GROUP = {
    "SecurityGroupId": "which group it is",
    "IsDefault": "whether it can be deleted",
    "SecurityGroupDesc": "",
    "ProjectId": "",
    "CreatedTime": "",
    "UpdateTime": "",
}
INSTANCE = {
    "InstanceId": "which holder it is",
    "SecurityGroupIds": "which groups it carries",
    "InstanceName": "",
    "RestrictState": "",  # odd: a refusal to be changed, and a holder all the same
    "InstanceState": "",  # the same
    "LatestOperation": "",
    "LatestOperationState": "",
    "Placement": "",
    "VirtualPrivateCloud": "",
}
INTERFACE = {
    "NetworkInterfaceId": "which holder it is",
    "GroupSet": "which groups it carries",
    "Primary": "whether it is the instance once more",
    "NetworkInterfaceName": "",
    "State": "",
    "VpcId": "",
    "EniType": "",
    "Business": "",
}
RULE = {
    "Action": "what it does",
    "SecurityGroupId": "whom it refers to",
    "PolicyIndex": "where it is",
    "PolicyDescription": "",
    "ModifyTime": "",
    "Priority": "",
    "CidrBlock": "",
    "Ipv6CidrBlock": "",
}
TABLES = {
    "DescribeSecurityGroups": ("SecurityGroupSet", GROUP),
    "DescribeInstances": ("InstanceSet", INSTANCE),
    "DescribeNetworkInterfaces": ("NetworkInterfaceSet", INTERFACE),
}
# Counts as the documents have them, and as a text.
STATISTICS = {"CVM", "CDB", "ENI", "CLB", "SG", "TotalCount"}
LIMITS = {
    "InstanceSecurityGroupLimit": "a launch",
    "SecurityGroupInstanceLimit": "a launch",
    "SecurityGroupPolicyLimit": "",
    "ReferedSecurityGroupLimit": "",
    "SecurityGroupLimit": "",
}


class Odd:
    """An emulator that puts a value into a field of every row of one list."""

    def __init__(self, world, action, change):
        self.emulator, self.action, self.change = world.emulator(), action, change

    def handle(self, request):
        response = self.emulator.handle(request)
        if request.headers.get("x-tc-action") != self.action:
            return response
        body = response.json()
        self.change(body["Response"])
        return httpx.Response(200, headers=response.headers, content=json.dumps(body))


def odd(action, key, field, value):
    def change(body):
        for row in body.get(key, []):
            row[field] = value

    return Odd(tencent.WORLD, action, change)


def facts_of(cloud, group_id):
    scope = Scope("tencent", "", tencent.WORLD.region)
    request = DeleteRequest((Address(scope, group_id),))
    (facts,) = gather_delete(tencent.WORLD.connect(cloud, attempts=1), request).groups
    return facts


def is_odd_for(field, value):
    """Whether the value says nothing of the field: some are a truth, or a list of nobody."""
    is_list = field in ("SecurityGroupIds", "GroupSet")
    is_truth = field in ("IsDefault", "Primary") and value is True
    is_text = value == "\u0000" and field not in ("IsDefault", "Primary")
    return not (is_truth or is_text or (is_list and value == []))


CASES = [(action, field) for action, (_, fields) in TABLES.items() for field in fields]


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize(("action", "field"), CASES)
@pytest.mark.sampled(48)
def test_only_a_field_that_a_verdict_needs_stops_it(action, field, value):
    key, fields = TABLES[action]
    plain = facts_of(tencent.WORLD.emulator(), tencent.WORLD.bound)
    facts = facts_of(odd(action, key, field, value), tencent.WORLD.bound)
    if fields[field]:
        if is_odd_for(field, value):
            assert {gap.code for gap in facts.unseen} == {"unknown-shape"}
        return
    assert facts.unseen == ()
    shown = [(one.kind, one.holder_id, one.count) for one in facts.bindings]
    assert shown == [(one.kind, one.holder_id, one.count) for one in plain.bindings]
    assert facts.group is not None
    assert facts.group.is_default is False


@pytest.mark.parametrize("value", ODD, ids=repr)
@pytest.mark.parametrize("field", RULE)
@pytest.mark.sampled(12)
def test_only_a_field_of_a_rule_that_a_verdict_needs_stops_it(field, value):
    def change(body):
        policies = body["SecurityGroupPolicySet"]
        for row in (*policies["Ingress"], *policies["Egress"]):
            row[field] = value

    cloud = Odd(tencent.WORLD, "DescribeSecurityGroupPolicies", change)
    facts = facts_of(cloud, tencent.WORLD.referenced)
    if not RULE[field]:
        assert facts.unseen == ()
        assert all(one.rule is not None for one in facts.references)
    elif value != "\u0000":
        assert {gap.code for gap in facts.unseen} == {"unknown-shape"}
    # Whatever is odd, the group is referenced.
    assert {one.group_id for one in facts.references} == {"sg-exnsygsn", "sg-outgoing"}


@pytest.mark.parametrize("value", [*ODD, None], ids=repr)
@pytest.mark.sampled(4)
def test_an_odd_version_of_rules_is_a_gap_of_changes_and_of_no_verdict(value):
    def change(body):
        body["SecurityGroupPolicySet"]["Version"] = value

    cloud = Odd(tencent.WORLD, "DescribeSecurityGroupPolicies", change)
    assert facts_of(cloud, tencent.WORLD.referenced).unseen == ()


@pytest.mark.parametrize("state", [None, "", [], 7], ids=repr)
def test_an_instance_that_does_not_tell_its_state_is_a_holder_that_is_not_changed(state):
    cloud = odd("DescribeInstances", "InstanceSet", "InstanceState", state)
    (found, *_) = facts_of(cloud, tencent.WORLD.bound).bindings
    assert found.holder_id == tencent.WORLD.server
    assert "does not tell the state" in whole_english(found.change_refusal)


@pytest.mark.parametrize("field", sorted(STATISTICS))
@pytest.mark.parametrize("spell", [str, float])
@pytest.mark.sampled(4)
def test_a_count_is_read_as_a_number_however_it_is_written(field, spell):
    def change(body):
        for row in body["SecurityGroupAssociationStatisticsSet"]:
            row[field] = spell(row[field])

    cloud = Odd(tencent.WORLD, "DescribeSecurityGroupAssociationStatistics", change)
    plain = facts_of(tencent.WORLD.emulator(), tencent.WORLD.bound)
    assert facts_of(cloud, tencent.WORLD.bound) == plain


@pytest.mark.parametrize("value", [[], {}, "many", -1, 0, True], ids=repr)
@pytest.mark.parametrize("field", LIMITS)
@pytest.mark.sampled(6)
def test_only_a_quota_that_decides_launches_must_be_a_number(field, value):
    def change(body):
        body["SecurityGroupLimitSet"][field] = value

    scope = Scope("tencent", "", tencent.WORLD.region)
    cloud = Odd(tencent.WORLD, "DescribeSecurityGroupLimits", change)
    request = LaunchRequest(scope, (tencent.WORLD.free,))
    facts = gather_launch(tencent.WORLD.connect(cloud, attempts=1), request)
    wanted = ["unknown-shape"] if LIMITS[field] else []
    assert [gap.code for gap in facts.unseen] == wanted


@pytest.mark.parametrize(("value", "is_default"), [("true", True), (1, True), ("false", False)])
def test_whether_a_group_is_the_default_one_is_read_however_it_is_written(value, is_default):
    cloud = odd("DescribeSecurityGroups", "SecurityGroupSet", "IsDefault", value)
    group = facts_of(cloud, tencent.WORLD.free).group
    assert group is not None
    assert group.is_default is is_default


# -- API 2.0 ---------------------------------------------------------------------------------------

DFW_GROUP = {
    "sgId": "which group it is",
    "isDefault": "whether it can be deleted",
    "beAssociateCount": "whether all referrers are named",
    "sgRemark": "",
    "projectId": "",
    "createTime": "",
}
DFW_RULE = {
    "action": "what it does",
    "sgId": "whom it refers to",
    "index": "where it is",
    "cidrIp": "",
    "desc": "",
    "addressModule": "",
}


class DfwOdd:
    """An emulator of API 2.0 that puts a value into a field of every row of an answer."""

    def __init__(self, action, rows_of, field, value):
        self.emulator = tencent_dfw.WORLD.emulator()
        self.action, self.rows_of, self.field, self.value = action, rows_of, field, value

    def handle(self, request):
        response = self.emulator.handle(request)
        if f"Action={self.action}&" not in request.content.decode():
            return response
        body = response.json()
        for row in self.rows_of(body["data"]):
            row[self.field] = self.value
        return httpx.Response(200, content=json.dumps(body))


def dfw_facts_of(cloud, group_id):
    scope = Scope("tencent-dfw", "", tencent_dfw.WORLD.region)
    request = DeleteRequest((Address(scope, group_id),))
    (facts,) = gather_delete(tencent_dfw.WORLD.connect(cloud, attempts=1), request).groups
    return facts


@pytest.mark.parametrize("value", [[], {}, [1], 1.5], ids=repr)
@pytest.mark.parametrize("field", DFW_GROUP)
@pytest.mark.sampled(6)
def test_only_a_field_of_a_group_of_api_2_0_that_a_verdict_needs_stops_it(field, value):
    cloud = DfwOdd("DescribeSecurityGroups", lambda data: data["detail"], field, value)
    facts = dfw_facts_of(cloud, tencent_dfw.WORLD.free)
    assert {gap.code for gap in facts.unseen} == ({"unknown-shape"} if DFW_GROUP[field] else set())


@pytest.mark.parametrize("value", [[], {}, [1], 1.5], ids=repr)
@pytest.mark.parametrize("field", DFW_RULE)
@pytest.mark.sampled(6)
def test_only_a_field_of_a_rule_of_api_2_0_that_a_verdict_needs_stops_it(field, value):
    def rows_of(data):
        return [*data["ingress"], *data["egress"]]

    cloud = DfwOdd("DescribeSecurityGroupPolicy", rows_of, field, value)
    facts = dfw_facts_of(cloud, tencent_dfw.WORLD.referenced)
    assert {gap.code for gap in facts.unseen} == ({"unknown-shape"} if DFW_RULE[field] else set())
    assert {one.group_id for one in facts.references} == {"sg-exnsygsn", "sg-outgoing"}
