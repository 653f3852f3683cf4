"""OpenStack's traps: what it destroys silently, what it hides, and how it pages."""

from __future__ import annotations

import copy

import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.errors import (
    CloudError,
    ForbiddenError,
    InputError,
    InUseError,
    InvalidRequestError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)
from sgguard.model.change import Holder
from sgguard.model.resource import Direction, Rule, Visibility
from sgguard.render.language.sentence import in_english, whole_english
from tests.worlds import openstack as w

WORLD = w.WORLD


def emulator(**changes):
    scenario = w.WORLD.scenario_copy()
    scenario["clouds"][0].update(changes)
    return Emulator.load(scenario)


def connect(cloud, env=w.PASSWORD_ENV, **options):
    return WORLD.connect(cloud, env=env, **options)


def state(cloud):
    return cloud.state.cloud("openstack")


def add_rule(cloud, group_id, **rule):
    group = state(cloud).group(group_id)
    kind = type(state(cloud).group(w.APP).rules[0])
    group.rules.append(kind(**{"direction": "ingress", "id": f"rule-{group_id}", **rule}))


def add_port(cloud, **changes):
    port = copy.deepcopy(state(cloud).interface(w.PORT))
    for name, value in changes.items():
        setattr(port, name, value)
    state(cloud).interfaces.append(port)


def actions(cloud):
    return [request.action for request in cloud.requests]


# -- trap 1: a referenced group is deleted, and the references with it ----------------------------


def test_the_capabilities_say_that_references_vanish_silently():
    assert connect(emulator()).capabilities.on_delete_referenced == "cascades"


def test_a_delete_of_a_referenced_group_destroys_what_the_references_named():
    cloud = emulator()
    provider = connect(cloud)
    assert len(provider.list_references([w.WEB]).value[w.WEB]) == 2
    provider.delete_group(w.WEB)
    assert provider.list_references([w.WEB]).value[w.WEB] == ()
    assert state(cloud).group(w.OUT).rules == []


def test_a_reference_carries_names_and_the_rule():
    first, second = connect(emulator()).list_references([w.WEB]).value[w.WEB]
    by_name = {r.group_name: r for r in (first, second)}
    assert by_name["app"].rule.ports == "5432"
    assert by_name["out"].rule.direction is Direction.EGRESS
    assert {r.project for r in (first, second)} == {w.PROJECT}


# -- trap 3: other projects are invisible --------------------------------------------------------


def test_a_confined_token_says_how_far_it_sees():
    cloud = emulator()
    seen = [connect(cloud, env).visibility for env in (w.PASSWORD_ENV, w.READER_ENV, w.ADMIN_ENV)]
    assert seen == [Visibility.PROJECT, Visibility.PROJECT, Visibility.CLOUD]


def share(cloud, *projects, group_id=w.FREE):
    state(cloud).group(group_id).shared_with = list(projects)


@pytest.mark.parametrize("projects", [(w.OTHER_PROJECT,), ("*",)], ids=["one project", "everybody"])
@pytest.mark.parametrize("env", [w.PASSWORD_ENV, w.READER_ENV], ids=["member", "reader"])
def test_a_sign_of_sharing_is_unseen_for_a_confined_token(env, projects):
    cloud = emulator()
    share(cloud, *projects)
    add_rule(cloud, w.FOREIGN, peer_group=w.FREE)
    seen = connect(cloud, env).list_references([w.FREE, w.WEB])
    (unseen,) = seen.unseen
    assert (unseen.code, unseen.group_id) == ("other-project", w.FREE)
    assert "role admin" in in_english(unseen.remedy)


def test_an_admins_token_sees_the_foreign_reference_and_needs_no_sign():
    cloud = emulator()
    share(cloud, w.OTHER_PROJECT)
    add_rule(cloud, w.FOREIGN, peer_group=w.FREE)
    seen = connect(cloud, w.ADMIN_ENV).list_references([w.FREE])
    assert [(r.group_id, r.project) for r in seen.value[w.FREE]] == [(w.FOREIGN, w.OTHER_PROJECT)]
    assert seen.unseen == ()
    assert "GET /v2.0/rbac-policies" not in actions(cloud)


def test_an_admins_token_sees_the_foreign_port():
    cloud = emulator()
    add_port(cloud, id=w.PORT_FOREIGN, project=w.OTHER_PROJECT, instance=w.FOREIGN_SERVER)
    mine = connect(cloud).list_bindings([w.BOUND]).value[w.BOUND]
    everything = connect(cloud, w.ADMIN_ENV).list_bindings([w.BOUND]).value[w.BOUND]
    assert {b.holder_id for b in everything} - {b.holder_id for b in mine} == {w.PORT_FOREIGN}


def test_sharing_with_everybody_by_an_administrator_shows_on_the_group():
    cloud = emulator(quirks={"shared_by_admin": [w.FREE]})
    share(cloud, "*")
    assert [u.code for u in connect(cloud).list_references([w.FREE]).unseen] == ["other-project"]


def test_a_group_of_another_project_is_never_fully_seen():
    cloud = emulator()
    share(cloud, w.OTHER_PROJECT)
    seen = connect(cloud, w.OTHER_ENV).list_references([w.FREE])
    assert [u.code for u in seen.unseen] == ["other-project"]
    assert connect(cloud, w.OTHER_ENV).read_groups([w.FREE]).value[w.FREE].is_shared


@pytest.mark.parametrize(
    ("env", "is_foreign"),
    [(w.OTHER_ENV, True), (w.PASSWORD_ENV, False), (w.ADMIN_ENV, False)],
    ids=["another project", "the owner", "an administrator"],
)
def test_a_shared_group_is_foreign_to_callers_that_may_not_change_it(env, is_foreign):
    cloud = emulator()
    share(cloud, w.OTHER_PROJECT)
    provider = connect(cloud, env)
    assert provider.read_groups([w.FREE]).value[w.FREE].is_foreign is is_foreign
    if is_foreign:
        with pytest.raises(ForbiddenError) as caught:
            provider.delete_group(w.FREE)
        assert caught.value.code == provider.capabilities.foreign_refused_with


def test_no_sign_of_sharing_leaves_nothing_unseen():
    seen = connect(emulator()).list_references([w.FREE])
    assert (seen.value, seen.unseen) == ({w.FREE: ()}, ())


def test_a_cloud_without_policies_shares_nothing():
    assert connect(emulator(quirks={"rbac_absent": True})).list_references([w.FREE]).unseen == ()


def test_policies_that_may_not_be_read_are_unseen():
    cloud = emulator(quirks={"denied_refused": True})
    state(cloud).accounts[0].denied = ["GET /v2.0/rbac-policies"]
    seen = connect(cloud).list_references([w.WEB])
    assert len(seen.value[w.WEB]) == 2
    (unseen,) = seen.unseen
    assert unseen.code == "no-permission"
    assert "shared" in in_english(unseen.what)


# -- trap 4: Nova's view -------------------------------------------------------------------------


def test_a_server_with_two_ports_is_in_each_group_once():
    cloud = emulator()
    instance = connect(cloud).read_instance(w.OTHER_SERVER).value
    assert instance.group_ids == (w.BOUND, w.DEFAULT)
    assert {(i.interface_id, i.group_ids) for i in instance.interfaces} == {
        (w.PORT_OTHER_FIRST, (w.DEFAULT,)),
        (w.PORT_SECOND, (w.BOUND,)),
    }
    assert (instance.name, instance.state, instance.project) == ("web-2", "ACTIVE", w.PROJECT)


def test_a_group_on_two_ports_of_a_server_is_one_instance():
    cloud = emulator()
    state(cloud).interface(w.PORT_OTHER_FIRST).groups = [w.BOUND]
    assert connect(cloud).count_instances([w.BOUND]).value == {w.BOUND: 2}


def test_a_server_without_ports_is_in_no_group_and_refuses_one():
    instance = connect(emulator()).read_instance(w.BARE_SERVER).value
    assert (instance.group_ids, instance.interfaces) == ((), ())
    assert "no port" in whole_english(instance.binding_refusal)


def test_a_server_with_port_security_switched_off_refuses_a_group():
    cloud = emulator(quirks={"unprotected_ports": [w.PORT]})
    assert w.PORT in whole_english(connect(cloud).read_instance(w.SERVER).value.binding_refusal)


def test_a_nova_without_the_group_view_is_unseen_and_no_missing_server():
    cloud = emulator()
    body = '{"itemNotFound": {"code": 404, "message": "The resource could not be found."}}'
    action = "GET /v2.1/servers/{id}/os-security-groups"
    cloud.faults.append(Fault("garbage", action=action, status=404, body=body))
    seen = connect(cloud).read_instance(w.SERVER)
    assert seen.value.group_ids == (w.BOUND,)
    assert [u.code for u in seen.unseen] == ["unknown-shape"]


def test_a_server_of_another_project_is_none():
    cloud = emulator()
    assert connect(cloud).read_instance(w.FOREIGN_SERVER).value is None
    assert connect(cloud, w.ADMIN_ENV).read_instance(w.FOREIGN_SERVER).value is not None


@pytest.mark.parametrize("action", ["GET /v2.1/servers/{id}", "GET /v2.1/servers/*/os-*"])
def test_what_nova_does_not_let_read_is_unseen_beside_the_ports(action):
    cloud = emulator()
    state(cloud).accounts[0].denied = [action]
    seen = connect(cloud).read_instance(w.SERVER)
    assert w.BOUND in seen.value.group_ids
    assert [u.code for u in seen.unseen] == ["no-permission"]


def test_ports_that_may_not_be_read_leave_novas_word_for_the_groups():
    cloud = emulator()
    state(cloud).accounts[0].denied = ["GET /v2.0/ports"]
    seen = connect(cloud).read_instance(w.SERVER)
    assert seen.value.group_ids == (w.BOUND,)
    assert [u.code for u in seen.unseen] == ["no-permission"]


def test_an_instance_id_that_is_none_is_not_sent():
    cloud = emulator()
    assert connect(cloud).read_instance("../servers").value is None
    assert not cloud.requests


# -- traps 5 and 6: paging -----------------------------------------------------------------------


@pytest.mark.parametrize("page_max", [1, 2, 3, 7])
@pytest.mark.sampled(3)
def test_a_servers_own_page_size_changes_no_fact(page_max):
    ids = [w.WEB, w.APP, w.BOUND, w.FREE, w.DEFAULT]

    def facts(cloud):
        provider = connect(cloud)
        return [
            getattr(provider, read)(ids)
            for read in ("read_groups", "list_references", "list_bindings", "count_instances")
        ]

    assert facts(emulator(quirks={"page_max": page_max})) == facts(emulator())


def test_a_page_of_garbage_in_the_middle_is_not_the_end_of_the_list():
    cloud = emulator(quirks={"page_max": 1})
    garbage = Fault("garbage", action="GET /v2.0/security-group-rules", skip=1, count=10)
    cloud.faults.append(garbage)
    seen = connect(cloud).list_references([w.WEB])
    assert seen.value == {}
    assert [u.code for u in seen.unseen] == ["unknown-shape"]


def test_many_ids_go_out_in_calls_of_bearable_length():
    cloud = emulator()
    ids = [f"00000000-0000-4000-8000-{n:012x}" for n in range(120)]
    seen = connect(cloud).read_groups([*ids, w.FREE])
    assert sum(group is not None for group in seen.value.values()) == 1
    assert len(seen.value) == 121
    lists = [r for r in cloud.requests if r.action == "GET /v2.0/security-groups"]
    assert len(lists) == 3
    assert max(len(r.query) for r in lists) < 4000


# -- older clouds --------------------------------------------------------------------------------


def test_a_cloud_that_ignores_filters_gives_the_same_facts():
    ignored = ["security_groups", "remote_group_id", "id", "device_id", "object_id"]
    old = emulator(quirks={"ignored_filters": ignored})
    share(old, w.OTHER_PROJECT, group_id=w.APP)
    new = emulator()
    share(new, w.OTHER_PROJECT, group_id=w.APP)
    ids = [w.WEB, w.BOUND]
    for read in ("read_groups", "list_references", "list_bindings", "count_instances"):
        assert getattr(connect(old), read)(ids) == getattr(connect(new), read)(ids), read
    assert connect(old).read_instance(w.SERVER) == connect(new).read_instance(w.SERVER)


def test_a_cloud_that_cannot_filter_ports_by_group_is_read_whole():
    cloud = emulator(quirks={"refused_filters": ["security_groups"]})
    assert connect(cloud).list_bindings([w.BOUND]) == connect(emulator()).list_bindings([w.BOUND])


# -- bindings ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("owner", "kind"),
    [
        ("network:dhcp", "dhcp"),
        ("network:router_interface", "router"),
        ("neutron:LOADBALANCERV2", "load-balancer"),
        ("", "port"),
    ],
)
def test_a_holder_that_is_no_server_is_named_with_its_owner(owner, kind):
    cloud = emulator()
    add_port(cloud, id=w.PORT_DHCP, instance="", owner=owner, groups=[w.FREE])
    provider = connect(cloud)
    (binding,) = provider.list_bindings([w.FREE]).value[w.FREE]
    assert (binding.kind, binding.owner, binding.instance_id) == (kind, owner, "")
    assert provider.count_instances([w.FREE]).value == {w.FREE: 0}


# -- limits --------------------------------------------------------------------------------------


def limits_of(cloud):
    return {limit.name: limit for limit in connect(cloud).read_limits().value}


def test_quotas_are_live_and_groups_per_port_have_no_ceiling():
    limits = limits_of(emulator())
    groups = limits["groups-per-project"]
    assert (groups.ceiling, groups.used, groups.source) == (10, 7, "live")
    assert (limits["rules-per-project"].ceiling, limits["rules-per-project"].used) == (100, 4)
    assert limits["groups-per-interface"].ceiling is None


def test_a_quota_of_minus_one_is_no_ceiling():
    limits = limits_of(emulator(limits={"groups-per-project": -1}))
    assert limits["groups-per-project"].ceiling is None


def test_an_older_cloud_tells_quotas_without_usage():
    groups = limits_of(emulator(quirks={"quota_details_absent": True}))["groups-per-project"]
    assert (groups.ceiling, groups.used) == (10, None)


def test_quotas_that_may_not_be_read_are_unseen():
    cloud = emulator()
    state(cloud).accounts[0].denied = ["GET /v2.0/quotas/*"]
    seen = connect(cloud).read_limits()
    assert [u.code for u in seen.unseen] == ["no-permission"]
    assert [limit.name for limit in seen.value] == ["groups-per-interface"]


# -- credentials, regions, addresses -------------------------------------------------------------


@pytest.mark.parametrize(
    "env",
    [w.PASSWORD_ENV, w.READER_ENV, w.CREDENTIAL_ENV],
    ids=["password", "reader", "application credential"],
)
def test_every_kind_of_credentials_that_may_read_can_judge(env):
    provider = connect(emulator(), env)
    assert len(provider.list_references([w.WEB]).value[w.WEB]) == 2
    assert provider.read_limits().unseen == ()


def test_a_token_is_exchanged_and_used():
    cloud = emulator()
    token = connect(cloud).api.token().id
    env = {"OS_AUTH_URL": w.AUTH_URL, "OS_TOKEN": token, "OS_PROJECT_ID": w.PROJECT}
    assert connect(cloud, env).read_groups([w.FREE]).value[w.FREE] is not None


def test_a_call_outside_the_access_rules_is_a_missing_permission():
    cloud = emulator(quirks={"access_rules": ["GET /v2.0/security-groups*"]})
    provider = connect(cloud, w.CREDENTIAL_ENV)
    assert provider.read_groups([w.FREE]).unseen == ()
    seen = provider.list_bindings([w.FREE])
    assert seen.value == {}
    assert [u.code for u in seen.unseen] == ["no-permission"]
    assert "access rules" in whole_english(seen.unseen[0].why)


def test_a_token_the_cloud_forgot_is_replaced_without_anyone_noticing():
    cloud = emulator()
    provider = connect(cloud)
    provider.read_groups([w.FREE])
    state(cloud).tokens.clear()
    assert provider.read_groups([w.FREE]).value[w.FREE] is not None
    assert actions(cloud).count("POST /v3/auth/tokens") == 2


def test_a_user_who_was_removed_meanwhile_is_refused():
    cloud = emulator()
    provider = connect(cloud)
    provider.read_groups([w.FREE])
    state(cloud).tokens.clear()
    state(cloud).accounts[0].password = "changed"
    with pytest.raises(UnauthenticatedError) as caught:
        provider.read_groups([w.FREE])
    assert (caught.value.code, caught.value.status) == ("Unauthorized", 401)


def test_an_unknown_region_is_one_line_with_those_there_are():
    with pytest.raises(InvalidRequestError, match=r"'Nowhere'.*RegionOne, RegionTwo"):
        connect(emulator(), region="Nowhere").read_groups([w.FREE])


def test_a_region_has_its_own_groups():
    cloud = emulator()
    state(cloud).group(w.FREE).region = "RegionTwo"
    assert connect(cloud).read_groups([w.FREE]).value[w.FREE] is None
    assert connect(cloud, region="RegionTwo").read_groups([w.FREE]).value[w.FREE] is not None


def test_an_endpoint_setting_moves_every_call_to_one_address():
    hosts = []

    def noting(request):
        hosts.append((request.url.scheme, request.url.netloc.decode()))
        request.headers["host"] = "inside:9696"  # what the cloud believes its address is
        return real(request)

    cloud = emulator()
    env = w.PASSWORD_ENV | {"SGGUARD_ENDPOINT_OPENSTACK": "http://127.0.0.1:8099"}
    provider = connect(cloud, env)
    transport = provider.api.wire.transport
    real = transport.emulator.handle
    transport.emulator = type("Noting", (), {"handle": staticmethod(noting)})()
    provider.read_groups([w.FREE])
    provider.read_instance(w.SERVER)
    assert set(hosts) == {("http", "127.0.0.1:8099")}
    assert len(hosts) == 5


# -- errors --------------------------------------------------------------------------------------


def test_the_rules_of_a_group_that_does_not_exist_are_an_error():
    with pytest.raises(NotFoundError) as caught:
        connect(emulator()).list_rules(w.MISSING)
    assert caught.value.code == "SecurityGroupNotFound"


def test_a_refused_delete_says_why_in_neutrons_code():
    with pytest.raises(InUseError) as caught:
        connect(emulator()).delete_group(w.BOUND)
    assert (caught.value.code, caught.value.status) == ("SecurityGroupInUse", 409)
    assert caught.value.request_id


@pytest.mark.parametrize(
    ("env", "group_id", "kind", "code"),
    [
        (w.READER_ENV, w.FREE, ForbiddenError, "PolicyNotAuthorized"),
        (w.PASSWORD_ENV, w.MISSING, NotFoundError, "SecurityGroupNotFound"),
        (w.PASSWORD_ENV, w.DEFAULT, CloudError, "SecurityGroupCannotRemoveDefault"),
    ],
    ids=["reader", "missing", "default"],
)
def test_other_refusals_of_a_delete_have_their_own_class(env, group_id, kind, code):
    with pytest.raises(kind) as caught:
        connect(emulator(interfaces=[]), env).delete_group(group_id)
    assert caught.value.code == code


def test_a_forced_delete_does_not_exist():
    cloud = emulator()
    with pytest.raises(InputError):
        connect(cloud).delete_group(w.BOUND, is_forced=True)
    assert not cloud.requests


@pytest.mark.parametrize(
    "ask",
    [
        lambda provider: provider.list_rules("../ports"),
        lambda provider: provider.delete_group("web"),
        lambda provider: provider.read_holder(Holder("port", "x/../y")),
        lambda provider: provider.read_holder(Holder("instance", "x/../y")),
        lambda provider: provider.set_groups(
            Holder("port", w.PORT), (w.BOUND,), ("x/../y",), token="t"
        ),
        lambda provider: provider.remove_rule("../ports", Rule("r", Direction.INGRESS), token="t"),
        lambda provider: provider.add_rule("../ports", Rule("r", Direction.INGRESS), token="t"),
    ],
    ids=["rules", "delete", "port", "server", "group", "remove", "add"],
)
def test_an_id_that_is_none_never_goes_into_an_address(ask):
    cloud = emulator()
    with pytest.raises(InputError):
        ask(connect(cloud))
    assert not [a for a in actions(cloud) if not a.startswith("POST /v3")]


def test_a_change_is_never_sent_twice():
    cloud = emulator()
    provider = connect(cloud)
    provider.read_groups([w.FREE])
    cloud.faults.append(Fault("error", action="DELETE *", count=5))
    with pytest.raises(UnavailableError):
        provider.delete_group(w.FREE)
    assert [a for a in actions(cloud) if a.startswith("DELETE")] == [
        "DELETE /v2.0/security-groups/{id}"
    ]


# -- round trips ---------------------------------------------------------------------------------


def test_with_a_cached_token_lists_that_show_something_take_a_canary_and_one_wave():
    cloud = emulator()
    provider = connect(cloud)
    provider.read_groups([w.FREE])
    before = len(cloud.requests)
    provider.read_groups([w.WEB, w.BOUND])
    provider.list_references([w.WEB, w.BOUND])
    provider.list_bindings([w.WEB, w.BOUND])
    assert sorted(actions(cloud)[before:]) == [
        "GET /v2.0/ports",
        "GET /v2.0/ports",
        "GET /v2.0/rbac-policies",
        "GET /v2.0/security-group-rules",
        "GET /v2.0/security-group-rules",
        "GET /v2.0/security-groups",
        "GET /v2.0/security-groups",
        "GET /v2.0/security-groups",  # the names of the groups that have the rules
    ]


def test_an_empty_list_costs_one_row_before_it():
    cloud = emulator()
    add_rule(cloud, w.FREE, id="own-rule")
    provider = connect(cloud)
    provider.read_groups([w.FREE])
    cloud.requests.clear()
    provider.list_references([w.FREE])
    provider.list_bindings([w.FREE])
    lists = [r for r in cloud.requests if r.action.endswith(("ports", "security-group-rules"))]
    assert len(lists) == 4
    for kind in ("ports", "security-group-rules"):
        of_kind = [r.query for r in lists if r.action.endswith(kind)]
        assert ["limit=1" in query for query in of_kind] == [True, False]
