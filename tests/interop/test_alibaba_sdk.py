"""aliyun-python-sdk-ecs, the older SDK, against the emulator over a real socket.

It signs with the RPC signature and asks for JSON; nothing of ours is on its side of the socket.
"""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

pytest.importorskip("aliyunsdkecs", reason="needs the extra `interop`")
pytestmark = [
    # The SDK itself (vendored urllib3, six) warns on current Pythons.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]

from aliyunsdkcore.acs_exception.exceptions import ServerException  # noqa: E402 - after the skip
from aliyunsdkcore.auth.credentials import StsTokenCredential  # noqa: E402 - after the skip
from aliyunsdkcore.client import AcsClient  # noqa: E402 - after the skip
from aliyunsdkecs.request.v20140526 import (  # noqa: E402 - after the skip
    DeleteSecurityGroupRequest as Delete,
)
from aliyunsdkecs.request.v20140526 import (  # noqa: E402 - after the skip
    DescribeInstancesRequest as Instances,
)
from aliyunsdkecs.request.v20140526 import (  # noqa: E402 - after the skip
    DescribeSecurityGroupReferencesRequest as References,
)
from aliyunsdkecs.request.v20140526 import (  # noqa: E402 - after the skip
    DescribeSecurityGroupsRequest as Groups,
)

from tests.worlds.alibaba import SECRET, TOKEN, WORLD  # noqa: E402 - after the skip

WEB, APP, JOB = WORLD.referenced, WORLD.referrer_in, WORLD.referrer_out


@pytest.fixture
def ask(emulator_server):
    server = emulator_server(WORLD.scenario)

    def send(request, *, secret=SECRET, method="POST"):
        credential = StsTokenCredential("LTAIEXAMPLE0000", secret, TOKEN)
        client = AcsClient(
            region_id="cn-hangzhou", credential=credential, auto_retry=False, timeout=5
        )
        request.set_endpoint(urlsplit(server.url).netloc)
        request.set_method(method)
        return json.loads(client.do_action_with_exception(request))

    send.emulator = server.emulator
    return send


def references(*group_ids):
    request = References.DescribeSecurityGroupReferencesRequest()
    request.set_SecurityGroupIds(list(group_ids))
    return request


def delete(group_id):
    request = Delete.DeleteSecurityGroupRequest()
    request.set_SecurityGroupId(group_id)
    return request


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_references_of_two_groups_are_understood(ask, method):
    answer = ask(references(WEB, WORLD.free), method=method)
    told = {
        entry["SecurityGroupId"]: [
            one["SecurityGroupId"]
            for one in entry["ReferencingSecurityGroups"]["ReferencingSecurityGroup"]
        ]
        for entry in answer["SecurityGroupReferences"]["SecurityGroupReference"]
    }
    assert told == {WEB: [APP, JOB], WORLD.free: []}


def test_pages_by_number_end_with_the_total(ask):
    request = Groups.DescribeSecurityGroupsRequest()
    request.set_PageSize(3)
    request.set_PageNumber(3)
    answer = ask(request)
    assert answer["TotalCount"] == 8
    assert len(answer["SecurityGroups"]["SecurityGroup"]) == 2


def test_pages_by_token_go_on_where_the_last_one_ended(ask):
    ask.emulator.state.clouds[0].quirks["page_max"] = 1
    request = Instances.DescribeInstancesRequest()
    request.set_MaxResults(10)
    ids = []
    for _ in range(3):
        answer = ask(request)
        ids += [one["InstanceId"] for one in answer["Instances"]["Instance"]]
        request.set_NextToken(answer["NextToken"])
    assert len(set(ids)) == 3
    assert answer["NextToken"] == ""


def test_a_wrong_secret_is_what_the_sdk_says_it_is(ask):
    """The SDK compares the server's text to sign with its own: only an equal one says this."""
    with pytest.raises(ServerException) as caught:
        ask(references(WEB), secret="WRONGSECRET000000000000000000")
    assert caught.value.error_code == "InvalidAccessKeySecret"
    assert caught.value.http_status == 400


@pytest.mark.parametrize(
    ("group_id", "status", "code"),
    [
        (WEB, 403, "DependencyViolation"),
        (WORLD.bound, 403, "DependencyViolation"),
        ("sg-bp1lck00000000000007", 400, "InvalidOperation.DeletionProtection"),
        ("sg-bp1ack00000000000006", 403, "InvalidOperation.ResourceManagedByCloudProduct"),
        (WORLD.missing, 404, "InvalidSecurityGroupId.NotFound"),
    ],
    ids=["referenced", "carried", "protected", "managed", "missing"],
)
def test_a_refused_delete_has_the_documented_code(ask, group_id, status, code):
    with pytest.raises(ServerException) as caught:
        ask(delete(group_id))
    assert (caught.value.http_status, caught.value.error_code) == (status, code)


def test_a_free_group_is_deleted(ask):
    assert ask(delete(WORLD.free))["RequestId"]
    assert ask.emulator.state.clouds[0].group(WORLD.free) is None
