"""The emulated API 3.0 changes things as its pages say, and refuses what they say it refuses."""

from __future__ import annotations

import pytest

from tests.emulator.test_tencent import asked, loaded
from tests.worlds.tencent import WORLD

WEB = WORLD.referrer_in
ROW = {"Action": "ACCEPT", "Protocol": "TCP", "Port": "22", "CidrBlock": "10.0.0.0/8"}
CREATE, DELETE = "CreateSecurityGroupPolicies", "DeleteSecurityGroupPolicies"
MODIFY = "ModifySecurityGroupPolicies"


def code_of(action, params, **options):
    """The code a call is refused with, None for one that is not."""
    return asked(action, params, **options).get("Error", {}).get("Code")


def policies(**of):
    return {"SecurityGroupId": WEB, "SecurityGroupPolicySet": of}


def rules_of(emulator, direction="ingress"):
    group = emulator.state.clouds[0].group(WEB)
    return [r.peer_group or r.cidr for r in group.rules if r.direction == direction]


REFUSED = {
    "another version": (CREATE, {"Version": "7", "Ingress": [ROW]}, "UnsupportedOperation.Version"),
    "version 0": (DELETE, {"Version": "0", "Ingress": [{"PolicyIndex": 0}]}, "UnsupportedOp"),
    "both directions": (CREATE, {"Ingress": [ROW], "Egress": [ROW]}, "InvalidParameter"),
    "no direction": (DELETE, {"Version": "1"}, "InvalidParameter"),
    "two peers": (CREATE, {"Ingress": [{**ROW, "SecurityGroupId": WEB}]}, "InvalidParameter.Coex"),
    "protocol and service": (
        CREATE,
        {"Ingress": [{**ROW, "ServiceTemplate": {"ServiceId": "ppm-1"}}]},
        "InvalidParameter.Coexist",
    ),
    "a port of icmp": (
        CREATE,
        {"Ingress": [{**ROW, "Protocol": "ICMP"}]},
        "InvalidParameter.Coexist",
    ),
    "icmp of IPv6": (
        CREATE,
        {"Ingress": [{"Action": "ACCEPT", "Protocol": "ICMP", "Ipv6CidrBlock": "::/0"}]},
        "InvalidParameter.Coexist",
    ),
    "IPv6 as IPv4": (
        CREATE,
        {"Ingress": [{**ROW, "CidrBlock": "::/0"}]},
        "InvalidParameterValue",
    ),
    "IPv4 as IPv6": (
        CREATE,
        {"Ingress": [{"Action": "DROP", "Protocol": "ALL", "Ipv6CidrBlock": "10.0.0.0/8"}]},
        "InvalidParameterValue",
    ),
    "ports of all": (CREATE, {"Ingress": [{**ROW, "Protocol": "ALL"}]}, "InvalidParameterValue"),
    "a group of nobody": (
        CREATE,
        {"Ingress": [{"Action": "DROP", "Protocol": "ALL", "SecurityGroupId": WORLD.missing}]},
        "ResourceNotFound",
    ),
    "no action": (CREATE, {"Ingress": [{"Protocol": "ALL"}]}, "InvalidParameterValue"),
    "an unknown field": (CREATE, {"Ingress": [{**ROW, "Colour": "red"}]}, "UnknownParameter"),
    "two positions": (
        CREATE,
        {"Ingress": [{**ROW, "PolicyIndex": 0}, {**ROW, "Port": "23", "PolicyIndex": 1}]},
        "InvalidParameterValue.Range",
    ),
    "a position too far": (
        CREATE,
        {"Ingress": [{**ROW, "PolicyIndex": 3}]},
        "InvalidParameterValue.Range",
    ),
    "position and content": (
        DELETE,
        {"Ingress": [{**ROW, "PolicyIndex": 0}]},
        "InvalidParameter.Coexist",
    ),
    "a position of nothing": (DELETE, {"Ingress": [{"PolicyIndex": 9}]}, "ResourceNotFound"),
    "a content of nothing": (DELETE, {"Ingress": [ROW]}, "ResourceNotFound"),
    "only one direction": (MODIFY, {"Version": "1", "Ingress": []}, "MissingParameter"),
}


@pytest.mark.parametrize(("action", "of", "code"), REFUSED.values(), ids=list(REFUSED))
@pytest.mark.sampled(6)
def test_rules_that_cannot_be_are_refused_and_nothing_is_changed(action, of, code):
    emulator = loaded()
    before = emulator.state.dump()
    assert str(code_of(action, policies(**of), emulator=emulator)).startswith(code)
    assert emulator.state.dump() == before


def test_rules_are_put_at_a_position_and_the_version_counts_calls():
    emulator = loaded()
    rows = [{**ROW, "PolicyIndex": 1, "Port": port} for port in ("22", "23")]
    assert code_of(CREATE, policies(Version="1", Ingress=rows), emulator=emulator) is None
    group = emulator.state.clouds[0].group(WEB)
    assert [r.ports for r in group.rules if r.direction == "ingress"] == ["443", "22", "23", "3306"]
    assert group.version == 2
    gone = [{"PolicyIndex": 1}, {"PolicyIndex": 2}]
    assert code_of(DELETE, policies(Version="2", Ingress=gone), emulator=emulator) is None
    assert (rules_of(emulator), group.version) == (["0.0.0.0/0", WORLD.referenced], 3)


def test_without_a_version_a_position_is_whatever_stands_there():
    emulator = loaded()
    assert code_of(DELETE, policies(Ingress=[{"PolicyIndex": 0}]), emulator=emulator) is None
    assert rules_of(emulator) == [WORLD.referenced]


def test_a_rule_is_found_by_what_it_says_as_well():
    emulator = loaded()
    row = {"Action": "accept", "Protocol": "tcp", "Port": "443", "CidrBlock": "0.0.0.0/0"}
    assert code_of(DELETE, policies(Ingress=[row]), emulator=emulator) is None
    assert rules_of(emulator) == [WORLD.referenced]


def test_version_0_wipes_every_rule_whatever_else_is_said():
    emulator = loaded()
    of = {"Version": "0", "Ingress": [ROW], "Egress": []}
    assert code_of(MODIFY, policies(**of), emulator=emulator) is None
    assert emulator.state.clouds[0].group(WEB).rules == []


def test_both_directions_are_replaced_at_once():
    emulator = loaded()
    of = {"Version": "1", "Ingress": [ROW], "Egress": []}
    assert code_of(MODIFY, policies(**of), emulator=emulator) is None
    assert (rules_of(emulator), rules_of(emulator, "egress")) == (["10.0.0.0/8"], [])


def test_the_101st_rule_of_a_direction_is_refused():
    emulator = loaded()
    rows = [{**ROW, "Port": str(port)} for port in range(1, 100)]
    code = code_of(CREATE, policies(Ingress=rows), emulator=emulator)
    assert code == "LimitExceeded.SecurityGroupPolicySet"
    assert code_of(CREATE, policies(Ingress=rows[1:]), emulator=emulator) is None


def instances(emulator, action, **params):
    return code_of(action, params, service="cvm", emulator=emulator)


def test_the_last_group_of_an_instance_cannot_be_unbound():
    emulator = loaded()
    gone = {"InstanceIds": [WORLD.other_server], "SecurityGroupIds": [WORLD.default]}
    assert instances(emulator, "DisassociateSecurityGroups", **gone) == "UnsupportedOperation"


def test_the_last_group_of_an_interface_can_be_unbound():
    emulator = loaded()
    params = {"NetworkInterfaceIds": ["eni-3056glfn"], "SecurityGroupIds": [WORLD.bound]}
    action = "DisassociateNetworkInterfaceSecurityGroups"
    assert code_of(action, params, emulator=emulator) is None
    assert emulator.state.clouds[0].interface("eni-3056glfn").groups == []


def test_a_primary_interface_is_not_bound_by_the_call_for_interfaces():
    params = {
        "NetworkInterfaceIds": [f"eni-of-{WORLD.server}"],
        "SecurityGroupIds": [WORLD.free],
    }
    action = "AssociateNetworkInterfaceSecurityGroups"
    assert code_of(action, params) == "UnsupportedOperation"


def test_an_answer_names_the_request_that_the_operation_is_shown_with():
    emulator = loaded()
    bound = asked(
        "ModifyInstancesAttribute",
        {"InstanceIds": [WORLD.server], "SecurityGroups": [WORLD.free]},
        emulator=emulator,
        service="cvm",
    )
    shown = asked(
        "DescribeInstances", {"InstanceIds": [WORLD.server]}, emulator=emulator, service="cvm"
    )["InstanceSet"][0]
    assert shown["LatestOperationRequestId"] == bound["RequestId"]
    assert shown["LatestOperation"] == "ModifyInstancesAttribute.SecurityGroups"
    assert shown["SecurityGroupIds"] == [WORLD.free]


def test_a_group_needs_a_name_and_words_about_it_within_bounds():
    action = "CreateSecurityGroup"
    assert code_of(action, {"GroupName": "a"}) == "MissingParameter"
    long = {"GroupName": "a" * 61, "GroupDescription": ""}
    assert code_of(action, long) == "InvalidParameterValue.TooLong"
    assert code_of(action, {"GroupName": "a", "GroupDescription": ""}) is None
