"""The emulated ECS over HTTP: authentication, formats and pages."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

import httpx
import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.faces.alibaba import FACE
from sgguard.emulator.faces.base import Certainty, certainty_of
from sgguard.wire import acs3, rpc_v1
from tests.worlds.alibaba import PEER_UID, SECRET, TOKEN, WORLD

NOW = 1_700_000_000.0
URL = "https://ecs.cn-hangzhou.aliyuncs.com/"
WEB, APP, JOB = WORLD.referenced, WORLD.referrer_in, WORLD.referrer_out
MANY = 250


@pytest.fixture
def emulator():
    return Emulator.load(WORLD.scenario, now=lambda: NOW)


@pytest.fixture
def cloud(emulator):
    return emulator.state.clouds[0]


class Caller:
    """Signs by one scheme and sends; ``numbers`` makes every nonce another one."""

    def __init__(self, scheme, emulator):
        self.scheme, self.emulator, self.numbers = scheme, emulator, iter(range(1000))

    def request(self, action, *, at=NOW, nonce=None, key="LTAIEXAMPLE0000", **given):
        method, answer_format = given.pop("method", "POST"), given.pop("format", "JSON")
        kind = {"acs3": acs3.Acs3Auth, "rpc": rpc_v1.RpcV1Auth}[self.scheme]
        auth = kind(
            key,
            given.pop("secret", SECRET),
            given.pop("token", TOKEN),
            nonce=lambda: nonce or f"nonce {next(self.numbers)}",
            now=lambda: at,
        )
        params = {"RegionId": "cn-hangzhou", **given.pop("params", {}), **given}
        headers = {}
        if self.scheme == "acs3":
            headers = {"x-acs-action": action, "x-acs-version": "2014-05-26"}
        else:
            params |= {"Action": action, "Version": "2014-05-26"}
            params |= {"Format": answer_format} if answer_format else {}
        request = httpx.Request(
            method, f"{URL}?{acs3.canonical_query(params.items())}", headers=headers
        )
        return next(auth.auth_flow(request))

    def send(self, request):
        request.read()
        return self.emulator.handle(request)

    def __call__(self, action, **given):
        response = self.send(self.request(action, **given))
        return response.status_code, response.json()


@pytest.fixture(params=["acs3", "rpc"])
def call(request, emulator):
    return Caller(request.param, emulator)


@pytest.fixture
def rpc(emulator):
    return Caller("rpc", emulator)


def crowd(cloud, count=MANY):
    for number in range(count):
        instance = type(cloud.instances[0])(
            id=f"i-{number}", state="Running", region="cn-hangzhou", account=cloud.accounts[0].id
        )
        interface = type(cloud.interfaces[0])(
            id=f"eni-{number}",
            instance=instance.id,
            groups=[WORLD.free],
            region="cn-hangzhou",
            account=cloud.accounts[0].id,
        )
        cloud.instances.append(instance)
        cloud.interfaces.append(interface)


def test_a_signed_call_is_answered(call):
    status, body = call("DescribeSecurityGroups", SecurityGroupId=WEB)
    assert status == 200
    assert body["RequestId"]
    (group,) = body["SecurityGroups"]["SecurityGroup"]
    assert (group["SecurityGroupId"], group["SecurityGroupType"]) == (WEB, "normal")
    assert group["ServiceManaged"] is False


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"secret": "WRONG"}, 400, "SignatureDoesNotMatch"),
        ({"key": "LTAINOBODY"}, 404, "InvalidAccessKeyId.NotFound"),
        ({"token": ""}, 400, "MissingSecurityToken"),
        ({"token": "of someone else"}, 400, "InvalidSecurityToken.Malformed"),
        ({"at": NOW - 16 * 60}, 400, "IllegalTimestamp"),
        ({"at": NOW + 16 * 60}, 400, "IllegalTimestamp"),
    ],
)
def test_a_call_that_is_not_ours_is_refused(call, given, status, code):
    told, body = call("DescribeSecurityGroups", **given)
    assert (told, body["Code"]) == (status, code)
    assert set(body) == {"RequestId", "HostId", "Code", "Message"}


@pytest.mark.parametrize("skew_s", [-14 * 60, 14 * 60])
def test_a_clock_that_is_a_little_off_is_accepted(call, skew_s):
    assert call("DescribeSecurityGroups", at=NOW + skew_s)[0] == 200


def test_a_nonce_is_good_once(call):
    assert call("DescribeSecurityGroups", nonce="the same")[0] == 200
    status, body = call("DescribeSecurityGroups", nonce="the same", SecurityGroupId=WEB)
    assert (status, body["Code"]) == (400, "SignatureNonceUsed")


def test_a_changed_parameter_breaks_the_signature(call):
    request = call.request("DescribeSecurityGroups", SecurityGroupId=WEB)
    request.url = httpx.URL(str(request.url).replace(WEB, APP))
    assert call.send(request).json()["Code"] == "SignatureDoesNotMatch"


@pytest.mark.parametrize("header", ["x-acs-action", "x-acs-security-token", "host"])
def test_a_header_that_is_not_signed_breaks_the_signature(emulator, header):
    caller = Caller("acs3", emulator)
    request = caller.request("DescribeSecurityGroups")
    said = acs3.parse_authorization(request.headers["authorization"])
    names = [name for name in said.signed_headers if name != header]
    canonical = acs3.canonical_request(
        "POST",
        "/",
        request.url.query.decode(),
        {name: request.headers[name] for name in names},
        acs3.payload_hash(b""),
    )
    request.headers["authorization"] = (
        f"{acs3.ALGORITHM} Credential={said.key_id},SignedHeaders={';'.join(names)},"
        f"Signature={acs3.sign(SECRET, canonical)}"
    )
    assert caller.send(request).json()["Code"] == "SignatureDoesNotMatch"


@pytest.mark.parametrize(
    "name", ["AccessKeyId", "SignatureNonce", "Timestamp", "Signature", "SignatureVersion"]
)
def test_every_part_of_the_older_signature_is_required(rpc, name):
    request = rpc.request("DescribeSecurityGroups", method="GET")
    query = [(k, v) for k, v in rpc_v1.params_of(request) if k != name]
    request.url = request.url.copy_with(query=rpc_v1.canonical_query(query).encode())
    response = rpc.send(request)
    assert response.status_code == 400
    assert response.json()["Code"].startswith("Missing")


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_older_signature_works_by_get_and_by_post(rpc, method):
    assert rpc("DescribeSecurityGroups", method=method)[0] == 200


def test_without_a_format_the_older_api_answers_in_xml(rpc):
    response = rpc.send(rpc.request("DescribeSecurityGroups", format="", SecurityGroupId=WEB))
    assert response.headers["content-type"] == "text/xml;charset=utf-8"
    root = ET.fromstring(response.text)
    assert root.tag == "DescribeSecurityGroupsResponse"
    assert root.findtext("SecurityGroups/SecurityGroup/SecurityGroupId") == WEB
    assert root.findtext("SecurityGroups/SecurityGroup/ServiceManaged") == "false"


def test_without_a_format_errors_are_xml_too(rpc):
    response = rpc.send(rpc.request("DescribeSecurityGroups", format="", secret="WRONG"))
    root = ET.fromstring(response.text)
    assert (root.tag, root.findtext("Code")) == ("Error", "SignatureDoesNotMatch")


def test_a_refused_signature_shows_what_the_server_signed(rpc):
    request = rpc.request("DescribeSecurityGroups", secret="WRONG")
    message = rpc.send(request).json()["Message"]
    text = rpc_v1.string_to_sign("POST", rpc_v1.params_of(request))
    assert message.partition("server string to sign is:")[2] == text


@pytest.mark.parametrize("count", [0, 11])
def test_references_are_told_of_one_to_ten_groups(call, count):
    ids = {f"SecurityGroupId.{n}": WEB for n in range(1, count + 1)}
    status, body = call("DescribeSecurityGroupReferences", params=ids)
    assert (status, body["Code"]) == (400, "InvalidSecurityGroupId.Malformed")


def test_references_of_one_missing_group_are_told_of_none(call):
    ids = {"SecurityGroupId.1": WEB, "SecurityGroupId.2": WORLD.missing}
    status, body = call("DescribeSecurityGroupReferences", params=ids)
    assert (status, body["Code"]) == (404, "InvalidSecurityGroupId.NotFound")


def test_a_foreign_referrer_has_its_own_accounts_number(call):
    ids = {"SecurityGroupId.1": "sg-bp1sha00000000000008"}
    _, body = call("DescribeSecurityGroupReferences", params=ids)
    (entry,) = body["SecurityGroupReferences"]["SecurityGroupReference"]
    assert entry["ReferencingSecurityGroups"]["ReferencingSecurityGroup"] == [
        {"SecurityGroupId": "sg-bp1for00000000000009", "AliUid": int(PEER_UID)}
    ]


def test_a_foreign_group_cannot_be_read(call):
    status, body = call("DescribeSecurityGroupAttribute", SecurityGroupId="sg-bp1for00000000000009")
    assert (status, body["Code"]) == (404, "InvalidSecurityGroupId.NotFound")


@pytest.mark.parametrize(
    ("asked", "given"), [("1", 10), ("10", 10), ("50", 50), ("100", 100), ("5000", 100)]
)
@pytest.mark.sampled(4)
def test_the_size_of_a_page_of_instances_is_clamped(call, cloud, asked, given):
    crowd(cloud)
    _, body = call("DescribeInstances", SecurityGroupId=WORLD.free, MaxResults=asked)
    assert len(body["Instances"]["Instance"]) == given
    assert body["NextToken"]
    assert "TotalCount" not in body


@pytest.mark.parametrize("page", ["tokens", "numbers"])
@pytest.mark.sampled(3)
def test_every_page_together_is_everything_once(call, cloud, page):
    crowd(cloud)
    ids, token, number = [], "", 0
    while number == 0 or token:
        number += 1
        asked = {"PageNumber": str(number), "PageSize": "100"}
        if page == "tokens":
            asked = {"MaxResults": "100"} | ({"NextToken": token} if token else {})
        _, body = call("DescribeInstances", params=asked, SecurityGroupId=WORLD.free)
        ids += [one["InstanceId"] for one in body["Instances"]["Instance"]]
        token = body.get("NextToken", "") or (
            "more" if len(ids) < body.get("TotalCount", 0) else ""
        )
    assert len(ids) == len(set(ids)) == MANY


def test_the_rules_of_one_direction_can_be_asked_for(call):
    _, body = call("DescribeSecurityGroupAttribute", SecurityGroupId=JOB, Direction="egress")
    (rule,) = body["Permissions"]["Permission"]
    assert (rule["DestGroupId"], rule["SourceGroupId"]) == (WEB, "")
    _, body = call("DescribeSecurityGroupAttribute", SecurityGroupId=JOB, Direction="ingress")
    assert body["Permissions"]["Permission"] == []


@pytest.mark.parametrize(("nic", "told"), [("", "out"), ("internet", "out"), ("intranet", "in")])
def test_a_classic_group_tells_the_rules_of_one_network_at_a_time(call, cloud, nic, told):
    group = cloud.group(WEB)
    group.network = ""
    for rule, network in zip(group.rules, ("internet", "intranet"), strict=True):
        rule.nic, rule.id = network, {"internet": "out", "intranet": "in"}[network]
    given = {"NicType": nic} if nic else {}
    _, body = call("DescribeSecurityGroupAttribute", SecurityGroupId=WEB, **given)
    assert [one["SecurityGroupRuleId"] for one in body["Permissions"]["Permission"]] == [told]


@pytest.mark.parametrize("nic", ["internet", "intranet"])
def test_a_group_in_a_vpc_tells_all_its_rules_whatever_the_network(call, nic):
    _, body = call("DescribeSecurityGroupAttribute", SecurityGroupId=WEB, NicType=nic)
    assert len(body["Permissions"]["Permission"]) == 2


def test_rules_that_name_groups_are_counted_unless_a_quirk_says_otherwise(call, cloud):
    def counts():
        _, body = call("DescribeSecurityGroups", SecurityGroupId=APP)
        (group,) = body["SecurityGroups"]["SecurityGroup"]
        return group.get("RuleCount"), group.get("GroupToGroupRuleCount")

    assert counts() == (2, 1)
    cloud.quirks["group_rule_count"] = "zero"
    assert counts() == (0, 0)
    cloud.quirks["group_rule_count"] = "absent"
    assert counts() == (None, None)


def test_a_server_without_page_tokens_pages_by_number_and_tells_a_total(call, cloud):
    crowd(cloud)
    cloud.quirks["paging"] = "numbers"
    _, body = call("DescribeInstances", SecurityGroupId=WORLD.free, MaxResults="100")
    assert (len(body["Instances"]["Instance"]), body["TotalCount"]) == (10, MANY)
    assert "NextToken" not in body


def test_an_empty_page_can_come_before_every_further_one(call, cloud):
    crowd(cloud)
    cloud.quirks["empty_pages"] = True
    sizes, token = [], ""
    while token or not sizes:
        given = {"NextToken": token} if token else {}
        _, body = call("DescribeInstances", SecurityGroupId=WORLD.free, MaxResults="100", **given)
        sizes.append(len(body["Instances"]["Instance"]))
        token = body["NextToken"]
    assert sizes == [100, 0, 100, 0, 50]


def test_a_rule_without_another_end_means_any_address(call, cloud):
    cloud.group(APP).rules[1].cidr = ""
    _, body = call("DescribeSecurityGroupAttribute", SecurityGroupId=APP, Direction="egress")
    assert body["Permissions"]["Permission"][0]["DestCidrIp"] == "0.0.0.0/0"


@pytest.mark.parametrize(
    ("action", "given", "status", "code"),
    [
        ("DeleteEverything", {}, 404, "InvalidAction.NotFound"),
        ("DescribeSecurityGroups", {"RegionId": "cn-nowhere"}, 404, "InvalidRegionId.NotFound"),
        ("DescribeSecurityGroups", {"RegionId": ""}, 400, "MissingParameter"),
        ("DescribeSecurityGroupAttribute", {}, 400, "MissingParameter"),
        ("DescribeInstances", {"InstanceIds": "i-1"}, 400, "InvalidInstanceId.Malformed"),
        ("DescribeInstances", {"MaxResults": "all"}, 400, "InvalidParameter"),
        ("DescribeInstances", {"NextToken": "?"}, 400, "InvalidNextToken"),
    ],
)
@pytest.mark.sampled(6)
def test_a_wrong_question_has_the_clouds_own_error(call, action, given, status, code):
    told, body = call(action, params=given)
    assert (told, body["Code"]) == (status, code)


def test_a_denied_action_is_forbidden(call, cloud):
    cloud.accounts[0].denied = ["Delete*"]
    status, body = call("DeleteSecurityGroup", SecurityGroupId=WORLD.free)
    assert (status, body["Code"]) == (403, "Forbidden.RAM")


@pytest.mark.parametrize(
    ("group_id", "text"),
    [(WEB, "has been authorized in another one"), (WORLD.bound, "still instance(s)")],
    ids=["referenced", "carried"],
)
def test_one_code_has_two_meanings_when_a_delete_is_refused(call, group_id, text):
    status, body = call("DeleteSecurityGroup", SecurityGroupId=group_id)
    assert (status, body["Code"]) == (403, "DependencyViolation")
    assert text in body["Message"]


@pytest.mark.parametrize(
    ("group_id", "given", "code"),
    [
        (WORLD.free, {"InstanceId": "i-nobody"}, "InvalidInstanceId.NotFound"),
        (WORLD.free, {"InstanceId": "i-bp1server0000000003"}, "IncorrectInstanceStatus"),
        (APP, {"InstanceId": WORLD.server}, "InvalidInstanceId.AlreadyExists"),
        (WORLD.missing, {"InstanceId": WORLD.server}, "InvalidSecurityGroupId.NotFound"),
        (
            WORLD.free,
            {"NetworkInterfaceId": "eni-bp1managed00000009"},
            "InvalidOperation.EniServiceManaged",
        ),
        (WORLD.free, {}, "MissingParameter"),
    ],
)
def test_a_group_that_cannot_be_joined_says_why(call, group_id, given, code):
    _, body = call("JoinSecurityGroup", params={"SecurityGroupId": group_id, **given})
    assert body["Code"] == code


@pytest.mark.parametrize(
    ("limit", "ceiling", "code"),
    [
        ("groups-per-interface", 2, "InstanceSecurityGroupLimitExceeded"),
        ("instances-per-group", 0, "SecurityGroupInstanceLimitExceeded"),
    ],
)
def test_a_join_over_a_limit_is_refused(call, cloud, limit, ceiling, code):
    cloud.limits[limit] = ceiling
    status, body = call("JoinSecurityGroup", SecurityGroupId=WORLD.free, InstanceId=WORLD.server)
    assert (status, body["Code"]) == (403, code)


def test_an_instance_of_another_network_does_not_join(call, cloud):
    cloud.group(WORLD.free).network = "vpc-bp1elsewhere"
    _, body = call("JoinSecurityGroup", SecurityGroupId=WORLD.free, InstanceId=WORLD.server)
    assert body["Code"] == "InvalidInstanceId.Mismatch"


def test_a_throttle_says_how_many_milliseconds_to_wait(call):
    response = FACE.fault("throttle", call.request("DescribeInstances"), "")
    assert response.status_code == 400
    assert response.json()["Code"] == "Throttling.User"
    assert response.headers["x-acs-retry-after"] == "100"


@pytest.mark.parametrize(
    ("code", "status"),
    [("", 500), ("ServiceUnavailable", 503), ("Forbidden.RAM", 403), ("IllegalTimestamp", 400)],
)
def test_an_error_on_order_has_the_status_its_code_has(rpc, code, status):
    response = FACE.fault("error", rpc.request("DescribeInstances"), code)
    assert response.status_code == status
    assert response.json()["Code"] == (code or "InternalError")


LOOP = "http://127.0.0.1:8000/"


@pytest.mark.parametrize(
    ("request_", "claim"),
    [
        (
            httpx.Request("POST", LOOP, headers={"x-acs-action": "DescribeInstances"}),
            Certainty.HEADER,
        ),
        (httpx.Request("GET", f"{LOOP}?Action=X&Version=2014-05-26"), Certainty.PARAMS),
        (httpx.Request("POST", LOOP, data={"Version": "2014-05-26"}), Certainty.PARAMS),
        (
            httpx.Request("POST", LOOP, headers={"authorization": "ACS3-HMAC-SHA256 Credential="}),
            Certainty.SIGNED,
        ),
        (httpx.Request("GET", f"{LOOP}?Action=X&Version=2017-03-12"), Certainty.NONE),
        (httpx.Request("POST", LOOP, headers={"x-tc-action": "DescribeInstances"}), Certainty.NONE),
        (httpx.Request("GET", f"{LOOP}v2.0/security-groups"), Certainty.NONE),
    ],
)
def test_only_calls_of_this_api_are_claimed(cloud, request_, claim):
    assert certainty_of(FACE, request_, cloud) is claim


def test_the_json_of_the_document_can_be_had_on_request(call, cloud):
    cloud.quirks["references_shape"] = "documented"
    _, body = call("DescribeSecurityGroupReferences", params={"SecurityGroupId.1": WEB})
    (entry,) = body["SecurityGroupReferences"]
    assert [one["SecurityGroupId"] for one in entry["SecurityReferencingGroups"]] == [APP, JOB]
    assert "ReferencingSecurityGroups" not in json.dumps(body)
