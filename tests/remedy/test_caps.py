"""How much a plan may change: each cap at its border, by name."""

from __future__ import annotations

import pytest

from sgguard.model.address import Scope
from sgguard.model.change import Change
from sgguard.model.decision import Step
from sgguard.model.resource import Direction, Rule
from sgguard.policy import Caps
from sgguard.remedy.caps import stopped_by
from sgguard.remedy.plan import Plan, PlanInputs, Planned
from sgguard.remedy.room import no_room
from sgguard.render.language.sentence import message_of

SCOPE = Scope("tencent", "", "ap-guangzhou")
FREE = Caps(management_ports=())


def rule(rule_id: str, ports: str = "22", **more) -> Rule:
    direction = more.pop("direction", Direction.INGRESS)
    return Rule(rule_id, direction, more.pop("protocol", "tcp"), ports, **more)


def revoking(*rules: Rule, action: str = "revoke", also: tuple[Planned, ...] = ()) -> Plan:
    step = Step(action, f"{SCOPE}:sg-b", "revoke it")
    changes = (Change("remove-rule", "sg-b", rule=one) for one in rules)
    return Plan(SCOPE, (*(Planned(step, one, "sg-a") for one in changes), *also))


def stops(plan: Plan, caps: Caps, *left: Rule) -> list[str]:
    """The words of each cap that stops the plan, with these further rules in the group."""
    removed = [one.change.rule for one in plan.planned if one.change.rule is not None]
    found = stopped_by(plan, PlanInputs(rules={"sg-b": (*removed, *left)}), caps)
    assert {one.code for one in found} <= {"cap-exceeded"}
    return [message_of(one) for one in found]


@pytest.mark.parametrize(("cap", "number"), [(2, 0), (1, 1)])
def test_a_plan_has_no_more_changes_than_permitted(cap, number):
    plan = revoking(rule("a", "80"), rule("b", "81"))
    found = stops(plan, Caps(changes=cap, management_ports=()))
    assert len(found) == number
    assert all("caps.changes permits 1" in words for words in found)


@pytest.mark.parametrize(("percent", "number"), [(50, 0), (49, 1)])
def test_no_more_of_a_group_is_revoked_than_permitted(percent, number):
    caps = Caps(percent_of_rules=percent, management_ports=())
    found = stops(revoking(rule("a", "80")), caps, rule("b", "81"))
    assert len(found) == number
    assert all("1 of the 2 rules of sg-b" in words for words in found)


def test_a_rewritten_rule_keeps_everything_but_its_peer():
    caps = Caps(percent_of_rules=1)
    assert stops(revoking(rule("a"), action="rewrite"), caps) == []


@pytest.mark.parametrize(
    ("removed", "is_last"),
    [
        pytest.param(rule("a", "22"), True, id="the port"),
        pytest.param(rule("a", "20-30"), True, id="a range around it"),
        pytest.param(rule("a", "80,22"), True, id="one of several"),
        pytest.param(rule("a", "any", protocol="any"), True, id="everything"),
        pytest.param(rule("a", "23-30"), False, id="a range beside it"),
        pytest.param(rule("a", "22", protocol="udp"), False, id="another protocol"),
        pytest.param(rule("a", "22", direction=Direction.EGRESS), False, id="the other way"),
        pytest.param(rule("a", "22", action="drop"), False, id="a refusal"),
        pytest.param(rule("a", "22", is_enabled=False), False, id="switched off"),
    ],
)
def test_the_last_rule_that_lets_a_management_port_in_stays(removed, is_last):
    found = stops(revoking(removed), Caps(management_ports=(22,)), rule("z", "443"))
    assert len(found) == is_last
    assert all("lets port 22 in" in words for words in found)


@pytest.mark.parametrize(
    ("left", "is_last"),
    [
        pytest.param(rule("z", "22"), False, id="another that lets it in"),
        pytest.param(rule("z", "22", is_enabled=False), True, id="one that is switched off"),
        pytest.param(rule("z", "22", action="drop"), True, id="one that refuses"),
    ],
)
def test_of_two_rules_that_let_a_port_in_one_may_go(left, is_last):
    assert len(stops(revoking(rule("a")), Caps(management_ports=(22,)), left)) == is_last


def test_the_last_management_rule_of_a_deleted_group_may_be_removed():
    deleted = Planned(Step("delete", f"{SCOPE}:sg-b", ""), Change("delete-group", "sg-b"), "sg-b")
    assert stops(revoking(rule("a"), also=(deleted,)), Caps(management_ports=(22,))) == []


@pytest.mark.parametrize(
    ("kind", "left", "is_stopped"),
    [
        ("remove-rule", -1, True),
        ("remove-rule", 0, False),
        ("add-rule", 0, True),
        ("add-rule", 1, False),
        ("delete-group", -1, False),
    ],
)
def test_a_removed_rule_needs_room_to_be_restored(kind, left, is_stopped):
    step = Step("rewrite", f"{SCOPE}:sg-b", "")
    plan = Plan(SCOPE, (Planned(step, Change(kind, "sg-b", rule=rule("a")), "sg-a"),))
    found = no_room(plan, PlanInputs(rules_left=left), {}, ())
    assert bool(found) == is_stopped


@pytest.mark.parametrize(("ceiling", "is_stopped"), [(1, True), (2, False), (None, False)])
def test_a_rewritten_rule_needs_room_beside_the_old_one(ceiling, is_stopped):
    step = Step("rewrite", f"{SCOPE}:sg-b", "")
    plan = Plan(SCOPE, (Planned(step, Change("add-rule", "sg-b", rule=rule("a")), "sg-a"),))
    inputs = PlanInputs(rules={"sg-b": (rule("a"),)}, rules_ceiling=ceiling)
    assert bool(no_room(plan, inputs, {}, ())) == is_stopped
