"""The delete guard's reasons: a code and arguments each, with numbers and names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from sgguard.guards.base import named
from sgguard.model.capabilities import Capabilities
from sgguard.model.codes import ReasonCode
from sgguard.model.decision import Reason
from sgguard.model.facts import DeleteFacts, GroupFacts
from sgguard.model.resource import Binding, Reference, Visibility
from sgguard.model.sentence import Item, Sentence, counted, listed, said, thing
from sgguard.policy import matches

_REACH = {
    Visibility.PROJECT: said("reach.project"),
    Visibility.ACCOUNT: said("reach.account"),
    Visibility.CLOUD: said("reach.cloud"),
}

Effect = Literal["block", "warn", "info"]


def default_group_reason(member: GroupFacts) -> Reason:
    """The cloud's default group stays."""
    sentence = said("delete.default-group", group=named(member))
    return _about_group(ReasonCode.DEFAULT_GROUP, sentence, member)


def cloud_managed_reason(member: GroupFacts, owner: str) -> Reason:
    """A product of the cloud owns the group."""
    sentence = said("delete.cloud-managed", group=named(member), owner=owner)
    return _about_group(ReasonCode.CLOUD_MANAGED, sentence, member)


def protected_reason(member: GroupFacts, pattern: str) -> Reason:
    """The policy protects the group, or may: its name is not told and could fit the pattern."""
    is_certain = matches(pattern, member.address, member.group)
    sentence = said(
        "delete.protected" if is_certain else "delete.protected.maybe",
        group=named(member),
        pattern=pattern,
    )
    return _about_group(ReasonCode.PROTECTED, sentence, member)


def referenced_reason(
    capabilities: Capabilities, member: GroupFacts, references: Sequence[Reference]
) -> Reason:
    """Rules of other groups name the group; what this cloud would do if it were deleted."""
    rules, groups = len(references), _holders(references)
    holders = listed(_holder(one) for one in references)
    if _cascades(capabilities):
        code = ReasonCode.REFERENCED_WILL_CASCADE
        sentence = said(
            "delete.cascade", group=named(member), n=rules, groups=groups, holders=holders
        )
    else:
        code = ReasonCode.REFERENCED
        sentence = said(
            "delete.referenced",
            n=rules,
            groups=groups,
            group=named(member),
            holders=holders,
            then=_consequence(capabilities),
        )
    return _blocking(code, sentence, member, references)


def still_referenced_reason(
    capabilities: Capabilities, member: GroupFacts, references: Sequence[Reference]
) -> Reason:
    """A group of the same request names this one and stays, so this one stays too."""
    code = ReasonCode.REFERENCED
    if _cascades(capabilities):
        code = ReasonCode.REFERENCED_WILL_CASCADE
    holders = listed(_holder(one) for one in references)
    sentence = said("delete.referenced.still", group=named(member), holders=holders)
    return _blocking(code, sentence, member, references)


def circle_unbroken_reason(member: GroupFacts, references: Sequence[Reference]) -> Reason:
    """Groups name each other in a circle, and the rule to revoke first is unknown."""
    holders = listed(_holder(one) for one in references)
    sentence = said("delete.referenced.circle", group=named(member), holders=holders)
    return _blocking(ReasonCode.REFERENCED, sentence, member, references)


def referenced_within_reason(
    member: GroupFacts, references: Sequence[Reference], circle: Sequence[str]
) -> Reason:
    """Groups deleted together with this one name it, and what follows for the order."""
    if circle:
        sentence = said("delete.within.circle", group=named(member), circle=listed(circle))
    else:
        holders = listed(_holder(one) for one in references)
        sentence = said("delete.within", group=named(member), holders=holders)
    target = str(member.address)
    return Reason(ReasonCode.REFERENCED_WITHIN_SET, sentence, "info", target, tuple(references))


def bound_reason(member: GroupFacts, bindings: Sequence[Binding]) -> Reason:
    """Holders carry the group: counted by kind, and by name as far as there is room."""
    totals: dict[str, int] = {}
    for one in bindings:
        totals[one.kind] = totals.get(one.kind, 0) + one.count
    kinds = listed(counted(n, kind) for kind, n in sorted(totals.items()))
    holders = listed(_bound(one) for one in bindings if one.holder_id)
    refusal = _refusal(bindings)
    sentence = said("delete.bound.short", group=named(member), kinds=kinds, refusal=refusal)
    if any(one.holder_id for one in bindings):
        sentence = said(
            "delete.bound", group=named(member), kinds=kinds, holders=holders, refusal=refusal
        )
    return _blocking(ReasonCode.BOUND, sentence, member, bindings)


def _refusal(bindings: Sequence[Binding]) -> Item:
    """Return which holder the cloud would not change now, and why; empty where there is none."""
    refusing = [one for one in bindings if one.change_refusal]
    if not refusing:
        return ""
    first, others = refusing[0], len(refusing) - 1
    who = said("holder.counted", kind=first.kind)
    if first.holder_id:
        who = said("holder.of-kind", kind=first.kind, holder=first.holder_id)
    if others:
        return said("delete.bound.refusing-more", who=who, n=others, why=first.change_refusal)
    return said("delete.bound.refusing", who=who, why=first.change_refusal)


def free_reason(facts: DeleteFacts, member: GroupFacts, *, others: bool) -> Reason:
    """Return what was looked for and not found; ``others``: groups of the request name it."""
    blind = len(facts.capabilities.blind_spots)
    sentence = said(
        "delete.free",
        group=named(member),
        reach=said("reach.seen") if member.unseen else _REACH[facts.visibility],
        who=said("who.staying") if others else said("who.another"),
        blind=said("delete.blind", n=blind) if blind else "",
    )
    return _about_group(ReasonCode.FREE, sentence, member, effect="info")


def _bound(binding: Binding) -> Item:
    """Name a holder by what an engineer looks for: its instance, or else the service it serves.

    A UUID is shortened when it is shown: the evidence has it whole, and names need the room.
    """
    holder = thing(binding.holder_id, binding.name)
    if binding.instance_id and binding.instance_id != binding.holder_id:
        return said("holder.of-instance", holder=holder, instance=binding.instance_id)
    if binding.owner and not binding.instance_id:
        return said("holder.for", holder=holder, owner=binding.owner)
    return holder


def _cascades(capabilities: Capabilities) -> bool:
    return capabilities.on_delete_referenced == "cascades" and not capabilities.keeps_referenced


def _consequence(capabilities: Capabilities) -> Sentence:
    code = capabilities.refused_with
    if capabilities.delete_guard:
        return said("delete.then.guard", guard=capabilities.delete_guard, code=code)
    if capabilities.on_delete_referenced != "refused":
        return said("delete.then.unknown")
    return said("delete.then.refused-with", code=code) if code else said("delete.then.refused")


def _holders(references: Iterable[Reference]) -> int:
    return len({(one.account, one.group_id) for one in references})


def _holder(reference: Reference) -> Item:
    group = thing(reference.group_id, reference.group_name)
    if reference.account:
        return said("holder.of-account", group=group, account=reference.account)
    return group


def _blocking(
    code: ReasonCode,
    sentence: Sentence,
    member: GroupFacts,
    evidence: Sequence[Reference] | Sequence[Binding],
) -> Reason:
    return Reason(code, sentence, "block", str(member.address), tuple(evidence))


def _about_group(
    code: ReasonCode, sentence: Sentence, member: GroupFacts, effect: Effect = "block"
) -> Reason:
    evidence = (member.group,) if member.group else ()
    return Reason(code, sentence, effect, str(member.address), evidence)
