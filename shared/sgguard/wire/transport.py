"""A connection of our own to one host: an ``httpx.Request`` in, an ``httpx.Response`` out.

It owns its socket. Each wait (name, connection, TLS, writing, reading) gets at most what is left of
the deadline of the call it is lent for, so no peer can outlast it by sending a little now and then.
A connection that failed, or whose response did not end cleanly, is closed and made anew for the
next call; one that idled is used again only where nothing arrived on it.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

import httpx

from sgguard.wire import lean
from sgguard.wire.body import decoded
from sgguard.wire.clock import Deadline
from sgguard.wire.http1 import CONTROL, TOKEN, Answer, Reader
from sgguard.wire.names import NAMES
from sgguard.wire.workers import WORKERS

KEPT_S = 60.0
"""How long an idle connection is used again: a minute between events is usual."""

_PIECE_BYTES = 1 << 16
_PORTS = {"http": 80, "https": 443}
_Failure = type[httpx.TransportError]


class Connection:
    """One connection to the host of an address; ``deadline`` is that of the call it is lent for."""

    def __init__(self, url: httpx.URL, tls: Callable[[], ssl.SSLContext]) -> None:
        self.deadline: Deadline | None = None
        self._host = url.raw_host.decode("ascii").strip("[]")
        self._port = url.port or _PORTS[url.scheme]
        self._tls = tls if url.scheme == "https" else None
        self._socket: socket.socket | None = None
        self._readable = select.poll()
        self._reader = Reader(self._receive)
        self._timeout_s = 0.0
        self._idle_since_s = 0.0

    def send(self, request: httpx.Request) -> httpx.Response:
        """Send a request with its body and return the response with its body, unpacked.

        Raises:
            httpx.TransportError: as httpx names what failed.
            httpx.DecodingError: the body is not in the encoding that its header names.
            TooLargeError: the body is larger than ``LARGEST_BYTES``.
        """
        timeouts = request.extensions["timeout"]
        try:
            opened = self._open(timeouts["connect"])
            self._timeout_s = timeouts["read"]
            answer = self._exchange(opened, request)
        except BaseException:
            self.close()
            raise
        if answer.is_last:
            self.close()
        self._idle_since_s = time.monotonic()
        return _response(answer, request)

    def close(self) -> None:
        """Close the connection; the next call makes a new one."""
        opened, self._socket = self._socket, None
        if opened is not None:
            opened.close()

    def _exchange(self, opened: socket.socket, request: httpx.Request) -> Answer:
        unsent: httpx.WriteError | None = None
        try:
            self._write(opened, _head(request) + request.read())
        except httpx.WriteError as error:
            # A peer may refuse a request before it has read it all, and says why.
            unsent = error
        WORKERS.begin_next()  # from here on this thread waits
        try:
            answer = self._reader.read(request.method)
        except httpx.TransportError:
            if unsent is not None:
                raise unsent from unsent.__cause__
            raise
        if unsent is not None:
            self.close()
        return answer

    def _open(self, timeout_s: float) -> socket.socket:
        """Return the open socket, or a new one where it is old, closed, or was written to."""
        if self._socket is not None:
            is_old = time.monotonic() - self._idle_since_s > KEPT_S
            if not is_old and self._is_silent(self._socket):
                return self._socket
            self.close()
        WORKERS.begin_next()
        end = Deadline.after(min(timeout_s, self._left_s(httpx.ConnectTimeout)))
        self._reader = Reader(self._receive)
        opened = self._socket = self._connected(end)
        # The system is asked for as little as possible: whenever a thread asks, others may take
        # its turn. So the socket never waits by itself, which takes three questions each time.
        opened.settimeout(0)
        self._readable = select.poll()
        self._readable.register(opened, select.POLLIN)
        return opened

    def _connected(self, end: Deadline) -> socket.socket:
        """Connect to the first address of the host that accepts; all share the time."""
        failure: Exception | None = None
        with _failing_as(httpx.ConnectTimeout, httpx.ConnectError):
            addresses = NAMES.resolve(self._host, end.remaining_s())
        for address in addresses:
            try:
                with _failing_as(httpx.ConnectTimeout, httpx.ConnectError):
                    return self._connect(address, end)
            except (httpx.ConnectTimeout, httpx.ConnectError) as error:
                failure = error
        raise failure or httpx.ConnectError("no address")

    def _connect(self, address: str, end: Deadline) -> socket.socket:
        plain = socket.create_connection((address, self._port), _some(end, httpx.ConnectTimeout))
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._tls is None:
                return plain
            plain.settimeout(_some(end, httpx.ConnectTimeout))
            return self._tls().wrap_socket(plain, server_hostname=self._host)
        except BaseException:
            plain.close()
            raise

    def _write(self, opened: socket.socket, data: bytes) -> None:
        unsent = memoryview(data)
        while unsent:
            self._left_s(httpx.WriteTimeout)
            try:
                unsent = unsent[opened.send(unsent[:_PIECE_BYTES]) :]
            except (BlockingIOError, ssl.SSLWantWriteError):
                self._wait(opened, select.POLLOUT, httpx.WriteTimeout)
            except ssl.SSLWantReadError:
                self._wait(opened, select.POLLIN, httpx.WriteTimeout)
            except OSError as error:
                raise _named(error, httpx.WriteTimeout, httpx.WriteError) from error

    def _receive(self) -> bytes:
        opened = self._socket
        if opened is None:
            return b""
        # TLS may have unpacked more than was taken: then nothing else need come.
        awaited = 0 if isinstance(opened, ssl.SSLSocket) and opened.pending() else select.POLLIN
        while True:
            if awaited:
                self._wait(opened, awaited, httpx.ReadTimeout)
            try:
                return opened.recv(_PIECE_BYTES)
            except (BlockingIOError, ssl.SSLWantReadError):
                awaited = select.POLLIN
            except ssl.SSLWantWriteError:
                awaited = select.POLLOUT
            except OSError as error:
                raise _named(error, httpx.ReadTimeout, httpx.ReadError) from error

    def _wait(self, opened: socket.socket, event: int, late: _Failure) -> None:
        """Wait until a socket can be read or written, for as long as the call has time."""
        left_s = min(self._timeout_s, self._left_s(late))
        ready = self._readable
        if event != select.POLLIN:
            ready = select.poll()
            ready.register(opened, event)
        if not ready.poll(left_s * 1000):
            raise late("timed out")

    def _is_silent(self, opened: socket.socket) -> bool:
        """Return whether nothing arrived on an idle connection: neither its end nor a byte.

        With TLS a ticket may have arrived, which is no data: a read takes it and finds nothing.
        """
        if isinstance(opened, ssl.SSLSocket) and opened.pending():
            return False
        if not self._readable.poll(0):
            return True
        try:
            opened.recv(1)
        except (BlockingIOError, ssl.SSLWantReadError):
            return True
        except OSError:
            return False
        return False

    def _left_s(self, late: _Failure) -> float:
        return _some(self.deadline, late) if self.deadline else self._timeout_s


def _some(deadline: Deadline, late: _Failure) -> float:
    """Return what is left; nothing left would mean to a socket that it must not wait at all."""
    left_s = deadline.remaining_s()
    if left_s <= 0:
        raise late("the time of the call is used up")
    return left_s


@contextmanager
def _failing_as(late: _Failure, broken: _Failure) -> Iterator[None]:
    """Raise the errors of a socket as httpx names them, from the error itself."""
    try:
        yield
    except OSError as error:
        raise _named(error, late, broken) from error


def _named(error: OSError, late: _Failure, broken: _Failure) -> httpx.TransportError:
    return (late if isinstance(error, TimeoutError) else broken)(str(error))


def _head(request: httpx.Request) -> bytes:
    """Return the request line and the headers.

    Raises:
        httpx.LocalProtocolError: a header has characters that no header can have.
    """
    lines = [b"%s %s HTTP/1.1" % (request.method.encode("ascii"), request.url.raw_path)]
    headers = request.headers.raw
    if CONTROL.search(b"".join([value for _, value in headers])):
        raise httpx.LocalProtocolError("a header cannot be sent")
    for name, value in headers:
        if not _is_name(name):
            raise httpx.LocalProtocolError("a header cannot be sent")
        lines.append(b"%s: %s" % (name, value))
    return b"\r\n".join(lines) + b"\r\n\r\n"


@lru_cache(maxsize=256)
def _is_name(name: bytes) -> bool:
    return TOKEN.fullmatch(name) is not None


def _response(answer: Answer, request: httpx.Request) -> httpx.Response:
    body, headers = decoded(answer.body, answer.headers)
    return lean.Response(answer.status, headers, body, request)
