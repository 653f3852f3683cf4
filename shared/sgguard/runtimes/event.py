"""The way of a handler that takes an event and a context.

What the platform hands over by itself goes to the function as JSON, and its answer is the document.
What a gateway handed over is a request with a path, headers and a body of its own: it goes to the
function's application, and its answer is the gateway's.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Callable, Iterable, Mapping
from io import BytesIO
from threading import Lock
from typing import Any
from urllib.parse import urlencode, urlsplit

from sgguard.engine.context import begin
from sgguard.errors import EventError, SettingsError
from sgguard.runtimes import app, credentials, deadline, direct
from sgguard.runtimes.base import HttpEvent, Json, Platform, http_of
from sgguard.runtimes.names import named, variables
from sgguard.telemetry import logs
from sgguard.web import endpoint

_AGAIN = frozenset({409, 429})
_SERVER = 500
_SHUT = (
    "the policy says that the platform proves who asks this function, and a gateway lets others "
    "in: give the function behind a gateway a caller of another kind"
)


class AgainError(Exception):
    """The event was not decided and has to be delivered again: platforms do so after an error."""


class Handler:
    """``handler(event, context)`` of one function on one platform."""

    def __init__(self, function: str, platform: Platform) -> None:
        self._function = function
        self._platform = platform
        self._lock = Lock()
        self._direct: direct.Function | None = None
        self._app: app.Application | None = None
        if not platform.IS_SET_UP_BY_CONTEXT:
            self._direct = direct.of(function)

    def initialize(self, context: Any) -> None:
        """Start the function, where the platform does so before the first event."""
        self._started(context)
        self._application()  # a gateway may be before it

    def __call__(self, event: Any, context: Any) -> Json | list[Any]:
        """Answer one event.

        Raises:
            AgainError: it has to be delivered again; its text is a status and a title.
        """
        function = self._started(context)
        env = self._environment(context)
        content = _bytes(event)
        try:
            request = http_of(app.parsed(content))
        except EventError as error:
            return _http_answer(400, {}, str(error).encode())
        if request is not None:
            return self._for_gateway(request, env)
        return _document(direct.ask(function, _direct(content, env)))

    def _for_gateway(self, request: HttpEvent, env: Mapping[str, str]) -> Json:
        if self._is_proven_by_platform(env):
            logs.log(logging.ERROR, "refused", function=self._function, detail=_SHUT)
            return _http_answer(403, {}, b'{"title": "Forbidden", "status": 403}')
        answer = app.ask(self._application(), _wrapped(request, self._platform, env))
        return _http_answer(answer.status, answer.headers, answer.body)

    def _is_proven_by_platform(self, env: Mapping[str, str]) -> bool:
        try:
            callers = begin(env).policy.callers
        except SettingsError:
            return False  # the application answers with it
        return any(one.kind == "platform" and self._function in one.functions for one in callers)

    def _started(self, context: Any) -> direct.Function:
        with self._lock:
            if self._direct is None:
                if self._platform.IS_SET_UP_BY_CONTEXT:
                    self._set_up(context)
                self._direct = direct.of(self._function)
            return self._direct

    def _application(self) -> app.Application:
        with self._lock:
            if self._app is None:
                self._app = app.of(self._function)
            return self._app

    def _set_up(self, context: Any) -> None:
        """Put what the operator set into the environment; the settings name further variables."""
        self._take(context, variables())
        self._take(context, named(os.environ))

    def _take(self, context: Any, names: Iterable[str]) -> None:
        for name in names:
            if value := self._platform.setting(context, name):
                os.environ[name] = value

    def _environment(self, context: Any) -> dict[str, str]:
        given = self._platform.given(context)
        env = credentials.environment(os.environ, self._platform.CLOUD, given)
        return deadline.bounded(env, self._platform.remaining_s(context))


def _bytes(event: Any) -> bytes:
    """Return the event as bytes: FC hands over what was sent, the others what they parsed."""
    if isinstance(event, bytes | bytearray):
        return bytes(event)
    return json.dumps(event, ensure_ascii=False).encode(errors="replace")


def _direct(content: bytes, env: Mapping[str, str]) -> app.Environ:
    headers = {"content-type": app.media_type(content)}
    return _environ(HttpEvent("POST", "/", headers=headers, body=content), env)


def _wrapped(request: HttpEvent, platform: Platform, env: Mapping[str, str]) -> app.Environ:
    kept = {
        name: value
        for name, value in request.headers.items()
        if name.lower() not in platform.CREDENTIALS
    }
    return _environ(
        HttpEvent(request.method, request.path, request.query, kept, request.body, request.peer),
        env,
    )


def _environ(request: HttpEvent, env: Mapping[str, str]) -> app.Environ:
    """Return the WSGI environ of a request (PEP 3333)."""
    # A name with an underscore reads as the one with a hyphen there: servers drop it, too.
    headers = {
        f"HTTP_{name.upper().replace('-', '_')}": value
        for name, value in request.headers.items()
        if "_" not in name
    }
    for name in ("CONTENT_TYPE", "CONTENT_LENGTH"):
        headers.pop(f"HTTP_{name}", None)
    types = [v for n, v in request.headers.items() if n.lower() == "content-type"]
    query = urlencode(request.query)
    path = urlsplit(request.path).path or "/"
    return {
        **headers,
        "REQUEST_METHOD": request.method.upper() or "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "RAW_URI": f"{path}?{query}" if query else path,
        "CONTENT_TYPE": types[-1] if types else "",
        "CONTENT_LENGTH": str(len(request.body)),
        "REMOTE_ADDR": request.peer,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input": BytesIO(request.body),
        "wsgi.errors": app.Nowhere(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        endpoint.ENV: env,
    }


def _document(answer: app.Answer) -> Json | list[Any]:
    """Return the document of an answer.

    Raises:
        AgainError: the event has to be delivered again.
    """
    document = json.loads(answer.body or b"{}")
    if answer.status in _AGAIN or answer.status >= _SERVER:
        title = document.get("title", "") if isinstance(document, dict) else ""
        raise AgainError(f"{answer.status} {title or 'not decided'}: deliver the event again")
    found: Json | list[Any] = document
    return found


def _http_answer(status: int, headers: Mapping[str, str], body: bytes) -> Json:
    """Return the answer in the form that the gateways of all three clouds take."""
    return {
        "isBase64Encoded": False,
        "statusCode": status,
        "headers": dict(headers),
        "body": body.decode(errors="replace"),
    }


def handler_of(function: str, platform: Platform) -> Callable[[Any, Any], Json | list[Any]]:
    """Return the handler of a function: what the entry file of an artifact names."""
    return Handler(function, platform)
