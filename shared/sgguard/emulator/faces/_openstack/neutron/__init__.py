"""Neutron v2.0 of an emulated cloud: groups, rules, ports, sharing and quotas.

The same for every face, which passes the request, the caller, the region and the path below
``/v2.0``. Changes have modules of their own: ``group``, ``rule``, ``port``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

import httpx

from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces._openstack.neutron import group, plugin, port, quota, rule, sharing
from sgguard.emulator.faces._openstack.neutron.list import Row, effective_filters, listing
from sgguard.emulator.faces._openstack.neutron.response import (
    RefusedError,
    error,
    not_implemented,
    not_shown,
)
from sgguard.emulator.faces._openstack.neutron.rows import (
    deferred_rule,
    group_row,
    is_visible_rule,
    listed_rules,
    policy_rows,
    port_row,
    visible_groups,
    visible_ports,
)
from sgguard.emulator.faces._rows import whole
from sgguard.emulator.faces.base import word_hint
from sgguard.emulator.state import Cloud

__all__ = ["error", "respond", "unloaded"]

_TAGS = frozenset({"tags", "tags-any", "not-tags", "not-tags-any"})
_OWNERSHIP = frozenset({"id", "name", "tenant_id", "project_id", "description", "revision_number"})
_FILTERS = {
    "security-groups": _OWNERSHIP | {"shared", "stateful"} | _TAGS,
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
        "belongs_to_default_sg",
        "normalized_cidr",
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
        "binding:host_id",
    }
    | _TAGS,
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
    ("POST", "rbac-policies", 1): sharing.create,
    ("DELETE", "rbac-policies", 2): sharing.delete,
}
"""The changes by method, collection, and number of parts of the path (2: an id follows)."""


def respond(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, path: str
) -> httpx.Response:
    """Respond to one call; ``path`` is what follows ``/v2.0/``, like ``security-groups/{id}``."""
    parts = path.removesuffix(".json").strip("/").split("/")
    response = _respond(request, cloud, caller, region, parts)
    is_hinted = parts[1:] and parts[0] != "extensions"
    if response.status_code == httpx.codes.NOT_FOUND and is_hinted:
        return _with_hint(response, word_hint(parts[1]))
    return response


def _respond(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, parts: list[str]
) -> httpx.Response:
    try:
        if _is_unloaded(cloud):
            return unloaded(request, parts)
        if parts[0] == "quotas":
            return quota.respond(request, cloud, caller, region, parts[1:])
        if parts[0] == "security-groups" and parts[2:] == ["tags"]:
            return group.tags(request, cloud, caller, region, parts[1])
        if parts[0] in (*_FILTERS, "extensions") and len(parts) <= 2:  # noqa: PLR2004 - collection and id
            return _resource(request, cloud, caller, region, parts)
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
    if name == "extensions":
        return plugin.extensions(cloud, parts[1:])
    collection = name.replace("-", "_")
    params = request.url.params
    wanted = {key: set(params.get_list(key)) for key in effective_filters(params, cloud)}
    if parts[1:]:
        wanted = {"id": {parts[1]}}
    rows = partial(_rows, cloud, caller, region, name, wanted)
    if parts[1:]:
        return _show(rows(), collection, parts[1], lambda row: _is_hidden(cloud, caller, name, row))
    return listing(
        request,
        cloud,
        collection,
        rows,
        of=(caller.project, caller.sees_all, region),
        known=_FILTERS[name],
        is_hidden=lambda row: _is_hidden(cloud, caller, name, row),
    )


def _is_hidden(cloud: Cloud, caller: Caller, name: str, row: Row) -> bool:
    """Return whether the policy engine drops a row that the query found."""
    if name != "security-group-rules":
        return False
    group = cloud.group(row["security_group_id"])
    return group is not None and not is_visible_rule(caller, group)


def _is_unloaded(cloud: Cloud) -> bool:
    """Return whether the policy engine is not loaded yet; ``policy_unloaded`` is for how long."""
    left = cloud.quirks.get("policy_unloaded", 0)
    if left:
        cloud.quirks["policy_unloaded"] = left - 1
    return bool(left)


def unloaded(request: httpx.Request, parts: list[str]) -> httpx.Response:
    """Respond as the policy engine does where nothing is permitted: it hides, it does not refuse.

    ``parts`` are those of the path: a collection, and an id if one follows.
    """
    if request.method == "GET" and parts[0] in _FILTERS and not parts[1:]:
        return httpx.Response(200, json={parts[0].replace("-", "_"): []})
    return not_shown()


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
            deferred_rule(owner, one)
            for owner, one in listed_rules(cloud, caller, region, is_filtered=bool(wanted))
            if (ids is None or one.id in ids) and (peers is None or one.peer_group in peers)
        ]
    if name == "ports":
        carried = wanted.get("security_groups")
        return [
            port_row(cloud, one)
            for one in visible_ports(cloud, caller, region)
            if (ids is None or one.id in ids)
            and (carried is None or not carried.isdisjoint(one.groups))
        ]
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


def _show(
    rows: list[Row], collection: str, wanted: str, is_hidden: Callable[[Row], bool]
) -> httpx.Response:
    name, kind, text = _SINGULAR[collection]
    row = next((row for row in rows if row["id"] == wanted), None)
    if row is None:
        return error(404, kind, text.format(wanted))
    if is_hidden(row):
        return not_shown()
    return httpx.Response(200, json={name: whole(row)})
