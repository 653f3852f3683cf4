"""The questions Tencent's API 2.0 answers about security groups, and how its answers are read.

The documents are old and loose, so each parser says which forms it accepts; anything else is an
unknown shape. In particular the sample of DescribeAssociateSecurityGroups is printed with single
quotes, which is not JSON: an answer like it is refused, never read as "no references".
Sources: https://cloud.tencent.com/document/api/213 (pages 1232, 1362 to 1367 and 1383, read
2026-11-22).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal

from sgguard.errors import NotFoundError
from sgguard.model import Direction, Group, Rule
from sgguard.providers.tencent_dfw.api import DfwApi, whole_number
from sgguard.wire.parallel import parallel
from sgguard.wire.shape import Json, Shape

PAGE = 100
MAX_PAGES = 50

_GROUP_ID = re.compile(r"sg-[0-9a-z]+")
_ACTIONS: Mapping[str, Literal["accept", "drop"]] = {"accept": "accept", "drop": "drop"}


def referrers(api: DfwApi, group_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return, by group, the other groups whose rules name it (DescribeAssociateSecurityGroups).

    For one group the documents say that an empty result means "not referenced". Whether a group
    may be left out of an answer about several is not documented, so those are asked again alone.

    Raises:
        NotFoundError: one of the groups does not exist.
    """
    action = "DescribeAssociateSecurityGroups"
    answer = api.read(action, sgIds=list(group_ids))
    found = associates(api.shape(action), answer, asked=group_ids)
    if len(group_ids) == 1:
        return {group_ids[0]: found.get(group_ids[0], ())}
    silent = [group_id for group_id in group_ids if group_id not in found]
    for alone in parallel([partial(referrers, api, [group_id]) for group_id in silent]):
        found.update(alone)
    return found


def associates(shape: Shape, answer: Json, *, asked: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read ``data`` of DescribeAssociateSecurityGroups.

    Accepted: an object whose values are lists of group ids or, as the English page types them,
    one id; an empty list for an empty object (its server writes PHP). Nothing else: no null, no
    group that was not asked for, no text that is no id.
    """
    data = answer.get("data")
    if data == []:
        return {}
    found: dict[str, tuple[str, ...]] = {}
    for group_id, value in shape.table(data, "data").items():
        names = [value] if isinstance(value, str) else value
        if group_id not in asked:
            raise shape.wrong("data: a group that was not asked for")
        if not isinstance(names, list) or not all(_is_group_id(name) for name in names):
            raise shape.wrong("data.value: expected group ids")
        found[group_id] = tuple(name for name in dict.fromkeys(names) if name != group_id)
    return found


def group(api: DfwApi, group_id: str) -> Group | None:
    """Return the group, None where the cloud knows no such one (DescribeSecurityGroups).

    Raises:
        UnknownShapeError: another group came.
    """
    action = "DescribeSecurityGroups"
    try:
        found = groups(api.shape(action), api.read(action, sgId=group_id))
    except NotFoundError:
        return None
    if [one.group_id for one in found] not in ([], [group_id]):
        raise api.shape(action).wrong("data: a group that was not asked for")
    return found[0] if found else None


def groups(shape: Shape, answer: Json) -> list[Group]:
    """Read groups: ``data.detail`` as in DescribeSecurityGroupEx, or ``data`` itself a list.

    Which group is the default one is told by ``isDefault`` on newer servers. Older ones do not
    tell: there a group named ``default`` is taken for it, and 7006 at the delete is the net.
    """
    data = answer.get("data")
    rows = data.get("detail") if isinstance(data, dict) else data
    return [_group(shape, row) for row in shape.tables(rows, "data.detail")]


def _group(shape: Shape, row: Json) -> Group:
    path = "data.detail[]"
    name = shape.text_or_empty(row, "sgName", path)
    project, default = row.get("projectId"), row.get("isDefault")
    if default is None:
        default = name == "default"
    if default not in (0, 1):
        raise shape.wrong(f"{path}.isDefault: expected true or false")
    return Group(
        group_id=shape.text(row, "sgId", path),
        name=name,
        description=shape.text_or_empty(row, "sgRemark", path),
        project="" if project is None else str(project),
        is_default=bool(default),
    )


def rules(api: DfwApi, group_id: str) -> tuple[Rule, ...]:
    """Return the group's rules, ingress first (DescribeSecurityGroupPolicy).

    Raises:
        NotFoundError: the group does not exist.
    """
    action = "DescribeSecurityGroupPolicy"
    return policies(api.shape(action), api.read(action, sgId=group_id))


def policies(shape: Shape, answer: Json) -> tuple[Rule, ...]:
    """Read ``data.ingress`` and ``data.egress``; one of the two may be missing, as in a sample.

    An absent field of a rule means that it matches everything.
    """
    data = answer.get("data")
    if data == []:
        return ()
    lists = shape.table(data, "data")
    if "ingress" not in lists and "egress" not in lists:
        raise shape.wrong("data: neither ingress nor egress")
    return tuple(
        _rule(shape, row, direction, number)
        for direction in Direction
        for number, row in enumerate(shape.tables(lists.get(direction, []), f"data.{direction}"))
    )


def _rule(shape: Shape, row: Json, direction: Direction, number: int) -> Rule:
    path = f"data.{direction}[{number}]"
    action = _ACTIONS.get(shape.text(row, "action", path).lower())
    if action is None:
        raise shape.wrong(f"{path}.action: expected accept or drop")
    service = shape.text_or_empty(row, "serviceModule", path)
    index = number if row.get("index") is None else whole_number(shape, row, "index")
    return Rule(
        rule_id=f"{direction}[{index}]",
        direction=direction,
        protocol="service-template" if service else _any(shape, row, "ipProtocol", path),
        ports=service or _any(shape, row, "portRange", path),
        peer_group=shape.text_or_empty(row, "sgId", path),
        peer=shape.text_or_empty(row, "cidrIp", path)
        or shape.text_or_empty(row, "addressModule", path),
        action=action,
        description=shape.text_or_empty(row, "desc", path),
    )


def instance_ids(api: DfwApi, group_id: str) -> tuple[tuple[str, ...], int]:
    """Return the instances that carry a group, and how many there are at least.

    ``totalCount`` is 0 beside a listed instance in the page's own sample, so a full page is
    always followed by the next one, whatever the count says.

    Raises:
        UnknownShapeError: fewer instances came than counted, or pages without end.
    """
    action = "DescribeInstancesOfSecurityGroup"
    shape = api.shape(action)
    ids: dict[str, None] = {}
    total = 0
    for number in range(MAX_PAGES):
        answer = api.read(action, sgId=group_id, offset=number * PAGE, limit=PAGE)
        total = max(total, whole_number(shape, answer, "totalCount"))
        rows = shape.tables(answer.get("data"), "data")
        ids |= dict.fromkeys(shape.text(row, "instanceId", "data[]") for row in rows)
        if len(rows) < PAGE and len(ids) >= total:
            return tuple(ids), max(total, len(ids))
        if not rows:
            raise shape.wrong(f"data: {len(ids)} instances came, totalCount says {total}")
    raise shape.wrong(f"data: more than {MAX_PAGES} pages")


def interface_ids(api: DfwApi, group_id: str) -> tuple[tuple[str, ...], int]:
    """Return the network interfaces that carry a group, and how many there are; no pages.

    The table of the page has ``totalCount`` and ``networkInterfaceSet`` beside ``code``, its
    sample has them in ``data``: both are read.
    """
    action = "DescribeNetworkInterfacesOfSecurityGroup"
    shape = api.shape(action)
    answer = api.read(action, sgId=group_id)
    key = "networkInterfaceSet"
    body = answer if key in answer else shape.table(answer.get("data"), "data")
    ids = tuple(
        shape.text(row, "networkInterfaceId", key) for row in shape.tables(body.get(key), key)
    )
    return ids, max(whole_number(shape, body, "totalCount"), len(ids))


def _any(shape: Shape, row: Json, key: str, path: str) -> str:
    text = shape.text_or_empty(row, key, path).lower()
    return "any" if text in {"", "all"} else text


def _is_group_id(value: object) -> bool:
    return isinstance(value, str) and _GROUP_ID.fullmatch(value) is not None
