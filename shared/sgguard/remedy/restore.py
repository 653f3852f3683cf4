"""The plan that restores what an earlier plan removed: groups, rules, references, bindings.

The order, each part of which needs the one before:

1. The groups, created again, with new ids. Later changes name the old id;
   :func:`~sgguard.model.change.renamed` puts the new one in its place when they are made.
2. The groups' own rules, in their order: where rules have positions, each goes to its own.
3. Rules of groups that stayed: the old ones are added in the reverse order of their removal, so
   that each returns to its position. Then the rules that a rewrite added are removed: a
   reference is never missing in between.
4. The holders, last: they get a group back only when its rules are complete.

What can no longer be restored (its group or holder is gone, or was changed since) is left out and
reported, before anything is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sgguard.errors import InputError, UnknownShapeError
from sgguard.model.address import Address, Scope
from sgguard.model.capabilities import Capabilities
from sgguard.model.change import Change, Holder, content
from sgguard.model.decision import Action, Step
from sgguard.model.resource import Group, Rule
from sgguard.providers.base import Cloud
from sgguard.remedy.lost import untold
from sgguard.remedy.plan import Plan, Planned, position_of
from sgguard.remedy.snapshot import HolderGroups, ReferringRule, Snapshot
from sgguard.remedy.world import read_holders, rules_of, same_groups
from sgguard.render.wording import label, one_line, rule_words
from sgguard.wire.parallel import parallel

_SUMMARY_MAX = 200


@dataclass(frozen=True, slots=True)
class Restoration:
    """A plan that restores, and what it must leave out, in words."""

    plan: Plan
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _World:
    """What exists now of what the snapshot names; None where it is gone."""

    groups: Mapping[str, Group | None]
    rules: Mapping[str, tuple[Rule, ...]]
    holders: Mapping[Holder, tuple[str, ...] | None]
    namesakes: Mapping[str, tuple[str, ...]]


def restoration(cloud: Cloud, snapshot: Snapshot, done: Plan) -> Restoration:
    """Compare a snapshot with the world and return the plan that restores it.

    ``done`` is the plan that was carried out after the snapshot was taken.

    Raises:
        InputError: a group of the snapshot exists (again): it needs no restore.
        CloudError, DeadlineError: the cloud could not be asked, or not all of it was read.
    """
    now = _read(cloud, snapshot)
    for group in snapshot.groups:
        if now.groups.get(group.group_id) is not None:
            raise InputError(f"{snapshot.scope}:{group.group_id} was not deleted, or exists again")
    left_out: list[str] = []
    planned = (
        *_groups(snapshot, now, cloud.capabilities),
        *_rules(snapshot, now, left_out),
        *_references(snapshot, now, left_out),
        *_bindings(cloud, snapshot, now, done, left_out),
    )
    return Restoration(Plan(snapshot.scope, planned), tuple(left_out))


def _read(cloud: Cloud, snapshot: Snapshot) -> _World:
    named = {rule.peer_group for group in snapshot.groups for rule in group.rules or ()}
    referrers = tuple(dict.fromkeys(one.group_id for one in _changed(snapshot)))
    ids = tuple(dict.fromkeys([*_ids(snapshot), *referrers, *sorted(named - {""})]))
    seen = cloud.read_groups(ids)
    if unknown := [one for one in ids if one not in seen.value]:
        # Taken for gone, a group that is hidden would get a twin.
        why = seen.unseen[0].why if seen.unseen else "the response does not mention it"
        raise UnknownShapeError(
            cloud.capabilities.provider, f"group {unknown[0]} to restore", detail=why
        )
    existing = [one for one in referrers if seen.value.get(one) is not None]
    rules = parallel([partial(rules_of, cloud, one) for one in existing])
    holders = [one.holder for one in snapshot.carried]
    group_ids = read_holders(cloud, holders)
    names = {_name(group) for group in snapshot.groups}
    return _World(
        seen.value,
        dict(zip(existing, rules, strict=True)),
        dict(zip(holders, group_ids, strict=True)),
        {name: cloud.find_groups(name) for name in names},
    )


def _changed(snapshot: Snapshot) -> Sequence[ReferringRule]:
    """Return the rules of groups that stayed: those of deleted groups are in their snapshot."""
    going = _ids(snapshot)
    return [one for one in snapshot.referrers if one.group_id not in going]


def _ids(snapshot: Snapshot) -> tuple[str, ...]:
    return tuple(group.group_id for group in snapshot.groups)


def _step(scope: Scope, action: Action, group_id: str, summary: str, **details: str) -> Step:
    target = str(Address(scope, group_id))
    return Step(action, target, one_line(summary, _SUMMARY_MAX), details)


def _name(group: Group) -> str:
    """Return the name that the group is created with: its old id where its name was not told."""
    return group.group_id if group.name is None else group.name


def _groups(snapshot: Snapshot, now: _World, capabilities: Capabilities) -> Iterator[Planned]:
    for group in snapshot.groups:
        lost = untold(group, capabilities)
        without = f", without {', '.join(lost)}" if lost else ""
        summary = f"create {label(group.group_id, group.name)} again, under a new id{without}"
        step = _step(snapshot.scope, "create", group.group_id, summary)
        change = Change(
            "create-group",
            group.group_id,
            group=replace(group, name=_name(group), rules=None),
            before=now.namesakes.get(_name(group), ()),
        )
        yield Planned(step, change, group.group_id)


def _rules(snapshot: Snapshot, now: _World, left_out: list[str]) -> Iterator[Planned]:
    """Restore a group's own rules, in their order."""
    for group in snapshot.groups:
        for rule in group.rules or ():
            missing = _missing_peer(snapshot, now, rule)
            if missing:
                left_out.append(f"rule {_words(rule)} of {group.group_id}: {missing}")
                continue
            yield _add(snapshot.scope, group.group_id, rule, group.group_id)


def _missing_peer(snapshot: Snapshot, now: _World, rule: Rule) -> str:
    """Return which group a rule names that does not exist any more; empty where none."""
    peer = rule.peer_group
    if not peer or peer in _ids(snapshot) or now.groups.get(peer) is not None:
        return ""
    return f"group {peer}, which it names, is gone"


def _add(scope: Scope, group_id: str, rule: Rule, target: str) -> Planned:
    summary = f"restore rule {_words(rule)} of {group_id}"
    step = _step(scope, "authorize", group_id, summary, rule_id=rule.rule_id)
    change = Change("add-rule", group_id, rule=replace(rule, rule_id=position_of(rule)))
    return Planned(step, change, target)


def _words(rule: Rule) -> str:
    return one_line(rule_words(rule), 80)


def _references(snapshot: Snapshot, now: _World, left_out: list[str]) -> Iterator[Planned]:
    """Make groups that stayed name the group again, in the reverse order of the removal."""
    for one in reversed(_changed(snapshot)):
        if one.group_id not in now.rules:
            left_out.append(f"rule {_words(one.rule)}: its group {one.group_id} is gone")
            continue
        yield _add(snapshot.scope, one.group_id, one.rule, one.rule.peer_group)
    for one in reversed(snapshot.added):
        there = now.rules.get(one.group_id, ())
        rule = next((r for r in there if content(r) == content(one.rule)), None)
        if rule is None:
            left_out.append(f"rule {_words(one.rule)} of {one.group_id} does not exist any more")
            continue
        summary = f"revoke rule {_words(rule)} of {one.group_id}, which took its place"
        step = _step(snapshot.scope, "revoke", one.group_id, summary, rule_id=rule.rule_id)
        yield Planned(step, Change("remove-rule", one.group_id, rule=rule), one.group_id)


def _bindings(
    cloud: Cloud, snapshot: Snapshot, now: _World, done: Plan, left_out: list[str]
) -> Iterator[Planned]:
    """Restore the groups of holders that are as the plan left them."""
    final = {one.change.holder: one.change.after for one in done.planned if one.change.holder}
    for before in snapshot.carried:
        current = now.holders.get(before.holder)
        name = f"{before.holder.kind} {before.holder.holder_id}"
        # A holder that the plan did not change lost its groups to a delete by force.
        kept = tuple(one for one in before.group_ids if one not in _ids(snapshot))
        expected = final.get(before.holder, kept)
        if current is None:
            left_out.append(f"{name} is gone")
        elif not same_groups(cloud, current, expected):
            left_out.append(f"{name} has {', '.join(current) or 'no group'} now")
        elif not same_groups(cloud, current, before.group_ids):
            yield _rebind(snapshot.scope, before, current)


def _rebind(scope: Scope, before: HolderGroups, current: tuple[str, ...]) -> Planned:
    holder = before.holder
    group_id = next((one for one in before.group_ids if one not in current), current[0])
    summary = f"restore groups of {holder.kind} {holder.holder_id}: {', '.join(before.group_ids)}"
    step = _step(scope, "bind", group_id, summary, kind=holder.kind, holder_id=holder.holder_id)
    change = Change("set-groups", group_id, holder=holder, before=current, after=before.group_ids)
    return Planned(step, change, group_id)
