"""The emulated OpenStack does on the wire what the real one does, the unpleasant parts included."""

from __future__ import annotations

import copy
import json

import httpx
import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.emulator.transport import EmulatorTransport
from tests.worlds import openstack as w

BASE = "http://cloud.example"
GROUPS = "/networking/v2.0/security-groups"
RULES = "/networking/v2.0/security-group-rules"
PORTS = "/networking/v2.0/ports"


def emulator(**changes):
    scenario = w.WORLD.scenario_copy()
    scenario["clouds"][0].update(changes)
    return Emulator.load(scenario, now=lambda: 1_795_000_000.0)


def group_of(cloud, group_id):
    return cloud.state.cloud("openstack").group(group_id)


class Caller:
    """One user with a token, asking plainly."""

    def __init__(self, cloud, user="alice", password="correct horse", project="shop"):
        self.cloud = cloud
        self.http = httpx.Client(transport=EmulatorTransport(cloud), base_url=BASE)
        domain = {"name": "Default"}
        self.response = self.auth(
            {
                "identity": {
                    "methods": ["password"],
                    "password": {"user": {"name": user, "domain": domain, "password": password}},
                },
                "scope": {"project": {"name": project, "domain": domain}},
            }
        )
        self.http.headers["x-auth-token"] = self.response.headers.get("x-subject-token", "none")

    def auth(self, body):
        return self.http.post("/identity/v3/auth/tokens", json={"auth": body})

    def get(self, path, **params):
        return self.http.get(path, params=params)

    def rows(self, path, params=()):
        response = self.http.get(path, params=list(params))
        assert response.status_code == 200, response.text
        return next(v for k, v in response.json().items() if not k.endswith("_links"))

    def ids(self, path, params=()):
        return {row["id"] for row in self.rows(path, params)}


@pytest.fixture
def alice():
    return Caller(emulator())


def root(cloud):
    return Caller(cloud, "root", "battery staple", "admin")


def rita(cloud):
    return Caller(cloud, "rita", "only looking")


def olga(cloud):
    return Caller(cloud, "olga", "another shop", "other")


def problem(response):
    return response.status_code, response.json()["NeutronError"]["type"]


# -- Keystone ------------------------------------------------------------------------------------


def test_a_password_buys_a_token_with_project_roles_and_catalog(alice):
    assert alice.response.status_code == 201
    token = alice.response.json()["token"]
    assert (token["project"]["id"], token["project"]["name"]) == (w.PROJECT, "shop")
    assert [role["name"] for role in token["roles"]] == ["member", "reader"]
    assert {service["type"] for service in token["catalog"]} == {"identity", "network", "compute"}
    urls = [e["url"] for s in token["catalog"] for e in s["endpoints"]]
    assert all(url.startswith(BASE) for url in urls)
    assert token["expires_at"] == "2026-11-18T12:06:40.000000Z"


@pytest.mark.parametrize(
    ("user", "password", "project"),
    [("alice", "wrong", "shop"), ("nobody", "x", "shop"), ("alice", "correct horse", "other")],
    ids=["wrong password", "unknown user", "project without a role"],
)
def test_a_refusal_of_keystone_never_says_which_part_was_wrong(user, password, project):
    refused = Caller(emulator(), user, password, project).response
    assert refused.status_code == 401
    assert refused.json() == {
        "error": {
            "code": 401,
            "message": "The request you have made requires authentication.",
            "title": "Unauthorized",
        }
    }
    assert refused.headers["www-authenticate"].startswith("Keystone uri=")


def credential(secret="app credential secret", **more):
    proof = {"id": "21dced0fd20347869b93710d2b98aae0", "secret": secret}
    return {
        "identity": {"methods": ["application_credential"], "application_credential": proof}
    } | more


def test_an_application_credential_buys_a_token_but_no_other_scope(alice):
    assert alice.auth(credential()).status_code == 201
    assert alice.auth(credential("wrong")).status_code == 401
    refused = alice.auth(credential(scope={"project": {"id": w.PROJECT}}))
    assert refused.status_code == 401
    assert "cannot request a scope" in refused.json()["error"]["message"]


def test_a_token_is_exchanged_for_another(alice):
    body = {"identity": {"methods": ["token"], "token": {"id": alice.http.headers["x-auth-token"]}}}
    again = alice.auth(body)
    assert again.status_code == 201
    assert again.json()["token"]["project"]["id"] == w.PROJECT


@pytest.mark.parametrize("body", [{}, {"identity": {}}, {"identity": {"methods": []}}], ids=repr)
def test_a_malformed_token_request_is_400(alice, body):
    assert alice.auth(body).status_code == 400


@pytest.mark.parametrize("path", [GROUPS, PORTS, f"/compute/v2.1/servers/{w.SERVER}"])
def test_a_call_without_a_good_token_is_401_in_keystones_shape(alice, path):
    for token in ("", "gAAAAAmadeup"):
        response = alice.http.get(path, headers={"x-auth-token": token})
        assert response.status_code == 401
        assert response.json()["error"]["title"] == "Unauthorized"


def test_an_expired_token_is_401():
    cloud = emulator(quirks={"token_life_s": 10})
    alice = Caller(cloud)
    assert alice.get(GROUPS).status_code == 200
    cloud.now = lambda: 1_795_000_011.0
    assert alice.get(GROUPS).status_code == 401


def test_access_rules_answer_401_where_a_role_would_answer_403():
    cloud = emulator(quirks={"access_rules": ["GET /v2.0/ports"]})
    alice = Caller(cloud)
    token = alice.auth(credential()).headers["x-subject-token"]
    assert alice.http.get(PORTS, headers={"x-auth-token": token}).status_code == 200
    assert alice.http.get(GROUPS, headers={"x-auth-token": token}).status_code == 401
    assert alice.get(GROUPS).status_code == 200


# -- what a project sees -------------------------------------------------------------------------


def with_foreign_rule_and_port(cloud):
    state = cloud.state.cloud("openstack")
    kind = type(state.group(w.APP).rules[0])
    foreign = kind(direction="ingress", id="foreign-rule", peer_group=w.FREE)
    state.group(w.FOREIGN).rules.append(foreign)
    port = copy.copy(state.interface(w.PORT))
    port.id, port.instance, port.project = w.PORT_FOREIGN, w.FOREIGN_SERVER, w.OTHER_PROJECT
    port.groups = [w.WEB]
    state.interfaces.append(port)
    return cloud


def test_a_member_sees_neither_rules_nor_ports_of_other_projects_and_an_admin_all():
    cloud = with_foreign_rule_and_port(emulator())
    by_rule, by_port = [("remote_group_id", w.FREE)], [("security_groups", w.WEB)]
    for caller in (Caller(cloud), rita(cloud)):
        assert caller.ids(RULES, by_rule) == set()
        assert caller.ids(PORTS, by_port) == set()
    assert root(cloud).ids(RULES, by_rule) == {"foreign-rule"}
    assert root(cloud).ids(PORTS, by_port) == {w.PORT_FOREIGN}


def test_the_owner_of_a_network_sees_the_ports_of_others_on_it():
    cloud = with_foreign_rule_and_port(emulator(quirks={"network_owners": {"net-1": w.PROJECT}}))
    assert Caller(cloud).ids(PORTS, [("security_groups", w.WEB)]) == {w.PORT_FOREIGN}
    assert olga(cloud).ids(PORTS) == {w.PORT_FOREIGN}


def test_a_role_of_the_clouds_own_reads_every_project_and_changes_nothing():
    cloud = with_foreign_rule_and_port(emulator(quirks={"cloud_readers": ["auditor"]}))
    cloud.state.cloud("openstack").accounts[2].role = "auditor"
    auditor = rita(cloud)
    assert [r["name"] for r in auditor.response.json()["token"]["roles"]] == ["auditor"]
    assert auditor.ids(RULES, [("remote_group_id", w.FREE)]) == {"foreign-rule"}
    assert problem(auditor.http.delete(f"{GROUPS}/{w.FREE}")) == (403, "PolicyNotAuthorized")


@pytest.mark.parametrize("project", [w.PROJECT, "adadadadadadadadadadadadadadadad"])
def test_where_administrators_have_a_project_of_their_own_only_its_token_sees_all(project):
    cloud = with_foreign_rule_and_port(emulator(quirks={"admin_project": project}))
    admin = root(cloud)
    is_all = project != w.PROJECT
    assert admin.response.json()["token"]["is_admin_project"] is is_all
    assert bool(admin.ids(RULES, [("remote_group_id", w.FREE)])) is is_all


def test_deleting_takes_the_invisible_rule_of_another_project_along_without_a_word():
    cloud = with_foreign_rule_and_port(emulator())
    response = Caller(cloud).http.delete(f"{GROUPS}/{w.FREE}")
    assert (response.status_code, response.content) == (204, b"")
    assert group_of(cloud, w.FOREIGN).rules == []


def test_deleting_takes_referring_rules_of_both_directions_along():
    cloud = emulator()
    assert Caller(cloud).http.delete(f"{GROUPS}/{w.WEB}").status_code == 204
    assert [rule.peer_group for rule in group_of(cloud, w.APP).rules] == [""]
    assert group_of(cloud, w.OUT).rules == []


def test_an_invisible_port_still_refuses_the_delete():
    cloud = with_foreign_rule_and_port(emulator())
    refused = Caller(cloud).http.delete(f"{GROUPS}/{w.WEB}")
    assert problem(refused) == (409, "SecurityGroupInUse")
    assert refused.json()["NeutronError"]["message"] == f"Security Group {w.WEB} in use."


def test_a_shared_group_says_so_to_everybody_but_its_owner():
    cloud = emulator()
    group_of(cloud, w.FREE).shared_with = [w.OTHER_PROJECT]
    owner, other = Caller(cloud), olga(cloud)

    def shown(caller):
        return caller.get(f"{GROUPS}/{w.FREE}").json()["security_group"]["shared"]

    assert (shown(owner), shown(other)) == (False, True)
    group_of(cloud, w.FREE).shared_with = ["*"]
    assert (shown(owner), shown(other)) == (True, True)


def test_policies_are_shown_to_the_project_that_made_them():
    cloud = emulator(quirks={"shared_by_admin": [w.WEB]})
    for group_id in (w.FREE, w.WEB):
        group_of(cloud, group_id).shared_with = [w.OTHER_PROJECT]
    path = "/networking/v2.0/rbac-policies"

    def objects(caller):
        return {row["object_id"] for row in caller.rows(path, [("object_type", "security_group")])}

    assert objects(Caller(cloud)) == {w.FREE}
    assert objects(olga(cloud)) == set()
    assert objects(root(cloud)) == {w.FREE, w.WEB}


# -- deleting ------------------------------------------------------------------------------------

DELETES = {
    "bound": (Caller, w.BOUND, (409, "SecurityGroupInUse")),
    "bound default": (Caller, w.DEFAULT, (409, "SecurityGroupInUse")),
    "missing": (Caller, w.MISSING, (404, "SecurityGroupNotFound")),
    "no id": (Caller, "sg-x", (404, "SecurityGroupNotFound")),
    "of another project": (Caller, w.FOREIGN, (404, "SecurityGroupNotFound")),
    "by a reader": (rita, w.FREE, (403, "PolicyNotAuthorized")),
}


@pytest.mark.parametrize("case", DELETES, ids=str)
def test_a_delete_is_refused_with_the_documented_type(case):
    who, group_id, expected = DELETES[case]
    assert problem(who(emulator()).http.delete(f"{GROUPS}/{group_id}")) == expected


def test_an_unbound_default_group_is_kept_from_a_member_and_not_from_an_admin():
    cloud = emulator(interfaces=[])
    refused = Caller(cloud).http.delete(f"{GROUPS}/{w.DEFAULT}")
    assert problem(refused) == (409, "SecurityGroupCannotRemoveDefault")
    assert root(cloud).http.delete(f"{GROUPS}/{w.DEFAULT}").status_code == 204


def test_a_group_shared_to_us_is_not_ours_to_delete():
    cloud = emulator()
    group_of(cloud, w.FREE).shared_with = [w.OTHER_PROJECT]
    refused = olga(cloud).http.delete(f"{GROUPS}/{w.FREE}")
    assert problem(refused) == (403, "PolicyNotAuthorized")


@pytest.mark.parametrize(
    ("condition", "status"),
    [("revision_number=1", 204), ("revision_number=999", 412), ("abc", 204)],
)
def test_a_condition_that_does_not_parse_is_ignored_and_the_delete_happens(condition, status):
    response = Caller(emulator()).http.delete(f"{GROUPS}/{w.FREE}", headers={"if-match": condition})
    assert response.status_code == status


# -- listing -------------------------------------------------------------------------------------


def test_a_filter_given_twice_means_or(alice):
    wanted = [("id", w.WEB), ("id", w.APP), ("id", w.MISSING)]
    assert alice.ids(GROUPS, wanted) == {w.WEB, w.APP}
    assert alice.ids(PORTS, [("security_groups", w.BOUND)]) == {w.PORT, w.PORT_SECOND}


def test_an_unknown_filter_is_400_unless_the_cloud_is_old():
    refused = Caller(emulator()).get(GROUPS, nosuch="1")
    assert problem(refused) == (400, "HTTPBadRequest")
    assert "['nosuch'] is invalid attribute for filtering" in refused.text
    old = Caller(emulator(quirks={"ignores_unknown_filters": True}))
    assert len(old.ids(GROUPS, [("nosuch", "1")])) == 7


def test_a_filter_without_effect_answers_everything():
    old = Caller(emulator(quirks={"ignored_filters": ["security_groups"]}))
    assert len(old.ids(PORTS, [("security_groups", w.MISSING)])) == 3


def test_only_the_fields_asked_for_come_back(alice):
    assert alice.rows(GROUPS, [("id", w.WEB), ("fields", "id"), ("fields", "name")]) == [
        {"id": w.WEB, "name": "web"}
    ]


def test_without_limit_and_maximum_there_are_no_links(alice):
    assert list(alice.get(GROUPS).json()) == ["security_groups"]


@pytest.mark.parametrize("limit", ["-1", "abc"])
def test_a_limit_that_is_no_number_is_400(alice, limit):
    refused = alice.get(GROUPS, limit=limit)
    assert problem(refused) == (400, "BadRequest")
    assert "Bad limit request" in refused.text


def test_a_limit_of_zero_is_no_limit(alice):
    assert len(alice.rows(GROUPS, [("limit", "0")])) == 7


def test_a_page_that_exactly_fills_its_limit_is_followed_by_an_empty_one(alice):
    first = alice.get(GROUPS, limit="7").json()
    link, _ = first["security_groups_links"]
    assert link["rel"] == "next"
    second = alice.http.get(link["href"]).json()
    assert second["security_groups"] == []
    assert [link["rel"] for link in second["security_groups_links"]] == ["previous"]


@pytest.mark.parametrize("limit", [None, "100"])
def test_a_servers_maximum_pages_whether_or_not_a_limit_was_sent(limit):
    alice = Caller(emulator(quirks={"page_max": 2}))
    params = {"fields": "id"} | ({"limit": limit} if limit else {})
    page = alice.get(GROUPS, **params).json()
    assert len(page["security_groups"]) == 2
    link, _ = page["security_groups_links"]
    query = httpx.URL(link["href"]).params
    assert query["marker"] == page["security_groups"][-1]["id"]
    assert query["fields"] == "id"
    assert query.get("limit") == limit


def test_a_marker_that_is_gone_starts_again_at_page_one_with_200(alice):
    plain = alice.get(GROUPS, limit="2")
    lost = alice.get(GROUPS, limit="2", marker=w.MISSING)
    assert lost.status_code == 200
    assert lost.json()["security_groups"] == plain.json()["security_groups"]


def test_a_copy_refuses_a_marker_that_is_gone():
    alice = Caller(emulator(quirks={"stale_marker_refused": True}))
    assert problem(alice.get(GROUPS, limit="2", marker=w.MISSING)) == (400, "HTTPBadRequest")
    assert alice.get(GROUPS, limit="2", marker=w.FREE).status_code == 200


# -- quotas, rows, regions -----------------------------------------------------------------------


def test_quotas_come_plain_and_with_their_usage(alice):
    path = f"/networking/v2.0/quotas/{w.PROJECT}"
    assert alice.get(path).json()["quota"]["security_group"] == 10
    details = alice.get(f"{path}/details.json").json()["quota"]
    assert details["security_group"] == {"limit": 10, "used": 7, "reserved": 0}
    assert details["security_group_rule"] == {"limit": 100, "used": 4, "reserved": 0}
    assert alice.get("/networking/v2.0/quotas/someone-else").status_code == 403


def test_one_rule_and_one_port_are_shown_or_not_found(alice):
    rule_id = group_of(alice.cloud, w.APP).rules[0].id
    rule = alice.get(f"{RULES}/{rule_id}").json()["security_group_rule"]
    assert (rule["remote_group_id"], rule["port_range_min"]) == (w.WEB, 5432)
    assert alice.get(f"{PORTS}/{w.PORT}").json()["port"]["device_owner"] == "compute:nova"
    assert problem(alice.get(f"{RULES}/x")) == (404, "SecurityGroupRuleNotFound")
    assert problem(alice.get(f"{PORTS}/x")) == (404, "PortNotFound")


def test_another_region_is_another_address_with_its_own_groups():
    cloud = emulator()
    group_of(cloud, w.FREE).region = "RegionTwo"
    alice = Caller(cloud)
    network = next(s for s in alice.response.json()["token"]["catalog"] if s["type"] == "network")
    urls = {e["region_id"]: e["url"] for e in network["endpoints"]}
    assert alice.ids(f"{urls['RegionTwo']}/v2.0/security-groups") == {w.FREE}
    assert w.FREE not in alice.ids(f"{urls['RegionOne']}/v2.0/security-groups")


@pytest.mark.parametrize("path", ["/v2.0/security-groups", "/networking/v2.0/security-groups.json"])
def test_other_spellings_of_an_address_lead_to_the_same(alice, path):
    assert alice.ids(path) == alice.ids(GROUPS)


@pytest.mark.parametrize("path", ["/networking/v2.0/nosuch", f"{GROUPS}/{w.FREE}/more"])
def test_an_address_that_leads_nowhere_is_told_to_be_not_emulated(alice, path):
    assert problem(alice.get(path)) == (501, "NotImplemented")


def test_discovery_needs_no_token(alice):
    for path in ("/", "/identity", "/identity/v3", "/networking", "/compute", "/compute/v2.1"):
        assert alice.http.get(path, headers={"x-auth-token": ""}).status_code in (200, 300)


# -- Nova ----------------------------------------------------------------------------------------


def server_groups(caller, server_id=w.OTHER_SERVER, prefix="/compute/v2.1"):
    response = caller.get(f"{prefix}/servers/{server_id}/os-security-groups")
    assert response.status_code == 200, response.text
    return response.json()["security_groups"]


def bind(cloud, port_id, *group_ids):
    cloud.state.cloud("openstack").interface(port_id).groups = list(group_ids)


def test_nova_lists_a_group_once_per_interface_sorted_by_name(alice):
    bind(alice.cloud, w.PORT_OTHER_FIRST, w.BOUND, w.APP)
    assert [g["name"] for g in server_groups(alice)] == ["app", "bound", "bound"]


def test_nova_drops_egress_and_names_peers_without_their_id(alice):
    bind(alice.cloud, w.PORT_OTHER_FIRST, w.APP)
    bind(alice.cloud, w.PORT_SECOND, w.OUT)
    app, out = server_groups(alice)
    (rule,) = app["rules"]
    assert rule["group"] == {"name": "web", "tenant_id": w.PROJECT}
    assert rule["ip_range"] == {}
    assert (rule["from_port"], rule["to_port"], rule["parent_group_id"]) == (5432, 5432, w.APP)
    assert out["rules"] == []


def test_nova_drops_rules_whose_peer_is_invisible(alice):
    group_of(alice.cloud, w.APP).rules[0].peer_group = w.FOREIGN
    bind(alice.cloud, w.PORT, w.APP)
    assert server_groups(alice, w.SERVER)[0]["rules"] == []


def test_nova_makes_up_a_network_and_ports(alice):
    kind = type(group_of(alice.cloud, w.APP).rules[0])
    group_of(alice.cloud, w.FREE).rules = [
        kind(direction="ingress", id="r1", protocol="tcp"),
        kind(direction="ingress", id="r2", protocol="icmpv6", ethertype="IPv6"),
        kind(direction="ingress", id="r3", protocol="any"),
    ]
    bind(alice.cloud, w.PORT, w.FREE)
    rules = server_groups(alice, w.SERVER)[0]["rules"]
    assert [r["ip_range"] for r in rules] == [{"cidr": "0.0.0.0/0"}] * 3
    assert [(r["ip_protocol"], r["from_port"], r["to_port"]) for r in rules] == [
        ("tcp", 1, 65535),
        ("ipv6-icmp", -1, -1),
        (None, None, None),
    ]


def test_a_server_without_ports_is_in_no_group_and_shows_no_key(alice):
    assert server_groups(alice, w.BARE_SERVER) == []
    server = alice.get(f"/compute/v2.1/servers/{w.BARE_SERVER}").json()["server"]
    assert "security_groups" not in server
    bound = alice.get(f"/compute/v2.1/servers/{w.OTHER_SERVER}").json()["server"]
    assert bound["security_groups"] == [{"name": "default"}, {"name": "bound"}]


def test_a_server_of_another_project_is_not_found(alice):
    for server_id in (w.FOREIGN_SERVER, w.MISSING):
        refused = alice.get(f"/compute/v2.1/servers/{server_id}/os-security-groups")
        assert refused.status_code == 404
        assert refused.json()["itemNotFound"]["message"].endswith("could not be found.")
    assert server_groups(root(alice.cloud), w.FOREIGN_SERVER) == []


def test_the_project_in_an_address_must_be_the_tokens(alice):
    assert server_groups(alice, prefix=f"/compute/v2.1/{w.PROJECT}")
    assert server_groups(alice, prefix=f"/v2/{w.PROJECT}")
    path = f"/v2.1/{w.OTHER_PROJECT}/servers/{w.SERVER}/os-security-groups"
    refused = alice.get(path)
    assert refused.status_code == 400
    assert "doesn't match Context's project_id" in refused.json()["badRequest"]["message"]


def act(caller, action, name, server_id=w.SERVER):
    return caller.http.post(
        f"/compute/v2.1/servers/{server_id}/action", json={action: {"name": name}}
    )


@pytest.mark.parametrize("name", ["free", w.FREE])
def test_a_group_is_added_to_every_port_and_taken_off_again(alice, name):
    state = alice.cloud.state.cloud("openstack")
    added = act(alice, "addSecurityGroup", name, w.OTHER_SERVER)
    assert (added.status_code, added.content) == (202, b"")
    assert all(w.FREE in port.groups for port in state.interfaces_of(w.OTHER_SERVER))
    assert act(alice, "removeSecurityGroup", name, w.OTHER_SERVER).status_code == 202
    assert not any(w.FREE in port.groups for port in state.interfaces_of(w.OTHER_SERVER))


def test_a_name_that_several_groups_have_is_refused(alice):
    group_of(alice.cloud, w.APP).name = "free"
    refused = act(alice, "addSecurityGroup", "free")
    assert refused.status_code == 409
    assert "use an ID to be more specific" in refused.json()["conflictingRequest"]["message"]


BINDS = {
    "unknown group": ("addSecurityGroup", w.MISSING, w.SERVER, 404, "itemNotFound"),
    "bound already": ("addSecurityGroup", w.BOUND, w.SERVER, 400, "badRequest"),
    "no port": ("addSecurityGroup", w.FREE, w.BARE_SERVER, 404, "itemNotFound"),
    "not bound": ("removeSecurityGroup", w.FREE, w.SERVER, 404, "itemNotFound"),
    "another action": ("reboot", w.FREE, w.SERVER, 501, "notImplemented"),
}


@pytest.mark.parametrize("case", BINDS, ids=str)
def test_a_bind_is_refused_in_novas_shape(alice, case):
    action, name, server_id, status, key = BINDS[case]
    refused = act(alice, action, name, server_id)
    assert (refused.status_code, list(refused.json())) == (status, [key])


def test_a_port_without_port_security_refuses_groups():
    alice = Caller(emulator(quirks={"unprotected_ports": [w.PORT]}))
    assert act(alice, "addSecurityGroup", w.FREE).status_code == 400


def test_a_reader_binds_nothing(alice):
    assert act(rita(alice.cloud), "addSecurityGroup", w.FREE).status_code == 403


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b'{"addSecurityGroup": null}'])
def test_a_malformed_action_is_400(alice, content):
    response = alice.http.post(f"/compute/v2.1/servers/{w.SERVER}/action", content=content)
    assert response.status_code == 400


# -- routing, log and trouble --------------------------------------------------------------------


def test_actions_are_logged_without_ids(alice):
    alice.get(f"{GROUPS}/{w.WEB}")
    alice.get(f"/networking/v2.0/quotas/{w.PROJECT}/details.json")
    server_groups(alice, prefix=f"/compute/v2.1/{w.PROJECT}")
    assert [request.action for request in alice.cloud.requests] == [
        "POST /v3/auth/tokens",
        "GET /v2.0/security-groups/{id}",
        "GET /v2.0/quotas/{id}/details",
        "GET /v2.1/servers/{id}/os-security-groups",
    ]
    assert {request.provider for request in alice.cloud.requests} == {"openstack"}


@pytest.mark.parametrize(
    ("path", "key"),
    [
        (GROUPS, "NeutronError"),
        (f"/compute/v2.1/servers/{w.SERVER}", "computeFault"),
        ("/identity/v3/auth/tokens", "error"),
    ],
)
def test_trouble_comes_in_the_shape_of_the_service(alice, path, key):
    alice.cloud.faults.append(Fault("error", count=1))
    response = alice.get(path)
    assert response.status_code == 500
    assert list(response.json()) == [key]
    alice.cloud.faults.append(Fault("throttle", count=1))
    assert alice.get(path).status_code == 429


def test_a_denied_list_is_empty_and_a_denied_resource_not_found():
    # Neutron's policy engine hides what it does not permit to be read; Nova refuses.
    cloud = emulator()
    cloud.state.cloud("openstack").accounts[0].denied = ["GET /v2.*"]
    alice = Caller(cloud)
    assert alice.get(GROUPS).json() == {"security_groups": []}
    assert problem(alice.get(f"{GROUPS}/{w.FREE}")) == (404, "HTTPNotFound")
    assert "forbidden" in alice.get(f"/compute/v2.1/servers/{w.SERVER}").json()


def test_a_denied_action_is_403_where_a_gateway_refuses_it():
    cloud = emulator(quirks={"denied_refused": True})
    cloud.state.cloud("openstack").accounts[0].denied = ["GET /v2.*"]
    alice = Caller(cloud)
    assert problem(alice.get(GROUPS)) == (403, "PolicyNotAuthorized")
    assert "forbidden" in alice.get(f"/compute/v2.1/servers/{w.SERVER}").json()


def test_a_path_of_no_service_is_not_claimed_without_a_token(alice):
    response = alice.http.get("/somewhere/else")
    assert (response.status_code, response.json()["error"]["title"]) == (501, "Not Implemented")
    del alice.http.headers["x-auth-token"]
    response = alice.http.get("/somewhere/else")
    assert response.status_code == 404
    assert alice.cloud.requests[-1].provider == ""


def test_nothing_in_the_state_is_a_token():
    cloud = emulator()
    Caller(cloud)
    assert "gAAAAA" not in json.dumps(cloud.state.dump())
