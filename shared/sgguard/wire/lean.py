"""httpx's requests and responses, made of what is known to be right.

httpx turns what it is given into what it keeps: each name and value of a header is looked at twice,
each body becomes a stream that is read into a body. For a call of ours that was a fifth of its
cost. What is made here has the same public parts (a test compares them), and all that reads or
changes them stays httpx's own.
"""

from __future__ import annotations

from collections.abc import Mapping

import httpx

from sgguard.wire.body import RawHeaders

_WITH_BODY = ("POST", "PUT", "PATCH")


def headers_of(raw: RawHeaders) -> httpx.Headers:
    """Return headers, as they are sent or were received."""
    headers = httpx.Headers()
    headers._list = [(name, name.lower(), value) for name, value in raw]  # noqa: SLF001
    if all(name.isascii() and value.isascii() for name, value in raw):
        headers.encoding = "ascii"  # it is looked for otherwise, value by value
    return headers


class Request(httpx.Request):
    """A request with a whole body, and with the headers that each request has.

    ``headers`` are the further ones; ``timeouts`` are those of httpx, in seconds.
    """

    def __init__(
        self,
        method: str,
        url: httpx.URL,
        headers: RawHeaders,
        body: bytes,
        timeouts: Mapping[str, float | None],
    ) -> None:
        always = [(b"Host", url.netloc), *headers]
        if body or method in _WITH_BODY:
            always.append((b"Content-Length", b"%d" % len(body)))
        self.method = method
        self.url = url
        self.headers = headers_of(always)
        self.extensions = {"timeout": dict(timeouts)}
        self.stream = httpx.ByteStream(body)
        self._content = body


class Response(httpx.Response):
    """A response whose body was read to its end."""

    def __init__(
        self, status: int, headers: RawHeaders, body: bytes, request: httpx.Request
    ) -> None:
        self.status_code = status
        self.headers = headers_of(headers)
        self._request = request
        self.next_request = None
        self.extensions = {}
        self.history = []
        self.is_closed = self.is_stream_consumed = True
        self.default_encoding = "utf-8"
        self.stream = httpx.ByteStream(body)
        self._content = body
        self._num_bytes_downloaded = len(body)
