"""Which members of a response decide something: those must be readable, the others stop nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.emulator.faults import Fault
from sgguard.errors import UnknownShapeError
from sgguard.model.resource import Direction
from sgguard.providers.alibaba.response import (
    Response,
    group_of,
    instance_binding,
    instance_of,
    interface_binding,
    interface_of,
)
from sgguard.providers.alibaba.rule_shape import rules_of
from sgguard.providers.alibaba.xml import parse_xml
from sgguard.render.language.sentence import whole_english
from tests.worlds.alibaba import WORLD

FREE = WORLD.free
ANSWER = Response("DescribeX", {})
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda some: (
        st.lists(some, max_size=2) | st.dictionaries(st.text(max_size=3), some, max_size=2)
    ),
    max_leaves=4,
)
GROUP = {"SecurityGroupId": FREE, "SecurityGroupName": "web", "VpcId": "vpc-1"}
INSTANCE = {
    "InstanceId": "i-1",
    "Status": "Running",
    "SecurityGroupIds": {"SecurityGroupId": [FREE]},
}
INTERFACE = {
    "NetworkInterfaceId": "eni-1",
    "Type": "Secondary",
    "SecurityGroupIds": {"SecurityGroupId": [FREE]},
}
RULE = {"Direction": "ingress", "IpProtocol": "TCP", "PortRange": "22/22", "SourceCidrIp": "::/0"}


@given(value=ODD)
@pytest.mark.parametrize("name", ["Description", "CreationTime", "EcsCount", "RuleCount", "Odd"])
@pytest.mark.sampled(3)
def test_what_decides_nothing_of_a_group_stops_nothing(name, value):
    assert group_of(ANSWER, GROUP | {name: value}).name == "web"


@given(value=ODD)
@pytest.mark.parametrize("name", ["InstanceName", "HostName", "Memory", "OperationLocks", "Odd"])
@pytest.mark.sampled(3)
def test_what_decides_nothing_of_an_instance_stops_nothing(name, value):
    row = INSTANCE | {name: value}
    assert instance_binding(ANSWER, row, FREE).holder_id == "i-1"
    assert instance_of(ANSWER, row).group_ids == (FREE,)


@given(value=ODD)
@pytest.mark.parametrize("name", ["NetworkInterfaceName", "Status", "ServiceID", "MacAddress"])
@pytest.mark.sampled(3)
def test_what_decides_nothing_of_an_interface_stops_nothing(name, value):
    assert interface_binding(ANSWER, INTERFACE | {name: value}, FREE).holder_id == "eni-1"


@given(value=ODD)
def test_a_holder_whose_groups_are_odd_holds_the_group_it_was_asked_for(value):
    row = {"NetworkInterfaceId": "eni-1", "SecurityGroupIds": value}
    assert interface_binding(ANSWER, row, FREE).kind == "interface"


@given(value=ODD)
@pytest.mark.parametrize("name", ["Description", "CreateTime", "SourceGroupName", "DestGroupName"])
@pytest.mark.sampled(3)
def test_what_decides_nothing_of_a_rule_stops_nothing(name, value):
    (rule,) = rules_of(ANSWER, [RULE | {name: value}])
    assert (rule.direction, rule.ports) == (Direction.INGRESS, "22")


@pytest.mark.parametrize(
    ("parse", "row"),
    [
        (group_of, GROUP | {"SecurityGroupId": None}),
        (group_of, GROUP | {"SecurityGroupName": ["web"]}),
        (group_of, GROUP | {"VpcId": {}}),
        (group_of, GROUP | {"SecurityGroupType": []}),
        (group_of, GROUP | {"ServiceManaged": "maybe"}),
        (group_of, GROUP | {"Tags": {"Tag": ["env=prod"]}}),
        (group_of, GROUP | {"Tags": {"Tag": [{"TagKey": ["env"], "TagValue": "prod"}]}}),
        (instance_of, INSTANCE | {"InstanceId": ""}),
        (instance_of, INSTANCE | {"Status": None}),
        (instance_of, INSTANCE | {"VpcAttributes": "vpc-1"}),
        (instance_of, INSTANCE | {"SecurityGroupIds": {}}),
        (interface_of, INTERFACE | {"Type": None}),
        (interface_of, INTERFACE | {"SecurityGroupIds": [FREE]}),
    ],
)
def test_what_decides_something_must_be_readable(parse, row):
    with pytest.raises(UnknownShapeError):
        parse(ANSWER, row)


@pytest.mark.parametrize("priority", ["high", "1.5", [], True])
def test_a_priority_that_is_none_is_not_left_out_of_a_rule(priority):
    """A restored rule would get the highest one."""
    with pytest.raises(UnknownShapeError, match="Priority"):
        rules_of(ANSWER, [RULE | {"Priority": priority}])


@pytest.mark.parametrize(
    ("members", "expected"),
    [
        ({"Priority": "7", "PortRange": "22/22"}, (7, "22")),
        ({"Priority": 7, "PortRange": 22}, (7, "22")),
        ({"Priority": 7.0, "PortRange": "-1/-1"}, (7, "any")),
        ({"Priority": "", "PortRange": ""}, (None, "any")),
        ({"Priority": None, "PortRange": None}, (None, "any")),
    ],
)
def test_numbers_are_read_in_every_spelling(members, expected):
    (rule,) = rules_of(ANSWER, [RULE | members])
    assert (rule.priority, rule.ports) == expected


@pytest.mark.parametrize("spelt", ["enterprise", "Enterprise", "ENTERPRISE"])
def test_the_kind_of_a_group_is_read_in_every_letter_case(spelt):
    assert group_of(ANSWER, GROUP | {"SecurityGroupType": spelt}).kind == "advanced"


@pytest.mark.parametrize(
    ("told", "owner"),
    [
        (True, "service 7"),
        ("true", "service 7"),
        ("True", "service 7"),
        (1, "service 7"),
        (False, ""),
        ("false", ""),
        (0, ""),
    ],
)
def test_a_service_is_the_owner_in_every_spelling(told, owner):
    row = INTERFACE | {"ServiceManaged": told, "ServiceID": 7}
    assert interface_binding(ANSWER, row, FREE).owner == owner


XML = """<?xml version='1.0' encoding='UTF-8'?>
<DescribeInstancesResponse><NextToken/><Instances><Instance>
<InstanceId>i-1</InstanceId><Status>Running</Status><Odd>1</Odd><Odd>2</Odd>
<Odd><Deep>1</Deep><Deep>2</Deep></Odd><HostNames/><Tags><Tag><TagKey>a</TagKey></Tag></Tags>
<OperationLocks><LockReason><LockReason>security</LockReason></LockReason></OperationLocks>
<SecurityGroupIds><SecurityGroupId>sg-1</SecurityGroupId></SecurityGroupIds>
{more}</Instance></Instances></DescribeInstancesResponse>"""


def test_unknown_lists_of_xml_hide_nothing():
    emulator = WORLD.emulator()
    body = XML.format(more="")
    emulator.faults.append(Fault("garbage", action="DescribeInstances", body=body))
    (found,) = WORLD.connect(emulator).list_bindings([FREE]).value[FREE]
    assert found.holder_id == "i-1"
    assert "locked (security)" in whole_english(found.change_refusal)


@pytest.mark.parametrize("member", ["InstanceId", "SecurityGroupIds"])
def test_a_needed_member_that_comes_twice_in_xml_is_not_guessed(member):
    fields = parse_xml(
        XML.format(more=f"<{member}>x</{member}>").encode(), ("DescribeInstancesResponse",)
    )
    if fields is None:
        return
    (row,) = fields["Instances"]["Instance"]
    with pytest.raises(UnknownShapeError):
        instance_of(ANSWER, row)


def test_an_account_number_may_be_a_number_or_a_text():
    emulator = WORLD.emulator()
    inner = {"ReferencingSecurityGroup": [{"SecurityGroupId": "sg-x", "AliUid": 12}]}
    entry = {"SecurityGroupId": FREE, "ReferencingSecurityGroups": inner}
    body = json.dumps({"SecurityGroupReferences": {"SecurityGroupReference": [entry]}})
    emulator.faults.append(Fault("garbage", action="DescribeSecurityGroupReferences", body=body))
    (found,) = WORLD.connect(emulator).list_references([FREE]).value[FREE]
    assert (found.group_id, found.account) == ("sg-x", "12")
