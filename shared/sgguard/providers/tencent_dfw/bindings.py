"""The bindings of a group in Tencent's API 2.0: listed instances and interfaces, each once.

The counts in the samples are not what the pages say about them. So a list is taken as complete only
where its end was seen; :func:`instance_ids` describes the steps.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import msgspec

from sgguard.errors import CloudError
from sgguard.providers.tencent_dfw import response
from sgguard.providers.tencent_dfw.api import DfwApi, integer_of
from sgguard.wire.parallel import parallel
from sgguard.wire.shape import Json, Shape

PAGE = 100
MAX_PAGES = 50

INSTANCES_MAX = 50
"""Each instance costs a call: of more than this no further groups are read, and no remedy is
planned for them."""


class _Pass(msgspec.Struct, frozen=True):
    """One read of a list: its ids, the largest count reported, and whether it is complete."""

    ids: tuple[str, ...]
    total: int
    is_complete: bool


def instance_ids(api: DfwApi, group_id: str) -> tuple[tuple[str, ...], int]:
    """Return the instances that carry a group, and how many there are.

    ``totalCount`` is 0 beside a listed instance in the page's own sample, so a count below the
    listed instances proves nothing.

    1. Pages are read until the end is proven: by an empty page, or by a page that is not full
       where as many instances were read as are counted.
    2. A list whose count changed between pages, or with fewer instances than counted, is read a
       second time.

    Raises:
        UnknownShapeError: it was not complete the second time either.
    """
    for _ in range(2):
        read = _instances(api, group_id)
        if read.is_complete:
            return read.ids, max(read.total, len(read.ids))
    shape = api.shape("DescribeInstancesOfSecurityGroup")
    raise shape.wrong(f"data: {len(read.ids)} instances, but totalCount is {read.total}, twice")


def _instances(api: DfwApi, group_id: str) -> _Pass:
    action = "DescribeInstancesOfSecurityGroup"
    shape = api.shape(action)
    ids: dict[str, None] = {}
    totals: set[int] = set()
    offset = 0
    for _ in range(MAX_PAGES):
        envelope = api.read(action, sgId=group_id, offset=offset, limit=PAGE)
        total = _count(shape, envelope)
        rows = shape.tables(envelope.get("data"), "data")
        before = len(ids)
        ids |= dict.fromkeys(shape.text(row, "instanceId", "data[]") for row in rows)
        offset += len(rows)
        totals.add(total)
        is_steady = len(totals) == 1
        # An empty page ends the list; the count may be lower, but not higher than what was read.
        if not rows:
            return _Pass(tuple(ids), max(totals), is_steady and total <= len(ids))
        if len(ids) == before:
            break  # loop guard: a page of known instances, the server ignores the offset
        # A page that is not full ends it as well, but only where the count agrees.
        if len(rows) < PAGE and len(ids) == total:
            return _Pass(tuple(ids), max(totals), is_steady)
    return _Pass(tuple(ids), max(totals), is_complete=False)


def interface_ids(api: DfwApi, group_id: str) -> tuple[tuple[str, ...], int]:
    """Return the network interfaces that carry a group, and how many there are; no pages.

    The table of the page has ``totalCount`` and ``networkInterfaceSet`` beside ``code``, its
    sample has them in ``data``: both are read.
    """
    action, key = "DescribeNetworkInterfacesOfSecurityGroup", "networkInterfaceSet"
    shape = api.shape(action)
    envelope = api.read(action, sgId=group_id)
    body = envelope if key in envelope else shape.table(envelope.get("data"), "data")
    rows = shape.tables(body.get(key), key)
    ids = tuple(dict.fromkeys(shape.text(row, "networkInterfaceId", key) for row in rows))
    return ids, max(_count(shape, body), len(ids))


def _count(shape: Shape, row: Json) -> int:
    count = integer_of(shape, row, "totalCount")
    if count < 0:
        raise shape.wrong("totalCount: below zero")
    return count


def others_of(
    api: DfwApi, group_id: str, instance_ids: Sequence[str]
) -> dict[str, tuple[str, ...] | None]:
    """Return, by instance, the groups it carries beside this one; None where they are not known.

    The call that reports the groups of an instance does not say whose they are where the instance
    has further interfaces. So a group that some interface carries is left out: the others are on
    the instance itself. This is for a remedy, never for a verdict: errors lead to None.
    """
    if len(instance_ids) > INSTANCES_MAX:
        return dict.fromkeys(instance_ids)
    # 1. The groups of each instance, perhaps with those of its interfaces.
    read = parallel([partial(_groups, api, one) for one in instance_ids])
    found = dict(zip(instance_ids, read, strict=True))
    # 2. Of all groups named, those that no interface carries.
    named = {one for groups in read for one in groups or ()} - {group_id}
    on_instances = {one for one in sorted(named) if not _is_on_interfaces(api, one)}
    return {
        name: None if groups is None else tuple(one for one in groups if one in on_instances)
        for name, groups in found.items()
    }


def _groups(api: DfwApi, instance_id: str) -> tuple[str, ...] | None:
    try:
        return response.groups_of_instance(api, instance_id)
    except CloudError:
        return None


def _is_on_interfaces(api: DfwApi, group_id: str) -> bool:
    try:
        return interface_ids(api, group_id)[1] > 0
    except CloudError:
        return True
