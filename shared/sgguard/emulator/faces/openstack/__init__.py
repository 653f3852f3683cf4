"""OpenStack on the wire: Keystone, Neutron and Nova behind one port, as devstack lays them out.

Paths: ``/identity/v3`` and ``/v3``, ``/networking/v2.0`` and ``/v2.0``, ``/compute/v2.1``,
``/compute/v2`` and the same without prefix, Nova's with or without a project id. Regions after
the first are at ``/r/{region}/networking`` and ``/r/{region}/compute``. The catalog has
the scheme and host of the request.

Accounts: ``user``, ``password``, ``domain``, ``app_credentials``, ``role``; ``denied`` lists
actions such as ``GET /v2.0/security-group-rules``. A member or reader sees its project only.

Quirks: ``page_max``, ``ignores_unknown_filters``, ``ignored_filters``, ``refused_filters``,
``stale_marker_refused`` (see ``_openstack/neutron/list.py``); ``shared_by_admin``,
``unprotected_ports``, ``network_owners``, ``unordered_groups`` (``neutron/rows.py``);
``address_groups`` (``neutron/rule.py``); ``token_life_s``, ``access_rules``, ``admin_project``,
``cloud_readers`` (``_openstack/keystone.py``); ``rbac_absent`` and ``quota_details_absent`` (an
older Neutron without them). The first list does not create a ``default`` group, as a real cloud's
does: a scenario states it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import httpx

from sgguard.emulator.faces._openstack import keystone, neutron, nova
from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces._openstack.token import Service
from sgguard.emulator.faces.base import Certainty, FaultKind
from sgguard.emulator.state import Cloud

_ROUTE = re.compile(
    r"(/r/(?P<region>[^/]+))?(/(?P<prefix>identity|networking|compute))?"
    r"(/(?P<version>v3|v2\.0|v2\.1|v2))?(?P<rest>/.*|)"
)
_SERVICES = {"v3": "identity", "v2.0": "networking", "v2.1": "compute", "v2": "compute"}
_NAMED = frozenset({"quotas", "servers", "security-groups", "security-group-rules", "ports"})
"""Path parts that are followed by an id of any format."""

_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}")
_COMPUTE_COLLECTIONS = frozenset({"servers", "os-security-groups", "limits", "flavors", "images"})

_FAULTS: dict[FaultKind, tuple[int, str, dict[str, str]]] = {
    "throttle": (
        429,
        "This request was rate-limited.",
        {"compute": "overLimit", "networking": "OverLimit"},
    ),
    "error": (
        500,
        "An unexpected error prevented the server from fulfilling the request.",
        {"compute": "computeFault", "networking": "HTTPInternalServerError"},
    ),
}


@dataclass(frozen=True, slots=True)
class _Route:
    """The service and resource of a request. ``project`` is that of a compute path, often empty."""

    service: str
    version: str
    region: str
    rest: str
    project: str = ""


class OpenStackFace:
    """The wire face of the provider ``openstack``."""

    def claims(self, request: httpx.Request, cloud: Cloud) -> Certainty:
        """Claim what carries this cloud's token or user; share the paths with others."""
        if keystone.is_own(request, cloud):
            return Certainty.OWN
        return Certainty.PATH if _route(request) else Certainty.NONE

    def action(self, request: httpx.Request) -> str:
        """Return method and path below the service, ids replaced by ``{id}``."""
        route = _route(request)
        if route is None:
            return f"{request.method} {request.url.path}"
        rest = "/".join(
            "{id}"
            if _ID.fullmatch(part) or (before in _NAMED and part not in ("", "detail"))
            else part
            for before, part in _pairs(route.rest.removesuffix(".json").split("/"))
        )
        version = "v2.1" if route.version == "v2" else route.version
        path = f"/{version}{rest}" if version else f"/{route.service}{rest}"
        return f"{request.method} {path.rstrip('/') or '/'}"

    def respond(self, request: httpx.Request, cloud: Cloud, now: float) -> httpx.Response:
        """Authenticate the caller, then respond."""
        response = self._dispatch(request, cloud, now)
        response.headers.setdefault("x-openstack-request-id", "req-00000000-emulated")
        return response

    def fault(self, kind: FaultKind, request: httpx.Request, code: str) -> httpx.Response:
        """Return 429 or 500 in the shape of the requested service."""
        route = _route(request)
        status, text, names = _FAULTS[kind]
        service = route.service if route else "identity"
        if service == "identity":
            return keystone.error(status, text)
        render = nova.error if service == "compute" else neutron.error
        return render(status, code or names[service], text)

    def _dispatch(self, request: httpx.Request, cloud: Cloud, now: float) -> httpx.Response:
        route = _route(request)
        if route is None:
            return keystone.error(404, "The resource could not be found.")
        if not route.version or not route.rest.strip("/"):
            return _discovery(request, route)
        services = _services(request, cloud)
        if route.service == "identity":
            return _identity(request, cloud, now, services, route)
        action = self.action(request)
        caller = keystone.caller(request, cloud, now, action)
        if isinstance(caller, httpx.Response):
            return caller
        if any(fnmatchcase(action, pattern) for pattern in caller.account.denied):
            return _denied(route, action)
        return _serve(request, cloud, caller, route)


FACE = OpenStackFace()


def _serve(request: httpx.Request, cloud: Cloud, caller: Caller, route: _Route) -> httpx.Response:
    region = route.region or (cloud.regions[0] if cloud.regions else "")
    if route.service == "compute":
        if route.project and route.project != caller.project and not caller.is_admin:
            return nova.wrong_project(route.project, caller.project)
        return nova.respond(request, cloud, caller, region, route.rest)
    path = route.rest.strip("/").removesuffix(".json")
    is_absent = (path.startswith("rbac-policies") and cloud.quirks.get("rbac_absent")) or (
        path.endswith("/details") and cloud.quirks.get("quota_details_absent")
    )
    if is_absent:
        return neutron.error(404, "HTTPNotFound", "The resource could not be found.")
    return neutron.respond(request, cloud, caller, region, path)


def _denied(route: _Route, action: str) -> httpx.Response:
    if route.service == "compute":
        return nova.error(403, "forbidden", f"Policy doesn't allow {action} to be performed.")
    return neutron.error(403, "PolicyNotAuthorized", f"rule:{action} is disallowed by policy")


def _identity(
    request: httpx.Request, cloud: Cloud, now: float, services: list[Service], route: _Route
) -> httpx.Response:
    if route.rest.rstrip("/") != "/auth/tokens":
        return keystone.error(404, "The resource could not be found.")
    if request.method == "POST":
        return keystone.issue_token(request, cloud, now, services)
    if request.method == "GET":
        return keystone.show_token(request, cloud, now, services)
    return keystone.error(404, "The resource could not be found.")


def _route(request: httpx.Request) -> _Route | None:
    """Return the route of a request, None when no service of this cloud has its path."""
    match = _ROUTE.fullmatch(request.url.path)
    if match is None:
        return None
    prefix, version, rest = match["prefix"] or "", match["version"] or "", match["rest"]
    service = prefix or _SERVICES.get(version, "")
    is_root = not prefix and not version
    if (version and service != _SERVICES[version]) or (is_root and rest.strip("/")):
        return None
    region = match["region"] or ""
    if service == "compute" and version:
        project, rest = _split_project(rest)
        return _Route(service, version, region, rest, project)
    return _Route(service or "identity", version, region, rest)


def _split_project(rest: str) -> tuple[str, str]:
    first, _, after = rest.strip("/").partition("/")
    if first and first not in _COMPUTE_COLLECTIONS:
        return first, f"/{after}"
    return "", rest


def _pairs(parts: list[str]) -> list[tuple[str, str]]:
    return list(zip(["", *parts], parts, strict=False))


def _base(request: httpx.Request) -> str:
    host = request.headers.get("host", request.url.netloc.decode())
    return f"{request.url.scheme}://{host}"


def _services(request: httpx.Request, cloud: Cloud) -> list[Service]:
    base = _base(request)

    def urls(path: str) -> dict[str, str]:
        return {
            region: f"{base}{path}" if number == 0 else f"{base}/r/{region}{path}"
            for number, region in enumerate(cloud.regions)
        }

    return [
        Service("identity", "keystone", dict.fromkeys(cloud.regions, f"{base}/identity")),
        Service("network", "neutron", urls("/networking")),
        Service("compute", "nova", urls("/compute/v2.1")),
    ]


def _discovery(request: httpx.Request, route: _Route) -> httpx.Response:
    """Return the version documents, which clients read first."""
    base = _base(request)
    if route.region:
        base = f"{base}/r/{route.region}"
    if route.service == "networking":
        return httpx.Response(200, json=_network_versions(base, route))
    if route.service == "compute":
        return httpx.Response(200, json=_compute_versions(base, route))
    version = {
        "id": "v3.14",
        "status": "stable",
        "updated": "2020-04-07T00:00:00Z",
        "links": [{"rel": "self", "href": f"{_base(request)}/identity/v3/"}],
        "media-types": [
            {"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}
        ],
    }
    if route.version:
        return httpx.Response(200, json={"version": version})
    return httpx.Response(300, json={"versions": {"values": [version]}})


def _network_versions(base: str, route: _Route) -> dict[str, Any]:
    if route.version:
        return {"resources": []}
    link = {"rel": "self", "href": f"{base}/networking/v2.0/"}
    return {"versions": [{"id": "v2.0", "status": "CURRENT", "links": [link]}]}


def _compute_versions(base: str, route: _Route) -> dict[str, Any]:
    version = {
        "id": "v2.1",
        "status": "CURRENT",
        "version": "2.95",
        "min_version": "2.1",
        "updated": "2013-07-23T11:33:21Z",
        "links": [{"rel": "self", "href": f"{base}/compute/v2.1/"}],
    }
    return {"version": version} if route.version else {"versions": [version]}
