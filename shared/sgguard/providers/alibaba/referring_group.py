"""Groups of this account whose rules name other groups: read with those rules, as evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from sgguard.errors import NotFoundError
from sgguard.model.resource import Group, Reference, Rule, Seen, Unseen
from sgguard.model.sentence import said
from sgguard.providers.access import seen_or_unseen
from sgguard.providers.alibaba.api import EcsClient
from sgguard.providers.alibaba.group import list_groups, read_with_rules
from sgguard.wire.parallel import parallel


class ReferringGroup(msgspec.Struct, frozen=True):
    """A group whose rules name another; ``group`` is None for a group of another account.

    ``group.rules`` is None where they could not be read; ``unseen`` says why, with no group id.
    """

    group: Group | None
    unseen: tuple[Unseen, ...] = ()


def read_referring_groups(ecs: EcsClient, group_ids: Sequence[str]) -> dict[str, ReferringGroup]:
    """Return each group with its rules and tags, all read in parallel.

    Raises:
        CloudError: a call failed.
    """
    if not group_ids:
        return {}
    reads: list[Callable[[], Seen[Any]]] = [
        partial(_read_listed, ecs, group_ids),
        *(partial(_read_ruled, ecs, group_id) for group_id in group_ids),
    ]
    listed, *ruled = parallel(reads)
    return {
        group_id: _merged(group_id, listed, one)
        for group_id, one in zip(group_ids, ruled, strict=True)
    }


class Naming(msgspec.Struct, frozen=True):
    """A group with those of its rules that name groups, by the id that they name in lower case."""

    group: Group
    rules: Mapping[str, Sequence[Rule]]


def naming(group: Group) -> Naming:
    """Return the group with its rules in the form in which it is asked for many groups.

    No document says that ids are told in the letter case in which they are asked for.
    """
    rules: dict[str, list[Rule]] = {}
    for rule in group.rules or ():
        rules.setdefault(rule.peer_group.lower(), []).append(rule)
    return Naming(group, rules)


def references_of(group_id: str, referring_group: Naming) -> tuple[Reference, ...]:
    """Return a reference for each rule of the referring group that names the group."""
    rules = referring_group.rules.get(group_id.lower(), ())
    return tuple(replace(reference_by(referring_group.group), rule=rule) for rule in rules)


def reference_by(referring_group: Group) -> Reference:
    """Return a reference by a group of this account, without the rule."""
    return Reference(referring_group.group_id, referring_group.name, tags=referring_group.tags)


def _read_listed(ecs: EcsClient, group_ids: Sequence[str]) -> Seen[Mapping[str, Group | None]]:
    nothing: Mapping[str, Group | None] = {}
    return seen_or_unseen("groups", lambda: Seen(list_groups(ecs, group_ids)), nothing)


def _read_ruled(ecs: EcsClient, group_id: str) -> Seen[Group | None]:
    def read() -> Seen[Group | None]:
        try:
            return Seen(read_with_rules(ecs, group_id))
        except NotFoundError:
            return Seen(None)

    return seen_or_unseen(said("part.of", part="rules", thing=group_id), read, None)


def _merged(
    group_id: str, listed: Seen[Mapping[str, Group | None]], ruled: Seen[Group | None]
) -> ReferringGroup:
    """Merge what the list of groups and the list of rules have about one group.

    A group in neither is of another account, also where rules may not be read at all.
    """
    group = listed.value.get(group_id)
    if ruled.value is not None:
        return ReferringGroup(replace(group or ruled.value, rules=ruled.value.rules))
    is_known_not_ours = group is None and group_id in listed.value
    return ReferringGroup(group, () if is_known_not_ours else ruled.unseen)
