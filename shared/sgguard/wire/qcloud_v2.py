"""The request signature of Tencent's API 2.0 (qcloud), for signing and for checking.

Steps:

1. flatten nested parameters: ``sgIds.0``, ``sgIds.1``, counted from 0;
2. string to sign = method, host without port, path, ``?``, then ``name=value`` of every
   parameter joined by ``&``, values raw. ``_`` in a name reads ``.`` here (not on the wire), and
   the names so written are sorted by byte, so ``Token`` comes before ``forced`` and ``sgIds.10``
   before ``sgIds.2``. A POST leaves out values that begin with ``@`` (files);
3. signature = base64 of HMAC-SHA1 or HMAC-SHA256 of that text under the secret.

Source: https://cloud.tencent.com/document/api/213/6984 and the behaviour of
``qcloudapi-sdk-python`` 2.0.15, which takes precedence where the two differ (read 2026-11-22).
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable, Generator, Mapping
from typing import Literal, get_args

import httpx

from sgguard.wire.clock import EpochClock
from sgguard.wire.form import FORM, FormAuth, decoded, encoded

Algorithm = Literal["HmacSHA1", "HmacSHA256"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)

MAX_SKEW_S = 5 * 60
"""How far ``Timestamp`` may be from the cloud's clock (code 4500 beyond it)."""

_REPLACED = frozenset({b"content-length", b"content-type"})
_DIGESTS: dict[str, str] = {"HmacSHA1": "sha1", "HmacSHA256": "sha256"}


def flatten(params: Mapping[str, object]) -> dict[str, str]:
    """Return nested parameters as one level: lists count from 0, None is left out."""
    flat: dict[str, str] = {}
    for key, value in params.items():
        _flatten(key, value, flat)
    return flat


def string_to_sign(method: str, host: str, path: str, params: Mapping[str, str]) -> str:
    """Return the text that is signed; ``Signature`` itself is never part of it."""
    is_post = method.upper() == "POST"
    signed = {
        key.replace("_", "."): value
        for key, value in params.items()
        if key != "Signature" and not (is_post and value.startswith("@"))
    }
    pairs = "&".join(f"{key}={signed[key]}" for key in sorted(signed))
    return f"{method.upper()}{host}{path}?{pairs}"


def sign(secret: str, text: str, algorithm: Algorithm) -> str:
    """Return the signature of a string to sign."""
    digest = hmac.digest(secret.encode(), text.encode(), _DIGESTS[algorithm])
    return base64.b64encode(digest).decode("ascii")


def params_of(request: httpx.Request) -> dict[str, str]:
    """Return the parameters of a request whose body has been read, from query or form."""
    raw = request.content if request.method == "POST" else request.url.query
    return decoded(raw)


class QcloudV2Auth(FormAuth):
    """Adds the common parameters of API 2.0 to every request and signs it.

    ``nonce`` returns a positive whole number; it and ``now`` are called at every attempt, so a
    retry is never taken for a replay.
    """

    requires_request_body = True

    def __init__(
        self,
        *,
        key_id: str,
        secret: str,
        now: EpochClock,
        nonce: Callable[[], int],
        token: str = "",
        algorithm: Algorithm = "HmacSHA256",
    ) -> None:
        self._key_id = key_id
        self._secret = secret
        self._now = now
        self._nonce = nonce
        self._algorithm = algorithm
        self._constant = {"SecretId": key_id, "SignatureMethod": algorithm}
        if token:
            self._constant["Token"] = token
        self._encoded = encoded(self._constant)

    def __repr__(self) -> str:
        return f"QcloudV2Auth(key_id={self._key_id!r}, algorithm={self._algorithm!r})"

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Send the request with its signature, in the query of a GET or the form of a POST."""
        raw = request.content if request.method == "POST" else request.url.query
        yield _with_params(request, self._signed(request.method, request.url, raw))

    def signed_form(self, url: httpx.URL, form: bytes) -> bytes:
        """Return the form of a POST with the common parameters and its signature."""
        return self._signed("POST", url, form)

    def _signed(self, method: str, url: httpx.URL, form: bytes) -> bytes:
        varying = {"Nonce": str(self._nonce()), "Timestamp": str(int(self._now()))}
        given = decoded(form)
        params = given | self._constant | varying
        text = string_to_sign(method, url.host, url.path, params)
        varying["Signature"] = sign(self._secret, text, self._algorithm)
        own = {**self._constant, **varying}
        if given.keys() & own.keys():
            return encoded(given | own).encode("ascii")
        added = f"{self._encoded}&{encoded(varying)}".encode("ascii")
        return b"&".join(filter(None, (form, added)))


def _with_params(request: httpx.Request, encoded: bytes) -> httpx.Request:
    if request.method != "POST":
        request.url = request.url.copy_with(query=encoded)
        return request
    headers = [one for one in request.headers.raw if one[0].lower() not in _REPLACED]
    headers.append((b"content-type", FORM.encode()))
    return httpx.Request(
        "POST", request.url, headers=headers, content=encoded, extensions=request.extensions
    )


def _flatten(key: str, value: object, into: dict[str, str]) -> None:
    if isinstance(value, Mapping):
        for name, item in value.items():
            _flatten(f"{key}.{name}", item, into)
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            _flatten(f"{key}.{number}", item, into)
    elif value is not None:
        into[key] = str(value)
