"""The emulated Neutron refuses, counts and keeps what the real one does when things change."""

from __future__ import annotations

import copy

import pytest

from tests.worlds import openstack as w

from .test_openstack import (
    GROUPS,
    PORTS,
    RULES,
    Caller,
    emulator,
    group_of,
    olga,
    problem,
    rita,
    root,
)

FREE = f"{GROUPS}/{w.FREE}"
PORT = f"{PORTS}/{w.PORT}"
PLAIN = {"direction": "ingress", "security_group_id": w.FREE}
TCP = PLAIN | {"protocol": "tcp", "port_range_min": 22, "port_range_max": 22}
LONG = "x" * 256


@pytest.fixture
def alice():
    return Caller(emulator())


def post(caller, rule):
    return caller.http.post(RULES, json={"security_group_rule": rule})


def put(caller, port, path=PORT, **headers):
    return caller.http.put(path, json={"port": port}, headers=headers)


def revision(caller, path):
    ((_, row),) = caller.get(path).json().items()
    return row["revision_number"]


# -- rules ---------------------------------------------------------------------------------------


def test_a_new_rule_is_shown_with_everything_the_real_one_shows(alice):
    response = post(alice, TCP | {"remote_ip_prefix": "10.0.0.5/24"})
    assert response.status_code == 201
    rule = response.json()["security_group_rule"]
    assert rule["remote_ip_prefix"] == "10.0.0.5/24"
    assert rule["normalized_cidr"] == "10.0.0.0/24"
    assert (rule["port_range_min"], rule["port_range_max"]) == (22, 22)
    assert (rule["ethertype"], rule["revision_number"]) == ("IPv4", 0)
    assert rule["project_id"] == rule["tenant_id"] == w.PROJECT
    assert rule["belongs_to_default_sg"] is False
    assert rule == alice.get(f"{RULES}/{rule['id']}").json()["security_group_rule"]


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({}, {"protocol": None, "port_range_min": None, "port_range_max": None}),
        ({"protocol": "any"}, {"protocol": None}),
        ({"protocol": "TCP"}, {"protocol": "tcp"}),
        ({"protocol": 6}, {"protocol": "6"}),
        ({"protocol": "icmpv6", "ethertype": "IPv6"}, {"protocol": "ipv6-icmp"}),
        ({"protocol": "icmp", "ethertype": "IPv6"}, {"protocol": "ipv6-icmp"}),
        (
            {"protocol": "icmp", "port_range_min": 8},
            {"port_range_min": 8, "port_range_max": None},
        ),
        (
            {"protocol": "icmp", "port_range_min": 8, "port_range_max": 0},
            {"port_range_min": 8, "port_range_max": 0},
        ),
        (
            {"protocol": "tcp", "port_range_min": "80", "port_range_max": "443"},
            {"port_range_min": 80, "port_range_max": 443},
        ),
        ({"remote_ip_prefix": "10.0.0.5"}, {"remote_ip_prefix": "10.0.0.5/32"}),
        ({"remote_ip_prefix": "::/0", "ethertype": "IPv6"}, {"normalized_cidr": "::/0"}),
        ({"remote_group_id": None, "description": None}, {"remote_group_id": None}),
    ],
    ids=str,
)
@pytest.mark.sampled(4)
def test_a_rule_is_kept_as_neutron_keeps_it(alice, asked, shown):
    response = post(alice, PLAIN | asked)
    assert response.status_code == 201, response.text
    rule = response.json()["security_group_rule"]
    assert {name: rule[name] for name in shown} == shown


TWO = {"remote_ip_prefix": "10.0.0.0/8", "remote_group_id": w.WEB}

BAD_RULES = {
    "no direction": ({"security_group_id": w.FREE}, 400, "HTTPBadRequest"),
    "no group": ({"direction": "ingress"}, 404, "SecurityGroupNotFound"),
    "unknown group": (TCP | {"security_group_id": w.MISSING}, 404, "SecurityGroupNotFound"),
    "invisible group": (TCP | {"security_group_id": w.FOREIGN}, 404, "SecurityGroupNotFound"),
    "unknown peer": (TCP | {"remote_group_id": w.MISSING}, 404, "SecurityGroupNotFound"),
    "invisible peer": (TCP | {"remote_group_id": w.FOREIGN}, 404, "SecurityGroupNotFound"),
    "two peers": (TCP | TWO, 400, "SecurityGroupMultipleRemoteEntites"),
    "ethertype": (TCP | {"ethertype": "IPv5"}, 400, "SecurityGroupRuleInvalidEtherType"),
    "protocol": (PLAIN | {"protocol": "tpc"}, 400, "SecurityGroupRuleInvalidProtocol"),
    "number": (PLAIN | {"protocol": 256}, 400, "SecurityGroupRuleInvalidProtocol"),
    "range": (TCP | {"port_range_min": 23}, 400, "SecurityGroupInvalidPortRange"),
    "half a range": (TCP | {"port_range_max": None}, 400, "SecurityGroupInvalidPortRange"),
    "port": (TCP | {"port_range_max": 65536}, 400, "SecurityGroupInvalidPortValue"),
    "port that is none": (TCP | {"port_range_max": "ssh"}, 400, "SecurityGroupInvalidPortValue"),
    "ports of nothing": (
        PLAIN | {"port_range_min": 22, "port_range_max": 22},
        400,
        "SecurityGroupProtocolRequiredWithPorts",
    ),
    "ports of gre": (TCP | {"protocol": "gre"}, 400, "SecurityGroupInvalidProtocolForPort"),
    "icmp code alone": (
        PLAIN | {"protocol": "icmp", "port_range_max": 0},
        400,
        "SecurityGroupMissingIcmpType",
    ),
    "icmp type": (
        PLAIN | {"protocol": "icmp", "port_range_min": 256},
        400,
        "SecurityGroupInvalidIcmpValue",
    ),
    "icmpv6 of ipv4": (
        PLAIN | {"protocol": "icmpv6"},
        400,
        "SecurityGroupEthertypeConflictWithProtocol",
    ),
    "cidr": (TCP | {"remote_ip_prefix": "10.0.0.0/33"}, 400, "HTTPBadRequest"),
    "cidr of the other kind": (
        TCP | {"remote_ip_prefix": "::/0"},
        400,
        "SecurityGroupRuleParameterConflict",
    ),
    "what the cloud fills in": (TCP | {"normalized_cidr": "::/0"}, 400, "HTTPBadRequest"),
    "another project": (TCP | {"project_id": w.OTHER_PROJECT}, 400, "HTTPBadRequest"),
    "long text": (TCP | {"description": LONG}, 400, "HTTPBadRequest"),
    "no object": (None, 400, "HTTPBadRequest"),
}


@pytest.mark.parametrize("case", BAD_RULES, ids=str)
@pytest.mark.sampled(6)
def test_a_rule_that_cannot_be_is_refused_with_its_type(alice, case):
    rule, status, kind = BAD_RULES[case]
    before = copy.deepcopy(alice.cloud.state.dump())
    assert problem(post(alice, rule)) == (status, kind)
    assert alice.cloud.state.dump() == before


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"null"], ids=repr)
@pytest.mark.parametrize("path", [RULES, GROUPS])
def test_a_body_that_is_no_object_is_400(alice, path, content):
    assert problem(alice.http.post(path, content=content)) == (400, "HTTPBadRequest")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (TCP, TCP | {"description": "another"}),
        (TCP, TCP | {"protocol": 6}),
        (TCP, TCP | {"remote_ip_prefix": "0.0.0.0/0"}),
        (
            PLAIN | {"protocol": "icmp", "ethertype": "IPv6"},
            PLAIN | {"protocol": "58", "ethertype": "IPv6"},
        ),
    ],
    ids=["text", "number", "everywhere", "icmpv6"],
)
def test_a_rule_that_does_the_same_exists_already(alice, first, second):
    made = post(alice, first).json()["security_group_rule"]["id"]
    refused = post(alice, second)
    assert problem(refused) == (409, "SecurityGroupRuleExists")
    assert f"Rule id is {made}." in refused.json()["NeutronError"]["message"]


@pytest.mark.parametrize(
    "change",
    [{"direction": "egress"}, {"ethertype": "IPv6"}, {"port_range_max": 23}, {"protocol": "udp"}],
    ids=str,
)
def test_a_rule_that_differs_anywhere_else_is_another(alice, change):
    post(alice, TCP)
    assert post(alice, TCP | change).status_code == 201


def bulk(caller, *rules):
    return caller.http.post(RULES, json={"security_group_rules": list(rules)})


def test_many_rules_are_made_at_once_or_none_of_them(alice):
    made = bulk(alice, TCP, TCP | {"direction": "egress"})
    assert made.status_code == 201
    assert len(made.json()["security_group_rules"]) == 2
    udp = PLAIN | {"protocol": "udp"}
    assert problem(bulk(alice, udp, TCP)) == (409, "SecurityGroupRuleExists")
    assert problem(bulk(alice, udp, udp)) == (409, "DuplicateSecurityGroupRuleInPost")
    elsewhere = udp | {"security_group_id": w.WEB}
    assert problem(bulk(alice, udp, elsewhere)) == (400, "SecurityGroupNotSingleGroupRules")
    assert problem(bulk(alice)) == (400, "HTTPBadRequest")
    assert len(group_of(alice.cloud, w.FREE).rules) == 2


def test_the_quota_of_rules_is_one_of_the_project_and_kept_for_many_at_once():
    caller = Caller(emulator(limits={"rules-per-project": 6}))
    both = TCP, TCP | {"direction": "egress"}, TCP | {"ethertype": "IPv6"}
    assert problem(bulk(caller, *both)) == (409, "OverQuota")
    assert bulk(caller, *both[:2]).status_code == 201
    assert problem(post(caller, both[2])) == (409, "OverQuota")


def test_making_and_deleting_a_rule_changes_the_revision_of_its_group_and_of_no_other(alice):
    before, other = revision(alice, FREE), revision(alice, f"{GROUPS}/{w.WEB}")
    rule = post(alice, TCP | {"remote_group_id": w.WEB}).json()["security_group_rule"]
    assert revision(alice, FREE) == before + 1
    # Being referenced by another group is no change of a group.
    assert revision(alice, f"{GROUPS}/{w.WEB}") == other
    assert revision(alice, f"{RULES}/{rule['id']}") == 0
    assert alice.http.delete(f"{RULES}/{rule['id']}").status_code == 204
    assert revision(alice, FREE) == before + 2
    assert problem(alice.http.delete(f"{RULES}/{rule['id']}")) == (
        404,
        "SecurityGroupRuleNotFound",
    )


@pytest.mark.parametrize(
    ("condition", "status"),
    [("revision_number=0", 204), ("revision_number=1", 412), ("abc", 204)],
)
def test_a_rule_is_deleted_on_condition(alice, condition, status):
    rule = f"{RULES}/039f363c-0000-4000-8000-000000000031"
    assert alice.http.delete(rule, headers={"if-match": condition}).status_code == status


def test_a_rule_cannot_be_changed(alice):
    rule = f"{RULES}/039f363c-0000-4000-8000-000000000031"
    assert alice.http.put(rule, json={"security_group_rule": {}}).status_code == 501


def test_a_reader_and_another_project_change_no_rule():
    cloud = emulator()
    rule = f"{RULES}/039f363c-0000-4000-8000-000000000031"
    assert problem(rita(cloud).http.delete(rule)) == (403, "PolicyNotAuthorized")
    assert problem(post(rita(cloud), TCP)) == (403, "PolicyNotAuthorized")
    assert problem(olga(cloud).http.delete(rule)) == (404, "HTTPNotFound")
    unknown = f"{RULES}/039f363c-0000-4000-8000-000000000099"
    assert problem(olga(cloud).http.delete(unknown)) == (404, "SecurityGroupRuleNotFound")
    group_of(cloud, w.FREE).shared_with = [w.OTHER_PROJECT]
    assert problem(post(olga(cloud), TCP)) == (403, "PolicyNotAuthorized")


def test_a_rule_an_administrator_makes_is_his_and_the_groups_owner_sees_it():
    cloud = emulator()
    made = post(root(cloud), TCP).json()["security_group_rule"]
    assert made["project_id"] not in (w.PROJECT, w.OTHER_PROJECT)
    assert made["id"] in Caller(cloud).ids(RULES)
    mine = post(root(cloud), TCP | {"direction": "egress", "project_id": w.PROJECT})
    assert mine.json()["security_group_rule"]["project_id"] == w.PROJECT
    assert Caller(cloud).http.delete(f"{RULES}/{made['id']}").status_code == 204


# -- groups --------------------------------------------------------------------------------------


def create(caller, **group):
    return caller.http.post(GROUPS, json={"security_group": group})


def test_a_new_group_lets_all_traffic_out(alice):
    response = create(alice, name="new", description="text")
    assert response.status_code == 201
    group = response.json()["security_group"]
    assert (group["name"], group["description"], group["stateful"]) == ("new", "text", True)
    assert (group["project_id"], group["shared"], group["tags"]) == (w.PROJECT, False, [])
    rules = [(r["direction"], r["ethertype"], r["protocol"]) for r in group["security_group_rules"]]
    assert rules == [("egress", "IPv4", None), ("egress", "IPv6", None)]
    assert create(alice, name="new").json()["security_group"]["id"] != group["id"]


BAD_GROUPS = {
    "default": ({"name": "default"}, 409, "SecurityGroupDefaultAlreadyExists"),
    "Default": ({"name": "Default"}, 409, "SecurityGroupDefaultAlreadyExists"),
    "long": ({"name": LONG}, 400, "HTTPBadRequest"),
    "number": ({"name": 7}, 400, "HTTPBadRequest"),
    "stateful": ({"stateful": "yes"}, 400, "HTTPBadRequest"),
    "unknown": ({"nosuch": 1}, 400, "HTTPBadRequest"),
    "another project": ({"project_id": w.OTHER_PROJECT}, 400, "HTTPBadRequest"),
}


@pytest.mark.parametrize("case", BAD_GROUPS, ids=str)
def test_a_group_that_cannot_be_is_refused_with_its_type(alice, case):
    group, status, kind = BAD_GROUPS[case]
    assert problem(create(alice, **group)) == (status, kind)


def test_the_tenth_group_of_a_project_is_its_last(alice):
    for number in range(3):
        assert create(alice, name=f"group {number}").status_code == 201
    assert problem(create(alice, name="eleventh")) == (409, "OverQuota")


def test_a_group_is_renamed_on_condition_and_a_default_group_never(alice):
    body = {"security_group": {"name": "spare", "description": "later", "stateful": False}}
    refused = alice.http.put(FREE, json=body, headers={"if-match": "revision_number=9"})
    assert problem(refused) == (412, "RevisionNumberConstraintFailed")
    renamed = alice.http.put(FREE, json=body, headers={"if-match": "revision_number=1"})
    group = renamed.json()["security_group"]
    assert (group["name"], group["stateful"], group["revision_number"]) == ("spare", False, 2)
    default = alice.http.put(f"{GROUPS}/{w.DEFAULT}", json={"security_group": {"name": "x"}})
    assert problem(default) == (409, "SecurityGroupCannotUpdateDefault")


def test_tags_are_replaced_as_a_whole(alice):
    put = alice.http.put(f"{FREE}/tags", json={"tags": ["team=shop", "keep"]})
    assert put.json() == {"tags": ["team=shop", "keep"]}
    assert alice.get(f"{FREE}/tags").json() == put.json()
    assert revision(alice, FREE) == 2
    assert problem(alice.http.put(f"{FREE}/tags", json={"tags": [7]})) == (400, "HTTPBadRequest")
    assert problem(alice.http.delete(f"{FREE}/tags")) == (501, "NotImplemented")
    refused = rita(alice.cloud).http.put(f"{FREE}/tags", json={"tags": []})
    assert problem(refused) == (403, "PolicyNotAuthorized")


# -- ports ---------------------------------------------------------------------------------------


def test_a_ports_groups_are_replaced_as_a_whole_and_its_revision_grows(alice):
    assert revision(alice, PORT) == 1
    assert put(alice, {"security_groups": [w.FREE, w.WEB, w.FREE]}).status_code == 400
    changed = put(alice, {"security_groups": [w.FREE, w.WEB]}).json()["port"]
    assert changed["security_groups"] == [w.FREE, w.WEB]
    assert changed["revision_number"] == revision(alice, PORT) == 2
    # Carrying a group is no change of the group, and the same groups again none of the port.
    assert revision(alice, FREE) == 1
    assert put(alice, {"security_groups": [w.FREE, w.WEB]}).json()["port"]["revision_number"] == 2
    assert put(alice, {"security_groups": None}).json()["port"]["security_groups"] == []


@pytest.mark.parametrize(
    ("condition", "status"),
    [
        ("revision_number=1", 200),
        ("revision_number=2", 412),
        ("revision_number=", 200),
        ('"revision_number=2"', 200),
        ("2", 200),
    ],
)
def test_a_port_is_changed_on_condition_and_one_that_does_not_parse_is_ignored(
    alice, condition, status
):
    response = put(alice, {"security_groups": [w.FREE]}, **{"if-match": condition})
    assert response.status_code == status
    if status == 412:
        assert problem(response) == (412, "RevisionNumberConstraintFailed")
        assert alice.get(PORT).json()["port"]["security_groups"] == [w.BOUND]


BAD_PORTS = {
    "no id": ({"security_groups": ["web"]}, 400, "HTTPBadRequest"),
    "no list": ({"security_groups": w.FREE}, 400, "HTTPBadRequest"),
    "gone": ({"security_groups": [w.MISSING]}, 404, "SecurityGroupNotFound"),
    "invisible": ({"security_groups": [w.FOREIGN]}, 404, "SecurityGroupNotFound"),
    "two kinds": ({"security_groups": [w.BOUND, w.OUT]}, 409, "SecurityGroupConflict"),
    "security off": ({"port_security_enabled": False}, 409, "PortSecurityPortHasSecurityGroup"),
    "unknown": ({"nosuch": 1}, 400, "HTTPBadRequest"),
}


@pytest.mark.parametrize("case", BAD_PORTS, ids=str)
@pytest.mark.sampled(4)
def test_a_port_that_cannot_be_is_refused_with_its_type(alice, case):
    port, status, kind = BAD_PORTS[case]
    group_of(alice.cloud, w.OUT).kind = "stateless"
    before = copy.deepcopy(alice.cloud.state.dump())
    assert problem(put(alice, port)) == (status, kind)
    assert alice.cloud.state.dump() == before


def test_port_security_is_switched_off_without_groups_and_refuses_them_then(alice):
    off = put(alice, {"security_groups": [], "port_security_enabled": False}).json()["port"]
    assert (off["port_security_enabled"], off["security_groups"]) == (False, [])
    assert problem(put(alice, {"security_groups": [w.FREE]})) == (
        400,
        "PortSecurityAndIPRequiredForSecurityGroups",
    )
    both = {"security_groups": [w.FREE], "port_security_enabled": True}
    assert put(alice, both).json()["port"]["port_security_enabled"] is True


def test_a_port_of_another_project_or_for_a_reader_is_not_changed():
    cloud = emulator()
    change = {"security_groups": [w.FREE]}
    assert problem(put(Caller(cloud), change, f"{PORTS}/{w.MISSING}")) == (404, "PortNotFound")
    assert problem(put(olga(cloud), change)) == (404, "PortNotFound")
    assert problem(put(rita(cloud), change)) == (403, "PolicyNotAuthorized")
    assert put(root(cloud), change).status_code == 200


def test_a_shared_group_may_be_carried_by_ports_of_others():
    cloud = emulator()
    cloud.state.cloud("openstack").interface(w.PORT).project = w.OTHER_PROJECT
    change = {"security_groups": [w.FREE]}
    assert problem(put(olga(cloud), change)) == (404, "SecurityGroupNotFound")
    group_of(cloud, w.FREE).shared_with = ["*"]
    assert put(olga(cloud), change).status_code == 200
    # Not even what the port carries already may be named by who does not see it.
    assert problem(put(olga(cloud), {"security_groups": [w.FREE, w.BOUND]}))[0] == 404


def test_nova_counts_as_a_change_of_the_port(alice):
    action = f"/compute/v2.1/servers/{w.SERVER}/action"
    alice.http.post(action, json={"addSecurityGroup": {"name": w.FREE}})
    assert revision(alice, PORT) == 2
    alice.http.post(action, json={"removeSecurityGroup": {"name": w.FREE}})
    assert revision(alice, PORT) == 3


def test_the_groups_of_a_port_come_in_an_order_that_means_nothing():
    caller = Caller(emulator(quirks={"unordered_groups": True}))
    orders = set()
    many = [w.FREE, w.WEB, w.APP, w.OUT]
    for sent in (many, [*many, w.BOUND], many, [*many, w.BOUND]):
        shown = put(caller, {"security_groups": sent}).json()["port"]["security_groups"]
        assert set(shown) == set(sent)
        orders.add(tuple(one for one in shown if one != w.BOUND))
    assert len(orders) > 1


def test_changes_are_logged_without_ids(alice):
    rule = post(alice, TCP).json()["security_group_rule"]["id"]
    alice.http.delete(f"{RULES}/{rule}")
    alice.http.delete(f"{RULES}/{w.FREE}-rule-0")
    alice.http.put(f"{FREE}/tags", json={"tags": []})
    assert [request.action for request in list(alice.cloud.requests)[-4:]] == [
        "POST /v2.0/security-group-rules",
        "DELETE /v2.0/security-group-rules/{id}",
        "DELETE /v2.0/security-group-rules/{id}",
        "PUT /v2.0/security-groups/{id}/tags",
    ]
