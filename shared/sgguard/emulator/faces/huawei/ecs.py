"""ECS v1 of an emulated Huawei Cloud: servers with the ids of their groups."""

from __future__ import annotations

from typing import Any

import httpx

from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces.huawei import error as huawei_error
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
    return huawei_error.absent()


def _list(request: httpx.Request, cloud: Cloud, mine: list[Instance]) -> httpx.Response:
    """Answer one page: ``offset`` is the number of the page, from 1."""
    limit = int(request.url.params.get("limit", "25"))
    first = (max(1, int(request.url.params.get("offset", "1"))) - 1) * limit
    rows = [server_row(cloud, instance) for instance in mine[first : first + limit]]
    return httpx.Response(200, json={"count": len(mine), "servers": rows})


def _show(cloud: Cloud, mine: list[Instance], server_id: str) -> httpx.Response:
    instance = next((i for i in mine if i.id == server_id), None)
    if instance is None:
        return huawei_error.ecs(404, "Ecs.0114", f"Instance[{server_id}] could not be found.")
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
