"""The Alibaba Cloud V3 signature, ACS3-HMAC-SHA256.

Canonical request: method, path, sorted query, the signed headers (lower-case name, trimmed value,
one per line, sorted), their names joined by ``;``, and the hex SHA-256 of the body. The text to
sign is the scheme's name and the hex SHA-256 of that; the signature is its hex HMAC-SHA256 under
the secret itself, no derived key in between. Pinned by the vectors in ``tests/wire``.

Source: "Request syntax and signature method V3", help.aliyun.com, and alibabacloud-tea-openapi.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote

import httpx
import msgspec

from sgguard.wire.clock import EpochClock

ALGORITHM = "ACS3-HMAC-SHA256"

_AUTHORIZATION = re.compile(
    ALGORITHM + r" Credential=([^,]*), ?SignedHeaders=([^,]*), ?Signature=([0-9a-f]*)"
)


class Authorization(msgspec.Struct, frozen=True):
    """The parts of an ``Authorization`` header of this scheme."""

    key_id: str
    signed_headers: tuple[str, ...]
    signature: str


def parse_authorization(value: str) -> Authorization | None:
    """Return the parts of the header, None when it is not of this scheme."""
    match = _AUTHORIZATION.fullmatch(value.strip())
    if match is None:
        return None
    return Authorization(match[1], tuple(match[2].split(";")), match[3])


def canonical_query(params: Iterable[tuple[str, str]]) -> str:
    """Return the parameters sorted and encoded by RFC 3986, as they are signed and sent."""
    return "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(params))


def payload_hash(body: bytes) -> str:
    """Return the hex SHA-256 that goes into ``x-acs-content-sha256``."""
    return hashlib.sha256(body).hexdigest()


def canonical_request(
    method: str, path: str, query: str, headers: Mapping[str, str], hashed_payload: str
) -> str:
    """Return the canonical request; ``headers`` are exactly those to be signed."""
    lines = sorted((name.lower(), value.strip()) for name, value in headers.items())
    return "\n".join(
        (
            method.upper(),
            path or "/",
            query,
            "".join(f"{name}:{value}\n" for name, value in lines),
            ";".join(name for name, _ in lines),
            hashed_payload,
        )
    )


def string_to_sign(canonical: str) -> str:
    """Return the text that is signed for a canonical request."""
    return f"{ALGORITHM}\n{hashlib.sha256(canonical.encode()).hexdigest()}"


def sign(secret: str, canonical: str) -> str:
    """Return the hex signature of a canonical request."""
    text = string_to_sign(canonical).encode()
    return hmac.digest(secret.encode(), text, "sha256").hex()


@dataclass(frozen=True, eq=False)
class Acs3Auth(httpx.Auth):
    """Signs each attempt anew, with its own date and nonce.

    Signed are ``host``, every ``x-acs-*`` header and ``content-type`` where there is one; the
    caller sets ``x-acs-action`` and ``x-acs-version``.
    """

    requires_request_body = True

    key_id: str
    secret: str = field(repr=False)
    token: str = field(repr=False, default="")
    nonce: Callable[[], str] = field(repr=False, kw_only=True)
    now: EpochClock = field(repr=False, kw_only=True, default=time.time)

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Add date, nonce, body hash, session token and signature."""
        headers = request.headers
        headers["x-acs-date"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self.now()))
        headers["x-acs-signature-nonce"] = self.nonce()
        headers["x-acs-content-sha256"] = payload_hash(request.content)
        if self.token:
            headers["x-acs-security-token"] = self.token
        signed = {
            name: value
            for name, value in headers.items()
            if name in ("host", "content-type") or name.startswith("x-acs-")
        }
        canonical = canonical_request(
            request.method,
            request.url.raw_path.partition(b"?")[0].decode(),
            canonical_query(parse_qsl(request.url.query.decode(), keep_blank_values=True)),
            signed,
            headers["x-acs-content-sha256"],
        )
        headers["authorization"] = (
            f"{ALGORITHM} Credential={self.key_id},SignedHeaders={';'.join(sorted(signed))},"
            f"Signature={sign(self.secret, canonical)}"
        )
        yield request
