"""Injected faults: errors of the cloud, and real responses that arrive corrupted.

Which call fails, and how, depends on the seed and the call's content, never on the order in
which threads run: the same case always meets the same faults.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl

import httpx

from sgguard.emulator.core import Emulator
from sgguard.emulator.faces import all_faces
from sgguard.emulator.transport import EmulatorTransport
from tests.false_verdicts.corrupt import corrupted
from tests.false_verdicts.random_source import RandomSource

_CALLS_MAX = 3000

# Parameters that change from call to call without changing its meaning, and those of a page.
_CHANGING = ("Signature", "SignatureNonce", "Timestamp", "Nonce")
_PAGING = ("marker", "page_reverse", "NextToken", "PageNumber", "Offset", "offset")

_CODES: Mapping[str, tuple[str, ...]] = {
    "tencent": ("InternalError", "ResourceNotFound", "InvalidParameterValue", "UnsupportedRegion"),
    "tencent-dfw": ("6000", "7001", "5000", "4102", "9003", "5100"),
    "alibaba": ("ServiceUnavailable", "InvalidSecurityGroupId.NotFound", "Forbidden.RAM", "Odd"),
    "huawei": ("VPC.0002", "VPC.9904", "VPC.2201", "APIGW.0308", "VPC.9999"),
    "openstack": ("InternalServerError", "SecurityGroupNotFound", "PolicyNotAuthorized", "Odd"),
}
_ERRORS: Mapping[str, dict[str, Any]] = {
    "tencent": {"Error": {"Code": "InternalError", "Message": "inside a good status"}},
    "tencent-dfw": {"code": 6000, "message": "inside a good status"},
    "alibaba": {"Code": "ServiceUnavailable", "Message": "inside a good status"},
    "huawei": {"error_code": "VPC.0002", "error_msg": "inside a good status"},
    "openstack": {"NeutronError": {"type": "Odd", "message": "inside", "detail": ""}},
}
_BODIES = ("", "{}", "[]", "null", "7", '"text"', "<html>login</html>", '{"Response": {}}')
_STATUSES = (202, 301, 400, 403, 404, 409, 418, 429, 500, 502, 503)


@dataclass(eq=False)
class FaultyTransport(httpx.BaseTransport):
    """The emulator, reached over a bad line. ``injected`` lists what went wrong, for a report."""

    emulator: Emulator
    provider: str
    seed: str
    injected: list[str] = field(default_factory=list)
    _counts: Counter[str] = field(default_factory=Counter)
    _first_pages: dict[str, httpx.Response] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def __post_init__(self) -> None:
        rng = RandomSource(self.seed)
        self.rate = rng.choice([0.15, 0.3, 0.6])
        # Half of the time only one kind of fault is injected, so that none hides another.
        self.kinds = [rng.choice(list(_KINDS))] if rng.chance(0.5) else list(_KINDS)
        self.is_lasting = rng.chance(0.3)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        call, page = _identity(request)
        with self._lock:
            number = self._counts[call + page]
            self._counts[call + page] += 1
            assert sum(self._counts.values()) < _CALLS_MAX, f"endless calls: {call}"
        rng = RandomSource(f"{self.seed} {call} {page} {0 if self.is_lasting else number}")
        if not rng.chance(self.rate):
            return self._answer(request, call, page)
        kind = rng.choice(self.kinds)
        response = _KINDS[kind](self, rng, request, call, page)
        self.injected.append(f"{kind}: {request.method} {request.url.path} {call[-60:]}{page}")
        return response

    def _answer(self, request: httpx.Request, call: str, page: str) -> httpx.Response:
        response = EmulatorTransport(self.emulator).handle_request(request)
        if not page:
            with self._lock:
                self._first_pages.setdefault(call, response)
        return response

    # -- the faults ------------------------------------------------------------------------

    def _drop(
        self, rng: RandomSource, request: httpx.Request, call: str, page: str
    ) -> httpx.Response:
        if rng.chance(0.5):
            self._answer(request, call, page)
        raise httpx.ReadError("the connection was closed", request=request)

    def _throttle(
        self, rng: RandomSource, request: httpx.Request, call: str, page: str
    ) -> httpx.Response:
        return all_faces()[self.provider].fault("throttle", request, "")

    def _refuse(
        self, rng: RandomSource, request: httpx.Request, call: str, page: str
    ) -> httpx.Response:
        return all_faces()[self.provider].fault("error", request, rng.choice(_CODES[self.provider]))

    def _garbage(
        self, rng: RandomSource, request: httpx.Request, call: str, page: str
    ) -> httpx.Response:
        kind = rng.choice(["text/html", "application/json", "text/xml"])
        body = rng.choice(_BODIES).encode()
        return httpx.Response(200, headers={"content-type": kind}, content=body)

    def _status(
        self, rng: RandomSource, request: httpx.Request, call: str, page: str
    ) -> httpx.Response:
        real = self._answer(request, call, page)
        return httpx.Response(rng.choice(_STATUSES), headers=real.headers, content=real.content)

    def _content_type(
        self, rng: RandomSource, request: httpx.Request, call: str, page: str
    ) -> httpx.Response:
        real = self._answer(request, call, page)
        kind = rng.choice(["text/html", "text/plain; charset=utf-16", "application/octet-stream"])
        headers = {**real.headers, "content-type": kind}
        return httpx.Response(real.status_code, headers=headers, content=real.content)

    def _error_inside(
        self, rng: RandomSource, request: httpx.Request, call: str, page: str
    ) -> httpx.Response:
        """An error with HTTP 200, alone or beside the emptied lists of a good answer."""
        real = self._answer(request, call, page)
        error = _ERRORS[self.provider]
        try:
            body = json.loads(real.content)
        except ValueError:
            body = {}
        inner = body.get("Response", body) if isinstance(body, dict) else {}
        good = _emptied(inner) if rng.chance(0.7) else {}
        found = {**good, **error}
        if self.provider == "tencent":
            found = {"Response": found}
        return httpx.Response(200, headers=_json_headers(real), content=json.dumps(found).encode())

    def _cut(
        self, rng: RandomSource, request: httpx.Request, call: str, page: str
    ) -> httpx.Response:
        real = self._answer(request, call, page)
        length = rng.randint(0, max(0, len(real.content) - 1))
        headers = {k: v for k, v in real.headers.items() if k != "content-length"}
        return httpx.Response(real.status_code, headers=headers, content=real.content[:length])

    def _corrupt(
        self, rng: RandomSource, request: httpx.Request, call: str, page: str
    ) -> httpx.Response:
        real = self._answer(request, call, page)
        try:
            body = json.loads(real.content)
        except ValueError:
            return real
        action = all_faces()[self.provider].action(request)
        what, changed = corrupted(rng, self.provider, action, body)
        self.injected.append(f"{action}: {what}")
        headers = _json_headers(real)
        return httpx.Response(real.status_code, headers=headers, content=json.dumps(changed))

    def _first_page_again(
        self, rng: RandomSource, request: httpx.Request, call: str, page: str
    ) -> httpx.Response:
        real = self._answer(request, call, page)
        first = self._first_pages.get(call)
        if not page or first is None:
            return real
        return httpx.Response(first.status_code, headers=first.headers, content=first.content)


InjectedFault = Callable[[FaultyTransport, RandomSource, httpx.Request, str, str], httpx.Response]
_KINDS: Mapping[str, InjectedFault] = {
    "dropped connection": FaultyTransport._drop,
    "throttle": FaultyTransport._throttle,
    "error": FaultyTransport._refuse,
    "garbage": FaultyTransport._garbage,
    "wrong status": FaultyTransport._status,
    "wrong content type": FaultyTransport._content_type,
    "error inside a 200": FaultyTransport._error_inside,
    "truncated": FaultyTransport._cut,
    "corrupted": FaultyTransport._corrupt,
    "page again": FaultyTransport._first_page_again,
}


def _identity(request: httpx.Request) -> tuple[str, str]:
    """The call and its page, without what is fresh in every request."""
    body = request.content.decode(errors="replace")
    pairs = parse_qsl(request.url.query.decode(), keep_blank_values=True)
    action = request.headers.get("x-tc-action", "") + request.headers.get("x-acs-action", "")
    if action and body.startswith("{"):
        pairs += [(key, json.dumps(value)) for key, value in json.loads(body).items()]
    elif body and not body.startswith("{"):
        pairs += parse_qsl(body, keep_blank_values=True)
    parameters = sorted(pair for pair in pairs if pair[0] not in (*_CHANGING, *_PAGING))
    turned = sorted(
        f"{key}={value}" for key, value in pairs if key in _PAGING and value.strip('"') != "0"
    )
    return f"{request.method} {request.url.path} {action} {parameters}", " ".join(turned)


def _emptied(value: Any) -> dict[str, Any]:
    """The response of an empty cloud: lists empty, counts zero."""
    if not isinstance(value, dict):
        return {}
    return {key: _empty(item) for key, item in value.items()}


def _empty(value: Any) -> Any:
    if isinstance(value, dict):
        return _emptied(value)
    if isinstance(value, list):
        return []
    return 0 if isinstance(value, int) and not isinstance(value, bool) else value


def _json_headers(real: httpx.Response) -> dict[str, str]:
    return {k: v for k, v in real.headers.items() if k != "content-length"}
