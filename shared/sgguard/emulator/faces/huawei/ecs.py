"""ECS v1 of an emulated Huawei Cloud: servers with the ids of their groups."""

from __future__ import annotations

from typing import Any

import httpx

from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces.huawei import response
from sgguard.emulator.state import Cloud, Instance

_STATUS = {"RUNNING": "ACTIVE"}


def answer(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, path: str
) -> httpx.Response:
    """Answer one call; ``path`` is what follows the project, such as ``cloudservers/{id}``."""
    mine = [
        instance
        for instance in cloud.instances
        if instance.project == caller.project and instance.region == region
    ]
    match request.method, path.strip("/").split("/"):
        case "GET", ["cloudservers", "detail"]:
            return _list(request, cloud, mine)
        case "GET", ["cloudservers", server_id]:
            return _show(cloud, mine, server_id)
    return response.absent()


def _list(request: httpx.Request, cloud: Cloud, mine: list[Instance]) -> httpx.Response:
    """Answer one page: ``offset`` is the number of the page, from 1."""
    limit = int(request.url.params.get("limit", "25"))
    first = (max(1, int(request.url.params.get("offset", "1"))) - 1) * limit
    rows = [server_row(cloud, instance) for instance in mine[first : first + limit]]
    return httpx.Response(200, json={"count": len(mine), "servers": rows})


def _show(cloud: Cloud, mine: list[Instance], server_id: str) -> httpx.Response:
    instance = next((i for i in mine if i.id == server_id), None)
    if instance is None:
        return response.ecs(404, "Ecs.0114", f"Instance[{server_id}] could not be found.")
    return httpx.Response(200, json={"server": server_row(cloud, instance)})


def server_row(cloud: Cloud, instance: Instance) -> dict[str, Any]:
    """Write one server."""
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
# Quotas of an emulated Huawei Cloud: VPC v3 tells ceilings, v1 also how many there are.
#
# A limit that nobody set is -1, which means "no limit" in v1 and "not online" in v3.

_COMPOSITE = "composite-rules-per-group"
_NAMES = {"securityGroup": "groups-per-project", "securityGroupRule": "rules-per-project"}


def quotas(request: httpx.Request, cloud: Cloud, caller: Caller, region: str) -> httpx.Response:
    """Answer ``GET /v1/{project_id}/quotas``, of one type when one is asked for."""
    wanted = request.url.params.get("type")
    if wanted not in (None, *_NAMES):
        return response.refusal("VPC.1207", "resource type is invalid")
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


def ceilings(cloud: Cloud) -> dict[str, int]:
    """Write the quotas; those without a ceiling are not online here, which is -1."""
    composite = cloud.limits.get(_COMPOSITE, -1)
    return {key: cloud.limits.get(name, -1) for name, key in _QUOTAS.items()} | {
        f"security_group_contain_{direction}_{family}_composite_rules": composite
        for direction in ("ingress", "egress")
        for family in ("ipv4", "ipv6")
    }
