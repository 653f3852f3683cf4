"""The plan that restores what an earlier plan removed: groups, rules, references, bindings.

The order, each part of which needs the one before:

1. The groups, created again, with new ids. Later changes name the old id;
   :func:`~sgguard.model.change.renamed` puts the new one in its place when they are made.
2. The groups' own rules, in their order: where rules have positions, each goes to its own.
3. Rules of groups that stayed: the old ones are added in the reverse order of their removal, so
   that each returns to its position. Then the rules that a rewrite added are removed: a
   reference is never missing in between.
4. What earlier restores had to leave out and can be made now (:mod:`sgguard.remedy.waiting`).
5. The holders, last: they get a group back only when its rules are complete.

Groups that were deleted by several decisions come back in any order. What one restore cannot make
because a group of another decision is still missing *waits*, and comes with that group.

What can no longer be restored (its group or holder is gone, or was changed since) is left out and
reported, before anything is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from msgspec.structs import replace

from sgguard.errors import InputError
from sgguard.model.capabilities import Capabilities
from sgguard.model.change import Change
from sgguard.model.decision import Step
from sgguard.model.resource import Rule
from sgguard.model.sentence import Sentence, Text, listed, said, thing
from sgguard.providers.base import Cloud
from sgguard.remedy.lost import untold, with_left_out
from sgguard.remedy.places import Places
from sgguard.remedy.plan import Plan, Planned, key
from sgguard.remedy.returned import (
    NOTHING,
    Earlier,
    Returned,
    name_of,
    read_returned,
    read_twins,
    renamed_snapshot,
)
from sgguard.remedy.snapshot import ReferringRule, Snapshot
from sgguard.remedy.waiting import Draft, bring, dropped, holding, is_among, step_about
from sgguard.remedy.world import same_groups
from sgguard.render.language.refusal import refusal
from sgguard.render.language.rule import rule_said


class Restoration(msgspec.Struct, frozen=True):
    """A plan that restores, and what it must leave out, in words.

    ``waiting`` are the changes that it leaves out and another restore may make, ``brought`` those
    of earlier restores that it makes.
    """

    plan: Plan
    left_out: tuple[Text, ...] = ()
    waiting: tuple[Change, ...] = ()
    brought: tuple[Change, ...] = ()

    def snapshot(self) -> Snapshot:
        """Return what a later restore needs to know of this one."""
        return Snapshot(self.plan.scope, waiting=self.waiting, brought=self.brought)

    def keys(self) -> tuple[str, ...]:
        """Return what is locked: also what waits, so that two restores that need each other meet.

        Side by side neither would see the group of the other, and what names both would wait for
        ever.
        """
        waiting = Plan(self.plan.scope, tuple(_as_planned(one) for one in self.waiting))
        peers = {
            key(self.plan.scope, one.rule.peer_group)
            for one in self.waiting
            if one.rule is not None and one.rule.peer_group
        }
        return tuple(sorted({*self.plan.keys(), *waiting.keys(), *peers}))

    def shared_keys(self) -> tuple[str, ...]:
        """Return the keys of groups that the plan only points to."""
        return tuple(sorted({*self.plan.pointed_to()} - {*self.keys()}))


def restoration(
    cloud: Cloud,
    snapshot: Snapshot,
    done: Plan,
    earlier: Earlier = NOTHING,
    *,
    may_twin: bool = False,
) -> Restoration:
    """Compare a snapshot with the world and return the plan that restores it.

    ``done`` is the plan that was carried out after the snapshot was taken. With ``may_twin`` a
    group is created even where another one has its name.

    Raises:
        InputError: a group of the snapshot exists (again), or one of its name does.
        CloudError, DeadlineError: the cloud could not be asked, or not all of it was read.
    """
    now = read_returned(cloud, snapshot, done, earlier)
    # A plan that was stuck may have deleted some of its groups: those come back.
    there = [one.group_id for one in snapshot.groups if now.exists(one.group_id)]
    if there and len(there) == len(snapshot.groups):
        first = f"{snapshot.scope}:{there[0]}"
        raise refusal(InputError, said("restore.exists", group=first))
    snapshot = replace(
        snapshot, groups=tuple(one for one in snapshot.groups if one.group_id not in there)
    )
    if not may_twin and (twins := read_twins(cloud, snapshot, now, earlier)):
        raise refusal(InputError, said("restore.twin", twins=listed(twins)))
    snapshot = renamed_snapshot(snapshot, now.names)
    places = Places(earlier.past, earlier.made)
    draft = Draft(cloud, snapshot, now, places, earlier.undone)
    for group_id in there:
        draft.leave(said("left.there", group=group_id))
    draft.planned += _groups(snapshot, now, cloud.capabilities)
    unwanted = dropped(draft, earlier)
    _add_rules(draft, unwanted)
    _add_references(draft, unwanted)
    bring(draft, earlier, unwanted, is_rule=True)
    _add_bindings(draft, done)
    bring(draft, earlier, is_rule=False)
    plan = with_left_out(Plan(snapshot.scope, tuple(draft.planned)), draft.left_out)
    return Restoration(plan, tuple(draft.left_out), tuple(draft.waiting), tuple(draft.brought))


def _as_planned(change: Change) -> Planned:
    return Planned(Step("authorize", ":", ""), change)


def _groups(snapshot: Snapshot, now: Returned, capabilities: Capabilities) -> Iterator[Planned]:
    for group in snapshot.groups:
        lost = untold(group, capabilities)
        shown = thing(group.group_id, group.name)
        sentence = said("plan.create", group=shown)
        if lost:
            sentence = said("plan.create-without", group=shown, lost=listed(lost))
        step = step_about(str(snapshot.scope), "create", group.group_id, sentence)
        change = Change(
            "create-group",
            group.group_id,
            group=replace(group, name=name_of(group), rules=None),
            before=now.namesakes.get(name_of(group), ()),
        )
        yield Planned(step, change, group.group_id)


def _add_rules(draft: Draft, unwanted: Sequence[ReferringRule]) -> None:
    """Restore a group's own rules, in their order; those ``unwanted`` were to be replaced."""
    absent: list[ReferringRule] = []
    for group in draft.snapshot.groups:
        for rule in group.rules or ():
            if is_among(group.group_id, rule, unwanted):
                absent.append(ReferringRule(group.group_id, rule))
                continue
            if draft.is_missing(rule.peer_group):
                draft.leave(_nameless(rule, group.group_id))
                draft.waiting.append(Change("add-rule", group.group_id, rule=rule))
                absent.append(ReferringRule(group.group_id, rule))
                continue
            draft.add(group.group_id, rule, group.group_id, is_own=True)
    draft.places.remove([(one, None) for one in absent])


def _nameless(rule: Rule, group_id: str) -> Sentence:
    """Return that a rule waits for the group that it names."""
    return said("left.peer-gone", rule=rule_said(rule), group=group_id, peer=rule.peer_group)


def _add_references(draft: Draft, unwanted: Sequence[ReferringRule]) -> None:
    """Make groups that stayed name the group again, in the reverse order of the removal.

    Rules ``unwanted`` had taken the place of others that are back already.
    """
    going = {group.group_id for group in draft.snapshot.groups}
    # The rules of groups that were deleted as well are in their own snapshot.
    for one in reversed([one for one in draft.snapshot.referrers if one.group_id not in going]):
        if draft.is_missing(one.group_id):
            draft.leave(said("left.group-gone", rule=rule_said(one.rule), group=one.group_id))
            draft.waiting.append(Change("add-rule", one.group_id, rule=one.rule))
        elif draft.is_missing(one.rule.peer_group):
            draft.leave(_nameless(one.rule, one.group_id))
            draft.waiting.append(Change("add-rule", one.group_id, rule=one.rule))
        elif draft.find(one.group_id, one.rule) is None and not is_among(
            one.group_id, one.rule, unwanted
        ):
            draft.add(one.group_id, one.rule, one.rule.peer_group)
    for one in reversed(draft.snapshot.added):
        rule = draft.find(one.group_id, one.rule)
        if rule is not None:
            draft.remove(one.group_id, rule)
            continue
        draft.leave(said("left.rule-gone", rule=rule_said(one.rule), group=one.group_id))
        # It comes back with a group of another decision, and must not stay then.
        if draft.is_missing(one.group_id) or draft.is_missing(one.rule.peer_group):
            draft.waiting.append(Change("remove-rule", one.group_id, rule=one.rule))


def _add_bindings(draft: Draft, done: Plan) -> None:
    """Restore the groups of holders that are as the plan left them."""
    final = {one.change.holder: one.change.after for one in done.planned if one.change.holder}
    going = {group.group_id for group in draft.snapshot.groups}
    for before in draft.snapshot.carried:
        current = draft.holders.get(before.holder)
        name = said("holder.named", kind=before.holder.kind, holder=before.holder.holder_id)
        # A holder that the plan did not change lost its groups to a delete by force.
        kept = tuple(one for one in before.group_ids if one not in going)
        left = final.get(before.holder, kept)
        expected = tuple(draft.now.names.get(one, one) for one in left)
        missing = [one for one in before.group_ids if draft.is_missing(one)]
        is_ours = current is not None and same_groups(draft.cloud, current, expected)
        after = before.group_ids if is_ours or current is None else ()
        after = after or draft.since(before.holder, expected, before.group_ids)
        if current is None:
            draft.leave(said("left.holder-gone", holder=name))
        elif same_groups(draft.cloud, current, before.group_ids):
            continue
        elif missing or not after:
            # A person changed it, or another decision did whose own restore may undo that.
            draft.leave(holding(name, current, missing))
            back = next((one for one in before.group_ids if one not in left), "")
            change = Change("set-groups", back, None, before.holder, left, before.group_ids)
            draft.waiting.append(change)
        else:
            draft.rebind(before.holder, after)
