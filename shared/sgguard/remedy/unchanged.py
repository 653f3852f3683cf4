"""Whether groups are still as a snapshot has them: what is deleted must be what a restore builds.

Somebody may add a rule to a group, or tag it, after the snapshot was taken. Such a group is not
deleted: nobody has judged that change, and nothing could bring it back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial

from sgguard.errors import NotFoundError
from sgguard.model.change import content, holder_of
from sgguard.model.facts import GroupFacts
from sgguard.model.resource import Group, Rule
from sgguard.model.sentence import Sentence, said
from sgguard.providers.base import Cloud
from sgguard.remedy.plan import Plan, position_of
from sgguard.remedy.snapshot import Snapshot
from sgguard.render.language.rule import rule_said
from sgguard.wire.parallel import parallel

_FIELDS = ("name", "description", "tags")


def changed_facts(
    facts: Iterable[GroupFacts], plan: Plan, snapshot: Snapshot
) -> Iterator[Sentence]:
    """Yield what facts that were read anew tell otherwise than the snapshot.

    That is name, description and tags, where both tell them, and holders of which a delete by
    force would take the group without a note of it.
    """
    kept = {group.group_id: group for group in snapshot.groups}
    noted = {one.holder for one in snapshot.carried}
    forced = {one.change.group_id for one in plan.planned if one.change.is_forced}
    for one in facts:
        group_id = one.address.group_id
        was = kept.get(group_id)
        if was is None or one.group is None:
            continue
        for name in _FIELDS:
            had, has = getattr(was, name), getattr(one.group, name)
            if None not in (had, has) and _plain(had) != _plain(has):
                yield said("since.field", field=name, group=group_id)
        for binding in one.bindings if group_id in forced else ():
            if binding.holder_id and holder_of(binding) not in noted:
                about = said("holder.named", kind=binding.kind, holder=binding.holder_id)
                yield said("since.bound", holder=about, group=group_id)


def changed_content(
    cloud: Cloud, plan: Plan, snapshot: Snapshot, group_ids: Sequence[str]
) -> tuple[Sentence, ...]:
    """Read groups to be deleted once more; return how their rules differ, or their settings.

    It costs the calls of :meth:`~sgguard.providers.base.Changes.define_group` for each group. A
    group that is gone differs in nothing: there is nothing left to delete.

    Raises:
        CloudError, DeadlineError: a group could not be read, or not all of it.
    """
    kept = [group for group in snapshot.groups if group.group_id in group_ids]
    there = parallel([partial(_define, cloud, group) for group in kept])
    return tuple(
        one
        for was, now in zip(kept, there, strict=True)
        if now is not None
        for one in _differences(plan, was, now)
    )


def _define(cloud: Cloud, group: Group) -> Group | None:
    try:
        return cloud.define_group(group)
    except NotFoundError:
        return None


def _differences(plan: Plan, was: Group, now: Group) -> Iterator[Sentence]:
    # 1. What the plan itself adds to the group or removes from it is in the snapshot, or must not
    #    come back: only the other rules are compared.
    own = {
        content(one.change.rule)
        for one in plan.planned
        if one.change.rule is not None and one.change.group_id == was.group_id
    }
    before, after = (
        [content(rule) for rule in group.rules or () if content(rule) not in own]
        for group in (was, now)
    )
    # 2. Each rule that is only there, or only in the snapshot; the same one may be there twice.
    added, removed = _without(after, before), _without(before, after)
    for rule in added:
        yield said("since.rule-added", rule=rule_said(rule), group=was.group_id)
    for rule in removed:
        yield said("since.rule-removed", rule=rule_said(rule), group=was.group_id)
    # 3. Where rules have positions their order counts.
    is_ordered = any(position_of(rule) for rule in now.rules or ())
    if is_ordered and before != after and not (added or removed):
        yield said("since.order", group=was.group_id)
    if set(was.native) != set(now.native):
        yield said("since.settings", group=was.group_id)


def _without(rules: Sequence[Rule], others: Sequence[Rule]) -> list[Rule]:
    left = list(rules)
    for rule in others:
        if rule in left:
            left.remove(rule)
    return left


def _plain(value: object) -> object:
    return sorted(value) if isinstance(value, tuple) else value
