"""Incomplete responses of OpenStack: none is taken for "not in use"."""

from __future__ import annotations

import copy
import json

import httpx
import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.emulator.transport import EmulatorTransport
from sgguard.errors import CloudError, NotFoundError
from sgguard.facts.gather import gather_delete
from sgguard.guards import delete
from sgguard.model.address import Address, Scope
from sgguard.model.codes import Verdict
from sgguard.model.request import DeleteRequest
from sgguard.model.resource import Visibility
from sgguard.policy import Policy
from sgguard.providers import openstack
from sgguard.providers.access import Access
from sgguard.render.language.sentence import in_english
from sgguard.render.language.sentence import whole_english as whole
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.openstack.neutron.page import MAX_STARTS
from sgguard.wire.retry import Retry
from tests.worlds import openstack as w

WORLD = w.WORLD
READS = ("read_groups", "list_references", "list_bindings", "count_instances")
AUDITOR = "auditor"
JSON = "application/json"


def emulator(**changes):
    scenario = w.WORLD.scenario_copy()
    scenario["clouds"][0].update(changes)
    return Emulator.load(scenario)


def connect(cloud, env=w.PASSWORD_ENV, **options):
    return WORLD.connect(cloud, env=env, **options)


def state(cloud):
    return cloud.state.cloud("openstack")


def share(cloud, *projects, group_id=w.FREE):
    state(cloud).group(group_id).shared_with = list(projects)


def add_rule(cloud, group_id, **rule):
    group = state(cloud).group(group_id)
    kind = type(state(cloud).group(w.APP).rules[0])
    number = len(group.rules)
    group.rules.append(kind(**{"direction": "ingress", "id": f"{group_id}-{number}", **rule}))


def add_ports(cloud, count=1, **changes):
    for number in range(count):
        port = copy.deepcopy(state(cloud).interface(w.PORT))
        port.id = f"7ceea7a1-0440-4fc5-9f75-{len(state(cloud).interfaces):012x}"
        for name, value in changes.items():
            setattr(port, name, value(number) if callable(value) else value)
        state(cloud).interfaces.append(port)


def judged(cloud, group_id, env=w.PASSWORD_ENV):
    address = Address(Scope("openstack", "", WORLD.region), group_id)
    facts = gather_delete(connect(cloud, env), DeleteRequest((address,)))
    return delete.judge(facts, Policy())


class Rewriting(httpx.BaseTransport):
    """The emulator behind a door where a test may change what comes back, or happen to it."""

    def __init__(self, cloud, change):
        self.inner, self.change = EmulatorTransport(cloud), change

    def handle_request(self, request):
        response = self.inner.handle_request(request)
        response.read()
        return self.change(request, response) or response


def behind(cloud, change, env=w.PASSWORD_ENV):
    wire = Wire(
        "openstack",
        Deadline.after(30),
        transport=Rewriting(cloud, change),
        retry=Retry(sleep=lambda _: None),
    )
    return openstack.connect(Access(wire, WORLD.region, env=env))


# -- how far a token sees ------------------------------------------------------------------------


def auditing(cloud):
    state(cloud).accounts[2].role = AUDITOR
    state(cloud).quirks["cloud_readers"] = [AUDITOR]
    return cloud


def test_a_role_that_reads_every_project_sees_the_cloud_when_the_operator_says_so():
    cloud = auditing(emulator())
    share(cloud, w.OTHER_PROJECT)
    add_rule(cloud, w.FOREIGN, peer_group=w.FREE)
    provider = connect(cloud, w.READER_ENV | {"SGGUARD_OPENSTACK_CLOUD_ROLES": f"x, {AUDITOR}"})
    seen = provider.list_references([w.FREE])
    assert provider.visibility is Visibility.CLOUD
    assert [r.project for r in seen.value[w.FREE]] == [w.OTHER_PROJECT]
    assert seen.unseen == ()


def test_a_role_without_a_scope_is_treated_as_a_projects():
    cloud = auditing(emulator())
    share(cloud, w.OTHER_PROJECT)
    provider = connect(cloud, w.READER_ENV)
    assert provider.visibility is Visibility.PROJECT
    assert [u.code for u in provider.list_references([w.FREE]).unseen] == ["other-project"]


def test_an_admin_of_a_project_that_is_not_the_administrators_sees_one_project():
    cloud = emulator(quirks={"admin_project": w.PROJECT})
    share(cloud, w.OTHER_PROJECT, group_id=w.FOREIGN)
    provider = connect(cloud, w.ADMIN_ENV)
    assert provider.visibility is Visibility.PROJECT
    seen = emulator(quirks={"admin_project": "adadadadadadadadadadadadadadadad"})
    assert connect(seen, w.ADMIN_ENV).visibility is Visibility.CLOUD


# -- signs of sharing ----------------------------------------------------------------------------


def test_a_port_of_another_project_among_the_answers_is_a_sign_of_sharing():
    cloud = emulator(quirks={"network_owners": {"net-1": w.PROJECT}})
    add_ports(cloud, groups=[w.FREE], project=w.OTHER_PROJECT, network="net-1")
    seen = connect(cloud).list_bindings([w.FREE, w.BOUND])
    assert [b.project for b in seen.value[w.FREE]] == [w.OTHER_PROJECT]
    (unseen,) = seen.unseen
    assert (unseen.code, unseen.group_id) == ("other-project", w.FREE)
    assert w.OTHER_PROJECT in whole(unseen.why)


def test_for_an_admin_a_port_of_another_project_hides_nothing():
    cloud = emulator()
    add_ports(cloud, groups=[w.FREE], project=w.OTHER_PROJECT)
    seen = connect(cloud, w.ADMIN_ENV).list_bindings([w.FREE])
    assert (len(seen.value[w.FREE]), seen.unseen) == (1, ())


def test_a_port_of_no_project_is_the_clouds_own_and_no_sign():
    cloud = emulator(quirks={"network_owners": {"net-1": w.PROJECT}})
    add_ports(cloud, groups=[w.FREE], instance="", owner="network:floatingip", project="")
    seen = connect(cloud).list_bindings([w.FREE])
    assert ([b.kind for b in seen.value[w.FREE]], seen.unseen) == (["floating-ip"], ())


def foreign_rules(request, response):
    """Let the rules of the group ``app`` belong to another project, as an administrator's do."""
    if not request.url.path.endswith("/security-group-rules"):
        return None
    rows = response.json()["security_group_rules"]
    for row in rows:
        if row["security_group_id"] == w.APP:
            row |= {"project_id": w.OTHER_PROJECT, "tenant_id": w.OTHER_PROJECT}
    return httpx.Response(200, json={"security_group_rules": rows})


def test_a_rule_of_another_project_among_the_answers_is_a_sign_of_sharing():
    seen = behind(emulator(), foreign_rules).list_references([w.WEB, w.FREE])
    assert {r.project for r in seen.value[w.WEB]} == {w.PROJECT, w.OTHER_PROJECT}
    (unseen,) = seen.unseen
    assert (unseen.code, unseen.group_id) == ("other-project", w.WEB)
    assert f"a rule of project {w.OTHER_PROJECT} names it" in whole(unseen.why)


def test_for_an_admin_a_rule_of_another_project_hides_nothing():
    seen = behind(emulator(), foreign_rules, w.ADMIN_ENV).list_references([w.WEB])
    assert (len(seen.value[w.WEB]), seen.unseen) == (2, ())


def test_every_sign_of_one_group_is_told_in_one_line():
    cloud = emulator()
    share(cloud, "*", group_id=w.WEB)
    (unseen,) = behind(cloud, foreign_rules).list_references([w.WEB]).unseen
    for sign in ("a sharing policy names it", "it is shared", "a rule of project"):
        assert sign in whole(unseen.why)


NO_SIGN = {
    "shared by an administrator with one project": ([w.OTHER_PROJECT], [w.FREE]),
    "un-shared after the foreign rule was made": ([], []),
}


@pytest.mark.parametrize("case", NO_SIGN)
@pytest.mark.parametrize("env", [w.PASSWORD_ENV, w.READER_ENV], ids=["member", "reader"])
def test_without_any_sign_the_answer_is_complete_for_the_project_and_says_no_more(env, case):
    # A limitation nobody can lift with such a token: visibility says it, a policy may demand more.
    shared_with, by_admin = NO_SIGN[case]
    cloud = emulator(quirks={"shared_by_admin": by_admin})
    share(cloud, *shared_with)
    add_rule(cloud, w.FOREIGN, peer_group=w.FREE)
    provider = connect(cloud, env)
    seen = provider.list_references([w.FREE])
    assert (seen.value, seen.unseen) == ({w.FREE: ()}, ())
    assert provider.visibility is Visibility.PROJECT
    assert any("other projects" in whole(blind) for blind in provider.capabilities.blind_spots)

    connect(cloud).delete_group(w.FREE)  # and this is what it would have cost
    assert state(cloud).group(w.FOREIGN).rules == []


def test_a_shared_group_is_never_allowed_to_a_confined_token():
    cloud = emulator()
    share(cloud, w.OTHER_PROJECT)
    assert judged(cloud, w.FREE).verdict is Verdict.BLOCK
    assert judged(cloud, w.FREE, w.ADMIN_ENV).verdict is Verdict.ALLOW


# -- filters that older clouds do not know -------------------------------------------------------

FILTERS = ["security_groups", "remote_group_id", "id", "device_id", "object_id", "object_type"]


@pytest.mark.parametrize("page_max", [None, 2])
@pytest.mark.parametrize("ignored", [*FILTERS, "all"])
@pytest.mark.sampled(12)
def test_every_row_is_looked_at_again_whatever_filter_is_ignored(ignored, page_max):
    quirks = {"ignored_filters": FILTERS if ignored == "all" else [ignored]}
    quirks |= {"page_max": page_max} if page_max else {}
    old, new = emulator(quirks=quirks), emulator()
    for cloud in (old, new):
        share(cloud, w.OTHER_PROJECT, group_id=w.APP)
        add_rule(cloud, w.OUT, peer_group=w.FREE)
    ids = [w.WEB, w.BOUND, w.SELF]
    for read in READS:
        assert getattr(connect(old), read)(ids) == getattr(connect(new), read)(ids), read
    assert connect(old).read_instance(w.SERVER) == connect(new).read_instance(w.SERVER)


# -- lists that change while they are read -------------------------------------------------------


@pytest.mark.parametrize("refuses", [False, True], ids=["begins again", "refuses"])
def test_references_that_vanish_between_two_pages_hide_none_that_stay(refuses):
    # cf-networking-release #127: a pager skipped entries when groups were deleted while it read.
    cloud = emulator(quirks={"page_max": 2, "stale_marker_refused": refuses})
    for _ in range(8):
        add_rule(cloud, w.OUT, peer_group=w.FREE)
    pages = []

    def vanish(request, response):
        if request.url.path.endswith("/security-group-rules") and response.is_success:
            pages.append([row["id"] for row in response.json()["security_group_rules"]])
            if len(pages) == 2:
                out = state(cloud).group(w.OUT)
                out.rules = [rule for rule in out.rules if rule.id != pages[-1][-1]]

    seen = behind(cloud, vanish).list_references([w.FREE])
    found = {r.rule.rule_id for r in seen.value[w.FREE]}
    assert {r.id for r in state(cloud).group(w.OUT).rules if r.peer_group == w.FREE} <= found
    assert len(found) >= 7


def test_a_list_whose_markers_never_hold_is_no_empty_list():
    cloud = emulator(quirks={"page_max": 1})

    def circling(request, response):
        if not request.url.path.endswith("/ports"):
            return None
        links = [{"rel": "next", "href": f"http://x/v2.0/ports?marker={w.PORT}"}]
        return httpx.Response(200, json=response.json() | {"ports_links": links})

    seen = behind(cloud, circling).list_bindings([w.FREE])
    assert seen.value == {}
    assert [u.code for u in seen.unseen] == ["unknown-shape"]
    asked = [r for r in cloud.requests if r.action == "GET /v2.0/ports"]
    assert len(asked) == 1 + 2 * MAX_STARTS  # behind a canary


def test_a_link_to_another_host_never_gets_the_token():
    hosts = set()

    def elsewhere(request, response):
        hosts.add(request.url.host)
        if "/networking/" not in request.url.path:
            return None
        body = response.text.replace("http://cloud.example/networking", "http://evil.example")
        assert "_links" not in body or "evil.example" in body
        return httpx.Response(200, json=json.loads(body))

    cloud = emulator(quirks={"page_max": 1})
    seen = behind(cloud, elsewhere).list_references([w.WEB])
    assert (len(seen.value[w.WEB]), hosts) == (2, {"cloud.example"})


# -- size ----------------------------------------------------------------------------------------


def test_five_hundred_ports_behind_pages_of_a_hundred_are_all_found():
    # A peer tool read one page and called 500 groups with ports unattached.
    cloud = emulator(quirks={"page_max": 100})
    add_ports(cloud, 500, groups=[w.FREE], instance=lambda n: f"server-{n}")
    provider = connect(cloud)
    assert len(provider.list_bindings([w.FREE]).value[w.FREE]) == 500
    assert provider.count_instances([w.FREE]).value == {w.FREE: 500}


def test_four_hundred_rules_are_listed_not_asked_one_by_one():
    # terraform-provider-opentelekomcloud #1753, #2012, #2668: 400 rules, one call each, throttled.
    cloud = emulator(limits={"rules-per-project": -1})
    for _ in range(400):
        add_rule(cloud, w.OUT, peer_group=w.FREE)
    provider = connect(cloud)
    provider.read_groups([w.FREE])
    before = len(cloud.requests)
    assert len(provider.list_references([w.FREE]).value[w.FREE]) == 400
    # A canary and rules, policies, signs on groups; then one name.
    assert len(cloud.requests) - before == 5


@pytest.mark.parametrize("read", READS)
@pytest.mark.sampled(4)
def test_hundreds_of_ids_go_out_in_addresses_a_proxy_takes(read):
    cloud = emulator()
    ids = [f"00000000-0000-4000-8000-{n:012x}" for n in range(300)]
    seen = getattr(connect(cloud), read)([*ids, w.WEB, w.BOUND])
    assert set(seen.value) == {*ids, w.WEB, w.BOUND}
    assert max(len(r.path) + len(r.query) for r in cloud.requests) < 4000
    most = max(r.query.count("-4000-8000-") for r in cloud.requests)
    assert most <= 50


def test_nothing_is_listed_whole_to_find_one_group():
    # cloud-custodian #9866: an event's function listed every resource to find one, and timed out.
    cloud = emulator()
    add_rule(cloud, w.FREE, direction="egress")
    judged(cloud, w.FREE)
    lists = [r for r in cloud.requests if r.method == "GET"]
    assert lists
    # One row is no whole list: it proves that an empty one could have shown something.
    assert not [r for r in lists if w.FREE not in r.query and "limit=1" not in r.query]


def test_the_rules_of_a_group_do_not_come_along_with_its_name():
    bodies = []

    def noting(request, response):
        if request.url.path.endswith("/security-groups"):
            bodies.append(response.json()["security_groups"])

    group = behind(emulator(), noting).read_groups([w.APP]).value[w.APP]
    assert (group.name, group.rules) == ("app", None)
    assert not [row for rows in bodies for row in rows if "security_group_rules" in row]


# -- who holds a group ---------------------------------------------------------------------------


def test_a_port_whose_server_is_gone_still_holds_the_group():
    # hashicorp/terraform #3696: the API said the instance was deleted, Neutron still had its port.
    cloud = emulator()
    add_ports(cloud, groups=[w.FREE], instance=w.MISSING)
    assert connect(cloud).read_instance(w.MISSING).value is None
    (binding,) = connect(cloud).list_bindings([w.FREE]).value[w.FREE]
    assert (binding.instance_id, binding.owner) == (w.MISSING, "compute:nova")
    assert judged(cloud, w.FREE).verdict is Verdict.BLOCK


def test_of_the_ports_left_over_those_with_the_group_are_named_with_owner_and_device():
    # cluster-api-provider-openstack #741, magnum-cluster-api #188: 24 ports left, 9 with the group.
    cloud = emulator()
    add_ports(cloud, 9, groups=[w.FREE], instance="", owner="neutron:LOADBALANCERV2")
    add_ports(cloud, 15, groups=[w.DEFAULT], instance="", owner="neutron:LOADBALANCERV2")
    bindings = connect(cloud).list_bindings([w.FREE]).value[w.FREE]
    assert len({b.holder_id for b in bindings}) == 9
    assert {(b.kind, b.owner) for b in bindings} == {("load-balancer", "neutron:LOADBALANCERV2")}


def test_two_ports_of_one_instance_are_told_apart_and_name_the_instance():
    # terraform-provider-openstack #1466, terraform #27960: "in use", and nobody says by what.
    cloud = emulator()
    add_ports(cloud, groups=[w.BOUND])
    bindings = connect(cloud).list_bindings([w.BOUND]).value[w.BOUND]
    mine = [b for b in bindings if b.instance_id == w.SERVER]
    assert len({b.holder_id for b in mine}) == 2
    assert {(b.kind, b.owner) for b in mine} == {("port", "compute:nova")}


def test_a_rule_that_names_an_address_group_is_no_reference():
    # Address groups hold CIDRs and nothing else: no group can be behind one.
    cloud = emulator()
    add_rule(cloud, w.OUT, template=w.FREE)
    assert connect(cloud).list_references([w.FREE]).value == {w.FREE: ()}
    rules = connect(cloud).list_rules(w.OUT).value
    assert f"address group {w.FREE}" in {rule.peer for rule in rules}


def test_a_group_that_names_itself_is_free_and_its_other_referrers_are_not_forgotten():
    # cloud-custodian #8783: a group that named itself was "used" for ever.
    cloud = emulator()
    provider = connect(cloud)
    assert provider.list_references([w.SELF]).value == {w.SELF: ()}
    add_rule(cloud, w.OUT, direction="egress", peer_group=w.SELF)
    assert [r.group_id for r in provider.list_references([w.SELF]).value[w.SELF]] == [w.OUT]


def test_a_rule_of_another_project_in_the_group_is_no_sign_of_sharing():
    def by_an_admin(request, response):
        text = response.text.replace(w.PROJECT, w.OTHER_PROJECT)
        is_rules = request.url.path.endswith("/security-group-rules")
        return httpx.Response(200, text=text) if is_rules else None

    seen = behind(emulator(), by_an_admin).list_references([w.SELF])
    assert (seen.value, seen.unseen) == ({w.SELF: ()}, ())


def test_who_holds_a_rule_is_told_with_the_tags_that_say_whose_it_is():
    cloud = emulator()
    state(cloud).group(w.APP).tags = {"owner": "payments", "critical": ""}
    references = connect(cloud).list_references([w.WEB]).value[w.WEB]
    tags = {r.group_name: r.tags for r in references}
    assert tags == {"app": (("owner", "payments"), ("critical", "")), "out": ()}


def test_names_that_may_not_be_read_cost_the_evidence_its_names_and_nothing_else():
    cloud = emulator()
    state(cloud).accounts[0].denied = ["GET /v2.0/security-groups"]
    seen = connect(cloud).list_references([w.WEB])
    assert [r.group_name for r in seen.value[w.WEB]] == [None, None]
    assert [in_english(u.what) for u in seen.unseen] == ["whether the group is shared"]


@pytest.mark.parametrize(
    ("action", "read"),
    [
        ("GET /v2.0/security-group-rules", "list_references"),
        ("GET /v2.0/ports", "list_bindings"),
        ("GET /v2.0/security-groups", "read_groups"),
    ],
)
def test_an_error_beside_an_empty_list_is_no_empty_list(action, read):
    cloud = emulator()
    error = {"NeutronError": {"type": "Odd", "message": "inside a 200", "detail": ""}}
    body = json.dumps({action.rpartition("/")[2].replace("-", "_"): [], **error})
    cloud.faults.append(Fault("garbage", action=action, body=body, content_type=JSON, count=9))
    with pytest.raises(CloudError) as caught:
        getattr(connect(cloud), read)([w.WEB])
    assert (caught.value.code, caught.value.status) == ("Odd", 200)


# -- what is only just made ----------------------------------------------------------------------


def test_a_group_that_is_not_found_yet_is_blocked_and_not_free():
    cloud = emulator()
    assert connect(cloud).read_groups([w.MISSING]).value == {w.MISSING: None}
    with pytest.raises(NotFoundError):
        connect(cloud).list_rules(w.MISSING)
    judgement = judged(cloud, w.MISSING)
    assert judgement.verdict is Verdict.BLOCK
    assert "not-found" in {reason.code for reason in judgement.reasons}


# -- what is documented, not read ----------------------------------------------------------------


def test_what_no_call_can_tell_is_said_in_sentences():
    blind = list(map(whole, connect(emulator()).capabilities.blind_spots))
    assert all(text.endswith(".") and "\n" not in text for text in blind)
    for word in ("other projects", "template", "default-security-group-rules"):
        assert any(word in text for text in blind), word


def test_no_rate_is_documented_so_the_pace_is_a_generous_one():
    assert dict(openstack.RATES) == {"*": 100.0}
