"""Error responses of Neutron, and the checks of a request that raise them.

A change is refused by raising :class:`RefusedError`, which carries the response.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

import httpx

from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces.base import call_in, not_emulated

_REVISION = re.compile(r"revision_number=(\d+)")


class RefusedError(Exception):
    """A change that is refused; ``response`` is the error to send."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def error(status: int, kind: str, message: str) -> httpx.Response:
    """Return an error in Neutron's shape."""
    return httpx.Response(
        status, json={"NeutronError": {"type": kind, "message": message, "detail": ""}}
    )


def not_implemented(request: httpx.Request) -> httpx.Response:
    """Return the error for a call that is not emulated.

    It is no 404: clients take that for a resource that is not there, or is gone already.
    """
    return error(501, "NotImplemented", not_emulated(call_in(request)))


def forbidden(action: str) -> httpx.Response:
    """Return the error for a caller whose role does not allow an action."""
    return error(403, "PolicyNotAuthorized", f"rule:{action} is disallowed by policy")


def not_shown() -> httpx.Response:
    """Return the 404 for a resource that exists and that the policy does not show."""
    return error(404, "HTTPNotFound", "The resource could not be found.")


def refused(status: int, kind: str, message: str) -> RefusedError:
    """Return the exception that ends a change with :func:`error`."""
    return RefusedError(error(status, kind, message))


def bad_request(message: str) -> RefusedError:
    """Return the exception for an invalid body."""
    return refused(400, "HTTPBadRequest", message)


def no_such_group(group_id: str) -> RefusedError:
    """Return the exception for a group that does not exist or is not visible."""
    return refused(404, "SecurityGroupNotFound", f"Security group {group_id} does not exist")


def require_owner(caller: Caller, project: str, action: str) -> None:
    """Require a member of the project, or an administrator.

    Raises:
        RefusedError: 403.
    """
    if not caller.may_write or not (caller.is_admin or project == caller.project):
        raise RefusedError(forbidden(action))


def require_revision(request: httpx.Request, revision: int) -> None:
    """Require that a request names this revision or none.

    A value that does not parse is ignored, and the change is made, as in the real Neutron.

    Raises:
        RefusedError: 412.
    """
    condition = _REVISION.fullmatch(request.headers.get("if-match", ""))
    if condition and int(condition[1]) != revision:
        raise refused(
            412,
            "RevisionNumberConstraintFailed",
            f"Constrained to {condition[1]}, but current revision is {revision}",
        )


def body_of(request: httpx.Request, name: str, known: Collection[str]) -> dict[str, Any]:
    """Return the object ``name`` of a body.

    Raises:
        RefusedError: 400, it is missing or has an attribute that is not in ``known``.
    """
    return checked(json_of(request).get(name), name, known)


def bodies_of(request: httpx.Request, name: str, known: Collection[str]) -> list[dict[str, Any]]:
    """Return the object ``name`` of a body, or the objects of its list (``name`` with an s).

    Raises:
        RefusedError: as :func:`body_of`.
    """
    many = json_of(request).get(f"{name}s")
    if isinstance(many, list) and many:
        return [checked(one, name, known) for one in many]
    return [body_of(request, name, known)]


def checked(value: object, name: str, known: Collection[str]) -> dict[str, Any]:
    """Return an object that has known attributes only.

    Raises:
        RefusedError: 400.
    """
    if not isinstance(value, dict):
        raise bad_request(f"Failed to parse request. Required attribute '{name}' not specified")
    if unknown := sorted(set(value) - set(known)):
        raise bad_request(f"Unrecognized attribute(s) '{', '.join(unknown)}'")
    return value


def project_in(body: dict[str, Any], caller: Caller) -> str:
    """Return the project of a new resource: only an administrator may name another one.

    Raises:
        RefusedError: 400.
    """
    project = body.get("project_id") or body.get("tenant_id") or caller.project
    if project != caller.project and not caller.is_admin:
        raise bad_request(
            "Specifying 'project_id' or 'tenant_id' other than the authenticated project in "
            "request requires admin privileges"
        )
    return str(project)


def text_in(body: dict[str, Any], name: str, longest: int = 255) -> str:
    """Return a text of a body, empty when it is missing.

    Raises:
        RefusedError: 400, it is not a text or too long.
    """
    value = body.get(name, "")
    if not isinstance(value, str):
        raise bad_request(f"Invalid input for {name}. Reason: '{value}' is not a valid string.")
    if len(value) > longest:
        raise bad_request(
            f"Invalid input for {name}. Reason: '{value}' exceeds maximum length of {longest}."
        )
    return value


def json_of(request: httpx.Request) -> dict[str, Any]:
    """Return a body, which must be a JSON object.

    Raises:
        RefusedError: 400.
    """
    try:
        body = json.loads(request.content)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise bad_request("Request body is not valid JSON, or is no object.")
    return body
