"""Who calls the emulated API 3.0, and the common parameters: in headers, or beside the others.

TC3-HMAC-SHA256 signs headers and body; the parameters are JSON, or a query. The older HmacSHA1 and
HmacSHA256 sign all parameters as API 2.0 does, and the common ones are among them.
Source: https://cloud.tencent.com/document/api/215/15693 and, for the older signature,
https://cloud.tencent.com/document/api/215/15692 (read 2026-11).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import httpx

from sgguard.emulator.faces.base import not_emulated
from sgguard.emulator.faces.tencent.error import RefusedError
from sgguard.emulator.session import is_over
from sgguard.emulator.state import Account, Cloud
from sgguard.wire import qcloud_v2, tc3

_DIGITS = 18
_COMMON = frozenset(
    {
        *("Action", "Version", "Region", "Timestamp", "Nonce", "SecretId", "Token", "Signature"),
        *("SignatureMethod", "Language", "RequestClient"),
    }
)
_WRONG = "The provided credentials could not be validated. Please check your signature is correct."


@dataclass(frozen=True, slots=True)
class Signed:
    """A call whose signature is right. ``service`` is empty where nothing names it."""

    account: Account
    service: str
    action: str
    version: str
    region: str
    params: Mapping[str, Any]
    is_query: bool


def action_of(request: httpx.Request) -> str:
    """Return the action's name: of the header, else of the parameters."""
    named = request.headers.get("x-tc-action", "")
    return str(named or _pairs(request).get("Action", ""))


def authenticate(request: httpx.Request, cloud: Cloud, now: float) -> Signed:
    """Return the call, after its signature, clock and session token were checked.

    Raises:
        RefusedError: one of them is wrong, or the parameters cannot be read.
    """
    if "authorization" not in request.headers and "SecretId" in _pairs(request):
        return _by_parameters(request, cloud, now)
    return _by_headers(request, cloud, now)


def _by_headers(request: httpx.Request, cloud: Cloud, now: float) -> Signed:
    header = request.headers.get("authorization", "")
    authorization = tc3.parse_authorization(header)
    if authorization is None and header and not header.startswith(tc3.ALGORITHM):
        scheme = header.split("=")[0].split(" ")[0]
        text = not_emulated(f"the signature {scheme}")
        raise RefusedError("AuthFailure.InvalidAuthorization", text)
    timestamp = number_of(request.headers.get("x-tc-timestamp", ""))
    if authorization is None or timestamp is None:
        raise RefusedError("AuthFailure.InvalidAuthorization", "Authorization is not valid.")
    account = _account(cloud, authorization.key_id, timestamp, now)
    if not {"content-type", "host"} <= set(authorization.signed_headers):
        raise RefusedError("AuthFailure.InvalidAuthorization", "content-type and host are signed.")
    try:
        expected = tc3.signature_of(
            request,
            secret=account.secret,
            timestamp=timestamp,
            service=authorization.service,
            signed_headers=authorization.signed_headers,
        )
    except KeyError:
        expected = ""
    if authorization.signature != expected or authorization.date != tc3.date_of(timestamp):
        raise RefusedError("AuthFailure.SignatureFailure", _WRONG)
    _require_token(account, request.headers.get("x-tc-token", ""), now)
    return Signed(
        account=account,
        service=authorization.service,
        action=action_of(request),
        version=request.headers.get("x-tc-version", ""),
        region=request.headers.get("x-tc-region", ""),
        params=_params(request),
        is_query=request.method == "GET",
    )


def _by_parameters(request: httpx.Request, cloud: Cloud, now: float) -> Signed:
    pairs = _pairs(request)
    timestamp, nonce = number_of(pairs.get("Timestamp", "")), pairs.get("Nonce", "")
    if timestamp is None or not nonce.isdecimal():
        raise RefusedError("InvalidParameter", "`Timestamp` and `Nonce` must be integers.")
    account = _account(cloud, pairs["SecretId"], timestamp, now)
    method = pairs.get("SignatureMethod", "HmacSHA1")
    if method not in qcloud_v2.ALGORITHMS:
        raise RefusedError("AuthFailure.SignatureFailure", "`SignatureMethod` is not supported.")
    # The vendor's SDKs sign the port when their endpoint has one.
    expected = {
        qcloud_v2.sign(account.secret, text, method)
        for host in (request.url.host, request.url.netloc.decode())
        for text in [qcloud_v2.string_to_sign(request.method, host, request.url.path, pairs)]
    }
    if pairs.get("Signature") not in expected:
        raise RefusedError("AuthFailure.SignatureFailure", _WRONG)
    _require_token(account, pairs.get("Token", ""), now)
    host, _, domain = request.url.host.partition(".")
    own = [(name, value) for name, value in pairs.items() if name not in _COMMON]
    return Signed(
        account=account,
        service=host if domain.endswith("tencentcloudapi.com") else "",
        action=pairs.get("Action", ""),
        version=pairs.get("Version", ""),
        region=pairs.get("Region", ""),
        params=unflatten(own),
        is_query=True,
    )


def _account(cloud: Cloud, key_id: str, timestamp: int, now: float) -> Account:
    account = cloud.account_of_key(key_id)
    if account is None:
        raise RefusedError("AuthFailure.SecretIdNotFound", "The SecretId is not found.")
    if abs(now - timestamp) > tc3.MAX_SKEW_S:
        raise RefusedError("AuthFailure.SignatureExpire", "The signature expired.")
    return account


def _require_token(account: Account, token: str, now: float) -> None:
    if token != account.token or is_over(account, now):
        raise RefusedError("AuthFailure.TokenFailure", "The token is invalid.")


def _pairs(request: httpx.Request) -> dict[str, str]:
    """Return the parameters of a query or form; none of a JSON body."""
    if request.headers.get("content-type", "").startswith("application/json"):
        return {}
    return qcloud_v2.params_of(request)


def _params(request: httpx.Request) -> Mapping[str, Any]:
    if request.method == "GET":
        return unflatten(parse_qsl(request.url.query.decode(), keep_blank_values=True))
    try:
        params = json.loads(request.content or b"{}")
    except ValueError:
        params = None
    if not isinstance(params, dict):
        raise RefusedError("InvalidRequest", "The request body is not JSON.")
    return params


def number_of(value: object) -> int | None:
    """Return a whole number of at most 18 digits, from a number or its text, or None."""
    text = str(value)
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _DIGITS else None


def unflatten(pairs: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Return ``name.0``, ``name.1.key`` as lists and objects; values stay texts.

    Raises:
        RefusedError: a name is both a value and a list or object.
    """
    tree: dict[str, Any] = {}
    for key, value in pairs:
        node = tree
        *path, last = key.split(".")
        for part in path:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise RefusedError("InvalidParameter", f"`{key}` is given twice.")
        node[last] = value
    return {key: _listed(value) for key, value in tree.items()}


def _listed(node: Any) -> Any:
    if not isinstance(node, dict):
        return node
    if all(number_of(key) is not None for key in node):
        return [_listed(node[key]) for key in sorted(node, key=int)]
    return {key: _listed(value) for key, value in node.items()}
