"""Who asks an emulated Huawei Cloud: signatures, clock skew, tokens, and which project is meant."""

from __future__ import annotations

import hashlib
import hmac
import re

import httpx

from sgguard.emulator.faces._openstack import keystone
from sgguard.emulator.faces._openstack.keystone import Caller
from sgguard.emulator.faces.huawei import response
from sgguard.emulator.state import Account, Cloud
from sgguard.wire import sdk_hmac
from sgguard.wire.sdk_hmac import Signature

_PROJECT_IN_PATH = re.compile(r"/v[0-9.]+/(?P<project>[^/]+)/")
_UNSIGNED = "UNSIGNED-PAYLOAD"


def is_signed(request: httpx.Request) -> bool:
    """Say whether a request claims to be signed with an access key."""
    return str(request.headers.get("authorization", "")).startswith(sdk_hmac.ALGORITHM)


def account_of_signature(
    request: httpx.Request, cloud: Cloud, now: float
) -> Account | httpx.Response:
    """Return whose signature it is, or the gateway's refusal."""
    said = sdk_hmac.parse_authorization(request.headers.get("authorization", ""))
    date = sdk_hmac.epoch_of(request.headers.get("x-sdk-date", ""))
    if said is None or date is None or not {"host", "x-sdk-date"} <= set(said.signed_headers):
        return response.signature("aksk info format error")
    if abs(now - date) > sdk_hmac.MAX_SKEW_S:
        return response.skew()
    account = cloud.account_of_key(said.access)
    if account is None:
        return response.signature("get aksk fail")
    flaw = _flaw(request, said, account)
    return response.signature(flaw) if flaw else account


def _flaw(request: httpx.Request, said: Signature, account: Account) -> str:
    """Say what is wrong with a signature, empty when nothing is."""
    try:
        expected = sdk_hmac.signature_of(request, said.signed_headers, account.secret)
    except KeyError:
        return "aksk info format error"
    if not hmac.compare_digest(expected, said.signature) or not _is_body_as_said(request):
        return "verify aksk signature fail"
    if account.token and (
        request.headers.get("x-security-token") != account.token
        or "x-security-token" not in said.signed_headers
    ):
        return "verify security token fail"
    return ""


def caller(
    request: httpx.Request, cloud: Cloud, now: float, action: str
) -> Caller | httpx.Response:
    """Return who asks, in which project, or the refusal."""
    if not is_signed(request):
        return keystone.caller(request, cloud, now, action)
    account = account_of_signature(request, cloud, now)
    if isinstance(account, httpx.Response):
        return account
    in_path = _PROJECT_IN_PATH.match(request.url.path)
    asked = request.headers.get("x-project-id") or (in_path["project"] if in_path else "")
    if asked and asked not in account.projects and in_path:
        return response.wrong_project(asked)
    own = account.projects[0] if account.projects else ""
    return Caller(account, asked if asked in account.projects else own)


def _is_body_as_said(request: httpx.Request) -> bool:
    said = request.headers.get("x-sdk-content-sha256", "")
    return said in ("", _UNSIGNED, hashlib.sha256(request.content).hexdigest())
