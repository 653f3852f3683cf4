"""Changes of VPC v3 that are only checked: with ``dry_run`` nothing happens, and 202 says it could.

What is checked is whether the caller may and whether the request is well formed, not whether the
group or the port exists.
"""

from __future__ import annotations

import json
import re

import httpx

from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces.huawei import error as huawei_error

_CHECKED = (
    ("POST", re.compile(r"vpc/security-groups"), "security_group"),
    ("POST", re.compile(r"vpc/security-group-rules"), "security_group_rule"),
    ("PUT", re.compile(r"vpc/sub-network-interfaces/[^/]+"), "sub_network_interface"),
    ("PUT", re.compile(r"ports/[^/]+/(insert|remove)-security-groups"), "port"),
)


def checked(request: httpx.Request, caller: Caller, path: str) -> httpx.Response | None:
    """Answer a change that is only to be checked, None when the request is no such thing."""
    for method, pattern, key in _CHECKED:
        if request.method != method or not pattern.fullmatch(path.rstrip("/")):
            continue
        try:
            body = json.loads(request.content)
        except ValueError:
            body = None
        if not isinstance(body, dict) or body.get("dry_run") is not True:
            return None
        if not caller.may_write:
            return huawei_error.refusal("VPC.2201", "Policy doesn't allow the change.")
        if not isinstance(body.get(key), dict):
            return huawei_error.refusal("VPC.0601", f"{key} is required.")
        return httpx.Response(202)
    return None
