"""The order of rule changes where a cloud adds, or removes, several rules of a group with one call.

Pure. A plan has for each rewritten rule an addition and a removal. Here they are put into layers:
all additions of a layer, of many groups, and then its removals. So few calls make each, and there
is still no moment without either rule. What a layer adds has to fit beside what is there: into its
groups, and into the quota of the project.

Where ids are positions, only groups of which every rule is replaced, or every rule removed, are
taken as one: no other rule of theirs moves. Additions keep the plan's order, from the last position
to the first, and their removals have the reverse: undone backwards, each rule comes back while
those in front of it are where they were.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence

from sgguard.model.change import Change
from sgguard.model.resource import Rule
from sgguard.remedy.plan import Plan, PlanInputs, Planned

_ADD, _REMOVE = "add-rule", "remove-rule"
_NAMING = "references-per-group"
_POSITION = re.compile(r"(ingress|egress)\[\d+\]")

Bundle = Sequence[Planned]
"""Changes of one group that go into one layer."""


def layered(plan: Plan, inputs: PlanInputs) -> Plan:
    """Return the plan with its rules in layers, where the cloud takes several in one call."""
    if not inputs.adds_together:
        return plan
    return Plan(plan.scope, tuple(in_layers(plan.planned, inputs)))


def in_layers(planned: Sequence[Planned], inputs: PlanInputs) -> list[Planned]:
    """Return the same changes, those of rules in layers; every other change keeps its place."""
    # 1. The changes of rules by group, in bundles: all of a group in one where that fits, else
    #    each rule by itself.
    of: dict[str, list[Planned]] = {}
    for one in planned:
        if one.change.kind in (_ADD, _REMOVE):
            of.setdefault(one.change.group_id, []).append(one)
    bundles = [list(_bundles(group_id, some, inputs)) for group_id, some in of.items()]
    # 2. Layer by layer, in the place of the first change of a rule.
    ordered = [one for layer in _layers(bundles, inputs.rules_left) for one in _ordered(layer)]
    first = next((n for n, one in enumerate(planned) if one.change.kind in (_ADD, _REMOVE)), 0)
    others = [one.change.kind in (_ADD, _REMOVE) for one in planned[first : first + len(ordered)]]
    if not all(others):  # changes of rules with others between them: their order has a meaning
        return list(planned)
    return [*planned[:first], *ordered, *planned[first + len(ordered) :]]


def _layers(groups: list[list[Bundle]], left: int | None) -> Iterator[list[Bundle]]:
    """Yield layers: of each group its next bundle, as many as what is ``left`` of a quota takes."""
    while any(groups):
        layer: list[Bundle] = []
        adds = 0
        for bundles in groups:
            more = sum(one.change.kind == _ADD for one in bundles[0]) if bundles else 0
            if bundles and (left is None or not layer or adds + more <= left):
                adds += more
                layer.append(bundles.pop(0))
        yield layer


def _ordered(layer: Sequence[Bundle]) -> Iterator[Planned]:
    """Yield the additions of a layer, then its removals: those of a rewrite in reverse."""
    for bundle in layer:
        yield from (one for one in bundle if one.change.kind == _ADD)
    for bundle in layer:
        removals = [one for one in bundle if one.change.kind == _REMOVE]
        yield from removals if len(removals) == len(bundle) else reversed(removals)


def _bundles(group_id: str, some: Bundle, inputs: PlanInputs) -> Iterator[Bundle]:
    if _fits(group_id, some, inputs):
        yield some
        return
    at = 0
    while at < len(some):
        size = 2 if some[at].change.kind == _ADD else 1
        yield some[at : at + size]
        at += size


def _fits(group_id: str, some: Bundle, inputs: PlanInputs) -> bool:
    """Return whether all changes of a group may be one bundle."""
    adds = [one.change for one in some if one.change.kind == _ADD]
    kinds = [one.change.kind for one in some]
    there = inputs.rules.get(group_id, ())
    is_alike = not adds or kinds == [_ADD, _REMOVE] * len(adds)
    if not is_alike and any(_POSITION.fullmatch(rule.rule_id) for rule in there):
        return False
    is_within = inputs.rules_left is None or len(adds) <= inputs.rules_left
    return is_within and _has_room(there, adds, inputs) and _may_name(there, adds, inputs)


def _has_room(there: Collection[Rule], adds: Sequence[Change], inputs: PlanInputs) -> bool:
    """Return whether the group may have its rules and the new ones at the same time."""
    every = [*there, *(change.rule for change in adds if change.rule)]
    counted = [every]
    if inputs.is_per_direction:
        counted = [[r for r in every if r.direction == d] for d in {r.direction for r in every}]
    return inputs.rules_ceiling is None or max(map(len, counted), default=0) <= inputs.rules_ceiling


def _may_name(there: Collection[Rule], adds: Sequence[Change], inputs: PlanInputs) -> bool:
    """Return whether the group may name others in so many rules: a cloud may count each of them."""
    naming = sum(bool(rule.peer_group) for rule in there)
    ceilings = [
        limit.ceiling
        for limit in inputs.limits
        if limit.name == _NAMING and limit.ceiling is not None and limit.ceiling >= naming
    ]
    return not adds or not ceilings or naming + len(adds) <= min(ceilings)
