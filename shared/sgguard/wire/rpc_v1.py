"""The older Alibaba Cloud RPC signature, version 1.0 (HMAC-SHA1).

All parameters, those of the query and those of a form body, are encoded by RFC 3986, sorted and
joined; the text to sign is ``METHOD&%2F&`` and that, encoded once more; the signature is the
base64 of its HMAC-SHA1 under the secret followed by ``&``. Whether ``SignatureType=`` (empty) is
among the parameters is up to the client: what is sent is signed. Pinned by vectors.

Source: "Request signatures", help.aliyun.com, and aliyun-python-sdk-core.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Generator, Iterable
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote

import httpx

from sgguard.wire.clock import EpochClock

SIGNATURE = "Signature"
FORM = "application/x-www-form-urlencoded"


def encode(text: str) -> str:
    """Encode by RFC 3986: only letters, digits and ``-_.~`` stay."""
    return quote(text, safe="~")


def canonical_query(params: Iterable[tuple[str, str]]) -> str:
    """Return the parameters sorted and encoded, as they are signed and sent."""
    return "&".join(f"{encode(k)}={encode(v)}" for k, v in sorted(params))


def string_to_sign(method: str, params: Iterable[tuple[str, str]]) -> str:
    """Return the text that is signed; a ``Signature`` among the parameters is left out."""
    unsigned = [(key, value) for key, value in params if key != SIGNATURE]
    return f"{method.upper()}&%2F&{encode(canonical_query(unsigned))}"


def sign(secret: str, method: str, params: Iterable[tuple[str, str]]) -> str:
    """Return the base64 signature of a call."""
    # SHA-1 is what this version of the signature is made of; the newer one is in acs3.py.
    key, text = f"{secret}&".encode(), string_to_sign(method, params).encode()
    return base64.b64encode(hmac.new(key, text, hashlib.sha1).digest()).decode()


def params_of(request: httpx.Request) -> list[tuple[str, str]]:
    """Return the parameters of a request whose body was read: query first, then form."""
    query = parse_qsl(request.url.query.decode(), keep_blank_values=True)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        return query
    return query + parse_qsl(request.content.decode(errors="replace"), keep_blank_values=True)


@dataclass(frozen=True, eq=False)
class RpcV1Auth(httpx.Auth):
    """Signs each attempt anew, with its own timestamp and nonce.

    A GET carries the signature and what belongs to it in the query. A POST carries them in a form
    body, so that key and session token are in no URL that a proxy or a log line might keep.
    """

    requires_request_body = True

    key_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False, default="")
    nonce: Callable[[], str] = field(repr=False, kw_only=True)
    now: EpochClock = field(repr=False, kw_only=True, default=time.time)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with key, nonce, timestamp, session token and signature."""
        own = [
            ("AccessKeyId", self.key_id),
            ("SignatureMethod", "HMAC-SHA1"),
            ("SignatureNonce", self.nonce()),
            ("SignatureVersion", "1.0"),
            ("Timestamp", time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.now()))),
        ]
        if self.token:
            own.append(("SecurityToken", self.token))
        own.append((SIGNATURE, sign(self.secret, request.method, params_of(request) + own)))
        yield _with_params(request, own)


def _with_params(request: httpx.Request, own: list[tuple[str, str]]) -> httpx.Request:
    if request.method == "GET":
        query = parse_qsl(request.url.query.decode(), keep_blank_values=True)
        request.url = request.url.copy_with(query=canonical_query(query + own).encode())
        return request
    form = parse_qsl(request.content.decode(), keep_blank_values=True)
    headers = httpx.Headers(request.headers)
    for name in ("content-length", "transfer-encoding"):
        headers.pop(name, None)
    headers["content-type"] = FORM
    return httpx.Request(
        request.method,
        request.url,
        headers=headers,
        content=canonical_query(form + own).encode(),
        extensions=request.extensions,
    )
