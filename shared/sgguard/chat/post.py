"""Sending to a chat service: one request, and the error that its response stands for.

A service that says what was wrong in a 200 is read as strictly as one that says it in a status.
Addresses may be secrets (a webhook's): they are never in an error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import httpx

from sgguard.chat.base import Outbound
from sgguard.chat.fit import encoded
from sgguard.errors import CloudError, ThrottledError, UnavailableError, UnknownShapeError

Json = dict[str, Any]

_TOO_MANY, _SERVER = 429, 500
_CODE_MAX = 64
_THROTTLED = frozenset(
    {
        *("ratelimited", "rate_limited", "11232", "99991400", "230020", "660026", "130101"),
        *("410100", "45009", "Forbidden.AccessDenied.QpsLimitForApi"),
        "Forbidden.AccessDenied.QpsLimitForAppkeyAndApi",
    }
)
"""Codes that mean "too often", of all services together: no two mean different things by one."""


def call(
    line: Outbound,
    service: str,
    action: str,
    url: str,
    body: Json,
    *,
    refused: Callable[[Json], str],
    headers: Mapping[str, str] | None = None,
    method: str = "POST",
) -> Json:
    """Send JSON and return the JSON of the response.

    ``refused`` returns the code of an error in a response, empty for a success.

    Raises:
        CloudError: the service refused it, asks for patience, or could not be reached.
    """
    found: list[Json] = []

    def check(response: httpx.Response) -> None:
        _check_status(response, service, action)
        found.append(_checked(response, service, action, refused))

    sent = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    content = encoded(body) if method != "GET" else None
    line.wire.write(method, url, action=action, check=check, headers=sent, content=content)
    return found[-1]


def plain(
    line: Outbound,
    service: str,
    action: str,
    url: str,
    body: Json,
    *,
    is_taken: Callable[[httpx.Response], bool],
) -> None:
    """Send JSON to an address that answers with a status, and no JSON that says more.

    ``is_taken`` tells an answer of the service from that of whatever else answers with a success:
    a proxy, or the page of a login.

    Raises:
        CloudError: as :func:`call`.
    """

    def check(response: httpx.Response) -> None:
        _check_status(response, service, action)
        if not is_taken(response):
            raise UnknownShapeError(service, action, detail="the response is not the service's")

    headers = {"Content-Type": "application/json; charset=utf-8"}
    line.wire.write("POST", url, action=action, check=check, headers=headers, content=encoded(body))


def _check_status(response: httpx.Response, service: str, action: str) -> None:
    status = response.status_code
    if status == _TOO_MANY:
        raise ThrottledError(service, action, status=status)
    if status >= _SERVER:
        raise UnavailableError(service, action, status=status)
    if not response.is_success:
        code = _told(response)
        error = ThrottledError if code in _THROTTLED else CloudError
        raise error(service, action, code=code or "refused", status=status)


def _told(response: httpx.Response) -> str:
    """Return the code in a refusal: a word, or a field of its JSON; empty where there is none."""
    try:
        found = response.json()
    except ValueError:
        return _code(response.text)
    if not isinstance(found, dict):
        return ""
    inner = found.get("error")
    codes = [found.get(name) for name in ("code", "errcode", "error")]
    if isinstance(inner, dict):
        codes.append(inner.get("code"))
    return next((_code(str(one)) for one in codes if isinstance(one, str | int)), "")


def _checked(
    response: httpx.Response, service: str, action: str, refused: Callable[[Json], str]
) -> Json:
    try:
        found = response.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise UnknownShapeError(service, action, detail="the response is no JSON object")
    if code := refused(found):
        error = ThrottledError if code in _THROTTLED else CloudError
        raise error(service, action, code=_code(code) or "refused", status=response.status_code)
    return found


def _code(text: str) -> str:
    """Return a text that is a code, not a sentence that may quote what we sent."""
    word = text.strip()
    is_code = word.isascii() and all(one.isalnum() or one in "_-." for one in word)
    return word if is_code and len(word) <= _CODE_MAX else ""


def number_refused(field: str) -> Callable[[Json], str]:
    """Return a check for services whose ``field`` is 0 for a success."""

    def refused(found: Json) -> str:
        code = found.get(field)
        is_number = isinstance(code, int) and not isinstance(code, bool)
        return "" if is_number and code == 0 else str(code)[:_CODE_MAX] if is_number else "no-code"

    return refused
