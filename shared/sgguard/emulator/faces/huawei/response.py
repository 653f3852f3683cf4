"""How an emulated Huawei Cloud refuses: the gateway's, VPC's and ECS's own error bodies."""

from __future__ import annotations

import json
from typing import Any

import httpx

_STATUS = {
    "APIGW.0101": 404,
    "APIGW.0301": 401,
    "APIGW.0303": 401,
    "APIGW.0308": 429,
    "VPC.0007": 400,
    "SYS.0400": 400,
    "VPC.0601": 400,
    "VPC.0607": 400,
    "VPC.1207": 400,
    "VPC.2201": 403,
    "VPC.9902": 409,
    "VPC.9904": 404,
    "VPC.9905": 409,
}
_REQUEST_ID = "5c1d3e7f0a9b4c2d8e6f1a2b3c4d5e6f"


class RefusedError(Exception):
    """A change that is not carried out; ``answer`` says why in this cloud's words."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


def refused(code: str, message: str, status: int = 0) -> RefusedError:
    """Return the error that ends a change with :func:`refusal`."""
    return RefusedError(refusal(code, message, status))


def missing(name: str, wanted: str) -> httpx.Response:
    """Return the answer of VPC v3 to an id nothing has."""
    return refusal("VPC.9904", f"{name.capitalize()} {wanted} could not be found.")


def refusal(code: str, message: str, status: int = 0) -> httpx.Response:
    """Return an error in the shape that VPC v3 and the gateway share; an unknown code is a 500."""
    return httpx.Response(
        status or _STATUS.get(code, 500),
        headers={"x-request-id": _REQUEST_ID},
        json={"request_id": _REQUEST_ID, "error_msg": message, "error_code": code},
    )


def signature(why: str) -> httpx.Response:
    """Return the gateway's answer to a signature it does not accept."""
    return refusal("APIGW.0301", f"Incorrect IAM authentication information: {why}")


def skew() -> httpx.Response:
    """Return the gateway's answer to a date too far from its clock."""
    return refusal("APIGW.0303", "Incorrect app authentication information: signature expired")


def throttled(window: str = "1 second") -> httpx.Response:
    """Return the gateway's answer to too many calls in a window."""
    return refusal(
        "APIGW.0308",
        "The throttling threshold has been reached: "
        f"policy user over ratelimit,limit:200,time:{window}",
    )


def absent() -> httpx.Response:
    """Return the gateway's answer to an API that is not published here."""
    return refusal(
        "APIGW.0101",
        "The API does not exist or has not been published in the environment",
    )


def wrong_project(project: str) -> httpx.Response:
    """Return the answer to a project in the address that is not the caller's."""
    return refusal("VPC.0007", f"urlTenantId is not equal tokenTenantId: {project}")


def ecs(status: int, code: str, message: str) -> httpx.Response:
    """Return an error in the shape of ECS v1."""
    return httpx.Response(status, json={"error": {"code": code, "message": message}})


def wrapped(response: httpx.Response) -> httpx.Response:
    """Return a Neutron error as some deployments send it: as JSON inside a string."""
    return httpx.Response(
        response.status_code,
        json={"code": "VPC.0602", "message": json.dumps(response.json())},
    )


# What the body of a change of VPC v3 says, and what the API refuses to read.

Said = dict[str, Any]


def said(request: httpx.Request, key: str, known: frozenset[str]) -> Said:
    """Return the object a change is about; keys without a value are left out.

    Raises:
        RefusedError: it is missing, or has a key that the API does not know.
    """
    try:
        whole = json.loads(request.content)
    except ValueError:
        whole = None
    found = whole.get(key) if isinstance(whole, dict) else None
    if not isinstance(found, dict):
        raise refused("SYS.0400", f"{key} is required.")
    if unknown := sorted(set(found) - known):
        raise refused("SYS.0400", f"'{unknown[0]}' isn't supported attribute.")
    return {name: value for name, value in found.items() if value is not None}


def group_ids(row: Said) -> list[str]:
    """Return the groups a change of an interface names.

    Raises:
        RefusedError: there is none, one twice, or something else than a list of texts.
    """
    ids = row.get("security_groups")
    if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
        raise refused("SYS.0400", "security_groups must be a list of ids and not be empty.")
    if len(set(ids)) != len(ids):
        raise refused("SYS.0400", "Invalid input for security_groups. Duplicate items in the list")
    return ids
