"""How full a group is, as the cloud counts it: by instances, an advanced group by interfaces.

Source: JoinSecurityGroup and "Basic security groups and advanced security groups",
alibabacloud.com/help/en/ecs, read 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec
from msgspec.structs import replace

from sgguard.errors import NotFoundError
from sgguard.model.resource import Seen
from sgguard.model.sentence import said
from sgguard.providers._shared import about_group
from sgguard.providers.access import seen_or_unseen
from sgguard.providers.alibaba.api import EcsClient
from sgguard.providers.alibaba.bindings import no_such_group, unproved_holders
from sgguard.providers.alibaba.listing import INSTANCES, INTERFACES, count_all, read_all
from sgguard.providers.alibaba.proof import Tally, read_tallies
from sgguard.providers.alibaba.response import ADVANCED, interface_binding, is_attached
from sgguard.wire.parallel import chunks, parallel

_INSTANCES_A_CALL = 100


class _Count(msgspec.Struct, frozen=True):
    """What carries a group: instances by their primary interface, and other interfaces.

    ``instances`` counts each instance once, an attached interface without one as one of its own.
    """

    primary: int
    interfaces: int
    instances: int

    def of(self, tally: Tally | None) -> int:
        """Return the number that the ceiling of such a group is about, the higher if unknown.

        Where nothing is listed it is the group's own count of addresses: it may lag, and there are
        never fewer addresses than holders.
        """
        all_interfaces = self.primary + self.interfaces
        if tally is None:
            return max(all_interfaces, self.instances)
        if not all_interfaces and tally.addresses:
            return tally.addresses
        return all_interfaces if tally.kind == ADVANCED else self.instances


def count_instances(ecs: EcsClient, group_ids: Sequence[str]) -> Seen[dict[str, int]]:
    """Return how full each group is, on any interface.

    Instances that carry it on the primary interface are counted by the cloud, not listed.

    Raises:
        CloudError: a call failed.
    """
    wanted = list(dict.fromkeys(group_ids))
    reads: list[Callable[[], Any]] = [
        partial(read_tallies, ecs, wanted),
        *(partial(_count_or_unseen, ecs, one) for one in wanted),
    ]
    tallies, *parts = parallel(reads)
    counts = {one: seen.value for one, seen in zip(wanted, parts, strict=True) if seen.value}
    rows = {
        INSTANCES: {one: count.primary for one, count in counts.items()},
        INTERFACES: {one: count.interfaces for one, count in counts.items()},
    }
    # The group's own count is part of the number here, so it refutes nothing.
    kinds = {one: replace(tally, addresses=None) for one, tally in tallies.items()}
    gaps = unproved_holders(ecs, rows, kinds)
    doubted = {gap.group_id for gap in gaps}
    return Seen(
        {one: count.of(tallies.get(one)) for one, count in counts.items() if one not in doubted},
        (*(gap for seen in parts for gap in seen.unseen), *gaps),
    )


def _count_or_unseen(ecs: EcsClient, group_id: str) -> Seen[_Count | None]:
    nothing: _Count | None = None
    what = said("part.count-of", group=group_id)

    def read() -> Seen[_Count | None]:
        try:
            return Seen(_count(ecs, group_id))
        except NotFoundError as error:
            return no_such_group(error, what, nothing)

    return about_group(group_id, seen_or_unseen(what, read, nothing))


def _count(ecs: EcsClient, group_id: str) -> _Count:
    """Count instances with the group: on the primary interface, plus on others, minus on both."""
    params = {"SecurityGroupId": group_id}
    reads: list[Callable[[], Any]] = [
        partial(count_all, ecs, INSTANCES, params),
        partial(read_all, ecs, INTERFACES, params),
    ]
    primary, listed = parallel(reads)
    bound = [interface_binding(listed.response, row, group_id) for row in listed.rows]
    others = sorted({one.instance_id for one in bound if one.instance_id})
    # An attached interface whose instance is not told may be that of one nothing else shows.
    nameless = sum(
        is_attached(listed.response, row) and not (one.instance_id or one.owner)
        for one, row in zip(bound, listed.rows, strict=True)
    )
    asked = chunks(others, _INSTANCES_A_CALL)
    both = sum(parallel([partial(_with_both, ecs, group_id, some) for some in asked]))
    return _Count(primary, len(bound), primary + len(others) - both + nameless)


def _with_both(ecs: EcsClient, group_id: str, instance_ids: Sequence[str]) -> int:
    """Return how many of the instances carry the group on the primary interface as well."""
    params = {"SecurityGroupId": group_id, "InstanceIds": json.dumps(list(instance_ids))}
    listed = read_all(ecs, INSTANCES, params)
    return len({row["InstanceId"] for row in listed.rows} & set(instance_ids))
