"""What a yes covers: the facts, the plan, and the rules of groups that the plan points to.

A plan may give holders another group, or make rules name one: a fallback, a replacement, a
quarantine. What these let through is what the plan does to the traffic, so a yes to it holds only
while their rules stay as they were.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sgguard.errors import ForbiddenError, NotFoundError, UnknownShapeError
from sgguard.model.change import Change, content
from sgguard.model.facts import DeleteFacts, LaunchFacts
from sgguard.providers.base import Cloud
from sgguard.remedy.plan import position_of
from sgguard.remedy.prepare import Prepared, fingerprint
from sgguard.store.codec import digest, dump
from sgguard.wire.parallel import parallel

_UNTOLD = (ForbiddenError, NotFoundError, UnknownShapeError)
"""Errors that the same question meets again: that nothing is told is part of what is covered."""


def covered(cloud: Cloud, facts: DeleteFacts | LaunchFacts, prepared: Prepared | None) -> str:
    """Return a hash of everything that a yes to this plan covers; a change of it needs another yes.

    Raises:
        CloudError, DeadlineError: the rules of a group could not be read now.
    """
    own = fingerprint(facts, prepared)
    pointed = pointed_to(prepared)
    if not pointed:
        return own
    return digest([own, parallel([partial(_rules, cloud, one) for one in pointed])])


def pointed_to(prepared: Prepared | None) -> tuple[str, ...]:
    """Return the groups that a plan gives to holders or makes rules name, and does not delete."""
    if prepared is None:
        return ()
    changes = [one.change for one in prepared.plan.planned]
    going = {one.group_id for one in changes if one.kind == "delete-group"}
    return tuple(sorted({each for one in changes for each in _gained(one)} - going - {""}))


def _gained(change: Change) -> Sequence[str]:
    if change.kind == "set-groups":
        return [one for one in change.after if one not in change.before]
    return [change.rule.peer_group] if change.kind == "add-rule" and change.rule else []


def _rules(cloud: Cloud, group_id: str) -> list[str]:
    """Return the rules of a group without their ids, in their order where it has a meaning."""
    try:
        seen = cloud.list_rules(group_id)
    except _UNTOLD as error:
        return [group_id, f"not told: {type(error).__name__}"]
    if seen.unseen:
        return [group_id, *(f"not told: {one.code}" for one in seen.unseen)]
    found = [dump(content(rule)) for rule in seen.value]
    is_ordered = any(position_of(rule) for rule in seen.value)
    return [group_id, *(found if is_ordered else sorted(found))]
