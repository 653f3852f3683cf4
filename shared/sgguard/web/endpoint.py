"""The way of a request through a function, from what came in to what goes back.

Every function is :func:`serve` with its kind of event, its parser and its handler. The steps stand
in :func:`_respond` in the order in which they happen.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from msgspec.structs import replace

from sgguard import events, lazy
from sgguard.engine.context import Context, begin
from sgguard.errors import EventError
from sgguard.events.base import Delivery, Kind
from sgguard.model.event import Event
from sgguard.render.evidence import answered
from sgguard.web import (
    afterwards,
    body,
    dead,
    door,
    handshake,
    language,
    observe,
    problem,
    response,
    start,
)
from sgguard.web.door import Admitted
from sgguard.web.problem import DOCUMENT
from sgguard.web.response import Response
from sgguard.web.surface import NOTHING, Surface

if TYPE_CHECKING:
    import flask
    from flask.typing import ResponseReturnValue

    from sgguard.web import openapi

    Request: TypeAlias = flask.Request
    Answer: TypeAlias = ResponseReturnValue
else:
    openapi = lazy("sgguard.web.openapi")  # only whoever asks for the document needs it

T = TypeVar("T")

_PATHS = frozenset({"", "/", "/invoke", "/event-invoke"})
"""The function's own, and those at which runtimes hand events to a container: ``/invoke`` at
Alibaba FC and Huawei FunctionGraph, ``/event-invoke`` at Tencent SCF."""

ENV = "sgguard.env"
"""The key of the WSGI environ under which a runtime hands over what this request is judged with:
the process environment with the credentials that the platform gave for it. No header can set it."""

Json = dict[str, Any]

Parse = Callable[[object], T]
"""Turns an event's data into a request, or raises why it cannot be one."""

Handle = Callable[[Sequence[tuple[T, Event]], Context], Sequence[Json | Exception]]
"""Takes the requests of one delivery with their events; returns, in order, a document or an error
for each."""


class Pages(Protocol):
    """What a function shows to people in a browser, besides answering events."""

    def surface(self) -> Surface:
        """Return what is shown and taken, for the function's document."""
        ...

    def show(
        self,
        method: str,
        query: Mapping[str, str],
        headers: Mapping[str, str],
        begin: Callable[[], Context],
    ) -> Response | None:
        """Answer who looks at a link; None where the request is no such link."""
        ...

    def submit(
        self, headers: Mapping[str, str], content: bytes, context: Context
    ) -> Response | None:
        """Answer a button that was pressed; None where the body is an event."""
        ...


def serve(
    http: Request, kind: Kind, parse: Parse[T], handle: Handle[T], pages: Pages | None = None
) -> Answer:
    """Answer one HTTP request to a function; this never raises.

    POST brings events. GET and HEAD say what the function is and how to ask it; with ``pages``,
    links and forms are answered by those. ``/healthz`` and ``/readyz`` are answered by
    :mod:`sgguard.web.start`, ``/openapi.json`` by :mod:`sgguard.web.openapi`, every other path but
    ``/`` is 404. Whatever is raised on the way
    becomes a problem; nothing of the request's headers or body is repeated in it.
    """
    respond = partial(_respond, http, kind, parse, handle, pages)
    answer = observe.answered(http, kind, os.environ, respond)
    afterwards.deliver(os.environ)
    return language.spoken(answer, http.headers.get("Accept-Language", "")).for_flask()


def _respond(
    http: Request, kind: Kind, parse: Parse[T], handle: Handle[T], pages: Pages | None
) -> Response:
    env: Mapping[str, str] = http.environ.get(ENV, os.environ)
    try:
        if elsewhere := _elsewhere(http, env, kind, pages):
            return elsewhere
        if pages and (page := _shown(pages, http, env)):
            return page
        if http.method != "POST":
            consent = handshake.consent(http.headers, env)
            return response.to_other_method(http.method, kind, consent)
        # 1. What this delivery is judged with; its time starts to run.
        context = begin(env)
        # 2. The body, whole and in time.
        headers = {name.lower(): value for name, value in http.headers.items()}
        content = body.read(
            headers,
            http.stream,
            http.environ,
            deadline=context.deadline,
            max_bytes=context.settings.max_body_bytes,
        )
        if pages and (page := pages.submit(headers, content, context)):
            return page
        # 3. Who sent it: nothing of the body is parsed for anybody else.
        admitted = door.admit(http, headers, content, kind, context)
    except Exception as error:  # noqa: BLE001 - the framework's own page would say less
        return response.of_problem(problem.of(error))
    answer = _answer(admitted, kind, parse, handle)
    # 8. What can never be judged is kept before its sender is told to stop.
    return replace(answer, status=dead.status_of(answer.status, answer.problems, admitted, kind))


def _shown(pages: Pages, http: Request, env: Mapping[str, str]) -> Response | None:
    headers = {name.lower(): value for name, value in http.headers.items()}
    return pages.show(http.method, http.args, headers, lambda: begin(env))


def _answer(admitted: Admitted, kind: Kind, parse: Parse[T], handle: Handle[T]) -> Response:
    if admitted.reply is not None:
        return response.of_report(200, admitted.reply)
    context = admitted.context
    try:
        # 4. The events in it: which source sent them, and are they whole.
        delivery = events.read(admitted.headers, admitted.content, kind)
        observe.delivered(delivery)
        # 5. to 7. Parsed, handled and answered.
        return answer_each(
            door.named(delivery, context.caller),
            kind,
            parse,
            lambda asked: handle(asked, context),
            context,
        )
    except Exception as error:  # noqa: BLE001 - as above
        return response.of_problem(problem.of(error))


def _elsewhere(
    http: Request, env: Mapping[str, str], kind: Kind, pages: Pages | None
) -> Response | None:
    """Answer a path that is not where events are received; None where it is."""
    prefix = env.get("SGGUARD_PATH_PREFIX", "").strip().rstrip("/")
    path = http.path.removeprefix(prefix)
    if path in problem.WATCHED and http.method not in ("GET", "HEAD"):
        return response.only_read(http.method)
    if path == DOCUMENT:
        surface = pages.surface() if pages else NOTHING
        return response.of_document(openapi.document(kind, surface, prefix))
    if watched := start.report(path, http.method, lambda: begin(env)):
        return watched
    return None if path in _PATHS else response.not_found(prefix)


def answer_each(
    delivery: Delivery,
    kind: Kind,
    parse: Parse[T],
    handle: Callable[[Sequence[tuple[T, Event]]], Sequence[Json | Exception]],
    context: Context | None = None,
) -> Response:
    """Answer each event of a delivery: one that is wrong never hides the others."""
    # 5. What each event asks for, and whether its caller may; one that is wrong is a problem of
    #    its own.
    parsed = [_parsed(item, parse, kind, context) for item in delivery.items]
    asked = [one for one in parsed if not isinstance(one, problem.Details)]
    # 6. Decided and acted upon: all of the delivery together, each by itself.
    handled = iter(handle(asked) if asked else ())
    # 7. One result for each event, in their order and in the shape in which they came.
    results = [
        one if isinstance(one, problem.Details) else _result(one[1], next(handled), context)
        for one in parsed
    ]
    return response.to_delivery(delivery.mode, results, kind)


def _parsed(
    item: Event | EventError, parse: Parse[T], kind: Kind, context: Context | None
) -> tuple[T, Event] | problem.Details:
    if isinstance(item, EventError):
        return problem.of(item)
    try:
        asked = parse(item.data)
        return (door.allowed(asked, item, kind, context) if context else asked), item
    except Exception as error:  # noqa: BLE001 - of a batch only this event is concerned
        return problem.of(error, event_id=item.event_id, pointer=item.pointer)


def _result(
    event: Event, handled: Json | Exception, context: Context | None
) -> response.EventResult:
    if not isinstance(handled, Exception):
        return answered(door.shown(handled, context) if context else handled)
    where = {"event_id": event.event_id, "pointer": event.pointer}
    details = problem.of(handled, **where, data=event.data)
    return door.shown_problem(details, event, context) if context else details
