"""Least privilege on OpenStack: an application credential that may make these calls alone.

Its ``access_rules`` are checked by the services before their own policy files, so no file of the
cloud has to be changed. What is not in them is refused with 401.
https://docs.openstack.org/keystone/latest/user/application_credentials.html (read 2026-11).
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from sgguard.model.codes import DeleteRemedy, LaunchRemedy
from sgguard.providers._permissions import CHANGE, RULES, Json, Permission, granted

HOW = (
    "Create it by POST /v3/users/{user_id}/application_credentials as the user of the function; "
    "the services need service_type in their [keystone_authtoken]. Where a service has its place "
    "below a path, such as /networking, put that before its paths. A whole cloud is seen only by "
    "a role that reads every project: name it in place of reader."
)

_HOLDERS = (
    *(DeleteRemedy.UNBIND, DeleteRemedy.MOVE),
    *(LaunchRemedy.BIND, LaunchRemedy.QUARANTINE),
)


def _of(action: str, brings: str, *needs: str) -> Permission:
    wanted = {"needs": needs} if needs else {}
    return Permission(action, (action,), brings, **wanted)


PERMISSIONS: Sequence[Permission] = (
    _of("GET /v2.0/security-groups", "groups"),
    _of("GET /v2.0/security-groups/{id}", "rules"),
    _of("GET /v2.0/security-group-rules", "who references a group"),
    _of("GET /v2.0/ports", "what carries a group"),
    _of("GET /v2.0/rbac-policies", "whether a group is shared with other projects"),
    # The rules of a credential are compared with the path as it is sent, ending included.
    Permission("GET /v2.0/quotas/{id}/details", ("GET /v2.0/quotas/{id}/details.json",), "limits"),
    _of("GET /v2.0/quotas/{id}", "limits, where Neutron does not tell how much of them is used"),
    _of("GET /v2.0/extensions", "whether Neutron keeps referenced groups"),
    _of("GET /v2.1/servers/{id}", "state of a server"),
    _of("GET /v2.1/servers/{id}/os-security-groups", "groups of a server"),
    _of("DELETE /v2.0/security-groups/{id}", "deleting a group", CHANGE),
    _of("POST /v2.0/security-groups", "restoring a deleted group", CHANGE),
    _of("PUT /v2.0/security-groups/{id}/tags", "restoring the tags of a group", CHANGE),
    _of("POST /v2.0/rbac-policies", "restoring whom a group is shared with", CHANGE),
    _of("POST /v2.0/security-group-rules", "rewriting or restoring a rule", CHANGE),
    _of(
        "DELETE /v2.0/security-group-rules/{id}",
        "revoking a rule, and those that the cloud gives to a restored group",
        CHANGE,
        *RULES,
    ),
    _of("GET /v2.0/ports/{id}", "a port and its revision, before it is changed", *_HOLDERS),
    _of("PUT /v2.0/ports/{id}", "unbinding a port, or moving it to other groups", *_HOLDERS),
)


def document(permissions: Sequence[Permission]) -> Json:
    """Return the body of a request for an application credential."""
    is_reading = all(name.startswith("GET ") for name in granted(permissions))
    rules = [_rule(name) for name in granted(permissions)]
    credential = {
        "name": "sgguard",
        "roles": [{"name": "reader" if is_reading else "member"}],
        "access_rules": rules,
    }
    return {"application_credential": credential}


def _rule(action: str) -> dict[str, str]:
    method, path = action.split(" ")
    service = "compute" if path.startswith("/v2.1/") else "network"
    return {"service": service, "method": method, "path": re.sub(r"\{[^}]*\}", "*", path)}
