"""Which instances and interfaces carry a group, from Tencent's API 2.0, each named once.

What the pages say about counts is not what the samples show, so a list is believed to be whole
only where its end was seen: see :func:`instance_ids`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from sgguard.errors import CloudError
from sgguard.providers.tencent_dfw import response
from sgguard.providers.tencent_dfw.api import DfwApi, whole_number
from sgguard.wire.parallel import parallel
from sgguard.wire.shape import Json, Shape

PAGE = 100
MAX_PAGES = 50

INSTANCES_MAX = 50
"""Each instance costs a call; of more than this nobody is told, and no remedy is planned."""


@dataclass(frozen=True, slots=True)
class _Pass:
    """One reading of a list: what came, the largest count that was told, whether the end came."""

    ids: tuple[str, ...]
    total: int
    is_whole: bool


def instance_ids(api: DfwApi, group_id: str) -> tuple[tuple[str, ...], int]:
    """Return the instances that carry a group, and how many there are.

    ``totalCount`` is 0 beside a listed instance in the page's own sample. So a count below what
    came proves nothing, and an empty page must; a full page is always followed by the next one.
    A count that changes between pages, or instances that are counted and do not come, make the
    list be read once more.

    Raises:
        UnknownShapeError: it was not whole the second time either.
    """
    for _ in range(2):
        read = _instances(api, group_id)
        if read.is_whole:
            return read.ids, max(read.total, len(read.ids))
    shape = api.shape("DescribeInstancesOfSecurityGroup")
    raise shape.wrong(f"data: {len(read.ids)} instances came, totalCount says {read.total}, twice")


def _instances(api: DfwApi, group_id: str) -> _Pass:
    action = "DescribeInstancesOfSecurityGroup"
    shape = api.shape(action)
    ids: dict[str, None] = {}
    totals: set[int] = set()
    offset = 0
    for _ in range(MAX_PAGES):
        answer = api.read(action, sgId=group_id, offset=offset, limit=PAGE)
        total = _count(shape, answer)
        rows = shape.tables(answer.get("data"), "data")
        before = len(ids)
        ids |= dict.fromkeys(shape.text(row, "instanceId", "data[]") for row in rows)
        offset += len(rows)
        totals.add(total)
        is_steady = len(totals) == 1
        if not rows:
            return _Pass(tuple(ids), max(totals), is_steady and total <= len(ids))
        if len(ids) == before:
            break  # a page of known instances: the server does not move on
        if len(rows) < PAGE and len(ids) == total:
            return _Pass(tuple(ids), max(totals), is_steady)
    return _Pass(tuple(ids), max(totals), is_whole=False)


def interface_ids(api: DfwApi, group_id: str) -> tuple[tuple[str, ...], int]:
    """Return the network interfaces that carry a group, and how many there are; no pages.

    The table of the page has ``totalCount`` and ``networkInterfaceSet`` beside ``code``, its
    sample has them in ``data``: both are read.
    """
    action, key = "DescribeNetworkInterfacesOfSecurityGroup", "networkInterfaceSet"
    shape = api.shape(action)
    answer = api.read(action, sgId=group_id)
    body = answer if key in answer else shape.table(answer.get("data"), "data")
    rows = shape.tables(body.get(key), key)
    ids = tuple(dict.fromkeys(shape.text(row, "networkInterfaceId", key) for row in rows))
    return ids, max(_count(shape, body), len(ids))


def _count(shape: Shape, row: Json) -> int:
    count = whole_number(shape, row, "totalCount")
    if count < 0:
        raise shape.wrong("totalCount: below zero")
    return count


def others_of(
    api: DfwApi, group_id: str, instance_ids: Sequence[str]
) -> dict[str, tuple[str, ...] | None]:
    """Return, by instance, the groups it carries beside this one; None where nobody tells.

    This is for a remedy and never for the verdict: what cannot be read is just not told.
    """
    if len(instance_ids) > INSTANCES_MAX:
        return dict.fromkeys(instance_ids)
    read = parallel([partial(_groups, api, one) for one in instance_ids])
    found = dict(zip(instance_ids, read, strict=True))
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
