"""The addresses that calls go to, with their parameters."""

from __future__ import annotations

from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

import httpx

_PORTS = 65536


def with_query(url: str | httpx.URL, params: Any) -> httpx.URL:
    """Return the address with its parameters, encoded as httpx does, and parsed only once."""
    query = _encoded(params) if params else ""
    if query:
        return parsed(f"{url}?{query}")
    return url if isinstance(url, httpx.URL) else parsed(url)


def _encoded(params: Any) -> str:
    """Return parameters as httpx encodes them; texts need none of its conversions."""
    pairs = list(params.items()) if isinstance(params, dict) else params
    if isinstance(pairs, list) and all(isinstance(value, str) for _, value in pairs):
        return urlencode(pairs)
    return str(httpx.QueryParams(params))


@lru_cache(maxsize=256)
def parsed(url: str) -> httpx.URL:
    """Return an address in its parts, parsed once: most calls go to few, and lists are read again.

    httpx looks at each character of an address several times.

    Raises:
        httpx.InvalidURL: it is none.
    """
    return httpx.URL(url)


@lru_cache(maxsize=64)
def is_address(url: str) -> bool:
    """Return whether this is an http(s) address with a host, and a port that can exist."""
    try:
        parts = parsed(url)
        host = parts.host
    except (httpx.InvalidURL, UnicodeError):
        return False  # UnicodeError: characters or labels that no host has
    if parts.port is not None and not 0 < parts.port < _PORTS:
        return False
    # httpx encodes a space, and the host is then another one.
    return parts.scheme in ("http", "https") and bool(host) and not any(map(str.isspace, url))
