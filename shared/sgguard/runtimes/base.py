"""What a platform module says about its platform, and what an HTTP request inside an event is."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from sgguard import hiding
from sgguard.errors import EventError
from sgguard.runtimes.credentials import Given

Json = dict[str, Any]


@hiding("headers", "body")
class HttpEvent(msgspec.Struct, frozen=True):
    """A request that a gateway took and hands over as an event."""

    method: str
    path: str
    query: Mapping[str, str] = msgspec.field(default_factory=dict)
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    body: bytes = b""
    peer: str = ""


class Platform(Protocol):
    """A module of ``platforms``."""

    CREDENTIALS: Mapping[str, str]
    """Request header in lower case, and the part of :class:`Given` it fills."""

    TIMEOUT: tuple[str, float]
    """Request header with the function's timeout, in lower case, and its unit in seconds."""

    CLOUD: str
    """The cloud whose credentials the platform gives, empty where it gives none."""

    IS_SET_UP_BY_CONTEXT: bool
    """Whether settings come with the first context and not with the process environment."""

    def given(self, context: Any) -> Given | None:
        """Return the credentials that the context of an event holds."""
        ...

    def remaining_s(self, context: Any) -> float | None:
        """Return the seconds after which the platform ends this invocation, None if unknown."""
        ...

    def setting(self, context: Any, name: str) -> str:
        """Return a variable that the operator set and only the context holds, or ``""``."""
        ...


def http_of(event: object) -> HttpEvent | None:
    """Return the request that a gateway wrapped into an event; None where the event is none.

    Whatever looks like a gateway's is one: it comes from outside, and the platform proves nothing
    about who sent it. Shapes: API gateways of Tencent and Huawei (``httpMethod``, ``path``,
    ``queryStringParameters``), Alibaba's HTTP trigger (``requestContext.http``, ``rawPath``). A
    record of Tencent's CloudAudit has an ``httpMethod`` too, and no part of a request with it.

    Raises:
        EventError: it is one, and cannot be read.
    """
    if not isinstance(event, dict) or not ("requestContext" in event or _is_request(event)):
        return None
    around = _table(event.get("requestContext"))
    http = _table(around.get("http"))
    return HttpEvent(
        method=_text(event.get("httpMethod") or around.get("httpMethod") or http.get("method")),
        path=_text(event.get("path") or event.get("rawPath") or http.get("path")) or "/",
        query=_texts(event.get("queryStringParameters") or event.get("queryParameters")),
        headers=_texts(event.get("headers")),
        body=_body(event),
        peer=_text(around.get("sourceIp") or http.get("sourceIp")),
    )


def _is_request(event: Mapping[str, Any]) -> bool:
    return "httpMethod" in event and not event.keys().isdisjoint(("headers", "path", "body"))


def _body(event: Mapping[str, Any]) -> bytes:
    body = _text(event.get("body"))
    if not event.get("isBase64Encoded"):
        return body.encode(errors="replace")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise EventError("the body is not the base64 that it is announced as") from None


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> dict[str, str]:
    """Return the texts by name; several values of one name are joined as HTTP joins them."""
    return {
        name: ",".join(one for one in found if isinstance(one, str))
        for name, one_or_more in _table(value).items()
        if isinstance(name, str)
        for found in [one_or_more if isinstance(one_or_more, list) else [one_or_more]]
    }
