"""The changing calls of the emulated ECS: what they refuse, and in which words."""

from __future__ import annotations

import copy

import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.resource import Rule
from tests.emulator.test_alibaba_face import NOW, Caller
from tests.worlds.alibaba import ADVANCED, WORLD

WEB, APP, JOB, FREE = WORLD.referenced, WORLD.referrer_in, WORLD.referrer_out, WORLD.free
BOUND, SERVER, SECOND = WORLD.bound, WORLD.server, "eni-bp1second000000002"
MANAGED, FOREIGN = "sg-bp1ack00000000000006", "sg-bp1for00000000000009"
PLAIN = {"IpProtocol": "tcp", "PortRange": "22/22", "SourceCidrIp": "10.0.0.0/8"}
OUT = {"IpProtocol": "tcp", "PortRange": "22/22", "DestCidrIp": "10.0.0.0/8"}


@pytest.fixture
def emulator():
    return WORLD.emulator(now=lambda: NOW)


@pytest.fixture
def cloud(emulator):
    return emulator.state.clouds[0]


@pytest.fixture(params=["acs3", "rpc"])
def call(request, emulator):
    caller = Caller(request.param, emulator)

    def send(action, params=None, **more):
        status, body = caller(action, params=params or {}, **more)
        return status, body.get("Code", "")

    send.caller = caller
    return send


def permission(number=1, **members):
    return {f"Permissions.{number}.{name}": value for name, value in members.items()}


def authorize(call, members, group_id=FREE, action="AuthorizeSecurityGroup", **more):
    return call(action, {"SecurityGroupId": group_id, **members, **more})


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"IpProtocol": "sctp"}, 400, "InvalidIpProtocol.ValueNotSupported"),
        ({"IpProtocol": "256"}, 400, "InvalidIpProtocol.ValueNotSupported"),
        ({"IpProtocol": ""}, 400, "InvalidIpProtocol.ValueNotSupported"),
        ({"PortRange": ""}, 400, "InvalidPortRange.Malformed"),
        ({"PortRange": "22"}, 400, "InvalidPortRange.Malformed"),
        ({"PortRange": "23/22"}, 400, "InvalidPortRange.Malformed"),
        ({"PortRange": "1/65536"}, 400, "InvalidPortRange.Malformed"),
        ({"SourcePortRange": "x/y"}, 400, "InvalidSourcePortRange.Malformed"),
        ({"IpProtocol": "icmp"}, 400, "OperationDenied"),
        ({"Policy": "reject"}, 400, "InvalidPolicy.Malformed"),
        ({"Priority": "0"}, 400, "InvalidPriority.ValueNotSupported"),
        ({"Priority": "101"}, 400, "InvalidPriority.ValueNotSupported"),
        ({"Priority": "high"}, 400, "InvalidPriority.ValueNotSupported"),
        ({"NicType": "internet"}, 400, "InvalidNicType.ValueNotSupported"),
        ({"NicType": "wan"}, 400, "InvalidNicType.ValueNotSupported"),
        ({"SourceCidrIp": ""}, 400, "MissingParameter.Source"),
        ({"Ipv6SourceCidrIp": "::/0"}, 400, "InvalidParam.SourceIp"),
        ({"Description": "d" * 513}, 400, "InvalidSecurityGroupDiscription.Malformed"),
        ({"SourceCidrIp": "", "SourceGroupId": FREE}, 403, "InvalidParamter.Conflict"),
        ({"SourceCidrIp": "", "SourceGroupId": FOREIGN}, 404, "InvalidSourceGroupId.NotFound"),
    ],
)
def test_a_rule_that_is_wrong_is_refused_as_documented(call, cloud, members, status, code):
    assert authorize(call, permission(**(PLAIN | members))) == (status, code)
    assert cloud.group(FREE).rules == []


@pytest.mark.parametrize(
    ("members", "status", "code"),
    [
        ({"DestCidrIp": "", "DestGroupId": FREE}, 403, "InvalidSecurityGroup.IsSame"),
        ({"DestCidrIp": "", "DestGroupId": "sg-x"}, 404, "InvalidDestGroupId.NotFound"),
        ({"DestCidrIp": ""}, 400, "MissingParameter.Dest"),
        ({"Ipv6DestCidrIp": "::/0"}, 400, "InvalidParam.DestIp"),
    ],
)
def test_an_egress_rule_has_codes_of_its_own(call, members, status, code):
    sent = permission(**(OUT | members))
    assert authorize(call, sent, action="AuthorizeSecurityGroupEgress") == (status, code)


def test_a_group_in_another_vpc_is_not_named(call, cloud):
    cloud.group(WEB).network = "vpc-bp1other"
    sent = permission(IpProtocol="tcp", PortRange="1/1", SourceGroupId=WEB)
    assert authorize(call, sent) == (400, "InvalidSourceGroupId.Mismatch")


def test_a_classic_group_names_others_on_its_inner_network_only(call, cloud):
    cloud.group(FREE).network = cloud.group(WEB).network = ""
    sent = permission(IpProtocol="tcp", PortRange="1/1", SourceGroupId=WEB)
    assert authorize(call, sent) == (403, "InvalidSourceGroupId.Mismatch")
    assert authorize(call, sent | permission(NicType="intranet")) == (200, "")


def test_an_address_range_comes_before_a_group(call, cloud):
    authorize(call, permission(**PLAIN, SourceGroupId=WEB, SourcePrefixListId="pl-1"))
    (rule,) = cloud.group(FREE).rules
    assert (rule.cidr, rule.peer_group, rule.template) == ("10.0.0.0/8", "", "")


def test_the_older_flat_parameters_are_one_rule(call, cloud):
    assert authorize(call, PLAIN) == (200, "")
    assert [rule.ports for rule in cloud.group(FREE).rules] == ["22"]
    assert authorize(call, PLAIN | permission(**PLAIN)) == (400, "InvalidParam.Permissions")
    assert authorize(call, {}) == (400, "MissingParameter")


def test_several_rules_are_added_together_or_not_at_all(call, cloud):
    good = permission(1, **PLAIN)
    second = permission(2, **(PLAIN | {"PortRange": "23/23"}))
    assert authorize(call, good | permission(2, **(PLAIN | {"PortRange": "x"})))[0] == 400
    assert authorize(call, good | permission(2, **PLAIN)) == (
        400,
        "InvalidParam.DuplicatePermissions",
    )
    cloud.limits["rules-per-group"] = 1
    assert authorize(call, good | second) == (403, "AuthorizationLimitExceed")
    assert cloud.group(FREE).rules == []
    cloud.limits["rules-per-group"] = 2
    assert authorize(call, good | second) == (200, "")
    assert [rule.ports for rule in cloud.group(FREE).rules] == ["22", "23"]
    assert authorize(call, good | second) == (200, "")  # they are there already


def test_a_rule_that_is_not_there_is_revoked_with_success(call, cloud):
    before = copy.deepcopy(cloud.group(APP).rules)
    for named in (
        {"SecurityGroupRuleId.1": "sgr-nobody"},
        {"SecurityGroupRuleId.1": before[1].id},  # of the other direction
        permission(**PLAIN),
    ):
        assert authorize(call, named, APP, "RevokeSecurityGroup") == (200, "")
    assert cloud.group(APP).rules == before


def test_a_rule_is_revoked_by_what_it_is_down_to_its_network(call, cloud):
    classic = cloud.group(FREE)
    classic.network = ""
    classic.rules = [Rule("ingress", "sgr-1", ports="22", cidr="10.0.0.0/8", nic="intranet")]
    sent = permission(**PLAIN)
    assert authorize(call, sent, action="RevokeSecurityGroup") == (403, "InvalidNicType.Mismatch")
    sent |= permission(NicType="intranet")
    for wrong in ({"Policy": "drop"}, {"Priority": "2"}):
        assert authorize(call, sent | permission(**wrong), action="RevokeSecurityGroup")[0] == 200
    assert len(classic.rules) == 1
    sent |= permission(Description="whatever")
    assert authorize(call, sent, action="RevokeSecurityGroup") == (200, "")
    assert classic.rules == []


def test_a_group_of_a_cloud_product_keeps_its_rules(call):
    for action in ("AuthorizeSecurityGroup", "RevokeSecurityGroup"):
        refused = authorize(call, permission(**PLAIN), MANAGED, action)
        assert refused == (403, "InvalidOperation.ResourceManagedByCloudProduct")


# -- tokens --------------------------------------------------------------------------------------


def test_a_client_token_has_one_effect_and_one_answer(call, cloud):
    create = {"SecurityGroupName": "twice", "VpcId": "vpc-bp1main", "ClientToken": "t"}
    first, second = (call.caller("CreateSecurityGroup", params=create)[1] for _ in range(2))
    assert first["SecurityGroupId"] == second["SecurityGroupId"]
    assert [group.name for group in cloud.groups].count("twice") == 1
    assert call("CreateSecurityGroup", create | {"SecurityGroupName": "other"}) == (
        400,
        "IdempotentParameterMismatch",
    )


def test_a_client_token_is_remembered_only_for_what_succeeded(call, cloud):
    cloud.limits["rules-per-group"] = 0
    assert authorize(call, permission(**PLAIN), ClientToken="t")[0] == 403
    cloud.limits["rules-per-group"] = 1
    assert authorize(call, permission(**PLAIN), ClientToken="t") == (200, "")
    cloud.group(FREE).rules.clear()
    assert authorize(call, permission(**PLAIN), ClientToken="t") == (200, "")
    assert cloud.group(FREE).rules == []  # an answer of old, without an effect


@pytest.mark.parametrize("token", ["x" * 65, "ü"])
def test_a_client_token_is_short_and_ascii(call, token):
    assert authorize(call, permission(**PLAIN), ClientToken=token) == (400, "InvalidParameter")


# -- groups --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"SecurityGroupType": "huge"}, 400, "InvalidParams.GroupType"),
        ({"SecurityGroupType": "enterprise", "VpcId": ""}, 400, "InvalidParams.VpcIdGroupType"),
        ({"SecurityGroupName": "a b"}, 400, "InvalidSecurityGroupName.Malformed"),
        ({"SecurityGroupName": "1st"}, 400, "InvalidSecurityGroupName.Malformed"),
        ({"Description": "x"}, 400, "InvalidDescription.Malformed"),
        ({"Description": "https://x"}, 400, "InvalidDescription.Malformed"),
        ({"Tag.1.Key": "acs:x"}, 400, "InvalidTagKey.Malformed"),
        ({"Tag.1.Key": "a", "Tag.2.Key": "a"}, 400, "Duplicate.TagKey"),
        ({f"Tag.{n}.Key": f"k{n}" for n in range(1, 22)}, 403, "QuotaExceed.Tags"),
    ],
)
def test_a_group_that_is_wrong_is_not_created(call, cloud, given, status, code):
    known = len(cloud.groups)
    assert call("CreateSecurityGroup", {"VpcId": "vpc-bp1main"} | given) == (status, code)
    assert len(cloud.groups) == known


def test_a_new_group_is_described_as_it_was_made(call, cloud):
    given = {
        "VpcId": "vpc-bp1main",
        "SecurityGroupName": "made",
        "Description": "for a test",
        "SecurityGroupType": "enterprise",
        "ResourceGroupId": "rg-1",
        "Tag.1.Key": "team",
        "Tag.1.Value": "shop",
    }
    _, answer = call.caller("CreateSecurityGroup", params=given)
    asked = {"SecurityGroupId": answer["SecurityGroupId"]}
    _, body = call.caller("DescribeSecurityGroups", params=asked)
    (group,) = body["SecurityGroups"]["SecurityGroup"]
    assert {name: group[name] for name in given if "Tag" not in name} == {
        name: value for name, value in given.items() if "Tag" not in name
    }
    assert group["Tags"] == {"Tag": [{"TagKey": "team", "TagValue": "shop"}]}
    assert group["CreationTime"] == "2023-11-14T22:13:20Z"
    assert cloud.group(answer["SecurityGroupId"]).rules == []


# -- membership ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "given", "status", "code"),
    [
        ("LeaveSecurityGroup", {"InstanceId": SERVER}, 403, "InstanceNotInSecurityGroup"),
        (
            "LeaveSecurityGroup",
            {"NetworkInterfaceId": SECOND},
            400,
            "InvalidSecurityGroupAssociation.NotFound",
        ),
        ("JoinSecurityGroup", {"NetworkInterfaceId": "eni-x"}, 404, "InvalidEniId.NotFound"),
        (
            "JoinSecurityGroup",
            {"NetworkInterfaceId": "eni-bp1primary00000001"},
            403,
            "InvalidOperation.InvalidEniType",
        ),
        (
            "JoinSecurityGroup",
            {"NetworkInterfaceId": SECOND, "InstanceId": SERVER},
            403,
            "InvalidParam.EniIdAndInstanceId.Conflict",
        ),
    ],
)
def test_a_group_that_cannot_be_joined_or_left_says_why(call, action, given, status, code):
    assert call(action, {"SecurityGroupId": FREE} | given) == (status, code)


@pytest.mark.parametrize(
    ("named", "group_id", "code"),
    [
        ({"InstanceId": WORLD.other_server}, APP, "InstanceLastSecurityGroup"),
        ({"NetworkInterfaceId": SECOND}, BOUND, "InvalidOperation.AtLeastInOneGroup"),
    ],
)
def test_the_last_group_is_never_left(call, named, group_id, code):
    assert call("LeaveSecurityGroup", {"SecurityGroupId": group_id, **named}) == (403, code)


@pytest.mark.parametrize(
    ("groups", "refusal"),
    [
        ((), (400, "MissingParameter")),
        ((WEB, WEB), (400, "InvalidParameter")),
        ((WEB, WORLD.missing), (404, "InvalidSecurityGroupId.NotFound")),
        ((WEB, FOREIGN), (404, "InvalidSecurityGroupId.NotFound")),
        ((WEB, ADVANCED), (403, "EnterpriseGroupLimited.MutliGroupType")),
        ((WEB, APP, JOB, BOUND, FREE, MANAGED), (400, "JoinedGroupLimitExceed")),
    ],
)
@pytest.mark.parametrize("holder", [("Instance", SERVER), ("NetworkInterface", SECOND)])
def test_a_list_of_groups_that_is_wrong_changes_nothing(call, cloud, holder, groups, refusal):
    kind, holder_id = holder
    member = "SecurityGroupIds" if kind == "Instance" else "SecurityGroupId"
    before = [list(one.groups) for one in cloud.interfaces]
    listed = {f"{member}.{n}": one for n, one in enumerate(groups, start=1)}
    assert call(f"Modify{kind}Attribute", {f"{kind}Id": holder_id, **listed}) == refusal
    assert [list(one.groups) for one in cloud.interfaces] == before


@pytest.mark.parametrize(
    ("action", "params", "code"),
    [
        (
            "ModifyInstanceAttribute",
            {"InstanceId": SERVER, "SecurityGroupIds.1": FREE},
            "InvalidInstanceId.Mismatch",
        ),
        (
            "ModifyNetworkInterfaceAttribute",
            {"NetworkInterfaceId": SECOND, "SecurityGroupId.1": FREE},
            "InvalidOperation.VpcMismatch",
        ),
    ],
)
def test_groups_of_another_vpc_are_not_carried(call, cloud, action, params, code):
    cloud.group(FREE).network = "vpc-bp1other"
    assert call(action, params)[1] == code


def test_a_list_replaces_both_types_at_once(call, cloud):
    params = {"InstanceId": SERVER, "SecurityGroupIds.1": ADVANCED}
    assert call("ModifyInstanceAttribute", params) == (200, "")
    assert cloud.groups_of(SERVER) == [ADVANCED]


def test_a_change_of_groups_is_listed_later_where_the_scenario_says_so(emulator, cloud):
    cloud.quirks["binding_delay_s"] = 5
    clock = [NOW]
    emulator.now = lambda: clock[0]
    caller = Caller("acs3", emulator)
    caller("LeaveSecurityGroup", SecurityGroupId=BOUND, InstanceId=SERVER)

    def listed():
        _, body = caller("DescribeInstances", params={"SecurityGroupId": BOUND})
        rows = body["Instances"]["Instance"]
        return [row["SecurityGroupIds"]["SecurityGroupId"] for row in rows]

    assert listed() == [[BOUND, APP]]
    assert cloud.groups_of(SERVER) == [APP]
    clock[0] += 5
    assert listed() == []


@pytest.mark.parametrize(
    ("policy", "told"), [("Drop", "Drop"), ("drop", "Drop"), ("ACCEPT", "Accept")]
)
def test_members_of_a_group_are_isolated_and_let_together_again(call, cloud, policy, told):
    cloud.group(FREE).isolated = told == "Accept"
    named = {"SecurityGroupId": FREE}
    changed = call("ModifySecurityGroupPolicy", named | {"InnerAccessPolicy": policy})
    assert changed == (200, "")
    assert cloud.group(FREE).isolated is (told == "Drop")
    _, shown = call.caller("DescribeSecurityGroupAttribute", params=named)
    assert shown["InnerAccessPolicy"] == told


@pytest.mark.parametrize(
    ("group_id", "policy", "refused"),
    [
        (FREE, "", (400, "MissingParameter")),
        (FREE, "reject", (400, "InvalidParameter")),
        (ADVANCED, "Accept", (403, "OperationDenied")),
        (MANAGED, "Drop", (403, "InvalidOperation.ResourceManagedByCloudProduct")),
        (FOREIGN, "Drop", (404, "InvalidSecurityGroupId.NotFound")),
    ],
)
def test_a_policy_that_cannot_be_set_is_refused(call, cloud, group_id, policy, refused):
    params = {"SecurityGroupId": group_id, "InnerAccessPolicy": policy}
    assert call("ModifySecurityGroupPolicy", params) == refused
    assert not cloud.group(group_id).isolated


def test_members_of_an_advanced_group_never_reach_each_other_by_themselves(call):
    _, shown = call.caller("DescribeSecurityGroupAttribute", params={"SecurityGroupId": ADVANCED})
    assert shown["InnerAccessPolicy"] == "Drop"


@pytest.mark.sampled(2)
def test_the_same_token_sets_a_policy_once(call, cloud):
    drop = {"SecurityGroupId": FREE, "InnerAccessPolicy": "Drop", "ClientToken": "t"}
    assert call("ModifySecurityGroupPolicy", drop) == (200, "")
    cloud.group(FREE).isolated = False
    assert call("ModifySecurityGroupPolicy", drop) == (200, "")
    assert not cloud.group(FREE).isolated
    accept = drop | {"InnerAccessPolicy": "Accept"}
    assert call("ModifySecurityGroupPolicy", accept) == (400, "IdempotentParameterMismatch")


def test_a_scenario_says_whose_members_do_not_reach_each_other():
    scenario = WORLD.scenario_copy()
    (group,) = (one for one in scenario["clouds"][0]["groups"] if one["id"] == FREE)
    group["isolated"] = True
    assert Emulator.load(scenario).state.clouds[0].group(FREE).isolated
