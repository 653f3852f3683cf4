"""Huawei Cloud and Open Telekom Cloud on the wire: gateway, IAM, VPC v3 and v2.0, ECS.

Requests are signed (SDK-HMAC-SHA256) or carry a token; both are checked. Quirks: ``v3_absent``
(VPC v3 is not published), ``v1_absent`` (VPC v1 is not published), ``otc`` (v3 has no ports and
quotas, and refuses parameters about enterprise projects), ``subs_absent`` (v3 has no supplementary
interfaces), ``wrapped`` (errors of v2.0 are JSON inside a string), and those of
:mod:`sgguard.emulator.faces.huawei.vpc`, :mod:`sgguard.emulator.faces.huawei.change`,
:mod:`sgguard.emulator.faces.huawei.permission`, :mod:`sgguard.emulator.faces.huawei.page`,
:mod:`sgguard.emulator.faces._openstack.neutron.list` and
:mod:`sgguard.emulator.faces._openstack.keystone`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import ClassVar

import httpx

from sgguard.emulator.faces._openstack import discovery, keystone, neutron, nova
from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces._openstack.token import Service, project_name
from sgguard.emulator.faces.base import Certainty, FaultKind
from sgguard.emulator.faces.huawei import (
    agency,
    auth,
    binding,
    change,
    ecs,
    permission,
    response,
    v1,
    vpc,
)
from sgguard.emulator.faces.huawei.claims import CLAIMS, known
from sgguard.emulator.state import Account, Cloud

_VERSIONS = re.compile(r"/|(/identity)?/v3/?")
_TOKENS = re.compile(r"(/identity)?/v3/auth/tokens")
_AGENCY = re.compile(r"(/identity)?/v3\.0/OS-CREDENTIAL/securitytokens")
_PROJECTS = re.compile(r"(/identity)?/v3/projects")
_VPC_V3 = re.compile(r"/v3/(?P<project>[^/]+)/(?P<rest>vpc/.+|ports(/.*)?)")
_NEUTRON = re.compile(r"/v2\.0/(?P<rest>.+)")
_NOVA = re.compile(r"/v2(\.1)?/(?P<project>[^/]+)/(?P<rest>servers.*)")
_V1 = re.compile(r"/v1/(?P<project>[^/]+)/(?P<rest>quotas|ports(/.*)?)")
_ECS = re.compile(r"/v1/(?P<project>[^/]+)/(?P<rest>cloudservers/.+)")
_NOT_ON_OTC = re.compile(r"ports|vpc/quotas")
_SUBS = re.compile(r"vpc/sub-network-interfaces")
_PROJECT_PART = re.compile(r"^(/v(?:1|2|2\.1|3)/)(?!auth/|projects|identity)[^/]+/")
_ID_PART = re.compile(
    r"(?<=/)(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|[^/]+(?=/os-security-groups|/action$))"
)


class HuaweiFace:
    """The face of the provider ``huawei``."""

    claims: ClassVar = CLAIMS

    def knows(self, request: httpx.Request, cloud: Cloud) -> Certainty:
        """Know this cloud's tokens, users and projects."""
        return known(request, cloud)

    def action(self, request: httpx.Request) -> str:
        """Return method and path with ``{project_id}`` and ``{id}``."""
        path = _PROJECT_PART.sub(r"\1{project_id}/", request.url.path)
        return f"{request.method} {_ID_PART.sub('{id}', path)}"

    def respond(self, request: httpx.Request, cloud: Cloud, now: float) -> httpx.Response:
        """Authenticate the caller, then respond. IAM tells its version to anyone."""
        path, action = request.url.path, self.action(request)
        if _VERSIONS.fullmatch(path) and request.method in discovery.METHODS:
            url = f"{discovery.base_url(request)}/v3/"
            return discovery.identity(url, is_version=path.strip("/") != "")
        if _TOKENS.fullmatch(path) and request.method in ("POST", "GET"):
            services = _catalog(request, cloud)
            handle = keystone.issue_token if request.method == "POST" else keystone.show_token
            return handle(request, cloud, now, services)
        # Before the project of the path is compared: other services' paths have other words there.
        if not _is_emulated(path) or not auth.is_known_scheme(request):
            return auth.refusal(request, cloud, now) or response.not_implemented(request)
        caller = auth.caller(request, cloud, now, action)
        if isinstance(caller, httpx.Response):
            return caller
        is_denied = permission.is_denied(caller.account, action)
        if (is_denied or permission.is_beyond_eps(request, cloud)) and _is_published(path, cloud):
            return permission.empty_list(request, cloud) or _denied(path, action)
        region = _region(request, cloud, caller)
        return _route(request, cloud, caller, region, now)

    def fault(self, kind: FaultKind, request: httpx.Request, code: str) -> httpx.Response:
        """Return a throttle or error of the gateway; ``code`` may be a window: ``5 minute``."""
        del request
        if kind == "throttle":
            return response.throttled(code or "1 second")
        return response.error(code or "VPC.0002", "An internal error occurred.")

    def refuse(self, request: httpx.Request, message: str) -> httpx.Response:  # noqa: ARG002
        """Return the gateway's error for an unknown API, with the message."""
        return response.error("APIGW.0101", message)


def _is_emulated(path: str) -> bool:
    patterns = (_PROJECTS, _AGENCY, *(pattern for pattern, _ in _HANDLERS))
    return any(pattern.fullmatch(path) for pattern in patterns)


def _route(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, now: float
) -> httpx.Response:
    path = request.url.path
    if _AGENCY.fullmatch(path) and request.method == "POST":
        return agency.security_token(request, cloud, caller.account, now)
    if _PROJECTS.fullmatch(path) and request.method == "GET":
        return _projects(request, caller.account)
    for pattern, handler in _HANDLERS:
        if match := pattern.fullmatch(path):
            parts = match.groupdict()
            project = parts.get("project") or caller.project
            if project != caller.project:
                return _wrong_project(path, project, caller)
            return handler(request, cloud, caller, region, parts["rest"] or "")
    return response.not_implemented(request)


def _wrong_project(path: str, project: str, caller: Caller) -> httpx.Response:
    if _NOVA.fullmatch(path):
        return nova.wrong_project(project, caller.project)
    return response.wrong_project(project)


def _v3(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, rest: str
) -> httpx.Response:
    if not _has_v3(cloud, rest):
        return response.unpublished()
    if cloud.quirks.get("otc") and "enterprise_project_id" in request.url.params:
        text = "['enterprise_project_id'] is invalid attribute for filter: Unknown attribute."
        return response.error("SYS.0400", text)
    if (checked := change.dry_run(request, caller, rest)) is not None:
        return checked
    handle = vpc.respond if request.method == "GET" else change.respond
    return handle(request, cloud, caller, region, rest)


def _is_published(path: str, cloud: Cloud) -> bool:
    """Return whether the gateway knows the address: it says so before permissions are checked."""
    v3 = _VPC_V3.fullmatch(path)
    if v3 is not None:
        return _has_v3(cloud, v3["rest"])
    return not (_V1.fullmatch(path) and cloud.quirks.get("v1_absent"))


def _has_v3(cloud: Cloud, rest: str) -> bool:
    quirks = cloud.quirks
    is_missing = (quirks.get("otc") and _NOT_ON_OTC.match(rest)) or (
        quirks.get("subs_absent") and _SUBS.match(rest)
    )
    return not (quirks.get("v3_absent") or is_missing)


def _v1(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, rest: str
) -> httpx.Response:
    if cloud.quirks.get("v1_absent"):
        return response.unpublished()
    if request.method != "GET":
        return response.not_implemented(request)
    if rest.startswith("ports"):
        return v1.ports(request, cloud, caller, region, rest)
    return ecs.quotas(request, cloud, caller, region)


def _nova(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, rest: str
) -> httpx.Response:
    return nova.respond(request, vpc.with_ports(cloud), caller, region, rest)


def _ecs(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, rest: str
) -> httpx.Response:
    return ecs.respond(request, vpc.with_ports(cloud), caller, region, rest)


def _neutron(
    request: httpx.Request, cloud: Cloud, caller: Caller, region: str, rest: str
) -> httpx.Response:
    """Respond as Neutron does, with two exceptions.

    A referenced group is not deleted, unless the quirk ``cascades`` is on. A port keeps at least
    one group, and no more than the quotas allow.
    """
    ports = vpc.with_ports(cloud)
    name, _, group_id = rest.partition("/")
    is_delete = request.method == "DELETE" and name == "security-groups"
    is_referenced = bool(cloud.references(group_id)) and not cloud.quirks.get("cascades")
    if is_delete and (is_referenced or cloud.interfaces_with(group_id)):
        result = neutron.error(409, "SecurityGroupInUse", f"Security Group {group_id} in use.")
    elif request.method == "PUT" and name == "ports" and group_id:
        refusal = binding.v2_refusal(request, cloud, group_id)
        result = refusal or neutron.respond(request, ports, caller, region, rest)
    else:
        result = neutron.respond(request, ports, caller, region, rest)
    if result.is_error and cloud.quirks.get("wrapped"):
        return response.wrapped(result)
    if name == "ports" and result.is_success and request.method == "GET":
        return _with_products(result, cloud)
    return result


Handler = Callable[[httpx.Request, Cloud, Caller, str, str], httpx.Response]
_HANDLERS: tuple[tuple[re.Pattern[str], Handler], ...] = (
    (_VPC_V3, _v3),
    (_NEUTRON, _neutron),
    (_NOVA, _nova),
    (_ECS, _ecs),
    (_V1, _v1),
)


def _with_products(response: httpx.Response, cloud: Cloud) -> httpx.Response:
    """Add the fields that this cloud's v2.0 ports have beyond Neutron's."""
    body = response.json()
    ports = {port.id: port for port in vpc.with_ports(cloud).interfaces}
    for row in body.get("ports", [body.get("port")]):
        v3_row = vpc.port_row(cloud, ports[row["id"]])
        row |= {k: v3_row[k] for k in ("instance_type", "instance_id", "binding:vif_details")}
    return httpx.Response(200, json=body)


def _projects(request: httpx.Request, account: Account) -> httpx.Response:
    wanted = request.url.params.get("name")
    rows = [
        {
            "id": project,
            "name": project_name(account, project),
            "enabled": True,
            "is_domain": False,
            "domain_id": account.id,
            "parent_id": account.id,
            "description": "",
            "links": {"self": str(request.url.copy_with(path=f"/v3/projects/{project}"))},
        }
        for project in account.projects
        if wanted in (None, project_name(account, project))
    ]
    links = {"self": str(request.url), "previous": None, "next": None}
    return httpx.Response(200, json={"projects": rows, "links": links})


def _region(request: httpx.Request, cloud: Cloud, caller: Caller) -> str:
    """Return the region of a request: that of its host, else the one the project is named after."""
    parts = request.url.host.split(".")
    named = project_name(caller.account, caller.project)
    for candidate in (*parts[1:2], named, named.split("_")[0]):
        if candidate in cloud.regions:
            return candidate
    return cloud.regions[0] if cloud.regions else ""


def _catalog(request: httpx.Request, cloud: Cloud) -> list[Service]:
    base = str(request.url.copy_with(path="/", query=None)).rstrip("/")
    paths = {"iam": "/v3", "vpc": "/v2.0", "vpcv3": "/v3", "ecs": "/v1", "compute": "/v2.1"}
    return [
        Service(kind, kind, dict.fromkeys(cloud.regions, base + path))
        for kind, path in paths.items()
    ]


def _denied(path: str, action: str) -> httpx.Response:
    message = f"Policy doesn't allow {action} to be performed."
    if _NEUTRON.fullmatch(path):
        return neutron.error(403, "PolicyNotAuthorized", message)
    if _NOVA.fullmatch(path):
        return nova.error(403, "forbidden", message)
    if _ECS.fullmatch(path):
        return response.ecs_error(403, "Ecs.0003", message)
    return response.error("VPC.2201", message)


FACE = HuaweiFace()
