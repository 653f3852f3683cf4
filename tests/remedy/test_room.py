"""What a plan adds has room: the groups that holders get, and the groups that rules name."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sgguard.model.address import Scope
from sgguard.model.change import Change, Holder
from sgguard.model.decision import Step
from sgguard.model.resource import Direction, Group, Limit, Rule
from sgguard.policy import Caps
from sgguard.remedy.caps import stopped_by
from sgguard.remedy.plan import Plan, PlanInputs, Planned
from sgguard.remedy.room import gained, locking_rooms, no_room, permitted
from sgguard.render.language.sentence import message_of
from sgguard.store.codec import dump
from tests.remedy.harness import Harness
from tests.worlds import world_of

SCOPE = Scope("tencent", "", "ap-guangzhou")
FULL = Limit("instances-per-group", 10, source="live")
OPENSTACK, ALIBABA = world_of("openstack"), world_of("alibaba")


def binding(number: int, after: tuple[str, ...] = ("sg-old", "sg-new")) -> Planned:
    holder = Holder("instance", f"ins-{number}", f"ins-{number}")
    change = Change("set-groups", "sg-old", holder=holder, before=("sg-old",), after=after)
    return Planned(Step("move", f"{SCOPE}:sg-old", ""), change, "sg-old")


def messages(plan: Plan, inputs: PlanInputs, overrides=None, tolerated=()) -> list[str]:
    return [message_of(one) for one in no_room(plan, inputs, overrides or {}, tolerated)]


def moving(holders: int, used: int | None, *limits: Limit, **more) -> list[str]:
    plan = Plan(SCOPE, tuple(binding(n) for n in range(holders)))
    groups = {"sg-new": Group("sg-new", "spare", kind="")}
    counts = {} if used is None else {"sg-new": used}
    tolerated = more.pop("tolerated", ())
    overrides = more.pop("overrides", None)
    inputs = PlanInputs(groups=groups, counts=counts, limits=limits, **more)
    return messages(plan, inputs, overrides, tolerated)


@pytest.mark.parametrize(("used", "fits"), [(8, True), (9, False)])
def test_the_group_that_holders_are_moved_to_is_counted(used, fits):
    assert (moving(2, used, FULL) == []) is fits
    assert (moving(2, used, overrides={"instances-per-group": 10}) == []) is fits
    assert moving(2, 50, replace(FULL, is_enforced=False)) == []


def test_the_message_names_group_numbers_and_limit():
    (words,) = moving(2, 9, FULL)
    assert "sg-new (spare)" in words
    assert "11 holders (9 now, 2 more), over the limit of 10 (instances-per-group)" in words


def test_a_use_that_is_not_told_is_no_room_unless_the_policy_tolerates_it():
    assert "could not be seen" in moving(1, None, FULL)[0]
    plan, inputs = Plan(SCOPE, (binding(1),)), PlanInputs(limits=(FULL,))
    (reason,) = no_room(plan, inputs, {}, ("not-told",))
    assert reason.effect == "warn"
    assert moving(1, None) == []


def test_a_target_that_rules_name_falls_under_the_lower_ceiling():
    lower = Limit("instances-per-referenced-group", 5, source="live")
    assert moving(1, 5, FULL, lower) == []
    assert len(moving(1, 5, FULL, lower, referenced=frozenset({"sg-new"}))) == 1


def test_a_holder_gains_a_group_once_however_many_changes_it_takes():
    twice = binding(1, ("sg-new",))
    twice = replace(twice, change=replace(twice.change, before=("sg-old", "sg-new")))
    assert gained(Plan(SCOPE, (binding(1), twice, binding(2)))) == {"sg-new": 2}


def test_a_plan_has_the_room_of_a_group_alone_where_the_policy_has_a_ceiling_for_it():
    plan = Plan(SCOPE, (binding(1),))
    assert locking_rooms(plan, {"groups-per-instance": 2}).keys() == plan.keys()
    counted = locking_rooms(plan, {"instances-per-group": 2})
    assert set(counted.keys()) - set(plan.keys()) == {f"{SCOPE}:sg-new/holders"}
    assert counted.pointed_to() == plan.pointed_to()
    assert dump(counted) == dump(plan)


@pytest.mark.parametrize(("ceiling", "fits"), [(1, False), (2, True), (None, True)])
def test_a_holder_gets_no_more_groups_than_it_may_have(ceiling, fits):
    inputs = PlanInputs(groups_ceiling=ceiling)
    assert (messages(Plan(SCOPE, (binding(1),)), inputs) == []) is fits


@pytest.mark.parametrize(
    ("overrides", "ceiling"),
    [
        ({}, 5),
        ({"groups-per-instance": 2}, 2),
        ({"groups-per-instance": 9, "groups-per-interface": 7}, 7),
        ({"instances-per-group": 2}, 5),
    ],
)
def test_how_many_groups_a_holder_may_have_is_what_the_policy_says_if_it_does(overrides, ceiling):
    assert permitted(PlanInputs(groups_ceiling=5), overrides) == ceiling


# -- rules --------------------------------------------------------------------------------------


def rule(peer: str, direction: Direction = Direction.INGRESS, **more) -> Rule:
    return Rule(more.pop("rule_id", f"r-{peer}"), direction, "tcp", "22", peer, **more)


def rewriting(old: Rule, to_group: str) -> Plan:
    step = Step("rewrite", f"{SCOPE}:sg-b", "")
    new = replace(old, rule_id="", peer_group=to_group)
    changes = (Change("add-rule", "sg-b", rule=new), Change("remove-rule", "sg-b", rule=old))
    return Plan(SCOPE, tuple(Planned(step, one, "sg-0") for one in changes))


@pytest.mark.parametrize(("named", "to_group", "fits"), [(9, "x", True), (10, "x", False)])
def test_a_rewrite_names_one_more_group_before_it_names_one_less(named, to_group, fits):
    rules = tuple(rule(f"sg-{n}") for n in range(named))
    inputs = PlanInputs(rules={"sg-b": rules}, limits=(Limit("references-per-group", 10),))
    assert (messages(rewriting(rules[0], to_group), inputs) == []) is fits
    assert messages(rewriting(rules[0], "sg-1"), inputs) == []  # it names that one already


def test_a_group_that_names_groups_is_of_a_kind_that_may():
    limits = (
        Limit("references-per-group", 20, applies_to="basic"),
        Limit("references-per-group", 0, applies_to="advanced"),
    )
    rules = tuple(rule(f"sg-{n}") for n in range(20))
    fitting = PlanInputs(rules={"sg-b": rules[:19]}, limits=limits)
    assert messages(rewriting(rules[0], "x"), fitting) == []
    assert len(messages(rewriting(rules[0], "x"), replace(fitting, rules={"sg-b": rules}))) == 1


@pytest.mark.parametrize(("is_apart", "fits"), [(True, True), (False, False)])
def test_rules_of_the_other_direction_count_only_where_the_cloud_counts_them(is_apart, fits):
    rules = (rule("sg-0"), rule("sg-0", Direction.EGRESS, rule_id="e-1"))
    inputs = PlanInputs(rules={"sg-b": rules}, rules_ceiling=2, is_per_direction=is_apart)
    assert (messages(rewriting(rules[0], "sg-x"), inputs) == []) is fits


TEMPLATE = Rule("ingress[1]", Direction.INGRESS, "service-template", "ppm-1", "sg-a")
SSH = Rule("ingress[0]", Direction.INGRESS, "tcp", "22", "sg-a")


@pytest.mark.parametrize(
    ("revoked", "left", "is_stopped"),
    [(TEMPLATE, (), True), (TEMPLATE, (SSH,), False), (SSH, (TEMPLATE,), True)],
)
def test_a_service_template_may_be_the_way_in_and_never_surely_is(revoked, left, is_stopped):
    step = Step("revoke", f"{SCOPE}:sg-b", "")
    plan = Plan(SCOPE, (Planned(step, Change("remove-rule", "sg-b", rule=revoked), "sg-a"),))
    inputs = PlanInputs(rules={"sg-b": (revoked, *left)})
    assert bool(stopped_by(plan, inputs, Caps(management_ports=(22,)))) is is_stopped


# -- on the emulator ----------------------------------------------------------------------------


def group_of(harness: Harness, group_id: str):
    (cloud,) = harness.emulator.state.clouds
    return next(one for one in cloud.groups if one.id == group_id)


@pytest.mark.parametrize(
    ("world", "kinds"),
    [(OPENSTACK, ("", "stateless")), (ALIBABA, ("basic", "advanced"))],
    ids=["openstack", "alibaba"],
)
@pytest.mark.sampled(2)
def test_nothing_is_moved_to_a_group_that_cannot_stand_beside_the_old_one(tmp_path, world, kinds):
    harness = Harness(world, tmp_path, remedies=("revoke", "move"))
    group_of(harness, world.bound).kind, group_of(harness, world.free).kind = kinds
    before = harness.emulator.state.dump()
    found = harness.delete(world.bound)
    assert (found["verdict"], found["outcome"]) == ("block", "unchanged")
    blocking = [one["code"] for one in found["reasons"] if one["effect"] == "block"]
    assert blocking[-1] == "replacement-unusable"
    assert harness.emulator.state.dump() == before


@pytest.mark.parametrize(("ceiling", "verdict"), [(1, "block"), (100, "remediate")])
@pytest.mark.sampled(2)
def test_nothing_is_moved_to_a_group_that_is_full(tmp_path, ceiling, verdict):
    more = f"[limits.alibaba]\ninstances-per-group = {ceiling}\n"
    harness = Harness(ALIBABA, tmp_path, mode="observe", remedies=("move",), more=more)
    found = harness.delete(ALIBABA.bound)
    assert found["verdict"] == verdict
    if verdict == "block":
        assert found["reasons"][-1]["code"] == "replacement-unusable"


@pytest.mark.parametrize(
    ("table", "name"),
    [
        ('baseline = ["{free}"]\nremedies = ["bind"]', ""),
        ('forbidden = ["{bound}"]\nremedies = ["quarantine"]\nquarantine_group = "{free}"', ""),
        ('forbidden = ["{bound}"]\nremedies = ["unbind"]\nfallback_group = "{free}"', ""),
        (
            'forbidden = ["{bound}", "old-*"]\nremedies = ["unbind"]\nfallback_group = "{free}"',
            "old-1",
        ),
    ],
    ids=["bind", "quarantine", "fallback", "fallback that is forbidden by its name"],
)
@pytest.mark.sampled(3)
def test_an_instance_gets_no_group_that_it_cannot_or_must_not_carry(tmp_path, table, name):
    ids = {"free": OPENSTACK.free, "bound": OPENSTACK.bound}
    harness = Harness(OPENSTACK, tmp_path, more=f"[launch]\n{table.format(**ids)}\n")
    free = group_of(harness, OPENSTACK.free)
    free.kind, free.name = ("", name) if name else ("stateless", free.name)
    (cloud,) = harness.emulator.state.clouds
    server = next(one.instance for one in cloud.interfaces if OPENSTACK.bound in one.groups)
    for port in cloud.interfaces:
        if port.instance == server:
            port.groups = [OPENSTACK.bound]
    before = harness.emulator.state.dump()
    found = harness.launch(server)
    assert (found["verdict"], found["outcome"]) == ("block", "unchanged")
    assert found["reasons"][-1]["code"] == "replacement-unusable"
    assert harness.emulator.state.dump() == before
