"""Rules and groups of Huawei Cloud, changed: what is sent, and what is never done."""

import copy
import dataclasses
import itertools
import json

import httpx
import pytest
from msgspec.structs import replace

from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import Fault
from sgguard.emulator.state import Rule as Held
from sgguard.emulator.transport import EmulatorTransport
from sgguard.errors import (
    CloudError,
    ConflictError,
    DeadlineError,
    ForbiddenError,
    InUseError,
    InvalidRequestError,
    LimitError,
    NotFoundError,
    UnavailableError,
    UnknownShapeError,
    UnreachableError,
)
from sgguard.model.change import content
from sgguard.model.resource import Direction, Group, Rule
from sgguard.providers.access import Access
from sgguard.providers.huawei import connect
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.retry import Retry
from tests.worlds import huawei as world
from tests.worlds.huawei import PROJECT, WORLD

RULES = "/v3/{project_id}/vpc/security-group-rules"
GROUPS = "/v3/{project_id}/vpc/security-groups"
ADDRESSES = "5a1b3c7d-0000-4000-8000-000000000077"


def emulator_of(**quirks):
    scenario = WORLD.scenario_copy()
    scenario["clouds"][0]["quirks"] |= quirks
    return Emulator.load(scenario)


def otc_emulator():
    scenario = WORLD.scenario_copy()
    cloud = scenario["clouds"][0]
    cloud["quirks"]["otc"] = True
    cloud["regions"] = ["eu-de"]
    cloud["accounts"][0]["project_names"] = {PROJECT: "eu-de"}
    return Emulator.load(scenario)


def cloud_of(emulator):
    return emulator.state.clouds[0]


def changes(emulator):
    """Method, path and body of everything that was sent and is no question."""
    return [
        (r.method, r.action.partition(" ")[2], json.loads(r.body or "{}"))
        for r in emulator.requests
        if r.method != "GET"
    ]


def rules_of(emulator, group_id):
    return WORLD.connect(emulator).list_rules(group_id).value


def reference_of(emulator):
    (rule,) = (rule for rule in rules_of(emulator, world.REFERRER_IN) if rule.peer_group)
    return rule


# -- putting rules in --------------------------------------------------------------------------


@pytest.mark.parametrize(
    "more",
    [
        {"cidr": "10.0.0.0/8"},
        {"peer_group": world.REFERENCED},
        {"peer_group": world.SELF_REFERENCING},
        {"template": ADDRESSES},
        {},
        {"cidr": "0.0.0.0/0"},
        {"cidr": "::/0", "ethertype": "IPv6"},
        {"ethertype": "IPv6", "protocol": "icmpv6", "ports": "any"},
        {"ports": "22,3389,8000-8010", "cidr": "10.0.0.0/8"},
        {"action": "drop", "priority": 100, "cidr": "10.0.0.0/8"},
        {"enabled": False, "cidr": "10.0.0.0/8"},
        {"description": "grün & <nothing>", "cidr": "10.0.0.0/8"},
        {"protocol": "any", "ports": "any"},
        {"protocol": "112", "ports": "any"},
    ],
    ids=lambda more: ",".join(f"{k}={str(v)[:9]}" for k, v in more.items()) or "nobody",
)
@pytest.mark.parametrize("direction", ["ingress", "egress"])
@pytest.mark.sampled(6)
def test_a_rule_removed_and_restored_is_unchanged(more, direction):
    emulator = emulator_of()
    held = Held(direction, id="7c1d", **({"protocol": "tcp", "ports": "22"} | more))
    cloud_of(emulator).group(world.FREE).rules.append(held)
    provider = WORLD.connect(emulator)
    (rule,) = provider.list_rules(world.FREE).value
    provider.remove_rule(world.FREE, rule, token="a")
    assert provider.list_rules(world.FREE).value == ()
    provider.add_rule(world.FREE, rule, token="b")
    (back,) = provider.list_rules(world.FREE).value
    assert content(back) == content(rule)
    assert back.rule_id != rule.rule_id
    (stored,) = cloud_of(emulator).group(world.FREE).rules
    assert dataclasses.replace(stored, id="") == dataclasses.replace(held, id="")


def test_a_rule_is_rewritten_to_another_group_and_keeps_everything_else():
    emulator = emulator_of()
    provider = WORLD.connect(emulator)
    rule = reference_of(emulator)
    provider.add_rule(world.REFERRER_IN, replace(rule, peer_group=world.FREE), token="t")
    (method, path, body) = changes(emulator)[-1]
    assert (method, path) == ("POST", RULES)
    assert body == {
        "security_group_rule": {
            "security_group_id": world.REFERRER_IN,
            "direction": "ingress",
            "ethertype": "IPv4",
            "protocol": "tcp",
            "multiport": "5432",
            "remote_group_id": world.FREE,
            "action": "allow",
            "priority": 1,
        }
    }
    added = [r for r in rules_of(emulator, world.REFERRER_IN) if r.peer_group == world.FREE]
    assert [content(r) for r in added] == [content(replace(rule, peer_group=world.FREE))]


def test_a_rule_that_is_there_already_is_a_conflict_and_not_made_twice():
    emulator = emulator_of()
    before = copy.deepcopy(cloud_of(emulator).groups)
    provider = WORLD.connect(emulator)
    for rule in provider.list_rules(world.REFERRER_IN).value:
        with pytest.raises(ConflictError):
            provider.add_rule(world.REFERRER_IN, rule, token="t")
    assert cloud_of(emulator).groups == before


@pytest.mark.parametrize("more", [{"description": "other"}, {"is_enabled": False}])
def test_a_rule_in_the_way_that_is_not_equal_is_a_conflict(more):
    emulator = emulator_of()
    before = copy.deepcopy(cloud_of(emulator).groups)
    provider = WORLD.connect(emulator)
    rule = replace(provider.list_rules(world.REFERRER_IN).value[0], **more)
    with pytest.raises(ConflictError) as caught:
        provider.add_rule(world.REFERRER_IN, rule, token="t")
    assert (caught.value.code, caught.value.is_outcome_known) == ("VPC.9902", True)
    assert cloud_of(emulator).groups == before


@pytest.mark.parametrize(
    ("group_id", "peer", "error"),
    [
        (WORLD.missing, world.FREE, NotFoundError),
        (world.REFERRER_IN, WORLD.missing, NotFoundError),
    ],
    ids=["group", "peer"],
)
def test_a_rule_of_or_about_a_group_that_is_gone_is_not_found(group_id, peer, error):
    provider = WORLD.connect(emulator_of())
    rule = replace(reference_of(emulator_of()), peer_group=peer)
    with pytest.raises(error) as caught:
        provider.add_rule(group_id, rule, token="t")
    assert caught.value.code == "VPC.9904"


@pytest.mark.parametrize("limits", [{"rules-per-group": 2}, {"rules-per-project": 7}])
def test_one_rule_too_many_is_a_limit(limits):
    emulator = emulator_of()
    cloud_of(emulator).limits |= limits
    provider = WORLD.connect(emulator)
    rule = replace(reference_of(emulator), peer_group=world.FREE)
    with pytest.raises(LimitError) as caught:
        provider.add_rule(world.REFERRER_IN, rule, token="t")
    assert caught.value.code == "VPC.9905"


def test_a_rule_with_a_wrong_version_is_refused_and_not_taken_for_one_that_is_there():
    provider = WORLD.connect(emulator_of())
    rule = replace(provider.list_rules(world.REFERRER_IN).value[0], native=(("ethertype", "IPv5"),))
    with pytest.raises(CloudError) as caught:
        provider.add_rule(world.FREE, rule, token="t")
    assert type(caught.value) is InvalidRequestError
    assert (caught.value.code, caught.value.status) == ("VPC.9902", 400)


@pytest.mark.parametrize(
    ("passed_over", "more"),
    [
        ("enabled", {"is_enabled": False}),
        ("priority", {"priority": 7}),
        ("action", {"action": "drop"}),
        ("description", {"description": "why"}),
    ],
)
def test_a_cloud_that_passes_over_a_part_of_a_rule_is_not_believed(passed_over, more):
    emulator = emulator_of(passes_over=[passed_over])
    provider = WORLD.connect(emulator)
    rule = replace(provider.list_rules(world.REFERRER_IN).value[0], **more)
    with pytest.raises(UnknownShapeError) as caught:
        provider.add_rule(world.FREE, rule, token="t")
    assert not caught.value.is_outcome_known


def test_open_telekom_cloud_is_never_sent_the_switch_that_it_does_not_know():
    emulator = otc_emulator()
    provider = WORLD.connect(emulator, region="eu-de")
    rule = provider.list_rules(world.REFERRER_IN).value[0]
    provider.add_rule(world.FREE, rule, token="t")
    (back,) = provider.list_rules(world.FREE).value
    assert content(back) == content(rule)
    with pytest.raises(CloudError) as caught:
        provider.add_rule(world.FREE, replace(rule, is_enabled=False, priority=9), token="t")
    assert caught.value.code == "SYS.0400"


# -- taking rules out --------------------------------------------------------------------------


def test_a_rule_that_is_gone_is_not_found_and_nothing_is_sent():
    emulator = emulator_of()
    provider = WORLD.connect(emulator)
    rule = provider.list_rules(world.REFERRER_IN).value[0]
    provider.remove_rule(world.REFERRER_IN, rule, token="t")
    sent = changes(emulator)
    with pytest.raises(NotFoundError):
        provider.remove_rule(world.REFERRER_IN, rule, token="t")
    assert changes(emulator) == sent


def test_a_rule_whose_content_changed_under_its_id_is_a_conflict_and_stays():
    emulator = emulator_of()
    provider = WORLD.connect(emulator)
    rule = next(r for r in provider.list_rules(world.REFERRER_IN).value if r.rule_id == "r-in")
    held = next(r for r in cloud_of(emulator).group(world.REFERRER_IN).rules if r.id == "r-in")
    held.ports = "5433"
    with pytest.raises(ConflictError) as caught:
        provider.remove_rule(world.REFERRER_IN, rule, token="t")
    assert caught.value.is_outcome_known
    assert held in cloud_of(emulator).group(world.REFERRER_IN).rules
    assert changes(emulator) == []


def test_the_rule_of_an_id_in_another_group_is_left_alone():
    emulator = emulator_of()
    provider = WORLD.connect(emulator)
    rule = provider.list_rules(world.REFERRER_IN).value[0]
    with pytest.raises(NotFoundError):
        provider.remove_rule(world.REFERRER_OUT, rule, token="t")
    assert changes(emulator) == []


@pytest.mark.parametrize("rule_id", ["", "an-id-from-before", "r-in"])
def test_a_rule_restored_under_another_id_is_found_by_its_content(rule_id):
    emulator = emulator_of()
    provider = WORLD.connect(emulator)
    old = next(r for r in provider.list_rules(world.REFERRER_IN).value if r.rule_id == "r-in")
    new = replace(old, rule_id=rule_id, peer_group=world.FREE)
    provider.add_rule(world.REFERRER_IN, new, token="t")
    provider.remove_rule(world.REFERRER_IN, new, token="t")
    left = provider.list_rules(world.REFERRER_IN).value
    assert old in left
    assert world.FREE not in {r.peer_group for r in left}


def test_of_two_rules_with_one_content_the_one_with_the_id_goes():
    for wanted in ("twin-1", "twin-2"):
        emulator = emulator_of()
        cloud_of(emulator).group(world.FREE).rules += [
            Held("ingress", id=name, ports="22", cidr="10.0.0.0/8") for name in ("twin-1", "twin-2")
        ]
        provider = WORLD.connect(emulator)
        rule = next(r for r in provider.list_rules(world.FREE).value if r.rule_id == wanted)
        provider.remove_rule(world.FREE, rule, token="t")
        (left,) = cloud_of(emulator).group(world.FREE).rules
        assert left.id != wanted


def test_where_the_filter_has_no_effect_a_rule_of_another_group_is_left_alone():
    emulator = emulator_of(ignored_filters=["security_group_id"])
    provider = WORLD.connect(emulator)
    rule = next(r for r in rules_of(emulator_of(), world.REFERRER_IN) if r.rule_id == "r-in")
    for rule_id in ("r-in", ""):
        with pytest.raises(NotFoundError):
            provider.remove_rule(world.FREE, replace(rule, rule_id=rule_id), token="t")
    assert changes(emulator) == []


def test_a_rule_made_in_another_group_is_not_believed():
    inner = EmulatorTransport(emulator_of())

    def elsewhere(request):
        body = json.loads(inner.handle_request(request).read())
        body["security_group_rule"]["security_group_id"] = world.BOUND
        return httpx.Response(201, json=body)

    with pytest.raises(UnknownShapeError):
        over(httpx.MockTransport(elsewhere)).add_rule(
            world.FREE, reference_of(emulator_of()), token="t"
        )


def test_rules_that_cannot_be_read_are_not_removed():
    scenario = WORLD.scenario_copy()
    scenario["clouds"][0]["accounts"][0]["denied"] = [f"GET {RULES}", f"GET {GROUPS}/{{id}}"]
    emulator = Emulator.load(scenario)
    rule = rules_of(emulator_of(), world.REFERRER_IN)[0]
    with pytest.raises(ForbiddenError):
        WORLD.connect(emulator).remove_rule(world.REFERRER_IN, rule, token="t")
    assert changes(emulator) == []


# -- regions without v3 ------------------------------------------------------------------------


def test_what_only_v3_can_express_is_never_restored_through_v2():
    rules = [
        rules_of(emulator_of(), world.REFERRER_IN)[0],
        *rules_of(emulator_of(), world.DENIED_AND_DISABLED),
        Rule("", Direction.INGRESS, action="drop"),
        Rule("", Direction.INGRESS, is_enabled=False),
    ]
    for rule in rules:
        emulator = emulator_of(v3_absent=True)
        with pytest.raises(ConflictError) as caught:
            WORLD.connect(emulator).add_rule(world.FREE, rule, token="t")
        assert caught.value.is_outcome_known
        assert [path for _, path, _ in changes(emulator)] == [RULES]  # and that is absent


@pytest.mark.parametrize("wrapped", [False, True], ids=["raw", "wrapped"])
@pytest.mark.parametrize(
    "more",
    [
        {"cidr": "10.0.0.0/8"},
        {"peer_group": world.REFERENCED},
        {"template": ADDRESSES},
        {"cidr": "::/0", "ethertype": "IPv6"},
        {"ports": "8000-8010"},
        {"protocol": "icmp", "ports": "8-0"},
        {"protocol": "any", "ports": "any", "description": "all"},
    ],
    ids=lambda more: ",".join(f"{k}={str(v)[:9]}" for k, v in more.items()),
)
@pytest.mark.sampled(8)
def test_without_v3_a_rule_removed_and_restored_is_unchanged(more, wrapped):
    emulator = emulator_of(v3_absent=True, wrapped=wrapped)
    held = Held("ingress", id="7c1d", **({"protocol": "tcp", "ports": "22"} | more))
    cloud_of(emulator).group(world.FREE).rules.append(held)
    provider = WORLD.connect(emulator)
    (rule,) = provider.list_rules(world.FREE).value
    with pytest.raises(ConflictError):
        provider.add_rule(world.FREE, rule, token="a")  # is there already
    provider.remove_rule(world.FREE, rule, token="b")
    with pytest.raises(NotFoundError):
        provider.remove_rule(world.FREE, rule, token="c")
    assert provider.list_rules(world.FREE).value == ()
    provider.add_rule(world.FREE, rule, token="d")
    (back,) = provider.list_rules(world.FREE).value
    assert content(back) == content(rule)
    with pytest.raises(ConflictError):
        provider.add_rule(world.FREE, replace(rule, description="other"), token="e")


def test_without_v3_a_rule_about_a_group_that_is_gone_is_not_found():
    emulator = emulator_of(v3_absent=True)
    rule = replace(reference_of(emulator), peer_group=WORLD.missing)
    with pytest.raises(NotFoundError):
        WORLD.connect(emulator).add_rule(world.FREE, rule, token="t")


@pytest.mark.parametrize("wrapped", [False, True], ids=["raw", "wrapped"])
def test_without_v3_a_group_is_made_without_rules_all_the_same(wrapped):
    emulator = emulator_of(v3_absent=True, wrapped=wrapped)
    cloud_of(emulator).limits["groups-per-project"] = 11
    provider = WORLD.connect(emulator)
    group_id = provider.create_group(NEW, token="t")
    made = provider.read_groups([group_id]).value[group_id]
    assert (made.name, made.description, made.rules) == (NEW.name, NEW.description, ())
    with pytest.raises(LimitError):
        provider.create_group(NEW, token="t")
    with pytest.raises(ConflictError):
        provider.create_group(replace(NEW, name="default"), token="t")


# -- groups ------------------------------------------------------------------------------------


NEW = Group(
    "old-id", name="web", description="of the shop", kind="",
    tags=(("owner", "team"), ("stage", "")),
    native=(("enterprise_project_id", "0aad99bc-f5f6-4f78-8404-c598d76b0ed2"),),
)  # fmt: skip


def test_a_new_group_is_like_the_old_one_and_has_no_rule():
    emulator = emulator_of()
    provider = WORLD.connect(emulator)
    group_id = provider.create_group(NEW, token="t")
    made = provider.read_groups([group_id]).value[group_id]
    assert made == replace(NEW, group_id=group_id, project=PROJECT)
    assert provider.list_rules(group_id).value == ()
    assert [(m, p) for m, p, _ in changes(emulator)] == [
        ("POST", GROUPS),
        *[("DELETE", RULES + "/{id}")] * 4,
    ]


def test_a_group_read_and_made_again_is_equal_up_to_its_id():
    emulator = emulator_of(enterprise_projects={world.BOUND: "eps-7"})
    provider = WORLD.connect(emulator)
    old = provider.read_groups([world.BOUND]).value[world.BOUND]
    new_id = provider.create_group(old, token="t")
    assert provider.read_groups([new_id]).value[new_id] == replace(old, group_id=new_id)
    assert dict(old.native) == {"enterprise_project_id": "eps-7"}


def test_one_group_too_many_is_a_limit():
    emulator = emulator_of()
    cloud_of(emulator).limits["groups-per-project"] = 10
    with pytest.raises(LimitError):
        WORLD.connect(emulator).create_group(NEW, token="t")
    assert len(cloud_of(emulator).groups) == 10


@pytest.mark.parametrize("kind", ["error", "drop", "throttle"])
def test_a_group_that_cannot_be_emptied_is_deleted_again(kind):
    emulator = emulator_of()
    before = {group.id for group in cloud_of(emulator).groups}
    emulator.faults.append(Fault(kind, action=f"DELETE {RULES}*", count=1))
    with pytest.raises(CloudError) as caught:
        WORLD.connect(emulator).create_group(NEW, token="t")
    assert caught.value.action == f"DELETE {RULES}/{{id}}"
    assert {group.id for group in cloud_of(emulator).groups} == before


def test_a_group_that_can_neither_be_emptied_nor_deleted_is_named():
    emulator = emulator_of()
    before = {group.id for group in cloud_of(emulator).groups}
    emulator.faults.append(Fault("error", action="DELETE *", code="VPC.2201", count=9))
    with pytest.raises(UnavailableError) as caught:
        WORLD.connect(emulator).create_group(NEW, token="t")
    (left,) = {group.id for group in cloud_of(emulator).groups} - before
    assert left in str(caught.value)
    assert not caught.value.is_outcome_known


def test_a_new_group_whose_answer_leaves_its_rules_out_is_emptied_all_the_same():
    emulator = emulator_of()
    inner = EmulatorTransport(emulator)

    def without_rules(request):
        response = inner.handle_request(request)
        if request.method != "POST":
            return response
        body = json.loads(response.read())
        del body["security_group"]["security_group_rules"]
        return httpx.Response(201, json=body)

    provider = over(httpx.MockTransport(without_rules))
    group_id = provider.create_group(NEW, token="t")
    assert cloud_of(emulator).group(group_id).rules == []


def test_an_answer_without_an_id_is_no_group():
    provider = over(httpx.MockTransport(lambda _: httpx.Response(201, json={"security_group": {}})))
    with pytest.raises(UnknownShapeError) as caught:
        provider.create_group(NEW, token="t")
    assert not caught.value.is_outcome_known


# -- every change ------------------------------------------------------------------------------


def each_change():
    rule = rules_of(emulator_of(), world.REFERRER_IN)[0]
    return {
        "add_rule": lambda p: p.add_rule(world.FREE, rule, token="t"),
        "remove_rule": lambda p: p.remove_rule(world.REFERRER_IN, rule, token="t"),
        "create_group": lambda p: p.create_group(NEW, token="t"),
        "delete_group": lambda p: p.delete_group(world.FREE),
    }


FAULTS = [
    (Fault("garbage"), UnknownShapeError),
    (Fault("garbage", is_after=True), UnknownShapeError),
    (Fault("drop"), UnreachableError),
    (Fault("drop", is_after=True), UnreachableError),
    (Fault("error", code="SYS.0500"), UnavailableError),
    (Fault("garbage", status=502, content_type="text/html", body="<html>"), UnavailableError),
]


@pytest.mark.parametrize("name", list(each_change()))
@pytest.mark.parametrize(
    ("fault", "kind"), FAULTS, ids=["page", "page-after", "drop", "lost", "500", "html"]
)
@pytest.mark.sampled(6)
def test_a_change_is_sent_once_and_says_when_its_outcome_is_unknown(name, fault, kind):
    emulator = emulator_of()
    methods = "DELETE" if name in ("remove_rule", "delete_group") else "POST"
    emulator.faults.append(dataclasses.replace(fault, action=f"{methods} *", count=9))
    with pytest.raises(kind) as caught:
        each_change()[name](WORLD.connect(emulator))
    assert not caught.value.is_outcome_known
    assert len(changes(emulator)) == 1


@pytest.mark.parametrize("name", list(each_change()))
def test_a_reader_may_change_nothing(name):
    emulator = emulator_of()
    cloud_of(emulator).accounts[0].role = "reader"
    before = copy.deepcopy(emulator.state.dump())
    with pytest.raises(ForbiddenError) as caught:
        each_change()[name](WORLD.connect(emulator))
    assert caught.value.code == "VPC.2201"
    assert emulator.state.dump() == before


@pytest.mark.parametrize("name", list(each_change()))
def test_without_time_nothing_is_sent(name):
    emulator = emulator_of()
    with pytest.raises(DeadlineError):
        each_change()[name](WORLD.connect(emulator, deadline_s=0))
    assert not emulator.requests


def test_a_group_in_use_is_said_to_be_and_force_changes_nothing_about_it():
    emulator = emulator_of()
    for is_forced in (False, True):
        with pytest.raises(InUseError):
            WORLD.connect(emulator).delete_group(world.BOUND, is_forced=is_forced)
    assert len(cloud_of(emulator).interfaces_with(world.BOUND)) == 2


def test_every_part_of_a_rule_survives_in_every_combination():
    emulator = emulator_of()
    provider = WORLD.connect(emulator)
    peers = [{"cidr": "10.0.0.0/8"}, {"peer_group": world.REFERENCED}, {"template": ADDRESSES}]
    numbers = itertools.count(1)
    for peer, action, enabled, ports, version in itertools.product(
        peers, ("accept", "drop"), (True, False), ("any", "22", "1-30,80"), ("IPv4", "IPv6")
    ):
        cloud_of(emulator).group(world.FREE).rules.append(
            Held("ingress", id=f"r{next(numbers)}", ports=ports, action=action, enabled=enabled,
                 priority=1 + enabled, ethertype=version, **peer)
        )  # fmt: skip
    cloud_of(emulator).limits["rules-per-group"] = 100
    rules = provider.list_rules(world.FREE).value
    for rule in rules:
        provider.remove_rule(world.FREE, rule, token="t")
    for rule in rules:
        provider.add_rule(world.FREE, rule, token="t")
    assert {content(r) for r in provider.list_rules(world.FREE).value} == set(map(content, rules))
    assert len(rules) == 72


def over(transport):
    wire = Wire(
        "huawei", Deadline.after(30), transport=transport, retry=Retry(sleep=lambda _: None)
    )
    return connect(Access(wire, WORLD.region, env=WORLD.env))


@pytest.mark.parametrize(
    "odd", [{"priority": "high"}, {"enabled": "perhaps"}, {"action": "reject"}], ids=repr
)
def test_a_rule_with_a_value_that_no_rule_can_be_made_with_is_read_and_never_taken_away(odd):
    emulator = emulator_of()
    inner = EmulatorTransport(emulator)

    def odd_rules(request):
        response = inner.handle_request(request)
        body = json.loads(response.read() or b"{}")
        for row in body.get("security_group_rules", []):
            row.update(odd)
        return httpx.Response(response.status_code, json=body)

    provider = over(httpx.MockTransport(odd_rules))
    rules = provider.list_rules(world.REFERRER_IN).value
    rule = next(one for one in rules if one.peer_group == world.REFERENCED)
    assert rule in [
        one.rule for one in provider.list_references([world.REFERENCED]).value[world.REFERENCED]
    ]
    with pytest.raises(UnknownShapeError, match="could not be made again"):
        provider.remove_rule(world.REFERRER_IN, rule, token="t")
    assert changes(emulator) == []
