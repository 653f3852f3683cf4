"""May these groups be deleted together? Pure: facts and policy in, judgement out.

A group is free when the facts are whole, nothing carries it, and no group that stays names it.
What stands in the way may be remedied where the policy permits every remedy that is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime

import msgspec
from msgspec.structs import replace

from sgguard.guards.base import incomplete, missing_or_malformed, named, too_short_sighted
from sgguard.guards.delete.consequence import consequences
from sgguard.guards.delete.plan import Edges, Order, Ruled, deletion, order, rule_changes
from sgguard.guards.delete.reason import (
    bound_reason,
    circle_unbroken_reason,
    cloud_managed_reason,
    default_group_reason,
    free_reason,
    protected_reason,
    referenced_reason,
    referenced_within_reason,
    still_referenced_reason,
)
from sgguard.guards.delete.remedy import DeleteContext, can_force, change_rule, free_holder
from sgguard.model.codes import Verdict
from sgguard.model.decision import Judgement, Reason, Step
from sgguard.model.facts import DeleteFacts, GroupFacts
from sgguard.model.order import binding_key, reference_key
from sgguard.model.resource import Reference
from sgguard.policy import Policy, first_that_may, for_group
from sgguard.policy.governing import excused


class _Set(msgspec.Struct, frozen=True):
    """The groups of one request, by id in a fixed order, with what the judgement needs of them.

    The references of a member are in their fixed order.
    """

    facts: DeleteFacts
    delete_context: DeleteContext
    policies: Mapping[str, Policy]
    members: Mapping[str, GroupFacts]
    edges: Edges
    order: Order


class _Finding(msgspec.Struct, frozen=True):
    """A reason to block, and what would remove it: rules to change, holders to release.

    ``is_forced`` leaves holders to the cloud's own forced delete. ``is_final`` says that nothing
    would, or that the policy does not permit it. A reason that only warns or informs needs no
    removing: the policy tolerates it, or exempts the group from it.
    """

    reason: Reason
    ruled: tuple[Ruled, ...] = ()
    released: tuple[Step, ...] = ()
    is_forced: bool = False
    is_final: bool = False


Findings = Mapping[str, tuple[_Finding, ...]]


def judge(facts: DeleteFacts, policy: Policy, now: datetime | None = None) -> Judgement:
    """Judge the groups as one set; the same facts in any order give the same judgement.

    ``now`` is the moment at which exemptions must hold; without it none does.
    """
    # 1. What the set is: its members, who names whom among them, and the order to go in.
    request = _prepare(facts, policy, now)
    # 2. What blocks each member by itself, and what the policy permits to remove that.
    findings = {group_id: _blockers(request, one) for group_id, one in request.members.items()}
    # 3. A member that stays keeps every member that it names.
    staying = _staying(request, findings)
    # 4. The reasons, then the verdict: a member that stays blocks, a blocker that can be removed
    #    asks for a remedy, and without any blocker the delete is allowed.
    reasons = tuple(
        reason
        for group_id, member in request.members.items()
        for reason in _reasons(request, member, findings[group_id], staying)
    )
    outlook = consequences(facts, request.members, request.order.first)
    if staying or not request.members:
        return Judgement(Verdict.BLOCK, reasons, consequences=outlook)
    is_allowed = not any(_blocks(one) for found in findings.values() for one in found)
    verdict = Verdict.ALLOW if is_allowed else Verdict.REMEDIATE
    return Judgement(verdict, reasons, _plan(request, findings), outlook)


def _blocks(finding: _Finding) -> bool:
    return finding.reason.effect == "block"


def _prepare(facts: DeleteFacts, policy: Policy, now: datetime | None) -> _Set:
    ordered = sorted(facts.groups, key=lambda one: one.address.group_id)
    members = {one.address.group_id: _in_order(one) for one in ordered}
    edges = {group_id: _held_within(one, members) for group_id, one in members.items()}
    policies = {key: for_group(policy, one.address, one.group) for key, one in members.items()}
    delete_context = DeleteContext(facts, policy, now, frozenset(members))
    return _Set(facts, delete_context, policies, members, edges, order(members, edges))


def _in_order(member: GroupFacts) -> GroupFacts:
    """Return the group with its references in their order: it is asked for again and again."""
    if len(member.references) <= 1:
        return member
    return replace(member, references=tuple(sorted(member.references, key=reference_key)))


def _policy(request: _Set, member: GroupFacts) -> Policy:
    return request.policies[member.address.group_id]


def _held_within(
    facts: GroupFacts, members: Mapping[str, GroupFacts]
) -> dict[str, tuple[Reference, ...]]:
    """Return the references to the group from others of the set, by the group that holds them."""
    held: dict[str, list[Reference]] = {}
    for one in _references(facts):
        if _is_within(one, members):
            held.setdefault(one.group_id, []).append(one)
    return {referrer: tuple(naming) for referrer, naming in held.items()}


def _is_within(reference: Reference, members: Mapping[str, GroupFacts]) -> bool:
    # An id of another account may look like one of ours and is another group.
    return reference.group_id in members and not reference.account


def _references(facts: GroupFacts) -> list[Reference]:
    """Return the references; rules of the group itself do not hold it back."""
    own = facts.address.group_id
    return [one for one in facts.references if one.account or one.group_id != own]


def _blockers(request: _Set, member: GroupFacts) -> tuple[_Finding, ...]:
    """Return everything that keeps this group from being deleted, whatever the others do."""
    example = request.facts.capabilities.group_id_example
    if unknown := missing_or_malformed(member, example):
        return (_Finding(unknown, is_final=True),)
    return (
        *(_Finding(one, is_final=one.effect == "block") for one in _unchangeable(request, member)),
        *_references_from_outside(request, member),
        *_bindings(request, member),
    )


def _unchangeable(request: _Set, member: GroupFacts) -> Iterator[Reason]:
    """Return the reasons that no remedy removes."""
    policy, target = _policy(request, member).delete, str(member.address)
    yield from incomplete(member.unseen, target, named(member), tolerated=policy.tolerate_unseen)
    yield from too_short_sighted(
        request.facts.visibility, policy.require_visibility, target, "delete"
    )
    if member.group and member.group.is_default:
        yield default_group_reason(member)
    if member.group and member.group.managed_by:
        yield cloud_managed_reason(member, member.group.managed_by)
    yield from _protected(request, member)


def _protected(request: _Set, member: GroupFacts) -> Iterator[Reason]:
    policy, address, group = _policy(request, member), member.address, member.group
    hit = first_that_may(policy.delete.protected, address, group)
    if hit is not None:
        yield excused(
            protected_reason(member, hit), policy, request.facts, request.delete_context.now
        )


def _references_from_outside(request: _Set, member: GroupFacts) -> Iterator[_Finding]:
    outside = tuple(one for one in _references(member) if not _is_within(one, request.members))
    if outside:
        own = _policy(request, member)
        changed = [change_rule(request.delete_context, own, member, one) for one in outside]
        known = tuple(one for one in changed if one is not None)
        reason = referenced_reason(request.facts.capabilities, member, outside)
        yield _Finding(reason, ruled=known, is_final=len(known) < len(outside))


def _bindings(request: _Set, member: GroupFacts) -> Iterator[_Finding]:
    bindings, own = tuple(sorted(member.bindings, key=binding_key)), _policy(request, member)
    if bindings:
        others = [one for one in bindings if not can_force(request.delete_context, own, one)]
        steps = [free_holder(request.delete_context, own, member, one) for one in others]
        yield _Finding(
            bound_reason(member, bindings),
            released=tuple(step for step in steps if step is not None),
            is_forced=len(others) < len(bindings),
            is_final=None in steps,
        )


def _staying(request: _Set, findings: Findings) -> frozenset[str]:
    """Return the members that cannot go: blocked themselves, or named by one that stays."""
    blocked = (one for one, found in findings.items() if any(each.is_final for each in found))
    staying = {*blocked, *request.order.stuck}
    named: dict[str, list[str]] = {}
    for group_id, held in request.edges.items():
        for referrer in held:
            named.setdefault(referrer, []).append(group_id)
    waiting = sorted(staying)
    while waiting:
        more = [one for one in named.get(waiting.pop(), ()) if one not in staying]
        staying.update(more)
        waiting.extend(more)
    return frozenset(staying)


def _reasons(
    request: _Set, member: GroupFacts, found: Sequence[_Finding], staying: frozenset[str]
) -> Iterator[Reason]:
    """Return a group's own reasons, what the others of the set mean for it, and that it is free."""
    group_id, capabilities = member.address.group_id, request.facts.capabilities
    held = request.edges[group_id]
    stuck = request.order.stuck.get(group_id, ())
    remaining = _held_by(held, staying)
    going = _held_by(held, set(held) - staying)
    yield from (one.reason for one in found)
    if stuck:
        yield circle_unbroken_reason(member, stuck)
    elif remaining:
        yield still_referenced_reason(capabilities, member, remaining)
    if going:
        yield referenced_within_reason(member, going, _circle(request, group_id))
    if not any(map(_blocks, found)) and group_id not in staying:
        yield free_reason(request.facts, member, others=bool(going))


def _held_by(
    held: Mapping[str, tuple[Reference, ...]], referrers: Iterable[str]
) -> tuple[Reference, ...]:
    chosen = set(referrers)
    return tuple(one for who in sorted(held) if who in chosen for one in held[who])


def _circle(request: _Set, group_id: str) -> tuple[str, ...]:
    return next((circle for circle in request.order.cycles if group_id in circle), ())


def _plan(request: _Set, findings: Findings) -> tuple[Step, ...]:
    """Return changes of rules, releases, then deletions: each makes the ones after it possible."""
    scope = next(iter(request.members.values())).address.scope
    rules = [
        *(one for found in findings.values() for each in found for one in each.ruled),
        *(Ruled(named, one) for named, held in request.order.revoked.items() for one in held),
    ]
    released = (step for found in findings.values() for one in found for step in one.released)
    deleted = (
        deletion(
            request.members[group_id].address,
            group.name if (group := request.members[group_id].group) else None,
            is_forced=any(one.is_forced for one in findings[group_id]),
        )
        for group_id in request.order.first
    )
    return (*rule_changes(scope, rules), *released, *deleted)
