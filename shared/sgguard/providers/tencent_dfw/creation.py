"""Creating a group like another one, without rules, and deleting one, in Tencent's API 2.0."""

from __future__ import annotations

from sgguard.errors import CloudError, NotFoundError
from sgguard.model.resource import Group
from sgguard.providers._tencent import is_reached
from sgguard.providers.tencent_dfw import response
from sgguard.providers.tencent_dfw.api import DfwApi
from sgguard.providers.tencent_dfw.codes import may_be_reached


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


def delete_group(api: DfwApi, group_id: str, *, is_forced: bool) -> None:
    """Delete the group.

    Raises:
        NotFoundError: there is no such group (any more), whatever code says so.
    """
    action = "DeleteSecurityGroup"
    try:
        api.write(action, sgId=group_id, forced=int(is_forced))
    except NotFoundError:
        raise
    except CloudError as error:
        is_gone = may_be_reached(error) and is_reached(
            lambda: response.group(api, group_id) is None
        )
        if not is_gone:
            raise
        raise NotFoundError(
            api.wire.provider, action, code=error.code, detail=error.detail
        ) from error
