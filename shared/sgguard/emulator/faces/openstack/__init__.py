"""OpenStack on the wire: Keystone, Neutron and Nova behind one port, as devstack lays them out.

Paths: ``/identity/v3`` and ``/v3``, ``/networking/v2.0`` and ``/v2.0``, ``/compute/v2.1``,
``/compute/v2`` and the same without prefix, Nova's with or without a project id. Regions after
the first are at ``/r/{region}/networking`` and ``/r/{region}/compute``. The catalog has
the scheme and host of the request.

Accounts: ``user``, ``password``, ``domain``, ``app_credentials``, ``role``; ``denied`` lists
actions such as ``GET /v2.0/security-group-rules``. A member or reader sees its project only.
Neutron does not refuse a denied read: a list of it is empty and a resource not found. With the
quirk ``denied_refused`` it is a 403, as from a gateway in front of it.

Quirks: ``page_max``, ``ignores_unknown_filters``, ``ignored_filters``, ``refused_filters``,
``stale_marker_refused``, ``ids_any_case``, ``policy_unloaded`` (how many calls it lasts; see
``_openstack/neutron/list.py``); ``shared_by_admin``, ``unprotected_ports``, ``network_owners``,
``unordered_groups``, ``group_fields``, ``ports_without_address`` (``neutron/rows.py``);
``address_groups`` (``neutron/rule.py``); ``sgguard_plugin`` (``neutron/plugin.py``);
``token_life_s``, ``access_rules``, ``admin_project``, ``cloud_readers``
(``_openstack/keystone.py``); ``rbac_absent`` and ``quota_details_absent`` (an older Neutron without
them). The first list does not create a ``default`` group, as a real cloud's does: a scenario
states it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import ClassVar

import httpx

from sgguard.emulator.faces._openstack import discovery, keystone, neutron, nova
from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces._openstack.token import Service
from sgguard.emulator.faces.base import Certainty, FaultKind, call_in, not_emulated
from sgguard.emulator.faces.openstack.claims import CLAIMS
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

    claims: ClassVar = CLAIMS

    def knows(self, request: httpx.Request, cloud: Cloud) -> Certainty:
        """Know this cloud's tokens, and requests for tokens of its users."""
        is_own = keystone.has_token(request, cloud) or keystone.has_user(request, cloud)
        return Certainty.TOKEN if is_own else Certainty.NONE

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

    def refuse(self, request: httpx.Request, message: str) -> httpx.Response:
        """Return 501 in the shape of the requested service: a 404 would mean "no such resource"."""
        route = _route(request)
        if route and route.service == "compute":
            return nova.error(501, "notImplemented", message)
        if route and route.service == "networking":
            return neutron.error(501, "NotImplemented", message)
        return keystone.error(501, message)

    def _dispatch(self, request: httpx.Request, cloud: Cloud, now: float) -> httpx.Response:
        route = _route(request)
        is_root = route is not None and not route.rest.strip("/")
        if route and is_root and request.method in discovery.METHODS:
            return _discovery(request, route)
        if route is None or is_root or not route.version:
            return self.refuse(request, not_emulated(call_in(request)))
        services = _services(request, cloud)
        if route.service == "identity":
            known = _identity(request, cloud, now, services, route)
            return known or self.refuse(request, not_emulated(call_in(request)))
        action = self.action(request)
        caller = keystone.caller(request, cloud, now, action)
        if isinstance(caller, httpx.Response):
            return caller
        if any(fnmatchcase(action, pattern) for pattern in caller.account.denied):
            return _denied(request, cloud, route, action)
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


def _denied(request: httpx.Request, cloud: Cloud, route: _Route, action: str) -> httpx.Response:
    if route.service == "compute":
        return nova.error(403, "forbidden", f"Policy doesn't allow {action} to be performed.")
    parts = route.rest.strip("/").removesuffix(".json").split("/")
    if request.method == "GET" and parts[0] != "quotas" and not cloud.quirks.get("denied_refused"):
        return neutron.unloaded(request, parts)
    return neutron.error(403, "PolicyNotAuthorized", f"rule:{action} is disallowed by policy")


def _identity(
    request: httpx.Request, cloud: Cloud, now: float, services: list[Service], route: _Route
) -> httpx.Response | None:
    """Respond to a call to Keystone; None: it is not emulated."""
    if route.rest.rstrip("/") != "/auth/tokens":
        return None
    if request.method == "POST":
        return keystone.issue_token(request, cloud, now, services)
    if request.method == "GET":
        return keystone.show_token(request, cloud, now, services)
    return None


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
    """Return the project of a compute path, empty for none, and what follows it.

    A word of the API is no project: what is none by its shape is one only before a collection.
    """
    first, _, after = rest.strip("/").partition("/")
    is_before_collection = after.split("/")[0] in _COMPUTE_COLLECTIONS
    if first in _COMPUTE_COLLECTIONS or not (_ID.fullmatch(first) or is_before_collection):
        return "", rest
    return first, f"/{after}"


def _pairs(parts: list[str]) -> list[tuple[str, str]]:
    return list(zip(["", *parts], parts, strict=False))


def _services(request: httpx.Request, cloud: Cloud) -> list[Service]:
    base = discovery.base_url(request)

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
    base, is_version = discovery.base_url(request), bool(route.version)
    regional = f"{base}/r/{route.region}" if route.region else base
    if route.service == "networking":
        return discovery.networking(f"{regional}/networking/v2.0/", is_version=is_version)
    if route.service == "compute":
        return discovery.compute(f"{regional}/compute/v2.1/", is_version=is_version)
    return discovery.identity(f"{base}/identity/v3/", is_version=is_version)
