"""Keystone v3: the request for a token, and the token with its roles and catalog.

``POST {auth_url}/auth/tokens`` with an identity and a scope responds with 201, the token in the
header ``X-Subject-Token``, and roles, project, catalog and expiry in the body. Calls send it as
``X-Auth-Token`` (:mod:`sgguard.wire.openstack.keystone_auth`).
https://docs.openstack.org/api-ref/identity/v3/#authentication-and-token-management (read 2026-11).
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, Literal

import httpx
import msgspec

from sgguard import hiding
from sgguard.errors import SettingsError
from sgguard.telemetry.redaction import remember
from sgguard.wire.address import is_address
from sgguard.wire.client import parse_json
from sgguard.wire.openstack.catalog import Catalog, parse_catalog
from sgguard.wire.openstack.neutron.error import error_of
from sgguard.wire.shape import Json, Shape

TOKEN_ACTION = "POST /v3/auth/tokens"  # noqa: S105 - the name of a call, not a secret
Method = Literal["password", "application_credential", "token"]


class NameOrId(msgspec.Struct, frozen=True):
    """A user or project by id, or by name inside a domain (itself by id or name)."""

    id: str = ""
    name: str = ""
    domain_id: str = ""
    domain_name: str = ""

    def body(self) -> dict[str, Any]:
        """Return it as Keystone takes it: the id alone, or name and domain."""
        if self.id:
            return {"id": self.id}
        domain = {"id": self.domain_id} if self.domain_id else {"name": self.domain_name}
        return {"name": self.name} | ({"domain": domain} if any(domain.values()) else {})

    def __bool__(self) -> bool:
        return bool(self.id or self.name)


@hiding("secret")
class Identity(msgspec.Struct, frozen=True):
    """The credentials and the project of a token request.

    ``secret`` is the password, the application credential's secret or the token to exchange.
    ``credential_id`` or ``credential_name`` (then with ``user``) name an application credential.
    """

    auth_url: str
    method: Method
    secret: str
    user: NameOrId = NameOrId()
    credential_id: str = ""
    credential_name: str = ""
    project: NameOrId = NameOrId()

    @property
    def name(self) -> str:
        """A text that identifies the caller, without secrets."""
        parts = (self.credential_id, self.credential_name, self.user, self.project)
        return " ".join(
            part if isinstance(part, str) else part.id or f"{part.domain_name}/{part.name}"
            for part in (self.auth_url, *parts)
            if part
        )

    def body(self) -> bytes:
        """Return the token request. An application credential must not have a scope."""
        auth: dict[str, Any] = {"identity": {"methods": [self.method], self.method: self._proof()}}
        if self.project and self.method != "application_credential":
            auth["scope"] = {"project": self.project.body()}
        return json.dumps({"auth": auth}).encode()

    def _proof(self) -> dict[str, Any]:
        if self.method == "password":
            return {"user": self.user.body() | {"password": self.secret}}
        if self.method == "token":
            return {"id": self.secret}
        if self.credential_id:
            return {"id": self.credential_id, "secret": self.secret}
        return {"name": self.credential_name, "user": self.user.body(), "secret": self.secret}


@hiding("id")
class KeystoneToken(msgspec.Struct, frozen=True):
    """A token with its project, roles and catalog. ``expires_s`` is in epoch seconds.

    ``is_admin_project`` is False where the cloud has one project for its administrators and this
    token is for another: services may then limit its role ``admin`` to the project.
    """

    id: str
    expires_s: float
    project_id: str = ""
    roles: tuple[str, ...] = ()
    catalog: Catalog = msgspec.field(default_factory=Catalog)
    is_admin_project: bool = True


def parse_token(response: httpx.Response, provider: str) -> KeystoneToken:
    """Read the response to a token request.

    Raises:
        CloudError: Keystone refused (401 wrong credentials, 400 malformed, 5xx).
        UnknownShapeError: a success without token, expiry, or with a catalog that is no list.
    """
    if not response.is_success:
        raise error_of(provider, TOKEN_ACTION, response)
    shape = Shape(provider, TOKEN_ACTION)
    token_id = response.headers.get("x-subject-token", "")
    if not token_id:
        raise shape.wrong("a success without the header X-Subject-Token")
    remember(token_id)
    body = parse_json(response, provider=provider, action=TOKEN_ACTION)
    token = shape.table(shape.table(body, "answer").get("token"), "token")
    return KeystoneToken(
        id=token_id,
        expires_s=_epoch_s(shape.text(token, "expires_at", "token"), shape),
        project_id=_project_id(token, shape),
        roles=tuple(
            shape.text(role, "name", "token.roles")
            for role in shape.tables(token.get("roles", []), "token.roles")
        ),
        catalog=parse_catalog(token.get("catalog", []), shape),
        # Reported only by clouds that have such a project; elsewhere it makes no difference.
        is_admin_project=shape.flag(token, "is_admin_project", "token", otherwise=True),
    )


def _project_id(token: Json, shape: Shape) -> str:
    project = token.get("project")
    if project is None:
        return ""
    return shape.text(shape.table(project, "token.project"), "id", "token.project")


def _epoch_s(text: str, shape: Shape) -> float:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise shape.wrong("token.expires_at: not a time") from error
    if moment.tzinfo is None:
        raise shape.wrong("token.expires_at: a time without a zone")
    return moment.timestamp()


def v3_url(auth_url: str) -> str:
    """Return the v3 API of an authentication address, without a trailing slash.

    Raises:
        SettingsError: it is no http(s) address, or names the removed v2.0 API.
    """
    url = auth_url.rstrip("/")
    if not is_address(url):
        raise SettingsError(f"OS_AUTH_URL={auth_url!r} is not an address: expected https://host/v3")
    if url.endswith("/v2.0"):
        raise SettingsError(f"OS_AUTH_URL={auth_url!r} names Identity v2.0: expected one with /v3")
    return url if url.endswith("/v3") else f"{url}/v3"
