"""The version documents of Keystone, Neutron and Nova, which clients read before anything else.

No token is needed for them. Sources: "List information about all Identity API versions" and the
like of each service, https://docs.openstack.org/api-ref/ (read 2026-11).
"""

from __future__ import annotations

from typing import Any

import httpx

METHODS = frozenset({"GET", "HEAD"})

IDENTITY_WORDS = (
    "auth|projects|domains|users|groups|roles|role_assignments|role_inferences|services|endpoints|"
    "regions|credentials|policies|limits|registered_limits|system|ec2tokens|s3tokens|OS-[A-Z0-9-]+"
)
"""What follows ``/v3/`` in Keystone's paths; anything else there is a project of another API."""


def base_url(request: httpx.Request) -> str:
    """Return scheme and host of a request."""
    host = request.headers.get("host", request.url.netloc.decode())
    return f"{request.url.scheme}://{host}"


def identity(url: str, *, is_version: bool) -> httpx.Response:
    """Return the document of v3 at ``url``, or the list of versions, which is a 300."""
    version = {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": url}],
        "media-types": [
            {"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}
        ],
    }
    if is_version:
        return httpx.Response(200, json={"version": version})
    return httpx.Response(300, json={"versions": {"values": [version]}})


def networking(url: str, *, is_version: bool) -> httpx.Response:
    """Return the document of v2.0 at ``url``, or the list of versions."""
    if is_version:
        return httpx.Response(200, json={"resources": []})
    link = {"rel": "self", "href": url}
    versions = [{"id": "v2.0", "status": "CURRENT", "links": [link]}]
    return httpx.Response(200, json={"versions": versions})


def compute(url: str, *, is_version: bool) -> httpx.Response:
    """Return the document of v2.1 at ``url``, or the list of versions."""
    version: dict[str, Any] = {
        "id": "v2.1",
        "status": "CURRENT",
        "version": "2.95",
        "min_version": "2.1",
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": url}],
    }
    return httpx.Response(200, json={"version": version} if is_version else {"versions": [version]})
