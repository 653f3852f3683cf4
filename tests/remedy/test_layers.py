"""Rules in layers: the same changes, no moment without a rule, and room for what is added."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from sgguard.model.address import Scope
from sgguard.model.change import Change
from sgguard.model.decision import Step
from sgguard.model.resource import Direction, Rule
from sgguard.remedy.layers import in_layers
from sgguard.remedy.plan import Plan, PlanInputs, Planned
from sgguard.remedy.wave import next_wave

OLD, NEW = "sg-old", "sg-new"
# Of each rule of a group: it stays, goes, or names another group instead.
FATES = st.lists(st.sampled_from(["stays", "goes", "rewritten"]), min_size=1, max_size=6)
GROUPS = st.dictionaries(st.sampled_from(["a", "b", "c"]), FATES, min_size=1)


def rules_of(group_id: str, fates: list[str]) -> list[Rule]:
    """Rules that are known by their positions."""
    return [
        Rule(
            f"ingress[{n}]",
            Direction.INGRESS,
            protocol="tcp",
            ports=str(1000 + n),
            peer_group="" if fate == "stays" else OLD,
        )
        for n, fate in enumerate(fates)
    ]


def planned_of(group_id: str, fates: list[str]) -> list[Planned]:
    """The changes as a plan has them: from the last position to the first."""
    found: list[Planned] = []
    for rule, fate in reversed([*zip(rules_of(group_id, fates), fates, strict=True)]):
        step = Step(fate, group_id, f"{group_id} {rule.rule_id}")
        if fate == "rewritten":
            new = replace(rule, peer_group=NEW)
            found.append(Planned(step, Change("add-rule", group_id, rule=new)))
        if fate != "stays":
            found.append(Planned(step, Change("remove-rule", group_id, rule=rule)))
    return found


def key(rule: Rule) -> tuple[str, str]:
    return rule.ports, rule.peer_group


class Cloud:
    """Groups whose rules are known by their positions, as both Tencent APIs have them."""

    def __init__(self, groups: dict[str, list[str]]) -> None:
        self.rules = {g: [*map(key, rules_of(g, fates))] for g, fates in groups.items()}

    def make(self, change: Change) -> None:
        rules, rule = self.rules[change.group_id], change.rule
        assert rule is not None
        if change.kind == "add-rule":
            rules.insert(int(rule.rule_id[8:-1]), key(rule))
        else:
            rules.remove(key(rule))


@given(GROUPS, st.none() | st.integers(1, 9), st.none() | st.integers(6, 12))
def test_layers_make_the_same_changes_and_undo_to_the_same_order(groups, left, ceiling):
    planned = [one for group_id, fates in groups.items() for one in planned_of(group_id, fates)]
    inputs = PlanInputs(
        rules={g: tuple(rules_of(g, fates)) for g, fates in groups.items()},
        rules_left=left,
        rules_ceiling=ceiling,
    )
    layered = in_layers(planned, inputs)
    assert sorted(map(repr, layered)) == sorted(map(repr, planned))
    # 1. Forward: a rule or the one in its place is there at every moment, within the ceilings.
    cloud, before = Cloud(groups), Cloud(groups).rules
    most = sum(map(len, before.values())) + (left if left is not None else len(planned))
    for one in layered:
        cloud.make(one.change)
        for group_id, fates in groups.items():
            there = {ports for ports, _ in cloud.rules[group_id]}
            kept = {str(1000 + n) for n, fate in enumerate(fates) if fate != "goes"}
            assert kept <= there
            most_here = max(ceiling or 99, len(before[group_id]) + 1)
            assert len(cloud.rules[group_id]) <= most_here
        assert sum(map(len, cloud.rules.values())) <= most
    # 2. Backward, from any change on: every rule is back at its place.
    for made in range(len(layered) + 1):
        again = Cloud(groups)
        for one in layered[:made]:
            again.make(one.change)
        for one in reversed(layered[:made]):
            inverse = one.change.inverse()
            assert inverse is not None
            again.make(inverse)
        assert again.rules == before


@given(GROUPS)
def test_waves_take_each_change_once_and_in_order(groups):
    planned = [one for group_id, fates in groups.items() for one in planned_of(group_id, fates)]
    layered = in_layers(planned, PlanInputs())
    plan, passed = Plan(Scope("tencent", "", "r"), tuple(layered)), []
    while wave := next_wave(plan, set(passed), rules="alike"):
        assert len({plan.planned[step].change.kind for step in wave}) == 1
        passed += wave
    assert passed == list(range(len(layered)))


def test_one_layer_of_pairs_is_two_waves():
    groups = {name: ["rewritten"] * 5 for name in "abcdefghij"}
    planned = [one for g, fates in groups.items() for one in planned_of(g, fates)]
    plan = Plan(Scope("tencent", "", "r"), tuple(in_layers(planned, PlanInputs())))
    first = next_wave(plan, (), rules="alike")
    second = next_wave(plan, first, rules="alike")
    assert (len(first), len(second)) == (50, 50)
    assert len(next_wave(plan, (), rules="mixed")) == 100
