"""Ports of VPC v1: its lists have no links, and know enterprise projects."""

from __future__ import annotations

import httpx

from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces.huawei import response
from sgguard.emulator.faces.huawei.page import PAGE_MAX, filtered, spelt_row
from sgguard.emulator.faces.huawei.vpc import port_rows
from sgguard.emulator.state import Cloud


def ports(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, path: str
) -> httpx.Response:
    """Respond to a read of v1 ports: they know enterprise projects, and their pages have no links.

    Without ``enterprise_project_id`` only the default enterprise project is read.
    """
    params = request.url.params
    granted = cloud.quirks.get("granted_eps")
    eps = cloud.quirks.get("enterprise_projects", {})
    is_all = params.get("enterprise_project_id") == "all_granted_eps"
    rows = [
        row
        for row in port_rows(cloud, caller, region)
        if granted is None or (eps.get(row["id"], "0") in (granted if is_all else ["0"]))
    ]
    if wanted := path.removeprefix("ports").strip("/"):
        row = next((one for one in rows if one["id"] == wanted), None)
        if row is None:
            return response.error("VPC.0603", f"Port {wanted} could not be found.")
        return httpx.Response(200, json={"port": spelt_row(cloud, row)})
    found = filtered(rows, params, ("id", "device_id", "security_groups"))
    found = sorted(found, key=lambda row: str(row["id"]))
    ids = [str(row["id"]).lower() for row in found]
    marker = params.get("marker", "").lower()
    start = ids.index(marker) + 1 if marker in ids else 0
    limit = min(int(params.get("limit", PAGE_MAX)), cloud.quirks.get("page_max", PAGE_MAX))
    page = [spelt_row(cloud, row) for row in found[start : start + limit]]
    return httpx.Response(200, json={"ports": page})
