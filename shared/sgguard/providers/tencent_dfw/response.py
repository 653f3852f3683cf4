"""Reads of Tencent's API 2.0 about security groups, and the parsers of their responses.

The documents are old and inexact, so each parser documents which forms it accepts; anything else is
an unknown shape. In particular the sample of DescribeAssociateSecurityGroups is printed with single
quotes, which is not JSON: such a response is refused, never read as "no references".
Sources: https://cloud.tencent.com/document/api/213 (pages 1232, 1362 to 1367 and 1383, read
2026-11-22).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Literal

import msgspec

from sgguard.errors import NotFoundError
from sgguard.model.resource import Direction, Group, Rule
from sgguard.providers.tencent_dfw.api import DfwApi, integer_of
from sgguard.wire.parallel import parallel
from sgguard.wire.shape import Json, Shape

ADDRESSES = "addressModule"
"""The member that names a template of addresses, or a group of them."""

_GROUP_ID = re.compile(r"sg-[0-9a-z]+")
_ACTIONS: Mapping[str, Literal["accept", "drop"]] = {"accept": "accept", "drop": "drop"}


def referrers(api: DfwApi, group_ids: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return, by group, the other groups whose rules name it (DescribeAssociateSecurityGroups).

    For one group an empty result means "not referenced" according to the documents. Whether a group
    may be left out of a response about several is not documented, so those are read again alone.

    Raises:
        NotFoundError: one of the groups does not exist.
    """
    action = "DescribeAssociateSecurityGroups"
    envelope = api.read(action, sgIds=list(group_ids))
    found = associates(api.shape(action), envelope, asked=group_ids)
    if len(group_ids) == 1:
        return {group_ids[0]: found.get(group_ids[0], ())}
    missing = [group_id for group_id in group_ids if group_id not in found]
    for single in parallel([partial(referrers, api, [group_id]) for group_id in missing]):
        found.update(single)
    return found


def associates(shape: Shape, envelope: Json, *, asked: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Read ``data`` of DescribeAssociateSecurityGroups.

    Accepted: an object whose values are lists of group ids or, as the English page types them,
    one id; an empty list for an empty object (the server is written in PHP). Nothing else: no null,
    no group that was not asked for, no text that is not an id.
    """
    data = envelope.get("data")
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


class Described(msgspec.Struct, frozen=True):
    """A group, and how many referring groups the cloud counts, None where it does not count."""

    group: Group
    referrers: int | None


def described(api: DfwApi, group_id: str) -> Described | None:
    """Return the group, None where the cloud has no such one (DescribeSecurityGroups).

    Raises:
        UnknownShapeError: the response has another group.
    """
    action = "DescribeSecurityGroups"
    shape = api.shape(action)
    try:
        rows = _rows(shape, api.read(action, sgId=group_id))
    except NotFoundError:
        return None
    found = [_group(shape, row) for row in rows]
    if [one.group_id for one in found] not in ([], [group_id]):
        raise shape.wrong("data: a group that was not asked for")
    return Described(found[0], _referrers(shape, rows[0])) if found else None


def group(api: DfwApi, group_id: str) -> Group | None:
    """Return the group, None where the cloud has no such one.

    Raises:
        UnknownShapeError: the response has another group.
    """
    found = described(api, group_id)
    return found.group if found else None


def find_groups(api: DfwApi, name: str) -> tuple[str, ...]:
    """Return the ids of all groups of exactly this name (DescribeSecurityGroups)."""
    found = groups(
        api.shape("DescribeSecurityGroups"), api.read("DescribeSecurityGroups", sgName=name)
    )
    return tuple(one.group_id for one in found if one.name == name)


def groups_of_instance(api: DfwApi, instance_id: str) -> tuple[str, ...] | None:
    """Return the ids of an instance's groups, None where the cloud names none.

    Raises:
        NotFoundError: the instance does not exist.
    """
    action = "DescribeSecurityGroups"
    envelope = api.read(action, instanceId=instance_id)
    if envelope.get("data") == []:
        return None  # an empty map of a PHP server: it does not prove that there is none
    shape = api.shape(action)
    return tuple(dict.fromkeys(_group(shape, row).group_id for row in _rows(shape, envelope)))


def groups(shape: Shape, envelope: Json) -> list[Group]:
    """Read groups: ``data.detail`` as in DescribeSecurityGroupEx, or ``data`` itself a list.

    Newer servers mark the default group by ``isDefault``. On older ones a group named ``default``
    is taken for it, and the delete of the real one is refused with 7006. ``totalNum`` counts the
    groups of the account, not those in the response.
    """
    return [_group(shape, row) for row in _rows(shape, envelope)]


def _rows(shape: Shape, envelope: Json) -> list[Json]:
    data = envelope.get("data")
    return shape.tables(data.get("detail") if isinstance(data, dict) else data, "data.detail")


def _group(shape: Shape, row: Json) -> Group:
    path = "data.detail[]"
    name = shape.text_or_none(row, "sgName", path)
    return Group(
        group_id=shape.text(row, "sgId", path),
        name=name,
        description=shape.shown(row, "sgRemark"),
        project=shape.shown(row, "projectId"),
        kind="",
        is_default=_is_default(shape, row, name),
        tags=None,  # API 2.0 tells no tags; the group may have some all the same
    )


def _is_default(shape: Shape, row: Json, name: str | None) -> bool:
    if row.get("isDefault") is None:
        return name == "default"
    if isinstance(row["isDefault"], bool):
        return row["isDefault"]
    value = integer_of(shape, row, "isDefault")
    if value not in (0, 1):
        raise shape.wrong("data.detail[].isDefault: expected true or false")
    return bool(value)


def _referrers(shape: Shape, row: Json) -> int | None:
    """Read ``beAssociateCount``, which is a number or a text, depending on the server."""
    if row.get("beAssociateCount") is None:
        return None
    count = integer_of(shape, row, "beAssociateCount")
    if count < 0:
        raise shape.wrong("data.detail[].beAssociateCount: below zero")
    return count


def rules(api: DfwApi, group_id: str) -> tuple[Rule, ...]:
    """Return the group's rules, ingress first (DescribeSecurityGroupPolicy).

    Raises:
        NotFoundError: the group does not exist.
    """
    action = "DescribeSecurityGroupPolicy"
    return policies(api.shape(action), api.read(action, sgId=group_id))


def policies(shape: Shape, envelope: Json) -> tuple[Rule, ...]:
    """Read ``data.ingress`` and ``data.egress``; one of the two may be missing, as in a sample.

    An absent field of a rule means that it matches everything.
    """
    data = envelope.get("data")
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
    index = number if row.get("index") is None else integer_of(shape, row, "index")
    addresses = shape.shown(row, ADDRESSES)
    return Rule(
        rule_id=f"{direction}[{index}]",
        direction=direction,
        protocol="service-template" if service else _any(shape, row, "ipProtocol", path),
        ports=service or _any(shape, row, "portRange", path),
        peer_group=shape.text_or_empty(row, "sgId", path),
        peer=shape.shown(row, "cidrIp") or addresses,
        action=action,
        description=shape.shown(row, "desc"),
        native=((ADDRESSES, addresses),) if addresses else (),
    )


def _any(shape: Shape, row: Json, key: str, path: str) -> str:
    text = shape.text_or_empty(row, key, path).lower()
    return "any" if text in {"", "all"} else text


def _is_group_id(value: object) -> bool:
    return isinstance(value, str) and _GROUP_ID.fullmatch(value) is not None
