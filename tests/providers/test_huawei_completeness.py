"""Incomplete responses of Huawei Cloud: none is taken for "not in use"."""

from __future__ import annotations

import copy

import httpx
import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.emulator.transport import EmulatorTransport
from sgguard.errors import ThrottledError
from sgguard.facts.gather import gather_delete, gather_launch
from sgguard.guards import delete, launch
from sgguard.model.address import Address, Scope
from sgguard.model.codes import Verdict
from sgguard.model.request import DeleteRequest, LaunchRequest
from sgguard.model.resource import Visibility
from sgguard.policy import DeletePolicy, Policy
from sgguard.providers import huawei
from sgguard.providers._shared import unseen_beyond
from sgguard.providers.access import Access
from sgguard.render.language.sentence import in_english, whole_english
from sgguard.render.language.sentence import whole_english as whole
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.retry import Retry
from tests.worlds import huawei as world
from tests.worlds.huawei import OTHER_PROJECT, PROJECT, WORLD

READS = ("read_groups", "list_references", "list_bindings", "count_instances")
OTC = "eu-de"


def emulator_of(*, otc=False, limits=None, **quirks):
    scenario = WORLD.scenario_copy()
    cloud = scenario["clouds"][0]
    cloud["quirks"] |= quirks
    cloud["limits"] |= limits or {}
    if otc:
        cloud["quirks"]["otc"] = True
        cloud["regions"] = [OTC]
        cloud["accounts"][0]["project_names"] = {PROJECT: OTC}
        cloud["interfaces"] = [i for i in cloud["interfaces"] if i.get("kind") != "supplementary"]
    return Emulator.load(scenario)


def state(emulator):
    return emulator.state.cloud("huawei")


def connect(emulator, **options):
    return WORLD.connect(emulator, **options)


def denying(*actions, **quirks):
    emulator = emulator_of(**quirks)
    state(emulator).accounts[0].denied = list(actions)
    return emulator


def add_rule(emulator, group_id, **rule):
    group = state(emulator).group(group_id)
    kind = type(state(emulator).group(world.REFERRER_IN).rules[0])
    number = len(group.rules)
    group.rules.append(kind(**{"direction": "ingress", "id": f"{group_id}-{number}", **rule}))


def add_ports(emulator, count=1, **changes):
    for number in range(count):
        port = copy.deepcopy(state(emulator).interface(world.PORT))
        port.id = f"44e33faa-d517-4681-8706-{len(state(emulator).interfaces):012x}"
        for name, value in changes.items():
            setattr(port, name, value(number) if callable(value) else value)
        state(emulator).interfaces.append(port)


def judged(emulator, group_id, region=WORLD.region):
    address = Address(Scope("huawei", "", region), group_id)
    facts = gather_delete(connect(emulator, region=region), DeleteRequest((address,)))
    return delete.judge(facts, Policy())


class Rewriting(httpx.BaseTransport):
    """The emulator behind a door where a test may change what comes back, or happen to it."""

    def __init__(self, emulator, change):
        self.inner, self.change = EmulatorTransport(emulator), change

    def handle_request(self, request):
        response = self.inner.handle_request(request)
        response.read()
        return self.change(request, response) or response


def behind(emulator, change):
    wire = Wire(
        "huawei",
        Deadline.after(30),
        transport=Rewriting(emulator, change),
        retry=Retry(sleep=lambda _: None),
    )
    return huawei.connect(Access(wire, WORLD.region, env=world.ENV))


def foreign(path, collection, wanted):
    """Let the rows of one list whose id is wanted belong to another project."""

    def change(request, response):
        if not request.url.path.endswith(path) or response.is_error:
            return None
        body = response.json()
        for row in body[collection]:
            if row["id"] in wanted:
                row |= {"project_id": OTHER_PROJECT, "tenant_id": OTHER_PROJECT}
        return httpx.Response(200, json=body)

    return change


# -- signs that there is more than can be seen ---------------------------------------------------


def test_a_rule_of_another_project_among_the_answers_is_a_sign_of_sharing():
    change = foreign("/vpc/security-group-rules", "security_group_rules", {"r-in"})
    seen = behind(emulator_of(), change).list_references([world.REFERENCED, world.FREE])
    assert {r.project for r in seen.value[world.REFERENCED]} == {PROJECT, OTHER_PROJECT}
    (unseen,) = seen.unseen
    assert (unseen.code, unseen.group_id) == ("other-project", world.REFERENCED)
    assert OTHER_PROJECT in whole_english(unseen.why)


def test_a_reference_from_a_group_of_another_project_is_a_sign_of_sharing():
    change = foreign("/vpc/security-groups", "security_groups", {world.REFERRER_IN})
    (unseen,) = behind(emulator_of(), change).list_references([world.REFERENCED]).unseen
    assert f"a rule of project {OTHER_PROJECT} names it" in whole_english(unseen.why)


@pytest.mark.parametrize(
    ("path", "collection", "holder", "group_id"),
    [
        ("/ports", "ports", world.PORT, world.BOUND),
        (
            "/sub-network-interfaces",
            "sub_network_interfaces",
            world.SUPPLEMENTARY,
            world.ON_SUPPLEMENTARY,
        ),
    ],
    ids=["port", "supplementary interface"],
)
def test_an_interface_of_another_project_is_a_sign_of_sharing(path, collection, holder, group_id):
    provider = behind(emulator_of(), foreign(path, collection, {holder}))
    seen = provider.list_bindings([group_id, world.FREE])
    assert holder in {b.holder_id for b in seen.value[group_id]}
    assert [(u.code, u.group_id) for u in seen.unseen] == [("other-project", group_id)]


def test_a_group_of_another_project_is_never_fully_seen():
    change = foreign("/vpc/security-groups", "security_groups", {world.FREE})
    seen = behind(emulator_of(), change).read_groups([world.FREE, world.BOUND])
    assert seen.value[world.FREE].project == OTHER_PROJECT
    assert [(u.code, u.group_id) for u in seen.unseen] == [("other-project", world.FREE)]


def test_a_row_without_a_project_is_no_sign():
    seen = behind(
        emulator_of(),
        lambda request, response: (
            httpx.Response(200, text=response.text.replace(PROJECT, ""))
            if request.method == "GET"
            else None
        ),
    )
    for read in READS:
        assert getattr(seen, read)([world.REFERENCED, world.BOUND]).unseen == (), read


def test_all_signs_of_one_group_are_one_gap():
    unseen = unseen_beyond([("g", "one"), ("h", "two"), ("g", "three"), ("g", "one")], "look there")
    assert [(u.group_id, whole_english(u.why).count("one, three")) for u in unseen] == [
        ("g", 1),
        ("h", 0),
    ]


# -- enterprise projects -------------------------------------------------------------------------


def test_groups_of_every_granted_enterprise_project_are_found():
    emulator = emulator_of(
        enterprise_projects={world.FREE: "eps-1", world.BOUND: "eps-2"}, granted_eps=["0", "eps-1"]
    )
    seen = connect(emulator).read_groups([world.FREE, world.BOUND, world.DEFAULT])
    assert set(seen.value) == {world.FREE, world.DEFAULT}
    assert [(u.code, u.group_id) for u in seen.unseen] == [("no-permission", world.BOUND)]


def test_a_reference_from_a_group_that_is_hidden_is_told_and_says_that_more_may_be_hidden():
    emulator = emulator_of(
        enterprise_projects={world.REFERRER_IN: "eps-9"}, granted_eps=["0"], eps_shows_rules=True
    )
    seen = connect(emulator).list_references([world.REFERENCED])
    names = {r.group_id: r.group_name for r in seen.value[world.REFERENCED]}
    assert names == {world.REFERRER_IN: None, world.REFERRER_OUT: "batch"}
    (unseen,) = seen.unseen
    assert (unseen.code, unseen.group_id) == ("other-project", world.REFERENCED)
    assert world.REFERRER_IN in whole_english(unseen.why)


def test_where_rules_are_hidden_as_well_the_quota_counts_them():
    emulator = emulator_of(
        enterprise_projects={world.REFERRER_IN: "eps-9", world.REFERRER_OUT: "eps-9"},
        granted_eps=["0"],
    )
    provider = connect(emulator)
    seen = provider.list_references([world.REFERENCED])
    assert seen.value == {world.REFERENCED: ()}
    assert [(u.code, in_english(u.what)) for u in seen.unseen] == [("no-permission", "references")]
    assert provider.visibility is Visibility.PROJECT
    assert any("enterprise projects" in whole(blind) for blind in provider.capabilities.blind_spots)


def test_names_that_may_not_be_read_are_no_sign_of_hidden_groups():
    emulator = denying("GET /v3/{project_id}/vpc/security-groups")
    seen = connect(emulator).list_references([world.REFERENCED])
    assert [r.group_name for r in seen.value[world.REFERENCED]] == [None, None]
    assert seen.unseen == ()


def test_who_holds_a_rule_is_told_with_the_tags_that_say_whose_it_is():
    emulator = emulator_of()
    state(emulator).group(world.REFERRER_IN).tags = {"owner": "payments"}
    references = connect(emulator).list_references([world.REFERENCED]).value[world.REFERENCED]
    assert {r.group_name: r.tags for r in references} == {
        "web": (("owner", "payments"),),
        "batch": (),
    }


# -- filters, pages, and lists that change while they are read -----------------------------------

FILTERS = ["remote_group_id", "security_groups", "id", "device_id", "security_group_id"]
GROUP_IDS = [world.REFERENCED, world.BOUND, world.ON_SUPPLEMENTARY, world.SELF_REFERENCING]


@pytest.mark.parametrize("v3_absent", [False, True], ids=["v3", "v2"])
@pytest.mark.parametrize("ignored", [*FILTERS, "all"])
@pytest.mark.sampled(12)
def test_every_row_is_looked_at_again_whatever_filter_is_ignored(ignored, v3_absent):
    names = FILTERS if ignored == "all" else [ignored]
    old = connect(emulator_of(ignored_filters=names, v3_absent=v3_absent, page_max=2))
    new = connect(emulator_of(v3_absent=v3_absent))
    for read in READS:
        assert getattr(old, read)(GROUP_IDS) == getattr(new, read)(GROUP_IDS), read
    assert old.read_instance(world.OTHER_SERVER) == new.read_instance(world.OTHER_SERVER)
    assert old.list_rules(world.REFERRER_IN) == new.list_rules(world.REFERRER_IN)


@pytest.mark.parametrize(
    "quirks",
    [{}, {"v3_absent": True}, {"v3_absent": True, "stale_marker_refused": True}],
    ids=["v3", "v2 begins again", "v2 refuses"],
)
@pytest.mark.sampled(2)
def test_references_that_vanish_between_two_pages_hide_none_that_stay(quirks):
    # cf-networking-release #127: a pager skipped entries when groups were deleted while it read.
    emulator = emulator_of(**quirks, page_max=2)
    for _ in range(8):
        add_rule(emulator, world.REFERRER_OUT, peer_group=world.FREE)
    pages = []

    def vanish(request, response):
        if request.url.path.endswith("/security-group-rules") and response.is_success:
            pages.append([row["id"] for row in response.json()["security_group_rules"]])
            if len(pages) == 2:
                group = state(emulator).group(world.REFERRER_OUT)
                group.rules = [rule for rule in group.rules if rule.id != pages[-1][-1]]

    seen = behind(emulator, vanish).list_references([world.FREE])
    left = {r.id for r in state(emulator).group(world.REFERRER_OUT).rules if r.peer_group}
    found = {r.rule.rule_id for r in seen.value[world.FREE]}
    assert found >= {i for i in left if i.startswith(world.REFERRER_OUT)} - {
        r.id for r in state(emulator).group(world.REFERRER_OUT).rules if r.peer_group != world.FREE
    }
    assert len(found) >= 7


@pytest.mark.parametrize("otc", [False, True])
@pytest.mark.sampled(2)
def test_five_hundred_ports_behind_pages_of_a_hundred_are_all_found(otc):
    # The one peer tool for this cloud read one page: 100 of 500 groups "unattached", and deletable.
    emulator = emulator_of(otc=otc, page_max=100)
    region = OTC if otc else WORLD.region
    add_ports(emulator, 500, groups=[world.FREE], region=region)
    provider = connect(emulator, region=region)
    assert len(provider.list_bindings([world.FREE]).value[world.FREE]) == 500
    assert provider.count_instances([world.FREE]).value == {world.FREE: 500}


def test_four_hundred_rules_are_listed_not_asked_one_by_one():
    # terraform-provider-opentelekomcloud #1753, #2012, #2668: 400 rules, one call each, throttled.
    emulator = emulator_of()
    state(emulator).quirks.pop("page_max")
    for _ in range(400):
        add_rule(emulator, world.REFERRER_OUT, peer_group=world.FREE)
    assert len(connect(emulator).list_references([world.FREE]).value[world.FREE]) == 400
    # The rules twice (by peer, and all to be counted), the count, the name of the group with them.
    assert len(emulator.requests) == 4


@pytest.mark.parametrize("read", READS)
@pytest.mark.sampled(4)
def test_hundreds_of_ids_go_out_in_addresses_a_gateway_takes(read):
    emulator = emulator_of()
    ids = [f"00000000-0000-4000-8000-{n:012x}" for n in range(300)]
    seen = getattr(connect(emulator), read)([*ids, world.REFERENCED, world.BOUND])
    assert set(seen.value) == {*ids, world.REFERENCED, world.BOUND}
    assert max(len(r.path) + len(r.query) for r in emulator.requests) < 4000


def test_only_what_cannot_be_filtered_or_must_be_counted_is_listed_whole():
    # cloud-custodian #9866: an event's function listed every resource to find one, and timed out.
    emulator = emulator_of()
    judged(emulator, world.FREE)
    whole = {r.action for r in emulator.requests if world.FREE not in r.query}
    assert whole == {
        "GET /v3/{project_id}/vpc/sub-network-interfaces",
        "GET /v3/{project_id}/vpc/security-group-rules",
        "GET /v1/{project_id}/quotas",
        "GET /v3/{project_id}/ports",
    }
    (canary,) = [r for r in emulator.requests if "ports" in r.path and world.FREE not in r.query]
    assert canary.query == "limit=1"


# -- a region without v3 -------------------------------------------------------------------------


def test_without_v3_every_question_is_answered_by_v2_and_no_reference_is_lost():
    new, old = connect(emulator_of()), connect(emulator_of(v3_absent=True))
    ids = [*GROUP_IDS, world.ON_DATABASE, world.FREE]
    known, told = new.list_references(ids).value, old.list_references(ids).value
    assert {i: {r.rule.rule_id for r in known[i]} for i in ids} == {
        i: {r.rule.rule_id for r in told[i]} for i in ids
    }
    assert len(told[world.ON_DATABASE]) == len(told[world.ON_SUPPLEMENTARY]) == 1
    assert {i: g and g.name for i, g in new.read_groups(ids).value.items()} == {
        i: g and g.name for i, g in old.read_groups(ids).value.items()
    }
    assert old.list_bindings([world.BOUND, world.ON_DATABASE]).value == (
        new.list_bindings([world.BOUND, world.ON_DATABASE]).value
    )
    assert old.read_instance(world.OTHER_SERVER) == new.read_instance(world.OTHER_SERVER)
    assert {r.rule_id for r in old.list_rules(world.REFERRER_IN).value} == {
        r.rule_id for r in new.list_rules(world.REFERRER_IN).value
    }


def test_without_v3_a_group_with_a_reference_is_blocked_and_one_without_is_not_called_gone():
    # terraform-provider-huaweicloud #2050: 404 APIGW.0101 in a region was read as "group gone".
    emulator = emulator_of(v3_absent=True)
    codes = {reason.code for reason in judged(emulator, world.REFERENCED).reasons}
    assert "not-found" not in codes
    assert judged(emulator, world.REFERENCED).verdict is Verdict.BLOCK
    assert "not-found" not in {reason.code for reason in judged(emulator, world.FREE).reasons}


def test_what_a_region_does_not_publish_blocks_until_the_policy_tolerates_just_that():
    emulator = emulator_of(v3_absent=True)
    address = Address(Scope("huawei", "", WORLD.region), world.FREE)
    facts = gather_delete(connect(emulator), DeleteRequest((address,)))
    assert [u.code for u in facts.groups[0].unseen] == ["api-absent"]
    assert delete.judge(facts, Policy()).verdict is Verdict.BLOCK
    for code, verdict in (("not-told", Verdict.BLOCK), ("api-absent", Verdict.ALLOW)):
        policy = Policy(delete=DeletePolicy(tolerate_unseen=(code,)))
        assert delete.judge(facts, policy).verdict is verdict


# -- references ----------------------------------------------------------------------------------


@pytest.mark.parametrize("v3_absent", [False, True], ids=["v3", "v2"])
def test_a_rule_that_names_an_address_group_is_no_reference(v3_absent):
    # Address groups hold CIDRs and nothing else: no group can be behind one.
    emulator = emulator_of(v3_absent=v3_absent)
    add_rule(emulator, world.REFERRER_OUT, template=world.FREE)
    provider = connect(emulator)
    assert provider.list_references([world.FREE]).value == {world.FREE: ()}
    peers = {rule.peer for rule in provider.list_rules(world.REFERRER_OUT).value}
    assert f"address group {world.FREE}" in peers


@pytest.mark.parametrize("direction", ["ingress", "egress"])
@pytest.mark.parametrize(
    "change",
    [{"action": "drop"}, {"enabled": False}, {"ethertype": "IPv6"}, {"priority": 100}],
    ids=str,
)
@pytest.mark.sampled(4)
def test_a_rule_is_a_reference_whatever_else_it_says(change, direction):
    emulator = emulator_of()
    add_rule(emulator, world.REFERRER_OUT, peer_group=world.FREE, direction=direction, **change)
    (reference,) = connect(emulator).list_references([world.FREE]).value[world.FREE]
    assert (reference.group_id, reference.rule.direction) == (world.REFERRER_OUT, direction)


# -- who holds a group ---------------------------------------------------------------------------


def test_servers_that_still_carry_the_group_are_named():
    # terraform-provider-huaweicloud #2481: the delete hangs, and nobody says which servers.
    bindings = connect(emulator_of()).list_bindings([world.BOUND]).value[world.BOUND]
    assert {b.instance_id for b in bindings} == {world.SERVER, world.OTHER_SERVER}
    assert all(b.owner and b.holder_id for b in bindings)


def test_a_port_whose_server_is_gone_still_holds_the_group():
    emulator = emulator_of()
    add_ports(emulator, groups=[world.FREE], instance=WORLD.missing_server)
    assert connect(emulator).read_instance(WORLD.missing_server).value is None
    (binding,) = connect(emulator).list_bindings([world.FREE]).value[world.FREE]
    assert binding.instance_id == WORLD.missing_server


def test_a_holder_that_is_no_server_is_told_with_its_owner():
    # otc-tools #43: "in use" although no server is there; the holder was a network:dhcp port.
    emulator = emulator_of(otc=True)
    add_ports(emulator, groups=[world.FREE], instance="", owner="network:dhcp", region=OTC)
    (binding,) = connect(emulator, region=OTC).list_bindings([world.FREE]).value[world.FREE]
    assert (binding.kind, binding.owner, binding.instance_id) == ("dhcp", "network:dhcp", "")


def test_what_no_call_can_tell_is_said_in_sentences():
    blind = list(map(whole, connect(emulator_of()).capabilities.blind_spots))
    assert all(text.endswith(".") and "\n" not in text for text in blind)
    for word in ("AS configurations", "launch templates", "enterprise projects", "last seconds"):
        assert any(word in text for text in blind), word


def test_a_group_that_is_not_found_yet_is_blocked_and_not_free():
    # terraform-provider-huaweicloud #2217: groups that were just made were "gone" when read.
    judgement = judged(emulator_of(), WORLD.missing)
    assert judgement.verdict is Verdict.BLOCK
    assert "not-found" in {reason.code for reason in judgement.reasons}


# -- limits --------------------------------------------------------------------------------------


def limits_of(emulator, group_ids=(), region=WORLD.region):
    seen = connect(emulator, region=region).read_limits(group_ids)
    assert seen.unseen == ()
    return {limit.name: limit for limit in seen.value}


def test_how_many_groups_and_rules_there_are_comes_from_v1_beside_the_ceilings_of_v3():
    limits = limits_of(emulator_of(limits={"groups-per-project": 100, "rules-per-project": 5000}))
    groups, rules = limits["groups-per-project"], limits["rules-per-project"]
    assert (groups.ceiling, groups.used, groups.source) == (100, 10, "live")
    assert (rules.ceiling, rules.used) == (5000, 7)
    assert limits["groups-per-interface"].used is None


def test_open_telekom_cloud_tells_its_groups_and_their_number_though_v3_has_no_quotas():
    limits = limits_of(emulator_of(otc=True, limits={"groups-per-project": 100}), region=OTC)
    groups = limits["groups-per-project"]
    assert (groups.ceiling, groups.used, groups.source) == (100, 10, "live")


def test_minus_one_is_no_limit_in_v1_and_says_nothing_in_v3():
    limits = limits_of(emulator_of())
    assert (limits["groups-per-project"].ceiling, limits["groups-per-project"].used) == (None, 10)
    assert limits["composite-rules-per-group"].ceiling == 128


def test_a_region_without_v1_tells_ceilings_and_not_what_is_used():
    limits = limits_of(emulator_of(v1_absent=True, limits={"groups-per-project": 100}))
    assert (limits["groups-per-project"].ceiling, limits["groups-per-project"].used) == (100, None)


@pytest.mark.parametrize("action", ["GET /v3/{project_id}/vpc/quotas", "GET /v1/*/quotas"])
def test_quotas_that_may_not_be_read_are_unseen_and_the_others_are_told(action):
    emulator = denying(action, limits={"groups-per-project": 100})
    seen = connect(emulator).read_limits()
    assert [u.code for u in seen.unseen] == ["no-permission"]
    assert {limit.name: limit.ceiling for limit in seen.value}["groups-per-project"] == 100


def with_composite_rules(emulator, group_id, **directions):
    for direction, count in directions.items():
        for number in range(count):
            kinds = ({"peer_group": world.FREE}, {"template": "ag-1"}, {"ports": "22,3389"})
            add_rule(emulator, group_id, direction=direction, **kinds[number % 3])
    return emulator


def test_composite_rules_of_the_fullest_group_and_direction_are_counted_beside_their_ceiling():
    # Those beyond 128 are accepted and silently do not take effect: a launch without protection.
    emulator = with_composite_rules(emulator_of(), world.REFERRER_OUT, ingress=130, egress=20)
    with_composite_rules(emulator, world.BOUND, ingress=3)
    limit = limits_of(emulator, [world.BOUND, world.REFERRER_OUT])["composite-rules-per-group"]
    assert (limit.ceiling, limit.used, limit.is_enforced) == (128, 130, False)
    note = whole_english(limit.note)
    assert note.startswith(f"{world.REFERRER_OUT} ingress ipv4: ")
    assert "silently" in note


def test_a_launch_with_rules_that_take_no_effect_is_allowed_with_a_warning():
    emulator = with_composite_rules(emulator_of(), world.REFERRER_OUT, ingress=130)
    scope = Scope("huawei", "", WORLD.region)
    facts = gather_launch(connect(emulator), LaunchRequest(scope, (world.REFERRER_OUT,)))
    judgement = launch.judge(facts, Policy())
    assert judgement.verdict is Verdict.ALLOW
    assert "rules-without-effect" in {r.code for r in judgement.reasons if r.effect == "warn"}


def test_plain_rules_and_other_families_are_not_added_to_composite_ones():
    emulator = with_composite_rules(emulator_of(), world.BOUND, ingress=3)
    add_rule(emulator, world.BOUND, cidr="10.0.0.0/8", ports="1-9")
    add_rule(emulator, world.BOUND, peer_group=world.FREE, ethertype="IPv6")
    limits = limits_of(emulator, [world.BOUND])
    assert limits["composite-rules-per-group"].used == 3
    assert limits["rules-per-group"].used == 5


def test_rules_are_counted_only_for_requested_groups():
    emulator = with_composite_rules(emulator_of(), world.BOUND, ingress=3)
    assert limits_of(emulator)["composite-rules-per-group"].used is None
    assert not [r for r in emulator.requests if r.path.endswith("security-group-rules")]
    assert limits_of(emulator, [world.FREE])["composite-rules-per-group"].used is None


@pytest.mark.parametrize(
    "emulator",
    [denying("*security-group-rules"), emulator_of(v3_absent=True)],
    ids=["forbidden", "no v3"],
)
def test_rules_that_cannot_be_counted_leave_their_number_untold(emulator):
    limit = limits_of(emulator, [world.BOUND])["composite-rules-per-group"]
    assert (limit.ceiling, limit.used) == (128, None)


# -- pace ----------------------------------------------------------------------------------------


def test_calls_keep_to_the_pace_that_was_seen_to_pass():
    assert dict(huawei.RATES) == {"*": 20.0}
    pace = connect(emulator_of()).api.wire.pace
    assert (pace.rates, world.ENV["HUAWEICLOUD_SDK_AK"] in pace.caller) == (huawei.RATES, True)


def test_a_window_of_five_minutes_is_told_and_no_backoff_of_seconds_is_tried():
    # terraform-provider-huaweicloud #1335: 200 calls per 5 minutes, seconds of backoff cannot help.
    emulator = emulator_of()
    emulator.faults.append(Fault("throttle", code="5 minute", count=99))
    with pytest.raises(ThrottledError) as caught:
        connect(emulator).list_references([world.FREE])
    assert caught.value.retry_after_s == 300.0
    sent = [(request.action, request.query) for request in emulator.requests]
    assert len(sent) == len(set(sent))
