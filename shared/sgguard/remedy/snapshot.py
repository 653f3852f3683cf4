"""What was there before a plan was carried out: everything a restore needs to create it again."""

from __future__ import annotations

import msgspec

from sgguard.model.address import Scope
from sgguard.model.change import Change, Holder
from sgguard.model.facts import DeleteFacts, LaunchFacts
from sgguard.model.resource import Group, Rule
from sgguard.model.subject import rule_of
from sgguard.remedy.plan import Plan, PlanInputs


class ReferringRule(msgspec.Struct, frozen=True):
    """A rule that a plan removes from a group, or adds to it."""

    group_id: str
    rule: Rule


class HolderGroups(msgspec.Struct, frozen=True):
    """The groups of one holder, in the cloud's order."""

    holder: Holder
    group_ids: tuple[str, ...]


class Snapshot(msgspec.Struct, frozen=True):
    """What a plan is about to change, whole; the names of its fields are stored.

    ``groups`` are those to be deleted, each with all that creates it again. ``referrers`` are the
    rules that name them and are removed, ``added`` those that a plan adds in their place.
    ``carried`` are the groups of each holder before the plan. ``covered`` is all that the yes of
    the person covers who was shown the plan (:mod:`sgguard.remedy.covered`), and is kept only where
    there is no approval request, which has its own.

    The snapshot of a restore has only the last two. ``waiting`` are changes that it left out
    because of something that another restore may still bring: a group that a rule names or belongs
    to, the groups of a holder. ``brought`` are those of earlier restores that it makes.
    """

    scope: Scope
    groups: tuple[Group, ...] = ()
    referrers: tuple[ReferringRule, ...] = ()
    added: tuple[ReferringRule, ...] = ()
    carried: tuple[HolderGroups, ...] = ()
    waiting: tuple[Change, ...] = ()
    brought: tuple[Change, ...] = ()
    covered: str | msgspec.UnsetType = msgspec.UNSET


def take(plan: Plan, facts: DeleteFacts | LaunchFacts, inputs: PlanInputs) -> Snapshot:
    """Return what the plan is about to change."""
    going = {one.change.group_id for one in plan.planned if one.change.kind == "delete-group"}
    groups = tuple(
        inputs.going[one.address.group_id]
        for one in facts.groups
        if one.group is not None and one.address.group_id in going
    )
    changes = [one.change for one in plan.planned]
    return Snapshot(
        plan.scope,
        groups,
        referrers=tuple(
            ReferringRule(change.group_id, rule_of(change))
            for change in changes
            if change.kind == "remove-rule"
        ),
        added=tuple(
            ReferringRule(change.group_id, rule_of(change))
            for change in changes
            if change.kind == "add-rule"
        ),
        carried=tuple(HolderGroups(holder, has) for holder, has in inputs.holders.items()),
    )
