"""What the policy permits to do about a rule or a holder that keeps a group from being deleted.

A change of a group's rules must be permitted twice: by the policy for the group that goes, and by
the one for the group that holds the rule.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec

from sgguard.guards.base import usable_group
from sgguard.guards.delete.plan import Ruled, release
from sgguard.model.address import Address
from sgguard.model.decision import Step
from sgguard.model.facts import DeleteFacts, GroupFacts
from sgguard.model.resource import Binding, Reference
from sgguard.policy import Policy, fits, for_referrer, protecting, referrer


class DeleteContext(msgspec.Struct, frozen=True):
    """What remedies are chosen by: ``policy`` is the whole one, ``going`` the ids that go."""

    facts: DeleteFacts
    policy: Policy
    now: datetime | None
    going: Collection[str]


def change_rule(
    delete_context: DeleteContext, own: Policy, member: GroupFacts, reference: Reference
) -> Ruled | None:
    """Return what may be done about the rule: rewritten, where a group takes over, or revoked.

    ``own`` is the policy for the member. None: the rule is not known, not ours, or protected,
    neither is permitted, or it is unknown which group would take over.
    """
    scope, group_id = member.address.scope, member.address.group_id
    if reference.rule is None or reference.account:
        return None
    theirs = for_referrer(delete_context.policy, scope, reference)
    if protecting(theirs, *referrer(scope, reference), delete_context.now) is not None:
        return None
    permitted = [one for one in own.delete.remedies if one in theirs.delete.remedies]
    to_group = _replacement(delete_context, own, member) if "rewrite" in permitted else ""
    if to_group is None:
        return None
    is_own_rule = to_group == reference.group_id
    if to_group and (delete_context.facts.capabilities.has_self_references or not is_own_rule):
        return Ruled(group_id, reference, to_group)
    return Ruled(group_id, reference) if "revoke" in permitted else None


def _replacement(delete_context: DeleteContext, own: Policy, member: GroupFacts) -> str | None:
    """Return the id of the group that replaces the member, or ``""`` where none can here.

    None: it depends on the member's name, which is not told.
    """
    # The first entry that fits decides; one that may fit leaves open whether it or a later does.
    possible: list[str] = []
    for old, new in own.delete.replacements.items():
        fitting = fits(old, member.address, member.group)
        if fitting is not False:
            possible.append(new)
        if fitting:
            break
    else:
        possible.append(own.delete.replacement_group)
    if len(set(possible)) > 1:
        return None
    return _usable(delete_context, possible[0], member.address)


def _usable(delete_context: DeleteContext, wanted: str, address: Address) -> str:
    group_id = usable_group(
        wanted, address.scope, delete_context.facts.capabilities.group_id_example
    )
    return "" if group_id in delete_context.going else group_id


def free_holder(
    delete_context: DeleteContext, own: Policy, member: GroupFacts, binding: Binding
) -> Step | None:
    """Return the permitted step that frees this holder of the group, or None.

    None too where the holder refuses every change now: a plan would be undone half way.
    """
    is_of_instance = binding.kind == "instance" or bool(binding.instance_id)
    if not (is_of_instance and binding.holder_id) or binding.change_refusal:
        return None
    remedies = own.delete.remedies
    if _keeps_others(delete_context, binding) and "unbind" in remedies:
        return release(member.address, binding, fallback="")
    fallback = _usable(delete_context, own.delete.fallback_group, member.address)
    if fallback and "move" in remedies:
        return release(member.address, binding, fallback)
    return None


def _keeps_others(delete_context: DeleteContext, binding: Binding) -> bool:
    """Return whether the holder has a group left once all of the request are gone."""
    return bool(set(binding.other_group_ids or ()) - set(delete_context.going))


def can_force(delete_context: DeleteContext, own: Policy, binding: Binding) -> bool:
    """Return whether the cloud itself may take the group off this holder while it deletes it.

    It does so for instances only, must not leave one without a group, and one that refuses every
    change now would make the delete fail.
    """
    return (
        delete_context.facts.capabilities.can_force_delete
        and "force" in own.delete.remedies
        and binding.kind == "instance"
        and bool(binding.holder_id)
        and not binding.change_refusal
        and _keeps_others(delete_context, binding)
    )
