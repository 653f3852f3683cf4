"""What the emulated VPC v3 does with changes, seen on the wire."""

import copy
import json

import httpx
import pytest

from sgguard.emulator.transport import EmulatorTransport
from sgguard.wire.sdk_hmac import SdkHmacAuth
from tests.worlds import huawei as world
from tests.worlds.huawei import ENV, PROJECT, WORLD

NOW = 1795311000.0
VPC = f"http://127.0.0.1/v3/{PROJECT}"
RULES = f"{VPC}/vpc/security-group-rules"
GROUPS = f"{VPC}/vpc/security-groups"
PORT = f"{VPC}/ports/{world.PORT}"
SUB = f"{VPC}/vpc/sub-network-interfaces/{world.SUPPLEMENTARY}"


def auth(**changes):
    given = {
        "access": ENV["HUAWEICLOUD_SDK_AK"],
        "secret": ENV["HUAWEICLOUD_SDK_SK"],
        "token": ENV["HUAWEICLOUD_SDK_SECURITY_TOKEN"],
        "project": PROJECT,
        "now": lambda: NOW,
    }
    return SdkHmacAuth(**(given | changes))


@pytest.fixture
def emulator():
    return WORLD.emulator(now=lambda: NOW)


@pytest.fixture
def client(emulator):
    return httpx.Client(transport=EmulatorTransport(emulator), auth=auth())


def told(response):
    return response.status_code, response.json().get("error_code")


def rule(**more):
    row = {
        "security_group_id": world.FREE,
        "direction": "ingress",
        "remote_ip_prefix": "10.0.0.0/8",
    }
    return {"security_group_rule": row | more}


CHANGES = [
    ("POST", RULES, rule()),
    ("DELETE", f"{RULES}/r-in", None),
    ("POST", GROUPS, {"security_group": {"name": "new"}}),
    ("DELETE", f"{GROUPS}/{world.FREE}", None),
    ("PUT", f"{PORT}/insert-security-groups", {"port": {"security_groups": [world.FREE]}}),
    ("PUT", f"{PORT}/remove-security-groups", {"port": {"security_groups": [world.BOUND]}}),
    ("PUT", SUB, {"sub_network_interface": {"security_groups": [world.FREE]}}),
]


@pytest.mark.parametrize(("method", "url", "body"), CHANGES, ids=range(len(CHANGES)))
def test_a_change_is_made_only_with_a_good_signature_and_by_one_who_may(
    emulator, client, method, url, body
):
    before = copy.deepcopy(emulator.state.dump())
    refused = client.request(method, url, json=body, auth=auth(secret="wrong"))
    assert told(refused) == (401, "APIGW.0301")
    emulator.state.clouds[0].accounts[0].role = "reader"
    before["clouds"][0]["accounts"][0]["role"] = "reader"
    assert told(client.request(method, url, json=body)) == (403, "VPC.2201")
    assert emulator.state.dump() == before


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        (rule(port_range_min=22), (400, "SYS.0400")),
        (rule(remote_group_id=world.BOUND), (400, "SYS.0400")),
        (rule(priority=0), (400, "SYS.0400")),
        (rule(priority=101), (400, "SYS.0400")),
        (rule(priority=True), (400, "SYS.0400")),
        (rule(action="accept"), (400, "SYS.0400")),
        (rule(direction="in"), (400, "SYS.0400")),
        (rule(ethertype="IPv5"), (400, "VPC.9902")),
        (rule(security_group_id=WORLD.missing), (404, "VPC.9904")),
        (rule(remote_group_id=WORLD.missing, remote_ip_prefix=None), (404, "VPC.9904")),
        ({"rule": {}}, (400, "SYS.0400")),
        ([], (400, "SYS.0400")),
    ],
)
def test_a_rule_that_is_none_is_refused_as_documented(emulator, client, body, answer):
    before = copy.deepcopy(emulator.state.dump())
    assert told(client.post(RULES, json=body)) == answer
    assert emulator.state.dump() == before


def test_what_a_rule_does_not_say_is_filled_in_as_documented(client):
    made = client.post(RULES, json=rule(ethertype="ipv4"))
    row = made.json()["security_group_rule"]
    assert made.status_code == 201
    assert (row["priority"], row["action"], row["enabled"]) == (100, "allow", True)
    assert (row["ethertype"], row["multiport"], row["protocol"]) == ("IPv4", None, None)
    shown = client.get(f"{RULES}/{row['id']}").json()["security_group_rule"]
    assert shown == row


@pytest.mark.parametrize("more", [{"description": "twin"}, {"enabled": False}])
def test_a_rule_that_does_the_same_is_refused_and_named(client, more):
    first = client.post(RULES, json=rule()).json()["security_group_rule"]
    again = client.post(RULES, json=rule(**more))
    assert told(again) == (409, "VPC.9902")
    assert first["id"] in again.json()["error_msg"]
    assert client.post(RULES, json=rule(priority=7)).status_code == 201


def test_a_new_group_lets_its_members_in_and_everything_out(client):
    made = client.post(GROUPS, json={"security_group": {"name": "new"}})
    group = made.json()["security_group"]
    rules = {
        (r["direction"], r["ethertype"], r["remote_group_id"], r["priority"])
        for r in group["security_group_rules"]
    }
    own = group["id"]
    assert rules == {
        ("ingress", "IPv4", own, 100),
        ("ingress", "IPv6", own, 100),
        ("egress", "IPv4", None, 100),
        ("egress", "IPv6", None, 100),
    }
    assert (made.status_code, group["enterprise_project_id"]) == (201, "0")
    assert client.get(f"{GROUPS}/{own}").json()["security_group"]["security_group_rules"]
    assert client.delete(f"{GROUPS}/{own}").status_code == 204  # its own rules are in no way


@pytest.mark.parametrize(
    "group", [{}, {"name": ""}, {"name": "x" * 65}, {"name": 1}, {"name": "x", "vpc_id": "v"}]
)
def test_a_group_without_a_good_name_is_refused(client, group):
    assert told(client.post(GROUPS, json={"security_group": group})) == (400, "SYS.0400")


def test_an_enterprise_project_that_is_not_granted_takes_no_group(emulator, client):
    quirks = emulator.state.clouds[0].quirks
    quirks |= {"granted_eps": ["0"]}
    row = {"name": "new", "enterprise_project_id": "eps-2"}
    before = copy.deepcopy(emulator.state.clouds[0].groups)
    assert told(client.post(GROUPS, json={"security_group": row})) == (403, "VPC.2201")
    assert emulator.state.clouds[0].groups == before
    assert quirks["enterprise_projects"] == {}


def changed(client, way, **port):
    return client.put(f"{PORT}/{way}-security-groups", json={"port": port})


def test_groups_are_inserted_into_the_list_at_their_position(client):
    assert changed(client, "insert", security_groups=[world.FREE]).status_code == 200
    answer = changed(client, "insert", security_groups=[world.REFERENCED], index=1)
    expected = [world.BOUND, world.REFERENCED, world.FREE]
    assert answer.json()["port"]["security_groups"] == expected
    assert client.get(PORT).json()["port"]["security_groups"] == expected
    answer = changed(client, "remove", security_groups=[world.FREE, world.BOUND])
    assert answer.json()["port"]["security_groups"] == [world.REFERENCED]


@pytest.mark.parametrize(
    ("way", "port", "answer"),
    [
        ("insert", {"security_groups": []}, (400, "SYS.0400")),
        ("insert", {"security_groups": [world.FREE, world.FREE]}, (400, "SYS.0400")),
        ("insert", {"security_groups": [world.FREE], "index": 2}, (400, "SYS.0400")),
        ("insert", {"security_groups": [world.FREE], "index": -1}, (400, "SYS.0400")),
        ("insert", {"security_groups": [world.BOUND]}, (409, "VPC.9902")),
        ("insert", {"security_groups": [WORLD.missing]}, (404, "VPC.9904")),
        ("remove", {"security_groups": [world.FREE]}, (404, "VPC.9904")),
        ("remove", {"security_groups": [world.BOUND], "index": 0}, (400, "SYS.0400")),
        ("remove", {"security_groups": [world.BOUND]}, (400, "VPC.0607")),
    ],
)
def test_a_change_of_a_port_that_cannot_be_is_refused(emulator, client, way, port, answer):
    before = copy.deepcopy(emulator.state.dump())
    assert told(changed(client, way, **port)) == answer
    assert emulator.state.dump() == before


def test_ports_and_supplementary_interfaces_are_not_each_other(client):
    wrong = f"{VPC}/ports/{world.SUPPLEMENTARY}/insert-security-groups"
    row = {"security_groups": [world.FREE]}
    assert told(client.put(wrong, json={"port": row})) == (404, "VPC.9904")
    wrong = f"{VPC}/vpc/sub-network-interfaces/{world.PORT}"
    assert told(client.put(wrong, json={"sub_network_interface": row})) == (404, "VPC.9904")
    assert told(client.get(wrong)) == (404, "VPC.9904")


def test_a_port_without_port_security_takes_no_groups(emulator, client):
    emulator.state.clouds[0].quirks["unprotected_ports"] = [world.PORT]
    assert changed(client, "insert", security_groups=[world.FREE]).status_code == 400


@pytest.mark.parametrize(("method", "url", "body"), CHANGES, ids=range(len(CHANGES)))
def test_open_telekom_cloud_and_regions_without_v3_publish_less(emulator, method, url, body):
    client = httpx.Client(transport=EmulatorTransport(emulator), auth=auth())
    emulator.state.clouds[0].quirks["otc"] = True
    is_published = "ports" not in url
    answer = client.request(method, url, json=body)
    assert (answer.status_code != 404) is is_published
    emulator.state.clouds[0].quirks["v3_absent"] = True
    assert told(client.request(method, url, json=body)) == (404, "APIGW.0101")


def test_a_dry_run_of_every_change_that_has_one_changes_nothing(emulator, client):
    before = copy.deepcopy(emulator.state.dump())
    for method, url, body in CHANGES:
        if body is not None:
            answer = client.request(method, url, content=json.dumps(body | {"dry_run": True}))
            assert answer.status_code == 202
    assert emulator.state.dump() == before
