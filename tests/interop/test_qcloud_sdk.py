"""Tencent's own SDK for API 2.0 against the emulator over a socket.

That SDK speaks HTTPS to port 443 of one host and nothing else. Its request class keeps the
connection in an attribute; there it gets one that opens plain HTTP to the emulator while still
calling itself ``dfw.api.qcloud.com``. Name resolution and TLS are all that is replaced: the
parameters, the signature over the real host name and the reading of answers are the SDK's.
"""

from __future__ import annotations

import json
import socket
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

pytest.importorskip("QcloudApi", reason="needs the extra interop")

from QcloudApi.modules.dfw import Dfw

from tests.worlds.tencent import ENV
from tests.worlds.tencent_dfw import WORLD


class LoopbackConnection(HTTPConnection):
    """A connection to the emulator that keeps the cloud's host name; counts what it sent."""

    def __init__(self, host, address):
        super().__init__(host, timeout=5)
        self.address = address
        self.request_length = 0

    def connect(self):
        self.sock = socket.create_connection(self.address, timeout=self.timeout)


@pytest.fixture
def emulator():
    return WORLD.emulator()


@pytest.fixture
def clients(emulator, emulator_server):
    """Return the SDK's client, by options of its configuration."""
    url = urlsplit(emulator_server(emulator).url)

    def make(**config):
        client = Dfw(
            {
                "secretId": ENV["TENCENTCLOUD_SECRET_ID"],
                "secretKey": ENV["TENCENTCLOUD_SECRET_KEY"],
                "Token": ENV["TENCENTCLOUD_TOKEN"],
                "Region": WORLD.region,
                **config,
            }
        )
        client.apiRequest.conn = LoopbackConnection(client.requestHost, (url.hostname, url.port))
        return client

    return make


def asked(client, action, **params):
    return json.loads(client.call(action, params))


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("signature", ["HmacSHA1", "HmacSHA256"])
def test_the_sdks_signatures_are_accepted_by_both_methods(clients, method, signature):
    client = clients(method=method, SignatureMethod=signature)
    ids = [WORLD.referenced, WORLD.free, WORLD.self_referencing]
    assert asked(client, "DescribeAssociateSecurityGroups", sgIds=ids) == {
        "code": 0,
        "message": "",
        "data": {
            WORLD.referenced: [WORLD.referrer_in, WORLD.referrer_out],
            WORLD.free: [],
            WORLD.self_referencing: [],
        },
    }


def test_the_reads_around_it_answer_the_sdk(clients):
    client = clients()
    group = asked(client, "DescribeSecurityGroups", sgId=WORLD.free)["data"]["detail"][0]
    assert (group["sgId"], group["sgName"]) == (WORLD.free, "unused")
    rules = asked(client, "DescribeSecurityGroupPolicy", sgId=WORLD.referrer_in)["data"]
    assert rules["ingress"][1]["sgId"] == WORLD.referenced
    instances = asked(client, "DescribeInstancesOfSecurityGroup", sgId=WORLD.bound, limit=1)
    assert (instances["totalCount"], len(instances["data"])) == (2, 1)
    interfaces = asked(client, "DescribeNetworkInterfacesOfSecurityGroup", sgId=WORLD.bound)
    assert interfaces["data"]["totalCount"] == 1


def test_the_sdk_deletes_with_and_without_force(clients, emulator):
    client = clients(method="POST")
    cloud = emulator.state.clouds[0]
    assert asked(client, "DeleteSecurityGroup", sgId=WORLD.bound)["code"] == 5100
    assert asked(client, "DeleteSecurityGroup", sgId=WORLD.bound, forced=1)["code"] == 0
    assert cloud.group(WORLD.bound) is None
    assert asked(client, "DeleteSecurityGroup", sgId=WORLD.missing)["code"] == 7001


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_the_sdk_takes_a_rule_out_and_puts_it_back_where_it_was(clients, method):
    client = clients(method=method)
    web = WORLD.referrer_in
    before = asked(client, "DescribeSecurityGroupPolicys", sgId=web)["data"]
    of = {"sgId": web, "direction": "ingress"}
    version = before["version"]
    gone = asked(client, "DeleteSecurityGroupPolicy", **of, version=version, indexes=[1])
    assert gone["code"] == 0
    assert asked(client, "DeleteSecurityGroupPolicy", **of, version=version, indexes=[0])["code"]
    row = {name: value for name, value in before["ingress"][1].items() if name != "index"}
    new = {**of, "version": version + 1, "index": 1, "policys": [row]}
    assert asked(client, "CreateSecurityGroupPolicy", **new)["code"] == 0
    after = asked(client, "DescribeSecurityGroupPolicys", sgId=web)["data"]
    assert after == {**before, "version": version + 2}


def test_the_sdk_replaces_the_groups_of_instances_and_interfaces(clients, emulator):
    client = clients(method="POST")
    wanted = [WORLD.free, WORLD.default]
    instances = [{"instanceId": WORLD.server, "sgIds": wanted}]
    assert asked(client, "ModifySecurityGroupsOfInstance", instanceSet=instances)["code"] == 0
    sides = [{"networkInterfaceId": "eni-3056glfn", "sgIds": wanted}]
    action = "ModifySecurityGroupsOfNetworkInterface"
    assert asked(client, action, networkInterfaceSet=sides)["code"] == 0
    cloud = emulator.state.clouds[0]
    assert cloud.groups_of(WORLD.server) == cloud.interface("eni-3056glfn").groups == wanted


def test_the_sdk_creates_a_group_like_ours(clients, emulator):
    made = asked(clients(), "CreateSecurityGroup", sgName="new", sgRemark="words", projectId=0)
    group_id = made["data"]["sgId"]
    assert WORLD.connect(emulator).list_rules(group_id).value == ()


CALLERS = {
    "wrong secret": ({"secretKey": "WRONG"}, 4100),
    "unknown key": ({"secretId": "AKIDNOBODY"}, 4104),
    "wrong token": ({"Token": "other"}, 4105),
    "unknown region": ({"Region": "ap-nowhere"}, 4000),
}


@pytest.mark.parametrize(("config", "code"), CALLERS.values(), ids=list(CALLERS))
def test_the_sdk_is_told_why_a_caller_is_refused(clients, config, code):
    client = clients(**config)
    assert asked(client, "DescribeSecurityGroups", sgId=WORLD.free)["code"] == code


def test_a_replayed_nonce_is_refused(clients):
    client = clients()
    once = {"sgId": WORLD.free, "Nonce": 7, "Timestamp": int(time.time())}
    codes = [asked(client, "DescribeSecurityGroups", **once)["code"] for _ in range(2)]
    assert codes == [0, 4500]


def test_an_old_timestamp_is_refused(clients):
    assert asked(clients(), "DescribeSecurityGroups", Timestamp=1700000000)["code"] == 4500
