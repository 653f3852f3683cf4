"""Reading the body of a response within a size and within the event's time.

httpx restarts its read timeout with every byte, reads bodies of any size, and decodes a body in as
many layers as its header names: one that arrives slowly, never ends, or unpacks to gigabytes would
occupy an event and its memory. Here the size counts before memory is taken, decoded bytes included.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from itertools import chain

import httpx

from sgguard.wire.clock import Deadline

LARGEST_BYTES = 15 * 1024 * 1024
"""More than ten thousand ports in one list, as Neutron writes them."""

_PIECE_BYTES = 1 << 20
"""How much a compressed body is unpacked at a time."""

# What zlib takes as its window: gzip, and zlib's own format (``deflate`` in HTTP, RFC 9110 8.4.1).
_GZIP, _ZLIB, _RAW = 31, 15, -15

# They no longer apply to the returned response: its body is decoded and complete.
_TRANSFER_HEADERS = ("content-encoding", "content-length", "transfer-encoding")
_RAW_TRANSFER_HEADERS = tuple(name.encode() for name in _TRANSFER_HEADERS)


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


RawHeaders = list[tuple[bytes, bytes]]


def decoded(body: bytes, headers: RawHeaders) -> tuple[bytes, RawHeaders]:
    """Return a complete body unpacked, and the headers that still apply to it.

    Raises:
        TooLargeError, httpx.DecodingError: as :func:`read_body`.
    """
    encodings = [value for name, value in headers if name.lower() == b"content-encoding"]
    encoding = b", ".join(encodings).decode("latin-1").strip().lower()
    if encoding not in ("", "identity"):
        body = b"".join(_decoded(iter([body]), encoding))
    return body, [item for item in headers if item[0].lower() not in _RAW_TRANSFER_HEADERS]


def read_body(response: httpx.Response, deadline: Deadline) -> httpx.Response:
    """Return the response with its body read.

    Raises:
        httpx.ReadTimeout: the time is used up, even while bytes arrive.
        TooLargeError: the body, decoded, is larger than ``LARGEST_BYTES``.
        httpx.DecodingError: the body is not in the encoding that its header names, or in several,
            or in one that was not asked for.
        httpx.TransportError: as httpx reads.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding in ("", "identity"):
        response.headers.pop("content-encoding", None)
        if isinstance(response.stream, httpx.SyncByteStream):
            response.stream = _Bounded(response.stream, deadline)
        response.read()
        return response
    body = b"".join(_decoded(_within(response.iter_raw(), deadline), encoding))
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


def _decoded(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Yield the unpacked bytes; a packed body may grow a thousandfold, so they are counted.

    Raises:
        TooLargeError: they are more than ``LARGEST_BYTES``.
        httpx.DecodingError: they are not in the encoding, or there is no such encoding here.
    """
    first = next(chunks, b"")
    unpacker = zlib.decompressobj(_window(encoding, first))
    left = LARGEST_BYTES
    try:
        for packed in chain([first], chunks):
            for piece in _unpacked(unpacker, packed):
                left -= len(piece)
                if left < 0:
                    raise TooLargeError
                yield piece
    except zlib.error as error:
        raise httpx.DecodingError(str(error)) from error
    if first and not unpacker.eof:
        raise httpx.DecodingError("the packed body ends early")


def _unpacked(unpacker: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    """Yield what some packed bytes unpack to, in pieces of a bounded size."""
    while True:
        piece = unpacker.decompress(packed, _PIECE_BYTES)
        yield piece
        packed = unpacker.unconsumed_tail
        # A full piece may leave more inside the unpacker although all of the input is used.
        if not packed and len(piece) < _PIECE_BYTES:
            return


def _window(encoding: str, first: bytes) -> int:
    """Return the format of a packed body, as zlib counts windows."""
    if encoding in ("gzip", "x-gzip"):
        return _GZIP
    if encoding == "deflate":
        # Some servers send it without zlib's two bytes of header, which are a multiple of 31.
        has_header = first[:1] == b"\x78" and int.from_bytes(first[:2], "big") % 31 == 0
        return _ZLIB if has_header else _RAW
    raise httpx.DecodingError("an encoding that was not asked for")
