"""Sharing policies (``rbac-policies``) of an emulated Neutron, for groups.

A policy that an administrator makes belongs to the administrator's project unless the body names
another one; then the owner of the group does not see it.
"""

from __future__ import annotations

import httpx

from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces._openstack.neutron.response import (
    RefusedError,
    body_of,
    forbidden,
    project_in,
    refused,
    text_in,
)
from sgguard.emulator.faces._openstack.neutron.rows import policy_rows, visible_groups
from sgguard.emulator.state import Cloud, Group

_ATTRIBUTES = frozenset(
    {"object_type", "object_id", "action", "target_tenant", "project_id", "tenant_id"}
)
_EVERY_PROJECT = "*"


def create(request: httpx.Request, cloud: Cloud, caller: Caller, region: str) -> httpx.Response:
    """Respond to ``POST rbac-policies``.

    Raises:
        RefusedError: 400, 403 or 409.
    """
    body = body_of(request, "rbac_policy", _ATTRIBUTES)
    object_id, target = text_in(body, "object_id"), text_in(body, "target_tenant")
    if not caller.may_write or (target == _EVERY_PROJECT and not caller.is_admin):
        raise RefusedError(forbidden("create_rbac_policy"))
    project = project_in(body, caller)
    group = next((g for g in visible_groups(cloud, caller, region) if g.id == object_id), None)
    if group is None or body.get("object_type") != "security_group":
        message = f"Invalid input for operation: {object_id} is no object that can be shared."
        raise refused(400, "InvalidInput", message)
    if group.project != caller.project and not caller.is_admin:
        message = "Only admins can manipulate policies on objects they do not own"
        raise refused(400, "InvalidInput", f"Invalid input for operation: {message}.")
    if target in group.shared_with:
        message = "An RBAC policy already exists with those values."
        raise refused(409, "DuplicateRbacPolicy", message)
    group.shared_with = [*group.shared_with, target]
    if project != group.project:
        hidden = cloud.quirks.get("shared_by_admin", [])
        cloud.quirks["shared_by_admin"] = [*hidden, group.id]
    return httpx.Response(201, json={"rbac_policy": _row(cloud, group, target, region)})


def delete(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, policy_id: str
) -> httpx.Response:
    """Respond to ``DELETE rbac-policies/{id}``; rules that name the group are not looked at.

    Raises:
        RefusedError: 403 or 404.
    """
    del request
    row = next((r for r in policy_rows(cloud, caller, region) if r["id"] == policy_id), None)
    group = cloud.group(row["object_id"]) if row else None
    if row is None or group is None:
        message = f"RBAC policy of type security_group with ID {policy_id} not found"
        raise refused(404, "RbacPolicyNotFound", message)
    if not caller.may_write:
        raise RefusedError(forbidden("delete_rbac_policy"))
    group.shared_with = [one for one in group.shared_with if one != row["target_tenant"]]
    return httpx.Response(204)


def _row(cloud: Cloud, group: Group, target: str, region: str) -> dict[str, str]:
    everyone = Caller(cloud.accounts[0], group.project, is_cloud_reader=True)
    return next(
        row
        for row in policy_rows(cloud, everyone, region)
        if (row["object_id"], row["target_tenant"]) == (group.id, target)
    )
