"""Neutron v2.0 of an emulated cloud: groups, rules, ports, sharing and quotas.

Face-independent: a face hands over the request, who asks, the region and the path below
``/v2.0``. What is behind it: deleting a group that is only referenced answers 204 and takes the
referring rules of other groups along, in every project, without a word.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import httpx

from sgguard.emulator.openstack.keystone import Caller
from sgguard.emulator.openstack.neutron_list import BadRequestError, Row, effective_filters, listing
from sgguard.emulator.openstack.neutron_rows import (
    group_row,
    policy_rows,
    port_row,
    rule_row,
    visible_groups,
    visible_ports,
    visible_rules,
)
from sgguard.emulator.state import Cloud, Group, StateError

DEFAULT_QUOTAS = {"security_group": 10, "security_group_rule": 100, "port": 500}
_LIMIT_NAMES = {"security_group": "groups-per-project", "security_group_rule": "rules-per-project"}
_REVISION = re.compile(r"revision_number=(\d+)")

_OWNERSHIP = frozenset({"id", "name", "tenant_id", "project_id", "description", "revision_number"})
_FILTERS = {
    "security-groups": _OWNERSHIP | {"shared", "stateful", "tags"},
    "security-group-rules": _OWNERSHIP - {"name"}
    | {
        "security_group_id",
        "remote_group_id",
        "remote_address_group_id",
        "remote_ip_prefix",
        "direction",
        "protocol",
        "ethertype",
        "port_range_min",
        "port_range_max",
    },
    "ports": _OWNERSHIP
    | {
        "network_id",
        "device_id",
        "device_owner",
        "security_groups",
        "status",
        "mac_address",
        "admin_state_up",
        "fixed_ips",
    },
    "rbac-policies": frozenset(
        {"id", "object_type", "object_id", "action", "target_tenant", "project_id", "tenant_id"}
    ),
}


def answer(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, path: str
) -> httpx.Response:
    """Answer one call; ``path`` is what follows ``/v2.0/``, such as ``security-groups/{id}``."""
    parts = path.removesuffix(".json").strip("/").split("/")
    try:
        if parts[0] == "quotas":
            return _quotas(request, cloud, caller, parts[1:])
        if parts[0] in _FILTERS and len(parts) <= 2:  # noqa: PLR2004 - collection and id
            return _resource(request, cloud, caller, region, parts)
    except BadRequestError as bad:
        return error(400, "HTTPBadRequest", str(bad))
    return error(404, "HTTPNotFound", "The resource could not be found.")


def _resource(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, parts: list[str]
) -> httpx.Response:
    """Answer a call to a collection (one part) or to one thing in it (two)."""
    name = parts[0]
    collection = name.replace("-", "_")
    if request.method == "GET":
        params = request.url.params
        wanted = {key: set(params.get_list(key)) for key in effective_filters(params, cloud)}
        if parts[1:]:
            wanted = {"id": {parts[1]}}
        rows = _rows(cloud, caller, region, name, wanted)
        if parts[1:]:
            return _show(rows, collection, parts[1])
        return listing(request, cloud, collection, rows, _FILTERS[name])
    if request.method == "DELETE" and name == "security-groups" and parts[1:]:
        return _delete_group(request, cloud, caller, region, parts[1])
    return error(405, "HTTPMethodNotAllowed", "The method is not allowed for this resource.")


def error(status: int, kind: str, message: str) -> httpx.Response:
    """Return an error in Neutron's shape."""
    return httpx.Response(
        status, json={"NeutronError": {"type": kind, "message": message, "detail": ""}}
    )


def forbidden(action: str) -> httpx.Response:
    """Return the answer to a caller whose role does not allow an action."""
    return error(403, "PolicyNotAuthorized", f"rule:{action} is disallowed by policy")


def _rows(
    cloud: Cloud, caller: Caller, region: str, name: str, wanted: Mapping[str, set[str]]
) -> list[Row]:
    """Write the rows of a collection that can be wanted: not a large cloud's hundred thousands.

    What is left out here a filter in effect would leave out anyway.
    """
    ids, peers = wanted.get("id"), wanted.get("remote_group_id")
    if name == "security-groups":
        groups = visible_groups(cloud, caller, region)
        return [group_row(group, caller) for group in groups if ids is None or group.id in ids]
    if name == "security-group-rules":
        return [
            rule_row(group, rule)
            for group, rule in visible_rules(cloud, caller, region)
            if (ids is None or rule.id in ids) and (peers is None or rule.peer_group in peers)
        ]
    if name == "ports":
        return [port_row(cloud, port) for port in visible_ports(cloud, caller, region)]
    return policy_rows(cloud, caller, region)


_SINGULAR = {
    "security_groups": (
        "security_group",
        "SecurityGroupNotFound",
        "Security group {} does not exist",
    ),
    "security_group_rules": (
        "security_group_rule",
        "SecurityGroupRuleNotFound",
        "Security group rule {} does not exist",
    ),
    "ports": ("port", "PortNotFound", "Port {} could not be found."),
    "rbac_policies": (
        "rbac_policy",
        "RbacPolicyNotFound",
        "RBAC policy of type security_group with ID {} not found",
    ),
}


def _show(rows: list[Row], collection: str, wanted: str) -> httpx.Response:
    name, kind, text = _SINGULAR[collection]
    row = next((row for row in rows if row["id"] == wanted), None)
    if row is None:
        return error(404, kind, text.format(wanted))
    return httpx.Response(200, json={name: row})


def _delete_group(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, group_id: str
) -> httpx.Response:
    group = next((g for g in visible_groups(cloud, caller, region) if g.id == group_id), None)
    if group is None:
        return error(404, "SecurityGroupNotFound", f"Security group {group_id} does not exist")
    if not caller.may_write or not (caller.is_admin or group.project == caller.project):
        return forbidden("delete_security_group")
    # A value that does not parse is ignored, and the delete happens: the real Neutron does so.
    condition = _REVISION.fullmatch(request.headers.get("if-match", ""))
    if condition and int(condition[1]) != group.version:
        return error(
            412,
            "RevisionNumberConstraintFailed",
            f"Constrained to {condition[1]}, but current revision is {group.version}",
        )
    return _deleted(cloud, caller, group)


def _deleted(cloud: Cloud, caller: Caller, group: Group) -> httpx.Response:
    if caller.is_admin and group.default and not cloud.interfaces_with(group.id):
        group.default = False  # an administrator may delete a default group
    try:
        cloud.delete_group(group.id, is_cascading=True)
    except StateError as refused:
        if refused.kind == "in-use":
            return error(409, "SecurityGroupInUse", f"Security Group {group.id} in use.")
        if refused.kind == "default":
            return error(
                409,
                "SecurityGroupCannotRemoveDefault",
                "Insufficient rights for removing default security group.",
            )
        return forbidden("delete_security_group")
    return httpx.Response(204)


def _quotas(
    request: httpx.Request, cloud: Cloud, caller: Caller, parts: list[str]
) -> httpx.Response:
    if request.method != "GET" or not parts or parts[1:] not in ([], ["details"]):
        return error(404, "HTTPNotFound", "The resource could not be found.")
    project = parts[0]
    if project != caller.project and not caller.is_admin:
        return forbidden("get_quota")
    limits = {
        name: cloud.limits.get(_LIMIT_NAMES.get(name, ""), ceiling)
        for name, ceiling in DEFAULT_QUOTAS.items()
    }
    if not parts[1:]:
        return httpx.Response(200, json={"quota": limits})
    groups = [group for group in cloud.groups if group.project == project]
    used = {
        "security_group": len(groups),
        "security_group_rule": sum(len(group.rules) for group in groups),
        "port": sum(port.project == project for port in cloud.interfaces),
    }
    details = {
        name: {"limit": limit, "used": used[name], "reserved": 0} for name, limit in limits.items()
    }
    return httpx.Response(200, json={"quota": details})
