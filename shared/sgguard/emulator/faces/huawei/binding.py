"""Binding groups to ports and supplementary interfaces of an emulated VPC v3.

Groups are inserted into a port's list at an index and removed from it; a supplementary interface
gets a whole new list. An interface keeps at least one group. The error codes of these calls are not
documented: those of the same errors elsewhere in this API are used.
"""

from __future__ import annotations

import json
from collections.abc import Sequence

import httpx

from sgguard.emulator import edit
from sgguard.emulator.faces._openstack import neutron
from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces._openstack.neutron.rows import is_unprotected, visible_ports
from sgguard.emulator.faces.huawei.response import (
    RefusedError,
    body_of,
    group_ids,
    not_found,
    not_implemented,
    ok,
    refused,
)
from sgguard.emulator.faces.huawei.vpc import groups_of, port_row, sub_row, with_ports
from sgguard.emulator.state import Cloud, Interface

_OVER_QUOTA = "Quota exceeded for resources: ['security_group_port']"
_SUB_KEYS = frozenset({"security_groups", "description", "allowed_address_pairs"})


def set_groups(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, parts: Sequence[str]
) -> httpx.Response:
    """Respond to one change of an interface's groups.

    Raises:
        RefusedError: it is refused; nothing has changed.
    """
    match parts:
        case ["ports", port_id, "insert-security-groups"]:
            row = body_of(request, "port", frozenset({"security_groups", "index"}))
            port = _port(cloud, caller, region, port_id)
            ids = _inserted(port.groups, group_ids(row), row.get("index", len(port.groups)))
        case ["ports", port_id, "remove-security-groups"]:
            row = body_of(request, "port", frozenset({"security_groups"}))
            port = _port(cloud, caller, region, port_id)
            ids = _removed(port.groups, group_ids(row))
        case ["vpc", "sub-network-interfaces", sub_id]:
            port = _sub(cloud, caller, region, sub_id)
            ids = group_ids(body_of(request, "sub_network_interface", _SUB_KEYS))
            _bind(cloud, caller, region, port, ids)
            return ok(sub_network_interface=sub_row(cloud, port))
        case _:
            return not_implemented(request)
    _bind(cloud, caller, region, port, ids)
    return ok(port=port_row(cloud, port))


def v2_refusal(request: httpx.Request, cloud: Cloud, port_id: str) -> httpx.Response | None:
    """Return the error for what Neutron accepts and this cloud refuses: no group, or too many."""
    try:
        ids = json.loads(request.content)["port"]["security_groups"]
        count = len(ids)
    except (ValueError, KeyError, TypeError):
        return None
    if not count:
        text = "Invalid input for security_groups. Reason: it cannot be left blank."
        return neutron.error(400, "HTTPBadRequest", text)
    port = cloud.interface(port_id)
    added = [one for one in ids if port and one not in port.groups]
    if _is_over_quota(cloud, added, count):
        return neutron.error(409, "OverQuota", f"{_OVER_QUOTA}.")
    return None


def _port(cloud: Cloud, caller: Caller, region: str, port_id: str) -> Interface:
    ports = visible_ports(with_ports(cloud), caller, region)
    found = next((port for port in ports if port.id == port_id), None)
    if found is None:
        raise RefusedError(not_found("port", port_id))
    if is_unprotected(cloud, found):
        raise refused("VPC.9902", f"Port {port_id} has no port security.", 400)
    return found


def _sub(cloud: Cloud, caller: Caller, region: str, sub_id: str) -> Interface:
    ports = visible_ports(cloud, caller, region)
    found = next((p for p in ports if p.id == sub_id and p.kind == "supplementary"), None)
    if found is None:
        raise RefusedError(not_found("sub_network_interface", sub_id))
    return found


def _inserted(current: Sequence[str], added: Sequence[str], index: object) -> list[str]:
    if not isinstance(index, int) or not 0 <= index <= len(current):
        raise refused("SYS.0400", f"index {index} is invalid.")
    if repeated := [one for one in added if one in current]:
        raise refused("VPC.9902", f"Security group {repeated[0]} is already associated.")
    return [*current[:index], *added, *current[index:]]


def _removed(current: Sequence[str], removed: Sequence[str]) -> list[str]:
    if unknown := [one for one in removed if one not in current]:
        raise refused("VPC.9904", f"Security group {unknown[0]} is not associated.")
    return [one for one in current if one not in removed]


def _bind(cloud: Cloud, caller: Caller, region: str, port: Interface, ids: Sequence[str]) -> None:
    if not ids:
        raise refused("VPC.0607", "An instance must belong to at least one security group.")
    added = [one for one in ids if one not in port.groups]
    own = {group.id for group in groups_of(cloud, caller, region)}
    if unknown := [one for one in added if one not in own]:
        raise RefusedError(not_found("security_group", unknown[0]))
    if _is_over_quota(cloud, added, len(ids)):
        raise refused("VPC.9905", f"{_OVER_QUOTA}.")
    edit.set_groups(cloud, port, ids)


def _is_over_quota(cloud: Cloud, added: Sequence[str], count: int) -> bool:
    """Return whether a port would have too many groups, or a group too many ports."""
    if added and count > cloud.limits.get("groups-per-interface", count):
        return True
    ceiling = cloud.limits.get("interfaces-per-group")
    return ceiling is not None and any(len(cloud.interfaces_with(one)) >= ceiling for one in added)
