"""Neutron v2.0 of an emulated cloud: groups, rules, ports, sharing and quotas.

The same for every face, which passes the request, the caller, the region and the path below
``/v2.0``. Changes have modules of their own: ``group``, ``rule``, ``port``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import httpx

from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces._openstack.neutron import group, port, quota, rule
from sgguard.emulator.faces._openstack.neutron.list import (
    BadRequestError,
    Row,
    effective_filters,
    listing,
)
from sgguard.emulator.faces._openstack.neutron.response import (
    RefusedError,
    error,
    not_implemented,
)
from sgguard.emulator.faces._openstack.neutron.rows import (
    group_row,
    policy_rows,
    port_row,
    rule_row,
    visible_groups,
    visible_ports,
    visible_rules,
)
from sgguard.emulator.faces.base import word_hint
from sgguard.emulator.state import Cloud

__all__ = ["error", "respond"]

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


_CHANGES: Mapping[tuple[str, str, int], Callable[..., httpx.Response]] = {
    ("POST", "security-groups", 1): group.create,
    ("PUT", "security-groups", 2): group.update,
    ("DELETE", "security-groups", 2): group.delete,
    ("POST", "security-group-rules", 1): rule.create,
    ("DELETE", "security-group-rules", 2): rule.delete,
    ("PUT", "ports", 2): port.update,
}
"""The changes by method, collection, and number of parts of the path (2: an id follows)."""


def respond(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, path: str
) -> httpx.Response:
    """Respond to one call; ``path`` is what follows ``/v2.0/``, like ``security-groups/{id}``."""
    parts = path.removesuffix(".json").strip("/").split("/")
    response = _respond(request, cloud, caller, region, parts)
    if response.status_code == httpx.codes.NOT_FOUND and parts[1:]:
        return _with_hint(response, word_hint(parts[1]))
    return response


def _respond(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, parts: list[str]
) -> httpx.Response:
    try:
        if parts[0] == "quotas":
            return quota.respond(request, cloud, caller, parts[1:])
        if parts[0] == "security-groups" and parts[2:] == ["tags"]:
            return group.tags(request, cloud, caller, region, parts[1])
        if parts[0] in _FILTERS and len(parts) <= 2:  # noqa: PLR2004 - collection and id
            return _resource(request, cloud, caller, region, parts)
    except BadRequestError as failure:
        return error(400, "HTTPBadRequest", str(failure))
    except RefusedError as failure:
        return failure.response
    return not_implemented(request)


def _with_hint(response: httpx.Response, hint: str) -> httpx.Response:
    told = response.json()["NeutronError"]
    return error(response.status_code, told["type"], told["message"] + hint)


def _resource(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, parts: list[str]
) -> httpx.Response:
    """Respond to a call to a collection (one part) or to one resource in it (two)."""
    if request.method != "GET":
        return _change(request, cloud, caller, region, parts)
    name = parts[0]
    collection = name.replace("-", "_")
    params = request.url.params
    wanted = {key: set(params.get_list(key)) for key in effective_filters(params, cloud)}
    if parts[1:]:
        wanted = {"id": {parts[1]}}
    rows = _rows(cloud, caller, region, name, wanted)
    if parts[1:]:
        return _show(rows, collection, parts[1])
    return listing(request, cloud, collection, rows, _FILTERS[name])


def _change(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, parts: list[str]
) -> httpx.Response:
    """Respond to a call that creates, changes or deletes a resource."""
    change = _CHANGES.get((request.method, parts[0], len(parts)))
    if change is not None:
        return change(request, cloud, caller, region, *parts[1:])
    return not_implemented(request)


def _rows(
    cloud: Cloud, caller: Caller, region: str, name: str, wanted: Mapping[str, set[str]]
) -> list[Row]:
    """Return the rows of a collection that can match the filters ``wanted``.

    This only saves time in a large cloud: :func:`listing` applies the filters.
    """
    ids, peers = wanted.get("id"), wanted.get("remote_group_id")
    if name == "security-groups":
        groups = visible_groups(cloud, caller, region)
        return [group_row(one, caller) for one in groups if ids is None or one.id in ids]
    if name == "security-group-rules":
        return [
            rule_row(owner, one)
            for owner, one in visible_rules(cloud, caller, region)
            if (ids is None or one.id in ids) and (peers is None or one.peer_group in peers)
        ]
    if name == "ports":
        return [port_row(cloud, one) for one in visible_ports(cloud, caller, region)]
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
