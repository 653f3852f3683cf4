"""What is counted and traced of a request, and the page that Prometheus reads.

Attributes of a span are those of the conventions for HTTP, FaaS and CloudEvents. No metric and no
span holds an address, a header, a query or a body.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from itertools import count
from typing import TYPE_CHECKING

import sgguard
from sgguard.engine.context import Context
from sgguard.errors import SettingsError, SgguardError
from sgguard.events.base import Delivery, Kind
from sgguard.model.event import Event
from sgguard.outbox import late
from sgguard.telemetry import exposition, metrics, registry, setup, traces
from sgguard.telemetry.exposition import Reading
from sgguard.web.response import Response

if TYPE_CHECKING:
    from flask import Request

METRICS = "/metrics"
"""Where Prometheus reads, of a function and of a server of all functions."""

_ERROR = 500
_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)
_requests = count()


def require_usable(env: Mapping[str, str]) -> None:
    """Refuse what cannot be counted here.

    Raises:
        SettingsError: a value is none of those that are known, a library is not installed, or
            several workers would each count for themselves.
    """
    if why := setup.missing(env):
        raise SettingsError(why)


def answered(
    http: Request, kind: Kind, env: Mapping[str, str], answer: Callable[[], Response]
) -> Response:
    """Return the answer to a request, counted and traced as the settings say."""
    telemetry = setup.of(env)
    if telemetry is setup.NOTHING:
        return answer()
    is_first = next(_requests) == 0
    if is_first:
        metrics.count(registry.COLD_STARTS, function=kind.name)
    begun_s = time.perf_counter()
    about: dict[str, traces.Value] = {
        "faas.trigger": "http",
        "faas.coldstart": is_first,
        "faas.invocation_id": _invocation(http),
        "http.request.method": http.method if http.method in _METHODS else "_OTHER",
    }
    with traces.span(kind.name, "server", about, _parent(http)) as span:
        response = answer()
        span.set(http__response__status_code=response.status)
        if response.status >= _ERROR:
            span.fail(str(response.status))
    metrics.count(registry.REQUESTS, function=kind.name, status=str(response.status))
    metrics.observe(registry.REQUEST_SECONDS, time.perf_counter() - begun_s, function=kind.name)
    telemetry.flush()
    return response


def delivered(delivery: Delivery) -> None:
    """Say in the span under way which events a request brought."""
    if not traces.is_on():
        return
    for item in delivery.items:
        if isinstance(item, Event):
            about = {"cloudevents.event_id": item.event_id, "cloudevents.event_source": item.source}
            traces.event("delivered", about)


def page(env: Mapping[str, str], begin: Callable[[], Context]) -> Response | None:
    """Answer Prometheus; None where metrics are off, so that there is no such page."""
    prometheus = setup.of(env).prometheus
    if prometheus is None:
        return None
    body = prometheus.page(_readings(begin), env)
    headers = {"Content-Type": exposition.CONTENT_TYPE, "Cache-Control": "no-store"}
    return Response(200, body, headers)


def _readings(begin: Callable[[], Context]) -> Iterator[Reading]:
    """Read the gauges: they are the store's, so whichever process answers tells the same."""
    yield registry.INFO, (sgguard.__version__,), 1.0
    try:
        store = begin().store
        if store is None:
            return
        halted, runs, now_s = store.halted(), store.open_runs(), store.now_s()
        failing, waiting = store.failing_places(), store.late_notices(late.LATE_S)
    except SgguardError:
        yield registry.STORE_UP, (), 0.0
        return
    yield registry.STORE_UP, (), 1.0
    yield registry.HALTED, (), float(halted is not None)
    for state in registry.STATE.values:
        yield registry.RUNS, (state,), float(sum(run.state == state for run in runs))
    oldest_s = min((run.begun_at_s for run in runs), default=now_s)
    yield registry.OLDEST_RUN_SECONDS, (), max(0.0, now_s - oldest_s)
    for kind in registry.KIND.values:
        yield (
            registry.FAILING_DESTINATIONS,
            (kind,),
            float(sum(one.kind == kind for one in failing)),
        )
    yield registry.LATE_NOTICES, (), float(waiting)


def _parent(http: Request) -> dict[str, str]:
    """Return the trace that the caller is part of: of HTTP, or of the CloudEvent it sends.

    ``tracestate`` is left out: it is a text of the sender's, and would be in every span.
    """
    found = http.headers.get("traceparent") or http.headers.get("ce-traceparent") or ""
    return {"traceparent": found} if found else {}


def _invocation(http: Request) -> str:
    """Return the platform's own id of the request, by which its log is found."""
    names = ("x-fc-request-id", "x-scf-request-id", "x-cff-request-id", "x-request-id")
    given = (http.headers.get(name, "") for name in names)
    return next((value for value in given if _ID.fullmatch(value)), "")
