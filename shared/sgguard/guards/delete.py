"""May these groups be deleted together? Pure: facts and policy in, judgement out.

A group is free when the facts are whole, nothing carries it, and no group that stays names it.
What stands in the way may be remedied where the policy permits every remedy that is needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sgguard.decision import Judgement, Reason, Step, Verdict
from sgguard.guards import delete_reason as say
from sgguard.guards.base import (
    could_be_id,
    incomplete,
    matches,
    missing_or_malformed,
    too_short_sighted,
)
from sgguard.guards.delete_consequence import consequences
from sgguard.guards.delete_plan import Edges, Order, deletion, order, release, revocations
from sgguard.model import Address, Binding, DeleteFacts, Group, GroupFacts, Reference
from sgguard.policy import Policy


@dataclass(frozen=True, slots=True)
class _Set:
    """The groups of one request, by id in a fixed order, with what the judgement needs of them."""

    facts: DeleteFacts
    policy: Policy
    members: Mapping[str, GroupFacts]
    edges: Edges
    order: Order


@dataclass(frozen=True, slots=True)
class _Finding:
    """A reason to block, and what would remove it: rules to revoke, holders to release.

    ``is_final`` says that nothing would, or that the policy does not permit it. A reason that
    only warns needs no removing: the policy tolerates it.
    """

    reason: Reason
    revoked: tuple[Reference, ...] = ()
    released: tuple[Step, ...] = ()
    is_final: bool = False


Findings = Mapping[str, tuple[_Finding, ...]]


def judge(facts: DeleteFacts, policy: Policy) -> Judgement:
    """Judge the groups as one set; the same facts in any order give the same judgement."""
    request = _prepare(facts, policy)
    findings = {group_id: _blockers(request, one) for group_id, one in request.members.items()}
    staying = _staying(request, findings)
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


def _prepare(facts: DeleteFacts, policy: Policy) -> _Set:
    ordered = sorted(facts.groups, key=lambda one: one.address.group_id)
    members = {one.address.group_id: one for one in ordered}
    edges = {group_id: _held_within(one, members) for group_id, one in members.items()}
    return _Set(facts, policy, members, edges, order(members, edges))


def _held_within(
    facts: GroupFacts, members: Mapping[str, GroupFacts]
) -> dict[str, tuple[Reference, ...]]:
    """Return the references to the group from others of the set, by the group that holds them."""
    held: dict[str, tuple[Reference, ...]] = {}
    for one in _references(facts):
        if _is_within(one, members):
            held[one.group_id] = (*held.get(one.group_id, ()), one)
    return held


def _is_within(reference: Reference, members: Mapping[str, GroupFacts]) -> bool:
    # An id of another account may look like one of ours and is somebody else's group.
    return reference.group_id in members and not reference.account


def _references(facts: GroupFacts) -> list[Reference]:
    """Return the references in a fixed order; rules of the group itself do not hold it back."""
    own = facts.address.group_id
    return sorted((one for one in facts.references if one.account or one.group_id != own), key=repr)


def _blockers(request: _Set, member: GroupFacts) -> tuple[_Finding, ...]:
    """Return everything that keeps this group from being deleted, whatever the others do."""
    example = request.facts.traits.group_id_example
    if unknown := missing_or_malformed(member, example):
        return (_Finding(unknown, is_final=True),)
    return (
        *(_Finding(one, is_final=one.effect == "block") for one in _unchangeable(request, member)),
        *_references_from_outside(request, member),
        *_bindings(request, member),
    )


def _unchangeable(request: _Set, member: GroupFacts) -> Iterator[Reason]:
    """Return the reasons that no remedy removes."""
    policy, target = request.policy.delete, str(member.address)
    yield from incomplete(
        member.unseen, target, say.label_of(member), tolerated=policy.tolerate_unseen
    )
    yield from too_short_sighted(
        request.facts.visibility, policy.require_visibility, target, "delete"
    )
    if member.group and member.group.is_default:
        yield say.default_group(member)
    if member.group and member.group.managed_by:
        yield say.cloud_managed(member, member.group.managed_by)
    pattern = _protecting(request, member.address, member.group)
    if pattern is not None:
        yield say.protected(member, pattern)


def _protecting(request: _Set, address: Address, group: Group | None) -> str | None:
    patterns = request.policy.delete.protected
    return next((pattern for pattern in patterns if matches(pattern, address, group)), None)


def _references_from_outside(request: _Set, member: GroupFacts) -> Iterator[_Finding]:
    outside = tuple(one for one in _references(member) if not _is_within(one, request.members))
    if outside:
        is_final = not all(_is_revocable(request, member, one) for one in outside)
        reason = say.referenced(request.facts.traits, member, outside)
        yield _Finding(reason, revoked=outside, is_final=is_final)


def _is_revocable(request: _Set, member: GroupFacts, reference: Reference) -> bool:
    """Say whether the rule is known, ours, and the policy permits to revoke it."""
    if "revoke" not in request.policy.delete.remedies:
        return False
    holder = Group(reference.group_id, reference.group_name)
    address = Address(member.address.scope, reference.group_id)
    is_ours = reference.rule is not None and not reference.account
    return is_ours and _protecting(request, address, holder) is None


def _bindings(request: _Set, member: GroupFacts) -> Iterator[_Finding]:
    bindings = tuple(sorted(member.bindings, key=repr))
    if bindings:
        steps = [_released(request, member, one) for one in bindings]
        known = tuple(step for step in steps if step is not None)
        is_final = len(known) < len(bindings)
        yield _Finding(say.bound(member, bindings), released=known, is_final=is_final)


def _released(request: _Set, member: GroupFacts, binding: Binding) -> Step | None:
    """Return the permitted step that frees this holder of the group, or None."""
    is_of_instance = binding.kind == "instance" or bool(binding.instance_id)
    if not (is_of_instance and binding.holder_id):
        return None
    remedies = request.policy.delete.remedies
    kept = set(binding.other_group_ids or ()) - set(request.members)
    if kept and "unbind" in remedies:
        return release(member.address, binding, fallback="")
    fallback = _fallback(request, member.address)
    if fallback and "move" in remedies:
        return release(member.address, binding, fallback)
    return None


def _fallback(request: _Set, address: Address) -> str:
    """Return the id of the policy's fallback group where it can be one here, else ``""``."""
    scope, _, group_id = request.policy.delete.fallback_group.rpartition(":")
    is_elsewhere = bool(scope) and scope != str(address.scope)
    is_of_this_cloud = could_be_id(group_id, request.facts.traits.group_id_example)
    is_usable = is_of_this_cloud and not is_elsewhere and group_id not in request.members
    return group_id if is_usable else ""


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
    group_id, traits = member.address.group_id, request.facts.traits
    held = request.edges[group_id]
    stuck = request.order.stuck.get(group_id, ())
    remaining = _held_by(held, staying)
    going = _held_by(held, set(held) - staying)
    yield from (one.reason for one in found)
    if stuck:
        yield say.circle_unbroken(member, stuck)
    elif remaining:
        yield say.still_referenced(traits, member, remaining)
    if going:
        yield say.referenced_within(member, going, _circle(request, group_id))
    if not any(map(_blocks, found)) and group_id not in staying:
        yield say.free(request.facts, member, others=bool(going))


def _held_by(
    held: Mapping[str, tuple[Reference, ...]], referrers: Iterable[str]
) -> tuple[Reference, ...]:
    chosen = set(referrers)
    return tuple(one for who in sorted(held) if who in chosen for one in held[who])


def _circle(request: _Set, group_id: str) -> tuple[str, ...]:
    return next((circle for circle in request.order.cycles if group_id in circle), ())


def _plan(request: _Set, findings: Findings) -> tuple[Step, ...]:
    """Return revocations, releases, then deletions: each makes the ones after it possible."""
    scope = next(iter(request.members.values())).address.scope
    rules = [
        *((named, one) for named, found in findings.items() for f in found for one in f.revoked),
        *((named, one) for named, held in request.order.revoked.items() for one in held),
    ]
    released = (step for found in findings.values() for one in found for step in one.released)
    going = (request.members[group_id] for group_id in request.order.first)
    deleted = (deletion(one.address, one.group.name if one.group else "") for one in going)
    return (*revocations(scope, rules), *released, *deleted)
