"""Reading an answer's body within a size and within the event's time.

httpx counts its read timeout anew for every byte that comes, and reads whatever is sent: a body
that drips, or never ends, would hold an event and its memory for as long as somebody likes.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import httpx

from sgguard.wire.clock import Deadline

LARGEST_BYTES = 15 * 1024 * 1024
"""More than ten thousand ports in one list, as Neutron writes them."""

# The body of what is returned is unpacked, in one piece.
_TRANSFER_HEADERS = ("content-encoding", "content-length", "transfer-encoding")


class TooLargeError(Exception):
    """The answer goes on beyond what any list of a cloud has."""


class _Bounded(httpx.SyncByteStream):
    """A body as it comes, until it is too much or too late."""

    def __init__(self, stream: httpx.SyncByteStream, deadline: Deadline) -> None:
        self._stream = stream
        self._deadline = deadline

    def __iter__(self) -> Iterator[bytes]:
        return _within(self._stream, self._deadline)

    def close(self) -> None:
        self._stream.close()


def read_body(response: httpx.Response, deadline: Deadline) -> httpx.Response:
    """Return the answer with its body read.

    Raises:
        httpx.ReadTimeout: the time is used up, however busily the body drips.
        TooLargeError: the body, unpacked, is larger than ``LARGEST_BYTES``.
        httpx.TransportError, httpx.DecodingError: as httpx reads.
    """
    if "content-encoding" not in response.headers:
        if isinstance(response.stream, httpx.SyncByteStream):
            response.stream = _Bounded(response.stream, deadline)
        response.read()
        return response
    # What is packed may grow a thousandfold while httpx unpacks it: that size counts.
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
