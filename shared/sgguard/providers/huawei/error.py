"""The errors of Huawei Cloud and Open Telekom Cloud: codes as error classes, and requested waits.

The gateway, VPC v1, v2.0 and v3, ECS v1, the native Nova calls and IAM each have their own error
body (:mod:`sgguard.wire.openstack.neutron.error` reads them all). This module maps codes to error
classes, reads the wait that the gateway requests, and finds failures inside a 200. Codes:
appendix of
https://docs.otc.t-systems.com/virtual-private-cloud/api-ref/ and the gateway's ``APIGW.*``
(read 2026-11).
"""

from __future__ import annotations

import re

import httpx

from sgguard.errors import (
    CloudError,
    ConflictError,
    ForbiddenError,
    InUseError,
    LimitError,
    NotFoundError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
    UnknownShapeError,
)
from sgguard.wire.client import Check
from sgguard.wire.openstack.neutron.error import (
    Refusal,
    is_refusal,
    read_refusal,
    request_id,
    retry_after_s,
)

API_ABSENT = frozenset({"APIGW.0101", "APIG.0101"})
"""The gateway (either generation of it) knows no such API here.

It never means "no such group".
"""

_BY_CODE: dict[str, type[CloudError]] = {
    **dict.fromkeys(API_ABSENT, UnknownShapeError),
    "APIGW.0301": UnauthenticatedError,
    "APIGW.0303": UnauthenticatedError,
    "APIGW.0308": ThrottledError,
    "APIG.0308": ThrottledError,
    "VPC.0008": UnauthenticatedError,
    "VPC.9904": NotFoundError,
    "VPC.9905": LimitError,
    "VPC.0603": NotFoundError,
    "VPC.0604": LimitError,
    "VPC.0607": LimitError,
    "VPC.0609": LimitError,
    "VPC.2201": ForbiddenError,
    "VPC.2701": ForbiddenError,
    "Ecs.0114": NotFoundError,
    "itemNotFound": NotFoundError,
    # Types inside a NeutronError: VPC.0602 and VPC.0612 wrap them, with 409 as well as with 500.
    "SecurityGroupInUse": InUseError,
    "SecurityGroupNotFound": NotFoundError,
    "SecurityGroupRuleNotFound": NotFoundError,
    "SecurityGroupRuleExists": ConflictError,
    "SecurityGroupDefaultAlreadyExists": ConflictError,
    "AddressGroupNotFound": NotFoundError,
    "PortNotFound": NotFoundError,
    "PolicyNotAuthorized": ForbiddenError,
    "OverQuota": LimitError,
}
_BY_STATUS: dict[int, type[CloudError]] = {
    401: UnauthenticatedError,
    403: ForbiddenError,
    429: ThrottledError,
}
_BLOCKED = ("VPC.9902", 409)
"""A group to delete is in use, or a rule to create exists.

With any other status the same code means that a rule is malformed.
"""

_WINDOW = re.compile(r"limit:\d+,\s*time:(\d+)\s*(second|minute|hour|day)")
_UNIT_S = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


def checker(provider: str, action: str) -> Check:
    """Return the check that raises the error a response to the action stands for."""

    def check(response: httpx.Response) -> None:
        if error := error_of(response, provider, action):
            raise error

    return check


def error_of(response: httpx.Response, provider: str, action: str) -> CloudError | None:
    """Return the error a response stands for, None for a success.

    A 404 whose body does not name the requested object is an unknown shape: it may be a proxy's.
    """
    refusal = read_refusal(response) if is_refusal(response) else _first_failure(response)
    if refusal is None:
        return None
    detail = refusal.message
    if not refusal.code:
        detail = f"an error body of unknown shape ({len(response.content)} bytes)"
    elif refusal.outer_code:
        detail = f"{refusal.outer_code}: {detail}"
    return _class_of(response.status_code, refusal, action)(
        provider,
        action,
        code=refusal.code,
        detail=detail,
        status=response.status_code,
        request_id=_request_id(response),
        retry_after_s=_retry_after_s(response, refusal),
    )


def _class_of(status: int, refusal: Refusal, action: str) -> type[CloudError]:
    if (refusal.code, status) == _BLOCKED:
        return InUseError if action.startswith("DELETE ") else ConflictError
    if kind := _BY_CODE.get(refusal.code) or _BY_STATUS.get(status):
        return kind
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return UnavailableError
    if not refusal.code or status == httpx.codes.NOT_FOUND:
        return UnknownShapeError
    return CloudError


def _first_failure(response: httpx.Response) -> Refusal | None:
    """Return the first failure inside a 200, as batch calls report it."""
    if b'"fail"' not in response.content:
        return None
    try:
        body = response.json()
    except ValueError:
        return None
    failures = body.get("fail") if isinstance(body, dict) else None
    if not isinstance(failures, list) or not failures:
        return None
    first = httpx.Response(response.status_code, json=failures[0])
    return read_refusal(first)


def _request_id(response: httpx.Response) -> str:
    if found := request_id(response):
        return found
    try:
        body = response.json()
    except ValueError:
        return ""
    found = body.get("request_id", "") if isinstance(body, dict) else ""
    return found if isinstance(found, str) else ""


def _retry_after_s(response: httpx.Response, refusal: Refusal) -> float | None:
    """Return the requested wait in seconds; the gateway names its window only in the message."""
    wait_s = retry_after_s(response)
    if wait_s is not None or _BY_CODE.get(refusal.code) is not ThrottledError:
        return wait_s
    window = _WINDOW.search(refusal.message)
    return float(int(window[1]) * _UNIT_S[window[2]]) if window else None
