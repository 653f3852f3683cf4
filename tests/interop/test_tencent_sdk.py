"""Tencent's own SDK for API 3.0 against the emulator over a socket."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("tencentcloud.vpc.v20170312", reason="needs the extra interop")

from tencentcloud.common import credential
from tencentcloud.common.exception.tencent_cloud_sdk_exception import TencentCloudSDKException
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.cvm.v20170312 import cvm_client
from tencentcloud.cvm.v20170312 import models as cvm
from tencentcloud.vpc.v20170312 import models as vpc
from tencentcloud.vpc.v20170312 import vpc_client

from tests.worlds.tencent import ENV, WORLD

REGION = WORLD.region


@pytest.fixture
def emulator():
    return WORLD.emulator()


@pytest.fixture
def clients(emulator, emulator_server):
    """Return the SDK's two clients, by options of the credential and the profile."""
    endpoint = emulator_server(emulator).url.removeprefix("http://")

    def make(*, secret=ENV["TENCENTCLOUD_SECRET_KEY"], region=REGION, method="POST", **options):
        caller = credential.Credential(
            options.get("key_id", ENV["TENCENTCLOUD_SECRET_ID"]),
            secret,
            options.get("token", ENV["TENCENTCLOUD_TOKEN"]),
        )
        http = HttpProfile(protocol="http", endpoint=endpoint, reqMethod=method, reqTimeout=5)
        profile = ClientProfile(httpProfile=http)
        return (
            vpc_client.VpcClient(caller, region, profile),
            cvm_client.CvmClient(caller, region, profile),
        )

    return make


def asking(kind, **params):
    request = kind()
    request.from_json_string(json.dumps(params))
    return request


def refused(call, request):
    with pytest.raises(TencentCloudSDKException) as caught:
        call(request)
    return caught.value.get_code()


def test_the_sdk_understands_groups_and_their_rules(clients):
    client, _ = clients()
    groups = client.DescribeSecurityGroups(
        asking(
            vpc.DescribeSecurityGroupsRequest,
            SecurityGroupIds=[WORLD.free, WORLD.default],
            Offset="0",
            Limit="100",
        )
    )
    assert {g.SecurityGroupId: g.IsDefault for g in groups.SecurityGroupSet} == {
        WORLD.free: False,
        WORLD.default: True,
    }
    policies = client.DescribeSecurityGroupPolicies(
        asking(vpc.DescribeSecurityGroupPoliciesRequest, SecurityGroupId=WORLD.referrer_in)
    ).SecurityGroupPolicySet
    assert [(p.PolicyIndex, p.SecurityGroupId) for p in policies.Ingress] == [
        (0, ""),
        (1, WORLD.referenced),
    ]
    assert policies.Egress[0].Ipv6CidrBlock == "::/0"


def test_the_sdk_understands_references_and_statistics(clients):
    client, _ = clients()
    references = client.DescribeSecurityGroupReferences(
        asking(
            vpc.DescribeSecurityGroupReferencesRequest,
            SecurityGroupIds=[WORLD.referenced, WORLD.free],
        )
    )
    assert {
        r.SecurityGroupId: r.ReferredSecurityGroupIds for r in references.ReferredSecurityGroupSet
    } == {WORLD.referenced: [WORLD.referrer_in, WORLD.referrer_out], WORLD.free: []}
    (counted,) = client.DescribeSecurityGroupAssociationStatistics(
        asking(
            vpc.DescribeSecurityGroupAssociationStatisticsRequest, SecurityGroupIds=[WORLD.bound]
        )
    ).SecurityGroupAssociationStatisticsSet
    assert (counted.CVM, counted.ENI, counted.SG, counted.TotalCount) == (1, 1, 0, 2)
    assert {s.InstanceType for s in counted.InstanceStatistics} >= {"CVM", "Redis"}


def test_the_sdk_understands_limits_instances_and_interfaces(clients):
    network, machine = clients()
    limits = network.DescribeSecurityGroupLimits(
        asking(vpc.DescribeSecurityGroupLimitsRequest)
    ).SecurityGroupLimitSet
    assert (limits.InstanceSecurityGroupLimit, limits.ReferedSecurityGroupLimit) == (5, 10)
    instances = machine.DescribeInstances(
        asking(
            cvm.DescribeInstancesRequest,
            Filters=[{"Name": "security-group-id", "Values": [WORLD.bound]}],
        )
    )
    assert [(i.InstanceId, i.SecurityGroupIds) for i in instances.InstanceSet] == [
        (WORLD.server, [WORLD.bound, WORLD.default])
    ]
    interfaces = network.DescribeNetworkInterfaces(
        asking(
            vpc.DescribeNetworkInterfacesRequest,
            Filters=[{"Name": "groups.security-group-id", "Values": [WORLD.bound]}],
        )
    )
    assert {n.Attachment.InstanceId for n in interfaces.NetworkInterfaceSet} == {
        WORLD.server,
        WORLD.other_server,
    }


def test_the_sdk_binds_unbinds_and_deletes(clients, emulator):
    network, machine = clients()
    both = {"InstanceIds": [WORLD.server], "SecurityGroupIds": [WORLD.free]}
    machine.AssociateSecurityGroups(asking(cvm.AssociateSecurityGroupsRequest, **both))
    cloud = emulator.state.clouds[0]
    assert WORLD.free in cloud.groups_of(WORLD.server)
    delete = asking(vpc.DeleteSecurityGroupRequest, SecurityGroupId=WORLD.free)
    assert refused(network.DeleteSecurityGroup, delete) == "ResourceInUse"
    machine.DisassociateSecurityGroups(asking(cvm.DisassociateSecurityGroupsRequest, **both))
    assert network.DeleteSecurityGroup(delete).RequestId
    assert cloud.group(WORLD.free) is None


def rules(client, group_id=WORLD.referrer_in):
    request = asking(vpc.DescribeSecurityGroupPoliciesRequest, SecurityGroupId=group_id)
    return client.DescribeSecurityGroupPolicies(request).SecurityGroupPolicySet


def change(kind, version, group_id=WORLD.referrer_in, **directions):
    policies = {"Version": version, **directions}
    return asking(kind, SecurityGroupId=group_id, SecurityGroupPolicySet=policies)


def test_the_sdk_takes_a_rule_out_and_puts_it_back_where_it_was(clients):
    client, _ = clients()
    before = rules(client)
    gone = [{"PolicyIndex": 1}]
    client.DeleteSecurityGroupPolicies(
        change(vpc.DeleteSecurityGroupPoliciesRequest, before.Version, Ingress=gone)
    )
    assert [p.SecurityGroupId for p in rules(client).Ingress] == [""]
    outdated = change(vpc.DeleteSecurityGroupPoliciesRequest, before.Version, Ingress=gone)
    code = refused(client.DeleteSecurityGroupPolicies, outdated)
    assert code == "UnsupportedOperation.VersionMismatch"
    old = before.Ingress[1]
    row = {
        "PolicyIndex": 1,
        "Protocol": old.Protocol,
        "Port": old.Port,
        "SecurityGroupId": old.SecurityGroupId,
        "Action": old.Action,
        "PolicyDescription": old.PolicyDescription,
    }
    again = change(vpc.CreateSecurityGroupPoliciesRequest, rules(client).Version, Ingress=[row])
    client.CreateSecurityGroupPolicies(again)
    after = rules(client)
    assert [str(p) for p in after.Ingress] == [str(p) for p in before.Ingress]
    assert int(after.Version) == int(before.Version) + 2


def test_the_sdk_wipes_a_group_with_version_0(clients):
    client, _ = clients()
    request = change(vpc.ModifySecurityGroupPoliciesRequest, "0", Ingress=[], Egress=[])
    client.ModifySecurityGroupPolicies(request)
    assert (rules(client).Ingress, rules(client).Egress) == ([], [])


def test_the_sdk_creates_a_group_like_ours(clients, emulator):
    client, _ = clients()
    made = client.CreateSecurityGroup(
        asking(
            vpc.CreateSecurityGroupRequest,
            GroupName="new",
            GroupDescription="",
            ProjectId="0",
            Tags=[{"Key": "team", "Value": "data"}],
        )
    ).SecurityGroup
    assert WORLD.connect(emulator).read_groups([made.SecurityGroupId]).unseen == ()
    assert [(tag.Key, tag.Value) for tag in made.TagSet] == [("team", "data")]


def test_the_sdk_replaces_the_groups_of_instances_and_interfaces(clients):
    network, machine = clients()
    wanted = [WORLD.free, WORLD.default]
    answer = machine.ModifyInstancesAttribute(
        asking(
            cvm.ModifyInstancesAttributeRequest, InstanceIds=[WORLD.server], SecurityGroups=wanted
        )
    )
    (shown,) = machine.DescribeInstances(
        asking(cvm.DescribeInstancesRequest, InstanceIds=[WORLD.server])
    ).InstanceSet
    assert shown.SecurityGroupIds == wanted
    assert (shown.LatestOperationState, shown.LatestOperationRequestId) == (
        "SUCCESS",
        answer.RequestId,
    )
    network.ModifyNetworkInterfaceAttribute(
        asking(
            vpc.ModifyNetworkInterfaceAttributeRequest,
            NetworkInterfaceId="eni-3056glfn",
            SecurityGroupIds=wanted,
        )
    )
    both = {"NetworkInterfaceIds": ["eni-3056glfn"], "SecurityGroupIds": [WORLD.free]}
    network.DisassociateNetworkInterfaceSecurityGroups(
        asking(vpc.DisassociateNetworkInterfaceSecurityGroupsRequest, **both)
    )
    network.AssociateNetworkInterfaceSecurityGroups(
        asking(vpc.AssociateNetworkInterfaceSecurityGroupsRequest, **both)
    )
    (shown,) = network.DescribeNetworkInterfaces(
        asking(vpc.DescribeNetworkInterfacesRequest, NetworkInterfaceIds=["eni-3056glfn"])
    ).NetworkInterfaceSet
    assert shown.GroupSet == [WORLD.default, WORLD.free]


def test_the_sdks_get_requests_are_understood_too(clients):
    client, _ = clients(method="GET")
    references = client.DescribeSecurityGroupReferences(
        asking(vpc.DescribeSecurityGroupReferencesRequest, SecurityGroupIds=[WORLD.free])
    )
    assert references.ReferredSecurityGroupSet[0].SecurityGroupId == WORLD.free


CALLERS = {
    "wrong secret": ({"secret": "WRONG"}, "AuthFailure.SignatureFailure"),
    "unknown key": ({"key_id": "AKIDNOBODY"}, "AuthFailure.SecretIdNotFound"),
    "wrong token": ({"token": "other"}, "AuthFailure.TokenFailure"),
    "unknown region": ({"region": "ap-nowhere"}, "UnsupportedRegion"),
}


@pytest.mark.parametrize(("options", "code"), CALLERS.values(), ids=list(CALLERS))
def test_the_sdk_is_told_why_a_caller_is_refused(clients, options, code):
    client, _ = clients(**options)
    request = asking(vpc.DescribeSecurityGroupLimitsRequest)
    assert refused(client.DescribeSecurityGroupLimits, request) == code


def test_the_sdk_maps_errors_of_groups_and_bindings(clients):
    network, machine = clients()
    deletes = {
        WORLD.referenced: "ResourceInUse",
        WORLD.bound: "ResourceInUse",
        WORLD.missing: "InvalidSecurityGroupID.NotFound",
        WORLD.malformed: "InvalidSecurityGroupID.Malformed",
    }
    for group_id, code in deletes.items():
        request = asking(vpc.DeleteSecurityGroupRequest, SecurityGroupId=group_id)
        assert refused(network.DeleteSecurityGroup, request) == code
    request = asking(
        cvm.AssociateSecurityGroupsRequest,
        InstanceIds=["ins-nowhere0"],
        SecurityGroupIds=[WORLD.free],
    )
    assert refused(machine.AssociateSecurityGroups, request) == "InvalidInstanceId.NotFound"


def test_the_sdk_overlooks_an_error_whose_content_type_has_a_charset_and_we_do_not(
    clients, emulator
):
    # Why our own client reads the body whatever content type it claims.
    emulator.state.clouds[0].quirks["content_type"] = "application/json; charset=utf-8"
    client, _ = clients()
    request = asking(vpc.DeleteSecurityGroupRequest, SecurityGroupId=WORLD.bound)
    assert client.DeleteSecurityGroup(request).RequestId
    with pytest.raises(Exception, match="ResourceInUse"):
        WORLD.connect(emulator).delete_group(WORLD.bound)
