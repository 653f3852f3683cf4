"""The error bodies of OpenStack and its copies, as error classes.

Shapes read here: ``{"NeutronError": {type, message, detail}}``; the same as JSON inside the
``message`` of ``{"code": "VPC.0602", "message": "…"}``; ``{code, message}``;
``{error_code, error_msg}`` (Huawei VPC v3, API gateway); ``{"itemNotFound": {code, message}}`` and
its siblings (Nova); ``{"error": {code, title, message}}`` (Keystone, every service's 401, ECS v1).
"""

from __future__ import annotations

import json
import math
from typing import Any

import httpx
import msgspec

from sgguard.errors import (
    ApiAbsentError,
    CloudError,
    InvalidRequestError,
    NotFoundError,
    UnavailableError,
    UnknownShapeError,
)
from sgguard.wire.openstack.neutron.codes import BY_STATUS, CODES

_ERROR_KEYS = ("NeutronError", "error_code", "errorCode", "error")


class Refusal(msgspec.Struct, frozen=True):
    """The content of an error body. ``code`` is empty when its shape is not known.

    ``outer_code`` is the wrapper's own code where the real error was inside a text.
    """

    code: str = ""
    message: str = ""
    outer_code: str = ""


def is_refusal(response: httpx.Response) -> bool:
    """Return whether a response is an error, also one with a successful status.

    Gateways respond with 200, an error and an empty list: that list is not empty, but unknown.
    """
    if not response.is_success:
        return True
    if not any(f'"{key}"'.encode() in response.content for key in (*_ERROR_KEYS, "message")):
        return False
    try:
        body = response.json()
    except (ValueError, RecursionError):
        return False
    if not isinstance(body, dict):
        return False
    return any(key in body for key in _ERROR_KEYS) or {"code", "message"} <= set(body)


def read_refusal(response: httpx.Response) -> Refusal:
    """Return the content of an error response; an unknown body has no code, nothing is raised."""
    try:
        body = response.json()
    except ValueError:
        return Refusal()
    return _read(body)


def _read(body: Any) -> Refusal:
    if not isinstance(body, dict):
        return Refusal()
    neutron = body.get("NeutronError")
    if isinstance(neutron, dict):
        return Refusal(_text(neutron.get("type")), _text(neutron.get("message")))
    if isinstance(neutron, str):
        # Neutron's own rendering of an error it has no class for: the text alone.
        return Refusal("NeutronError", neutron)
    for code_key, text_key in (
        ("error_code", "error_msg"),
        ("errorCode", "errorMsg"),
        ("code", "message"),
    ):
        if body.get(code_key) is not None and body.get(text_key) is not None:
            return _unwrapped(_text(body[code_key]), _text(body[text_key]))
    return _nested(body)


def _unwrapped(code: str, message: str) -> Refusal:
    """Return the error inside the text of another one, where there is one."""
    if message.lstrip().startswith("{"):
        try:
            inner = _read(json.loads(message))
        except ValueError:
            inner = Refusal()
        if inner.code:
            return Refusal(inner.code, inner.message, outer_code=code)
    return Refusal(code, message)


def _nested(body: dict[str, Any]) -> Refusal:
    """Read ``{"itemNotFound": {…}}`` and ``{"error": {…}}``: one key that names the error."""
    if len(body) != 1:
        return Refusal()
    ((name, inside),) = body.items()
    if not isinstance(inside, dict) or "message" not in inside:
        return Refusal()
    message = _text(inside["message"])
    if name != "error":
        return Refusal(name, message)
    code = inside.get("code")
    title = _text(inside.get("title"))
    return Refusal(title if isinstance(code, int) and title else _text(code), message)


def _text(value: object) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


def error_of(provider: str, action: str, response: httpx.Response) -> CloudError:
    """Return the error that an unsuccessful response stands for.

    A 404 is :class:`NotFoundError` only when the body names the requested object: a wrong address,
    or a proxy's own page, must not read as "the group does not exist".
    """
    refusal = read_refusal(response)
    kind = _kind(response.status_code, refusal.code)
    detail = refusal.message
    if not refusal.code:
        detail = f"an error body of unknown shape ({len(response.content)} bytes)"
    return kind(
        provider,
        action,
        code=refusal.code,
        detail=detail,
        status=response.status_code,
        request_id=request_id(response),
        retry_after_s=retry_after_s(response),
    )


def _kind(status: int, code: str) -> type[CloudError]:
    """Return the class of an error; the tables are in :mod:`.codes`."""
    if status in BY_STATUS:
        return BY_STATUS[status]
    known = CODES.get(code, CloudError) if code else UnknownShapeError
    if status == httpx.codes.NOT_FOUND:
        return known if known is NotFoundError else UnknownShapeError
    if known is ApiAbsentError:
        return known
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return UnavailableError
    if code and code not in CODES and status == httpx.codes.BAD_REQUEST:
        return InvalidRequestError
    return known


def request_id(response: httpx.Response) -> str:
    """Return the vendor's request id, empty when there is none."""
    headers = response.headers
    return str(headers.get("x-openstack-request-id") or headers.get("x-request-id") or "")


def retry_after_s(response: httpx.Response) -> float | None:
    """Return the requested wait in seconds, None when there is none (or it is a date)."""
    try:
        seconds = float(response.headers.get("retry-after", ""))
    except ValueError:
        return None
    return seconds if math.isfinite(seconds) and seconds >= 0 else None
