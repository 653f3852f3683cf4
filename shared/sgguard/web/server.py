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
from functools import partial
from http import HTTPStatus
from pathlib import Path
from threading import Thread
from typing import Any, cast
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

import functions_framework
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client

from sgguard.engine.context import begin
from sgguard.web import door, language, observe, openapi, problem, response
from sgguard.web.bounded_server import BoundedServer
from sgguard.web.installed import functions
from sgguard.web.observe import METRICS
from sgguard.web.problem import DOCUMENT


def application(sources: Mapping[str, Path]) -> WSGIApplication:
    """Return one WSGI application with every function mounted under ``/<name>``."""
    create_app: Callable[..., WSGIApplication] = functions_framework.create_app
    mounts = {
        f"/{name}": _at_root(create_app(target=name, source=str(path)))
        for name, path in sources.items()
    }
    return cast(WSGIApplication, DispatcherMiddleware(_index(mounts), mounts))


def document(app: WSGIApplication, path: str = "") -> dict[str, Any]:
    """Return the OpenAPI document of a function, or of an application, that is at ``path``."""
    asked = Client(app).get(f"{path}{DOCUMENT}")
    found: dict[str, Any] = json.loads(asked.get_data())
    return found


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


def _index(mounts: Mapping[str, WSGIApplication]) -> WSGIApplication:
    """Return what answers beside the functions: which there are, the document, the metrics."""

    def index(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "") or "/"
        method = environ["REQUEST_METHOD"]
        # The functions share this process, and what is counted in it: one page has all of them.
        page = observe.page(os.environ, partial(begin, os.environ)) if path == METRICS else None
        if path not in ("/", DOCUMENT) and page is None:
            found = response.of_problem(problem.no_function(mounts))
        elif method not in ("GET", "HEAD"):
            found = response.only_read(method)
        elif page is not None:
            found = page
        elif path == DOCUMENT:
            each = {name.strip("/"): document(app) for name, app in mounts.items()}
            found = response.of_document(openapi.merged(each))
        else:
            found = response.of_document({"functions": list(mounts)})
        found = language.spoken(found, environ.get("HTTP_ACCEPT_LANGUAGE", ""))
        status = f"{found.status} {HTTPStatus(found.status).phrase}"
        start_response(status, [*found.headers.items(), ("Content-Length", str(len(found.body)))])
        return [b"" if method == "HEAD" else found.body]

    return index
