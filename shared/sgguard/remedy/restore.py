"""The plan that puts back what an earlier plan took away: groups, rules, references, bindings.

A group that is built again has a new id; everything that named the old one is made to name the
new. What can no longer be put back (its group or holder is gone, or has moved on) is left out and
said so, before anything is done.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sgguard.errors import InputError
from sgguard.model.address import Address, Scope
from sgguard.model.change import Change, Holder, content
from sgguard.model.decision import Action, Step
from sgguard.model.resource import Group, Rule
from sgguard.providers.base import Cloud
from sgguard.remedy.plan import Plan, Planned, place_of
from sgguard.remedy.snapshot import Carried, ReferringRule, Snapshot
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
class _Now:
    """What is there now of what the snapshot speaks of; None where it is gone."""

    groups: Mapping[str, Group | None]
    rules: Mapping[str, tuple[Rule, ...]]
    holders: Mapping[Holder, tuple[str, ...] | None]
    namesakes: Mapping[str, tuple[str, ...]]


def restoration(cloud: Cloud, snapshot: Snapshot, done: Plan) -> Restoration:
    """Compare a snapshot with the world and return what puts it back.

    ``done`` is the plan that was carried out after the snapshot was taken.

    Raises:
        InputError: a group of the snapshot is there (again): nothing of it needs a restore.
        CloudError, DeadlineError: the cloud could not be asked, or not all of it was seen.
    """
    now = _look(cloud, snapshot)
    for group in snapshot.groups:
        if now.groups.get(group.group_id) is not None:
            raise InputError(f"{snapshot.scope}:{group.group_id} was not deleted, or is back")
    left_out: list[str] = []
    planned = (
        *_groups(snapshot, now),
        *_rules(snapshot, now, left_out),
        *_references(snapshot, now, left_out),
        *_bindings(cloud, snapshot, now, done, left_out),
    )
    return Restoration(Plan(snapshot.scope, planned), tuple(left_out))


def _look(cloud: Cloud, snapshot: Snapshot) -> _Now:
    named = {rule.peer_group for group in snapshot.groups for rule in group.rules or ()}
    holding = tuple(dict.fromkeys(one.group_id for one in _changed(snapshot)))
    ids = tuple(dict.fromkeys([*_ids(snapshot), *holding, *sorted(named - {""})]))
    seen = cloud.read_groups(ids)
    there = [one for one in holding if seen.value.get(one) is not None]
    rules = parallel([partial(rules_of, cloud, one) for one in there])
    holders = [one.holder for one in snapshot.carried]
    carried = read_holders(cloud, holders)
    names = [group.name for group in snapshot.groups]
    return _Now(
        seen.value,
        dict(zip(there, rules, strict=True)),
        dict(zip(holders, carried, strict=True)),
        {name: cloud.find_groups(name) for name in names},
    )


def _changed(snapshot: Snapshot) -> Sequence[ReferringRule]:
    """Return the rules of groups that stayed: those of groups that went are theirs already."""
    going = _ids(snapshot)
    return [one for one in snapshot.referrers if one.group_id not in going]


def _ids(snapshot: Snapshot) -> tuple[str, ...]:
    return tuple(group.group_id for group in snapshot.groups)


def _step(scope: Scope, action: Action, group_id: str, words: str, **details: str) -> Step:
    target = str(Address(scope, group_id))
    return Step(action, target, one_line(words, _SUMMARY_MAX), details)


def _groups(snapshot: Snapshot, now: _Now) -> Iterator[Planned]:
    for group in snapshot.groups:
        words = f"create {label(group.group_id, group.name)} again, under a new id"
        step = _step(snapshot.scope, "create", group.group_id, words)
        change = Change(
            "create-group",
            group.group_id,
            group=replace(group, rules=None),
            before=now.namesakes.get(group.name, ()),
        )
        yield Planned(step, change, group.group_id)


def _rules(snapshot: Snapshot, now: _Now, left_out: list[str]) -> Iterator[Planned]:
    """Put a group's own rules back, in their order."""
    for group in snapshot.groups:
        for rule in group.rules or ():
            missing = _is_missing(snapshot, now, rule)
            if missing:
                left_out.append(f"rule {_words(rule)} of {group.group_id}: {missing}")
                continue
            yield _put(snapshot.scope, group.group_id, rule, group.group_id)


def _is_missing(snapshot: Snapshot, now: _Now, rule: Rule) -> str:
    """Say which group a rule names that is there no longer."""
    peer = rule.peer_group
    if not peer or peer in _ids(snapshot) or now.groups.get(peer) is not None:
        return ""
    return f"group {peer}, which it names, is gone"


def _put(scope: Scope, group_id: str, rule: Rule, target: str) -> Planned:
    words = f"put back into {group_id} the rule {_words(rule)}"
    step = _step(scope, "authorize", group_id, words, rule_id=rule.rule_id)
    change = Change("add-rule", group_id, rule=replace(rule, rule_id=place_of(rule)))
    return Planned(step, change, target)


def _words(rule: Rule) -> str:
    return one_line(rule_words(rule), 80)


def _references(snapshot: Snapshot, now: _Now, left_out: list[str]) -> Iterator[Planned]:
    """Make groups that stayed name the group again, in the reverse order of the revocation."""
    for one in reversed(_changed(snapshot)):
        if one.group_id not in now.rules:
            left_out.append(f"rule {_words(one.rule)}: its group {one.group_id} is gone")
            continue
        yield _put(snapshot.scope, one.group_id, one.rule, one.rule.peer_group)
    for one in reversed(snapshot.added):
        there = now.rules.get(one.group_id, ())
        rule = next((r for r in there if content(r) == content(one.rule)), None)
        if rule is None:
            left_out.append(f"rule {_words(one.rule)} of {one.group_id} is no longer there")
            continue
        words = f"revoke rule {_words(rule)} of {one.group_id}, which took its place"
        step = _step(snapshot.scope, "revoke", one.group_id, words, rule_id=rule.rule_id)
        yield Planned(step, Change("remove-rule", one.group_id, rule=rule), one.group_id)


def _bindings(
    cloud: Cloud, snapshot: Snapshot, now: _Now, done: Plan, left_out: list[str]
) -> Iterator[Planned]:
    """Give holders that are as the plan left them the groups they had."""
    final = {one.change.holder: one.change.after for one in done.planned if one.change.holder}
    for carried in snapshot.carried:
        current = now.holders.get(carried.holder)
        name = f"{carried.holder.kind} {carried.holder.holder_id}"
        # A holder that the plan did not change itself lost its groups to a delete by force.
        kept = tuple(one for one in carried.group_ids if one not in _ids(snapshot))
        expected = final.get(carried.holder, kept)
        if current is None:
            left_out.append(f"{name} is gone")
        elif not same_groups(cloud, current, expected):
            left_out.append(f"{name} carries {', '.join(current) or 'no group'} by now")
        elif not same_groups(cloud, current, carried.group_ids):
            yield _given_back(snapshot.scope, carried, current)


def _given_back(scope: Scope, carried: Carried, current: tuple[str, ...]) -> Planned:
    holder = carried.holder
    group_id = next((one for one in carried.group_ids if one not in current), current[0])
    words = f"give {holder.kind} {holder.holder_id} its groups back: {', '.join(carried.group_ids)}"
    step = _step(scope, "bind", group_id, words, kind=holder.kind, holder_id=holder.holder_id)
    change = Change("set-groups", group_id, holder=holder, before=current, after=carried.group_ids)
    return Planned(step, change, group_id)
