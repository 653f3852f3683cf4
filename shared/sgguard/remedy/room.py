"""Whether there is room for what a plan adds: plan, inputs and policy in, reasons out.

What a plan binds, moves or replaces lands on a group, and a rewritten rule names one: there the
cloud's ceilings hold as for a launch. A change that it would refuse half way is no plan.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Literal

from msgspec.structs import replace

from sgguard.model.codes import ReasonCode, UnseenCode
from sgguard.model.decision import Reason
from sgguard.model.resource import Limit, Rule
from sgguard.model.sentence import Sentence, counted, said, thing
from sgguard.model.subject import holder_of, rule_of
from sgguard.policy.limit import PER_GROUP, PER_HOLDER, PER_REFERENCED, counts_holders, effective
from sgguard.remedy.plan import Plan, PlanInputs, room_key

Overrides = Mapping[str, int]


class CountedPlan(Plan, frozen=True, omit_defaults=True):
    """A plan under a policy that says how many holders a group may have.

    What still fits is judged on how many there are, so it has the room of each group that holders
    get alone: another plan would use it up. A ceiling of the cloud is held by the cloud.
    """

    def keys(self) -> tuple[str, ...]:
        """Return the keys of what the plan changes, and of the room that it uses up."""
        rooms = (room_key(self.scope, group_id) for group_id in gained(self))
        return tuple(sorted({*super().keys(), *rooms}))


def locking_rooms(plan: Plan, overrides: Overrides) -> Plan:
    """Return the plan with the keys that it needs under these ceilings of a policy."""
    if counts_holders(overrides):
        return CountedPlan(plan.scope, plan.planned, plan.left_out)
    return plan


def no_room(
    plan: Plan, inputs: PlanInputs, overrides: Overrides, tolerated: Collection[str]
) -> tuple[Reason, ...]:
    """Return a reason for every ceiling that a change of the plan would break, naming it.

    ``overrides`` are the policy's ceilings of this cloud; ``tolerated`` the gaps that only warn.
    """
    return (
        *_holders(plan, inputs, overrides, tolerated),
        *_groups_of_a_holder(plan, inputs),
        *_rules(plan, inputs),
        *_named_groups(plan, inputs, overrides),
        *_project(plan, inputs),
    )


def permitted(inputs: PlanInputs, overrides: Overrides) -> int | None:
    """Return how many groups a holder may have: as the policy says, else as the cloud does."""
    found = [overrides[name] for name in PER_HOLDER if name in overrides]
    return min(found) if found else inputs.groups_ceiling


def gained(plan: Plan) -> dict[str, int]:
    """Return how many holders each group gains, by id; those it loses are not counted against it.

    A holder that gets it in one change and loses it in a later one had it in between.
    """
    before: dict[object, tuple[str, ...]] = {}
    fresh: dict[str, set[object]] = {}
    for one in plan.planned:
        if one.change.kind == "set-groups":
            holder = holder_of(one.change)
            had = before.setdefault(holder, one.change.before)
            for group_id in one.change.after:
                if group_id not in had:
                    fresh.setdefault(group_id, set()).add(holder)
    return {group_id: len(holders) for group_id, holders in fresh.items()}


def _holders(
    plan: Plan, inputs: PlanInputs, overrides: Overrides, tolerated: Collection[str]
) -> Iterator[Reason]:
    """Compare the groups that holders get with how many may carry one."""
    for group_id, more in sorted(gained(plan).items()):
        group, used = inputs.groups.get(group_id), inputs.counts.get(group_id)
        limits = [
            found
            for name in PER_GROUP
            if (name != PER_REFERENCED or group_id in inputs.referenced)
            and (found := _limit(inputs, overrides, name, group.kind if group else None))
        ]
        shown = thing(group_id, group.name if group else None)
        if used is None:
            if limits:
                yield _uncounted(f"{plan.scope}:{group_id}", shown, tolerated)
            continue
        for limit in limits:
            if limit.ceiling is not None and used + more > limit.ceiling:
                sentence = said(
                    "used.full",
                    group=shown,
                    n=used + more,
                    now=used,
                    more=more,
                    ceiling=limit.ceiling,
                    limit=limit.name,
                )
                target = f"{plan.scope}:{group_id}"
                yield _reason(ReasonCode.REPLACEMENT_UNUSABLE, target, sentence)


def _limit(inputs: PlanInputs, overrides: Overrides, name: str, kind: str | None) -> Limit | None:
    found = effective(inputs.limits, overrides, name, (kind,))
    return found if found and found.is_enforced and found.ceiling is not None else None


def _uncounted(target: str, shown: Sentence, tolerated: Collection[str]) -> Reason:
    is_tolerated = UnseenCode.NOT_TOLD in tolerated
    sentence = said(
        "used.uncounted", group=shown, then=said("used.tolerated") if is_tolerated else ""
    )
    effect: Literal["block", "warn"] = "warn" if is_tolerated else "block"
    return Reason(ReasonCode.FACTS_INCOMPLETE, sentence, effect, target)


def _groups_of_a_holder(plan: Plan, inputs: PlanInputs) -> Iterator[Reason]:
    ceiling = inputs.groups_ceiling
    for one in plan.planned:
        if one.change.kind != "set-groups" or ceiling is None:
            continue
        number = len(one.change.after)
        if number > max(ceiling, len(one.change.before)):
            holder = holder_of(one.change)
            sentence = said(
                "used.holder-full",
                kind=holder.kind,
                holder=holder.holder_id,
                n=number,
                ceiling=ceiling,
            )
            target = f"{plan.scope}:{one.change.group_id}"
            yield _reason(ReasonCode.REPLACEMENT_UNUSABLE, target, sentence)


def _rules(plan: Plan, inputs: PlanInputs) -> Iterator[Reason]:
    """A rewritten rule is added before the old one goes: for a moment there is one more."""
    ceiling = inputs.rules_ceiling
    adding = {
        (one.change.group_id, rule_of(one.change).direction)
        for one in plan.planned
        if one.change.kind == "add-rule"
    }
    full: dict[str, tuple[int, Sentence]] = {}
    for group_id, direction in sorted(adding):
        number = _counted(inputs, inputs.rules.get(group_id, ()), direction)
        if ceiling is not None and number + 1 > ceiling:
            unit = f"{direction.value}-rule" if inputs.is_per_direction else "rule"
            full[group_id] = (number, counted(ceiling, unit))
    for group_id, (number, most) in full.items():
        sentence = said("cap.no-room-for-rule", group=group_id, number=number, most=most)
        yield _reason(ReasonCode.CAP_EXCEEDED, f"{plan.scope}:{group_id}", sentence)


def _counted(inputs: PlanInputs, rules: Collection[Rule], direction: str) -> int:
    """Return how many rules the cloud counts together with those of this direction."""
    if not inputs.is_per_direction:
        return len(rules)
    return sum(one.direction == direction for one in rules)


def _named_groups(plan: Plan, inputs: PlanInputs, overrides: Overrides) -> Iterator[Reason]:
    """A group names the replacement before it stops to name the old one."""
    named: dict[str, set[str]] = {}
    for one in plan.planned:
        group_id = one.change.group_id
        if one.change.kind not in ("add-rule", "remove-rule"):
            continue
        there = {rule.peer_group for rule in inputs.rules.get(group_id, ())} - {""}
        now = named.setdefault(group_id, there)
        if one.change.kind == "add-rule" and (peer := rule_of(one.change).peer_group) not in now:
            now.add(peer)
            limit = _naming_limit(inputs, overrides, len(there - {peer}))
            if limit and limit.ceiling is not None and len(now) > limit.ceiling:
                sentence = said(
                    "cap.no-room-to-name",
                    group=group_id,
                    number=len(now) - 1,
                    n=limit.ceiling,
                    peer=peer,
                )
                yield _reason(ReasonCode.CAP_EXCEEDED, f"{plan.scope}:{group_id}", sentence)


def _naming_limit(inputs: PlanInputs, overrides: Overrides, named: int) -> Limit | None:
    """Return how many groups a group that names so many may name.

    Its kind is not known; it is none of a kind that may name fewer.
    """
    fitting = [
        one
        for one in inputs.limits
        if not one.applies_to or one.ceiling is None or one.ceiling >= named
    ]
    return _limit(replace(inputs, limits=tuple(fitting)), overrides, "references-per-group", None)


def _project(plan: Plan, inputs: PlanInputs) -> Iterator[Reason]:
    """What is removed must fit into the quota again when it is undone."""
    kinds, left = {one.change.kind for one in plan.planned}, inputs.rules_left
    if left is None or not kinds & {"add-rule", "remove-rule"}:
        return
    if left < 0:
        sentence = said("cap.project-over", n=-left)
    elif left == 0 and "add-rule" in kinds:
        sentence = said("cap.project-full")
    else:
        return
    yield _reason(ReasonCode.CAP_EXCEEDED, str(plan.scope), sentence)


def _reason(code: ReasonCode, target: str, sentence: Sentence) -> Reason:
    return Reason(code, sentence, "block", target)
