"""Reading the body of a response within a size and within the event's time.

httpx restarts its read timeout with every byte, and reads bodies of any size: a body that arrives
slowly, or never ends, would occupy an event and its memory without limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import httpx

from sgguard.wire.clock import Deadline

LARGEST_BYTES = 15 * 1024 * 1024
"""More than ten thousand ports in one list, as Neutron writes them."""

# They no longer apply to the returned response: its body is decoded and complete.
_TRANSFER_HEADERS = ("content-encoding", "content-length", "transfer-encoding")


class TooLargeError(Exception):
    """The body is larger than any list of a cloud."""


class _Bounded(httpx.SyncByteStream):
    """A body that ends with an error when it is too large or too late."""

    def __init__(self, stream: httpx.SyncByteStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        return _within(self._stream, self._deadline)

    def close(self) -> None:
        self._stream.close()


def read_body(response: httpx.Response, deadline: Deadline) -> httpx.Response:
    """Return the response with its body read.

    Raises:
        httpx.ReadTimeout: the time is used up, even while bytes arrive.
        TooLargeError: the body, decoded, is larger than ``LARGEST_BYTES``.
        httpx.TransportError, httpx.DecodingError: as httpx reads.
    """
    if "content-encoding" not in response.headers:
        if isinstance(response.stream, httpx.SyncByteStream):
            response.stream = _Bounded(response.stream, deadline)
        response.read()
        return response
    # A compressed body may grow a thousandfold when httpx decodes it: the decoded size counts.
    body = b"".join(_within(response.iter_bytes(), deadline))
    headers = [
        item for item in response.headers.raw if item[0].decode().lower() not in _TRANSFER_HEADERS
    ]
    return httpx.Response(
        response.status_code,
        headers=headers,
        content=body,
        request=response.request,
        extensions=response.extensions,
    )


def _within(chunks: Iterable[bytes], deadline: Deadline) -> Iterator[bytes]:
    left = LARGEST_BYTES
    for chunk in chunks:
        left -= len(chunk)
        if left < 0:
            raise TooLargeError
        if deadline.remaining_s() <= 0:
            raise httpx.ReadTimeout("the answer was not complete in time")
        yield chunk
