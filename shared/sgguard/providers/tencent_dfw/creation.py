"""Creating a group like another one, without rules, in Tencent's API 2.0."""

from __future__ import annotations

from sgguard.model.resource import Group
from sgguard.providers.tencent_dfw.api import DfwApi


def create_group(api: DfwApi, group: Group) -> str:
    """Create the group and return its id; the API knows no tags.

    Raises:
        ConflictError: the project has a group of this name.
        LimitError: the project has as many groups as it may have.
        UnknownShapeError: the response does not say which group was created.
    """
    action = "CreateSecurityGroup"
    envelope = api.write(
        action,
        sgName=group.name or group.group_id,
        sgRemark=group.description,
        projectId=group.project or None,
    )
    shape = api.shape(action)
    return shape.text(shape.table(envelope.get("data"), "data"), "sgId", "data")
