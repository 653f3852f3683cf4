"""What OpenStack's changes do to the cloud, and what they refuse to do."""

from __future__ import annotations

import copy
import dataclasses
import json

import httpx
import pytest
from msgspec.structs import replace

from sgguard import providers
from sgguard.emulator.core import Emulator
from sgguard.emulator.faces._openstack.neutron.rows import rule_row
from sgguard.emulator.faults import Fault
from sgguard.emulator.state import Group as Emulated
from sgguard.emulator.transport import EmulatorTransport
from sgguard.errors import (
    CloudError,
    ConflictError,
    ForbiddenError,
    InputError,
    LimitError,
    NotFoundError,
    UnavailableError,
    UnknownShapeError,
    UnreachableError,
)
from sgguard.model.change import Holder, content
from sgguard.model.resource import Group
from sgguard.providers.access import Access
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from tests.worlds import openstack as w

WORLD = w.WORLD
TOKEN = "decision-1-0"
ADDRESS_GROUP = "a9baa1eb-0614-4d68-870e-fec6d8f8c221"
PORT = Holder("port", w.PORT, w.SERVER)

POST_RULE = "POST /v2.0/security-group-rules"
DELETE_RULE = "DELETE /v2.0/security-group-rules/{id}"
PUT_PORT = "PUT /v2.0/ports/{id}"
ACT = "POST /v2.1/servers/{id}/action"


def emulator(**changes):
    scenario = w.WORLD.scenario_copy()
    scenario["clouds"][0].update(changes)
    return Emulator.load(scenario)


def connect(cloud, env=w.PASSWORD_ENV, **options):
    return WORLD.connect(cloud, env=env, **options)


def state(cloud):
    return cloud.state.cloud("openstack")


def put(cloud, group_id=w.APP, **rule):
    """Put a rule into a group behind everybody's back; return it as the provider lists it."""
    group = state(cloud).group(group_id)
    kind = type(state(cloud).group(w.APP).rules[0])
    group.rules.append(kind(**{"direction": "ingress", "id": "5e1f-rule", **rule}))
    return next(r for r in connect(cloud).list_rules(group_id).value if r.rule_id == "5e1f-rule")


def contents(provider, group_id=w.APP):
    return [content(rule) for rule in provider.list_rules(group_id).value]


class Watched(httpx.BaseTransport):
    """A network that shows every request before it arrives."""

    def __init__(self, cloud, show):
        self.inner = EmulatorTransport(cloud)
        self.show = show

    def handle_request(self, request):
        self.show(request)
        return self.inner.handle_request(request)


def watched(cloud, show):
    """The provider, over a network that calls ``show`` with every request."""
    wire = Wire("openstack", Deadline.after(30.0), transport=Watched(cloud, show))
    return providers.connect("openstack", Access(wire, "RegionOne", env=w.PASSWORD_ENV))


def revisions_sent(cloud, change):
    """The conditions a change's own requests carry."""
    sent = []
    rule = put(cloud, peer_group=w.WEB, ports="8080")
    change(watched(cloud, sent.append), rule)
    return [
        request.headers.get("if-match")
        for request in sent
        if request.method != "GET" and "/auth/" not in request.url.path
    ]


def writes(cloud):
    return [r for r in cloud.requests if not r.action.startswith(("GET", "POST /v3"))]


def actions(cloud):
    return [request.action for request in writes(cloud)]


def groups_of(cloud, port_id=w.PORT):
    return state(cloud).interface(port_id).groups


# -- rules ---------------------------------------------------------------------------------------

RULES = {
    "group": {"peer_group": w.WEB, "ports": "8080"},
    "itself": {"peer_group": w.APP, "protocol": "any"},
    "cidr with host bits": {"cidr": "10.0.0.5/24", "ports": "8000-8010"},
    "everywhere, said": {"cidr": "0.0.0.0/0", "ports": "443"},
    "everywhere, not said": {"ports": "444"},
    "ipv6": {"ethertype": "IPv6", "cidr": "2001:db8::/32", "direction": "egress"},
    "ipv6, any": {"ethertype": "IPv6", "protocol": "any"},
    "address group": {"template": ADDRESS_GROUP, "protocol": "udp", "ports": "53"},
    "icmp type": {"protocol": "icmp", "ports": "8-"},
    "icmp type and code": {"protocol": "icmp", "ports": "8-0"},
    "icmp of one number": {"protocol": "icmp", "ports": "8"},
    "icmpv6": {"protocol": "icmpv6", "ethertype": "IPv6", "ports": "128-"},
    "number": {"protocol": "112", "peer_group": w.WEB},
    "described": {"peer_group": w.WEB, "ports": "22", "description": "Müller's bastion"},
}


def rows(rule):
    """A rule of the emulator as Neutron writes it, whatever its id."""
    return rule_row(Emulated(w.APP), dataclasses.replace(rule, id=""))


@pytest.mark.parametrize("of", RULES, ids=str)
@pytest.mark.sampled(6)
def test_a_removed_rule_is_restored_unchanged(of):
    cloud = emulator()
    rule = put(cloud, **RULES[of])
    provider = connect(cloud)
    before = contents(provider)
    kept = copy.deepcopy(state(cloud).group(w.APP).rules)

    provider.remove_rule(w.APP, rule, token=TOKEN)
    assert content(rule) not in contents(provider)
    provider.add_rule(w.APP, rule, token=TOKEN)

    assert contents(provider) == before
    now = state(cloud).group(w.APP).rules
    assert [rows(one) for one in now] == [rows(one) for one in kept]


def test_a_rule_is_rewritten_to_another_group_and_is_otherwise_the_same():
    cloud = emulator()
    rule = put(cloud, peer_group=w.WEB, ports="8080", description="kept")
    provider = connect(cloud)
    provider.add_rule(w.APP, replace(rule, peer_group=w.FREE), token=TOKEN)
    provider.remove_rule(w.APP, rule, token=TOKEN)
    assert replace(content(rule), peer_group=w.FREE) in contents(provider)
    assert actions(cloud) == [POST_RULE, DELETE_RULE]


def test_a_rule_is_sent_once_with_what_it_says_and_nothing_more():
    cloud = emulator()
    provider = connect(cloud)
    (rule,) = (r for r in provider.list_rules(w.APP).value if r.peer_group == w.WEB)
    provider.add_rule(w.APP, replace(rule, peer_group=w.FREE), token=TOKEN)
    assert json.loads(writes(cloud)[0].body) == {
        "security_group_rule": {
            "security_group_id": w.APP,
            "direction": "ingress",
            "ethertype": "IPv4",
            "protocol": "tcp",
            "port_range_min": 5432,
            "port_range_max": 5432,
            "remote_group_id": w.FREE,
        }
    }


@pytest.mark.parametrize(
    "change",
    [
        {"native": ()},
        {"ports": "22"},
        {"action": "drop"},
        {"priority": 7},
        {"is_enabled": False},
        {"protocol": "TCP"},
    ],
    ids=lambda change: next(iter(change)),
)
@pytest.mark.sampled(3)
def test_a_rule_that_neutron_cannot_say_exactly_is_not_sent_at_all(change):
    cloud = emulator()
    rule = put(cloud, peer_group=w.WEB, ports="8080")
    with pytest.raises(InputError):
        connect(cloud).add_rule(w.APP, replace(rule, **change), token=TOKEN)
    assert writes(cloud) == []


def test_a_rule_that_is_there_already_is_said_to_be():
    cloud = emulator()
    rule = put(cloud, peer_group=w.WEB, ports="8080")
    provider = connect(cloud)
    before = contents(provider)
    with pytest.raises(ConflictError):
        provider.add_rule(w.APP, rule, token=TOKEN)
    assert contents(provider) == before
    assert actions(cloud) == [POST_RULE]


@pytest.mark.parametrize(
    ("there", "wanted"),
    [
        ({"peer_group": w.WEB, "description": "theirs"}, {"description": "ours"}),
        ({"cidr": "0.0.0.0/0"}, {"native": (("ethertype", "IPv4"),)}),
    ],
    ids=["another description", "everywhere, said otherwise"],
)
def test_a_rule_that_only_does_the_same_is_a_conflict(there, wanted):
    cloud = emulator()
    rule = put(cloud, **there)
    before = copy.deepcopy(state(cloud).groups)
    with pytest.raises(ConflictError) as caught:
        connect(cloud).add_rule(w.APP, replace(rule, **wanted), token=TOKEN)
    assert caught.value.code == "SecurityGroupRuleExists"
    assert caught.value.is_outcome_known
    assert state(cloud).groups == before


def test_whether_a_rule_exists_is_never_read_from_the_text_of_an_error():
    cloud = emulator()
    rule = put(cloud, peer_group=w.WEB, ports="8080")
    said = {"type": "SecurityGroupRuleExists", "message": "garbled", "detail": ""}
    cloud.faults.append(
        Fault("garbage", action=POST_RULE, status=409, body=json.dumps({"NeutronError": said}))
    )
    with pytest.raises(ConflictError) as caught:
        connect(cloud).add_rule(w.APP, rule, token=TOKEN)
    assert caught.value.code == "SecurityGroupRuleExists"


@pytest.mark.parametrize("peer", [w.MISSING, w.FOREIGN], ids=["gone", "not visible"])
def test_a_rule_that_references_an_invisible_group_is_not_found(peer):
    cloud = emulator()
    rule = put(cloud, peer_group=w.WEB, ports="8080")
    with pytest.raises(NotFoundError) as caught:
        connect(cloud).add_rule(w.APP, replace(rule, peer_group=peer), token=TOKEN)
    assert caught.value.code == "SecurityGroupNotFound"


def test_an_address_group_that_is_gone_is_not_found():
    cloud = emulator(quirks={"address_groups": []})
    rule = put(cloud, template=ADDRESS_GROUP)
    with pytest.raises(NotFoundError):
        connect(cloud).add_rule(w.OUT, rule, token=TOKEN)


@pytest.mark.parametrize("limit", ["rules-per-project", "rules-per-group"])
def test_a_used_up_quota_of_rules_is_a_limit(limit):
    cloud = emulator(limits={limit: 2})
    rule = put(cloud, peer_group=w.WEB, ports="8080")
    with pytest.raises(LimitError) as caught:
        connect(cloud).add_rule(w.APP, replace(rule, peer_group=w.FREE), token=TOKEN)
    assert caught.value.code == "OverQuota"


def test_a_quota_below_zero_is_no_quota():
    cloud = emulator(limits={"rules-per-project": -1, "groups-per-project": -1})
    provider = connect(cloud)
    rule = provider.list_rules(w.APP).value[0]
    provider.add_rule(w.OUT, rule, token=TOKEN)
    provider.create_group(Group("", "more"), token=TOKEN)


def test_a_rule_that_got_another_id_is_found_by_its_content():
    cloud = emulator()
    rule = put(cloud, peer_group=w.WEB, ports="8080")
    provider = connect(cloud)
    provider.remove_rule(w.APP, rule, token=TOKEN)
    provider.add_rule(w.APP, rule, token=TOKEN)
    provider.remove_rule(w.APP, rule, token=TOKEN)
    assert content(rule) not in contents(provider)
    put(cloud, peer_group=w.WEB, ports="8080")
    provider.remove_rule(w.APP, replace(rule, rule_id=""), token=TOKEN)
    assert content(rule) not in contents(provider)


@pytest.mark.parametrize(
    ("group_id", "change"),
    [
        (w.APP, {"ports": "22"}),
        (w.APP, {"description": "another"}),
        (w.APP, {"rule_id": "", "peer_group": w.FREE}),
        (w.OUT, {}),
        (w.MISSING, {}),
    ],
    ids=["other ports", "other text", "no id, other peer", "another group", "no group"],
)
def test_a_rule_that_is_not_exactly_this_one_stays(group_id, change):
    cloud = emulator()
    rule = put(cloud, peer_group=w.WEB, ports="8080")
    with pytest.raises(NotFoundError):
        connect(cloud).remove_rule(group_id, replace(rule, **change), token=TOKEN)
    assert writes(cloud) == []


def test_an_id_that_belongs_to_another_rule_does_not_lead_to_a_third_one_by_content():
    cloud = emulator()
    rule = put(cloud, peer_group=w.WEB, ports="8080")
    (other,) = (r for r in connect(cloud).list_rules(w.APP).value if r.ports == "5432")
    with pytest.raises(NotFoundError):
        connect(cloud).remove_rule(w.APP, replace(rule, rule_id=other.rule_id), token=TOKEN)
    assert writes(cloud) == []


def test_a_rule_that_a_concurrent_edit_removed_is_not_found():
    cloud = emulator()
    rule = put(cloud, peer_group=w.WEB, ports="8080")
    said = {"type": "SecurityGroupRuleNotFound", "message": "does not exist", "detail": ""}
    cloud.faults.append(
        Fault("garbage", action=DELETE_RULE, status=404, body=json.dumps({"NeutronError": said}))
    )
    with pytest.raises(NotFoundError):
        connect(cloud).remove_rule(w.APP, rule, token=TOKEN)


def test_a_rule_is_removed_with_the_revision_that_was_read():
    assert revisions_sent(emulator(), CHANGES["remove-rule"]) == ["revision_number=0"]


def test_an_administrator_puts_a_rule_back_as_one_of_the_groups_own_project():
    cloud = emulator()
    rule = put(cloud, peer_group=w.WEB, ports="8080")
    root = connect(cloud, w.ADMIN_ENV)
    root.remove_rule(w.APP, rule, token=TOKEN)
    root.add_rule(w.APP, rule, token=TOKEN)
    assert content(rule) in contents(connect(cloud))
    assert {r.project for r in state(cloud).group(w.APP).rules} == {""}


def test_a_reader_may_change_nothing():
    cloud = emulator()
    rule = put(cloud, peer_group=w.WEB, ports="8080")
    before = copy.deepcopy(cloud.state.dump())
    rita = connect(cloud, w.READER_ENV)
    for change in (
        lambda: rita.add_rule(w.APP, replace(rule, peer_group=w.FREE), token=TOKEN),
        lambda: rita.remove_rule(w.APP, rule, token=TOKEN),
        lambda: rita.set_groups(PORT, (w.BOUND,), (w.FREE,), token=TOKEN),
        lambda: rita.create_group(Group("", "new"), token=TOKEN),
        lambda: rita.delete_group(w.FREE),
    ):
        with pytest.raises(ForbiddenError) as caught:
            change()
        assert caught.value.code == "PolicyNotAuthorized"
    assert cloud.state.dump() == before


# -- holders -------------------------------------------------------------------------------------


def test_a_port_is_moved_from_one_group_to_another_in_one_call():
    cloud = emulator()
    provider = connect(cloud)
    assert provider.read_holder(PORT) == (w.BOUND,)
    provider.set_groups(PORT, (w.BOUND,), (w.FREE, w.WEB), token=TOKEN)
    assert set(provider.read_holder(PORT)) == {w.FREE, w.WEB}
    (sent,) = writes(cloud)
    assert json.loads(sent.body) == {"port": {"security_groups": [w.FREE, w.WEB]}}


def test_a_port_is_changed_with_the_revision_that_was_read():
    cloud = emulator()
    state(cloud).interface(w.PORT).version = 41
    assert revisions_sent(cloud, CHANGES["set-groups"]) == ["revision_number=41"]


@pytest.mark.parametrize("kind", ["port", "interface", "dhcp", "load-balancer"])
def test_whatever_is_behind_a_port_is_changed_as_a_port(kind):
    cloud = emulator()
    connect(cloud).set_groups(Holder(kind, w.PORT), (w.BOUND,), (w.FREE,), token=TOKEN)
    assert groups_of(cloud) == [w.FREE]


def test_the_order_of_a_ports_groups_means_nothing():
    cloud = emulator(quirks={"unordered_groups": True})
    provider = connect(cloud)
    many = (w.BOUND, w.FREE, w.WEB, w.OUT, w.APP)
    provider.set_groups(PORT, (w.BOUND,), many, token=TOKEN)
    assert provider.read_holder(PORT) != many
    assert not provider.capabilities.orders_groups
    provider.set_groups(PORT, many[::-1], (w.FREE, w.BOUND), token=TOKEN)
    provider.set_groups(PORT, (w.BOUND, w.FREE), (w.BOUND,), token=TOKEN)
    assert groups_of(cloud) == [w.BOUND]


def test_the_same_groups_in_another_order_are_no_change():
    cloud = emulator()
    groups_of(cloud).append(w.FREE)
    connect(cloud).set_groups(PORT, (w.FREE, w.BOUND), (w.BOUND, w.FREE), token=TOKEN)
    assert writes(cloud) == []


def test_a_port_that_was_changed_between_reading_and_writing_is_left_alone():
    cloud = emulator()
    port = state(cloud).interface(w.PORT)

    def interfere(request):
        if request.method == "PUT":
            port.groups[:] = [w.BOUND, w.OUT]
            port.version += 1

    with pytest.raises(ConflictError) as caught:
        watched(cloud, interfere).set_groups(PORT, (w.BOUND,), (w.FREE,), token=TOKEN)
    assert caught.value.code == "RevisionNumberConstraintFailed"
    assert caught.value.is_outcome_known
    assert port.groups == [w.BOUND, w.OUT]


@pytest.mark.parametrize(
    "before", [(), (w.WEB,), (w.BOUND, w.WEB)], ids=["nothing", "another", "one more"]
)
def test_a_port_that_does_not_carry_what_is_expected_is_a_conflict(before):
    cloud = emulator()
    with pytest.raises(ConflictError):
        connect(cloud).set_groups(PORT, before, (w.FREE,), token=TOKEN)
    assert writes(cloud) == []


def test_a_port_is_never_left_without_a_group():
    cloud = emulator()
    with pytest.raises(InputError):
        connect(cloud).set_groups(PORT, (w.BOUND,), (), token=TOKEN)
    assert not cloud.requests


def test_a_port_whose_security_is_off_refuses_groups():
    cloud = emulator(quirks={"unprotected_ports": [w.PORT]})
    groups_of(cloud).clear()
    with pytest.raises(CloudError) as caught:
        connect(cloud).set_groups(PORT, (), (w.FREE,), token=TOKEN)
    assert caught.value.code == "PortSecurityAndIPRequiredForSecurityGroups"
    assert caught.value.is_outcome_known
    assert groups_of(cloud) == []


@pytest.mark.parametrize(
    ("group_id", "kind", "code"),
    [
        (w.MISSING, NotFoundError, "SecurityGroupNotFound"),
        (w.OUT, CloudError, "SecurityGroupConflict"),
    ],
    ids=["gone", "stateless beside stateful"],
)
def test_a_group_that_a_port_cannot_carry_is_refused(group_id, kind, code):
    cloud = emulator()
    state(cloud).group(w.OUT).kind = "stateless"
    with pytest.raises(kind) as caught:
        connect(cloud).set_groups(PORT, (w.BOUND,), (w.BOUND, group_id), token=TOKEN)
    assert caught.value.code == code
    assert groups_of(cloud) == [w.BOUND]


def test_a_port_of_another_project_on_our_network_is_seen_and_not_changed():
    cloud = emulator(quirks={"network_owners": {"net-1": w.PROJECT}})
    state(cloud).interface(w.PORT).project = w.OTHER_PROJECT
    provider = connect(cloud)
    assert provider.read_holder(PORT) == (w.BOUND,)
    with pytest.raises(ForbiddenError):
        provider.set_groups(PORT, (w.BOUND,), (w.FREE,), token=TOKEN)


@pytest.mark.parametrize(
    "holder",
    [
        Holder("port", w.MISSING),
        Holder("instance", w.MISSING),
        Holder("instance", w.FOREIGN_SERVER),
    ],
    ids=["port", "server", "server of another project"],
)
def test_a_holder_that_is_not_there_is_none(holder):
    provider = connect(emulator())
    assert provider.read_holder(holder) is None
    with pytest.raises(NotFoundError):
        provider.set_groups(holder, (w.BOUND,), (w.FREE,), token=TOKEN)


def test_a_server_without_a_port_carries_nothing():
    assert connect(emulator()).read_holder(Holder("instance", w.BARE_SERVER)) == ()


def test_a_server_with_one_port_is_that_port():
    cloud = emulator()
    server = Holder("instance", w.SERVER, w.SERVER)
    provider = connect(cloud)
    provider.set_groups(server, (w.BOUND,), (w.FREE, w.WEB), token=TOKEN)
    assert provider.read_holder(server) == (w.FREE, w.WEB)
    assert actions(cloud) == [PUT_PORT]


def test_a_server_whose_ports_carry_different_groups_is_a_conflict():
    cloud = emulator()
    server = Holder("instance", w.OTHER_SERVER, w.OTHER_SERVER)
    provider = connect(cloud)
    with pytest.raises(ConflictError):
        provider.read_holder(server)
    with pytest.raises(ConflictError):
        provider.set_groups(server, (w.BOUND,), (w.FREE,), token=TOKEN)
    assert writes(cloud) == []


@pytest.mark.parametrize(
    ("after", "calls"),
    [((w.BOUND, w.FREE, w.WEB), 1), ((w.BOUND,), 1), ((w.FREE, w.BOUND), 0)],
    ids=["one more", "one less", "the same"],
)
def test_a_server_whose_ports_agree_gets_or_loses_one_group_in_one_call(after, calls):
    cloud = emulator()
    ports = state(cloud).interfaces_of(w.OTHER_SERVER)
    for port in ports:
        port.groups = [w.BOUND, w.FREE]
    server = Holder("instance", w.OTHER_SERVER, w.OTHER_SERVER)
    connect(cloud).set_groups(server, (w.BOUND, w.FREE), after, token=TOKEN)
    assert [set(port.groups) for port in ports] == [set(after)] * 2
    assert actions(cloud) == [ACT] * calls


@pytest.mark.parametrize("after", [(w.WEB,), (w.BOUND, w.WEB)], ids=["another", "one of two"])
def test_more_than_one_group_of_several_ports_is_not_changed_halfway(after):
    cloud = emulator()
    ports = state(cloud).interfaces_of(w.OTHER_SERVER)
    for port in ports:
        port.groups = [w.BOUND, w.FREE]
    server = Holder("instance", w.OTHER_SERVER, w.OTHER_SERVER)
    with pytest.raises(CloudError) as caught:
        connect(cloud).set_groups(server, (w.BOUND, w.FREE), after, token=TOKEN)
    assert caught.value.code == "SeveralPorts"
    assert caught.value.is_outcome_known
    assert writes(cloud) == []


def test_an_answer_that_shows_other_groups_is_no_success():
    cloud = emulator()
    body = json.dumps({"port": {"id": w.PORT, "security_groups": [w.BOUND]}})
    cloud.faults.append(Fault("garbage", action=PUT_PORT, body=body))
    with pytest.raises(UnknownShapeError) as caught:
        connect(cloud).set_groups(PORT, (w.BOUND,), (w.FREE,), token=TOKEN)
    assert not caught.value.is_outcome_known


def test_a_cloud_that_tells_no_revision_is_sent_none():
    cloud = emulator()
    body = json.dumps({"port": {"id": w.PORT, "security_groups": [w.BOUND]}})
    cloud.faults.append(Fault("garbage", action="GET /v2.0/ports/{id}", body=body))
    assert revisions_sent(cloud, CHANGES["set-groups"]) == [None]


def test_a_binding_tells_the_other_groups_of_its_port():
    cloud = emulator()
    groups_of(cloud).append(w.FREE)
    bindings = connect(cloud).list_bindings([w.BOUND]).value[w.BOUND]
    told = {binding.holder_id: binding.other_group_ids for binding in bindings}
    assert told == {w.PORT: (w.FREE,), w.PORT_SECOND: ()}


# -- groups --------------------------------------------------------------------------------------


def test_a_group_is_built_again_without_the_rules_neutron_gives_it():
    cloud = emulator()
    old = state(cloud).group(w.FREE)
    old.description, old.tags, old.kind = "for later", {"team": "shop", "keep": ""}, "stateless"
    provider = connect(cloud)
    group = provider.read_groups([w.FREE]).value[w.FREE]
    provider.delete_group(w.FREE)
    new = provider.create_group(group, token=TOKEN)

    assert new != w.FREE
    assert provider.list_rules(new).value == ()
    assert provider.read_groups([new]).value[new] == replace(group, group_id=new)
    assert actions(cloud).count(DELETE_RULE) == 2


def test_a_group_without_tags_takes_no_call_for_them():
    cloud = emulator()
    connect(cloud).create_group(Group("", "plain"), token=TOKEN)
    assert actions(cloud) == ["POST /v2.0/security-groups", DELETE_RULE, DELETE_RULE]


def test_an_administrator_builds_a_group_again_where_it_was():
    cloud = emulator()
    root = connect(cloud, w.ADMIN_ENV)
    new = root.create_group(Group("", "theirs", project=w.OTHER_PROJECT), token=TOKEN)
    assert state(cloud).group(new).project == w.OTHER_PROJECT


def test_a_default_group_cannot_be_built_beside_another():
    cloud = emulator()
    with pytest.raises(ConflictError) as caught:
        connect(cloud).create_group(Group("", "default"), token=TOKEN)
    assert caught.value.code == "SecurityGroupDefaultAlreadyExists"


def test_a_used_up_quota_of_groups_is_a_limit():
    cloud = emulator(limits={"groups-per-project": 7})
    with pytest.raises(LimitError):
        connect(cloud).create_group(Group("", "eighth"), token=TOKEN)


@pytest.mark.parametrize("action", [DELETE_RULE, "PUT /v2.0/security-groups/{id}/tags"])
@pytest.mark.parametrize("kind", ["error", "drop", "throttle"])
@pytest.mark.sampled(3)
def test_a_group_that_could_not_be_finished_is_deleted_again(kind, action):
    cloud = emulator()
    provider = connect(cloud)
    provider.read_groups([w.FREE])
    before = len(state(cloud).groups)
    cloud.faults.append(Fault(kind, action=action))
    with pytest.raises(CloudError):
        provider.create_group(Group("", "half", tags=(("team", "shop"),)), token=TOKEN)
    assert len(state(cloud).groups) == before


def test_a_group_that_could_neither_be_finished_nor_deleted_is_said():
    cloud = emulator()
    provider = connect(cloud)
    provider.read_groups([w.FREE])
    cloud.faults.append(Fault("error", action="DELETE *", count=9))
    with pytest.raises(UnavailableError) as caught:
        provider.create_group(Group("", "half"), token=TOKEN)
    left = next(group for group in state(cloud).groups if group.name == "half")
    assert left.id in str(caught.value)
    assert not caught.value.is_outcome_known


def test_an_answer_that_hides_the_new_groups_rules_makes_them_be_read():
    cloud = emulator()
    new = "7c0ffee0-0000-4000-8000-0000000000aa"
    kind = type(state(cloud).group(w.FREE))
    rules = [dataclasses.replace(state(cloud).group(w.APP).rules[1], id="5e1f-rule")]
    group = kind(new, "half", region="RegionOne", project=w.PROJECT, rules=rules)
    state(cloud).groups.append(group)
    body = json.dumps({"security_group": {"id": new, "name": "half"}})
    cloud.faults.append(
        Fault("garbage", action="POST /v2.0/security-groups", status=201, body=body)
    )
    assert connect(cloud).create_group(Group("", "half"), token=TOKEN) == new
    assert group.rules == []


def test_a_default_group_is_not_removed_by_a_member():
    cloud = emulator(interfaces=[])
    with pytest.raises(CloudError) as caught:
        connect(cloud).delete_group(w.DEFAULT)
    assert caught.value.code == "SecurityGroupCannotRemoveDefault"
    assert state(cloud).group(w.DEFAULT) is not None


# -- every change --------------------------------------------------------------------------------

CHANGES = {
    "add-rule": lambda p, rule: p.add_rule(w.APP, replace(rule, peer_group=w.FREE), token=TOKEN),
    "remove-rule": lambda p, rule: p.remove_rule(w.APP, rule, token=TOKEN),
    "set-groups": lambda p, _: p.set_groups(PORT, (w.BOUND,), (w.FREE,), token=TOKEN),
    "create-group": lambda p, _: p.create_group(Group("", "new"), token=TOKEN),
    "delete-group": lambda p, _: p.delete_group(w.FREE),
}
WRITE = {
    "add-rule": POST_RULE,
    "remove-rule": DELETE_RULE,
    "set-groups": PUT_PORT,
    "create-group": "POST /v2.0/security-groups",
    "delete-group": "DELETE /v2.0/security-groups/{id}",
}


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("is_after", [False, True], ids=["lost request", "lost answer"])
@pytest.mark.sampled(4)
def test_a_change_without_an_answer_is_sent_once_and_its_outcome_is_open(change, is_after):
    cloud = emulator()
    provider = connect(cloud)
    rule = put(cloud, peer_group=w.WEB, ports="8080")
    cloud.faults.append(Fault("drop", action=WRITE[change], is_after=is_after, count=9))
    with pytest.raises(UnreachableError) as caught:
        CHANGES[change](provider, rule)
    assert not caught.value.is_outcome_known
    assert actions(cloud) == [WRITE[change]]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.sampled(3)
def test_a_change_with_a_token_that_ran_out_is_made_once(change):
    cloud = emulator()
    provider = connect(cloud)
    rule = put(cloud, peer_group=w.WEB, ports="8080")
    before = copy.deepcopy(cloud.state.dump())
    state(cloud).tokens.clear()
    CHANGES[change](provider, rule)
    assert cloud.state.dump() != before


def test_what_a_delete_would_do_is_told_for_the_token_that_asks():
    cloud = emulator()
    rita, alice = connect(cloud, w.READER_ENV), connect(cloud)
    assert rita.read_groups([w.FREE]).value[w.FREE].delete_refused_with == "PolicyNotAuthorized"
    with pytest.raises(ForbiddenError, match="PolicyNotAuthorized"):
        rita.delete_group(w.FREE)
    assert alice.read_groups([w.FREE]).value[w.FREE].delete_refused_with == ""
    alice.delete_group(w.FREE)
