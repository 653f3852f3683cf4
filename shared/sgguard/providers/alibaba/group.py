"""Groups of the account in one region: looked up by id, and read with all their rules."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial

from msgspec.structs import replace

from sgguard.errors import ApiAbsentError, ForbiddenError, NotFoundError, UnknownShapeError
from sgguard.model.failure import failure_of
from sgguard.model.resource import Group, Seen
from sgguard.model.sentence import Text, said
from sgguard.providers._shared import unproved
from sgguard.providers.alibaba.api import EcsClient
from sgguard.providers.alibaba.codes import NO_SUCH_GROUP
from sgguard.providers.alibaba.listing import GROUPS, RULES, Listed, Row, read_all
from sgguard.providers.alibaba.proof import doubt_of_groups, grant, unpermitted
from sgguard.providers.alibaba.response import (
    ADVANCED,
    INNER_ACCESS,
    PROVIDER,
    group_of,
    inner_access,
)
from sgguard.providers.alibaba.rule_shape import rules_of
from sgguard.wire.parallel import chunks, parallel

_GROUPS_A_CALL = 100
_NIC_TYPES = ("internet", "intranet")


def read_groups(ecs: EcsClient, group_ids: Sequence[str]) -> Seen[dict[str, Group | None]]:
    """Return each group by id, a hundred ids a call; None: there is no such group.

    A list may lack a group because of a missing permission or a policy by tag. So that one is gone
    is asked once more, of the call that describes a single group.

    Raises:
        CloudError: a call was refused, got no response, or one of unknown shape.
    """
    listed = list_groups(ecs, group_ids)
    missing = [group_id for group_id, group in listed.items() if group is None]
    doubts = parallel([partial(_doubt_that_gone, ecs, one) for one in missing])
    hidden = {one: doubt for one, doubt in zip(missing, doubts, strict=True) if doubt}
    return Seen(
        {one: group for one, group in listed.items() if one not in hidden},
        tuple(
            gap
            for one, doubt in hidden.items()
            for gap in unproved(
                said("part.group", group=one),
                said("why.group-unlisted", doubt=doubt),
                grant(GROUPS.action),
                [one],
            )
        ),
    )


def list_groups(ecs: EcsClient, group_ids: Sequence[str]) -> dict[str, Group | None]:
    """Return each group by id, None for those that the list lacks.

    Raises:
        CloudError: a call was refused, got no response, or one of unknown shape.
    """
    asked = chunks(group_ids, _GROUPS_A_CALL)
    return _merged(parallel([partial(_by_id, ecs, some) for some in asked]))


def find_groups(ecs: EcsClient, name: str) -> tuple[str, ...]:
    """Return the ids of all groups of exactly this name.

    Raises:
        ForbiddenError: none is listed at all, and nothing proves that there is none.
        CloudError: a call was refused, got no response, or one of unknown shape.
    """
    listed = read_all(ecs, GROUPS, {})
    if not listed.rows and (doubt := doubt_of_groups(ecs)):
        raise unpermitted(GROUPS.action, doubt)
    groups = (group_of(listed.response, row) for row in listed.rows)
    return tuple(one.group_id for one in groups if one.name == name)


def _by_id(ecs: EcsClient, group_ids: Sequence[str]) -> dict[str, Group | None]:
    try:
        listed = read_all(ecs, GROUPS, {"SecurityGroupIds": json.dumps(list(group_ids))})
    except NotFoundError as error:
        if error.code != NO_SUCH_GROUP:
            raise
        if len(group_ids) == 1:
            return {group_ids[0]: None}
        return _merged(parallel([partial(_by_id, ecs, [one]) for one in group_ids]))
    groups = (group_of(listed.response, row) for row in listed.rows)
    found = {group.group_id: group for group in groups}
    return {group_id: found.get(group_id) for group_id in group_ids}


def _doubt_that_gone(ecs: EcsClient, group_id: str) -> Text:
    """Return why a group that is not listed may be there all the same, empty where it is gone."""
    params = {"SecurityGroupId": group_id, "MaxResults": "10"}
    try:
        response = ecs.read(RULES.action, params)
    except NotFoundError as error:
        if error.code == NO_SUCH_GROUP:
            return ""
        raise
    except (ForbiddenError, ApiAbsentError) as error:
        return failure_of(error)
    if response.fields.get("SecurityGroupId") == group_id:
        return said("doubt.described", action=RULES.action)
    return said("doubt.shows-nothing", action=RULES.action)


def _merged(parts: Sequence[Mapping[str, Group | None]]) -> dict[str, Group | None]:
    return {group_id: group for part in parts for group_id, group in part.items()}


def define_group(ecs: EcsClient, group: Group) -> Group:
    """Return the group with everything needed to create it again, by the calls that read its rules.

    Raises:
        UnknownShapeError: it is not reported whether members of a basic group reach each other;
            a wrong assumption would create a group that permits more than the original.
        NotFoundError: there is no such group among our own.
        CloudError: a call was refused, got no response, or one of unknown shape.
    """
    read = read_with_rules(ecs, group.group_id)
    if not read.native and group.kind != ADVANCED:
        raise UnknownShapeError(
            PROVIDER, RULES.action, detail=f"{INNER_ACCESS} of {group.group_id} is not reported"
        )
    return replace(group, rules=read.rules, native=read.native)


def read_with_rules(ecs: EcsClient, group_id: str) -> Group:
    """Return a group with all its rules, ingress first; its tags and kind are not part of it.

    ``native`` says whether its members reach each other without a rule. A group of the classic
    network has rules for each of its two networks, and one response has only those of one: both
    are read.

    Raises:
        NotFoundError: there is no such group among our own.
        CloudError: a call was refused, got no response, or one of unknown shape.
    """
    listed = _rules(ecs, group_id, {})
    fields = listed.response.fields
    network = fields.get("VpcId") or ""
    rows = listed.rows
    # The response describes the group beside its rules: the entry that must be in it.
    if fields.get("SecurityGroupId") != group_id:
        raise unpermitted(RULES.action, f"the response does not describe {group_id}")
    if not network:
        parts = parallel([partial(_rules, ecs, group_id, {"NicType": t}) for t in _NIC_TYPES])
        rows = _distinct([rows, *(part.rows for part in parts)])
    return Group(
        group_id,
        name=None if (name := fields.get("SecurityGroupName")) is None else str(name),
        network=str(network),
        rules=rules_of(listed.response, rows),
        native=inner_access(fields),
    )


def _rules(ecs: EcsClient, group_id: str, more: Mapping[str, str]) -> Listed:
    return read_all(ecs, RULES, {"SecurityGroupId": group_id, "Direction": "all", **more})


def _distinct(parts: Sequence[Sequence[Row]]) -> tuple[Row, ...]:
    """Return every rule once: a server that knows no networks returns all of them each time."""
    rows = [row for part in parts for row in part]
    return tuple({json.dumps(row, sort_keys=True): row for row in rows}.values())
