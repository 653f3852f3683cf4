"""Authentication of the emulated Alibaba Cloud ECS: both signatures, nonce, clock, token, RAM."""

from __future__ import annotations

import hmac
from calendar import timegm
from collections.abc import Mapping
from fnmatch import fnmatchcase
from time import strptime
from urllib.parse import parse_qsl

import httpx

from sgguard.emulator.faces.alibaba.response import RefusedError
from sgguard.emulator.faces.base import not_emulated
from sgguard.emulator.session import is_over
from sgguard.emulator.state import Account, Cloud
from sgguard.wire import acs3, rpc_v1

SKEW_MAX_S = 15 * 60

_COMMON = ("AccessKeyId", "SignatureMethod", "SignatureVersion", "SignatureNonce", "Timestamp")
_MISMATCH = "Specified signature is not matched with our calculation."


def is_acs3(request: httpx.Request) -> bool:
    """Return whether a request has the V3 signature.

    The vendor's SDKs send ``x-acs-action`` with the older signature as well.
    """
    if request.headers.get("authorization", "").startswith(acs3.ALGORITHM):
        return True
    return "x-acs-action" in request.headers and rpc_v1.SIGNATURE not in dict(
        rpc_v1.params_of(request)
    )


def authenticate(request: httpx.Request, cloud: Cloud, now: float) -> Account:
    """Return the account that signed the request.

    Raises:
        RefusedError: the documented error of the first check that fails.
    """
    return (_verify_acs3 if is_acs3(request) else _verify_rpc_v1)(request, cloud, now)


def is_denied(account: Account, action: str) -> bool:
    """Return whether the account's policy denies the action."""
    return any(fnmatchcase(action, pattern) for pattern in account.denied)


def forbidden() -> RefusedError:
    """Return the error for what a policy denies."""
    return RefusedError(
        "Forbidden.RAM",
        "User not authorized to operate on the specified resource, "
        "or this API doesn't support RAM.",
        403,
    )


def _verify_acs3(request: httpx.Request, cloud: Cloud, now: float) -> Account:
    headers = request.headers
    authorization = acs3.parse_authorization(headers.get("authorization", ""))
    if authorization is None:
        raise _missing("Authorization")
    for name in ("x-acs-date", "x-acs-signature-nonce", "x-acs-content-sha256", "x-acs-version"):
        if not headers.get(name):
            raise _missing(name)
    account = _account(cloud, authorization.key_id)
    required = {"host", *(name for name in headers if name.startswith("x-acs-"))}
    signed = {name: headers.get(name, "") for name in authorization.signed_headers}
    canonical = acs3.canonical_request(
        request.method,
        request.url.path,
        acs3.canonical_query(parse_qsl(request.url.query.decode(), keep_blank_values=True)),
        signed,
        acs3.payload_hash(request.content),
    )
    is_valid = hmac.compare_digest(acs3.sign(account.secret, canonical), authorization.signature)
    if not is_valid or required - set(authorization.signed_headers):
        raise RefusedError(
            "SignatureDoesNotMatch",
            f"{_MISMATCH} server string to sign is:{acs3.string_to_sign(canonical)} "
            f"server CanonicalRequest is:{canonical}",
        )
    if headers["x-acs-content-sha256"] != acs3.payload_hash(request.content):
        raise RefusedError("InvalidContentSHA256", "x-acs-content-sha256 is not the body's.")
    _check_token(account, headers.get("x-acs-security-token", ""), now)
    _check_time(headers["x-acs-date"], now)
    _consume_nonce(cloud, authorization.key_id, headers["x-acs-signature-nonce"])
    return account


def _verify_rpc_v1(request: httpx.Request, cloud: Cloud, now: float) -> Account:
    params = rpc_v1.params_of(request)
    named: Mapping[str, str] = dict(params)
    for name in (*_COMMON, "Signature"):
        if not named.get(name):
            raise _missing(name)
    if (named["SignatureMethod"], named["SignatureVersion"]) != ("HMAC-SHA1", "1.0"):
        text = "a SignatureMethod other than HMAC-SHA1, or a SignatureVersion other than 1.0"
        raise RefusedError("InvalidParameter", not_emulated(text))
    account = _account(cloud, named["AccessKeyId"])
    expected = rpc_v1.sign(account.secret, request.method, params)
    if not hmac.compare_digest(expected.encode(), named["Signature"].encode()):
        text = rpc_v1.string_to_sign(request.method, params)
        raise RefusedError("SignatureDoesNotMatch", f"{_MISMATCH} server string to sign is:{text}")
    _check_token(account, named.get("SecurityToken", ""), now)
    _check_time(named["Timestamp"], now)
    _consume_nonce(cloud, named["AccessKeyId"], named["SignatureNonce"])
    return account


def _account(cloud: Cloud, key_id: str) -> Account:
    account = cloud.account_of_key(key_id)
    if account is None:
        raise RefusedError(
            "InvalidAccessKeyId.NotFound", "Specified access key is not found or invalid.", 404
        )
    return account


def _check_token(account: Account, token: str, now: float) -> None:
    if account.token and not token:
        raise RefusedError("MissingSecurityToken", "SecurityToken is mandatory for this action.")
    if token != account.token:
        raise RefusedError("InvalidSecurityToken.Malformed", "Specified SecurityToken is malformed")
    if is_over(account, now):
        raise RefusedError("InvalidSecurityToken.Expired", "Specified SecurityToken is expired.")


def _check_time(text: str, now: float) -> None:
    try:
        signed_at = timegm(strptime(text, "%Y-%m-%dT%H:%M:%SZ"))
    except ValueError:
        raise RefusedError("IllegalTimestamp", "Timestamp is not yyyy-MM-ddTHH:mm:ssZ.") from None
    if abs(now - signed_at) > SKEW_MAX_S:
        raise RefusedError("IllegalTimestamp", "The timestamp is more than 15 minutes off.")


def _consume_nonce(cloud: Cloud, key_id: str, nonce: str) -> None:
    used = f"{key_id} {nonce}"
    if used in cloud.nonces:
        raise RefusedError("SignatureNonceUsed", "Specified signature nonce was used already.", 400)
    cloud.nonces.add(used)


def _missing(name: str) -> RefusedError:
    return RefusedError(
        f"Missing{name}" if name in _COMMON else "MissingParameter",
        f'The input parameter "{name}" that is mandatory for processing this request '
        "is not supplied.",
    )
