"""Nova v2.1 of an emulated cloud: servers and their groups, with the losses of the real proxy.

``os-security-groups`` drops egress rules and rules whose peer the caller cannot see, names peers
without ids, lists a group once per interface, has 0.0.0.0/0 for any rule without CIDR and
1-65535 for TCP and UDP without ports.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from sgguard.emulator import edit
from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces._openstack.neutron.rows import (
    has_address,
    is_unprotected,
    rule_row,
    visible_groups,
)
from sgguard.emulator.faces.base import call_in, not_emulated, word_hint
from sgguard.emulator.state import Cloud, Group, Instance

Row = dict[str, Any]

_STATUS = {"RUNNING": "ACTIVE"}
_WITH_PORTS = frozenset({"tcp", "udp"})
_SERVER_CALLS = frozenset({("GET",), ("GET", "os-security-groups"), ("POST", "action")})
"""The calls to one server: the method, and what follows its id."""


def respond(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, path: str
) -> httpx.Response:
    """Respond to one call; ``path`` is what follows the version, without a project id."""
    parts = path.strip("/").split("/")
    if parts[0] == "servers" and parts[1:] in ([], ["detail"]) and request.method == "GET":
        instances = [i for i in cloud.instances if _is_visible(i, caller, region)]
        return httpx.Response(200, json={"servers": [server_row(cloud, i) for i in instances]})
    if parts[0] == "servers" and parts[1:]:
        return _server(request, cloud, caller, region, parts[1:])
    return not_implemented(request)


def _server(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, parts: list[str]
) -> httpx.Response:
    """Respond to a call to one server: ``parts`` are its id and the rest of the path."""
    if (request.method, *parts[1:]) not in _SERVER_CALLS:
        return not_implemented(request)
    instance = cloud.instance(parts[0])
    if instance is None or not _is_visible(instance, caller, region):
        text = f"Instance {parts[0]} could not be found.{word_hint(parts[0])}"
        return error(404, "itemNotFound", text)
    if parts[1:] == ["action"]:
        return _act(request, cloud, caller, region, instance)
    if parts[1:]:
        rows = server_groups(cloud, caller, region, instance)
        return httpx.Response(200, json={"security_groups": rows})
    return httpx.Response(200, json={"server": server_row(cloud, instance)})


def error(status: int, name: str, message: str) -> httpx.Response:
    """Return an error in Nova's shape."""
    return httpx.Response(status, json={name: {"code": status, "message": message}})


def not_implemented(request: httpx.Request) -> httpx.Response:
    """Return the error for a call that is not emulated (see that of Neutron)."""
    return error(501, "notImplemented", not_emulated(call_in(request)))


def wrong_project(wanted: str, project: str) -> httpx.Response:
    """Return the error for a project id in the address that is not the token's."""
    return error(
        400,
        "badRequest",
        f"Malformed request URL: URL's project_id '{wanted}' doesn't match "
        f"Context's project_id '{project}'",
    )


def server_row(cloud: Cloud, instance: Instance) -> Row:
    """Return one server; groups are named once per interface, and left out if there are none."""
    names = [
        group.name
        for port in cloud.interfaces_of(instance.id)
        for group_id in port.groups
        if (group := cloud.group(group_id))
    ]
    row: Row = {
        "id": instance.id,
        "name": instance.name,
        "status": _STATUS.get(instance.state, instance.state),
        "tenant_id": instance.project,
        "metadata": {},
        "addresses": {},
        "OS-EXT-STS:task_state": None,
        "OS-EXT-STS:vm_state": _STATUS.get(instance.state, instance.state).lower(),
        "created": "2026-11-01T00:00:00Z",
    }
    if names:
        row["security_groups"] = [{"name": name} for name in names]
    return row


def server_groups(cloud: Cloud, caller: Caller, region: str, instance: Instance) -> list[Row]:
    """Return ``os-security-groups`` of a server: sorted, lossy, once per interface."""
    seen = {group.id: group for group in visible_groups(cloud, caller, region)}
    groups = [
        seen[group_id]
        for port in cloud.interfaces_of(instance.id)
        for group_id in port.groups
        if group_id in seen
    ]
    groups.sort(key=lambda group: (group.project, group.name))
    return [_group_row(group, seen) for group in groups]


def _group_row(group: Group, seen: dict[str, Group]) -> Row:
    rows = [rule_row(group, rule) for rule in group.rules if rule.direction == "ingress"]
    return {
        "id": group.id,
        "name": group.name,
        "description": group.description,
        "tenant_id": group.project,
        "rules": [
            _rule_row(row, seen)
            for row in rows
            if not row["remote_group_id"] or row["remote_group_id"] in seen
        ],
    }


def _rule_row(row: Row, seen: dict[str, Group]) -> Row:
    protocol, low, high = row["protocol"], row["port_range_min"], row["port_range_max"]
    if protocol in _WITH_PORTS:
        low, high = (1, 65535) if low is None else (low, high)
    elif protocol is not None and low is None:
        low, high = -1, -1
    peer = seen[row["remote_group_id"]] if row["remote_group_id"] else None
    return {
        "id": row["id"],
        "parent_group_id": row["security_group_id"],
        "ip_protocol": protocol,
        "from_port": low,
        "to_port": high,
        "group": {"name": peer.name, "tenant_id": peer.project} if peer else {},
        "ip_range": {} if peer else {"cidr": row["remote_ip_prefix"] or "0.0.0.0/0"},
    }


def _is_visible(instance: Instance, caller: Caller, region: str) -> bool:
    return instance.region == region and (caller.sees_all or instance.project == caller.project)


def _act(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, instance: Instance
) -> httpx.Response:
    """Apply ``addSecurityGroup`` or ``removeSecurityGroup`` to every port of a server."""
    try:
        body = json.loads(request.content)
        ((action, details),) = body.items()
        name = str(details["name"])
    except (ValueError, AttributeError, TypeError, KeyError):
        return error(400, "badRequest", "Invalid input for field/attribute action.")
    if not caller.may_write:
        return error(403, "forbidden", "Policy doesn't allow this action to be performed.")
    change = _CHANGES.get(action)
    if change is None:
        what = f"the action {action} of a server"
        return error(501, "notImplemented", not_emulated(what))
    group = _named(cloud, caller, region, name)
    return group if isinstance(group, httpx.Response) else change(cloud, instance, group, name)


def _named(cloud: Cloud, caller: Caller, region: str, name: str) -> Group | httpx.Response:
    """Return the group with that id or name; an ambiguous name is an error."""
    groups = visible_groups(cloud, caller, region)
    found = [g for g in groups if g.id == name] or [g for g in groups if g.name == name]
    if not found:
        return error(
            404, "itemNotFound", f"Security group {name} is not found for project {caller.project}"
        )
    if len(found) > 1:
        return error(
            409,
            "conflictingRequest",
            f"Multiple security_group matches found for name '{name}', "
            "use an ID to be more specific.",
        )
    return found[0]


def _add(cloud: Cloud, instance: Instance, group: Group, _name: str) -> httpx.Response:
    ports = cloud.interfaces_of(instance.id)
    if not ports:
        message = f"instance_id {instance.id} could not be found as device id on any ports"
        return error(404, "itemNotFound", message)
    if any(is_unprotected(cloud, port) or not has_address(cloud, port) for port in ports):
        return error(
            400,
            "badRequest",
            "Network requires port_security_enabled and subnet associated in order to apply "
            "security groups.",
        )
    for port in ports:
        if group.id in port.groups:
            return error(
                400, "badRequest", "Invalid input for security_groups. Duplicate items in the list"
            )
        if any(other.kind != group.kind for one in port.groups if (other := cloud.group(one))):
            text = "Cannot apply both stateful and stateless security groups on the same port"
            return error(409, "conflictingRequest", text)
        edit.set_groups(cloud, port, [*port.groups, group.id])
    return httpx.Response(202)


def _remove(cloud: Cloud, instance: Instance, group: Group, name: str) -> httpx.Response:
    holding = [p for p in cloud.interfaces_of(instance.id) if group.id in p.groups]
    if not holding:
        return error(
            404,
            "itemNotFound",
            f"Security group {name} not associated with the instance {instance.id}",
        )
    for port in holding:
        edit.set_groups(cloud, port, [one for one in port.groups if one != group.id])
    return httpx.Response(202)


_CHANGES: Mapping[str, Callable[[Cloud, Instance, Group, str], httpx.Response]] = {
    "addSecurityGroup": _add,
    "removeSecurityGroup": _remove,
}
