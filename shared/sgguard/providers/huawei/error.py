"""The errors of Huawei Cloud and Open Telekom Cloud: codes as error classes, and requested waits.

The gateway, VPC v1, v2.0 and v3, ECS v1, the native Nova calls and IAM each have their own error
body (:mod:`sgguard.wire.openstack.neutron.error` reads them all). This module finds the error class
of a response (:mod:`sgguard.providers.huawei.codes` is the table), reads the wait that the gateway
requests, and finds failures inside a 200.
"""

from __future__ import annotations

import re

import httpx

from sgguard.errors import (
    CloudError,
    ForbiddenError,
    InvalidRequestError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
    UnknownShapeError,
)
from sgguard.providers.huawei import codes
from sgguard.wire.client import Check
from sgguard.wire.openstack.neutron.error import (
    Refusal,
    is_refusal,
    read_refusal,
    request_id,
    retry_after_s,
)

_BY_STATUS: dict[int, type[CloudError]] = {
    401: UnauthenticatedError,
    403: ForbiddenError,
    429: ThrottledError,
}
_WRONG_REQUEST = frozenset({400, 405, 413, 414, 422, 494})
"""No later request with the same content succeeds; 494 is the gateway's "headers too large"."""

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
    method = action.partition(" ")[0]
    if kind := codes.kind_of(refusal.code, status, method) or _BY_STATUS.get(status):
        return kind
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return UnavailableError
    if not refusal.code or status == httpx.codes.NOT_FOUND:
        return UnknownShapeError
    # ECS says with 400 that its own system failed, too, so a code of it that is not known may pass.
    is_wrong = status in _WRONG_REQUEST and not refusal.code.startswith("Ecs.")
    return InvalidRequestError if is_wrong else CloudError


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
    if wait_s is not None or codes.BY_CODE.get(refusal.code) is not ThrottledError:
        return wait_s
    window = _WINDOW.search(refusal.message)
    return float(int(window[1]) * _UNIT_S[window[2]]) if window else None
