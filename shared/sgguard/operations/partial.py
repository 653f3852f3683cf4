"""Restoring some groups of a decision: the part of its snapshot that belongs to them.

Rules that named other groups of the decision stay as the plan left them, and so does a rule that
took the place of rules of both kinds. A holder that carried both kinds gets the chosen groups back
and keeps what it has.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from msgspec.structs import replace

from sgguard.errors import InputError
from sgguard.model.change import content
from sgguard.remedy.plan import Plan
from sgguard.remedy.snapshot import HolderGroups, ReferringRule, Snapshot
from sgguard.store.base import Store
from sgguard.store.rows import Query, Record

_RESTORES_MAX = 1000


def chosen(
    snapshot: Snapshot, groups: Sequence[str], done: frozenset[str], *, is_waiting: bool = False
) -> tuple[str, ...]:
    """Return the ids of the groups to restore: those named, or all; without those ``done`` before.

    A group may be named by its id, its address or its name; one that is done may be named again
    while something of the decision is waiting.

    Raises:
        InputError: one is not of this decision, or everything that is named is restored already.
    """
    known = {one.group_id: f"{snapshot.scope}:{one.group_id}" for one in snapshot.groups}
    # Of groups with the same name none is meant by it; an id or an address wins over any name.
    names = Counter(one.name for one in snapshot.groups)
    by_name = {one.name: one.group_id for one in snapshot.groups if names[one.name] == 1}
    by_name |= {address: group_id for group_id, address in known.items()}
    by_name |= {group_id: group_id for group_id in known}
    unknown = [one for one in groups if one not in by_name]
    if unknown:
        deleted = ", ".join(known) or "no group"
        raise InputError(f"the decision did not delete {', '.join(unknown)}: it deleted {deleted}")
    wanted = [by_name[one] for one in groups] or list(known)
    if not is_waiting and (named := [one for one in wanted if one in done and groups]):
        raise InputError(f"{', '.join(named)} was restored before: see sgguard decisions list")
    return tuple(one for one in dict.fromkeys(wanted) if one not in done)


def restored(store: Store, record: Record, source: str) -> frozenset[str]:
    """Return the old ids of groups of a decision that earlier restores created again."""
    if not record.target:
        return frozenset()
    query = Query(target=record.target[0], outcome="remediated", limit=_RESTORES_MAX)
    earlier = [
        json.loads(one.document_json)
        for one in store.decisions(query)
        if one.source == source and one.event_id.startswith(f"{record.decision_id}/")
    ]
    return frozenset(
        str(step["target"]).rpartition(":")[2]
        for document in earlier
        for step in document["plan"]
        if step["action"] == "create"
    )


def part(snapshot: Snapshot, plan: Plan, group_ids: Sequence[str]) -> Snapshot:
    """Return the part of a snapshot that belongs to some of its groups."""
    going = {one.group_id for one in snapshot.groups}
    left = going - set(group_ids)
    if not left:
        return snapshot
    referrers = tuple(
        one
        for one in snapshot.referrers
        if one.rule.peer_group not in left and one.group_id not in left
    )
    others = [one for one in snapshot.referrers if one not in referrers]
    return replace(
        snapshot,
        groups=tuple(one for one in snapshot.groups if one.group_id not in left),
        referrers=referrers,
        added=tuple(
            one
            for one in snapshot.added
            if _replaces(one, referrers) and not _replaces(one, others)
        ),
        carried=tuple(_carried(snapshot, plan, set(group_ids), left)),
    )


def _replaces(added: ReferringRule, removed: Sequence[ReferringRule]) -> bool:
    """Whether the added rule took the place of one of the removed ones."""
    return any(
        one.group_id == added.group_id
        and content(replace(added.rule, peer_group=one.rule.peer_group)) == content(one.rule)
        for one in removed
    )


def _carried(
    snapshot: Snapshot, plan: Plan, group_ids: set[str], left: set[str]
) -> Sequence[HolderGroups]:
    final = {one.change.holder: one.change.after for one in plan.planned if one.change.holder}
    found = []
    for one in snapshot.carried:
        if not group_ids & set(one.group_ids):
            continue
        has = one.group_ids
        if left & set(has):
            kept = tuple(each for each in has if each not in left)
            new = (each for each in final.get(one.holder, ()) if each not in has)
            has = (*kept, *new)
        found.append(replace(one, group_ids=has))
    return found
