"""Changing ports of an emulated Neutron: the groups of a port are replaced as a whole."""

from __future__ import annotations

import re
from collections.abc import Sequence

import httpx

from sgguard.emulator import edit
from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces._openstack.neutron.response import (
    bad_request,
    body_of,
    no_such_group,
    refused,
    require_owner,
    require_revision,
    text_in,
)
from sgguard.emulator.faces._openstack.neutron.rows import (
    is_unprotected,
    owner_of,
    port_row,
    visible_groups,
    visible_ports,
)
from sgguard.emulator.state import Cloud, Interface

_ID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}")
_ROUTER_OWNERS = frozenset(
    {
        "network:router_interface",
        "network:router_interface_distributed",
        "network:ha_router_replicated_interface",
    }
)
_ATTRIBUTES = frozenset({"name", "security_groups", "port_security_enabled"})


def update(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, port_id: str
) -> httpx.Response:
    """Respond to ``PUT ports/{id}``.

    Raises:
        RefusedError: 400, 403, 404, 409 or 412.
    """
    port = next((p for p in visible_ports(cloud, caller, region) if p.id == port_id), None)
    if port is None:
        raise refused(404, "PortNotFound", f"Port {port_id} could not be found.")
    require_owner(caller, port.project, "update_port")
    if owner_of(port) in _ROUTER_OWNERS and not caller.is_admin:
        text = (
            f"The following device_id {port.managed_by} is not owned by your project or matches "
            "another project router."
        )
        raise refused(409, "DeviceIDNotOwnedByTenant", text)
    body = body_of(request, "port", _ATTRIBUTES)
    group_ids = _group_ids(body["security_groups"]) if "security_groups" in body else port.groups
    name = text_in(body, "name")
    is_protected = body.get("port_security_enabled", not is_unprotected(cloud, port))
    require_revision(request, port.version)
    if "security_groups" in body or "port_security_enabled" in body:
        _require_groups(cloud, caller, region, port, group_ids, is_protected=bool(is_protected))
    _set_port_security(cloud, port, is_protected=bool(is_protected))
    if "name" in body and name != port.name:
        port.name = name
        port.version += 1
    edit.set_groups(cloud, port, group_ids)
    return httpx.Response(200, json={"port": port_row(cloud, port)})


def _group_ids(value: object) -> list[str]:
    """Return the ids of a body; null is an empty list."""
    if value is None:
        return []
    if not isinstance(value, list):
        raise bad_request(f"Invalid input for security_groups. Reason: '{value}' is not a list.")
    for one in value:
        if not isinstance(one, str) or _ID.fullmatch(one) is None:
            message = (
                f"Invalid input for security_groups. Reason: '{one}' is not an integer or uuid."
            )
            raise bad_request(message)
    if twice := next((one for one in value if value.count(one) > 1), None):
        message = (
            f"Invalid input for security_groups. Reason: Duplicate items in the list: '{twice}'."
        )
        raise bad_request(message)
    return list(value)


def _require_groups(
    cloud: Cloud,
    caller: Caller,
    region: str,
    port: Interface,
    group_ids: Sequence[str],
    *,
    is_protected: bool,
) -> None:
    """Require groups that exist and are of one kind, on a port with port security.

    Raises:
        RefusedError: 400, 404 or 409.
    """
    seen = {group.id: group for group in visible_groups(cloud, caller, region)}
    if missing := [one for one in group_ids if one not in seen]:
        raise no_such_group(", ".join(missing))
    if group_ids and not is_protected:
        if list(group_ids) == port.groups:
            text = "Port has security group associated. Cannot disable port security or IP address."
            raise refused(409, "PortSecurityPortHasSecurityGroup", text)
        text = (
            "Port security must be enabled and port must have an IP address in order to use "
            "security groups."
        )
        raise refused(400, "PortSecurityAndIPRequiredForSecurityGroups", text)
    if len({group.kind for one in group_ids if (group := cloud.group(one))}) > 1:
        text = (
            "Error Cannot apply both stateful and stateless security groups on the same port at "
            "the same time while attempting the operation."
        )
        raise refused(409, "SecurityGroupConflict", text)


def _set_port_security(cloud: Cloud, port: Interface, *, is_protected: bool) -> None:
    """Turn port security on or off."""
    if is_protected != is_unprotected(cloud, port):
        return
    others = [one for one in cloud.quirks.get("unprotected_ports", []) if one != port.id]
    cloud.quirks["unprotected_ports"] = others if is_protected else [*others, port.id]
    port.version += 1
