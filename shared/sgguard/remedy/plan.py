"""The exact changes a plan makes, in order, each with the step a person reads.

Pure: what the guard outlined and what was surveyed come in, a plan or the reasons against it come
out. The order is the guard's: rules first, then holders, then the groups themselves; a reference
that is rewritten gets its new rule before it loses the old one, and a holder its new group before
it loses the old one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from sgguard.model.address import Address, Scope
from sgguard.model.change import Change, Holder, content
from sgguard.model.codes import ReasonCode
from sgguard.model.decision import Reason, Step
from sgguard.model.resource import Group, Rule

_PLACE = re.compile(r"(ingress|egress)\[\d+\]")


@dataclass(frozen=True, slots=True)
class Planned:
    """One change, the step of which it is a part, and the group for whose sake it is made."""

    step: Step
    change: Change
    target: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """Changes in the order in which they are made; all are of one scope."""

    scope: Scope
    planned: tuple[Planned, ...]

    def keys(self) -> tuple[str, ...]:
        """Return what nobody else may change meanwhile: addresses of groups and of holders."""
        names = (
            change.holder.holder_id if change.holder else change.group_id
            for change in (one.change for one in self.planned)
        )
        return tuple(sorted({f"{self.scope}:{name}" for name in names}))


@dataclass(frozen=True, slots=True)
class PlanInputs:
    """What a plan needs beyond the facts of the verdict.

    ``rules`` are all rules of each group whose rules are changed, and of each group that goes.
    ``going`` are the groups that go, with everything that builds them again.
    ``holders`` are the groups of each holder in the cloud's order. ``groups`` are further groups
    that are to be used (a replacement, a fallback); None where one does not exist.
    ``rules_ceiling`` is how many rules a group may have, ``groups_ceiling`` how many groups a
    holder; None where nobody told. ``rules_left`` is how many more rules their project may have,
    negative where it has more than that already.
    """

    rules: Mapping[str, tuple[Rule, ...]] = field(default_factory=dict)
    going: Mapping[str, Group] = field(default_factory=dict)
    holders: Mapping[Holder, tuple[str, ...]] = field(default_factory=dict)
    groups: Mapping[str, Group | None] = field(default_factory=dict)
    rules_ceiling: int | None = None
    groups_ceiling: int | None = None
    rules_left: int | None = None


class _DivergedError(Exception):
    """What the outline speaks of is not there (any more)."""


@dataclass(slots=True)
class _Projection:
    """The world as it will be while the plan goes on: each step starts from the one before."""

    survey: PlanInputs
    rules: dict[str, list[Rule]]
    holders: dict[Holder, tuple[str, ...]]

    @classmethod
    def of(cls, survey: PlanInputs) -> _Projection:
        return cls(survey, {k: list(v) for k, v in survey.rules.items()}, dict(survey.holders))


def plan(scope: Scope, outline: tuple[Step, ...], survey: PlanInputs) -> Plan | Reason:
    """Turn the guard's outline into exact changes, or say what is not as the outline says."""
    world = _Projection.of(survey)
    planned: list[Planned] = []
    try:
        for step in outline:
            planned.extend(_changes(step, world))
    except _DivergedError as moved:
        return Reason(ReasonCode.FACTS_INCOMPLETE, f"{moved}: ask again.", target=str(scope))
    return Plan(scope, tuple(planned))


def _changes(step: Step, world: _Projection) -> Iterator[Planned]:
    group_id = step.target.rsplit(":", 1)[-1]
    match step.action:
        case "revoke":
            rule = _surveyed(world, group_id, step)
            yield _removed(step, world, group_id, rule)
        case "rewrite":
            yield from _rewritten(step, world, group_id)
        case "unbind" | "move" | "bind" | "replace":
            yield from _rebound(step, world, group_id)
        case "delete":
            is_forced = step.details.get("is_forced") == "true"
            yield Planned(step, Change("delete-group", group_id, is_forced=is_forced), group_id)
        case _:
            raise ValueError(f"no plan begins with {step.action}")


def _surveyed(world: _Projection, group_id: str, step: Step) -> Rule:
    """Return the whole rule an outline names: by its id, and still naming the same group."""
    peer = step.details["peer_group"]
    for rule in world.survey.rules.get(group_id, ()):
        if rule.rule_id == step.details["rule_id"] and rule.peer_group == peer:
            return rule
    raise _DivergedError(f"rule {step.details['rule_id']} of {group_id} is no longer what it was")


def _removed(step: Step, world: _Projection, group_id: str, rule: Rule) -> Planned:
    _take(world.rules[group_id], rule)
    return Planned(step, Change("remove-rule", group_id, rule=rule), step.details["peer_group"])


def _take(rules: list[Rule], rule: Rule) -> None:
    rules[:] = [one for one in rules if one.rule_id != rule.rule_id]


def _rewritten(step: Step, world: _Projection, group_id: str) -> Iterator[Planned]:
    """Add the rule that names the replacement, unless there is one already; then remove the old."""
    rule = _surveyed(world, group_id, step)
    new = replace(rule, peer_group=step.details["to_group"], rule_id=place_of(rule))
    if not any(_does_the_same(new, one) for one in world.rules[group_id]):
        world.rules[group_id].append(replace(new, rule_id=""))
        yield Planned(step, Change("add-rule", group_id, rule=new), step.details["peer_group"])
    yield _removed(step, world, group_id, rule)


def place_of(rule: Rule) -> str:
    """Return the id a rule like this one is added with: its place where ids are places, or none."""
    return rule.rule_id if _PLACE.fullmatch(rule.rule_id) else ""


def _does_the_same(one: Rule, other: Rule) -> bool:
    bare = [replace(content(rule), description="", priority=None) for rule in (one, other)]
    return bare[0] == bare[1]


def _rebound(step: Step, world: _Projection, group_id: str) -> Iterator[Planned]:
    details = step.details
    holder = Holder(details["kind"], details["holder_id"], details.get("instance_id", ""))
    if holder not in world.holders:
        raise _DivergedError(f"{holder.kind} {holder.holder_id} is gone")
    before = world.holders[holder]
    for after in _stages(step, before, group_id, world.survey.groups_ceiling):
        if not after:
            raise _DivergedError(f"{holder.kind} {holder.holder_id} would be left without a group")
        if after != before:
            change = Change("set-groups", group_id, holder=holder, before=before, after=after)
            yield Planned(step, change, group_id)
        before = after
    world.holders[holder] = before


def _stages(
    step: Step, before: tuple[str, ...], group_id: str, ceiling: int | None
) -> Iterator[tuple[str, ...]]:
    """Yield the holder's groups after each change of the step."""
    if step.action == "bind":
        yield before if group_id in before else (*before, group_id)
    elif step.action == "replace":
        yield (group_id,)
    elif group_id not in before:
        raise _DivergedError(f"{step.details['holder_id']} no longer carries {group_id}")
    elif step.action == "unbind":
        yield _without(before, group_id)
    else:
        to_group = step.details["to_group"]
        if to_group in before:
            yield _without(before, group_id)
            return
        # The new group comes first; where no more groups fit, one call changes both.
        if ceiling is None or len(before) < ceiling:
            yield (*before, to_group)
        yield tuple(to_group if one == group_id else one for one in before)


def _without(group_ids: tuple[str, ...], group_id: str) -> tuple[str, ...]:
    return tuple(one for one in group_ids if one != group_id)


def address_of(plan: Plan, group_id: str) -> Address:
    """Return the address of a group of the plan."""
    return Address(plan.scope, group_id)
