"""Calls to the Alibaba Cloud ECS API: RPC style, both signatures, envelope and error codes.

A server that loses the ``Format`` of a call responds in XML, so XML is always expected. What a code
means is in ``codes``.

Source: "Response results", help.aliyun.com, read 2026-11.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import httpx
import msgspec

from sgguard import hiding
from sgguard.errors import (
    CloudError,
    GarbledError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
    UnknownShapeError,
)
from sgguard.providers.alibaba.codes import kind_of
from sgguard.providers.alibaba.response import PROVIDER, Response
from sgguard.providers.alibaba.xml import parse_xml
from sgguard.wire.acs3 import Acs3Auth, canonical_query
from sgguard.wire.client import Wire
from sgguard.wire.rpc_v1 import RpcV1Auth

VERSION = "2014-05-26"


@hiding("wire", "auth")
class EcsClient(msgspec.Struct, frozen=True):
    """One region of the API at one address, with one signature scheme."""

    wire: Wire
    region: str
    url: str
    auth: Acs3Auth | RpcV1Auth

    def read(self, action: str, params: Mapping[str, str]) -> Response:
        """Send a read, and repeat it where the error allows that.

        Raises:
            CloudError: the call was refused, got no response, or one of unknown shape.
        """
        return self._send(action, params, is_read=True)

    def write(self, action: str, params: Mapping[str, str]) -> Response:
        """Send a change exactly once.

        Raises:
            CloudError: the cloud refused; the outcome is unknown after UnreachableError.
        """
        return self._send(action, params, is_read=False)

    def _send(self, action: str, params: Mapping[str, str], *, is_read: bool) -> Response:
        query = {"RegionId": self.region, **params}
        headers: dict[str, str] = {}
        if isinstance(self.auth, RpcV1Auth):
            query |= {"Action": action, "Version": VERSION, "Format": "JSON"}
        else:
            headers = {"x-acs-action": action, "x-acs-version": VERSION}
        responses: list[Response] = []

        def check(response: httpx.Response) -> None:
            responses.append(parse_response(response, action))

        send = self.wire.read if is_read else self.wire.write
        send(
            "POST",
            f"{self.url}/?{canonical_query(query.items())}",
            action=action,
            check=check,
            auth=self.auth,
            headers={"accept": "application/json", **headers},
        )
        return responses[-1]


def parse_response(response: httpx.Response, action: str) -> Response:
    """Return the response with its fields.

    Raises:
        CloudError: the class that stands for the vendor's code, whatever the HTTP status says.
        UnknownShapeError: neither a response to this action nor an error.
    """
    fields = _fields(response, action)
    if fields is not None and isinstance(fields.get("Code"), str) and fields["Code"]:
        raise _error(response, action, fields)
    if response.status_code >= httpx.codes.BAD_REQUEST:
        raise _error(response, action, {})
    if fields is None or response.status_code != httpx.codes.OK:
        is_garbled = fields is None and response.status_code == httpx.codes.OK
        raise (GarbledError if is_garbled else UnknownShapeError)(
            PROVIDER,
            action,
            status=response.status_code,
            detail=f"the body ({len(response.content)} bytes) is no answer to {action}",
        )
    return Response(action, fields)


def _fields(response: httpx.Response, action: str) -> dict[str, Any] | None:
    body = response.content.lstrip()
    if body.startswith(b"<"):
        return parse_xml(body, roots=(f"{action}Response", "Error"))
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return fields if isinstance(fields, dict) else None


def _error(response: httpx.Response, action: str, fields: Mapping[str, Any]) -> CloudError:
    code = str(fields.get("Code", ""))
    retry_after_s = _retry_after_s(response)
    kind = _kind(
        code, _text(fields), response.status_code, has_retry_after=retry_after_s is not None
    )
    # The message about a bad signature repeats the text that was signed, and with it the session
    # token: only the code is kept.
    is_secret = issubclass(kind, UnauthenticatedError)
    return kind(
        PROVIDER,
        action,
        code=code,
        detail=_text(fields),
        words="the cloud refuses key, signature, token or clock" if is_secret else "",
        status=response.status_code,
        request_id=str(fields.get("RequestId", "")),
        retry_after_s=retry_after_s,
    )


def _kind(code: str, message: str, status: int, *, has_retry_after: bool) -> type[CloudError]:
    if known := kind_of(code, message):
        return known
    if has_retry_after or status == httpx.codes.TOO_MANY_REQUESTS:
        return ThrottledError
    if status >= httpx.codes.INTERNAL_SERVER_ERROR:
        return UnavailableError
    return CloudError if code else UnknownShapeError


def _text(fields: Mapping[str, Any]) -> str:
    message = fields.get("Message", "")
    return message if isinstance(message, str) else ""


def _retry_after_s(response: httpx.Response) -> float | None:
    """Return the wait that the cloud requests, in seconds; its header is in milliseconds."""
    value = response.headers.get("x-acs-retry-after", "").strip()
    return int(value) / 1000 if value.isascii() and value.isdigit() and int(value) > 0 else None
