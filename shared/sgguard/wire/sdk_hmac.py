"""Huawei Cloud's request signature SDK-HMAC-SHA256, for signing and for checking.

Steps, all in hexadecimal where a digest is text:

1. canonical request = method, path ending in ``/``, sorted query, signed headers, their names,
   digest of the body, each on its own line;
2. string to sign = the algorithm, the date, the digest of the canonical request;
3. signature = HMAC-SHA256 of the string to sign under the secret key itself.

The key is neither derived from the date nor tied to a region or service. Open Telekom Cloud
documents the same scheme. Source: the behaviour of ``huaweicloudsdkcore`` 3.1.219 and
https://docs.otc.t-systems.com/ "AK/SK-based authentication" (read 2026-11-22).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Generator, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from urllib.parse import parse_qsl, quote, unquote

import httpx
import msgspec

from sgguard.wire.clock import EpochClock

ALGORITHM = "SDK-HMAC-SHA256"
MAX_SKEW_S = 15 * 60
"""How far ``X-Sdk-Date`` may be from the cloud's clock (APIGW.0303 beyond it)."""

_UNSIGNED = "UNSIGNED-PAYLOAD"
_SIGNED_BODY_TYPES = ("application/json", "application/bson")
_DATE = "%Y%m%dT%H%M%SZ"
_AUTHORIZATION = re.compile(
    rf"{ALGORITHM} Access=(?P<access>[^,\s]+), ?SignedHeaders=(?P<names>[^,\s]+), ?"
    r"Signature=(?P<signature>[0-9a-f]+)"
)
# The headers of our requests that a proxy has no reason to change.
_SIGNED = frozenset(
    {
        "content-type",
        "host",
        "x-domain-id",
        "x-project-id",
        "x-sdk-content-sha256",
        "x-sdk-date",
        "x-security-token",
    }
)


class Signature(msgspec.Struct, frozen=True):
    """The parts of an ``Authorization`` header of this scheme."""

    access: str
    signed_headers: tuple[str, ...]
    signature: str


def date_of(epoch_s: float) -> str:
    """Return the moment as ``X-Sdk-Date`` spells it: ``20261122T013000Z``."""
    return datetime.fromtimestamp(epoch_s, UTC).strftime(_DATE)


def epoch_of(date: str) -> float | None:
    """Return an ``X-Sdk-Date`` as epoch seconds, None where it cannot be read."""
    try:
        return datetime.strptime(date, _DATE).replace(tzinfo=UTC).timestamp()
    except ValueError:
        return None


def parse_authorization(header: str) -> Signature | None:
    """Return the parts of the header, None where it is not of this scheme."""
    found = _AUTHORIZATION.fullmatch(header.strip())
    if found is None:
        return None
    return Signature(found["access"], tuple(found["names"].split(";")), found["signature"])


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the decoded pairs sorted by name and value and percent-encoded."""
    return "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(pairs))


def canonical_request(
    *,
    method: str,
    path: str,
    query: Iterable[tuple[str, str]],
    headers: Mapping[str, str],
    signed_headers: Iterable[str],
    body: bytes,
) -> str:
    """Return the text whose digest is signed.

    ``path`` is as sent; the closing slash added here is never sent. ``query`` holds
    decoded pairs. ``signed_headers`` are lower-case names in the order of the signature.

    Raises:
        KeyError: a signed header is missing from ``headers``.
    """
    names = tuple(signed_headers)
    lines = _lines(method, path, canonical_query(query), headers, names)
    return "\n".join((*lines, _body_digest(headers, body)))


def _lines(
    method: str, path: str, query: str, headers: Mapping[str, str], names: Sequence[str]
) -> tuple[str, ...]:
    """Return the lines of the canonical request before the digest of its body."""
    values = (f"{name}:{headers[name].strip()}" for name in names)
    return method.upper(), _canonical_path(path), query, *values, "", ";".join(names)


@lru_cache(maxsize=64)
def _canonical_path(path: str) -> str:
    uri = "/".join(quote(part, safe="~") for part in unquote(path).split("/"))
    return uri if uri.endswith("/") else uri + "/"


def string_to_sign(canonical: str, date: str) -> str:
    """Return the text that is signed."""
    return f"{ALGORITHM}\n{date}\n{hashlib.sha256(canonical.encode()).hexdigest()}"


def sign(secret: str, text: str) -> str:
    """Return the signature of a string to sign."""
    return hmac.digest(secret.encode(), text.encode(), "sha256").hex()


def signature_of(request: httpx.Request, signed_headers: Iterable[str], secret: str) -> str:
    """Return the signature a request whose body has been read should carry.

    Raises:
        KeyError: a signed header is missing.
    """
    query = canonical_query(parse_qsl(request.url.query.decode("ascii"), keep_blank_values=True))
    return _signature_of(request, query, tuple(signed_headers), secret)


def _signature_of(request: httpx.Request, query: str, names: Sequence[str], secret: str) -> str:
    headers = request.headers
    path = request.url.raw_path.partition(b"?")[0].decode("ascii")
    lines = _lines(request.method, path, query, headers, names)
    canonical = "\n".join((*lines, _body_digest(headers, request.content)))
    return sign(secret, string_to_sign(canonical, headers["x-sdk-date"]))


class SdkHmacAuth(httpx.Auth):
    """Signs every request with an access key; session token and project are signed as well.

    ``now`` is called at every attempt, so a retry never has an old date.
    """

    requires_request_body = True

    def __init__(
        self, *, access: str, secret: str, now: EpochClock, token: str = "", project: str = ""
    ) -> None:
        self._access = access
        self._secret = secret
        self._now = now
        self._extra = {"X-Project-Id": project, "X-Security-Token": token}

    def __repr__(self) -> str:
        return f"SdkHmacAuth(access={self._access!r})"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with its signature."""
        request.headers["X-Sdk-Date"] = date_of(self._now())
        for name, value in self._extra.items():
            if value:
                request.headers[name] = value
        kind = request.headers.get("content-type", "")
        if kind and not kind.startswith(_SIGNED_BODY_TYPES):
            request.headers["X-Sdk-Content-Sha256"] = _UNSIGNED
        # The gateway canonicalises what it receives; what is sent is canonical already.
        pairs = parse_qsl(request.url.query.decode("ascii"), keep_blank_values=True)
        query = canonical_query(pairs)
        if pairs and query.encode("ascii") != request.url.query:
            request.url = request.url.copy_with(query=query.encode("ascii"))
        names = sorted(_SIGNED.intersection(request.headers))
        signature = _signature_of(request, query, names, self._secret)
        request.headers["Authorization"] = (
            f"{ALGORITHM} Access={self._access}, SignedHeaders={';'.join(names)}, "
            f"Signature={signature}"
        )
        yield request


def _body_digest(headers: Mapping[str, str], body: bytes) -> str:
    # An empty body is digested even where the header marks it as unsigned: the SDK does so.
    return (body and headers.get("x-sdk-content-sha256")) or hashlib.sha256(body).hexdigest()
