"""The emulator as an HTTP server on one port, for clients that know only addresses.

Any HTTP client can call it, the vendors' own SDKs included. Paths below ``/_emulator/`` control it
(see ``control.py``); everything else is a call to one of the emulated clouds.
"""

from __future__ import annotations

import logging
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import cast

import httpx

from sgguard.emulator import control
from sgguard.emulator.core import Emulator
from sgguard.emulator.faults import DroppedConnectionError

BODY_MAX_BYTES = 64 * 1024 * 1024

_BODYLESS = frozenset({204, 304})
_HOP_HEADERS = frozenset({"content-length", "content-encoding", "transfer-encoding", "connection"})
_CHUNK_SIZE = re.compile(rb"[0-9A-Fa-f]{1,16}")
_DIGITS_MAX = 18
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Running:
    """A running server: its address without a trailing slash, and its emulator."""

    url: str
    port: int
    emulator: Emulator


@contextmanager
def serve(
    emulator: Emulator, host: str = "127.0.0.1", port: int = 0, *, is_patient: bool = False
) -> Iterator[Running]:
    """Serve the emulator on ``host:port`` (0: any free port) until the block is left.

    Connections are closed then; where it ``is_patient``, calls under way are answered before.

    Raises:
        OSError: the port is in use, or the host is not an address of this machine.
    """
    server = _Server(emulator, host, port)
    thread = threading.Thread(
        # The interval only bounds how long a shutdown takes; requests are served at once.
        target=lambda: server.serve_forever(poll_interval=0.05),
        name="sgguard-emulator",
        daemon=True,
    )
    thread.start()
    try:
        yield Running(server.url, server.server_port, emulator)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        if is_patient:
            server.drain()
        server.close_connections()


class _Server(ThreadingHTTPServer):
    """One thread per connection; connections still open at the end are closed."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, emulator: Emulator, host: str, port: int) -> None:
        self.emulator = emulator
        self.connections: set[socket.socket] = set()
        self.busy: set[socket.socket] = set()
        self.is_draining = False
        self._is_left = threading.Condition()
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        host = str(self.server_address[0])
        return f"http://{f'[{host}]' if ':' in host else host}:{self.server_port}"

    def server_bind(self) -> None:
        # HTTPServer would resolve the host's full name, which can take seconds.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = str(self.server_address[0]), self.server_address[1]

    def get_request(self) -> tuple[socket.socket, object]:
        connection, address = super().get_request()
        self.connections.add(connection)
        return connection, address

    def close_request(self, request: object) -> None:
        cast(socket.socket, request).close()
        with self._is_left:
            self.connections.discard(cast(socket.socket, request))
            self._is_left.notify_all()

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002
        # A client that disconnects is normal; every other error has had its response and log line.
        _log.debug("connection ended early", exc_info=True)

    @contextmanager
    def working(self, connection: socket.socket) -> Iterator[None]:
        """Mark a connection whose call is complete and waits for its answer."""
        with self._is_left:
            self.busy.add(connection)
        try:
            yield
        finally:
            with self._is_left:
                self.busy.discard(connection)
                if self.is_draining:
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_RD)

    def drain(self) -> None:
        """Wait until every call under way is answered; what is idle is read no further."""
        with self._is_left:
            self.is_draining = True
            for connection in self.connections - self.busy:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RD)
            self._is_left.wait_for(lambda: not self.connections)

    def close_connections(self) -> None:
        for connection in tuple(self.connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _BadRequestError(Exception):
    """The request cannot be read: respond with this status and close the connection."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status


class _Handler(BaseHTTPRequestHandler):
    """Turns what arrives on a socket into :class:`httpx.Request`, and sends the response."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = 64 * 1024
    server: _Server

    def respond(self) -> None:
        try:
            request = self._request()
        except _BadRequestError as error:
            self.close_connection = True
            self._send(control.problem(error.status, str(error)))
            return
        with self.server.working(self.connection):
            try:
                response = self._call(request)
            except DroppedConnectionError:
                self.close_connection = True
                return
            self._send(response)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = respond  # noqa: N815

    def _call(self, request: httpx.Request) -> httpx.Response:
        try:
            if request.url.path.startswith(control.PREFIX):
                return control.respond(self.server.emulator, request)
            return self.server.emulator.handle(request)
        except DroppedConnectionError:
            raise
        except Exception as error:  # noqa: BLE001 - logged with its traceback, becomes a 500
            _log.exception("the emulator failed: %s %s", request.method, request.url.path)
            return control.problem(500, f"the emulator failed: {type(error).__name__}: {error}")

    def _request(self) -> httpx.Request:
        content = self._body()
        target = self.path
        if not target.startswith(("http://", "https://")):  # the form that proxies receive
            target = f"http://{self.headers.get('host') or self.server.url[7:]}{target}"
        try:
            return httpx.Request(
                self.command, target, headers=list(self.headers.items()), content=content
            )
        except (httpx.InvalidURL, UnicodeError) as error:
            raise _BadRequestError(400, f"unreadable request target or host: {error}") from error

    def _body(self) -> bytes:
        coding = self.headers.get("transfer-encoding", "").strip().lower()
        if coding == "chunked":
            return self._chunks()
        if coding:
            raise _BadRequestError(501, f"transfer-encoding {coding!r} is not understood")
        text = self.headers.get("content-length", "0").strip()
        if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX):
            raise _BadRequestError(400, f"content-length {text[:32]!r} is not a usable number")
        return self._exactly(int(text))

    def _chunks(self) -> bytes:
        body = bytearray()
        while True:
            line = self.rfile.readline(1024).split(b";")[0].strip()
            if not _CHUNK_SIZE.fullmatch(line):  # int() would accept -1, an endless read
                raise _BadRequestError(400, "a chunk has no size")
            size = int(line, 16)
            if size == 0:
                break
            body += self._exactly(size, have=len(body))
            self.rfile.readline(8)
        while self.rfile.readline(64 * 1024).strip():  # trailers are ignored
            pass
        return bytes(body)

    def _exactly(self, size: int, have: int = 0) -> bytes:
        if have + size > BODY_MAX_BYTES:
            raise _BadRequestError(413, f"the body is larger than {BODY_MAX_BYTES} bytes")
        data = self.rfile.read(size)
        if len(data) < size:
            raise _BadRequestError(400, f"the body ended after {len(data)} of {size} bytes")
        return data

    def _send(self, response: httpx.Response) -> None:
        self.send_response_only(response.status_code, response.reason_phrase)
        for name, value in response.headers.multi_items():
            if name.lower() not in _HOP_HEADERS:
                self.send_header(name, value)
        if "date" not in response.headers:
            self.send_header("Date", formatdate(usegmt=True))
        if response.status_code not in _BODYLESS:
            self.send_header("Content-Length", str(len(response.content)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD" and response.status_code not in _BODYLESS:
            self.wfile.write(response.content)

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        # Called by the base class for an unknown method or an unreadable request line.
        self.close_connection = True
        self.request_version = self.protocol_version  # else the response may have no headers
        self._send(control.problem(code, message or explain or "the request cannot be read"))

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        _log.debug(format, *args)
