"""The exact changes a plan makes, in order, each with the step a person reads.

Pure: the guard's outline and the :class:`PlanInputs` come in, a plan or the reason against it
comes out. The order is the guard's: rules first, then holders, then the groups themselves.

Two kinds of step become more than one change, in an order that never leaves a gap:

- ``rewrite``, a pair: the rule that names the replacement is added before the old one is removed.
- ``move``: a holder gets its new group before it loses the old one, where one more group fits.

The changes of one step share its :class:`~sgguard.model.decision.Step`, so that they can be undone
as one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import msgspec
from msgspec.structs import replace

from sgguard.model.address import Scope
from sgguard.model.change import Change, Holder, content
from sgguard.model.codes import ReasonCode
from sgguard.model.decision import Reason, Step
from sgguard.model.resource import Group, Limit, Rule
from sgguard.model.sentence import Text, said

_POSITION = re.compile(r"(ingress|egress)\[\d+\]")


class Planned(msgspec.Struct, frozen=True):
    """One change, the step of which it is a part, and the group for whose sake it is made."""

    step: Step
    change: Change
    target: str = ""


def key(scope: Scope, name: str) -> str:
    """Return what a group or holder is locked and marked by: the same however it was named.

    Without the account: the empty one and the configured one are the same, and no two accounts
    have a group of the same id.
    """
    return f"{replace(scope, account='')}:{name}"


def room_key(scope: Scope, group_id: str) -> str:
    """Return what the room of a group is locked by: how many more holders may get it."""
    return key(scope, f"{group_id}/holders")


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """Changes in the order in which they are made; all are of one scope.

    ``left_out`` is what a restore leaves out. A plan without any is kept as earlier versions did.
    """

    scope: Scope
    planned: tuple[Planned, ...]
    left_out: tuple[Text, ...] = ()

    def keys(self) -> tuple[str, ...]:
        """Return the keys of groups and holders that the plan changes: it has them alone."""
        names = {
            change.holder.holder_id if change.holder else change.group_id
            for change in (one.change for one in self.planned)
        }
        return tuple(sorted(key(self.scope, name) for name in names))

    def pointed_to(self) -> tuple[str, ...]:
        """Return the keys of groups that the plan only points to: it shares them.

        Such as the group that rules or holders get in place of another: while the plan is carried
        out no other one may delete it or change its rules.
        """
        names: set[str] = set()
        for change in (one.change for one in self.planned):
            names.update((change.group_id, *change.before, *change.after))
            if change.rule is not None and change.rule.peer_group:
                names.add(change.rule.peer_group)
        named = {key(self.scope, name) for name in names if name}
        return tuple(sorted(named - set(self.keys())))


class PlanInputs(msgspec.Struct, frozen=True):
    """What a plan needs beyond the facts of the verdict.

    ``rules`` are all rules of each group whose rules are changed, and of each group to be deleted.
    ``going`` are the groups to be deleted, with everything needed to create them again.
    ``holders`` are the groups of each holder in the cloud's order. ``groups`` are further groups
    that are to be used (a replacement, a fallback); None where one does not exist.
    ``rules_ceiling`` is how many rules a group may have (``is_per_direction``: of each direction),
    ``groups_ceiling`` how many groups a holder; None where it is not known. ``rules_left`` is how
    many more rules their project may have, negative where it has more than that already.
    ``limits`` are all ceilings that were read; ``counts`` is how many holders carry each of
    ``groups`` that holders get, ``referenced`` are those of them that rules of other groups name,
    or may name. ``replaces_groups``: one call gives a holder another group in place of one;
    ``adds_together``: rules of a group that are all added, or all removed, go into one call.
    """

    rules: Mapping[str, tuple[Rule, ...]] = msgspec.field(default_factory=dict)
    going: Mapping[str, Group] = msgspec.field(default_factory=dict)
    holders: Mapping[Holder, tuple[str, ...]] = msgspec.field(default_factory=dict)
    groups: Mapping[str, Group | None] = msgspec.field(default_factory=dict)
    rules_ceiling: int | None = None
    is_per_direction: bool = False
    groups_ceiling: int | None = None
    rules_left: int | None = None
    limits: tuple[Limit, ...] = ()
    counts: Mapping[str, int] = msgspec.field(default_factory=dict)
    referenced: frozenset[str] = frozenset()
    replaces_groups: bool = False
    adds_together: bool = False


class _DivergedError(Exception):
    """The cloud is no longer as the outline assumes."""


class _Projection(msgspec.Struct):
    """The world as it will be after the steps so far: each step starts from the one before."""

    inputs: PlanInputs
    rules: dict[str, list[Rule]]
    holders: dict[Holder, tuple[str, ...]]

    @classmethod
    def of(cls, inputs: PlanInputs) -> _Projection:
        return cls(inputs, {k: list(v) for k, v in inputs.rules.items()}, dict(inputs.holders))


def plan(scope: Scope, outline: tuple[Step, ...], inputs: PlanInputs) -> Plan | Reason:
    """Turn the guard's outline into exact changes, or return what is no longer as it assumes."""
    world = _Projection.of(inputs)
    planned: list[Planned] = []
    try:
        for step in outline:
            planned.extend(_changes(step, world))
    except _DivergedError as error:
        sentence = said("plan.diverged", why=str(error))
        return Reason(ReasonCode.FACTS_INCOMPLETE, sentence, target=str(scope))
    return Plan(scope, tuple(planned))


def _changes(step: Step, world: _Projection) -> Iterator[Planned]:
    group_id = step.target.rsplit(":", 1)[-1]
    match step.action:
        case "revoke":
            rule = _outlined_rule(world, group_id, step)
            yield _removal(step, world, group_id, rule)
        case "rewrite":
            yield from _rewrite(step, world, group_id)
        case "unbind" | "move" | "bind" | "replace":
            yield from _rebind(step, world, group_id)
        case "delete":
            is_forced = step.details.get("is_forced") == "true"
            yield Planned(step, Change("delete-group", group_id, is_forced=is_forced), group_id)
        case _:
            raise ValueError(f"a guard outlines no step {step.action}")


def _outlined_rule(world: _Projection, group_id: str, step: Step) -> Rule:
    """Return the rule of an outline, whole: the one of its id, while it names the same group."""
    peer = step.details["peer_group"]
    for rule in world.inputs.rules.get(group_id, ()):
        if rule.rule_id == step.details["rule_id"] and rule.peer_group == peer:
            return rule
    raise _DivergedError(f"rule {step.details['rule_id']} of {group_id} is no longer what it was")


def _removal(step: Step, world: _Projection, group_id: str, rule: Rule) -> Planned:
    _drop(world.rules[group_id], rule)
    return Planned(step, Change("remove-rule", group_id, rule=rule), step.details["peer_group"])


def _drop(rules: list[Rule], rule: Rule) -> None:
    rules[:] = [one for one in rules if one.rule_id != rule.rule_id]


def _rewrite(step: Step, world: _Projection, group_id: str) -> Iterator[Planned]:
    """Replace a rule by one that names another group, with no moment without either."""
    # 1. The new rule, which lets the same traffic pass from the replacement. It is left out where
    #    an equivalent one is there already: clouds refuse a duplicate.
    rule = _outlined_rule(world, group_id, step)
    new = replace(rule, peer_group=step.details["to_group"], rule_id=position_of(rule))
    if not any(_is_equivalent(new, one) for one in world.rules[group_id]):
        world.rules[group_id].append(replace(new, rule_id=""))
        yield Planned(step, Change("add-rule", group_id, rule=new), step.details["peer_group"])
    # 2. The old rule.
    yield _removal(step, world, group_id, rule)


def position_of(rule: Rule) -> str:
    """Return the id a rule like this one is added with: its position where ids are positions."""
    return rule.rule_id if _POSITION.fullmatch(rule.rule_id) else ""


def _is_equivalent(one: Rule, other: Rule) -> bool:
    bare = [replace(content(rule), description="", priority=None) for rule in (one, other)]
    return bare[0] == bare[1]


def _rebind(step: Step, world: _Projection, group_id: str) -> Iterator[Planned]:
    details = step.details
    holder = Holder(details["kind"], details["holder_id"], details.get("instance_id", ""))
    if holder not in world.holders:
        raise _DivergedError(f"{holder.kind} {holder.holder_id} is gone")
    before = world.holders[holder]
    for after in _stages(step, before, group_id, world.inputs):
        if not after:
            raise _DivergedError(f"{holder.kind} {holder.holder_id} would be left without a group")
        if after != before:
            change = Change("set-groups", group_id, holder=holder, before=before, after=after)
            yield Planned(step, change, group_id)
        before = after
    world.holders[holder] = before


def _stages(
    step: Step, before: tuple[str, ...], group_id: str, inputs: PlanInputs
) -> Iterator[tuple[str, ...]]:
    """Yield the holder's groups after each change of the step."""
    if step.action == "bind":
        yield before if group_id in before else (*before, group_id)
    elif step.action == "replace":
        yield (group_id,)
    elif group_id not in before:
        raise _DivergedError(f"{step.details['holder_id']} no longer has {group_id}")
    elif step.action == "unbind":
        yield _without(before, group_id)
    else:
        to_group = step.details["to_group"]
        if to_group in before:
            yield _without(before, group_id)
            return
        # The new group comes first, unless one call changes both: where the cloud has such a call,
        # and where no more groups fit.
        ceiling = inputs.groups_ceiling
        if not inputs.replaces_groups and (ceiling is None or len(before) < ceiling):
            yield (*before, to_group)
        yield tuple(to_group if one == group_id else one for one in before)


def _without(group_ids: tuple[str, ...], group_id: str) -> tuple[str, ...]:
    return tuple(one for one in group_ids if one != group_id)
