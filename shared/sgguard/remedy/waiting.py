"""A restoration while it is made, and what earlier restores left waiting for it.

A change waits because a group was still missing: the one that a rule belongs to, the one that it
names, or one that a holder had. It is made by the first restore that finds everything there; a
change that somebody made by hand meanwhile is only noted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from msgspec.structs import replace

from sgguard.model.address import Scope
from sgguard.model.change import Change, Holder, content, renamed
from sgguard.model.decision import Action, Step
from sgguard.model.resource import Rule
from sgguard.model.sentence import Sentence, Text, listed, said
from sgguard.model.subject import holder_of, rule_of
from sgguard.providers.base import Cloud
from sgguard.remedy.places import Places
from sgguard.remedy.plan import Planned, position_of
from sgguard.remedy.regained import regained
from sgguard.remedy.returned import Earlier, Returned
from sgguard.remedy.snapshot import ReferringRule, Snapshot
from sgguard.remedy.world import same_groups
from sgguard.render.language.rule import rule_said
from sgguard.render.language.step import step_of


@dataclass(slots=True)
class Draft:
    """A restoration that is being made; ``holders`` have the groups that the plan so far gives."""

    cloud: Cloud
    snapshot: Snapshot
    now: Returned
    places: Places
    undone: tuple[Change, ...] = ()
    planned: list[Planned] = field(default_factory=list)
    left_out: list[Text] = field(default_factory=list)
    waiting: list[Change] = field(default_factory=list)
    brought: list[Change] = field(default_factory=list)
    holders: dict[Holder, tuple[str, ...] | None] = field(init=False)

    def __post_init__(self) -> None:
        self.holders = dict(self.now.holders)

    @property
    def scope(self) -> Scope:
        """Return where all of it is."""
        return self.snapshot.scope

    def is_missing(self, group_id: str) -> bool:
        """Whether a group neither exists nor is created by this plan; no group is not missing."""
        is_created = any(group.group_id == group_id for group in self.snapshot.groups)
        return bool(group_id) and not is_created and not self.now.exists(group_id)

    def leave(self, what: Text) -> None:
        """Leave something out."""
        self.left_out.append(what)

    def find(self, group_id: str, rule: Rule) -> Rule | None:
        """Return the rule of this content that a group has, or gets by the plan so far."""
        added = (
            rule_of(one.change)
            for one in self.planned
            if one.change.kind == "add-rule" and one.change.group_id == group_id
        )
        there = (*self.now.rules.get(group_id, ()), *added)
        return next((one for one in there if content(one) == content(rule)), None)

    def add(self, group_id: str, rule: Rule, target: str, *, is_own: bool = False) -> None:
        """Plan to add a rule to a group, at its position.

        Own rules of a group (``is_own``) are added in their order, at the positions they had.
        """
        sentence = said("plan.restore-rule", rule=rule_said(rule), group=group_id)
        step = step_about(str(self.scope), "authorize", group_id, sentence, rule_id=rule.rule_id)
        place = position_of(rule) if is_own else self.places.restore(group_id, rule)
        change = Change("add-rule", group_id, rule=replace(rule, rule_id=place))
        self.planned.append(Planned(step, change, target))

    def remove(self, group_id: str, rule: Rule) -> None:
        """Plan to remove a rule that took the place of another one."""
        sentence = said("plan.clear-place", rule=rule_said(rule), group=group_id)
        step = step_about(str(self.scope), "revoke", group_id, sentence, rule_id=rule.rule_id)
        self.planned.append(Planned(step, Change("remove-rule", group_id, rule=rule), group_id))

    def since(self, holder: Holder, left: Sequence[str], had: Sequence[str]) -> tuple[str, ...]:
        """Return the groups that a holder gets where only undos changed it since, or none."""
        current = self.holders[holder] or ()
        return regained(self.undone, holder, current, (left, had), self.now.names)

    def rebind(self, holder: Holder, after: tuple[str, ...]) -> None:
        """Plan to give a holder the groups that it had."""
        current = self.holders[holder] or ()
        group_id = next((one for one in after if one not in current), (*current, *after)[0])
        about = {"kind": holder.kind, "holder_id": holder.holder_id}
        whom = said("holder.named", kind=holder.kind, holder=holder.holder_id)
        sentence = said("plan.restore-groups", holder=whom, groups=listed(after))
        step = step_about(str(self.scope), "bind", group_id, sentence, **about)
        change = Change("set-groups", group_id, holder=holder, before=current, after=after)
        self.planned.append(Planned(step, change, group_id))
        self.holders[holder] = after


def step_about(
    scope: str, action: Action, group_id: str, sentence: Sentence, **details: str
) -> Step:
    """Return a step of a restore about a group."""
    return step_of(action, f"{scope}:{group_id}", sentence, details)


def dropped(draft: Draft, earlier: Earlier) -> tuple[ReferringRule, ...]:
    """Return rules that a waiting change would remove at once, if they were added.

    They had taken the place of a rule that is back, or that waits as well and can be made now.
    """
    found: list[ReferringRule] = []
    for batch in (earlier.own, *earlier.others):
        changes = [renamed(one, draft.now.names) for one in batch]
        found += [
            ReferringRule(one.group_id, rule_of(one))
            for one in changes
            if one.kind == "remove-rule" and _is_replaced(draft, one, changes)
        ]
    return tuple(found)


def is_among(group_id: str, rule: Rule, others: Sequence[ReferringRule]) -> bool:
    """Whether a rule of a group is one of these, whatever its id."""
    return any(one.group_id == group_id and content(one.rule) == content(rule) for one in others)


def bring(
    draft: Draft, earlier: Earlier, unwanted: Sequence[ReferringRule] = (), *, is_rule: bool
) -> None:
    """Plan what waits and can be made now: rules, or the groups of holders.

    What waits of other decisions is brought only where it concerns a group or a holder of this
    plan; anything else was not asked for. Rules that are ``unwanted`` are not added.
    """
    for batch in (earlier.own, *earlier.others):
        is_own = batch is earlier.own
        changes = [(one, renamed(one, draft.now.names)) for one in batch]
        for change, current in changes:
            if (change.rule is not None) is not is_rule:
                continue
            if not is_own and not _concerns(draft, current):
                continue
            pending = [other for _, other in changes]
            if current.kind == "add-rule" and is_among(
                current.group_id, rule_of(current), unwanted
            ):
                why: Text = ""
            else:
                why = _bring_rule(draft, current, pending) if is_rule else _rebind(draft, current)
            if not why:
                draft.brought.append(change)
            elif is_own:
                draft.leave(why)


def _concerns(draft: Draft, change: Change) -> bool:
    """Whether a change is about a group that the plan creates, or a holder that it changes."""
    created = {group.group_id for group in draft.snapshot.groups}
    if change.holder is not None:
        changed = {one.change.holder for one in draft.planned if one.change.holder}
        return change.holder in changed or bool(created & {*change.after})
    return bool(created & {change.group_id, rule_of(change).peer_group})


def _bring_rule(draft: Draft, change: Change, batch: Sequence[Change]) -> Text:
    """Plan one rule, or return why it waits on."""
    rule, group_id = rule_of(change), change.group_id
    if draft.is_missing(group_id):
        return said("left.group-gone", rule=rule_said(rule), group=group_id)
    if change.kind == "remove-rule":
        if not _is_replaced(draft, change, batch):
            return said("left.stays", rule=rule_said(rule), group=group_id)
        if (found := draft.find(group_id, rule)) and found.rule_id:
            draft.remove(group_id, found)
        elif found is None and draft.is_missing(rule.peer_group):
            return said(
                "left.with-peer", rule=rule_said(rule), group=group_id, peer=rule.peer_group
            )
        return ""
    if draft.is_missing(rule.peer_group):
        return said("left.peer-gone", rule=rule_said(rule), group=group_id, peer=rule.peer_group)
    if draft.find(group_id, rule) is None:
        draft.add(group_id, rule, rule.peer_group or group_id)
    return ""


def _is_replaced(draft: Draft, removal: Change, batch: Sequence[Change]) -> bool:
    """Whether the rule in whose place another one stands can be added now, or is back.

    It is back where it does not wait beside the removal: both were left out by one restore.
    """
    rule = rule_of(removal)
    first = [
        one
        for one in batch
        if one.kind == "add-rule"
        and one.group_id == removal.group_id
        and content(replace(rule_of(one), peer_group=rule.peer_group)) == content(rule)
    ]
    return not first or any(not draft.is_missing(rule_of(one).peer_group) for one in first)


def holding(name: Sentence, current: Sequence[str], missing: Sequence[str] = ()) -> Sentence:
    """Return that a holder has other groups than expected, and which of its own are gone."""
    if not current:
        return said("left.holder-bare", holder=name)
    if missing:
        return said(
            "left.holder-has-gone", holder=name, groups=listed(current), gone=listed(missing)
        )
    return said("left.holder-has", holder=name, groups=listed(current))


def _rebind(draft: Draft, change: Change) -> Text:
    """Plan the groups of one holder, or return why they wait on."""
    holder = holder_of(change)
    name = said("holder.named", kind=holder.kind, holder=holder.holder_id)
    current = draft.holders.get(holder)
    if current is None:
        return said("left.holder-gone", holder=name)
    if same_groups(draft.cloud, current, change.after):
        return ""
    is_ours = same_groups(draft.cloud, current, change.before)
    after = change.after if is_ours else draft.since(holder, change.before, change.after)
    if not after or any(draft.is_missing(one) for one in after):
        return holding(name, current)
    if not same_groups(draft.cloud, current, after):
        draft.rebind(holder, after)
    return ""
