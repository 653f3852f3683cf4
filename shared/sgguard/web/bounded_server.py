"""A development server that slow or silent clients cannot fill.

Each connection has a thread. Without bounds, clients that send half a request head and wait would
keep as many threads as they like. Here the number of connections is bounded, and a connection that
has not sent its head in time, or that lasts too long, is cut.

Its threads do not keep the process alive. So that a request under way is answered all the same, its
end is in two parts: nothing more is accepted, and then :meth:`BoundedServer.drain` waits.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from wsgiref.types import WSGIApplication

from werkzeug.serving import ThreadedWSGIServer, WSGIRequestHandler

CONNECTIONS_MAX = 64
HEAD_S = 10.0
"""Within which a request head has to be complete."""
LIFETIME_S = 300.0
"""After which any connection is cut: no event has a longer deadline in practice."""

_SWEEP_S = 0.5
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n"
    b"Connection: close\r\n\r\n"
)


@dataclass
class Bounds:
    """How many connections there may be, and how long each part of one may take, in seconds."""

    connections_max: int = CONNECTIONS_MAX
    head_s: float = HEAD_S
    lifetime_s: float = LIFETIME_S
    clock: Callable[[], float] = time.monotonic


class _Handler(WSGIRequestHandler):
    """Tells the server when the head of a request is complete."""

    def parse_request(self) -> bool:
        is_complete = super().parse_request()
        if isinstance(self.server, BoundedServer):
            self.server.has_head(self.connection)
        return is_complete


class BoundedServer(ThreadedWSGIServer):
    """Serves an application on a socket that listens already, within ``bounds``."""

    def __init__(
        self,
        listener: socket.socket,
        host: str,
        port: int,
        app: WSGIApplication,
        bounds: Bounds | None = None,
    ) -> None:
        self._bounds = bounds or Bounds()
        self._ends: dict[socket.socket, float] = {}
        self._busy: set[socket.socket] = set()
        self._guard = threading.Lock()
        self._is_left = threading.Condition(self._guard)
        self._is_closing = threading.Event()
        super().__init__(host, port, app, handler=_Handler, fd=listener.fileno())
        # That has closed a socket which werkzeug does not need, by way of server_close.
        self._is_closing.clear()
        threading.Thread(target=self._sweep, name="sgguard-sweeper", daemon=True).start()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Take a connection, or refuse it where there are as many as there may be."""
        with self._guard:
            is_full = len(self._ends) >= self._bounds.connections_max
            if not is_full:
                self._ends[request] = self._bounds.clock() + self._bounds.head_s
        if is_full:
            with suppress(OSError):
                request.send(_FULL)
            self.shutdown_request(request)
            return
        super().process_request(request, client_address)

    def has_head(self, request: socket.socket) -> None:
        """Give a connection whose head is complete the time for its answer."""
        with self._guard:
            if request in self._ends:
                self._ends[request] = self._bounds.clock() + self._bounds.lifetime_s
                self._busy.add(request)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection and forget it."""
        super().shutdown_request(request)
        with self._guard:
            self._busy.discard(request)
            self._ends.pop(request, None)
            self._is_left.notify_all()

    def server_close(self) -> None:
        """Stop watching, and close."""
        self._is_closing.set()
        super().server_close()

    def drain(self) -> None:
        """Wait until every request under way is answered; idle connections are cut at once.

        Nothing more is accepted by now. What a connection sent before it is cut is still read, so
        that a whole request is answered. A connection that lasts too long is cut as ever.
        """
        with self._guard:
            for request in self._ends.keys() - self._busy:
                with suppress(OSError):
                    request.shutdown(socket.SHUT_RD)
        while self._ends:
            self.cut_overdue()
            with self._guard:
                if self._ends:
                    self._is_left.wait(_SWEEP_S)

    def cut_overdue(self) -> int:
        """Cut the connections whose time is over, and return how many."""
        now_s = self._bounds.clock()
        with self._guard:
            overdue = [request for request, end_s in self._ends.items() if end_s <= now_s]
            for request in overdue:
                # Only its reading thread closes it: the number of a closed socket may be reused.
                with suppress(OSError):
                    request.shutdown(socket.SHUT_RDWR)
        return len(overdue)

    def _sweep(self) -> None:
        while not self._is_closing.wait(_SWEEP_S):
            self.cut_overdue()
