"""The delete guard's reasons in words: one sentence each, with numbers and names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

from sgguard.model.capabilities import Capabilities
from sgguard.model.codes import ReasonCode
from sgguard.model.decision import Reason
from sgguard.model.facts import DeleteFacts, GroupFacts
from sgguard.model.resource import Binding, Reference, Visibility
from sgguard.policy import matches
from sgguard.render.wording import MESSAGE_MAX, count, kinds, label, listing, one_line, short_ids

_REACH = {
    Visibility.PROJECT: "as far as this project sees",
    Visibility.ACCOUNT: "in this account",
    Visibility.CLOUD: "in the whole cloud",
}
_ROOM_FOR_NAMES = 16

Effect = Literal["block", "warn", "info"]


def label_of(member: GroupFacts, width: int = 60) -> str:
    """Return the group's id and name for a message."""
    return label(member.address.group_id, member.group.name if member.group else None, width)


def default_group_reason(member: GroupFacts) -> Reason:
    """The cloud's default group stays."""
    message = f"{label_of(member)} is the default group of its project and cannot be deleted."
    return _about_group(ReasonCode.DEFAULT_GROUP, message, member)


def cloud_managed_reason(member: GroupFacts, owner: str) -> Reason:
    """A product of the cloud owns the group."""
    message = f"{label_of(member)} is managed by {one_line(owner, 60)}: delete it there, not here."
    return _about_group(ReasonCode.CLOUD_MANAGED, message, member)


def protected_reason(member: GroupFacts, pattern: str) -> Reason:
    """The policy protects the group, or may: its name is not told and could fit the pattern."""
    if matches(pattern, member.address, member.group):
        message = f"{label_of(member)} is protected by the policy (delete.protected: {pattern})."
    else:
        head = f"{label_of(member)} may be protected by the policy (delete.protected: {pattern})"
        message = f"{head}: its name could not be read."
    return _about_group(ReasonCode.PROTECTED, message, member)


def referenced_reason(
    capabilities: Capabilities, member: GroupFacts, references: Sequence[Reference]
) -> Reason:
    """Rules of other groups name the group; what this cloud would do if it were deleted."""
    rules, groups = len(references), _holders(references)
    if _cascades(capabilities):
        code, tail = ReasonCode.REFERENCED_WILL_CASCADE, ""
        would = f"{count(rules, 'rule')} of {count(groups, 'group')} would silently vanish"
        head = f"If {label_of(member)} were deleted, {would}"
    else:
        code, tail = ReasonCode.REFERENCED, _consequence(capabilities)
        verb = "name" if rules > 1 else "names"
        who = count(groups, "other group")
        head = f"{count(rules, 'rule')} of {who} {verb} {label_of(member)}"
    names = listing((_holder(one) for one in references), MESSAGE_MAX - len(head) - len(tail) - 3)
    return _blocking(code, f"{head}: {names}.{tail}", member, references)


def still_referenced_reason(
    capabilities: Capabilities, member: GroupFacts, references: Sequence[Reference]
) -> Reason:
    """A group of the same request names this one and stays, so this one stays too."""
    code = ReasonCode.REFERENCED
    if _cascades(capabilities):
        code = ReasonCode.REFERENCED_WILL_CASCADE
    head = f"{label_of(member, 48)} stays referenced by"
    tail = ", which is in this request but cannot be deleted itself."
    names = listing((_holder(one) for one in references), MESSAGE_MAX - len(head) - len(tail) - 1)
    return _blocking(code, f"{head} {names}{tail}", member, references)


def circle_unbroken_reason(member: GroupFacts, references: Sequence[Reference]) -> Reason:
    """Groups name each other in a circle, and the rule to revoke first is unknown."""
    head = f"{label_of(member, 48)} is in a circle of references with"
    tail = "; the rule to revoke first could not be read."
    names = listing((_holder(one) for one in references), MESSAGE_MAX - len(head) - len(tail) - 1)
    return _blocking(ReasonCode.REFERENCED, f"{head} {names}{tail}", member, references)


def referenced_within_reason(
    member: GroupFacts, references: Sequence[Reference], circle: Sequence[str]
) -> Reason:
    """Groups deleted together with this one name it, and what follows for the order."""
    if circle:
        head, tail = f"{label_of(member, 40)} is in a circle of references", ": rules go first."
        names = listing(circle, MESSAGE_MAX - len(head) - len(tail) - 3)
        message = f"{head} ({names}){tail}"
    else:
        head = f"{label_of(member, 48)} is named by"
        tail = ", deleted in the same request and before it."
        who = (_holder(one) for one in references)
        message = f"{head} {listing(who, MESSAGE_MAX - len(head) - len(tail) - 1)}{tail}"
    return Reason(
        ReasonCode.REFERENCED_WITHIN_SET,
        one_line(message, MESSAGE_MAX),
        "info",
        str(member.address),
        tuple(references),
    )


def bound_reason(member: GroupFacts, bindings: Sequence[Binding]) -> Reason:
    """Holders carry the group: counted by kind, and by name as far as there is room."""
    head = f"{label_of(member)} is carried by {kinds(bindings)}"
    who = [_holder_label(one) for one in bindings if one.holder_id]
    refusal = _refusal(bindings)
    room = MESSAGE_MAX - len(head) - len(refusal) - 3
    names = f": {listing(who, room)}" if who and room > _ROOM_FOR_NAMES else ""
    return _blocking(ReasonCode.BOUND, f"{head}{names}.{refusal}", member, bindings)


def _refusal(bindings: Sequence[Binding]) -> str:
    """Return which holder the cloud would not change now, and why; empty where there is none."""
    refusing = [one for one in bindings if one.change_refusal]
    if not refusing:
        return ""
    first, others = refusing[0], len(refusing) - 1
    more = f" and {count(others, 'other')}" if others else ""
    who = label(f"{first.kind} {short_ids(first.holder_id)}".strip(), None, 40)
    return f" {who}{more} cannot be changed now: {one_line(first.change_refusal, 80)}."


def free_reason(facts: DeleteFacts, member: GroupFacts, *, others: bool) -> Reason:
    """Return what was looked for and not found; ``others``: groups of the request name it."""
    who = "a group that stays" if others else "another group"
    reach = "as far as was seen" if member.unseen else _REACH[facts.visibility]
    blind = len(facts.capabilities.blind_spots)
    known = f" (blind spots of this cloud's API: {blind})" if blind else ""
    message = (
        f"{label_of(member, 48)} is free {reach}: "
        f"no in- or outbound rule of {who} names it and nothing carries it{known}."
    )
    return _about_group(ReasonCode.FREE, message, member, effect="info")


def _holder_label(binding: Binding) -> str:
    """Name a holder by what an engineer looks for: its instance, or else the service it serves.

    A UUID is shortened here: the evidence has it whole, and names need the room.
    """
    shown = label(short_ids(binding.holder_id), short_ids(binding.name), 44)
    if binding.instance_id and binding.instance_id != binding.holder_id:
        return f"{shown} of instance {one_line(short_ids(binding.instance_id), 44)}"
    if binding.owner and not binding.instance_id:
        return f"{shown} for {one_line(binding.owner, 40)}"
    return shown


def _cascades(capabilities: Capabilities) -> bool:
    return capabilities.on_delete_referenced == "cascades" and not capabilities.keeps_referenced


def _consequence(capabilities: Capabilities) -> str:
    if capabilities.delete_guard:
        guard = one_line(capabilities.delete_guard, 60)
        return f" {guard} would refuse with {one_line(capabilities.refused_with, 40)}."
    if capabilities.on_delete_referenced == "refused" and not capabilities.refused_with:
        return " The cloud refuses to delete a referenced group."
    if capabilities.on_delete_referenced == "refused":
        return f" The cloud would refuse with {one_line(capabilities.refused_with, 40)}."
    return " The cloud may refuse, or silently drop them."


def _holders(references: Iterable[Reference]) -> int:
    return len({(one.account, one.group_id) for one in references})


def _holder(reference: Reference) -> str:
    shown = label(short_ids(reference.group_id), reference.group_name, 44)
    return f"{shown} of account {one_line(reference.account, 20)}" if reference.account else shown


def _blocking(
    code: ReasonCode,
    message: str,
    member: GroupFacts,
    evidence: Sequence[Reference] | Sequence[Binding],
) -> Reason:
    target = str(member.address)
    return Reason(code, one_line(message, MESSAGE_MAX), "block", target, tuple(evidence))


def _about_group(
    code: ReasonCode, message: str, member: GroupFacts, effect: Effect = "block"
) -> Reason:
    evidence = (member.group,) if member.group else ()
    return Reason(code, one_line(message, MESSAGE_MAX), effect, str(member.address), evidence)
