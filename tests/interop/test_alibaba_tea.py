"""alibabacloud-ecs20140526, the newer SDK, against the emulator over a real socket.

It signs with ACS3 by default and with the RPC signature (in lower-case ``json``) as ``v2``.
"""

from __future__ import annotations

import asyncio
from urllib.parse import urlsplit

import pytest

pytest.importorskip("alibabacloud_ecs20140526", reason="needs the extra `interop`")
pytestmark = [
    # The SDK itself warns on current Pythons and leaves its sockets to the collector.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

from alibabacloud_ecs20140526 import models  # noqa: E402 - after the skip
from alibabacloud_ecs20140526.client import Client  # noqa: E402 - after the skip
from alibabacloud_tea_openapi.models import Config  # noqa: E402 - after the skip
from darabonba.exceptions import DaraException  # noqa: E402 - after the skip

from sgguard.emulator.faults import Fault  # noqa: E402 - after the skip
from tests.worlds.alibaba import SECRET, TOKEN, WORLD  # noqa: E402 - after the skip

WEB, APP, JOB = WORLD.referenced, WORLD.referrer_in, WORLD.referrer_out
REGION = "cn-hangzhou"


@pytest.fixture
def server(emulator_server):
    return emulator_server(WORLD.scenario)


@pytest.fixture(params=[None, "v2"], ids=["acs3", "rpc"])
def connect(request, server):
    def client(secret=SECRET):
        config = Config(
            access_key_id="LTAIEXAMPLE0000",
            access_key_secret=secret,
            security_token=TOKEN,
            protocol="http",
            region_id=REGION,
            endpoint=urlsplit(server.url).netloc,
            signature_algorithm=request.param,
        )
        return Client(config)

    return client


def references_of(client, *group_ids):
    request = models.DescribeSecurityGroupReferencesRequest(
        region_id=REGION, security_group_id=list(group_ids)
    )
    body = client.describe_security_group_references(request).body
    return {
        entry.security_group_id: [
            one.security_group_id
            for one in entry.referencing_security_groups.referencing_security_group
        ]
        for entry in body.security_group_references.security_group_reference
    }


def test_the_references_of_two_groups_are_understood(connect):
    assert references_of(connect(), WEB, WORLD.free) == {WEB: [APP, JOB], WORLD.free: []}


def test_the_rules_of_a_group_are_understood(connect):
    request = models.DescribeSecurityGroupAttributeRequest(
        region_id=REGION, security_group_id=JOB, max_results=10
    )
    body = connect().describe_security_group_attribute(request).body
    (rule,) = body.permissions.permission
    assert (rule.direction, rule.dest_group_id, rule.policy) == ("egress", WEB, "Drop")
    assert rule.port_range == "443/443"


def test_instances_and_secondary_interfaces_are_found_by_group(connect):
    instances = connect().describe_instances(
        models.DescribeInstancesRequest(region_id=REGION, security_group_id=WORLD.bound)
    )
    interfaces = connect().describe_network_interfaces(
        models.DescribeNetworkInterfacesRequest(region_id=REGION, security_group_id=WORLD.bound)
    )
    assert [i.instance_id for i in instances.body.instances.instance] == [WORLD.server]
    carriers = interfaces.body.network_interface_sets.network_interface_set
    assert [i.instance_id for i in carriers] == [WORLD.other_server]


def test_a_group_that_a_product_manages_says_so(connect):
    request = models.DescribeSecurityGroupsRequest(
        region_id=REGION, security_group_ids='["sg-bp1ack00000000000006"]', max_results=100
    )
    (group,) = connect().describe_security_groups(request).body.security_groups.security_group
    assert group.service_managed is True
    assert group.service_id == 1503405350102016


def test_a_wrong_secret_is_refused(connect):
    with pytest.raises(DaraException) as caught:
        references_of(connect("WRONGSECRET000000000000000000"), WEB)
    assert caught.value.code == "SignatureDoesNotMatch"


def test_a_refused_delete_has_the_documented_code(connect):
    request = models.DeleteSecurityGroupRequest(region_id=REGION, security_group_id=WEB)
    with pytest.raises(DaraException) as caught:
        connect().delete_security_group(request)
    assert caught.value.code == "DependencyViolation"


def test_an_instance_joins_a_group_once(connect, server):
    request = models.JoinSecurityGroupRequest(
        region_id=REGION, security_group_id=WORLD.free, instance_id=WORLD.server
    )
    assert connect().join_security_group(request).body.request_id
    assert WORLD.free in server.emulator.state.clouds[0].groups_of(WORLD.server)
    with pytest.raises(DaraException) as caught:
        connect().join_security_group(request)
    assert caught.value.code == "InvalidInstanceId.AlreadyExists"


def test_a_throttled_call_tells_the_sdk_how_long_to_wait(connect, server):
    server.emulator.faults.append(Fault("throttle"))
    with pytest.raises(DaraException) as caught:
        references_of(connect(), WEB)
    assert caught.value.code == "Throttling.User"
    assert caught.value.retry_after == 100


def test_the_asynchronous_client_is_understood_too(connect):
    request = models.DescribeSecurityGroupReferencesRequest(
        region_id=REGION, security_group_id=[WEB]
    )
    answer = asyncio.run(connect().describe_security_group_references_async(request))
    (entry,) = answer.body.security_group_references.security_group_reference
    assert len(entry.referencing_security_groups.referencing_security_group) == 2


def test_the_misnamed_hybrid_is_no_references_to_the_sdk(connect, server):
    """This is why the provider reads the answer itself, see the tests of its parser."""
    server.emulator.state.clouds[0].quirks["references_shape"] = "hybrid"
    request = models.DescribeSecurityGroupReferencesRequest(
        region_id=REGION, security_group_id=[WEB]
    )
    body = connect().describe_security_group_references(request).body
    (entry,) = body.security_group_references.security_group_reference
    assert entry.referencing_security_groups is None
