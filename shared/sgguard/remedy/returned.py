"""What exists now of what a snapshot names, under the ids that earlier restores gave it.

A group that was restored has a new id. Another snapshot, taken before, still names the old one:
each id is followed to the group that stands for it now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial

import msgspec
from msgspec.structs import replace

from sgguard.model.change import Change, Holder
from sgguard.model.resource import Group, Rule
from sgguard.model.sentence import Sentence, said
from sgguard.providers.base import Cloud
from sgguard.remedy.observe import unread
from sgguard.remedy.places import Past
from sgguard.remedy.plan import Plan
from sgguard.remedy.snapshot import HolderGroups, ReferringRule, Snapshot
from sgguard.remedy.world import read_holders, rules_of
from sgguard.wire.parallel import parallel


class Earlier(msgspec.Struct, frozen=True):
    """What earlier restores left behind.

    ``made`` are the new ids of groups by their old ones; a new one may have been deleted and
    restored as well. ``own`` are the changes that wait of the decision that is restored, ``others``
    those of each other decision, that of the latest one first. ``past`` is what was done to rules
    in this place, in order; it matters where the ids of rules are positions. ``undone`` is what
    undos changed of holders, in order.
    """

    made: Mapping[str, str]
    own: tuple[Change, ...] = ()
    others: tuple[tuple[Change, ...], ...] = ()
    past: tuple[Past, ...] = ()
    undone: tuple[Change, ...] = ()

    @property
    def waiting(self) -> tuple[Change, ...]:
        """Return every change that waits."""
        return (*self.own, *(one for batch in self.others for one in batch))


NOTHING = Earlier({})


class Returned(msgspec.Struct, frozen=True):
    """What exists now; None where it is gone.

    ``groups`` are by id, old and new ones; ``rules`` by the id that a group has now. ``names`` are
    the ids that groups have now, by their old ones, where these differ.
    """

    groups: Mapping[str, Group | None]
    names: Mapping[str, str]
    rules: Mapping[str, tuple[Rule, ...]]
    holders: Mapping[Holder, tuple[str, ...] | None]
    namesakes: Mapping[str, tuple[str, ...]]

    def exists(self, group_id: str) -> bool:
        """Whether the cloud has a group of this id."""
        return self.groups.get(group_id) is not None


def read_returned(cloud: Cloud, snapshot: Snapshot, done: Plan, earlier: Earlier) -> Returned:
    """Read everything that a snapshot, the plan that was made after it, and what waits name.

    Raises:
        UnknownShapeError: it is not told whether one of the groups exists.
        CloudError, DeadlineError: the cloud could not be asked.
    """
    # 1. The groups: those that are named, and those that took their places.
    given = (one.change for one in done.planned if one.change.holder)
    concerned = {one.holder.holder_id for one in snapshot.carried}
    concerned |= {one.holder.holder_id for one in earlier.waiting if one.holder}
    undone = (one for one in earlier.undone if one.holder and one.holder.holder_id in concerned)
    changes = (*given, *earlier.waiting, *undone)
    named = dict.fromkeys(filter(None, [*_named(snapshot), *_of_changes(changes)]))
    ids = tuple(dict.fromkeys(one for name in named for one in _line(name, earlier.made)))
    groups = _read_groups(cloud, ids)
    names = {one: now for one in named if (now := _now(one, earlier.made, groups)) != one}
    # 2. The rules of every group that gets one back or loses one.
    changed = [one.group_id for one in (*snapshot.referrers, *snapshot.added)]
    changed += [one.group_id for one in earlier.waiting if one.rule]
    ruled = list(dict.fromkeys(names.get(one, one) for one in changed))
    ruled = [one for one in ruled if groups.get(one) is not None]
    rules = parallel([partial(rules_of, cloud, one) for one in ruled])
    # 3. The holders, and the groups that have the name of one that is to be built.
    holders = [one.holder for one in snapshot.carried]
    holders += [one.holder for one in earlier.waiting if one.holder]
    holders = list(dict.fromkeys(holders))
    carried = read_holders(cloud, holders)
    called = dict.fromkeys(name_of(group) for group in snapshot.groups)
    return Returned(
        groups,
        names,
        dict(zip(ruled, rules, strict=True)),
        dict(zip(holders, carried, strict=True)),
        {name: cloud.find_groups(name) for name in called},
    )


def read_twins(
    cloud: Cloud, snapshot: Snapshot, now: Returned, earlier: Earlier
) -> tuple[Sentence, ...]:
    """Return the groups that somebody built under the name of one to be restored.

    One that a restore made stands for another group, and one of another network or project is
    none of the same name to its users.

    Raises:
        CloudError, DeadlineError: the cloud could not be asked.
    """
    restored = set(earlier.made.values())
    found = {
        group.group_id: [one for one in now.namesakes[name_of(group)] if one not in restored]
        for group in snapshot.groups
        if group.name is not None
    }
    ids = tuple(dict.fromkeys(one for some in found.values() for one in some))
    there = _read_groups(cloud, ids) if ids else {}
    return tuple(
        said("restore.namesake", group=one, name=name_of(group), before=group.group_id)
        for group in snapshot.groups
        for one in found.get(group.group_id, ())
        if _is_alike(group, there.get(one))
    )


def renamed_snapshot(snapshot: Snapshot, names: Mapping[str, str]) -> Snapshot:
    """Return the snapshot with the ids that groups have now; those to be restored keep theirs."""

    def rule(one: Rule) -> Rule:
        return replace(one, peer_group=names.get(one.peer_group, one.peer_group))

    def referring(one: ReferringRule) -> ReferringRule:
        return ReferringRule(names.get(one.group_id, one.group_id), rule(one.rule))

    def carried(one: HolderGroups) -> HolderGroups:
        return HolderGroups(one.holder, tuple(names.get(each, each) for each in one.group_ids))

    return replace(
        snapshot,
        groups=tuple(
            group if group.rules is None else replace(group, rules=tuple(map(rule, group.rules)))
            for group in snapshot.groups
        ),
        referrers=tuple(map(referring, snapshot.referrers)),
        added=tuple(map(referring, snapshot.added)),
        carried=tuple(map(carried, snapshot.carried)),
    )


def name_of(group: Group) -> str:
    """Return the name that the group is created with: its old id where its name was not told."""
    return group.group_id if group.name is None else group.name


def _named(snapshot: Snapshot) -> Iterator[str]:
    for group in snapshot.groups:
        yield group.group_id
        yield from (rule.peer_group for rule in group.rules or ())
    for one in (*snapshot.referrers, *snapshot.added):
        yield one.group_id
        yield one.rule.peer_group
    for has in snapshot.carried:
        yield from has.group_ids


def _of_changes(changes: tuple[Change, ...]) -> Iterator[str]:
    for one in changes:
        yield one.group_id
        yield one.rule.peer_group if one.rule else ""
        yield from (*one.before, *one.after)


def _line(group_id: str, made: Mapping[str, str]) -> list[str]:
    """Return the id and those that took its place, one after another."""
    found = [group_id]
    while (following := made.get(found[-1])) and following not in found:
        found.append(following)
    return found


def _now(group_id: str, made: Mapping[str, str], groups: Mapping[str, Group | None]) -> str:
    """Return the id under which a group exists now, its own where it does not."""
    there = [one for one in _line(group_id, made) if groups.get(one) is not None]
    return there[0] if there else group_id


def _read_groups(cloud: Cloud, ids: tuple[str, ...]) -> dict[str, Group | None]:
    seen = cloud.read_groups(ids)
    if unknown := [one for one in ids if one not in seen.value]:
        # Taken for gone, a group that is hidden would get a twin.
        raise unread(cloud, unknown[0], seen.unseen, f"group {unknown[0]} to restore")
    return dict(seen.value)


def _is_alike(group: Group, other: Group | None) -> bool:
    """Whether a group of the same name may be the same to its users; what is not told may."""
    if other is None:
        return False
    is_same_network = not (group.network and other.network) or group.network == other.network
    is_same_project = not (group.project and other.project) or group.project == other.project
    return is_same_network and is_same_project
