"""Responses of an emulated Huawei Cloud, and the checks of a VPC v3 body that raise them.

The gateway, VPC v3 and ECS have error bodies of their own. A change of VPC v3 is refused by raising
:class:`RefusedError`, which carries the response.
"""

from __future__ import annotations

import json
from typing import Any

import httpx

from sgguard.emulator.faces.base import call_in, not_emulated, word_hint

Row = dict[str, Any]

_STATUS = {
    "APIGW.0101": 404,
    "APIGW.0301": 401,
    "APIGW.0303": 401,
    "APIGW.0308": 429,
    "VPC.0007": 400,
    "SYS.0400": 400,
    "VPC.0601": 400,
    "VPC.0603": 404,
    "VPC.0607": 400,
    "VPC.1207": 400,
    "VPC.2201": 403,
    "VPC.9902": 409,
    "VPC.9904": 404,
    "VPC.9905": 409,
}
_ERROR_REQUEST_ID = "5c1d3e7f0a9b4c2d8e6f1a2b3c4d5e6f"
_REQUEST_ID = "0b8e62da2545ee0af708a86093a7fb62"


def ok(**parts: Any) -> httpx.Response:
    """Return a successful response of VPC v3 to a read or a change."""
    return httpx.Response(200, json={"request_id": _REQUEST_ID, **parts})


def created(**parts: Any) -> httpx.Response:
    """Return a successful response of VPC v3 to a creation."""
    return httpx.Response(201, json={"request_id": _REQUEST_ID, **parts})


class RefusedError(Exception):
    """A change that is refused; ``response`` is the error to send."""

    def __init__(self, response: httpx.Response) -> None:
        super().__init__(response.status_code)
        self.response = response


def refused(code: str, message: str, status: int = 0) -> RefusedError:
    """Return the exception that ends a change with :func:`error`."""
    return RefusedError(error(code, message, status))


def not_found(name: str, wanted: str) -> httpx.Response:
    """Return the error of VPC v3 for an unknown id."""
    text = f"{name.capitalize()} {wanted} could not be found.{word_hint(wanted)}"
    return error("VPC.9904", text)


def error(code: str, message: str, status: int = 0) -> httpx.Response:
    """Return an error in the shape that VPC v3 and the gateway share; an unknown code is a 500."""
    return httpx.Response(
        status or _STATUS.get(code, 500),
        headers={"x-request-id": _ERROR_REQUEST_ID},
        json={"request_id": _ERROR_REQUEST_ID, "error_msg": message, "error_code": code},
    )


def bad_signature(reason: str) -> httpx.Response:
    """Return the gateway's error for a signature it does not accept."""
    return error("APIGW.0301", f"Incorrect IAM authentication information: {reason}")


def expired() -> httpx.Response:
    """Return the gateway's error for a date too far from its clock."""
    return error("APIGW.0303", "Incorrect app authentication information: signature expired")


def throttled(window: str = "1 second") -> httpx.Response:
    """Return the gateway's error for too many calls in a window."""
    return error(
        "APIGW.0308",
        "The throttling threshold has been reached: "
        f"policy user over ratelimit,limit:200,time:{window}",
    )


def unpublished() -> httpx.Response:
    """Return the gateway's error for an API that is not published here."""
    return error(
        "APIGW.0101",
        "The API does not exist or has not been published in the environment",
    )


def not_implemented(request: httpx.Request) -> httpx.Response:
    """Return the gateway's code for an unknown API, for a call that is not emulated."""
    return error("APIGW.0101", not_emulated(call_in(request)))


def wrong_project(project: str) -> httpx.Response:
    """Return the error for a project in the address that is not the caller's."""
    return error("VPC.0007", f"urlTenantId is not equal tokenTenantId: {project}")


def ecs_error(status: int, code: str, message: str) -> httpx.Response:
    """Return an error in the shape of ECS v1."""
    return httpx.Response(status, json={"error": {"code": code, "message": message}})


def wrapped(response: httpx.Response) -> httpx.Response:
    """Return a Neutron error as some deployments send it: as JSON inside a string."""
    return httpx.Response(
        response.status_code,
        json={"code": "VPC.0602", "message": json.dumps(response.json())},
    )


def json_of(request: httpx.Request) -> Row:
    """Return a body that is a JSON object; an empty one for any other body."""
    try:
        body = json.loads(request.content)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def body_of(request: httpx.Request, key: str, known: frozenset[str]) -> Row:
    """Return the object ``key`` of a change's body; fields that are null are left out.

    Raises:
        RefusedError: it is missing, or has a field that is not in ``known``.
    """
    fields = json_of(request).get(key)
    if not isinstance(fields, dict):
        raise refused("SYS.0400", f"{key} is required.")
    if unknown := sorted(set(fields) - known):
        raise refused("SYS.0400", f"'{unknown[0]}' isn't supported attribute.")
    return {name: value for name, value in fields.items() if value is not None}


def group_ids(row: Row) -> list[str]:
    """Return the group ids of a change of an interface.

    Raises:
        RefusedError: they are missing, repeated, or not a list of texts.
    """
    ids = row.get("security_groups")
    if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
        raise refused("SYS.0400", "security_groups must be a list of ids and not be empty.")
    if len(set(ids)) != len(ids):
        raise refused("SYS.0400", "Invalid input for security_groups. Duplicate items in the list")
    return ids
