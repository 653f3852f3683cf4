"""Creating a group like another one, without rules."""

from __future__ import annotations

from sgguard.model.resource import Group
from sgguard.providers.tencent.api import TencentApi
from sgguard.providers.tencent.rule_change import remove_all


def create_group(api: TencentApi, group: Group) -> str:
    """Create the group and return its id.

    A new group has no rules and refuses everything, the page says; should it have some all the
    same, they are taken out (https://cloud.tencent.com/document/api/215/15806, read 2026-11-22).

    Raises:
        LimitError: the project has as many groups as it may.
        UnknownShapeError: the answer does not say which group was created.
    """
    action = "CreateSecurityGroup"
    params: dict[str, object] = {
        "GroupName": group.name or group.group_id,
        # Required, though it may say nothing.
        "GroupDescription": group.description,
    }
    if group.project:
        params["ProjectId"] = group.project
    if group.tags:
        params["Tags"] = [{"Key": key, "Value": value} for key, value in group.tags]
    answer = api.write("vpc", action, params)
    shape = api.shape(action)
    created = shape.table(answer.get("SecurityGroup"), "SecurityGroup")
    group_id = shape.text(created, "SecurityGroupId", "SecurityGroup")
    remove_all(api, group_id)
    return group_id
