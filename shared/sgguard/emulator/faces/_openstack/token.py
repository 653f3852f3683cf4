"""The contents of an emulated Keystone token: roles, project, catalog, times."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sgguard.emulator.state import Account

_ROLES = {
    # A role implies those after it, and a token lists them all.
    "admin": ("admin", "member", "reader"),
    "member": ("member", "reader"),
    "reader": ("reader",),
}


@dataclass(frozen=True, slots=True)
class Issued:
    """One token that the cloud issued. ``expires_s`` is in epoch seconds."""

    account_id: str
    project: str
    method: str
    expires_s: float


@dataclass(frozen=True, slots=True)
class Service:
    """One catalog entry: a type, a name and its address by region."""

    type: str
    name: str
    urls: Mapping[str, str]


def project_name(account: Account, project: str) -> str:
    """Return the name of a project, which is its id if it has none."""
    return account.project_names.get(project, project)


def domain_id(account: Account) -> str:
    """Return the id of an account's domain: its name in lower case, as of ``Default``."""
    return account.domain.lower()


def token_body(
    account: Account,
    issued: Issued,
    now: float,
    services: Sequence[Service],
) -> dict[str, Any]:
    """Return the ``token`` object of a response."""
    project = issued.project
    domain = {"id": domain_id(account), "name": account.domain}
    return {
        "methods": [issued.method],
        "user": {
            "domain": domain,
            "id": account.id,
            "name": account.user,
            "password_expires_at": None,
        },
        "audit_ids": [secrets.token_urlsafe(16)],
        "issued_at": _time(now),
        "expires_at": _time(issued.expires_s),
        "project": {"domain": domain, "id": project, "name": project_name(account, project)},
        "is_domain": False,
        "roles": [
            {"id": f"role-{name}", "name": name}
            for name in _ROLES.get(account.role, (account.role,))
        ],
        "catalog": [_catalog_entry(service) for service in services],
    }


def _catalog_entry(service: Service) -> dict[str, Any]:
    return {
        "type": service.type,
        "name": service.name,
        "id": f"service-{service.name}",
        "endpoints": [
            {
                "id": f"{service.name}-{interface}-{region}",
                "interface": interface,
                "region": region,
                "region_id": region,
                "url": url,
            }
            for region, url in service.urls.items()
            for interface in ("public", "internal", "admin")
        ],
    }


def _time(epoch_s: float) -> str:
    return datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
