"""What an emulated caller may see: denied calls, and permissions by enterprise project.

"If you have insufficient permissions, response code 200 will be returned when you query network
resources and an empty list will be displayed" (``vpc_permission_0017`` of the VPC API reference).
So a denied list is empty; a denied read of one id, a change and a call of another service are 403.
One permission covers a list and the read of one of its rows.

A caller that is authorised by enterprise project sees v3 groups and rules of those granted; v3 and
v2.0 ports and supplementary interfaces do not know that authorisation, and v1 ports do with
``enterprise_project_id=all_granted_eps`` (``vpc_permission_0044``, ``0032``, ``0042``, ``0010``,
``0035``, ``0004``). Quotas count the whole project. That a read of an id is then 403 is inferred.

Quirks read here: ``denied_lists_refused`` (denied lists are 403, as for callers whose token the
gateway itself refuses), ``granted_eps`` (the caller is authorised by these enterprise projects).
"""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

import httpx

from sgguard.emulator.faces.huawei import response
from sgguard.emulator.state import Account, Cloud

_LIST = re.compile(
    r"/(?:v3/[^/]+/(?:vpc/)?|v2\.0/|v1/[^/]+/)"
    r"(?P<name>security-groups|security-group-rules|ports|sub-network-interfaces)"
    r"(?P<one>/[^/]+)?/?"
)
_WITHOUT_EPS = re.compile(r"/v3/[^/]+/(?:ports|vpc/sub-network-interfaces)|/v2\.0/")


def is_denied(account: Account, action: str) -> bool:
    """Return whether the account lacks the permission of an action."""
    same = [action, action.removesuffix("/{id}")] if action.startswith("GET ") else [action]
    return any(fnmatchcase(one, pattern) for one in same for pattern in account.denied)


def is_beyond_eps(request: httpx.Request, cloud: Cloud) -> bool:
    """Return whether a read does not know the authorisation by enterprise project."""
    is_by_eps = cloud.quirks.get("granted_eps") is not None
    return is_by_eps and request.method == "GET" and bool(_WITHOUT_EPS.match(request.url.path))


def empty_list(request: httpx.Request, cloud: Cloud) -> httpx.Response | None:
    """Return the empty list that a denied query gets, None where it is refused."""
    path = _LIST.fullmatch(request.url.path)
    is_list = path is not None and not path["one"] and request.method == "GET"
    if not is_list or path is None or cloud.quirks.get("denied_lists_refused"):
        return None
    collection = path["name"].replace("-", "_")
    if request.url.path.startswith("/v3/"):
        return response.ok(**{collection: [], "page_info": {"current_count": 0}})
    return httpx.Response(200, json={collection: []})
