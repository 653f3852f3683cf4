"""Servers of ECS v1 with the ids of their groups, and the quotas of VPC v1 and v3.

VPC v3 lists the limits, v1 also the numbers in use. A limit that a scenario leaves out is -1, which
means "no limit" in v1 and "not available here" in v3.
"""

from __future__ import annotations

from typing import Any

import httpx

from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces.base import word_hint
from sgguard.emulator.faces.huawei import response
from sgguard.emulator.state import Cloud, Instance

_STATUS = {"RUNNING": "ACTIVE"}


def respond(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, path: str
) -> httpx.Response:
    """Respond to one call; ``path`` is what follows the project, such as ``cloudservers/{id}``."""

    def find() -> list[Instance]:
        return [
            instance
            for instance in cloud.instances
            if instance.project == caller.project and instance.region == region
        ]

    instances = cloud.kept(("servers", caller.project, region), find)
    match request.method, path.strip("/").split("/"):
        case "GET", ["cloudservers", "detail"]:
            return _list(request, cloud, instances)
        case "GET", ["cloudservers", server_id]:
            return _show(cloud, instances, server_id)
    return response.not_implemented(request)


def _list(request: httpx.Request, cloud: Cloud, instances: list[Instance]) -> httpx.Response:
    """Return one page: ``offset`` is the number of the page, from 1."""
    limit = int(request.url.params.get("limit", "25"))
    first = (max(1, int(request.url.params.get("offset", "1"))) - 1) * limit
    rows = [server_row(cloud, instance) for instance in instances[first : first + limit]]
    return httpx.Response(200, json={"count": len(instances), "servers": rows})


def _show(cloud: Cloud, instances: list[Instance], server_id: str) -> httpx.Response:
    instance = next((i for i in instances if i.id == server_id), None)
    if instance is None:
        text = f"Instance[{server_id}] could not be found.{word_hint(server_id)}"
        return response.ecs_error(404, "Ecs.0114", text)
    return httpx.Response(200, json={"server": server_row(cloud, instance)})


def server_row(cloud: Cloud, instance: Instance) -> dict[str, Any]:
    """Return one server."""
    status = _STATUS.get(instance.state, instance.state)
    return {
        "id": instance.id,
        "name": instance.name,
        "status": status,
        "tenant_id": instance.project,
        "metadata": {"vpc_id": instance.network, "charging_mode": "0"},
        "security_groups": [
            {"id": group.id, "name": group.name}
            for group_id in cloud.groups_of(instance.id)
            if (group := cloud.group(group_id))
        ],
        "addresses": {},
        "OS-EXT-STS:vm_state": status.lower(),
        "OS-EXT-STS:task_state": None,
        "created": "2026-11-01T00:00:00Z",
    }


_QUOTAS = {
    "groups-per-interface": "eni_contain_secgroup",
    "rules-per-group": "secgroup_contain_rules",
    "interfaces-per-group": "secgroup_referred_by_nic",
    "groups-per-project": "security_group",
    "rules-per-project": "security_group_rule",
}
_COMPOSITE = "composite-rules-per-group"
_NAMES = {"securityGroup": "groups-per-project", "securityGroupRule": "rules-per-project"}


def quotas(request: httpx.Request, cloud: Cloud, caller: Caller, region: str) -> httpx.Response:
    """Respond to ``GET /v1/{project_id}/quotas``, of one type or all."""
    wanted = request.url.params.get("type")
    if wanted not in (None, *_NAMES):
        return response.error("VPC.1207", "resource type is invalid")
    groups = [g for g in cloud.groups if g.project == caller.project and g.region == region]
    used = {
        "securityGroup": len(groups),
        "securityGroupRule": sum(len(group.rules) for group in groups),
    }
    rows = [
        {"type": kind, "used": used[kind], "quota": cloud.limits.get(name, -1), "min": 0}
        for kind, name in _NAMES.items()
        if wanted in (None, kind)
    ]
    return httpx.Response(200, json={"quotas": {"resources": rows}})


def quota_row(cloud: Cloud) -> dict[str, int]:
    """Return the quotas as VPC v3 lists them."""
    composite = cloud.limits.get(_COMPOSITE, -1)
    return {key: cloud.limits.get(name, -1) for name, key in _QUOTAS.items()} | {
        f"security_group_contain_{direction}_{family}_composite_rules": composite
        for direction in ("ingress", "egress")
        for family in ("ipv4", "ipv6")
    }
