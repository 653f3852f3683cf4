"""The bindings of a group: instances by their primary interface, and other interfaces.

A listing of interfaces by group has the secondary ones only, those of cloud services included; a
listing of instances by group has the primary ones only. Neither is complete without the other.

Source: DescribeNetworkInterfaces and DescribeInstances, parameter SecurityGroupId.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial

from sgguard.model.resource import Binding, Seen
from sgguard.providers._shared import about_group
from sgguard.providers.access import seen_or_unseen
from sgguard.providers.alibaba.api import EcsClient
from sgguard.providers.alibaba.listing import INSTANCES, INTERFACES, Listing, count_all, read_all
from sgguard.providers.alibaba.response import instance_binding, interface_binding
from sgguard.wire.parallel import chunks, parallel

_INSTANCES_A_CALL = 100


def list_bindings(ecs: EcsClient, group_ids: Sequence[str]) -> Seen[dict[str, tuple[Binding, ...]]]:
    """Return instances and other interfaces of each group: two listings each, in parallel.

    Raises:
        CloudError: a call failed.
    """
    reads = [
        partial(_read_bindings, ecs, group_id, listing, binding_of)
        for group_id in group_ids
        for listing, binding_of in _LISTINGS
    ]
    bindings: dict[str, tuple[Binding, ...]] = dict.fromkeys(group_ids, ())
    parts = parallel(reads)
    for group_id, part in parts:
        bindings[group_id] += part.value
    return Seen(bindings, tuple(unseen for _, part in parts for unseen in part.unseen))


def count_instances(ecs: EcsClient, group_ids: Sequence[str]) -> Seen[dict[str, int]]:
    """Return how many instances carry each group on any of their interfaces.

    Those that carry it on the primary interface are counted by the cloud, not listed.

    Raises:
        CloudError: a call failed.
    """
    reads = [partial(_count_or_unseen, ecs, group_id) for group_id in dict.fromkeys(group_ids)]
    parts = parallel(reads)
    counts = {group_id: part.value for group_id, part in parts if part.value is not None}
    return Seen(counts, tuple(unseen for _, part in parts for unseen in part.unseen))


_LISTINGS = ((INSTANCES, instance_binding), (INTERFACES, interface_binding))


def _read_bindings(
    ecs: EcsClient, group_id: str, listing: Listing, binding_of: Callable[..., Binding]
) -> tuple[str, Seen[tuple[Binding, ...]]]:
    """Return the bindings that one listing has for the group, beside the group's id."""

    def read() -> Seen[tuple[Binding, ...]]:
        listed = read_all(ecs, listing, {"SecurityGroupId": group_id})
        return Seen(tuple(binding_of(listed.response, row, group_id) for row in listed.rows))

    nothing: tuple[Binding, ...] = ()
    return group_id, about_group(group_id, seen_or_unseen(_what(listing, group_id), read, nothing))


def _count_or_unseen(ecs: EcsClient, group_id: str) -> tuple[str, Seen[int | None]]:
    nothing: int | None = None
    what = f"how many instances carry {group_id}"
    return group_id, about_group(
        group_id, seen_or_unseen(what, lambda: _count(ecs, group_id), nothing)
    )


def _count(ecs: EcsClient, group_id: str) -> Seen[int | None]:
    """Count instances with the group: on the primary interface, plus on others, minus on both."""
    (primary, _), (_, others) = parallel(
        [partial(_on_primary, ecs, group_id), partial(_on_others, ecs, group_id)]
    )
    asked = chunks(others, _INSTANCES_A_CALL)
    on_both = parallel([partial(_with_both, ecs, group_id, some) for some in asked])
    return Seen(primary + len(others) - sum(on_both))


def _on_primary(ecs: EcsClient, group_id: str) -> tuple[int, list[str]]:
    return count_all(ecs, INSTANCES, {"SecurityGroupId": group_id}), []


def _on_others(ecs: EcsClient, group_id: str) -> tuple[int, list[str]]:
    """Return the instances that carry the group on another interface than the primary one."""
    listed = read_all(ecs, INTERFACES, {"SecurityGroupId": group_id})
    bindings = (interface_binding(listed.response, row, group_id) for row in listed.rows)
    return 0, sorted({one.instance_id for one in bindings if one.instance_id})


def _with_both(ecs: EcsClient, group_id: str, instance_ids: Sequence[str]) -> int:
    """Return how many of the instances carry the group on the primary interface as well."""
    params = {"SecurityGroupId": group_id, "InstanceIds": json.dumps(list(instance_ids))}
    listed = read_all(ecs, INSTANCES, params)
    return len({row["InstanceId"] for row in listed.rows} & set(instance_ids))


def _what(listing: Listing, group_id: str) -> str:
    return f"{listing.container} that carry {group_id}"
