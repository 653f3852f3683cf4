"""The way of a server: credentials are taken out of each request, before anything sees it.

Headers with credentials are removed on every platform, also where none are expected: no answer and
no log line can quote what is not there. They are believed only on the platform that sets them.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from typing import Any

from gunicorn.app.base import BaseApplication  # type: ignore[import-untyped]

from sgguard.engine.context import begin
from sgguard.runtimes import app, credentials, deadline, metadata
from sgguard.runtimes.base import Platform
from sgguard.runtimes.credentials import Given
from sgguard.runtimes.worker import QuietLogger, QuietWorker
from sgguard.web import endpoint, start

StartResponse = Callable[..., Any]

SECRET_HEADERS = (
    *("x-fc-access-key-id", "x-fc-access-key-secret", "x-fc-security-token"),
    *("x-scf-secret-id", "x-scf-secret-key", "x-scf-session-token"),
    *("x-cff-security-access-key", "x-cff-security-secret-key", "x-cff-security-token"),
    *("x-cff-access-key", "x-cff-secret-key", "x-cff-auth-token"),
)
"""Every header in which a platform hands over credentials."""

_CONTROL = "HTTP_X_FC_CONTROL_PATH"
_EVENT_MAX_BYTES = 32 * 1024 * 1024
_THREADS = 64
_MEMORY = "/dev/shm"  # noqa: S108 - what is written there are heartbeats
_HEAD_FIELDS = 64
_LINE_MAX = 8190
_DIGITS_MAX = 9
_OK, _FAILED, _SERVER = 200, 404, 500
_AGAIN = frozenset({409, 429})


class Server:
    """The WSGI application of one function on one platform."""

    def __init__(self, application: app.Application, platform: Platform) -> None:
        self._app = application
        self._platform = platform

    def __call__(self, environ: app.Environ, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request."""
        environ[endpoint.ENV] = self._taken(environ)
        if self._platform.CLOUD == "alibaba" and _CONTROL in environ:
            return _for_fc(self._app, environ, start_response)
        return self._app(environ, start_response)

    def _taken(self, environ: app.Environ) -> dict[str, str]:
        """Take the credentials out of the request; return the environment that has them."""
        taken = {name: str(environ.pop(_key(name), "")).strip() for name in SECRET_HEADERS}
        parts = {part: taken[name] for name, part in self._platform.CREDENTIALS.items()}
        given = Given(**parts) if parts else None
        if not self._platform.CLOUD:
            return metadata.with_roles(os.environ)
        env = credentials.environment(os.environ, self._platform.CLOUD, given)
        return deadline.bounded(env, self._timeout_s(environ))

    def _timeout_s(self, environ: app.Environ) -> float | None:
        """Return the function's timeout: no request tells how much of it is left."""
        header, unit_s = self._platform.TIMEOUT
        given = str(environ.get(_key(header), "")) if header else ""
        is_number = given.isascii() and given.isdecimal() and len(given) <= _DIGITS_MAX
        return int(given) * unit_s if is_number and int(given) else None


def _for_fc(
    application: app.Application, environ: app.Environ, start_response: StartResponse
) -> Iterable[bytes]:
    """Answer Function Compute, which reads from ``x-fc-status`` whether an invocation failed."""
    control = environ[_CONTROL]
    env = environ[endpoint.ENV]
    if control == "/initialize":
        report = start.report("/readyz", "GET", lambda: begin(env))
        is_ready = report is not None and report.status == _OK
        return _told(start_response, is_over=is_ready, body=report.body if report else b"")
    if control in ("/pre-stop", "/pre-freeze"):
        return _told(start_response, is_over=True)
    if control != "/invoke":
        return application(environ, start_response)
    content = environ["wsgi.input"].read(_EVENT_MAX_BYTES)
    environ["wsgi.input"] = BytesIO(content)
    environ["CONTENT_LENGTH"] = str(len(content))
    # The platform labels every event as octets.
    environ["CONTENT_TYPE"] = app.media_type(content)
    answer = app.ask(application, environ)
    # What a later delivery cannot change is no failure: the platform would only repeat it.
    is_over = answer.status < _SERVER and answer.status not in _AGAIN
    return _told(start_response, is_over=is_over, body=answer.body)


def _told(start_response: StartResponse, *, is_over: bool, body: bytes = b"") -> Iterable[bytes]:
    status = _OK if is_over else _FAILED
    headers = [
        ("Content-Type", "application/json"),
        ("Content-Length", str(len(body))),
        ("x-fc-status", str(status)),
    ]
    start_response("200 OK" if is_over else "404 Not Found", headers)
    return [body]


def _key(header: str) -> str:
    return f"HTTP_{header.upper().replace('-', '_')}"


class _Gunicorn(BaseApplication):  # type: ignore[misc]
    """Gunicorn with settings of ours, and none of a file or of the command line."""

    def __init__(self, make: Callable[[], Server], options: Mapping[str, object]) -> None:
        self._make = make
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Set the options."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Server:
        """Make the application, in the worker."""
        return self._make()


def options(host: str, port: int, env: Mapping[str, str]) -> dict[str, object]:
    """Return gunicorn's options: one process, many threads, bounded heads.

    The one file that is written is the worker's heartbeat: in memory, where a root is only read.
    """
    memory = {"worker_tmp_dir": _MEMORY} if os.access(_MEMORY, os.W_OK) else {}
    return {
        **memory,
        "bind": f"{host}:{port}",
        "workers": 1,
        "worker_class": QuietWorker,
        "logger_class": QuietLogger,
        "threads": int(env.get("THREADS") or _THREADS),
        "timeout": 0,
        "loglevel": "error",
        "limit_request_line": _LINE_MAX,
        "limit_request_fields": _HEAD_FIELDS,
        "limit_request_field_size": _LINE_MAX,
        "control_socket_disable": True,
    }


def serve(function: str, platform: Platform, *, host: str, port: int) -> None:
    """Serve a function until SIGTERM; what is under way then is answered first.

    Raises:
        SystemExit: its settings cannot be used, or the port cannot.
    """
    application = app.of(function)
    _Gunicorn(lambda: Server(application, platform), options(host, port, os.environ)).run()
