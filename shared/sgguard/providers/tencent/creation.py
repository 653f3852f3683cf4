"""Creating a group like another one, without rules, and deleting a group."""

from __future__ import annotations

from functools import partial

from sgguard.errors import CloudError, NotFoundError
from sgguard.model.resource import Group
from sgguard.providers._tencent import is_reached
from sgguard.providers.tencent import group_reads
from sgguard.providers.tencent.api import TencentApi
from sgguard.providers.tencent.codes import may_be_reached
from sgguard.providers.tencent.rule_change import remove_all


def create_group(api: TencentApi, group: Group) -> str:
    """Create the group and return its id.

    A new group has no rules and denies everything according to the page; any rules it has are
    removed (https://cloud.tencent.com/document/api/215/15806, read 2026-11-22).

    Raises:
        LimitError: the project has as many groups as it may have.
        UnknownShapeError: the response does not say which group was created.
    """
    action = "CreateSecurityGroup"
    params: dict[str, object] = {
        "GroupName": group.name or group.group_id,
        # Required, but may be empty.
        "GroupDescription": group.description,
    }
    if group.project:
        params["ProjectId"] = group.project
    if group.tags:
        params["Tags"] = [{"Key": key, "Value": value} for key, value in group.tags]
    body = api.write("vpc", action, params)
    shape = api.shape(action)
    created = shape.table(body.get("SecurityGroup"), "SecurityGroup")
    group_id = shape.text(created, "SecurityGroupId", "SecurityGroup")
    remove_all(api, group_id)
    return group_id


def delete_group(api: TencentApi, group_id: str) -> None:
    """Delete the group.

    Raises:
        NotFoundError: there is no such group (any more), whatever code says so.
    """
    action = "DeleteSecurityGroup"
    try:
        api.write("vpc", action, {"SecurityGroupId": group_id})
    except NotFoundError:
        raise
    except CloudError as error:
        if not (may_be_reached(error) and is_reached(partial(_is_gone, api, group_id))):
            raise
        raise NotFoundError(
            api.wire.provider, action, code=error.code, detail=error.detail
        ) from error


def _is_gone(api: TencentApi, group_id: str) -> bool:
    seen = group_reads.groups(api, [group_id]).value
    return group_id in seen and seen[group_id] is None
