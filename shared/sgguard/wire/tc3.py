"""Tencent Cloud's request signature TC3-HMAC-SHA256, for signing and for checking.

Steps, every digest in lower-case hexadecimal:

1. canonical request = method, path, query, ``name:value`` of each signed header, an empty line,
   the signed names, digest of the body, each on its own line;
2. string to sign = the algorithm, the timestamp, ``date/service/tc3_request``, digest of 1;
3. key = HMAC chain over ``TC3`` + secret, UTC date of the timestamp, service, ``tc3_request``;
4. signature = HMAC-SHA256 of 2 under 3.

Like the vendor's SDK this signs ``content-type`` and ``host`` only; the session token is sent
unsigned. Source: https://cloud.tencent.com/document/api/213/30654 and the behaviour of
``tencentcloud-sdk-python-common`` 3.1.195 (read 2026-11-22).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Generator, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

import httpx
import msgspec

from sgguard.wire.clock import EpochClock

ALGORITHM = "TC3-HMAC-SHA256"
MAX_SKEW_S = 5 * 60
"""How far ``X-TC-Timestamp`` may be from the cloud's clock."""

_DAY_S = 24 * 60 * 60
_TERMINATOR = "tc3_request"
_UNSIGNED = "UNSIGNED-PAYLOAD"
_SIGNED = ("content-type", "host")
_SIGNED_NAMES = ";".join(_SIGNED)
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Credential=(?P<key_id>[^/,\s]+)/(?P<date>[^/,\s]+)/(?P<service>[^/,\s]+)/"
    rf"{_TERMINATOR}, ?SignedHeaders=(?P<names>[^,\s]+), ?Signature=(?P<signature>[0-9a-f]+)"
)


class Authorization(msgspec.Struct, frozen=True):
    """The parts of an ``Authorization`` header of this scheme."""

    key_id: str
    date: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str


def parse_authorization(header: str) -> Authorization | None:
    """Return the parts of the header, None where it is not of this scheme."""
    found = _AUTHORIZATION.fullmatch(header.strip())
    if found is None:
        return None
    return Authorization(
        found["key_id"],
        found["date"],
        found["service"],
        tuple(found["names"].split(";")),
        found["signature"],
    )


def date_of(timestamp: int) -> str:
    """Return the UTC date of a timestamp: ``2023-11-14``."""
    return _date_of_day(timestamp // _DAY_S)


@lru_cache(maxsize=4)
def _date_of_day(day: int) -> str:
    return datetime.fromtimestamp(day * _DAY_S, UTC).strftime("%Y-%m-%d")


def canonical_request(
    *,
    method: str,
    query: str,
    headers: Mapping[str, str],
    signed_headers: Iterable[str],
    body: bytes,
) -> str:
    """Return the text whose digest is signed; the path of API 3.0 is always ``/``.

    ``query`` is as sent. ``signed_headers`` are lower-case names in the order of the signature.

    Raises:
        KeyError: a signed header is missing from ``headers``.
    """
    names = tuple(signed_headers)
    return "\n".join(
        (
            method.upper(),
            "/",
            query,
            *(f"{name}:{_canonical_value(name, headers[name])}" for name in names),
            "",
            ";".join(names),
            _body_digest(headers, body),
        )
    )


def string_to_sign(canonical: str, *, timestamp: int, service: str) -> str:
    """Return the text that is signed."""
    return _string_to_sign(canonical, timestamp=timestamp, scope=_scope(timestamp, service))


def _scope(timestamp: int, service: str) -> str:
    return f"{date_of(timestamp)}/{service}/{_TERMINATOR}"


def _string_to_sign(canonical: str, *, timestamp: int, scope: str) -> str:
    return f"{ALGORITHM}\n{timestamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"


def signing_key(secret: str, *, date: str, service: str) -> bytes:
    """Return the key of one day and one service."""
    key = f"TC3{secret}".encode()
    for part in (date, service, _TERMINATOR):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def sign(secret: str, text: str, *, timestamp: int, service: str) -> str:
    """Return the signature of a string to sign."""
    key = signing_key(secret, date=date_of(timestamp), service=service)
    return hmac.digest(key, text.encode(), "sha256").hex()


def signature_of(
    request: httpx.Request,
    *,
    secret: str,
    timestamp: int,
    service: str,
    signed_headers: Iterable[str] = _SIGNED,
) -> str:
    """Return the signature a request whose body has been read should carry.

    Raises:
        KeyError: a signed header is missing.
    """
    scope = _scope(timestamp, service)
    text = _text_of(request, signed_headers, timestamp=timestamp, scope=scope)
    return sign(secret, text, timestamp=timestamp, service=service)


def _text_of(
    request: httpx.Request, signed_headers: Iterable[str], *, timestamp: int, scope: str
) -> str:
    """Return the string to sign of a request whose body has been read."""
    canonical = canonical_request(
        method=request.method,
        query=request.url.query.decode("ascii"),
        headers=request.headers,
        signed_headers=signed_headers,
        body=request.content,
    )
    return _string_to_sign(canonical, timestamp=timestamp, scope=scope)


class Tc3Auth(httpx.Auth):
    """Signs every request to one service of Tencent Cloud with an access key.

    ``now`` is called at every attempt, so a retry never has an old timestamp.
    """

    requires_request_body = True

    def __init__(
        self, *, key_id: str, secret: str, service: str, now: EpochClock, token: str = ""
    ) -> None:
        self._key_id = key_id
        self._secret = secret
        self._service = service
        self._now = now
        self._token = token
        self._kept = "", b""

    def __repr__(self) -> str:
        return f"Tc3Auth(key_id={self._key_id!r}, service={self._service!r})"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with its signature."""
        timestamp = int(self._now())
        request.headers["X-TC-Timestamp"] = str(timestamp)
        if self._token:
            request.headers["X-TC-Token"] = self._token
        scope = _scope(timestamp, self._service)
        text = _text_of(request, _SIGNED, timestamp=timestamp, scope=scope)
        signature = hmac.digest(self._key(scope), text.encode(), "sha256").hex()
        request.headers["Authorization"] = (
            f"{ALGORITHM} Credential={self._key_id}/{scope}, "
            f"SignedHeaders={_SIGNED_NAMES}, Signature={signature}"
        )
        yield request

    def _key(self, scope: str) -> bytes:
        """Return the key of a day, which many calls share."""
        kept_scope, key = self._kept
        if kept_scope != scope:
            date = scope.partition("/")[0]
            key = signing_key(self._secret, date=date, service=self._service)
            self._kept = scope, key
        return key


def _canonical_value(name: str, value: str) -> str:
    # The SDK signs these two as sent; the documentation lower-cases every further value.
    return value if name in _SIGNED else value.strip().lower()


def _body_digest(headers: Mapping[str, str], body: bytes) -> str:
    declared = headers.get("x-tc-content-sha256")
    return hashlib.sha256(_UNSIGNED.encode() if declared == _UNSIGNED else body).hexdigest()
