"""What would make an instance keep the policy: a baseline group, one less, or quarantine.

Every holder (the instance, or each of its interfaces) keeps a group all the time: a new one is
bound before an old one goes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import msgspec

from sgguard.guards.base import usable_group
from sgguard.guards.launch.limit import change_of, usages
from sgguard.model.address import Address
from sgguard.model.decision import Step
from sgguard.model.facts import LaunchFacts
from sgguard.model.sentence import Item, listed, said
from sgguard.policy import LaunchPolicy, Policy, matches
from sgguard.render.language.step import step_of


class Violations(msgspec.Struct, frozen=True):
    """What of the policy is not kept: baseline entries no group matches, ids that are forbidden."""

    missing: tuple[str, ...]
    forbidden: tuple[str, ...]


class _Holder(msgspec.Struct, frozen=True):
    """A holder (``Binding.kind`` and id) with the groups it has."""

    kind: str
    holder_id: str
    group_ids: tuple[str, ...]


def remedies(facts: LaunchFacts, policy: Policy, violations: Violations) -> tuple[Step, ...]:
    """Return the permitted steps after which the policy is kept; none where there are not."""
    if not facts.instance_id:
        return _planned(facts, policy, violations)
    instance = facts.instance
    if instance is None or instance.binding_refusal or instance.unseen_to_bind:
        return ()
    holders = _holders(facts)
    current = {each for one in holders for each in one.group_ids}
    if not holders or not set(violations.forbidden) <= current:
        return ()  # what was only asked for is refused, the instance itself did nothing
    quarantine = _quarantine(facts, policy.launch)
    if quarantine and quarantine in current:
        # Never bind anything beside it again.
        return _possible(facts, _replaced(facts, holders, quarantine))
    mended = _possible(facts, _mended(facts, policy, violations, holders))
    return mended or _possible(facts, _replaced(facts, holders, quarantine) if quarantine else ())


def _possible(facts: LaunchFacts, steps: Iterable[Step]) -> tuple[Step, ...]:
    """Return the steps; none where one is about an interface that refuses every change now."""
    planned, interfaces = tuple(steps), facts.instance.interfaces if facts.instance else ()
    refusing = {one.interface_id for one in interfaces if one.change_refusal}
    return () if any(one.details["holder_id"] in refusing for one in planned) else planned


def _planned(facts: LaunchFacts, policy: Policy, violations: Violations) -> tuple[Step, ...]:
    """Return what to launch with in addition; a forbidden group must be left out by who asks."""
    wanted = None if violations.forbidden else _bindable(facts, policy, violations)
    details = {"kind": "planned", "holder_id": "", "instance_id": "", "count": str(facts.count)}
    return tuple(
        _bind(facts, group_id, said("holder.every-planned"), details) for group_id in wanted or ()
    )


def _holders(facts: LaunchFacts) -> list[_Holder]:
    """Return the holders of the instance's groups, the primary interface first if it is known."""
    instance, kind = facts.instance, facts.capabilities.primary_holder
    if instance is None:
        return []
    if kind != "instance":
        return [_Holder(kind, one.interface_id, one.group_ids) for one in instance.interfaces]
    others = (one for one in instance.interfaces if not one.is_primary)
    return [
        _Holder("instance", instance.instance_id, instance.group_ids),
        *(_Holder("interface", one.interface_id, one.group_ids) for one in others),
    ]


def _bindable(facts: LaunchFacts, policy: Policy, violations: Violations) -> tuple[str, ...] | None:
    """Return the ids of missing baseline groups; None where one cannot be bound, or must not."""
    if not violations.missing:
        return ()
    example = facts.capabilities.group_id_example
    # An entry written as an address is about this scope, or it would not be missing here.
    names = [entry.rpartition(":")[2] for entry in violations.missing]
    ids = [usable_group(one, facts.scope, example) for one in names]
    if "bind" not in policy.launch.remedies or "" in ids:
        return None
    after = usages(change_of(facts, ids), policy.limits.get(facts.scope.provider, {}))
    if any(one.is_exceeded and one.limit.is_enforced for one in after):
        return None
    return tuple(dict.fromkeys(ids))


def _mended(
    facts: LaunchFacts, policy: Policy, violations: Violations, holders: list[_Holder]
) -> tuple[Step, ...]:
    """Return the steps that bind what is missing, then take off what is forbidden."""
    wanted = _bindable(facts, policy, violations)
    if wanted is None or (violations.forbidden and "unbind" not in policy.launch.remedies):
        return ()
    fallback = _fallback(facts, policy.launch, violations.forbidden)
    reached = _reached(facts, holders)
    bound, released = [], []
    for one in holders:
        fresh = [each for each in wanted if one in reached and each not in one.group_ids]
        bound += [_bind(facts, each, *_shown(facts, one)) for each in fresh]
        steps = _released(facts, one, (*one.group_ids, *fresh), violations.forbidden, fallback)
        if steps is None:
            return ()
        released += steps
    return (*bound, *released)


def _reached(facts: LaunchFacts, holders: list[_Holder]) -> list[_Holder]:
    """Return the holders that a group is bound to: all where each interface has its own groups."""
    return holders if facts.capabilities.group_limit_per == "interface" else holders[:1]


def _released(
    facts: LaunchFacts,
    holder: _Holder,
    current: tuple[str, ...],
    forbidden: Collection[str],
    fallback: str,
) -> list[Step] | None:
    """Return the steps that take forbidden groups off a holder; None: it would have none left."""
    leaving = [one for one in holder.group_ids if one in forbidden]
    if not leaving:
        return []
    if any(one not in forbidden for one in current):
        return [_unbind(facts, one, holder) for one in leaving]
    if not fallback:
        return None
    first, *rest = leaving
    return [_move(facts, first, fallback, holder), *(_unbind(facts, r, holder) for r in rest)]


def _fallback(facts: LaunchFacts, launch: LaunchPolicy, forbidden: Collection[str]) -> str:
    found = usable_group(launch.fallback_group, facts.scope, facts.capabilities.group_id_example)
    address = Address(facts.scope, found)
    is_refused = found in forbidden or any(matches(one, address, None) for one in launch.forbidden)
    return "" if is_refused else found


def _quarantine(facts: LaunchFacts, launch: LaunchPolicy) -> str:
    if "quarantine" not in launch.remedies:
        return ""
    return usable_group(launch.quarantine_group, facts.scope, facts.capabilities.group_id_example)


def _shown(facts: LaunchFacts, holder: _Holder) -> tuple[Item, dict[str, str]]:
    """Return a holder's name for a sentence, and the details of a step about it."""
    details = {
        "kind": holder.kind,
        "holder_id": holder.holder_id,
        "instance_id": facts.instance_id,
    }
    if holder.kind == "instance":
        return facts.instance_id, details
    shown = said(
        "holder.part", kind=holder.kind, holder=holder.holder_id, instance=facts.instance_id
    )
    return shown, details


def _bind(facts: LaunchFacts, group_id: str, whom: Item, details: dict[str, str]) -> Step:
    target = str(Address(facts.scope, group_id))
    back = said("plan.unbind", group=group_id, holder=whom)
    bind = said("plan.bind", group=group_id, holder=whom)
    return step_of("bind", target, bind, details, step_of("unbind", target, back, details))


def _unbind(facts: LaunchFacts, group_id: str, holder: _Holder) -> Step:
    whom, details = _shown(facts, holder)
    target = str(Address(facts.scope, group_id))
    back = said("plan.bind-again", group=group_id, holder=whom)
    unbind = said("plan.unbind", group=group_id, holder=whom)
    return step_of("unbind", target, unbind, details, step_of("bind", target, back, details))


def _move(facts: LaunchFacts, group_id: str, to_group: str, holder: _Holder) -> Step:
    whom, details = _shown(facts, holder)
    target = str(Address(facts.scope, group_id))
    there = {**details, "from_group": group_id, "to_group": to_group}
    again = {**details, "from_group": to_group, "to_group": group_id}
    back = said("plan.move-back", group=group_id, holder=whom)
    moved = said("plan.move", group=group_id, holder=whom, new=to_group)
    return step_of("move", target, moved, there, step_of("move", target, back, again))


def _replaced(facts: LaunchFacts, holders: list[_Holder], quarantine: str) -> Iterator[Step]:
    """Yield a step for each holder that does not carry the quarantine group alone."""
    target = str(Address(facts.scope, quarantine))
    for one in holders:
        if one.group_ids == (quarantine,):
            continue
        whom, details = _shown(facts, one)
        there = {**details, "groups": ",".join(one.group_ids)}
        back = said("plan.replace-back.none", holder=whom)
        if one.group_ids:
            back = said("plan.replace-back", holder=whom, groups=listed(one.group_ids))
        sentence = said("plan.replace", holder=whom, group=quarantine)
        yield step_of("replace", target, sentence, there, step_of("replace", target, back, there))
