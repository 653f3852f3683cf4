"""Keystone v3 of an emulated cloud: tokens, catalog and the caller of a request.

Shared by every face whose cloud has Keystone tokens; the face states the services of its catalog.
Runtime data: ``cloud.tokens`` maps a token to an :class:`Issued`.

Quirks read here: ``token_life_s`` (default 3600), ``access_rules`` (fnmatch of the actions that
tokens of application credentials may call; anything else is 401, as with the real middleware),
``admin_project`` (the id of the only project whose administrators may read and change everything),
``cloud_readers`` (roles that may read every project by Neutron's policy).
"""

from __future__ import annotations

import http
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import httpx

from sgguard.emulator.faces._openstack.token import (
    Issued,
    Service,
    domain_id,
    project_name,
    token_body,
)
from sgguard.emulator.state import Account, Cloud

TOKEN_HEADER = "x-auth-token"  # noqa: S105 - the name of a header

_LIFE_S = 3600


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller: an account, acting in one project.

    ``is_admin_project`` is False for every project but the administrators' own, where there is
    one; ``is_cloud_reader`` is True for a role that reads every project.
    """

    account: Account
    project: str
    is_admin_project: bool = True
    is_cloud_reader: bool = False

    @property
    def is_admin(self) -> bool:
        """Whether it may read and change everything, in every project."""
        return self.account.role == "admin" and self.is_admin_project

    @property
    def sees_all(self) -> bool:
        """Whether it may read everything, in every project."""
        return self.is_admin or self.is_cloud_reader

    @property
    def may_write(self) -> bool:
        """Whether it may change what is its own."""
        return self.account.role in ("admin", "member")


def has_token(request: httpx.Request, cloud: Cloud) -> bool:
    """Return whether the request has a token of this cloud, or offers one for another."""
    if request.headers.get(TOKEN_HEADER, "") in cloud.tokens:
        return True
    if not _asks_token(request):
        return False
    method, credentials, _ = _token_request(request)
    return method == "token" and _text(credentials, "id") in cloud.tokens


def has_user(request: httpx.Request, cloud: Cloud) -> bool:
    """Return whether the request asks for a token of a user whom this cloud knows."""
    if not _asks_token(request):
        return False
    method, credentials, _ = _token_request(request)
    return _account(cloud, method, credentials) is not None


def _asks_token(request: httpx.Request) -> bool:
    return request.method == "POST" and request.url.path.rstrip("/").endswith("/auth/tokens")


def issue_token(
    request: httpx.Request, cloud: Cloud, now: float, services: Sequence[Service]
) -> httpx.Response:
    """Respond to ``POST /v3/auth/tokens``."""
    method, credentials, scope = _token_request(request)
    if not method:
        return error(400, "Expecting to find an identity and one method in the request body.")
    if method == "application_credential" and scope is not None:
        return unauthenticated(
            request,
            "Error authenticating with application credential: "
            "Application credentials cannot request a scope.",
        )
    account = _authenticated(cloud, method, credentials, now)
    project = _project(account, scope) if account else None
    if account is None or project is None:
        return unauthenticated(request)
    life_s = cloud.quirks.get("token_life_s", _LIFE_S)
    token_id = f"gAAAAA{secrets.token_urlsafe(32)}"
    issued = Issued(account.id, project, method, now + life_s)
    cloud.tokens[token_id] = issued
    return httpx.Response(
        201,
        headers={"x-subject-token": token_id, "vary": "X-Auth-Token"},
        json={"token": _body(cloud, account, issued, now, services)},
    )


def show_token(
    request: httpx.Request, cloud: Cloud, now: float, services: Sequence[Service]
) -> httpx.Response:
    """Respond to ``GET /v3/auth/tokens`` with the contents of a token."""
    issued = cloud.tokens.get(request.headers.get("x-subject-token", ""))
    if not isinstance(issued, Issued) or issued.expires_s <= now:
        return error(404, "Could not find token.")
    account = cloud.account(issued.account_id)
    if account is None:
        return error(404, "Could not find token.")
    body = _body(cloud, account, issued, now, services)
    return httpx.Response(
        200,
        headers={"x-subject-token": request.headers["x-subject-token"]},
        json={"token": body},
    )


def _body(
    cloud: Cloud, account: Account, issued: Issued, now: float, services: Sequence[Service]
) -> dict[str, Any]:
    """Return the contents of a token, with ``is_admin_project`` if the cloud has one."""
    body = token_body(account, issued, now, services)
    if "admin_project" in cloud.quirks:
        body["is_admin_project"] = is_admin_project(cloud, issued.project)
    return body


def caller(
    request: httpx.Request, cloud: Cloud, now: float, action: str
) -> Caller | httpx.Response:
    """Return the caller, or the 401 of every service without a valid token."""
    issued = cloud.tokens.get(request.headers.get(TOKEN_HEADER, ""))
    if not isinstance(issued, Issued) or issued.expires_s <= now:
        return unauthenticated(request)
    account = cloud.account(issued.account_id)
    if account is None:
        return unauthenticated(request)
    rules = cloud.quirks.get("access_rules")
    if (
        issued.method == "application_credential"
        and rules is not None
        and not any(fnmatchcase(action, rule) for rule in rules)
    ):
        return unauthenticated(request)
    return Caller(
        account,
        issued.project,
        is_admin_project=is_admin_project(cloud, issued.project),
        is_cloud_reader=account.role in cloud.quirks.get("cloud_readers", []),
    )


def is_admin_project(cloud: Cloud, project: str) -> bool:
    """Return whether an administrator of the project is one of the whole cloud."""
    return bool(cloud.quirks.get("admin_project", project) == project)


def error(status: int, message: str) -> httpx.Response:
    """Return an error in Keystone's shape."""
    title = http.HTTPStatus(status).phrase
    return httpx.Response(
        status, json={"error": {"code": status, "message": message, "title": title}}
    )


def unauthenticated(
    request: httpx.Request,
    message: str = "The request you have made requires authentication.",
) -> httpx.Response:
    """Return the 401 of Keystone and of every service behind its middleware."""
    response = error(401, message)
    response.headers["www-authenticate"] = f'Keystone uri="{request.url.copy_with(path="/")}"'
    return response


Scope = dict[str, Any] | None


def _token_request(request: httpx.Request) -> tuple[str, dict[str, Any], Scope]:
    """Return method, credentials and scope of a token request; no method if it is malformed."""
    auth = _table(_json(request), "auth")
    identity = _table(auth, "identity")
    methods = identity.get("methods")
    method = methods[0] if isinstance(methods, list) and len(methods) == 1 else ""
    scope = auth.get("scope")
    return (
        method if isinstance(method, str) else "",
        _table(identity, str(method)),
        scope if isinstance(scope, dict) else None,
    )


def _json(request: httpx.Request) -> dict[str, Any]:
    try:
        body = httpx.Response(200, content=request.content).json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _table(row: dict[str, Any], key: str) -> dict[str, Any]:
    value = row.get(key)
    return value if isinstance(value, dict) else {}


def _text(row: dict[str, Any], key: str) -> str:
    value = row.get(key)
    return value if isinstance(value, str) else ""


def _account(cloud: Cloud, method: str, credentials: dict[str, Any]) -> Account | None:
    """Return the account that the credentials name; the secret is not checked."""
    user = _table(credentials, "user")
    if method == "password":
        return next((a for a in cloud.accounts if _is_user(a, user)), None)
    if method != "application_credential":
        return None
    if "id" in credentials:
        return next(
            (a for a in cloud.accounts if _text(credentials, "id") in a.app_credentials), None
        )
    return next(
        (
            a
            for a in cloud.accounts
            if _is_user(a, user) and _text(credentials, "name") in a.app_credentials
        ),
        None,
    )


def _authenticated(
    cloud: Cloud, method: str, credentials: dict[str, Any], now: float
) -> Account | None:
    """Return the account that the credentials name, None if the secret is wrong."""
    if method == "token":
        issued = cloud.tokens.get(_text(credentials, "id"))
        if isinstance(issued, Issued) and issued.expires_s > now:
            return cloud.account(issued.account_id)
        return None
    account = _account(cloud, method, credentials)
    if account is None or not _is_secret_valid(account, method, credentials):
        return None
    return account


def _is_user(account: Account, user: dict[str, Any]) -> bool:
    if not account.user:
        return False
    if "id" in user:
        return bool(user["id"] == account.id)
    return user.get("name") == account.user and _is_domain(account, _table(user, "domain"))


def _is_domain(account: Account, domain: dict[str, Any]) -> bool:
    return domain.get("id") == domain_id(account) or domain.get("name") == account.domain


def _is_secret_valid(account: Account, method: str, credentials: dict[str, Any]) -> bool:
    if method == "password":
        given = _table(credentials, "user").get("password")
        return bool(account.password) and given == account.password
    credential = _text(credentials, "id" if "id" in credentials else "name")
    return credentials.get("secret") == account.app_credentials[credential]


def _project(account: Account, scope: Scope) -> str | None:
    """Return the project of a scope, None without a role there; without a scope, the first one."""
    wanted = _table(scope or {}, "project")
    if not wanted:
        return account.projects[0] if account.projects else None
    # In clouds with their own Keystone the domain of a project may be left out.
    domain = _table(wanted, "domain")
    if "id" not in wanted and domain and not _is_domain(account, domain):
        return None
    for project in account.projects:
        if project == wanted.get("id") or project_name(account, project) == wanted.get("name"):
            return project
    return None
