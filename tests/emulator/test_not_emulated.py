"""A call that is not emulated says so: in the cloud's words, and never as the caller's mistake."""

from __future__ import annotations

import httpx
import pytest

from sgguard.emulator.faces.base import word_hint
from tests.emulator.test_claims import (
    ENV,
    LOOP,
    PROJECT,
    SDK,
    acs,
    demo,
    envelope,
    qcloud,
    rpc,
    send,
    v1,
)

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SAYS = "does not emulate"
GROUP = "11111111-aaaa-4aaa-8aaa-000000000004"
STACK_GROUP = "55555555-eeee-4eee-8eee-000000000004"
SERVER = "22222222-bbbb-4bbb-8bbb-000000000001"


@pytest.fixture
def emulator():
    return demo()


@pytest.fixture
def token(emulator):
    """The header with a token of the demo's OpenStack."""
    user = {
        "name": ENV["OS_USERNAME"],
        "password": ENV["OS_PASSWORD"],
        "domain": {"name": "Default"},
    }
    identity = {"methods": ["password"], "password": {"user": user}}
    response = send(emulator, "POST", "/v3/auth/tokens", json={"auth": {"identity": identity}})
    return {"x-auth-token": response.headers["x-subject-token"]}


# What each service has at these paths, by method; everything else there is not emulated.
OPENSTACK = {
    "/identity/v3/auth/tokens": {"GET", "POST"},
    "/identity/v3/projects": set(),
    "/identity/v3/users/u": set(),
    "/networking/v2.0": {"GET"},
    "/networking/v2.0/networks": set(),
    "/networking/v2.0/networks/n": set(),
    "/networking/v2.0/security-groups": {"GET", "POST"},
    f"/networking/v2.0/security-groups/{STACK_GROUP}": {"GET", "PUT", "DELETE"},
    f"/networking/v2.0/security-groups/{STACK_GROUP}/tags": {"GET", "PUT"},
    f"/networking/v2.0/security-groups/{STACK_GROUP}/tags/x": set(),
    "/networking/v2.0/security-group-rules": {"GET", "POST"},
    f"/networking/v2.0/security-group-rules/{STACK_GROUP}": {"GET", "DELETE"},
    "/networking/v2.0/default-security-group-rules": set(),
    "/networking/v2.0/address-groups": set(),
    "/networking/v2.0/ports": {"GET"},
    f"/networking/v2.0/ports/{STACK_GROUP}": {"GET", "PUT"},
    f"/networking/v2.0/ports/{STACK_GROUP}/bindings": set(),
    "/networking/v2.0/rbac-policies": {"GET", "POST"},
    f"/networking/v2.0/rbac-policies/{STACK_GROUP}": {"GET", "DELETE"},
    "/networking/v2.0/quotas": set(),
    "/networking/v2.0/quotas/p/default": set(),
    "/compute/v2.1": {"GET"},
    "/compute/v2.1/servers": {"GET"},
    f"/compute/v2.1/servers/{SERVER}": {"GET"},
    f"/compute/v2.1/servers/{SERVER}/action": {"POST"},
    f"/compute/v2.1/servers/{SERVER}/os-interface": set(),
    f"/compute/v2.1/servers/{SERVER}/metadata": set(),
    "/compute/v2.1/os-keypairs": set(),
    "/compute/v2.1/os-services/disable": set(),
    "/compute/v2.1/flavors/detail": set(),
    "/compute/v2.1/limits": set(),
    "/volume/v3/volumes": set(),
    "/v2/images": set(),
    "/metrics": set(),
}


@pytest.mark.parametrize("path", OPENSTACK)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.sampled(12)
def test_openstack_says_what_is_not_emulated(emulator, token, method, path):
    response = send(emulator, method, path, headers=token)
    assert emulator.requests[-1].provider == "openstack"
    if response.is_error:
        assert envelope(response) == "openstack"
    assert (response.status_code == 501) is (method not in OPENSTACK[path])
    assert (SAYS in response.text) is (method not in OPENSTACK[path])


def test_an_action_of_a_server_that_is_not_emulated_is_no_wrong_action(emulator, token):
    cloud = emulator.state.cloud("openstack")
    url = f"/compute/v2.1/servers/{cloud.instances[0].id}/action"
    body = {"os-start": {"name": "x"}}
    response = send(emulator, "POST", url, headers=token, json=body)
    assert (response.status_code, list(response.json())) == (501, ["notImplemented"])
    assert "does not emulate the action os-start of a server" in response.text


VPC = f"/v3/{PROJECT}/vpc"
HUAWEI = {
    "/v3/projects": {"GET"},
    "/v3/users": set(),
    "/v3/domains/d/config": set(),
    "/v3.0/OS-CREDENTIAL/credentials": set(),
    f"{VPC}/vpcs": set(),
    f"{VPC}/unknown": set(),
    f"{VPC}/unknown/deeper/still": set(),
    f"{VPC}/security-groups": {"GET", "POST"},
    f"{VPC}/security-groups/{GROUP}": {"GET", "DELETE"},
    f"{VPC}/security-groups/{GROUP}/tags": set(),
    f"{VPC}/security-groups/tags/x": set(),
    f"{VPC}/security-group-rules": {"GET", "POST"},
    f"{VPC}/sub-network-interfaces": {"GET"},
    f"{VPC}/sub-network-interfaces/{GROUP}": {"GET", "PUT"},
    f"{VPC}/quotas": {"GET"},
    f"/v3/{PROJECT}/ports": {"GET"},
    f"/v3/{PROJECT}/ports/{GROUP}/insert-security-groups": {"PUT"},
    f"/v3/{PROJECT}/elb/loadbalancers": set(),
    f"/v1/{PROJECT}/vpcs": set(),
    f"/v1/{PROJECT}/quotas": {"GET"},
    f"/v1/{PROJECT}/cloudservers": set(),
    f"/v1/{PROJECT}/cloudservers/detail": {"GET"},
    f"/v1/{PROJECT}/cloudservers/{SERVER}/block_device": set(),
    "/v1/resource-manager/domains/d/provider": set(),
    "/v2.0/networks": set(),
    "/v2.0/lbaas/loadbalancers": set(),
    "/v2.0/security-groups": {"GET", "POST"},
    "/v2/zones": set(),
    "/v2/zones/z/recordsets": set(),
    f"/v2.1/{PROJECT}/os-keypairs": set(),
    f"/v2.1/{PROJECT}/servers/{SERVER}/os-interface": set(),
    "/bucket": set(),
}


@pytest.mark.parametrize("path", HUAWEI)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.sampled(4)
def test_huawei_says_what_is_not_emulated(emulator, method, path):
    response = send(emulator, method, path, auth=SDK)
    is_not_emulated = method not in HUAWEI[path]
    assert [one.provider for one in emulator.requests] == ["huawei"]
    assert (SAYS in response.text) is is_not_emulated
    if is_not_emulated and not path.startswith(("/v2.0", "/v2.1")):
        assert (response.status_code, response.json()["error_code"]) == (404, "APIGW.0101")
    elif is_not_emulated:
        assert response.status_code in (404, 501)


WORDS = ["default-something", "count", "tags", "flavors"]


def test_a_signed_call_of_v2_needs_no_project_anywhere(emulator):
    response = send(emulator, "GET", f"/v2.0/security-groups/{GROUP}", auth=SDK)
    assert response.json()["security_group"]["id"] == GROUP


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.sampled(3)
def test_a_word_in_the_place_of_an_id_may_be_a_call_and_is_told_so(emulator, token, word):
    for path in ("security-groups", "security-group-rules", "ports"):
        url = f"/networking/v2.0/{path}/{word}"
        response = send(emulator, "GET", url, headers=token)
        assert response.status_code == 404  # by which clients look up names
        assert response.json()["NeutronError"]["message"].endswith(word_hint(word))
    response = send(emulator, "GET", f"/compute/v2.1/servers/{word}", headers=token)
    assert response.json()["itemNotFound"]["message"].endswith(word_hint(word))
    for path in (f"{VPC}/security-groups", f"{VPC}/sub-network-interfaces"):
        response = send(emulator, "GET", f"{path}/{word}", auth=SDK)
        assert response.json()["error_msg"].endswith(word_hint(word))
    response = send(emulator, "GET", f"/v1/{PROJECT}/cloudservers/{word}", auth=SDK)
    assert response.json()["error"]["message"].endswith(word_hint(word))
    assert "not emulated" in word_hint(word)


def test_an_id_that_does_not_exist_is_not_found_and_nothing_else(emulator, token):
    missing = "00000000-0000-4000-8000-00000000dead"
    response = send(emulator, "GET", f"/networking/v2.0/ports/{missing}", headers=token)
    assert response.json()["NeutronError"]["message"] == f"Port {missing} could not be found."
    response = send(emulator, "GET", f"{VPC}/security-groups/{missing}", auth=SDK)
    assert "emulate" not in response.text


TENCENT = {
    "an action": ("InvalidAction", v1("HmacSHA1", Action="DescribeVpcs", Region="ap-guangzhou")),
    "a version": (
        "NoSuchVersion",
        v1("HmacSHA1", Action="DescribeClusters", Version="2018-05-25", Region="ap-guangzhou"),
    ),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", TENCENT)
@pytest.mark.sampled(4)
def test_api_3_says_what_is_not_emulated(emulator, method, case):
    code, more = TENCENT[case]
    response = send(emulator, method, "/", **more)
    error = response.json()["Response"]["Error"]
    assert SAYS in error["Message"]
    assert error["Code"] == (code if method in ("GET", "POST") else "UnsupportedProtocol")


@pytest.mark.parametrize("method", METHODS)
def test_api_2_says_what_is_not_emulated(emulator, method):
    more = {"params": {"Action": "DescribeVpcEx"}, "auth": qcloud("HmacSHA1")}
    body = send(emulator, method, "/v2/index.php", **more).json()
    assert body["code"] == (4000 if method in ("GET", "POST") else 4600)
    assert SAYS in body["message"]


ALIBABA = {
    "an action of ECS": ("/", acs("DescribeImages", "2014-05-26")),
    "an action of another product": ("/", acs("DescribeVpcs", "2016-04-28")),
    "another version of a known action": ("/", acs("DescribeInstances", "2016-03-14")),
    "an RPC call": ("/", rpc("DescribeVpcs", "2016-04-28", Format="JSON")),
    "an RPC call of ECS": ("/", rpc("DescribeDisks", "2014-05-26", Format="JSON")),
    "a path": ("/api/v1/clusters", acs("DescribeClustersV1", "2015-12-15")),
    "an older signature": (
        "/clusters",
        {"headers": {"authorization": "acs LTAI:sig", "x-acs-version": "2015-12-15"}},
    ),
    "object storage": ("/bucket", {"headers": {"authorization": "OSS LTAI:sig"}}),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", ALIBABA)
@pytest.mark.sampled(6)
def test_alibaba_says_what_is_not_emulated(emulator, method, case):
    path, more = ALIBABA[case]
    response = send(emulator, method, path, **more)
    assert envelope(response) == "alibaba"
    assert SAYS in response.text
    assert response.status_code in (400, 404)


def test_what_belongs_to_no_cloud_says_that(emulator):
    with httpx.Client(transport=None) as client:
        request = client.build_request("GET", f"{LOOP}/somewhere/else")
    response = emulator.handle(request)
    assert response.status_code == 404
    assert "no emulated cloud answers this" in response.json()["error"]
