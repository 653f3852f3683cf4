"""Both of Alibaba Cloud's SDKs make the changes that the provider makes, over a real socket."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

pytest.importorskip("alibabacloud_ecs20140526", reason="needs the extra `interop`")
pytest.importorskip("aliyunsdkecs", reason="needs the extra `interop`")
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

from alibabacloud_ecs20140526 import models  # noqa: E402 - after the skip
from alibabacloud_ecs20140526.client import Client  # noqa: E402 - after the skip
from alibabacloud_tea_openapi.models import Config  # noqa: E402 - after the skip
from aliyunsdkcore.auth.credentials import StsTokenCredential  # noqa: E402 - after the skip
from aliyunsdkcore.client import AcsClient  # noqa: E402 - after the skip
from aliyunsdkecs.request.v20140526 import (  # noqa: E402 - after the skip
    AuthorizeSecurityGroupRequest as Authorize,
)
from aliyunsdkecs.request.v20140526 import (  # noqa: E402 - after the skip
    ModifyInstanceAttributeRequest as ModifyInstance,
)
from aliyunsdkecs.request.v20140526 import (  # noqa: E402 - after the skip
    RevokeSecurityGroupEgressRequest as RevokeEgress,
)
from darabonba.exceptions import DaraException  # noqa: E402 - after the skip

from tests.worlds.alibaba import ADVANCED, SECRET, TOKEN, WORLD  # noqa: E402 - after the skip

WEB, APP, JOB, FREE = WORLD.referenced, WORLD.referrer_in, WORLD.referrer_out, WORLD.free
BOUND, SERVER, SECOND = WORLD.bound, WORLD.server, "eni-bp1second000000002"
REGION = "cn-hangzhou"


@pytest.fixture
def server(emulator_server):
    return emulator_server(WORLD.scenario_copy())


@pytest.fixture
def cloud(server):
    return server.emulator.state.clouds[0]


@pytest.fixture(params=[None, "v2"], ids=["acs3", "rpc"])
def client(request, server):
    return Client(
        Config(
            access_key_id="LTAIEXAMPLE0000",
            access_key_secret=SECRET,
            security_token=TOKEN,
            protocol="http",
            region_id=REGION,
            endpoint=urlsplit(server.url).netloc,
            signature_algorithm=request.param,
        )
    )


@pytest.fixture
def ask(server):
    """The older SDK, which is given requests instead of having methods."""

    def send(request):
        credential = StsTokenCredential("LTAIEXAMPLE0000", SECRET, TOKEN)
        older = AcsClient(region_id=REGION, credential=credential, auto_retry=False, timeout=5)
        request.set_endpoint(urlsplit(server.url).netloc)
        return json.loads(older.do_action_with_exception(request))

    return send


def authorize(client, group_id=FREE, token="t", **members):
    permission = models.AuthorizeSecurityGroupRequestPermissions(
        **{"ip_protocol": "tcp", "port_range": "22/22", **members}
    )
    return client.authorize_security_group(
        models.AuthorizeSecurityGroupRequest(
            region_id=REGION,
            security_group_id=group_id,
            client_token=token,
            permissions=[permission],
        )
    )


def test_a_rule_is_authorised_once_listed_and_revoked_by_its_id(client, cloud):
    for _ in range(2):
        answer = authorize(
            client,
            source_cidr_ip="10.0.0.0/8",
            dest_cidr_ip="10.1.0.1",
            source_port_range="1024/65535",
            policy="drop",
            priority="7",
            description="by hand & on purpose",
            nic_type="intranet",
        )
        assert answer.status_code == 200
    listed = client.describe_security_group_attribute(
        models.DescribeSecurityGroupAttributeRequest(region_id=REGION, security_group_id=FREE)
    )
    (rule,) = listed.body.permissions.permission
    assert (rule.source_port_range, rule.dest_cidr_ip, rule.policy) == (
        "1024/65535",
        "10.1.0.1",
        "Drop",
    )
    assert (rule.description, rule.nic_type) == ("by hand & on purpose", "intranet")
    client.revoke_security_group(
        models.RevokeSecurityGroupRequest(
            region_id=REGION,
            security_group_id=FREE,
            security_group_rule_id=[rule.security_group_rule_id],
        )
    )
    assert cloud.group(FREE).rules == []


def test_an_egress_rule_has_calls_of_its_own(client, cloud):
    permission = models.AuthorizeSecurityGroupEgressRequestPermissions(
        ip_protocol="tcp", port_range="443/443", dest_group_id=APP, nic_type="intranet"
    )
    client.authorize_security_group_egress(
        models.AuthorizeSecurityGroupEgressRequest(
            region_id=REGION, security_group_id=FREE, permissions=[permission]
        )
    )
    (rule,) = cloud.group(FREE).rules
    assert (rule.direction, rule.peer_group) == ("egress", APP)
    named = {"region_id": REGION, "security_group_id": FREE, "security_group_rule_id": [rule.id]}
    client.revoke_security_group(models.RevokeSecurityGroupRequest(**named))
    assert cloud.group(FREE).rules == [rule]
    client.revoke_security_group_egress(models.RevokeSecurityGroupEgressRequest(**named))
    assert cloud.group(FREE).rules == []


@pytest.mark.parametrize(
    ("group_id", "members", "code"),
    [
        (ADVANCED, {"source_group_id": WEB}, "InvalidGroupParameter.OperationDenied"),
        (FREE, {"source_group_id": FREE}, "InvalidParamter.Conflict"),
        (FREE, {"source_group_id": WORLD.missing}, "InvalidSourceGroupId.NotFound"),
        (FREE, {}, "MissingParameter.Source"),
    ],
)
def test_a_refused_rule_has_the_documented_code(client, group_id, members, code):
    with pytest.raises(DaraException) as caught:
        authorize(client, group_id, **members)
    assert caught.value.code == code


def test_a_group_is_created_once_with_type_and_tags(client, cloud):
    request = models.CreateSecurityGroupRequest(
        region_id=REGION,
        security_group_name="restored",
        description="as before",
        security_group_type="enterprise",
        vpc_id="vpc-bp1main",
        client_token="t",
        tag=[models.CreateSecurityGroupRequestTag(key="team", value="shop")],
    )
    first, second = (client.create_security_group(request).body for _ in range(2))
    assert first.security_group_id == second.security_group_id
    group = cloud.group(first.security_group_id)
    assert (group.name, group.kind, group.tags) == ("restored", "advanced", {"team": "shop"})


def test_an_instance_leaves_a_group_but_not_the_last(client, cloud):
    def leave(group_id):
        request = models.LeaveSecurityGroupRequest(
            region_id=REGION, security_group_id=group_id, instance_id=SERVER
        )
        client.leave_security_group(request)

    leave(BOUND)
    assert cloud.groups_of(SERVER) == [APP]
    with pytest.raises(DaraException) as caught:
        leave(APP)
    assert caught.value.code == "InstanceLastSecurityGroup"


def test_lists_of_groups_replace_what_was_carried(client, cloud):
    client.modify_instance_attribute(
        models.ModifyInstanceAttributeRequest(instance_id=SERVER, security_group_ids=[FREE, WEB])
    )
    client.modify_network_interface_attribute(
        models.ModifyNetworkInterfaceAttributeRequest(
            region_id=REGION, network_interface_id=SECOND, security_group_id=[WEB]
        )
    )
    assert cloud.groups_of(SERVER) == [FREE, WEB]
    assert cloud.interface(SECOND).groups == [WEB]


def test_the_older_sdk_authorises_and_revokes(ask, cloud):
    request = Authorize.AuthorizeSecurityGroupRequest()
    request.set_SecurityGroupId(FREE)
    request.set_Permissions(
        [{"IpProtocol": "tcp", "PortRange": "22/22", "SourceGroupId": APP, "Priority": "3"}]
    )
    assert ask(request)["RequestId"]
    (rule,) = cloud.group(FREE).rules
    assert (rule.peer_group, rule.priority, rule.nic) == (APP, 3, "intranet")

    request = RevokeEgress.RevokeSecurityGroupEgressRequest()
    request.set_SecurityGroupId(JOB)
    request.set_SecurityGroupRuleIds([cloud.group(JOB).rules[0].id])
    assert ask(request)["RequestId"]
    assert cloud.group(JOB).rules == []


def test_the_older_sdk_moves_an_instance(ask, cloud):
    request = ModifyInstance.ModifyInstanceAttributeRequest()
    request.set_InstanceId(SERVER)
    request.set_SecurityGroupIdss([APP])
    assert ask(request)["RequestId"]
    assert cloud.groups_of(SERVER) == [APP]


def test_members_of_a_group_are_isolated(client, cloud):
    for policy in ("Drop", "Accept"):
        client.modify_security_group_policy(
            models.ModifySecurityGroupPolicyRequest(
                region_id=REGION,
                security_group_id=FREE,
                inner_access_policy=policy,
                client_token=f"set {policy}",
            )
        )
        shown = client.describe_security_group_attribute(
            models.DescribeSecurityGroupAttributeRequest(region_id=REGION, security_group_id=FREE)
        )
        assert shown.body.inner_access_policy == policy
        assert cloud.group(FREE).isolated is (policy == "Drop")
