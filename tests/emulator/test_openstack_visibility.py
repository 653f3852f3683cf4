"""The emulated Neutron shows, hides, filters and pages as Neutron 29 does (measured)."""

from __future__ import annotations

import pytest

from sgguard.emulator.core import Emulator
from tests.emulator.test_openstack import GROUPS, PORTS, RULES, Caller, emulator, problem
from tests.emulator.test_openstack_changes import (
    group_of,
    olga,
    post,
    put,
    revision,
    rita,
    root,
)
from tests.worlds import openstack as w

POLICIES = "/networking/v2.0/rbac-policies"


def rule(group_id, **more):
    return {"security_group_id": group_id, "direction": "ingress", **more}


def ids(caller, path, **params):
    answer = caller.get(path, **params).json()
    (name,) = (key for key in answer if not key.endswith("_links"))
    return {row["id"] for row in answer[name]}


def rels(caller, path, **params):
    answer = caller.get(path, **params).json()
    return [link["rel"] for key in answer if key.endswith("_links") for link in answer[key]]


# -- who sees which rule --------------------------------------------------------------------------


@pytest.fixture
def cloud() -> Emulator:
    return emulator(limits={"rules-per-project": -1})


def made(cloud, group_id, project):
    body = rule(group_id, remote_group_id=w.FREE, project_id=project)
    return post(root(cloud), body).json()["security_group_rule"]["id"]


def test_a_rule_in_a_foreign_group_is_hidden_whoever_it_was_made_for(cloud):
    alice = Caller(cloud)
    rule_id = made(cloud, w.FOREIGN, w.PROJECT)
    assert ids(alice, RULES, remote_group_id=w.FREE) == set()
    assert problem(alice.get(f"{RULES}/{rule_id}")) == (404, "HTTPNotFound")
    assert problem(alice.http.delete(f"{RULES}/{rule_id}")) == (404, "HTTPNotFound")
    assert ids(olga(cloud), RULES, remote_group_id=w.FREE) == {rule_id}
    assert ids(root(cloud), RULES, remote_group_id=w.FREE) == {rule_id}


def test_a_rule_in_an_own_group_is_shown_whoever_it_was_made_for(cloud):
    alice = Caller(cloud)
    rule_id = made(cloud, w.APP, w.OTHER_PROJECT)
    assert ids(alice, RULES, remote_group_id=w.FREE) == {rule_id}
    assert ids(olga(cloud), RULES, remote_group_id=w.FREE) == set()
    inside = alice.get(f"{GROUPS}/{w.APP}").json()["security_group"]["security_group_rules"]
    assert rule_id in {one["id"] for one in inside}


def test_the_rules_of_a_shared_group_come_with_it_and_not_in_a_list(cloud):
    group_of(cloud, w.APP).shared_with = [w.OTHER_PROJECT]
    shown = olga(cloud).get(f"{GROUPS}/{w.APP}").json()["security_group"]
    assert len(shown["security_group_rules"]) == 2
    assert ids(olga(cloud), RULES, security_group_id=w.APP) == set()


# -- pages ----------------------------------------------------------------------------------------


def test_a_hidden_row_cuts_the_link_to_the_next_page():
    cloud = emulator(quirks={"page_max": 2}, limits={"rules-per-project": -1})
    for protocol in ("tcp", "udp", "icmp", "sctp"):
        post(root(cloud), rule(w.FOREIGN, remote_group_id=w.FREE, protocol=protocol))
    own = post(Caller(cloud), rule(w.OUT, remote_group_id=w.FREE)).json()
    alice = Caller(cloud)
    first = alice.get(RULES, remote_group_id=w.FREE).json()
    assert len(first["security_group_rules"]) < 2
    assert "next" not in rels(alice, RULES, remote_group_id=w.FREE)
    # The rule is there, and its group shows it.
    inside = alice.get(f"{GROUPS}/{w.OUT}").json()["security_group"]["security_group_rules"]
    assert own["security_group_rule"]["id"] in {one["id"] for one in inside}
    assert rels(root(cloud), RULES, remote_group_id=w.FREE) == ["next", "previous"]


def test_without_any_limit_there_are_no_links_and_with_one_always_one(cloud):
    alice = Caller(cloud)
    assert rels(alice, GROUPS) == []
    assert rels(alice, GROUPS, limit="1000") == ["previous"]
    assert rels(alice, GROUPS, limit="2") == ["next", "previous"]
    assert rels(alice, RULES, remote_group_id=w.MISSING, limit="2") == ["previous"]


def test_a_marker_means_something_only_with_a_limit(cloud):
    alice = Caller(cloud)
    assert ids(alice, GROUPS, marker=w.FREE) == ids(alice, GROUPS)
    assert ids(alice, GROUPS, marker=w.FREE, limit="1000") != ids(alice, GROUPS)


def test_a_marker_of_a_port_that_is_gone_is_404(cloud):
    alice = Caller(cloud)
    assert problem(alice.get(PORTS, limit="2", marker=w.MISSING)) == (404, "PortNotFound")
    assert alice.get(PORTS, limit="2", marker=w.PORT).status_code == 200


# -- filters --------------------------------------------------------------------------------------

EVERY = {"ethertype": "IPv4"}


@pytest.mark.parametrize(
    ("path", "query", "same_as"),
    [
        (RULES, {"ethertype": "ipv4"}, EVERY),
        (RULES, {"ethertype": "IPV4"}, EVERY),
        (RULES, {"protocol": "TCP"}, {"protocol": "tcp"}),
        (RULES, {"protocol": "any"}, {"id": "039f363c-0000-4000-8000-000000000032"}),
        (GROUPS, {"stateful": "1"}, {}),
        (GROUPS, {"stateful": "True"}, {}),
        (GROUPS, {"shared": "0"}, {}),
        (GROUPS, {"shared": "FALSE"}, {}),
        (GROUPS, {"description": ""}, {}),
        (PORTS, {"admin_state_up": "1"}, {}),
        (RULES, {"belongs_to_default_sg": "true"}, {}),
        (GROUPS, {"not-tags": "a"}, {}),
    ],
)
@pytest.mark.sampled(4)
def test_a_filter_is_converted_before_it_is_compared(cloud, path, query, same_as):
    alice = Caller(cloud)
    found = ids(alice, path, **query)
    if query.get("protocol") == "any":
        assert same_as["id"] in found
    else:
        assert found == ids(alice, path, **same_as) != set()


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (RULES, {"remote_group_id": ""}),
        (RULES, {"security_group_id": ""}),
        (RULES, {"id": ""}),
        (RULES, {"direction": ""}),
        (RULES, {"direction": "INGRESS"}),
        (RULES, {"project_id": ""}),
        (RULES, {"revision_number": "x"}),
        (GROUPS, {"name": ""}),
        (GROUPS, {"name": "WEB"}),
        (GROUPS, {"stateful": "0"}),
        (GROUPS, {"shared": "1"}),
        (GROUPS, {"tags": ""}),
        (GROUPS, {"tags-any": "a"}),
        (PORTS, {"security_groups": ""}),
        (PORTS, {"status": "active"}),
        (PORTS, {"network_id": "x"}),
        (PORTS, {"fixed_ips": "ip_address=10.9.0.2"}),
        (POLICIES, {"object_id": ""}),
    ],
)
@pytest.mark.sampled(6)
def test_a_filter_without_a_match_is_empty(cloud, path, query):
    assert ids(Caller(cloud), path, **query) == set()


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        (RULES, {"ethertype": "foo"}, "SecurityGroupRuleInvalidEtherType"),
        (RULES, {"ethertype": ""}, "SecurityGroupRuleInvalidEtherType"),
        (RULES, {"protocol": "foo"}, "SecurityGroupRuleInvalidProtocol"),
        (RULES, {"protocol": ""}, "SecurityGroupRuleInvalidProtocol"),
        (RULES, {"port_range_min": "abc"}, "SecurityGroupInvalidPortValue"),
        (RULES, {"port_range_max": ""}, "SecurityGroupInvalidPortValue"),
        (RULES, {"remote_ip_prefix": "abc"}, "InvalidCIDR"),
        (RULES, {"shared": "0"}, "HTTPBadRequest"),
        (RULES, {"tags": "a"}, "HTTPBadRequest"),
        (GROUPS, {"stateful": "foo"}, "InvalidInput"),
        (GROUPS, {"stateful": ""}, "InvalidInput"),
        (GROUPS, {"shared": "foo"}, "InvalidInput"),
        (GROUPS, {"created_at": "1"}, "HTTPBadRequest"),
        (PORTS, {"admin_state_up": "foo"}, "InvalidInput"),
        (PORTS, {"fixed_ips": "x"}, "InvalidInput"),
        (PORTS, {"port_security_enabled": "1"}, "HTTPBadRequest"),
        (POLICIES, {"object_type": "foo"}, "InvalidInput"),
        (POLICIES, {"target_project_id": "x"}, "HTTPBadRequest"),
    ],
)
def test_a_value_that_a_filter_cannot_have_is_400(cloud, path, query, code):
    assert problem(Caller(cloud).get(path, **query)) == (400, code)


# -- revisions ------------------------------------------------------------------------------------


def group_path(group_id):
    return f"{GROUPS}/{group_id}"


def test_a_cascade_gives_the_group_that_lost_rules_a_new_revision(cloud):
    alice = Caller(cloud)
    before = revision(alice, group_path(w.APP)), revision(alice, group_path(w.SELF))
    assert alice.http.delete(group_path(w.WEB)).status_code == 204
    after = revision(alice, group_path(w.APP)), revision(alice, group_path(w.SELF))
    assert after == (before[0] + 1, before[1])


@pytest.mark.parametrize("body", [{}, {"name": "free"}, {"description": ""}, {"stateful": True}])
def test_a_change_that_changes_nothing_leaves_the_revision(cloud, body):
    alice = Caller(cloud)
    before = revision(alice, group_path(w.FREE))
    answer = alice.http.put(group_path(w.FREE), json={"security_group": body})
    assert answer.status_code == 200
    assert revision(alice, group_path(w.FREE)) == before


def test_the_same_tags_leave_the_revision_and_every_text_comes_back(cloud):
    alice = Caller(cloud)
    path = f"{group_path(w.FREE)}/tags"
    texts = ["a=", "=", "a", "a=1", "a=2", "=x", "", "b=c=d"]
    alice.http.put(path, json={"tags": texts})
    before = revision(alice, group_path(w.FREE))
    assert sorted(alice.get(path).json()["tags"]) == sorted(texts)
    alice.http.put(path, json={"tags": list(reversed(texts))})
    assert revision(alice, group_path(w.FREE)) == before
    assert problem(alice.http.put(path, json={"tags": ["a", "a"]})) == (400, "InvalidInput")


# -- refusals -------------------------------------------------------------------------------------


def test_a_reader_is_refused_every_change(cloud):
    reader = rita(cloud)
    name = {"security_group": {"name": "x"}}
    share = {
        "object_type": "security_group",
        "object_id": w.FREE,
        "action": "access_as_shared",
        "target_tenant": w.OTHER_PROJECT,
    }
    answers = [
        reader.http.put(group_path(w.FREE), json=name),
        reader.http.put(f"{group_path(w.FREE)}/tags", json={"tags": []}),
        reader.http.delete(group_path(w.FREE)),
        reader.http.delete(group_path(w.DEFAULT)),
        reader.http.post(GROUPS, json=name),
        reader.http.post(POLICIES, json={"rbac_policy": share}),
        put(reader, {"security_groups": []}),
    ]
    assert {problem(one) for one in answers} == {(403, "PolicyNotAuthorized")}


def test_stateful_and_stateless_groups_on_one_port_are_refused(cloud):
    group_of(cloud, w.FREE).kind = "stateless"
    refused = put(Caller(cloud), {"security_groups": [w.FREE, w.WEB]})
    assert problem(refused) == (409, "SecurityGroupConflict")
    body = {"addSecurityGroup": {"name": w.FREE}}
    refused = Caller(cloud).http.post(f"/compute/v2.1/servers/{w.SERVER}/action", json=body)
    assert "conflictingRequest" in refused.json()


def test_a_group_in_use_does_not_change_its_kind(cloud):
    body = {"security_group": {"stateful": False}}
    refused = Caller(cloud).http.put(group_path(w.BOUND), json=body)
    assert problem(refused) == (409, "SecurityGroupInUse")
    assert Caller(cloud).http.put(group_path(w.FREE), json=body).status_code == 200


def test_a_port_of_another_project_on_the_own_network_is_refused(cloud):
    cloud.state.cloud("openstack").quirks["network_owners"] = {"net-1": w.OTHER_PROJECT}
    assert problem(put(olga(cloud), {"security_groups": []})) == (403, "PolicyNotAuthorized")


def test_a_port_of_a_router_is_refused_to_a_member(cloud):
    cloud.state.cloud("openstack").interface(w.PORT).owner = "network:router_interface"
    refused = put(Caller(cloud), {"security_groups": [w.FREE]})
    assert problem(refused) == (409, "DeviceIDNotOwnedByTenant")
    assert put(root(cloud), {"security_groups": [w.FREE]}).status_code == 200


# -- sharing --------------------------------------------------------------------------------------


def shared(caller, target=w.OTHER_PROJECT, group_id=w.FREE, **more):
    body = {
        "object_type": "security_group",
        "object_id": group_id,
        "action": "access_as_shared",
        "target_tenant": target,
        **more,
    }
    return caller.http.post(POLICIES, json={"rbac_policy": body})


def test_an_owner_shares_with_a_project_and_only_an_administrator_with_all(cloud):
    alice = Caller(cloud)
    assert shared(alice).status_code == 201
    assert problem(shared(alice)) == (409, "DuplicateRbacPolicy")
    assert problem(shared(alice, "*")) == (403, "PolicyNotAuthorized")
    assert shared(root(cloud), "*", project_id=w.PROJECT).status_code == 201
    assert len(ids(alice, POLICIES, object_id=w.FREE)) == 2
    assert ids(olga(cloud), POLICIES, object_id=w.FREE) == set()
    assert w.FREE in ids(olga(cloud), GROUPS)


def test_a_policy_of_the_administrators_own_project_is_hidden_from_the_owner(cloud):
    assert shared(root(cloud)).status_code == 201
    assert ids(Caller(cloud), POLICIES, object_id=w.FREE) == set()
    assert w.FREE in ids(olga(cloud), GROUPS)


def test_a_policy_is_deleted_whoever_names_the_group(cloud):
    alice = Caller(cloud)
    policy_id = shared(alice).json()["rbac_policy"]["id"]
    post(olga(cloud), rule(w.FOREIGN, remote_group_id=w.FREE))
    assert alice.http.delete(f"{POLICIES}/{policy_id}").status_code == 204
    assert w.FREE not in ids(olga(cloud), GROUPS)
    assert problem(alice.http.delete(f"{POLICIES}/{policy_id}")) == (404, "RbacPolicyNotFound")


def test_what_does_not_exist_or_is_foreign_cannot_be_shared(cloud):
    assert problem(shared(Caller(cloud), group_id=w.MISSING)) == (400, "InvalidInput")
    group_of(cloud, w.FREE).shared_with = [w.OTHER_PROJECT]
    assert problem(shared(olga(cloud), "x")) == (400, "InvalidInput")


# -- a start --------------------------------------------------------------------------------------


def test_before_the_policy_is_loaded_lists_are_empty_and_groups_not_found():
    cloud = emulator(quirks={"policy_unloaded": 2})
    alice = Caller(cloud)
    assert alice.get(GROUPS).json() == {"security_groups": []}
    assert problem(alice.get(group_path(w.FREE))) == (404, "HTTPNotFound")
    assert alice.get(group_path(w.FREE)).status_code == 200
    assert problem(alice.get(group_path(w.MISSING))) == (404, "SecurityGroupNotFound")
