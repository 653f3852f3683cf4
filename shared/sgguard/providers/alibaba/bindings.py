"""The groups whose rules name others: whose they are, and which rules those are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar

from sgguard.errors import NotFoundError
from sgguard.model.resource import Binding, Group, Reference, Seen, Unseen
from sgguard.providers.access import seen_or_unseen
from sgguard.providers.alibaba.api import EcsClient, instance_binding, interface_binding
from sgguard.providers.alibaba.group import read_groups, read_with_rules
from sgguard.providers.alibaba.listing import INSTANCES, INTERFACES, Listing, count_all, read_all
from sgguard.wire.parallel import chunks, parallel


@dataclass(frozen=True, slots=True)
class Holder:
    """A group that holds rules; ``group`` is None when it is not one of our own.

    ``group.rules`` is None where they could not be read; ``unseen`` says why, of no group yet.
    """

    group: Group | None
    unseen: tuple[Unseen, ...] = ()


def read_holders(ecs: EcsClient, group_ids: Sequence[str]) -> dict[str, Holder]:
    """Return each group with its rules and tags, all in one wave.

    Raises:
        CloudError: the cloud could not be asked.
    """
    if not group_ids:
        return {}
    reads: list[Callable[[], Seen[Any]]] = [
        partial(_listed, ecs, group_ids),
        *(partial(_ruled, ecs, group_id) for group_id in group_ids),
    ]
    listed, *ruled = parallel(reads)
    return {
        group_id: _holder(group_id, listed, one)
        for group_id, one in zip(group_ids, ruled, strict=True)
    }


def references_of(group_id: str, holder: Group) -> tuple[Reference, ...]:
    """Return a reference for each rule of the holder that names the group."""
    return tuple(
        replace(reference_by(holder), rule=rule)
        for rule in holder.rules or ()
        if rule.peer_group == group_id
    )


def reference_by(holder: Group) -> Reference:
    """Return a reference held by a group of our own, without the rule."""
    return Reference(holder.group_id, holder.name, tags=holder.tags)


def _listed(ecs: EcsClient, group_ids: Sequence[str]) -> Seen[Mapping[str, Group | None]]:
    nothing: Mapping[str, Group | None] = {}
    return seen_or_unseen("groups", lambda: Seen(read_groups(ecs, group_ids)), nothing)


def _ruled(ecs: EcsClient, group_id: str) -> Seen[Group | None]:
    def read() -> Seen[Group | None]:
        try:
            return Seen(read_with_rules(ecs, group_id))
        except NotFoundError:
            return Seen(None)

    return seen_or_unseen(f"rules of {group_id}", read, None)


def _holder(
    group_id: str, listed: Seen[Mapping[str, Group | None]], ruled: Seen[Group | None]
) -> Holder:
    """Put together what the list of groups and the list of rules say of one group.

    One that is in neither is of another account, also where we may not read rules at all.
    """
    group = listed.value.get(group_id)
    if ruled.value is not None:
        return Holder(replace(group or ruled.value, rules=ruled.value.rules))
    is_known_not_ours = group is None and group_id in listed.value
    return Holder(group, () if is_known_not_ours else ruled.unseen)


T = TypeVar("T")

# What carries a group: instances by their primary interface, and other interfaces.
#
# A listing of interfaces by group knows the secondary ones only, those of cloud services included;
# a listing of instances by group knows the primary ones only. Neither is whole without the other.
#
# Source: DescribeNetworkInterfaces and DescribeInstances, parameter SecurityGroupId.

_INSTANCES_A_CALL = 100


def list_bindings(ecs: EcsClient, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Binding, ...]]]:
    """Return instances and other interfaces of each group, two listings each, side by side.

    Raises:
        CloudError: the cloud could not be asked.
    """
    reads = [
        partial(_carriers, ecs, group_id, listing, binding_of)
        for group_id in group_ids
        for listing, binding_of in _LISTINGS
    ]
    bound: dict[str, tuple[Binding, ...]] = dict.fromkeys(group_ids, ())
    parts = parallel(reads)
    for group_id, part in parts:
        bound[group_id] += part.value
    return Seen(bound, tuple(unseen for _, part in parts for unseen in part.unseen))


def count_instances(ecs: EcsClient, group_ids: Sequence[str]) -> Seen[dict[str, int]]:
    """Return how many instances carry each group on any of their interfaces.

    Those that carry it on the primary interface are counted by the cloud, not listed.

    Raises:
        CloudError: the cloud could not be asked.
    """
    reads = [partial(_count_or_unseen, ecs, group_id) for group_id in dict.fromkeys(group_ids)]
    parts = parallel(reads)
    counts = {group_id: part.value for group_id, part in parts if part.value is not None}
    return Seen(counts, tuple(unseen for _, part in parts for unseen in part.unseen))


_LISTINGS = ((INSTANCES, instance_binding), (INTERFACES, interface_binding))


def _carriers(
    ecs: EcsClient, group_id: str, listing: Listing, binding_of: Callable[..., Binding]
) -> tuple[str, Seen[tuple[Binding, ...]]]:
    """Return what one listing says carries the group, beside the group's id."""

    def read() -> Seen[tuple[Binding, ...]]:
        listed = read_all(ecs, listing, {"SecurityGroupId": group_id})
        return Seen(tuple(binding_of(listed.answer, row, group_id) for row in listed.rows))

    nothing: tuple[Binding, ...] = ()
    return group_id, _of(group_id, seen_or_unseen(_what(listing, group_id), read, nothing))


def _count_or_unseen(ecs: EcsClient, group_id: str) -> tuple[str, Seen[int | None]]:
    nothing: int | None = None
    what = f"how many instances carry {group_id}"
    return group_id, _of(group_id, seen_or_unseen(what, lambda: _count(ecs, group_id), nothing))


def _count(ecs: EcsClient, group_id: str) -> Seen[int | None]:
    (primary, _), (_, others) = parallel(
        [partial(_on_primary, ecs, group_id), partial(_on_others, ecs, group_id)]
    )
    asked = chunks(others, _INSTANCES_A_CALL)
    twice = parallel([partial(_with_both, ecs, group_id, some) for some in asked])
    return Seen(primary + len(others) - sum(twice))


def _on_primary(ecs: EcsClient, group_id: str) -> tuple[int, list[str]]:
    return count_all(ecs, INSTANCES, {"SecurityGroupId": group_id}), []


def _on_others(ecs: EcsClient, group_id: str) -> tuple[int, list[str]]:
    """Return the instances that carry the group on another interface than the primary one."""
    listed = read_all(ecs, INTERFACES, {"SecurityGroupId": group_id})
    bindings = (interface_binding(listed.answer, row, group_id) for row in listed.rows)
    return 0, sorted({one.instance_id for one in bindings if one.instance_id})


def _with_both(ecs: EcsClient, group_id: str, instance_ids: Sequence[str]) -> int:
    """Return how many of the instances carry the group on the primary interface as well."""
    params = {"SecurityGroupId": group_id, "InstanceIds": json.dumps(list(instance_ids))}
    listed = read_all(ecs, INSTANCES, params)
    return len({row["InstanceId"] for row in listed.rows} & set(instance_ids))


def _what(listing: Listing, group_id: str) -> str:
    return f"{listing.container} that carry {group_id}"


def _of(group_id: str, seen: Seen[T]) -> Seen[T]:
    """Return the same, with the group named in whatever could not be seen."""
    return replace(seen, unseen=tuple(replace(one, group_id=group_id) for one in seen.unseen))
