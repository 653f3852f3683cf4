"""Empty lists of Huawei Cloud: each is proved, or told as a gap with what to grant.

"If you have insufficient permissions, response code 200 will be returned when you query network
resources and an empty list will be displayed" (VPC API reference, vpc_permission_0017).
"""

from __future__ import annotations

import httpx
import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.state import Rule
from sgguard.emulator.transport import EmulatorTransport
from sgguard.errors import ForbiddenError, UnknownShapeError
from sgguard.facts.gather import gather_delete
from sgguard.guards import delete
from sgguard.model.address import Address, Scope
from sgguard.model.request import DeleteRequest
from sgguard.policy import Policy
from sgguard.providers import huawei
from sgguard.providers.access import Access
from sgguard.providers.huawei import proof
from sgguard.providers.huawei.api import ABSENT_ID
from sgguard.render.language.sentence import in_english, whole_english
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.retry import Retry
from tests.worlds import huawei as world
from tests.worlds.huawei import PROJECT, WORLD

GROUPS = "GET /v3/{project_id}/vpc/security-groups"
RULES = "GET /v3/{project_id}/vpc/security-group-rules"
PORTS = "GET /v3/{project_id}/ports"
SUBS = "GET /v3/{project_id}/vpc/sub-network-interfaces"
USAGE = "GET /v1/{project_id}/quotas"
LISTS = (GROUPS, RULES, PORTS, SUBS)
OTC = "eu-de"


def emulator_of(*denied, region=WORLD.region, **quirks):
    scenario = WORLD.scenario_copy()
    cloud = scenario["clouds"][0]
    cloud["quirks"] |= quirks
    account = cloud["accounts"][0]
    account["denied"] = list(denied)
    if region == OTC:
        cloud["quirks"]["otc"] = True
        cloud["regions"] = [OTC]
        account["project_names"] = {PROJECT: OTC}
    return Emulator.load(scenario)


def state(emulator):
    return emulator.state.cloud("huawei")


def judged(emulator, group_id, region=WORLD.region):
    address = Address(Scope("huawei", "", region), group_id)
    provider = WORLD.connect(emulator, region=region)
    facts = gather_delete(provider, DeleteRequest((address,)))
    return delete.judge(facts, Policy())


def behind(change):
    """Return a provider over the emulator whose responses a test changes."""
    inner = EmulatorTransport(emulator_of())

    def handle(request):
        response = inner.handle_request(request)
        response.read()
        return change(request, response) or response

    transport = httpx.MockTransport(handle)
    wire = Wire(
        "huawei", Deadline.after(30), transport=transport, retry=Retry(sleep=lambda _: None)
    )
    return huawei.connect(Access(wire, WORLD.region, env=world.ENV))


def gaps(seen):
    return {(u.code, in_english(u.what)) for u in seen.unseen}


# -- denied lists are empty, and no group is taken for free -------------------------------------


@pytest.mark.parametrize("denied", LISTS)
@pytest.mark.parametrize("refuses", [False, True], ids=["empty", "refused"])
@pytest.mark.parametrize(
    "group_id", [world.FREE, world.BOUND, world.REFERENCED, world.ON_SUPPLEMENTARY]
)
@pytest.mark.sampled(16)
def test_no_group_may_be_deleted_while_a_list_is_denied(denied, refuses, group_id):
    emulator = emulator_of(denied, denied_lists_refused=refuses)
    assert judged(emulator, group_id).verdict == "block"


@pytest.mark.parametrize(
    ("denied", "group_id"),
    [(RULES, world.REFERENCED), (PORTS, world.BOUND), (SUBS, world.ON_SUPPLEMENTARY)],
)
def test_what_a_denied_list_would_show_is_unseen_with_what_to_grant(denied, group_id):
    emulator = emulator_of(denied, "GET /v2.0/*", "GET /v1/{project_id}/ports")
    provider = WORLD.connect(emulator)
    seen = (
        provider.list_references([group_id])
        if denied == RULES
        else provider.list_bindings([group_id])
    )
    (gap,) = seen.unseen
    assert gap.code == "no-permission"
    assert "VPC ReadOnlyAccess for the whole project" in in_english(gap.remedy)
    assert seen.value[group_id] == ()


@pytest.mark.parametrize("denied", [(), (RULES,)], ids=["granted", "denied"])
def test_rules_of_a_very_large_project_are_not_counted_and_proved_by_one(denied, monkeypatch):
    monkeypatch.setattr(proof, "COUNTED_RULES_MAX", 1)
    emulator = emulator_of(*denied)
    assert judged(emulator, world.FREE).verdict == ("block" if denied else "allow")
    assert judged(emulator, world.REFERENCED).verdict == "block"
    asked = [
        one.query for one in emulator.requests if one.path.endswith("vpc/security-group-rules")
    ]
    assert asked
    assert all("remote_group_id" in one or "limit=1" in one for one in asked)


def test_with_every_permission_nothing_is_unseen():
    emulator = emulator_of()
    provider = WORLD.connect(emulator)
    ids = [world.FREE, world.BOUND, world.REFERENCED]
    reads = (provider.read_groups, provider.list_references, provider.list_bindings)
    assert [read(ids).unseen for read in reads] == [(), (), ()]
    assert judged(emulator, world.FREE).verdict == "allow"


@pytest.mark.parametrize("region", [WORLD.region, OTC])
def test_a_project_without_any_port_is_proved_by_a_read_of_an_id_that_cannot_exist(region):
    emulator = emulator_of(region=region)
    state(emulator).interfaces.clear()
    state(emulator).attachments.clear()
    assert judged(emulator, world.FREE, region).verdict == "allow"
    asked = {(r.action, r.status) for r in emulator.requests}
    ports = "GET /v2.0/ports/{id}" if region == OTC else f"{PORTS}/{{id}}"
    assert (ports, 404) in asked
    assert (f"{SUBS}/{{id}}", 404) in asked


def test_a_list_that_shows_the_group_needs_no_further_proof():
    emulator = emulator_of()
    WORLD.connect(emulator).list_bindings([world.BOUND])
    assert {r.query for r in emulator.requests if r.path.endswith("/ports")} == {
        f"limit=2000&security_groups={world.BOUND}",
        f"admin_state_up=false&limit=2000&security_groups={world.BOUND}",
    }


# -- permissions by enterprise project --------------------------------------------------------


def test_who_is_authorised_by_enterprise_project_sees_no_ports_and_is_told_so():
    emulator = emulator_of(granted_eps=["0"])
    assert judged(emulator, world.FREE).verdict == "block"
    seen = WORLD.connect(emulator).list_bindings([world.FREE])
    assert {code for code, _ in gaps(seen)} == {"no-permission"}
    assert len(seen.unseen) == 2  # ports, supplementary interfaces


def test_a_holder_that_only_v1_ports_show_is_a_binding():
    emulator = emulator_of(granted_eps=["0"])
    seen = WORLD.connect(emulator).list_bindings([world.BOUND])
    assert world.PORT in {binding.holder_id for binding in seen.value[world.BOUND]}
    assert any("another API that lists ports does" in whole_english(gap.why) for gap in seen.unseen)


def test_a_rule_in_a_hidden_enterprise_project_is_counted_although_it_is_not_shown():
    emulator = emulator_of(
        enterprise_projects={world.REFERRER_IN: "eps-9", world.REFERRER_OUT: "eps-9"},
        granted_eps=["0"],
    )
    seen = WORLD.connect(emulator).list_references([world.REFERENCED])
    assert seen.value[world.REFERENCED] == ()
    (gap,) = seen.unseen
    assert "7 rules count against the quota of the project, and 4 are visible" in whole_english(
        gap.why
    )


def test_a_rule_that_goes_while_rules_are_counted_is_no_gap():
    asked = []

    def change(request, response):
        if request.url.path.endswith("/quotas") and not asked:
            asked.append(request)
            body = response.json()
            body["quotas"]["resources"][1]["used"] += 1
            return httpx.Response(200, json=body)
        return None

    assert behind(change).list_references([world.FREE]).unseen == ()
    assert asked


def test_where_the_use_of_quotas_may_not_be_read_references_are_unseen():
    seen = WORLD.connect(emulator_of(USAGE)).list_references([world.FREE])
    (gap,) = seen.unseen
    assert (gap.code, USAGE in in_english(gap.remedy)) == ("no-permission", True)


@pytest.mark.parametrize("denied", [(), (RULES,)])
def test_where_no_use_of_quotas_is_published_any_visible_rule_is_the_proof(denied):
    seen = WORLD.connect(emulator_of(*denied, v1_absent=True)).list_references([world.FREE])
    assert {gap.code for gap in seen.unseen} == ({"no-permission"} if denied else set())


def test_a_region_without_v1_and_without_any_rule_is_proved_by_an_id_that_cannot_exist():
    emulator = emulator_of(v1_absent=True)
    for group in state(emulator).groups:
        group.rules.clear()
    assert WORLD.connect(emulator).list_references([world.FREE]).unseen == ()
    assert (f"{RULES}/{{id}}", 404) in {(r.action, r.status) for r in emulator.requests}


def test_a_rule_that_only_the_whole_list_shows_is_a_reference():
    # An answer to the filter that is too short.
    def change(request, response):
        if "remote_group_id" in request.url.params:
            page = {"security_group_rules": [], "page_info": {"current_count": 0}}
            return httpx.Response(200, json=page)
        return None

    seen = behind(change).list_references([world.REFERENCED])
    assert {r.group_id for r in seen.value[world.REFERENCED]} == {
        world.REFERRER_IN,
        world.REFERRER_OUT,
    }


# -- groups ------------------------------------------------------------------------------------


def test_a_group_that_the_list_does_not_show_is_gone_only_if_a_read_of_its_id_says_so():
    emulator = emulator_of()
    seen = WORLD.connect(emulator).read_groups([WORLD.missing, world.FREE])
    assert seen.value[WORLD.missing] is None
    assert seen.unseen == ()
    assert (f"{GROUPS}/{{id}}", 404) in {(r.action, r.status) for r in emulator.requests}


@pytest.mark.parametrize("quirks", [{}, {"v1_absent": True}])
@pytest.mark.sampled(2)
def test_many_groups_that_are_missing_are_read_one_by_one_only_where_none_are_counted(quirks):
    emulator = emulator_of(**quirks)
    ids = [f"00000000-0000-4000-9000-{n:012x}" for n in range(50)]
    seen = WORLD.connect(emulator).read_groups([*ids, world.FREE])
    assert [seen.value[one] for one in ids] == [None] * 50
    assert seen.unseen == ()
    read = [r for r in emulator.requests if r.action == f"{GROUPS}/{{id}}"]
    assert len(read) == (50 if quirks else 0)


def test_many_groups_of_a_denied_list_are_not_gone():
    ids = [f"00000000-0000-4000-9000-{n:012x}" for n in range(50)]
    assert WORLD.connect(emulator_of(GROUPS)).read_groups(ids).value == {}


def test_a_denied_list_of_groups_says_of_no_group_that_it_is_gone():
    seen = WORLD.connect(emulator_of(GROUPS)).read_groups([world.FREE])
    assert seen.value == {}
    assert [(u.code, u.group_id) for u in seen.unseen] == [("no-permission", world.FREE)]


def test_a_group_of_a_hidden_enterprise_project_is_not_gone():
    emulator = emulator_of(enterprise_projects={world.FREE: "eps-9"}, granted_eps=["0"])
    seen = WORLD.connect(emulator).read_groups([world.FREE])
    assert world.FREE not in seen.value
    assert [u.code for u in seen.unseen] == ["no-permission"]


def test_a_missing_group_may_be_one_of_those_the_quota_counts():
    def change(request, response):
        is_list = request.url.path.endswith("/security-groups")
        if is_list and "id" not in request.url.params:
            body = response.json()
            body["security_groups"].pop()
            body["page_info"]["current_count"] -= 1
            return httpx.Response(200, json=body)
        return None

    seen = behind(change).read_groups([WORLD.missing])
    assert WORLD.missing not in seen.value
    (gap,) = seen.unseen
    assert "10 groups count against the quota of the project, and 9 are visible" in whole_english(
        gap.why
    )


def test_no_group_of_a_name_is_no_answer_while_no_group_is_visible():
    with pytest.raises(ForbiddenError, match="not even the default one"):
        WORLD.connect(emulator_of(GROUPS)).find_groups("web")
    assert WORLD.connect(emulator_of()).find_groups("no such name") == ()


# -- a group's own rules: a snapshot is never short ------------------------------------------------


def test_own_rules_come_from_the_groups_entry_where_their_list_is_denied():
    denied, whole = emulator_of(RULES), emulator_of()
    found = WORLD.connect(denied).list_rules(world.REFERRER_IN)
    expected = WORLD.connect(whole).list_rules(world.REFERRER_IN)
    assert found.unseen == ()
    assert set(found.value) == set(expected.value)


def test_own_rules_that_nothing_proves_are_unseen_and_build_no_group_again():
    provider = WORLD.connect(emulator_of(RULES, f"{GROUPS}/{{id}}"))
    assert [u.code for u in provider.list_rules(world.REFERRER_IN).unseen] == ["no-permission"]
    group = provider.read_groups([world.REFERRER_IN]).value[world.REFERRER_IN]
    with pytest.raises(UnknownShapeError):
        provider.define_group(group)


def test_a_rule_is_not_gone_because_the_list_is_denied():
    provider = WORLD.connect(emulator_of(RULES, f"{GROUPS}/{{id}}"))
    rule = WORLD.connect(emulator_of()).list_rules(world.REFERRER_IN).value[0]
    with pytest.raises(ForbiddenError):
        provider.remove_rule(world.REFERRER_IN, rule, token="t")


def test_a_group_without_rules_is_defined_without_rules():
    emulator = emulator_of()
    group = WORLD.connect(emulator).read_groups([world.FREE]).value[world.FREE]
    assert WORLD.connect(emulator).define_group(group).rules == ()


# -- calls that a region does not offer ----------------------------------------------------------


def test_a_group_that_only_a_supplementary_interface_of_open_telekom_cloud_carries_is_carried():
    emulator = emulator_of(region=OTC)
    for interface in state(emulator).interfaces:
        interface.region = OTC
    for group in state(emulator).groups:
        group.region = OTC
    assert judged(emulator, world.ON_SUPPLEMENTARY, OTC).verdict == "block"
    seen = WORLD.connect(emulator, region=OTC).list_bindings([world.ON_SUPPLEMENTARY])
    (binding,) = seen.value[world.ON_SUPPLEMENTARY]
    assert (binding.holder_id, binding.owner) == (world.SUPPLEMENTARY, "sub-network-interface")


@pytest.mark.parametrize("region", [WORLD.region, OTC])
def test_where_supplementary_interfaces_cannot_be_listed_the_gap_is_told(region):
    emulator = emulator_of(region=region, subs_absent=True)
    seen = WORLD.connect(emulator, region=region).list_bindings([world.FREE])
    assert gaps(seen) == {("api-absent", "supplementary network interfaces")}
    assert judged(emulator, world.FREE, region).verdict == "block"


def test_a_server_api_that_is_not_published_is_a_gap_and_no_failure():
    def change(request, response):
        if "/cloudservers/" in request.url.path:
            body = {"error_code": "APIGW.0101", "error_msg": "no such API", "request_id": "r"}
            return httpx.Response(404, json=body)
        return None

    seen = behind(change).read_instance(world.SERVER)
    assert seen.value.group_ids == (world.BOUND,)
    assert [u.code for u in seen.unseen] == ["api-absent"]


def test_a_rule_that_two_answers_show_is_one_reference():
    emulator = emulator_of()
    state(emulator).group(world.BOUND).rules.append(
        Rule("ingress", id="r-x", peer_group=world.REFERENCED)
    )
    seen = WORLD.connect(emulator).list_references([world.REFERENCED])
    assert [r.rule.rule_id for r in seen.value[world.REFERENCED]].count("r-x") == 1


@pytest.mark.parametrize("used", ["7", 7.0, -1, 0])
def test_the_use_of_a_quota_is_read_as_it_is_spelt(used):
    def change(request, response):
        if request.url.path.endswith("/quotas") and response.is_success:
            body = response.json()
            for row in body["quotas"]["resources"]:
                row["used"] = used
            body["quotas"]["resources"].append({"type": ["odd"], "used": None})
            return httpx.Response(200, json=body)
        return None

    assert behind(change).list_references([world.FREE]).unseen == ()


@pytest.mark.parametrize("used", [None, "many", [], 8])
def test_a_use_of_a_quota_that_cannot_be_read_or_is_not_explained_is_a_gap(used):
    def change(request, response):
        if request.url.path.endswith("/quotas") and "v1" in request.url.path:
            body = response.json()
            body["quotas"]["resources"][1]["used"] = used
            return httpx.Response(200, json=body)
        return None

    assert behind(change).list_references([world.FREE]).unseen


def test_any_answer_but_not_found_to_a_read_of_an_unknown_id_proves_nothing():
    def change(request, response):
        if request.url.path.endswith(ABSENT_ID):
            return httpx.Response(404, text="<html>no such page</html>")
        return None

    seen = behind(change).list_bindings([world.FREE])
    assert seen.unseen == ()  # a port and a supplementary interface are shown
    emulator = emulator_of()
    state(emulator).interfaces.clear()
    state(emulator).attachments.clear()
    inner = EmulatorTransport(emulator)

    def handle(request):
        response = inner.handle_request(request)
        response.read()
        return change(request, response) or response

    wire = Wire("huawei", Deadline.after(30), transport=httpx.MockTransport(handle))
    provider = huawei.connect(Access(wire, WORLD.region, env=world.ENV))
    assert {u.code for u in provider.list_bindings([world.FREE]).unseen} >= {"unknown-shape"}
