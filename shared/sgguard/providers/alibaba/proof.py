"""Proof that an empty list of Alibaba Cloud ECS could have shown something.

Without the permission for it, a list used to be answered with 200 and no entries. Since 2025-12-20
that is 403 for DescribeInstances and DescribeDisks; of other calls, and of private clouds, the
announcement says nothing. A policy by tag or resource group shows a user only a part of a list. So
an empty list proves nothing by itself:

- *Instances, groups*: any row of the same call without a filter; else ``DryRun``, which checks the
  permission and nothing else. That one group is gone is confirmed by the call that describes it.
- *Interfaces*: any row of the same call without a filter; else the refusal of a group that cannot
  exist, which only a permitted caller gets.
- *References, rules*: that refusal.
- *Holders of a group*: the group's own count of private addresses must agree. It is deprecated and
  may lag, so it only ever refutes: a count that stays above 0 beside two empty lists.

Source: "Announcement of changes to the authentication mechanism for ECS query API operations"
(2025-09), DescribeInstances, DescribeSecurityGroups (``DryRun``, ``EcsCount``),
DescribeNetworkInterfaces and DescribeSecurityGroupReferences (error codes), read 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec

from sgguard.errors import (
    ApiAbsentError,
    CloudError,
    ForbiddenError,
    NotFoundError,
    UnknownShapeError,
)
from sgguard.model.failure import failure_of
from sgguard.model.sentence import Sentence, Text, as_told, said
from sgguard.providers.alibaba.api import EcsClient
from sgguard.providers.alibaba.codes import DRY_RUN, NO_SUCH_GROUP
from sgguard.providers.alibaba.listing import (
    GROUPS,
    INSTANCES,
    INTERFACES,
    RULES,
    Listing,
    read_all,
)
from sgguard.providers.alibaba.response import PROVIDER, group_of, number
from sgguard.wire.parallel import chunks, parallel

ABSENT_ID = "sg-00000000000000000000"
"""A group that cannot exist."""

REFERENCES = "DescribeSecurityGroupReferences"

_SMALLEST = {"MaxResults": "10"}
_GROUPS_A_CALL = 100


def grant(action: str) -> Sentence:
    """Return what an operator has to grant for an action."""
    return said("remedy.grant-ram", action=action)


def doubt_of_instances(ecs: EcsClient) -> Text:
    """Return why an empty list of instances proves nothing, empty where it does.

    Raises:
        CloudError: the call failed.
    """
    return _doubt_by_dry_run(ecs, INSTANCES)


def doubt_of_groups(ecs: EcsClient) -> Text:
    """Return why an empty list of groups proves nothing, empty where it does.

    Raises:
        CloudError: the call failed.
    """
    return _doubt_by_dry_run(ecs, GROUPS)


def doubt_of_interfaces(ecs: EcsClient) -> Text:
    """Return why an empty list of interfaces proves nothing, empty where it does.

    Raises:
        CloudError: a call failed.
    """
    try:
        if _has_rows(ecs, INTERFACES, {}):
            return ""
    except ForbiddenError as error:
        return failure_of(error)
    return _doubt_by_absent_group(ecs, INTERFACES.action, {"SecurityGroupId": ABSENT_ID})


def doubt_of_references(ecs: EcsClient) -> Text:
    """Return why an answer without any reference proves nothing, empty where it does.

    Raises:
        CloudError: the call failed.
    """
    return _doubt_by_absent_group(ecs, REFERENCES, {"SecurityGroupId.1": ABSENT_ID})


def doubt_of_rules(ecs: EcsClient) -> Text:
    """Return why a group without rules proves nothing, empty where it does.

    Raises:
        CloudError: the call failed.
    """
    return _doubt_by_absent_group(ecs, RULES.action, {"SecurityGroupId": ABSENT_ID, **_SMALLEST})


class Tally(msgspec.Struct, frozen=True):
    """What the list of groups tells of one: its kind, and its own count of private addresses.

    Each is None where the server does not tell it.
    """

    kind: str | None = None
    addresses: int | None = None


def read_tallies(ecs: EcsClient, group_ids: Sequence[str]) -> dict[str, Tally]:
    """Return the tally of each group; those that are not told or not permitted are left out.

    A tally refutes lists, and never proves one.

    Raises:
        CloudError: a call failed.
    """
    asked = chunks(group_ids, _GROUPS_A_CALL)
    parts = parallel([partial(_tallies, ecs, some) for some in asked])
    return {group_id: tally for part in parts for group_id, tally in part.items()}


def settled_tallies(ecs: EcsClient, tallies: Mapping[str, Tally]) -> dict[str, Tally]:
    """Return the tallies of groups without a listed holder, read again while they count addresses.

    The count may lag behind a holder that has just left, so it gets as many chances as a failed
    read, with the same pauses.

    Raises:
        CloudError: a call failed.
    """
    settled, retry = dict(tallies), ecs.wire.retry
    for attempt in range(1, retry.attempts):
        counted = [one for one, tally in settled.items() if tally.addresses]
        pause_s = min(retry.max_s, retry.base_s * 2.0 ** (attempt - 1))
        if not counted or pause_s >= ecs.wire.deadline.remaining_s():
            break
        retry.sleep(pause_s)
        settled |= read_tallies(ecs, counted)
    return settled


def unpermitted(action: str, doubt: Text) -> ForbiddenError:
    """Return the error for a read whose empty answer proves nothing."""
    return ForbiddenError(
        PROVIDER, action, words=f"nothing was listed, which proves nothing: {as_told(doubt)}"
    )


def _doubt_by_dry_run(ecs: EcsClient, listing: Listing) -> Text:
    try:
        # A server that knows no dry run responds with the list, which is empty again.
        if _has_rows(ecs, listing, {}) or _has_rows(ecs, listing, {"DryRun": "true"}):
            return ""
    except ForbiddenError as error:
        return failure_of(error)
    except CloudError as error:
        if error.code == DRY_RUN:
            return ""
        raise
    text = f"{listing.action} shows nothing at all, and does not confirm the permission"
    return said("doubt.unconfirmed", text=text, action=listing.action)


def _doubt_by_absent_group(ecs: EcsClient, action: str, params: Mapping[str, str]) -> Text:
    try:
        ecs.read(action, params)
    except NotFoundError as error:
        if error.code == NO_SUCH_GROUP:
            return ""
        raise
    except ForbiddenError as error:
        return failure_of(error)
    text = f"{action} shows nothing at all, and does not refuse a group that cannot exist"
    return said("doubt.unrefused", text=text, action=action)


def _has_rows(ecs: EcsClient, listing: Listing, params: Mapping[str, str]) -> bool:
    """Return whether the smallest page of a list, without a filter, has a row."""
    return bool(ecs.read(listing.action, {**_SMALLEST, **params}).items(*listing.where))


def _tallies(ecs: EcsClient, group_ids: Sequence[str]) -> dict[str, Tally]:
    params = {"SecurityGroupIds": json.dumps(list(group_ids)), "IsQueryEcsCount": "true"}
    try:
        listed = read_all(ecs, GROUPS, params)
        groups = [(group_of(listed.response, row), row) for row in listed.rows]
    except (ForbiddenError, ApiAbsentError, NotFoundError, UnknownShapeError):
        return {}
    return {group.group_id: Tally(group.kind, number(row.get("EcsCount"))) for group, row in groups}
