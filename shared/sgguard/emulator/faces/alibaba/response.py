"""Responses of the emulated Alibaba Cloud ECS: success or error, as JSON or XML."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from xml.sax.saxutils import escape

import httpx

HOST = "ecs.aliyuncs.com"

_XML_HEAD = "<?xml version='1.0' encoding='UTF-8'?>"
_STATUS = {
    "DependencyViolation": 403,
    "Forbidden.RAM": 403,
    "InstanceSecurityGroupLimitExceeded": 403,
    "InternalError": 500,
    "InvalidOperation.ResourceManagedByCloudProduct": 403,
    "OperationConflict": 409,
    "SecurityGroupInstanceLimitExceeded": 403,
    "ServiceUnavailable": 503,
}


class RefusedError(Exception):
    """A call that is refused, with the API's own code and message."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(code)
        self.code = code
        self.message = message
        self.status = status


def status_of(code: str) -> int:
    """Return the documented HTTP status of an error code."""
    return 404 if code.endswith(".NotFound") else _STATUS.get(code, 400)


def success(action: str, fields: Mapping[str, Any], *, is_json: bool) -> httpx.Response:
    """Return the response to an action."""
    return _response(200, f"{action}Response", {**fields, "RequestId": _request_id()}, is_json)


def failure(error: RefusedError, *, is_json: bool) -> httpx.Response:
    """Return an error response."""
    fields = {
        "RequestId": _request_id(),
        "HostId": HOST,
        "Code": error.code,
        "Message": error.message,
    }
    return _response(error.status, "Error", fields, is_json)


def _response(status: int, root: str, fields: Mapping[str, Any], is_json: bool) -> httpx.Response:  # noqa: FBT001 - private
    if is_json:
        response = httpx.Response(status, json=fields)
        response.headers["content-type"] = "application/json;charset=utf-8"
        return response
    return httpx.Response(
        status,
        headers={"content-type": "text/xml;charset=utf-8"},
        content=f"{_XML_HEAD}{_element(root, fields)}".encode(),
    )


def _element(name: str, value: Any) -> str:
    if isinstance(value, list):
        return "".join(_element(name, item) for item in value)
    if isinstance(value, Mapping):
        inner = "".join(_element(key, item) for key, item in value.items())
    elif isinstance(value, bool):
        inner = str(value).lower()
    else:
        inner = escape(str(value))
    return f"<{name}>{inner}</{name}>"


def _request_id() -> str:
    return str(uuid.uuid4()).upper()
