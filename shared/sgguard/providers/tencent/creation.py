"""Creating a group like another one, without rules."""

from __future__ import annotations

from sgguard.model.resource import Group
from sgguard.providers.tencent.api import TencentApi
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
