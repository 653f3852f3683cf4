"""Creating a group like another one, without rules, and defining what that takes.

Neutron gives every new group rules of its own (two for all outgoing traffic, or those of the
operator's ``default-security-group-rules``). They are deleted before the group can be used. If that
fails, the group is deleted: an unfinished group must not remain.

The visible sharing policies of a group are part of its definition, and made again for the new one.
Only an administrator may share with every project, and a policy of an administrator's own project
is not visible to the owner: such a policy is left out of the definition. One that the token may
not make after all is missing from the definition of the new group.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from msgspec.structs import replace

from sgguard.errors import CloudError, ConflictError, DeadlineError, ForbiddenError, NotFoundError
from sgguard.model.resource import Group
from sgguard.providers._shared import roll_back_creation, with_rules
from sgguard.providers.base import Provider
from sgguard.providers.openstack.api import OpenStackApi, checked
from sgguard.providers.openstack.rule_change import read_rules
from sgguard.providers.openstack.sharing import targets
from sgguard.wire.openstack import neutron
from sgguard.wire.openstack.neutron import STATELESS
from sgguard.wire.openstack.neutron.codes import may_be_reached
from sgguard.wire.openstack.neutron.rule import RuleRow, parse_rule

_CREATE = "POST /v2.0/security-groups"
_DELETE = "DELETE /v2.0/security-groups/{id}"
_DELETE_RULE = "DELETE /v2.0/security-group-rules/{id}"
_SHARE = "POST /v2.0/rbac-policies"
_TAG = "PUT /v2.0/security-groups/{id}/tags"


SHARED_WITH = "shared with"
"""The native part of a group that is shared with every project; the value is ``*``."""

SHARED_WITH_PROJECT = "shared with project"
"""The native part of a group for each project that it is shared with; the value is its id."""

_EVERY_PROJECT = "*"
_SHARING = frozenset({SHARED_WITH, SHARED_WITH_PROJECT})


def define_group(provider: Provider, api: OpenStackApi, group: Group) -> Group:
    """Return the group with its rules, and whom visible policies share it with.

    That it is shared with every project is left out where this token could not do that again.

    Raises:
        UnknownShapeError: not all rules were seen.
        NotFoundError: there is no such group (any more).
        CloudError, DeadlineError: something could not be read.
    """
    defined = with_rules(provider, group)
    shared: tuple[str, ...] = ()
    with suppress(ForbiddenError):  # who may not read the policies makes none again either
        shared = targets(api, [group.group_id]).get(group.group_id, ())
    kept = tuple(part for part in group.native if part[0] not in _SHARING)
    sharing = tuple(
        (SHARED_WITH if target == _EVERY_PROJECT else SHARED_WITH_PROJECT, target)
        for target in sorted(shared)
        if target != _EVERY_PROJECT or api.may_change_all
    )
    return replace(defined, native=(*kept, *sharing))


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
            with suppress(NotFoundError):  # gone already is as good
                api.send("DELETE", url, _DELETE_RULE)
        if group.tags:
            _tag(api, group_id, neutron.tag_texts(group))
        for name, target in group.native:
            if name in _SHARING:
                _share(api, group_id, target, group.project)
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


def _tag(api: OpenStackApi, group_id: str, texts: Sequence[str]) -> None:
    url = api.network(f"security-groups/{group_id}/tags")
    api.send("PUT", url, _TAG, {"tags": list(texts)})


def _share(api: OpenStackApi, group_id: str, target: str, project: str) -> None:
    """Share the group with a project, where the token may."""
    body = {
        "object_type": "security_group",
        "object_id": group_id,
        "action": "access_as_shared",
        "target_tenant": target,
    }
    if project not in ("", api.token().project_id):
        body["project_id"] = project  # else its owner would not see the policy
    try:
        api.send("POST", api.network("rbac-policies"), _SHARE, {"rbac_policy": body})
    except ForbiddenError:
        return
    except ConflictError as error:
        if not may_be_reached("share-group", error.code):
            raise
