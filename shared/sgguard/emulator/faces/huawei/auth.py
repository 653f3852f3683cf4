"""Authentication of an emulated Huawei Cloud: signatures, clock skew, tokens, and the project."""

from __future__ import annotations

import hashlib
import hmac
import re

import httpx

from sgguard.emulator.faces._openstack import keystone
from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces.huawei import response
from sgguard.emulator.session import is_over
from sgguard.emulator.state import Account, Cloud
from sgguard.wire import sdk_hmac
from sgguard.wire.sdk_hmac import Signature

# Paths of v2.0 and of IAM v3.0 have no project: their first word is a collection.
_PROJECT_IN_PATH = re.compile(r"/v(?![23]\.0/)[0-9.]+/(?P<project>[^/]+)/")
_UNSIGNED = "UNSIGNED-PAYLOAD"


def is_signed(request: httpx.Request) -> bool:
    """Return whether a request claims to be signed with an access key."""
    return str(request.headers.get("authorization", "")).startswith(sdk_hmac.ALGORITHM)


def is_known_scheme(request: httpx.Request) -> bool:
    """Return whether the request has no ``Authorization`` header, or one that is checked here."""
    return not request.headers.get("authorization") or is_signed(request)


def account_of_signature(
    request: httpx.Request, cloud: Cloud, now: float
) -> Account | httpx.Response:
    """Return the account that signed the request, or the gateway's error response."""
    signature = sdk_hmac.parse_authorization(request.headers.get("authorization", ""))
    date = sdk_hmac.epoch_of(request.headers.get("x-sdk-date", ""))
    if signature is None or date is None:
        return response.bad_signature("aksk info format error")
    if not {"host", "x-sdk-date"} <= set(signature.signed_headers):
        return response.bad_signature("aksk info format error")
    if abs(now - date) > sdk_hmac.MAX_SKEW_S:
        return response.expired()
    account = cloud.account_of_key(signature.access)
    if account is None:
        return response.bad_signature("get aksk fail")
    flaw = _signature_flaw(request, signature, account)
    if not flaw and is_over(account, now):
        flaw = "security token expired"
    return response.bad_signature(flaw) if flaw else account


def refusal(request: httpx.Request, cloud: Cloud, now: float) -> httpx.Response | None:
    """Return the gateway's error response for a wrong signature, None for a right one or none."""
    if not is_signed(request):
        return None
    account = account_of_signature(request, cloud, now)
    return account if isinstance(account, httpx.Response) else None


def _signature_flaw(request: httpx.Request, signature: Signature, account: Account) -> str:
    """Return the gateway's text for what is wrong with a signature, empty when it is valid."""
    try:
        expected = sdk_hmac.signature_of(request, signature.signed_headers, account.secret)
    except KeyError:
        return "aksk info format error"
    if not hmac.compare_digest(expected, signature.signature) or not _is_body_hash_right(request):
        return "verify aksk signature fail"
    if account.token and (
        request.headers.get("x-security-token") != account.token
        or "x-security-token" not in signature.signed_headers
    ):
        return "verify security token fail"
    return ""


def caller(
    request: httpx.Request, cloud: Cloud, now: float, action: str
) -> Caller | httpx.Response:
    """Return the caller and its project, or the error response."""
    if not is_signed(request):
        return keystone.caller(request, cloud, now, action)
    account = account_of_signature(request, cloud, now)
    if isinstance(account, httpx.Response):
        return account
    in_path = _PROJECT_IN_PATH.match(request.url.path)
    requested = request.headers.get("x-project-id") or (in_path["project"] if in_path else "")
    if requested and requested not in account.projects and in_path:
        return response.wrong_project(requested)
    own = account.projects[0] if account.projects else ""
    return Caller(account, requested if requested in account.projects else own)


def _is_body_hash_right(request: httpx.Request) -> bool:
    signature = request.headers.get("x-sdk-content-sha256", "")
    return signature in ("", _UNSIGNED, hashlib.sha256(request.content).hexdigest())
