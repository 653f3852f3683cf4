"""Quotas of an emulated Neutron: read by a caller, and enforced when a resource is created."""

from __future__ import annotations

import httpx

from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces._openstack.neutron.response import (
    error,
    forbidden,
    not_implemented,
    refused,
)
from sgguard.emulator.state import Cloud

DEFAULT_QUOTAS = {"security_group": 10, "security_group_rule": 100, "port": 500}
_LIMIT_NAMES = {
    "security_group": "groups-per-project",
    "security_group_rule": "rules-per-project",
    "port": "ports-per-project",
}


def respond(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, parts: list[str]
) -> httpx.Response:
    """Respond to ``quotas/{project}`` and ``…/details``; ``parts`` are what follows ``quotas``."""
    if request.method != "GET" or not parts or parts[1:] not in ([], ["details"]):
        return not_implemented(request)
    project = parts[0]
    if project != caller.project and not caller.is_admin:
        return _only_admins() if parts[1:] else forbidden("get_quota")
    limits = {name: _limit(cloud, name) for name in DEFAULT_QUOTAS}
    if not parts[1:]:
        return httpx.Response(200, json={"quota": limits})
    used = _used(cloud, region, project)
    details = {
        name: {"limit": limit, "used": used[name], "reserved": 0} for name, limit in limits.items()
    }
    return httpx.Response(200, json={"quota": details})


def _only_admins() -> httpx.Response:
    text = (
        "User does not have admin privileges: "
        "Only admin is authorized to access quotas for another project."
    )
    return error(403, "AdminRequired", text)


def require_room(cloud: Cloud, region: str, project: str, name: str, more: int = 1) -> None:
    """Require room for ``more`` resources in the quota; a negative quota is unlimited.

    Raises:
        RefusedError: 409.
    """
    limit = _limit(cloud, name)
    if 0 <= limit < _used(cloud, region, project)[name] + more:
        raise refused(409, "OverQuota", f"Quota exceeded for resources: ['{name}'].")


def _limit(cloud: Cloud, name: str) -> int:
    return cloud.limits.get(_LIMIT_NAMES.get(name, ""), DEFAULT_QUOTAS[name])


def _used(cloud: Cloud, region: str, project: str) -> dict[str, int]:
    """Count in one region: each has a Neutron, and quotas, of its own."""
    groups = [group for group in cloud.groups if group.region == region]
    ports = [port for port in cloud.interfaces if port.region == region]
    return {
        "security_group": sum(group.project == project for group in groups),
        "security_group_rule": sum(
            (rule.project or group.project) == project for group in groups for rule in group.rules
        ),
        "port": sum(port.project == project for port in ports),
    }
