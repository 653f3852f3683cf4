"""Creating a group like another one, without rules.

Neutron gives every new group rules of its own (two for all outgoing traffic, or those of the
operator's ``default-security-group-rules``). They are deleted before the group can be used. If that
fails, the group is deleted: an unfinished group must not remain.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from sgguard.errors import CloudError, DeadlineError
from sgguard.model.resource import Group
from sgguard.providers._shared import roll_back_creation
from sgguard.providers.openstack.api import OpenStackApi, checked
from sgguard.providers.openstack.rule_change import read_rules
from sgguard.wire.openstack.neutron import STATELESS
from sgguard.wire.openstack.neutron.rule import RuleRow, parse_rule

_CREATE = "POST /v2.0/security-groups"
_DELETE = "DELETE /v2.0/security-groups/{id}"
_DELETE_RULE = "DELETE /v2.0/security-group-rules/{id}"
_TAG = "PUT /v2.0/security-groups/{id}/tags"


def create_group(api: OpenStackApi, group: Group) -> str:
    """Create a group with this one's name, description, kind, project and tags; return its id.

    Raises:
        LimitError: the project's quota of groups is used up.
        ConflictError: it is a default group, and the project has one.
        UnavailableError: it was created, could not be finished, and could not be deleted again.
    """
    shape = api.shape(_CREATE)
    result = api.send(
        "POST", api.network("security-groups"), _CREATE, {"security_group": _body(api, group)}
    )
    row = shape.table(shape.table(result, "answer").get("security_group"), "security_group")
    group_id = checked(shape.text(row, "id", "security_group"))
    try:
        for rule in _rules(api, group_id, row.get("security_group_rules")):
            url = api.network(f"security-group-rules/{checked(rule.rule.rule_id)}")
            api.send("DELETE", url, _DELETE_RULE)
        if group.tags:
            _tag(api, group_id, group.tags)
    except (CloudError, DeadlineError) as error:
        delete = partial(api.send, "DELETE", api.network(f"security-groups/{group_id}"), _DELETE)
        roll_back_creation(delete, group_id, error, _CREATE, api.wire.provider)
        raise
    return group_id


def _body(api: OpenStackApi, group: Group) -> dict[str, Any]:
    body: dict[str, Any] = {"name": group.name or "", "description": group.description}
    if group.kind == STATELESS:
        body["stateful"] = False
    if group.project not in ("", api.token().project_id):
        body["project_id"] = group.project  # only an administrator may set it
    return body


def _rules(api: OpenStackApi, group_id: str, listed: object) -> Sequence[RuleRow]:
    """Return the rules of a new group, from the response to its creation or else read."""
    if listed is None:
        return read_rules(api, group_id)
    shape = api.shape(_CREATE)
    return [parse_rule(row, shape) for row in shape.tables(listed, "security_group_rules")]


def _tag(api: OpenStackApi, group_id: str, tags: Sequence[tuple[str, str]]) -> None:
    texts = [f"{name}={value}" if value else name for name, value in tags]
    api.send("PUT", api.network(f"security-groups/{group_id}/tags"), _TAG, {"tags": texts})
