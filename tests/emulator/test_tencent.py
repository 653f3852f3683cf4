"""The emulated API 3.0 refuses what the documents say it refuses, in the cloud's own words."""

from __future__ import annotations

import json

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.emulator.core import Emulator
from sgguard.emulator.faces.tencent import cvm, vpc
from sgguard.emulator.faults import Fault
from sgguard.wire.tc3 import Tc3Auth
from tests.examples import examples
from tests.worlds.tencent import ENV, REGION, WORLD

NOW = 1_763_800_000.0
KEY = ENV["TENCENTCLOUD_SECRET_ID"]
SECRET = ENV["TENCENTCLOUD_SECRET_KEY"]
TOKEN = ENV["TENCENTCLOUD_TOKEN"]


def loaded(**changes):
    scenario = WORLD.scenario_copy()
    scenario["clouds"][0].update(changes)
    return Emulator.load(scenario, now=lambda: NOW)


def request(
    action,
    params,
    *,
    service="vpc",
    key_id=KEY,
    secret=SECRET,
    token=TOKEN,
    now=NOW,
    region=REGION,
    version="2017-03-12",
    method="POST",
):
    headers = {
        "content-type": "application/json",
        "x-tc-action": action,
        "x-tc-version": version,
        "x-tc-region": region,
    }
    content = json.dumps(params).encode()
    url = f"https://{service}.tencentcloudapi.com/"
    if method == "GET":
        headers["content-type"] = "application/x-www-form-urlencoded"
        url, content = f"{url}?{httpx.QueryParams(params)}", b""
    made = httpx.Request(method, url, headers=headers, content=content)
    auth = Tc3Auth(key_id=key_id, secret=secret, service=service, now=lambda: now, token=token)
    return next(auth.auth_flow(made))


def inner(emulator, made):
    response = emulator.handle(made)
    assert response.status_code == 200
    answer = response.json()["Response"]
    assert answer["RequestId"]
    return answer


def asked(action, params=None, *, emulator=None, **options):
    return inner(emulator or loaded(), request(action, params or {}, **options))


def code_of(action, params=None, **options):
    return asked(action, params, **options)["Error"]["Code"]


CALLERS = {
    "unknown key": ({"key_id": "AKIDNOBODY"}, "AuthFailure.SecretIdNotFound"),
    "wrong secret": ({"secret": "x"}, "AuthFailure.SignatureFailure"),
    "no session token": ({"token": ""}, "AuthFailure.TokenFailure"),
    "wrong session token": ({"token": "other"}, "AuthFailure.TokenFailure"),
    "token of somebody without one": (
        {
            "key_id": "AKIDOTHER00000000000000000000000",
            "secret": "ANOTHERSECRETKEY0000000000000000",
        },
        "AuthFailure.TokenFailure",
    ),
    "clock behind": ({"now": NOW - 301}, "AuthFailure.SignatureExpire"),
    "clock ahead": ({"now": NOW + 301}, "AuthFailure.SignatureExpire"),
    "unknown region": ({"region": "ap-nowhere"}, "UnsupportedRegion"),
    "no region": ({"region": ""}, "MissingParameter"),
    "another version": ({"version": "2016-01-01"}, "NoSuchVersion"),
    "another service": ({"service": "cvm"}, "InvalidAction"),
    "an unknown service": ({"service": "cbs"}, "NoSuchProduct"),
}


@pytest.mark.parametrize(("options", "code"), CALLERS.values(), ids=list(CALLERS))
def test_a_caller_that_is_not_right_is_refused(options, code):
    assert code_of("DescribeSecurityGroupLimits", **options) == code


@pytest.mark.parametrize("skew", [-300, 0, 300])
def test_five_minutes_of_skew_are_accepted(skew):
    answer = asked("DescribeSecurityGroupLimits", now=NOW + skew)
    assert answer["SecurityGroupLimitSet"]["InstanceSecurityGroupLimit"] == 5


@pytest.mark.parametrize(
    "header",
    ["", "Bearer x", "TC3-HMAC-SHA256 nonsense"],
)
def test_an_authorization_that_cannot_be_read_is_refused(header):
    made = request("DescribeSecurityGroups", {})
    made.headers["authorization"] = header
    assert inner(loaded(), made)["Error"]["Code"] == "AuthFailure.InvalidAuthorization"


def test_a_body_changed_on_the_way_breaks_the_signature():
    made = request("DeleteSecurityGroup", {"SecurityGroupId": WORLD.free})
    other = json.dumps({"SecurityGroupId": WORLD.bound}).encode()
    changed = httpx.Request("POST", made.url, headers=made.headers, content=other)
    assert inner(loaded(), changed)["Error"]["Code"] == "AuthFailure.SignatureFailure"


def test_a_signature_over_the_service_of_another_host_is_still_over_its_scope():
    made = request("DescribeSecurityGroupLimits", {})
    made.headers["authorization"] = made.headers["authorization"].replace("/vpc/", "/cvm/")
    assert inner(loaded(), made)["Error"]["Code"] == "AuthFailure.SignatureFailure"


def test_a_missing_permission_is_refused_by_action():
    emulator = loaded()
    emulator.state.clouds[0].accounts[0].denied = ["Delete*"]
    params = {"SecurityGroupId": WORLD.free}
    assert code_of("DeleteSecurityGroup", params, emulator=emulator) == "UnauthorizedOperation"
    assert "Error" not in asked("DescribeSecurityGroupPolicies", params, emulator=emulator)


def test_a_get_is_answered_like_a_post():
    answer = asked("DescribeSecurityGroups", {"SecurityGroupIds.0": WORLD.free}, method="GET")
    assert [g["SecurityGroupId"] for g in answer["SecurityGroupSet"]] == [WORLD.free]


PARAMETERS = {
    "unknown name": ("DescribeSecurityGroups", {"SgIds": []}, "UnknownParameter"),
    "limit as number": ("DescribeSecurityGroups", {"Limit": 20}, "InvalidParameter"),
    "limit over 100": ("DescribeSecurityGroups", {"Limit": "101"}, "InvalidParameterValue.Range"),
    "limit as text": ("DescribeNetworkInterfaces", {"Limit": "20"}, "InvalidParameter"),
    "ids and filters": (
        "DescribeSecurityGroups",
        {
            "SecurityGroupIds": [WORLD.free],
            "Filters": [{"Name": "project-id", "Values": ["0"]}],
        },
        "InvalidParameter.Coexist",
    ),
    "unknown filter": (
        "DescribeSecurityGroups",
        {"Filters": [{"Name": "colour", "Values": ["red"]}]},
        "InvalidFilter",
    ),
    "filter without a list": (
        "DescribeSecurityGroups",
        {"Filters": [{"Name": "project-id", "Values": "0"}]},
        "InvalidParameter.FilterValuesNotList",
    ),
    "101 ids": (
        "DescribeSecurityGroups",
        {"SecurityGroupIds": [f"sg-{n:08d}" for n in range(101)]},
        "InvalidParameterValue.LimitExceeded",
    ),
    "51 ids": (
        "DescribeSecurityGroupReferences",
        {"SecurityGroupIds": [f"sg-{n:08d}" for n in range(51)]},
        "InvalidParameterValue.LimitExceeded",
    ),
    "no ids": ("DescribeSecurityGroupReferences", {}, "MissingParameter"),
    "ids as a text": (
        "DescribeSecurityGroupReferences",
        {"SecurityGroupIds": "sg-5ua9adfv"},
        "InvalidParameter",
    ),
    "malformed id": (
        "DescribeSecurityGroupReferences",
        {"SecurityGroupIds": ["sg-ide32"]},
        "InvalidParameterValue.Malformed",
    ),
    "unknown id": (
        "DescribeSecurityGroupAssociationStatistics",
        {"SecurityGroupIds": [WORLD.missing]},
        "ResourceNotFound",
    ),
    "rules of an unknown group": (
        "DescribeSecurityGroupPolicies",
        {"SecurityGroupId": WORLD.missing},
        "ResourceNotFound",
    ),
    "delete of a malformed id": (
        "DeleteSecurityGroup",
        {"SecurityGroupId": "sg-1"},
        "InvalidSecurityGroupID.Malformed",
    ),
    "delete of an unknown group": (
        "DeleteSecurityGroup",
        {"SecurityGroupId": WORLD.missing},
        "InvalidSecurityGroupID.NotFound",
    ),
    "delete of a referenced group": (
        "DeleteSecurityGroup",
        {"SecurityGroupId": WORLD.referenced},
        "ResourceInUse",
    ),
    "delete of a bound group": (
        "DeleteSecurityGroup",
        {"SecurityGroupId": WORLD.bound},
        "ResourceInUse",
    ),
}


@pytest.mark.parametrize(("action", "params", "code"), PARAMETERS.values(), ids=list(PARAMETERS))
def test_what_cannot_be_asked_is_refused_with_the_documented_code(action, params, code):
    assert code_of(action, params) == code


def test_six_filter_values_are_one_too_many_for_instances():
    values = [f"sg-{n:08d}" for n in range(6)]
    params = {"Filters": [{"Name": "security-group-id", "Values": values}]}
    code = code_of("DescribeInstances", params, service="cvm")
    assert code == "InvalidFilterValue.LimitExceeded"


def test_a_body_that_is_no_json_is_an_invalid_request():
    made = httpx.Request(
        "POST",
        "https://vpc.tencentcloudapi.com/",
        headers={
            "content-type": "application/json",
            "x-tc-action": "DescribeSecurityGroups",
            "x-tc-version": "2017-03-12",
            "x-tc-region": REGION,
        },
        content=b"[1]",
    )
    auth = Tc3Auth(key_id=KEY, secret=SECRET, service="vpc", now=lambda: NOW, token=TOKEN)
    assert inner(loaded(), next(auth.auth_flow(made)))["Error"]["Code"] == "InvalidRequest"


def test_statistics_come_in_another_order_than_asked():
    ids = [WORLD.referenced, WORLD.bound, WORLD.free]
    answer = asked("DescribeSecurityGroupAssociationStatistics", {"SecurityGroupIds": ids})
    rows = answer["SecurityGroupAssociationStatisticsSet"]
    assert [row["SecurityGroupId"] for row in rows] == ids[::-1]
    assert [(row["CVM"], row["ENI"], row["SG"], row["TotalCount"]) for row in rows] == [
        (0, 0, 0, 0),
        (1, 1, 0, 2),
        (0, 0, 2, 0),
    ]


def references(group_id, **quirks):
    answer = asked(
        "DescribeSecurityGroupReferences",
        {"SecurityGroupIds": [group_id]},
        emulator=loaded(quirks=quirks),
    )
    (names,) = [row["ReferredSecurityGroupIds"] for row in answer["ReferredSecurityGroupSet"]]
    return names


def test_references_can_be_short_or_in_the_other_sense_on_order():
    assert references(WORLD.referenced) == [WORLD.referrer_in, WORLD.referrer_out]
    assert references(WORLD.referenced, references_hide=[WORLD.referrer_in]) == [WORLD.referrer_out]
    assert references(WORLD.referenced, references_reversed=True) == []
    assert references(WORLD.referrer_in, references_reversed=True) == [WORLD.referenced]


@pytest.mark.parametrize("service", ["vpc", "cvm"])
@pytest.mark.sampled(2)
def test_pages_can_be_shorter_than_asked_for_on_order(service):
    action = "DescribeInstances" if service == "cvm" else "DescribeNetworkInterfaces"
    emulator = loaded(quirks={"page_max": 1})
    answer = asked(action, {"Limit": 100}, emulator=emulator, service=service)
    (rows,) = [value for value in answer.values() if isinstance(value, list)]
    assert (len(rows), answer["TotalCount"] > 1) == (1, True)


def test_a_call_can_take_fewer_ids_and_limits_can_be_left_out_on_order():
    emulator = loaded(quirks={"ids_max": 1, "limits_omit": ["SecurityGroupLimit"]})
    params = {"SecurityGroupIds": [WORLD.free, WORLD.bound]}
    code = code_of("DescribeSecurityGroupReferences", params, emulator=emulator)
    assert code == "InvalidParameterValue.LimitExceeded"
    told = asked("DescribeSecurityGroupLimits", emulator=emulator)["SecurityGroupLimitSet"]
    assert "SecurityGroupLimit" not in told


def test_rules_can_be_filtered_by_the_group_inside_them():
    answer = asked(
        "DescribeSecurityGroupPolicies",
        {
            "SecurityGroupId": WORLD.referrer_in,
            "Filters": [{"Name": "security-group-id", "Values": [WORLD.referenced]}],
        },
    )
    policies = answer["SecurityGroupPolicySet"]
    assert [p["PolicyIndex"] for p in policies["Ingress"]] == [1]
    assert policies["Egress"] == []
    assert policies["Version"] == "1"


def test_lists_come_in_pages():
    params = {"Offset": "2", "Limit": "3"}
    answer = asked("DescribeSecurityGroups", params)
    assert (answer["TotalCount"], len(answer["SecurityGroupSet"])) == (7, 3)


# -- bindings ------------------------------------------------------------------------------------


def bind(emulator, instance_ids=(WORLD.server,), group_ids=(WORLD.free,), **options):
    params = {"InstanceIds": list(instance_ids), "SecurityGroupIds": list(group_ids)}
    action = options.pop("action", "AssociateSecurityGroups")
    made = request(action, params, service="cvm", **options)
    return inner(emulator, made).get("Error", {}).get("Code")


def groups_of(emulator, instance_id=WORLD.server):
    return emulator.state.clouds[0].groups_of(instance_id)


BINDINGS = {
    "malformed group": ({"group_ids": ["sg-ide32"]}, {}, "InvalidSgId.Malformed"),
    "unknown group": ({"group_ids": [WORLD.missing]}, {}, "InvalidSecurityGroupId.NotFound"),
    "two groups": (
        {"group_ids": [WORLD.free, WORLD.referenced]},
        {},
        "InvalidParameterValue.LimitExceeded",
    ),
    "101 instances": (
        {"instance_ids": ["ins-915zrb0p"] * 101},
        {},
        "InvalidParameterValue.LimitExceeded",
    ),
    "short instance id": ({"instance_ids": ["ins-1122"]}, {}, "InvalidInstanceId.Malformed"),
    "another kind of id": (
        {"instance_ids": ["i-915zrb0p"]},
        {},
        "InvalidParameterValue.InstanceIdMalformed",
    ),
    "unknown instance": ({"instance_ids": ["ins-nowhere0"]}, {}, "InvalidInstanceId.NotFound"),
    "being created": ({}, {"state": "PENDING"}, "UnsupportedOperation.InstanceStatePending"),
    "isolating": ({}, {"state": "ISOLATING"}, "UnsupportedOperation.InstanceStateIsolating"),
    "operation in progress": (
        {},
        {"operation": "OPERATING"},
        "OperationDenied.InstanceOperationInProgress",
    ),
}


@pytest.mark.parametrize(("call", "instance", "code"), BINDINGS.values(), ids=list(BINDINGS))
def test_a_binding_is_refused_with_the_documented_code_and_changes_nothing(call, instance, code):
    emulator = loaded()
    for name, value in instance.items():
        setattr(emulator.state.clouds[0].instance(WORLD.server), name, value)
    before = groups_of(emulator)
    assert bind(emulator, **call) == code
    assert groups_of(emulator) == before


def test_a_sixth_group_is_refused():
    groups = [{"id": f"sg-{n:08d}"} for n in range(6)]
    instances = [{"id": WORLD.server, "groups": [g["id"] for g in groups[:4]]}]
    emulator = loaded(groups=groups, instances=instances, interfaces=[])
    assert bind(emulator, group_ids=["sg-00000004"]) is None
    assert bind(emulator, group_ids=["sg-00000005"]) == "LimitExceeded.AssociateUSGLimitExceeded"


def test_one_interface_too_many_on_a_group_refuses_the_whole_call():
    emulator = loaded(limits={"interfaces-per-group": 1})
    code = bind(emulator, instance_ids=[WORLD.server, WORLD.other_server])
    assert code == "LimitExceeded.CvmsVifsPerSecGroupLimitExceeded"
    assert WORLD.free not in groups_of(emulator)
    assert bind(emulator) is None


def test_a_project_with_too_many_groups_refuses_bindings():
    assert bind(loaded(limits={"groups-per-project": 6})) == "LimitExceeded.SingleUSGQuota"


def test_a_binding_takes_its_time_during_which_another_is_refused():
    clock = [NOW]
    scenario = WORLD.scenario_copy()
    scenario["clouds"][0]["quirks"] = {"binding_s": 30}
    emulator = Emulator.load(scenario, now=lambda: clock[0])
    assert bind(emulator) is None
    assert bind(emulator) == "MutexOperation.TaskRunning"
    other = bind(emulator, group_ids=[WORLD.referenced])
    assert other == "OperationDenied.InstanceOperationInProgress"
    shown = asked(
        "DescribeInstances", {"InstanceIds": [WORLD.server]}, emulator=emulator, service="cvm"
    )
    assert shown["InstanceSet"][0]["LatestOperationState"] == "OPERATING"
    clock[0] += 31
    assert bind(emulator, group_ids=[WORLD.referenced], now=clock[0]) is None


def test_binding_twice_is_binding_once_and_can_be_undone():
    emulator = loaded()
    assert (bind(emulator), bind(emulator)) == (None, None)
    assert groups_of(emulator).count(WORLD.free) == 1
    assert bind(emulator, action="DisassociateSecurityGroups") is None
    assert WORLD.free not in groups_of(emulator)


@pytest.mark.parametrize(
    ("kind", "code", "shown"),
    [
        ("throttle", "", "RequestLimitExceeded"),
        ("throttle", "LimitExceeded.ActionLimited", "LimitExceeded.ActionLimited"),
        ("error", "", "InternalError"),
        ("error", "SecGroupActionFailure", "SecGroupActionFailure"),
    ],
)
def test_trouble_on_order_comes_in_the_clouds_own_shape(kind, code, shown):

    emulator = loaded()
    emulator.faults.append(Fault(kind, code=code))
    assert code_of("DescribeSecurityGroupLimits", emulator=emulator) == shown


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.just(WORLD.free),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
ACTIONS = [
    (service, action, sorted(names))
    for service, actions in (("vpc", vpc.ACTIONS), ("cvm", cvm.ACTIONS))
    for action, (_, names) in actions.items()
]


@pytest.mark.parametrize(
    ("service", "action", "names"), ACTIONS, ids=[action for _, action, _ in ACTIONS]
)
@given(data=st.data())
@examples(40)
@pytest.mark.sampled(24)
def test_whatever_the_parameters_are_the_answer_has_the_clouds_shape(service, action, names, data):
    params = data.draw(st.dictionaries(st.sampled_from(names), JSON)) if names else {}
    answer = inner(loaded(), request(action, params, service=service))
    assert answer.get("Error", {"Code": "none"})["Code"]


@given(query=st.dictionaries(st.text("SecurityGoupIds.01Limt", max_size=12), st.text(max_size=5)))
@examples(60)
def test_whatever_a_query_holds_the_answer_has_the_clouds_shape(query):
    answer = asked("DescribeSecurityGroups", query, method="GET")
    assert "Error" in answer or "SecurityGroupSet" in answer
