"""Responses of HTTP/1.1, read strictly from a source of bytes (RFC 9112).

A response that two readers could understand differently is refused: two lengths, a length beside
chunks, folded or malformed header lines, bare line ends. Sizes and counts are bounded before memory
is taken. Nothing here knows sockets or time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

import httpx
import msgspec

from sgguard.wire.body import LARGEST_BYTES, RawHeaders, TooLargeError

HEAD_BYTES = 64 * 1024
"""More than any cloud's head; also the bound of a chunk's line and of all trailers together."""

HEADERS_MAX = 200
INTERIM_MAX = 16
"""Interim answers (1xx) before the final one."""

_STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [\t \x21-\x7e\x80-\xff]*)?")
TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(rb"[0-9]{1,20}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,16})(?:[ \t]*;[^\x00-\x08\x0a-\x1f\x7f]*)?[ \t]*")
_DIGITS = 16
_NO_BODY = (204, 304)
_SWITCHING = 101
_FINAL = 200


class NotHttpError(httpx.RemoteProtocolError):
    """What was received is not a response of HTTP/1.1, or could be read in two ways."""


class Answer(msgspec.Struct, frozen=True):
    """One response: its body is complete, and as it was sent (not unpacked)."""

    status: int
    headers: RawHeaders
    body: bytes
    is_last: bool
    """Whether the connection must be closed after it."""


class Reader:
    """Reads one response after the other from ``receive``, which returns b"" at the end."""

    def __init__(self, receive: Callable[[], bytes]) -> None:
        self._receive = receive
        self._held = bytearray()

    def read(self, method: str) -> Answer:
        """Return the final response to a request of this method.

        Raises:
            NotHttpError: it breaks the rules of HTTP/1.1, or has more than the bounds permit.
            httpx.RemoteProtocolError: the source ended before it was complete.
            TooLargeError: the body is larger than ``LARGEST_BYTES``.
        """
        for _ in range(INTERIM_MAX):
            minor, status, headers = self._head()
            if status == _SWITCHING:
                raise NotHttpError("another protocol was not asked for")
            if status >= _FINAL:
                break
        else:
            raise NotHttpError("too many interim answers")
        length, is_chunked = _framing(headers, minor)
        if method == "HEAD" or status in _NO_BODY:
            length, is_chunked = 0, False
        if is_chunked:
            body = b"".join(self._chunks())
        elif length is not None:
            body = self._exactly(length)
        else:
            body = self._rest()
        # What is left over was sent without being asked for: nothing after it can be trusted.
        is_last = (length is None and not is_chunked) or bool(self._held)
        return Answer(status, headers, body, is_last or minor == 0 or _closes(headers))

    def _head(self) -> tuple[int, int, RawHeaders]:
        """Return the minor version, the status and the headers of the next head."""
        lines = self._lines()
        if not (start := _STATUS.fullmatch(lines[0])):
            raise NotHttpError("the first line is no status line")
        if len(lines) > HEADERS_MAX + 1:
            raise NotHttpError("too many headers")
        return int(start[1]), int(start[2]), [_header(line) for line in lines[1:]]

    def _lines(self) -> list[bytes]:
        """Take the lines up to the next empty one."""
        looked = 0
        while (end := self._held.find(b"\r\n\r\n", max(0, looked - 3))) < 0:
            looked = len(self._held)
            # What does not begin like a response is not waited for.
            if looked > HEAD_BYTES or self._held[:5] != b"HTTP/"[:looked]:
                raise NotHttpError("no head of a response")
            self._more()
        if end > HEAD_BYTES:
            raise NotHttpError("the head is too large")
        return self._take(end + 4)[:-4].split(b"\r\n")

    def _exactly(self, length: int) -> bytes:
        if length > LARGEST_BYTES:
            raise TooLargeError
        while len(self._held) < length:
            self._more()
        return self._take(length)

    def _rest(self) -> bytes:
        """Return all that comes until the source ends."""
        while piece := self._receive():
            self._held += piece
            if len(self._held) > LARGEST_BYTES:
                raise TooLargeError
        return self._take(len(self._held))

    def _chunks(self) -> Iterator[bytes]:
        # What stands beside the sizes is bounded in all: extensions without end are no body.
        left, beside = LARGEST_BYTES, HEAD_BYTES
        while True:
            if not (line := _CHUNK.fullmatch(self._line(beside))):
                raise NotHttpError("no size of a chunk")
            beside -= line.end() - line.end(1)
            if not (size := int(line[1], 16)):
                break
            left -= size
            if left < 0:
                raise TooLargeError
            chunk = self._exactly(size)
            if self._exactly(2) != b"\r\n":
                raise NotHttpError("a chunk is longer than its size")
            yield chunk
        self._skip_trailers()

    def _skip_trailers(self) -> None:
        left = HEAD_BYTES
        while line := self._line(left):
            _header(line)
            left -= len(line) + 2

    def _line(self, most: int) -> bytes:
        """Take the next line; it may have ``most`` bytes and the digits of a size."""
        most += _DIGITS
        looked = 0
        while (end := self._held.find(b"\r\n", max(0, looked - 1))) < 0:
            looked = len(self._held)
            if looked > most:
                raise NotHttpError("a line is too long")
            self._more()
        if end > most:
            raise NotHttpError("a line is too long")
        return self._take(end + 2)[:-2]

    def _more(self) -> None:
        if not (piece := self._receive()):
            raise httpx.RemoteProtocolError("the answer is not complete")
        self._held += piece

    def _take(self, count: int) -> bytes:
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken


def _header(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    # A space before the colon, or at the start of a line (which once continued the line before).
    if not colon or not TOKEN.fullmatch(name) or CONTROL.search(value):
        raise NotHttpError("a header is malformed")
    return name, value.strip(b" \t")


def _framing(headers: RawHeaders, minor: int) -> tuple[int | None, bool]:
    """Return the length of the body, if it is named, and whether it comes in chunks.

    Raises:
        NotHttpError: both are said, two different lengths, or an encoding that is not known here.
    """
    lengths = {value for name, value in headers if name.lower() == b"content-length"}
    codings = [value for name, value in headers if name.lower() == b"transfer-encoding"]
    if codings:
        if lengths or minor == 0 or [one.lower() for one in codings] != [b"chunked"]:
            raise NotHttpError("the end of the body is told in two ways, or in an unknown one")
        return None, True
    if not lengths:
        return None, False
    if len(lengths) > 1 or not _LENGTH.fullmatch(length := lengths.pop()):
        raise NotHttpError("the length of the body is not one number")
    return int(length), False


def _closes(headers: RawHeaders) -> bool:
    return any(
        name.lower() == b"connection"
        and b"close" in (one.strip(b" \t").lower() for one in value.split(b","))
        for name, value in headers
    )
