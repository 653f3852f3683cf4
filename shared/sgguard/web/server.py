"""Every function on one port, under its own name: for a developer's machine, not for production.

Deployed, each function is a process of its own. Here they share one, each in the same Flask app
that functions-framework would give it.
"""

from __future__ import annotations

import json
import logging
import os
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import functions_framework
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from sgguard.engine.context import begin
from sgguard.web import door
from sgguard.web.bounded_server import BoundedServer
from sgguard.web.installed import functions


def application(sources: Mapping[str, Path]) -> WSGIApplication:
    """Return one WSGI application with every function mounted under ``/<name>``."""
    create_app: Callable[..., WSGIApplication] = functions_framework.create_app
    mounts = {
        f"/{name}": _at_root(create_app(target=name, source=str(path)))
        for name, path in sources.items()
    }
    return cast(WSGIApplication, DispatcherMiddleware(_index(tuple(mounts)), mounts))


@contextmanager
def serve(host: str, port: int) -> Iterator[str]:
    """Serve every function on ``host:port`` (0: any free port) until the block is left.

    Then nothing more is accepted, and what is under way is answered
    first. Gives the address without a trailing slash.

    Raises:
        OSError: the port is in use, or the host is not an address of this machine.
        SettingsError: everybody could ask, and more than this machine, or change something.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # werkzeug would end the process when the port is in use, so the socket is ours.
    with (
        socket.create_server((host, port), family=family, backlog=128) as listener,
        _told_where(host),
    ):
        port = listener.getsockname()[1]
        logging.getLogger("werkzeug").setLevel(logging.WARNING)
        door.is_open(begin(os.environ), ("--host", host))
        app = application(functions())
        server = BoundedServer(listener, host, port, app)
        thread = Thread(target=server.serve_forever, name="sgguard-serve", daemon=True)
        thread.start()
        try:
            yield f"http://{f'[{host}]' if ':' in host else host}:{port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
            listener.close()
            server.drain()


@contextmanager
def _told_where(host: str) -> Iterator[None]:
    """Tell the functions what they are served on, where functions-framework has it, too."""
    before = os.environ.get("HOST")
    os.environ["HOST"] = host
    try:
        yield
    finally:
        del os.environ["HOST"]
        if before is not None:
            os.environ["HOST"] = before


def _at_root(app: WSGIApplication) -> WSGIApplication:
    """Let ``/name`` be the function's root: Flask would redirect to ``/name/``, losing the body."""

    def at_root(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return app({**environ, "PATH_INFO": environ.get("PATH_INFO") or "/"}, start_response)

    return at_root


def _index(paths: tuple[str, ...]) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    def index(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        is_root = environ.get("PATH_INFO", "") in ("", "/")
        body: dict[str, Any] = {"functions": list(paths)}
        if not is_root:
            body = {"title": "No such function", "status": 404, "detail": f"known: {list(paths)}"}
        kind = "application/json" if is_root else "application/problem+json"
        start_response("200 OK" if is_root else "404 Not Found", [("Content-Type", kind)])
        return [json.dumps(body).encode()]

    return index
