"""What Huawei Cloud and Open Telekom Cloud mean when they refuse.

The gateway, VPC v1, v2.0 and v3, ECS v1, the native Nova calls and IAM each have their own error
body (:mod:`sgguard.wire.openstack.neutron.error` reads them all); which kind of error a code is,
how long the gateway wants us to wait and that a 200 may hold failures is said here. Codes:
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

That says nothing about what the API would have answered: it is never "no such group".
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
_STANDS_IN_THE_WAY = ("VPC.9902", 409)
"""A group to delete is in use, a rule to create is there already.

With any other status the same code says that a rule is malformed.
"""

_WINDOW = re.compile(r"limit:\d+,\s*time:(\d+)\s*(second|minute|hour|day)")
_UNIT_S = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


def checker(provider: str, action: str) -> Check:
    """Return the check that raises what an answer to the action stands for."""

    def check(response: httpx.Response) -> None:
        if error := error_of(response, provider, action):
            raise error

    return check


def error_of(response: httpx.Response, provider: str, action: str) -> CloudError | None:
    """Return the error an answer stands for, None when it is good.

    A 404 whose body does not name what was asked for is an unknown shape: it may be a proxy's.
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
    if (refusal.code, status) == _STANDS_IN_THE_WAY:
        return InUseError if action.startswith("DELETE ") else ConflictError
    if kind := _BY_CODE.get(refusal.code) or _BY_STATUS.get(status):
        return kind
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return UnavailableError
    if not refusal.code or status == httpx.codes.NOT_FOUND:
        return UnknownShapeError
    return CloudError


def _first_failure(response: httpx.Response) -> Refusal | None:
    """Return the first failure of a batch that was answered with 200 all the same."""
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
    """Return the wait in seconds; the gateway tells its window only inside the sentence."""
    wait_s = retry_after_s(response)
    if wait_s is not None or _BY_CODE.get(refusal.code) is not ThrottledError:
        return wait_s
    window = _WINDOW.search(refusal.message)
    return float(int(window[1]) * _UNIT_S[window[2]]) if window else None
