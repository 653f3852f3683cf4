"""Signs that a group reaches beyond the project a token is confined to.

A project's token sees neither rules nor ports of other projects, although a shared group may be
named or carried there. The signs its owner can see: a policy of its own (``rbac-policies``), and
``shared`` on the group, which is true only when it is shared with everybody. A group an
administrator shared with one project shows no sign at all: only an administrator's token sees all.
"""

from __future__ import annotations

from collections.abc import Sequence

from sgguard.errors import UnknownShapeError
from sgguard.model import Unseen
from sgguard.providers.openstack.api import OpenStackApi
from sgguard.wire.openstack import neutron

_NO_SUCH_API = "HTTPNotFound"


def policy_signs(api: OpenStackApi, group_ids: Sequence[str]) -> frozenset[str]:
    """Return those of the groups that a visible sharing policy is about."""
    action = "GET /v2.0/rbac-policies"
    shape = api.shape(action)
    try:
        rows = api.rows_by(
            "rbac-policies", "object_id", group_ids, [("object_type", "security_group")]
        )
    except UnknownShapeError as error:
        if error.code == _NO_SUCH_API:
            return frozenset()  # Neutron itself says it has no policies: nothing can be shared
        raise
    named = {shape.text(row, "object_id", "rbac_policies") for row in rows}
    return frozenset(named & set(group_ids))


def group_signs(api: OpenStackApi, group_ids: Sequence[str]) -> frozenset[str]:
    """Return those of the groups that say they are shared, or belong to another project."""
    shape = api.shape("GET /v2.0/security-groups")
    groups = [
        neutron.parse_group(row, shape) for row in api.rows_by("security-groups", "id", group_ids)
    ]
    home = api.token().project_id
    return frozenset(
        group.group_id
        for group in groups
        if group.group_id in group_ids and (group.is_shared or group.project not in ("", home))
    )


def unseen_beyond(group_id: str) -> Unseen:
    """Return what a project's token cannot know about a shared group."""
    return Unseen(
        code="other-project",
        what="references and bindings in other projects",
        why="the group is shared between projects, and these credentials see only one",
        remedy="give sgguard credentials with the role admin, or stop sharing the group",
        group_id=group_id,
    )
