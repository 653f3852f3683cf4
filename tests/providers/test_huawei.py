import json

import httpx
import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.emulator.state import Interface
from sgguard.emulator.transport import EmulatorTransport
from sgguard.errors import (
    CredentialsError,
    ForbiddenError,
    InUseError,
    NotFoundError,
    SettingsError,
    ThrottledError,
    UnauthenticatedError,
)
from sgguard.model.change import Holder
from sgguard.model.resource import Direction
from sgguard.providers.access import Access
from sgguard.providers.huawei import connect
from sgguard.render.language.sentence import in_english, whole_english
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.retry import Retry
from tests.worlds import huawei as world
from tests.worlds.huawei import ENV, PASSWORD_ENV, PROJECT, WORLD

OTC = "eu-de"


def emulator_of(*, otc=False, **quirks):
    scenario = WORLD.scenario_copy()
    cloud = scenario["clouds"][0]
    cloud["quirks"] |= quirks
    if otc:
        cloud["quirks"]["otc"] = True
        cloud["regions"] = [OTC]
        cloud["accounts"][0]["project_names"] = {PROJECT: OTC}
        cloud["interfaces"] = [i for i in cloud["interfaces"] if i.get("kind") != "supplementary"]
    return Emulator.load(scenario)


def asked(emulator):
    return [request.action for request in emulator.requests]


# -- references -------------------------------------------------------------------------------


def test_references_of_many_groups_are_asked_with_one_wave_and_names_with_a_second():
    emulator = emulator_of()
    provider = WORLD.connect(emulator)
    seen = provider.list_references([world.REFERENCED, world.FREE, world.SELF_REFERENCING])
    *wave, names = asked(emulator)
    assert sorted(wave) == [
        "GET /v1/{project_id}/quotas",
        "GET /v3/{project_id}/vpc/security-group-rules",  # those that name them
        "GET /v3/{project_id}/vpc/security-group-rules",  # all, to be counted
    ]
    assert names == "GET /v3/{project_id}/vpc/security-groups"
    assert {r.group_name for r in seen.value[world.REFERENCED]} == {"web", "batch"}
    assert seen.value[world.FREE] == seen.value[world.SELF_REFERENCING] == ()


def test_without_references_there_is_no_second_wave():
    emulator = emulator_of()
    WORLD.connect(emulator).list_references([world.FREE])
    assert "GET /v3/{project_id}/vpc/security-groups" not in asked(emulator)
    assert len(emulator.requests) == 3


def test_a_rule_that_denies_is_a_reference():
    seen = WORLD.connect(emulator_of()).list_references([world.ON_DATABASE])
    (reference,) = seen.value[world.ON_DATABASE]
    assert (reference.group_id, reference.rule.action) == (world.DENIED_AND_DISABLED, "drop")


def test_a_rule_that_is_switched_off_is_a_reference():
    seen = WORLD.connect(emulator_of()).list_references([world.ON_SUPPLEMENTARY])
    (reference,) = seen.value[world.ON_SUPPLEMENTARY]
    assert not reference.rule.is_enabled


def test_more_ids_than_fit_one_address_are_asked_in_several_calls():
    emulator = emulator_of()
    ids = [f"00000000-0000-4000-8000-{n:012x}" for n in range(100)]
    seen = WORLD.connect(emulator).list_references([*ids, world.REFERENCED])
    assert len(seen.value[world.REFERENCED]) == 2
    assert set(seen.value) == {*ids, world.REFERENCED}
    assert max(len(request.query) for request in emulator.requests) < 4096


def test_vpc_v1_which_cannot_filter_by_peer_is_never_asked_for_rules():
    emulator = emulator_of(v3_absent=True)
    WORLD.connect(emulator).list_references([world.REFERENCED])
    assert not [action for action in asked(emulator) if "/v1/" in action and "rules" in action]


def test_rules_that_the_filter_did_not_ask_for_are_no_references():
    def every_rule(request):
        rows = [
            {
                "id": "r-1",
                "security_group_id": world.REFERRER_IN,
                "remote_group_id": world.BOUND,
                "direction": "ingress",
            }
        ]
        return httpx.Response(200, json={"security_group_rules": rows, "page_info": {}})

    seen = over(httpx.MockTransport(every_rule)).list_references([world.REFERENCED])
    assert seen.value == {world.REFERENCED: ()}


# -- bindings ---------------------------------------------------------------------------------


def test_a_product_that_carries_the_group_is_named():
    seen = WORLD.connect(emulator_of()).list_bindings([world.ON_DATABASE])
    (binding,) = seen.value[world.ON_DATABASE]
    assert (binding.kind, binding.holder_id, binding.name) == (
        "database",
        "rds-instance-1",
        "orders",
    )


def test_a_supplementary_interface_is_a_binding():
    seen = WORLD.connect(emulator_of()).list_bindings([world.ON_SUPPLEMENTARY, world.FREE])
    (binding,) = seen.value[world.ON_SUPPLEMENTARY]
    assert (binding.kind, binding.holder_id) == ("interface", world.SUPPLEMENTARY)
    assert binding.instance_id == world.OTHER_SERVER
    assert seen.value[world.FREE] == ()
    assert seen.unseen == ()


def test_a_port_that_is_administratively_down_still_carries_its_group():
    emulator = emulator_of(admin_down_ports=[world.PORT])
    seen = WORLD.connect(emulator).list_bindings([world.BOUND])
    assert world.PORT in {binding.holder_id for binding in seen.value[world.BOUND]}


@pytest.mark.parametrize(
    ("owner", "kind"),
    [
        ("network:dhcp", "dhcp"),
        ("network:router_interface_distributed", "router"),
        ("neutron:LOADBALANCERV3", "load-balancer"),
        ("network:nat_gateway", "nat-gateway"),
        ("network:endpoint_interface", "port"),
    ],
)
@pytest.mark.sampled(3)
def test_a_port_without_a_server_says_who_owns_it(owner, kind):
    emulator = emulator_of()
    emulator.state.clouds[0].interfaces.append(
        Interface(
            id="5f1c0000-0000-4000-8000-000000000001",
            groups=[world.FREE],
            owner=owner,
            region=WORLD.region,
            project=PROJECT,
            kind="",
        )
    )
    (binding,) = WORLD.connect(emulator).list_bindings([world.FREE]).value[world.FREE]
    assert (binding.kind, binding.owner, binding.instance_id) == (kind, owner, "")


def test_what_is_counted_is_interfaces_as_the_quota_counts_them():
    ids = [world.DEFAULT, world.ON_DATABASE, world.ON_SUPPLEMENTARY, world.FREE]
    counts = WORLD.connect(emulator_of()).count_instances(ids).value
    assert counts == dict(zip(ids, (2, 1, 1, 0), strict=True))


def test_supplementary_interfaces_that_cannot_be_listed_are_unseen():
    scenario = WORLD.scenario_copy()
    scenario["clouds"][0]["accounts"][0]["denied"] = ["*sub-network-interfaces"]
    seen = WORLD.connect(Emulator.load(scenario)).list_bindings([world.BOUND])
    assert [unseen.code for unseen in seen.unseen] == ["no-permission"]
    assert len(seen.value[world.BOUND]) == 2


def test_ports_that_cannot_be_listed_are_unseen():
    scenario = WORLD.scenario_copy()
    scenario["clouds"][0]["accounts"][0]["denied"] = ["GET /v3/{project_id}/ports"]
    seen = WORLD.connect(Emulator.load(scenario)).list_bindings([world.FREE])
    assert [unseen.code for unseen in seen.unseen] == ["no-permission"]


# -- a region without v3, and Open Telekom Cloud -----------------------------------------------


def test_a_gateway_that_does_not_know_v3_is_not_read_as_a_missing_group():
    emulator = emulator_of(v3_absent=True)
    groups = WORLD.connect(emulator).read_groups([world.FREE, WORLD.missing]).value
    assert groups[world.FREE].name == "sg-not-attached"
    assert groups[WORLD.missing] is None
    assert "GET /v2.0/security-groups/{id}" in asked(emulator)


def test_without_v3_references_and_ports_come_from_v2():
    emulator = emulator_of(v3_absent=True)
    provider = WORLD.connect(emulator)
    references = provider.list_references([world.REFERENCED, world.SELF_REFERENCING])
    assert {r.group_id for r in references.value[world.REFERENCED]} == {
        world.REFERRER_IN,
        world.REFERRER_OUT,
    }
    assert references.value[world.SELF_REFERENCING] == ()
    bindings = provider.list_bindings([world.BOUND])
    assert {b.instance_id for b in bindings.value[world.BOUND]} == {
        world.SERVER,
        world.OTHER_SERVER,
    }


def test_without_v3_supplementary_interfaces_are_unseen_not_absent():
    seen = WORLD.connect(emulator_of(v3_absent=True)).list_bindings([world.FREE])
    assert [(u.code, in_english(u.what)) for u in seen.unseen] == [
        ("api-absent", "supplementary network interfaces")
    ]


def test_without_v3_every_filter_value_is_its_own_call():
    emulator = emulator_of(v3_absent=True)
    WORLD.connect(emulator).list_references([world.REFERENCED, world.BOUND])
    queries = [r.query for r in emulator.requests if r.path == "/v2.0/security-group-rules"]
    counts = {query.count("remote_group_id=") for query in queries}
    assert counts == {0, 1}  # every rule, to be counted, and those that name one group


@pytest.mark.parametrize("page_max", [1, 2, None])
def test_v2_lists_are_read_to_their_end_with_and_without_links(page_max):
    quirks = {"page_max": page_max} if page_max else {}
    emulator = emulator_of(v3_absent=True, **quirks)
    if page_max is None:
        emulator.state.clouds[0].quirks.pop("page_max")
    rules = WORLD.connect(emulator).list_rules(world.DENIED_AND_DISABLED).value
    assert {rule.peer_group for rule in rules} == {world.ON_DATABASE, world.ON_SUPPLEMENTARY}


def test_a_v2_list_without_links_ends_only_with_an_empty_page():
    pages = {None: ["a", "b"], "b": ["c"], "c": []}
    markers = []

    def linkless(request):
        if request.url.path.startswith("/v3/"):
            body = {"error_code": "APIGW.0101", "error_msg": "no such API", "request_id": "r"}
            return httpx.Response(404, json=body)
        marker = request.url.params.get("marker")
        markers.append(marker)
        rows = [
            {
                "id": i,
                "security_group_id": world.BOUND,
                "remote_group_id": None,
                "direction": "egress",
            }
            for i in pages[marker]
        ]
        return httpx.Response(200, json={"security_group_rules": rows})

    rules = over(httpx.MockTransport(linkless)).list_rules(world.BOUND).value
    assert [rule.rule_id for rule in rules] == ["a", "b", "c"]
    assert markers == [None, "b", "c"]


def test_open_telekom_cloud_has_rules_in_v3_and_ports_in_v2_and_nothing_is_unseen():
    emulator = emulator_of(otc=True)
    provider = WORLD.connect(emulator, region=OTC)
    references = provider.list_references([world.REFERENCED])
    bindings = provider.list_bindings([world.BOUND])
    assert len(references.value[world.REFERENCED]) == 2
    assert {b.instance_id for b in bindings.value[world.BOUND]} == {
        world.SERVER,
        world.OTHER_SERVER,
    }
    assert (references.unseen, bindings.unseen) == ((), ())
    answered = {r.action for r in emulator.requests if r.status == 200}
    assert answered == {
        "GET /v1/{project_id}/quotas",
        "GET /v3/{project_id}/vpc/security-group-rules",
        "GET /v3/{project_id}/vpc/security-groups",
        "GET /v3/{project_id}/vpc/sub-network-interfaces",
        "GET /v2.0/ports",
    }


@pytest.mark.parametrize("otc", [False, True])
def test_ports_that_the_filter_did_not_ask_for_are_no_bindings(otc):
    emulator = emulator_of(otc=otc, ignored_filters=["security_groups"])
    region = OTC if otc else WORLD.region
    found = WORLD.connect(emulator, region=region).list_bindings([world.FREE, world.BOUND]).value
    assert [len(found[group_id]) for group_id in (world.FREE, world.BOUND)] == [0, 2]


@pytest.mark.parametrize("code", ["APIGW.0101", "APIG.0101"])
def test_either_generation_of_the_gateway_may_not_know_v3(code):
    def answer(request):
        if request.url.path.startswith("/v3/"):
            body = {"error_code": code, "error_msg": "no such API", "request_id": "r"}
            return httpx.Response(404, json=body)
        return httpx.Response(200, json={"security_group": {"id": world.FREE, "name": "n"}})

    groups = over(httpx.MockTransport(answer)).read_groups([world.FREE]).value
    assert groups[world.FREE].name == "n"


def test_enterprise_projects_are_all_asked_for_and_left_out_where_they_are_refused():
    huawei, otc = emulator_of(), emulator_of(otc=True)
    for emulator, region in ((huawei, WORLD.region), (otc, OTC)):
        groups = WORLD.connect(emulator, region=region).read_groups([world.FREE]).value
        assert groups[world.FREE].name == "sg-not-attached"
        assert "enterprise_project_id=all_granted_eps" in emulator.requests[0].query
    assert [request.status for request in huawei.requests] == [200]
    assert [request.status for request in otc.requests] == [400, 200]
    assert "enterprise_project_id" not in otc.requests[1].query


# -- instances and limits ----------------------------------------------------------------------


def test_a_server_is_read_with_the_groups_of_each_interface_the_primary_first():
    instance = WORLD.connect(emulator_of()).read_instance(world.OTHER_SERVER).value
    assert [(i.group_ids, i.is_primary) for i in instance.interfaces] == [
        ((world.DEFAULT,), True),
        ((world.DEFAULT, world.BOUND), False),
    ]
    assert instance.group_ids == (world.DEFAULT,)
    assert (instance.name, instance.state, instance.network) == ("web-2", "ACTIVE", "vpc-1")


def test_the_three_questions_about_a_server_go_out_together():
    emulator = emulator_of()
    WORLD.connect(emulator).read_instance(world.SERVER)
    assert sorted(set(asked(emulator))) == [
        "GET /v1/{project_id}/cloudservers/{id}",
        "GET /v2.1/{project_id}/servers/{id}/os-security-groups",
        "GET /v3/{project_id}/ports",
    ]


def test_on_open_telekom_cloud_the_primary_interface_is_first_too():
    provider = WORLD.connect(emulator_of(otc=True), region=OTC)
    instance = provider.read_instance(world.OTHER_SERVER).value
    assert instance.group_ids == (world.DEFAULT,)
    assert len(instance.interfaces) == 2


def test_a_gateway_with_only_the_older_nova_address_is_asked_there():
    def only_v2(request):
        path = request.url.path
        if path.startswith("/v2/") and path.endswith("/os-security-groups"):
            return httpx.Response(200, json={"security_groups": []})
        if "/cloudservers/" in path:
            server = {"id": world.SERVER, "security_groups": [], "status": "ACTIVE"}
            return httpx.Response(200, json={"server": server})
        if path.endswith("/ports"):
            return httpx.Response(200, json={"ports": [], "page_info": {}})
        return httpx.Response(404, json={"error_code": "APIGW.0101", "error_msg": "none"})

    seen = over(httpx.MockTransport(only_v2)).read_instance(world.SERVER)
    assert (seen.value.instance_id, seen.unseen) == (world.SERVER, ())
    assert "no interface" in whole_english(seen.value.binding_refusal)


def test_a_group_that_no_visible_interface_carries_is_said_to_be_hidden():
    emulator = emulator_of()
    scenario = emulator.state.dump()
    scenario["clouds"][0]["interfaces"][0]["project"] = "somebody-elses"
    seen = WORLD.connect(Emulator.load(scenario)).read_instance(world.SERVER)
    assert [unseen.code for unseen in seen.unseen] == ["not-told"]
    assert world.BOUND in whole_english(seen.unseen[0].why)


def test_a_server_with_port_security_off_refuses_groups():
    emulator = emulator_of(unprotected_ports=[world.PORT])
    instance = WORLD.connect(emulator).read_instance(world.SERVER).value
    assert "port security is off" in whole_english(instance.binding_refusal)


def test_a_deleted_server_refuses_groups():
    emulator = emulator_of()
    emulator.state.clouds[0].instance(world.SERVER).state = "SOFT_DELETED"
    instance = WORLD.connect(emulator).read_instance(world.SERVER).value
    assert "SOFT_DELETED" in whole_english(instance.binding_refusal)


def test_an_instance_id_that_is_none_is_never_put_into_an_address():
    emulator = emulator_of()
    assert WORLD.connect(emulator).read_instance("../../v3/projects").value is None
    assert not emulator.requests


def test_a_part_of_a_server_that_may_not_be_read_is_unseen():
    scenario = WORLD.scenario_copy()
    scenario["clouds"][0]["accounts"][0]["denied"] = ["*cloudservers*"]
    seen = WORLD.connect(Emulator.load(scenario)).read_instance(world.SERVER)
    assert seen.value.group_ids == (world.BOUND,)
    assert [unseen.code for unseen in seen.unseen] == ["no-permission"]


def test_live_quotas_come_with_the_advice_that_they_do_not_replace():
    limits = {
        limit.name: (limit.ceiling, limit.source, limit.is_enforced)
        for limit in WORLD.connect(emulator_of()).read_limits().value
    }
    assert limits["groups-per-interface"] == (5, "live", True)
    assert limits["instances-per-group"] == (6000, "documented", False)
    assert limits["composite-rules-per-group"] == (128, "documented", False)


def test_where_v3_publishes_no_quotas_those_of_v1_are_told_with_the_vendors_advice():
    seen = WORLD.connect(emulator_of(otc=True), region=OTC).read_limits()
    assert {(limit.name, limit.source) for limit in seen.value} == {
        ("groups-per-project", "live"),
        ("rules-per-project", "live"),
        ("groups-per-interface", "documented"),
        ("rules-per-group", "documented"),
        ("instances-per-group", "documented"),
        ("composite-rules-per-group", "documented"),
    }
    assert seen.unseen == ()


# -- who asks ----------------------------------------------------------------------------------


def test_the_project_is_looked_up_once_and_kept():
    emulator = emulator_of()
    env = {k: v for k, v in ENV.items() if k != "HUAWEICLOUD_SDK_PROJECT_ID"}
    provider = WORLD.connect(emulator, env=env)
    provider.list_bindings([world.BOUND])
    provider.read_groups([world.BOUND])
    lookups = [r for r in emulator.requests if r.action == "GET /v3/projects"]
    assert [r.query for r in lookups] == [f"name={WORLD.region}"]


@pytest.mark.parametrize("names", [{}, {PROJECT: "cn-north-4", "other": "cn-north-4"}])
def test_no_project_or_several_of_the_regions_name_are_a_setting_to_make(names):
    scenario = WORLD.scenario_copy()
    account = scenario["clouds"][0]["accounts"][0]
    account |= {"projects": [PROJECT, *[n for n in names if n != PROJECT]], "project_names": names}
    env = {k: v for k, v in ENV.items() if k != "HUAWEICLOUD_SDK_PROJECT_ID"}
    with pytest.raises(SettingsError, match="HUAWEICLOUD_SDK_PROJECT_ID"):
        WORLD.connect(Emulator.load(scenario), env=env).read_groups([world.FREE])


def test_a_user_with_a_password_gets_a_token_for_the_project_of_the_region():
    emulator = emulator_of()
    groups = WORLD.connect(emulator, env=PASSWORD_ENV).read_groups([world.FREE]).value
    assert groups[world.FREE] is not None
    first = emulator.requests[0]
    assert first.action == "POST /v3/auth/tokens"
    scope = json.loads(first.body)["auth"]["scope"]
    assert scope == {"project": {"name": WORLD.region}}


def test_a_token_that_is_there_already_is_sent_as_it_is():
    emulator = emulator_of()
    WORLD.connect(emulator, env=PASSWORD_ENV).read_groups([world.FREE])
    (token,) = emulator.state.clouds[0].tokens
    env = {"OS_TOKEN": token, "OS_PROJECT_ID": PROJECT}
    provider = WORLD.connect(emulator, env=env)
    assert provider.read_groups([world.FREE]).value[world.FREE] is not None
    assert token not in repr(provider)


def test_a_token_without_its_project_is_a_setting_to_make():
    with pytest.raises(CredentialsError, match="OS_PROJECT_ID"):
        WORLD.connect(emulator_of(), env={"OS_TOKEN": "t"})


@pytest.mark.parametrize(
    ("env", "missing"),
    [
        ({"HUAWEICLOUD_SDK_AK": "a"}, "HUAWEICLOUD_SDK_SK"),
        ({"HUAWEICLOUD_SDK_SK": "s"}, "HUAWEICLOUD_SDK_AK"),
        ({"OS_USERNAME": "u"}, "OS_PASSWORD"),
        ({}, "HUAWEICLOUD_SDK_AK"),
    ],
)
def test_what_is_missing_is_named(env, missing):
    with pytest.raises(CredentialsError, match=missing):
        WORLD.connect(emulator_of(), env=env)


def test_an_access_key_is_never_used_at_the_identity_service_of_another_cloud():
    provider = WORLD.connect(
        emulator_of(), env=ENV | {"OS_AUTH_URL": "https://keystone.elsewhere.example/v3"}
    )
    assert provider.api.region.iam == "https://iam.cn-north-4.myhuaweicloud.com/v3"


@pytest.mark.parametrize("env", [ENV, PASSWORD_ENV], ids=["key", "password"])
def test_an_endpoint_that_replaces_the_clouds_gets_every_call(env):
    emulator, hosts = emulator_of(), set()
    inner = EmulatorTransport(emulator)

    def watched(request):
        hosts.add(str(request.url.copy_with(path="/", query=None)))
        return inner.handle_request(request)

    env = {k: v for k, v in env.items() if k != "HUAWEICLOUD_SDK_PROJECT_ID"}
    env["SGGUARD_ENDPOINT_HUAWEI"] = "http://127.0.0.1:8499/"
    provider = over(httpx.MockTransport(watched), env=env)
    provider.read_groups([world.FREE])
    provider.read_instance(world.SERVER)
    provider.set_groups(
        Holder("port", world.PORT), (world.BOUND,), (world.BOUND, world.FREE), token=""
    )
    assert hosts == {"http://127.0.0.1:8499/"}


def test_a_clock_that_is_wrong_is_told_as_such():
    emulator = emulator_of()
    provider = WORLD.connect(emulator, now=lambda: 1_000_000_000.0)
    with pytest.raises(UnauthenticatedError) as caught:
        provider.read_groups([world.FREE])
    assert caught.value.code == "APIGW.0303"


def test_a_throttle_whose_window_outlasts_the_deadline_is_not_waited_for():
    emulator = emulator_of()
    emulator.faults.append(Fault("throttle", code="5 minute", count=9))
    with pytest.raises(ThrottledError) as caught:
        WORLD.connect(emulator).read_groups([world.FREE])
    assert (caught.value.retry_after_s, len(emulator.requests)) == (300.0, 1)


# -- changing ----------------------------------------------------------------------------------


def test_a_free_group_is_deleted():
    emulator = emulator_of()
    WORLD.connect(emulator).delete_group(world.FREE)
    assert emulator.state.clouds[0].group(world.FREE) is None


@pytest.mark.parametrize("quirks", [{}, {"v3_absent": True}, {"v3_absent": True, "wrapped": True}])
@pytest.mark.parametrize("group_id", [world.BOUND, world.REFERENCED, world.ON_SUPPLEMENTARY])
@pytest.mark.sampled(4)
def test_a_refused_delete_says_in_use_whatever_api_and_shape_it_comes_from(group_id, quirks):
    emulator = emulator_of(**quirks)
    with pytest.raises(InUseError):
        WORLD.connect(emulator).delete_group(group_id)
    assert emulator.state.clouds[0].group(group_id) is not None


def test_a_cloud_that_cascades_deletes_the_rules_that_refer_to_the_group():
    emulator = emulator_of(cascades=True)
    WORLD.connect(emulator).delete_group(world.REFERENCED)
    (rule,) = emulator.state.clouds[0].group(world.REFERRER_IN).rules
    assert rule.cidr == "10.0.0.0/8"


def test_deleting_what_does_not_exist_is_not_found():
    with pytest.raises(NotFoundError):
        WORLD.connect(emulator_of()).delete_group(WORLD.missing)


def test_the_default_group_cannot_be_deleted():
    emulator = emulator_of()
    for interface in emulator.state.clouds[0].interfaces:
        interface.groups = [g for g in interface.groups if g != world.DEFAULT]
    with pytest.raises(ForbiddenError):
        WORLD.connect(emulator).delete_group(world.DEFAULT)


# -- shape of the questions --------------------------------------------------------------------


def test_the_directions_of_a_groups_rules_come_ingress_first():
    emulator = emulator_of()
    cloud = emulator.state.clouds[0]
    for group_id in (world.REFERRER_IN, world.REFERRER_OUT):
        cloud.group(world.FREE).rules += cloud.group(group_id).rules
    rules = WORLD.connect(emulator).list_rules(world.FREE).value
    directions = [rule.direction for rule in rules]
    assert directions == [Direction.INGRESS, Direction.INGRESS, Direction.EGRESS]


def over(transport, env=ENV):
    """A provider over a transport of the test's own."""
    wire = Wire(
        "huawei", Deadline.after(30), transport=transport, retry=Retry(sleep=lambda _: None)
    )
    return connect(Access(wire, WORLD.region, env=env))
