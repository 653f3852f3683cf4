"""Quotas of an emulated Huawei Cloud: VPC v3 tells ceilings, v1 also how many there are.

A limit that nobody set is -1, which means "no limit" in v1 and "not online" in v3.
"""

from __future__ import annotations

import httpx

from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces.huawei import error as huawei_error
from sgguard.emulator.state import Cloud

_QUOTAS = {
    "groups-per-interface": "eni_contain_secgroup",
    "rules-per-group": "secgroup_contain_rules",
    "interfaces-per-group": "secgroup_referred_by_nic",
    "groups-per-project": "security_group",
    "rules-per-project": "security_group_rule",
}
_COMPOSITE = "composite-rules-per-group"
_NAMES = {"securityGroup": "groups-per-project", "securityGroupRule": "rules-per-project"}


def answer(request: httpx.Request, cloud: Cloud, caller: Caller, region: str) -> httpx.Response:
    """Answer ``GET /v1/{project_id}/quotas``, of one type when one is asked for."""
    wanted = request.url.params.get("type")
    if wanted not in (None, *_NAMES):
        return huawei_error.refusal("VPC.1207", "resource type is invalid")
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
