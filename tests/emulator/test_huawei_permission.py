"""Denied queries and enterprise projects of the emulated Huawei Cloud, as its documents say."""

from __future__ import annotations

import httpx
import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.transport import EmulatorTransport
from sgguard.wire.sdk_hmac import SdkHmacAuth
from tests.worlds import huawei as world
from tests.worlds.huawei import ENV, PROJECT, WORLD

NOW = 1_795_800_000.0
HOST = "https://vpc.cn-north-4.myhuaweicloud.com"
V3 = f"{HOST}/v3/{PROJECT}"
LISTS = [
    (f"{V3}/vpc/security-groups", "security_groups"),
    (f"{V3}/vpc/security-group-rules", "security_group_rules"),
    (f"{V3}/ports", "ports"),
    (f"{V3}/vpc/sub-network-interfaces", "sub_network_interfaces"),
    (f"{HOST}/v2.0/security-groups", "security_groups"),
    (f"{HOST}/v2.0/security-group-rules", "security_group_rules"),
    (f"{HOST}/v2.0/ports", "ports"),
    (f"{HOST}/v1/{PROJECT}/ports", "ports"),
]


def client(*denied, **quirks):
    scenario = WORLD.scenario_copy()
    cloud = scenario["clouds"][0]
    cloud["quirks"] |= quirks
    cloud["accounts"][0]["denied"] = list(denied)
    emulator = Emulator.load(scenario, now=lambda: NOW)
    auth = SdkHmacAuth(
        access=ENV["HUAWEICLOUD_SDK_AK"],
        secret=ENV["HUAWEICLOUD_SDK_SK"],
        token=ENV["HUAWEICLOUD_SDK_SECURITY_TOKEN"],
        project=PROJECT,
        now=lambda: NOW,
    )
    return httpx.Client(transport=EmulatorTransport(emulator), auth=auth)


@pytest.mark.parametrize(("url", "key"), LISTS)
def test_a_denied_query_is_answered_with_an_empty_list(url, key):
    assert client().get(url).json()[key]
    answer = client("GET *").get(url)
    assert (answer.status_code, answer.json()[key]) == (200, [])


@pytest.mark.parametrize(("url", "key"), LISTS)
def test_a_denied_query_may_be_refused_instead(url, key):
    assert key
    assert client("GET *", denied_lists_refused=True).get(url).status_code == 403


@pytest.mark.parametrize(("url", "key"), LISTS)
@pytest.mark.sampled(4)
def test_a_read_of_one_id_needs_the_permission_of_its_list(url, key):
    one = f"{url}/00000000-0000-4000-8000-000000000000"
    permitted, denied = client(), client("GET */ports", "GET */*groups", "GET */*s")
    assert key
    assert permitted.get(one).status_code == 404
    assert denied.get(one).status_code == 403


def test_an_absent_api_is_absent_before_it_is_denied():
    http = client("GET *", v3_absent=True)
    assert http.get(f"{V3}/ports").json()["error_code"] == "APIGW.0101"


@pytest.mark.parametrize(
    "url",
    [f"{V3}/ports", f"{V3}/vpc/sub-network-interfaces", f"{HOST}/v2.0/ports"],
)
def test_ports_do_not_know_permissions_by_enterprise_project(url):
    http = client(granted_eps=["0"])
    ((rows),) = [value for value in http.get(url).json().values() if isinstance(value, list)]
    assert rows == []
    assert http.get(f"{url}/{world.PORT}").status_code == 403


def test_v1_ports_know_permissions_by_enterprise_project_when_all_are_asked_for():
    url = f"{HOST}/v1/{PROJECT}/ports"
    http = client(granted_eps=["eps-1"], enterprise_projects={world.PORT: "eps-1"})
    asked = {"enterprise_project_id": "all_granted_eps"}
    assert [row["id"] for row in http.get(url, params=asked).json()["ports"]] == [world.PORT]
    assert world.PORT not in {row["id"] for row in http.get(url).json()["ports"]}


def test_v1_ports_have_pages_without_links_and_single_reads():
    url = f"{HOST}/v1/{PROJECT}/ports"
    http = client(page_max=2)
    first = http.get(url).json()
    assert (list(first), len(first["ports"])) == (["ports"], 2)
    rest = http.get(url, params={"marker": first["ports"][-1]["id"]}).json()["ports"]
    assert not {row["id"] for row in rest} & {row["id"] for row in first["ports"]}
    assert http.get(f"{url}/{world.PORT}").json()["port"]["security_groups"] == [world.BOUND]
    assert http.get(f"{url}/{world.SUPPLEMENTARY}").json()["error_code"] == "VPC.0603"
    named = http.get(url, params={"security_groups": world.BOUND}).json()["ports"]
    assert {row["id"] for row in named} == {world.PORT, world.SECOND_PORT}


def test_quotas_count_what_a_permission_by_enterprise_project_hides():
    quirks = {"granted_eps": ["0"], "enterprise_projects": {world.REFERRER_IN: "eps-9"}}
    http = client(**quirks)
    rows = http.get(f"{V3}/vpc/security-group-rules").json()["security_group_rules"]
    used = http.get(f"{HOST}/v1/{PROJECT}/quotas").json()["quotas"]["resources"][1]["used"]
    assert (len(rows), used) == (5, 7)
    assert http.get(f"{V3}/vpc/security-groups/{world.REFERRER_IN}").status_code == 403


def test_open_telekom_cloud_refuses_what_it_does_not_know_of_enterprise_projects():
    answer = client(otc=True).get(
        f"{V3}/vpc/security-groups", params={"enterprise_project_id": "all_granted_eps"}
    )
    assert (answer.status_code, answer.json()["error_code"]) == (400, "SYS.0400")
