"""The emulated API 2.0 refuses what the documents say it refuses, with the documented numbers."""

from __future__ import annotations

from urllib.parse import urlencode

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.emulator.core import Emulator
from sgguard.emulator.faces.tencent_dfw.actions import ACTIONS
from sgguard.wire.qcloud_v2 import QcloudV2Auth, flatten
from tests.examples import examples
from tests.worlds.tencent import ENV, REGION
from tests.worlds.tencent_dfw import WORLD

NOW = 1_763_800_000.0
URL = "https://dfw.api.qcloud.com/v2/index.php"
IDS = {"Action": "DescribeAssociateSecurityGroups", "sgIds": [WORLD.referenced, WORLD.free]}


def loaded(**changes):
    scenario = WORLD.scenario_copy()
    scenario["clouds"][0].update(changes)
    return Emulator.load(scenario, now=lambda: NOW)


def request(params, *, method="POST", url=URL, now=NOW, nonce=12345, **credentials):
    encoded = urlencode(flatten({"Region": REGION, **params}))
    made = (
        httpx.Request("GET", f"{url}?{encoded}")
        if method == "GET"
        else httpx.Request("POST", url, content=encoded.encode())
    )
    options = {
        "key_id": ENV["TENCENTCLOUD_SECRET_ID"],
        "secret": ENV["TENCENTCLOUD_SECRET_KEY"],
        "token": ENV["TENCENTCLOUD_TOKEN"],
        **credentials,
    }
    return next(QcloudV2Auth(now=lambda: now, nonce=lambda: nonce, **options).auth_flow(made))


def answer(made, emulator=None):
    response = (emulator or loaded()).handle(made)
    assert response.status_code == 200
    return response.json()


CALLERS = {
    "unknown key": ({"key_id": "AKIDNOBODY"}, 4104),
    "wrong secret": ({"secret": "x"}, 4100),
    "no session token": ({"token": ""}, 4105),
    "wrong session token": ({"token": "other"}, 4105),
    "clock behind": ({"now": NOW - 301}, 4500),
    "clock ahead": ({"now": NOW + 301}, 4500),
}


@pytest.mark.parametrize(("options", "code"), CALLERS.values(), ids=list(CALLERS))
def test_a_caller_that_is_not_right_is_refused(options, code):
    assert answer(request(IDS, **options))["code"] == code


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("algorithm", ["HmacSHA1", "HmacSHA256"])
def test_both_methods_and_both_signatures_are_understood(method, algorithm):
    got = answer(request(IDS, method=method, algorithm=algorithm))
    assert got == {
        "code": 0,
        "message": "",
        "data": {WORLD.referenced: ["sg-exnsygsn", "sg-outgoing"], WORLD.free: []},
    }


def test_a_nonce_is_accepted_once():
    emulator = loaded()
    assert answer(request(IDS), emulator)["code"] == 0
    assert answer(request(IDS), emulator)["code"] == 4500
    assert answer(request(IDS, nonce=2), emulator)["code"] == 0


def test_a_refused_signature_does_not_use_up_the_nonce():
    emulator = loaded()
    assert answer(request(IDS, secret="x"), emulator)["code"] == 4100
    assert answer(request(IDS), emulator)["code"] == 0


def test_a_missing_permission_is_refused_by_action():
    emulator = loaded()
    emulator.state.clouds[0].accounts[0].denied = ["Delete*"]
    params = {"Action": "DeleteSecurityGroup", "sgId": WORLD.free}
    assert answer(request(params), emulator)["code"] == 4102


def test_plain_http_is_refused_where_the_cloud_insists():
    emulator = loaded(quirks={"https_only": True})
    made = request(IDS, url="http://dfw.api.qcloud.com/v2/index.php")
    assert answer(made, emulator)["code"] == 4600


PARAMETERS = {
    "no ids": ({"Action": "DescribeAssociateSecurityGroups"}, 9003),
    "unknown action": ({"Action": "DescribeNothing"}, 4000),
    "unknown region": ({**IDS, "Region": "ap-nowhere"}, 4000),
    "no group": ({"Action": "DescribeSecurityGroupPolicy"}, 4000),
    "unknown group": ({"Action": "DescribeSecurityGroupPolicy", "sgId": WORLD.missing}, 7001),
    "limit over 100": (
        {"Action": "DescribeInstancesOfSecurityGroup", "sgId": WORLD.bound, "limit": 101},
        4000,
    ),
    "limit no number": (
        {"Action": "DescribeInstancesOfSecurityGroup", "sgId": WORLD.bound, "limit": "x"},
        4000,
    ),
    "unknown instance": (
        {"Action": "DescribeSecurityGroups", "instanceId": "ins-nowhere0"},
        5000,
    ),
    "delete of a referenced group": (
        {"Action": "DeleteSecurityGroup", "sgId": WORLD.referenced},
        5100,
    ),
    "delete of a bound group": ({"Action": "DeleteSecurityGroup", "sgId": WORLD.bound}, 5100),
}


@pytest.mark.parametrize(("params", "code"), PARAMETERS.values(), ids=list(PARAMETERS))
def test_what_cannot_be_asked_is_refused_with_the_documented_number(params, code):
    assert answer(request(params))["code"] == code


def test_an_action_may_begin_with_a_small_letter():
    params = {**IDS, "Action": "describeAssociateSecurityGroups"}
    assert answer(request(params))["code"] == 0


def test_the_rules_of_the_group_itself_are_not_references():
    params = {"Action": IDS["Action"], "sgIds": [WORLD.self_referencing]}
    assert answer(request(params))["data"] == {WORLD.self_referencing: []}


@pytest.mark.parametrize(
    ("quirks", "data"),
    [
        ({"references_empty": "omit"}, {}),
        ({"references_empty": "php"}, []),
        ({"references_omit": [WORLD.free]}, {}),
    ],
    ids=["omit", "php", "left out"],
)
def test_nothing_is_said_in_more_than_one_way(quirks, data):
    params = {"Action": IDS["Action"], "sgIds": [WORLD.free]}
    assert answer(request(params), loaded(quirks=quirks))["data"] == data


def test_the_count_of_instances_stands_beside_the_list():
    params = {"Action": "DescribeInstancesOfSecurityGroup", "sgId": WORLD.bound, "limit": 1}
    assert answer(request(params)) == {
        "code": 0,
        "message": "",
        "totalCount": 2,
        "data": [{"instanceId": "ins-915zrb0p"}],
    }


def test_codes_may_be_texts_and_come_with_a_description():
    emulator = loaded(quirks={"code_as_string": True, "code_desc": True})
    got = answer(request({"Action": "DescribeSecurityGroupPolicy"}), emulator)
    assert (got["code"], got["codeDesc"]) == ("4000", "Failed")


@pytest.mark.parametrize("action", sorted(ACTIONS))
@given(
    params=st.dictionaries(
        st.sampled_from(("sgId", "sgIds.0", "sgIds.x", "offset", "limit", "forced", "instanceId")),
        st.text(max_size=6) | st.sampled_from((WORLD.free, WORLD.bound, "1", "\u00b2")),
    )
)
@examples(40)
@pytest.mark.sampled(8)
def test_whatever_the_parameters_are_the_answer_has_the_clouds_shape(action, params):
    got = answer(request({**params, "Action": action}))
    assert isinstance(got["code"], int)
    assert isinstance(got["message"], str)
