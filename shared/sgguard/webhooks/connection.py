"""One request over a connection of its own, to an address that was judged, and to no other.

The name is never looked up here. TLS asks for the name (SNI) and verifies the certificate against
it, so that who answers at the address must be who the name belongs to. No proxy, no redirect, no
cookie, no password of the environment; what comes back is a status, and a wait where one is asked.
"""

from __future__ import annotations

import contextlib
import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping

import msgspec

from sgguard.webhooks.resolve import Pinned
from sgguard.webhooks.url import Endpoint
from sgguard.wire.connection import tls_context

Dial = Callable[[str, int, float], socket.socket]
"""Opens a TCP connection to an address (never a name), a port, within so many seconds."""

CONNECT_S = 5.0
TOTAL_S = 12.0
READ_MAX_BYTES = 16 * 1024
"""What is read of a response's body, and dropped: closed before, it is an error over there."""

_LATE = "it did not answer in time"


class NotSentError(OSError):
    """No response came; the text is a reason in our own words."""


class Received(msgspec.Struct, frozen=True):
    """What a receiver answered: a status, and its header ``Retry-After``, empty without one."""

    status: int
    retry_after: str = ""


def dial(address: str, port: int, timeout_s: float) -> socket.socket:
    """Connect to an address; it is a number already, so nothing is looked up."""
    return socket.create_connection((address, port), timeout_s)


def authorities() -> ssl.SSLContext:
    """Return what certificates are verified with: the usual authorities, and the name."""
    return tls_context()


def post(
    to: Pinned,
    body: bytes,
    headers: Mapping[str, str],
    *,
    timeout_s: float = TOTAL_S,
    dial: Dial = dial,
    tls: Callable[[], ssl.SSLContext] = authorities,
) -> Received:
    """Send one request, and return the status of its response, all within ``timeout_s``.

    Raises:
        NotSentError: there is none. It may have been received nevertheless.
    """
    endpoint = to.endpoint
    with _ending(timeout_s) as ending:
        try:
            plain = _connected(to, min(CONNECT_S, timeout_s), dial)
            ending.watch(plain)
            plain.settimeout(timeout_s)  # a handshake keeps it for all of its steps
            stream = plain if endpoint.scheme == "http" else _secured(plain, endpoint, tls)
            ending.watch(stream)
            response = _response(stream, endpoint, body, headers)
            if ending.is_over:
                # A head that was cut off reads like one that has come to its end.
                raise NotSentError(_LATE)
            with contextlib.suppress(OSError, http.client.HTTPException):
                response.read(READ_MAX_BYTES)
            return Received(response.status, response.getheader("Retry-After") or "")
        except ssl.SSLCertVerificationError as error:
            raise NotSentError(f"its certificate is refused: {error.verify_message}") from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            if isinstance(error, NotSentError):
                raise
            # Its text may quote what the receiver sent.
            why = _LATE if ending.is_over else type(error).__name__
            raise NotSentError(why) from None


def _connected(to: Pinned, timeout_s: float, dial: Dial) -> socket.socket:
    """Connect to the first of the judged addresses that accepts."""
    last = "no address"
    for address in to.addresses:
        try:
            return dial(address, to.endpoint.port, timeout_s / len(to.addresses))
        except OSError as error:
            last = type(error).__name__
    raise NotSentError(f"no address of it accepts a connection ({last})")


def _secured(
    plain: socket.socket, endpoint: Endpoint, tls: Callable[[], ssl.SSLContext]
) -> socket.socket:
    return tls().wrap_socket(plain, server_hostname=endpoint.host.strip("[]"))


def _response(
    stream: socket.socket, endpoint: Endpoint, body: bytes, headers: Mapping[str, str]
) -> http.client.HTTPResponse:
    """Send the request and return the head of its response."""
    line = http.client.HTTPConnection(endpoint.host, endpoint.port)
    line.sock = stream
    line.putrequest("POST", endpoint.target, skip_host=True, skip_accept_encoding=True)
    fixed = {"Host": endpoint.authority, "Connection": "close", "Content-Length": str(len(body))}
    for name, value in {**fixed, **headers}.items():
        line.putheader(name, value)
    line.endheaders(body)
    return line.getresponse()


class _Ending:
    """Closes a connection when its time is over: timeouts of sockets begin anew with every byte."""

    def __init__(self) -> None:
        self.is_over = False
        self._sockets: list[socket.socket] = []
        self._guard = threading.Lock()

    def watch(self, one: socket.socket) -> None:
        with self._guard:
            self._sockets.append(one)
            is_late = self.is_over
        if is_late:
            self._shut(one)

    def end(self) -> None:
        with self._guard:
            self.is_over = True
            found = list(self._sockets)
        for one in found:
            self._shut(one)

    def close(self) -> None:
        for one in self._sockets:
            one.close()

    @staticmethod
    def _shut(one: socket.socket) -> None:
        with contextlib.suppress(OSError):
            # Also of a TLS socket, whose own method would take its state from under a reader.
            socket.socket.shutdown(one, socket.SHUT_RDWR)


@contextlib.contextmanager
def _ending(timeout_s: float) -> Iterator[_Ending]:
    ending = _Ending()
    timer = threading.Timer(timeout_s, ending.end)
    timer.daemon = True
    timer.start()
    try:
        yield ending
    finally:
        timer.cancel()
        ending.close()
