"""Reading keys and certificates over https: bounded in size and time, one host, no redirect."""

from __future__ import annotations

import ssl
import time
from collections.abc import Mapping
from functools import lru_cache

import httpx

from sgguard.callers.base import Fetched
from sgguard.errors import KeysError
from sgguard.wire.clock import MonotonicClock

SECONDS_MAX = 3.0
BYTES_MAX = 256 * 1024

_OK = 200
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


def fetch(
    url: str,
    ca_file: str,
    headers: Mapping[str, str],
    *,
    transport: httpx.BaseTransport | None = None,
    clock: MonotonicClock = time.monotonic,
) -> Fetched:
    """Return what an address answers.

    ``ca_file`` replaces the usual authorities; empty for those. No proxy and no password of the
    environment is used.

    Raises:
        KeysError: there is no answer of 200 within three seconds and 256 KiB.
    """
    end_s = clock() + SECONDS_MAX
    try:
        target = httpx.URL(url)
        if target.scheme != "https" and target.host not in _LOOPBACK:
            raise KeysError(f"{target.host} is not asked without TLS")
        trusted: ssl.SSLContext | bool = target.scheme == "https" and _authorities(ca_file)
        with (
            httpx.Client(
                transport=transport, verify=trusted, trust_env=False, timeout=SECONDS_MAX
            ) as client,
            client.stream("GET", target, headers=dict(headers)) as response,
        ):
            if response.status_code != _OK:
                raise KeysError(f"{target.host} answers {response.status_code}")
            return Fetched(_read(response, end_s, clock), response.headers.get("date", ""))
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
        # Its text is left out: it may quote the token that was sent.
        raise KeysError(f"{_host(url)} cannot be asked: {type(error).__name__}") from None


def _read(response: httpx.Response, end_s: float, clock: MonotonicClock) -> bytes:
    content = bytearray()
    for chunk in response.iter_bytes():
        content += chunk
        if len(content) > BYTES_MAX:
            raise KeysError(f"{response.url.host} answers more than {BYTES_MAX} bytes")
        if clock() > end_s:
            raise KeysError(f"{response.url.host} takes more than {SECONDS_MAX:.0f} s")
    return bytes(content)


@lru_cache(maxsize=8)
def _authorities(ca_file: str) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=ca_file or None)


def _host(url: str) -> str:
    try:
        return httpx.URL(url).host
    except httpx.InvalidURL:
        return "an address"
