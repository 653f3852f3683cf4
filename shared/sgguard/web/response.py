"""What goes back over HTTP: a decision in the shape its event came in, or a problem.

A CloudEvent is answered with a CloudEvent of the same mode, a bare body with the bare document.
Of a batch every event gets its own answer: one that is wrong never hides the others.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, TypeVar

import msgspec
from msgspec.structs import replace

from sgguard import hiding, schemas
from sgguard.events.base import DeliveryMode, Kind
from sgguard.events.sources.cloudevents import encode_header
from sgguard.render.evidence import answered
from sgguard.render.stream import blocks, pieces
from sgguard.telemetry.redaction import redacted
from sgguard.web import problem

T = TypeVar("T")

Json = dict[str, Any]

PROBLEM_TYPE = "sgguard.problem.v1"

_UNTRUSTED = 401
METHODS = "GET, HEAD, OPTIONS, POST"
"""What a function answers at the paths of its events."""

WHOLE_MAX = 1_000_000
"""Bytes above which an answer is written as it is sent, instead of being held whole."""

_JSON = "application/json"
_STRUCTURED = "application/cloudevents+json; charset=utf-8"
_BATCHED = "application/cloudevents-batch+json; charset=utf-8"


EventResult = Json | problem.Details
"""What one event is answered with."""


@hiding("problems")
class Response(msgspec.Struct, frozen=True):
    """One HTTP answer; ``for_flask`` is what a function returns to its framework.

    ``problems`` are those of the events that it answers, beside what the body says of them. Of a
    large document ``body`` is empty and ``stream`` yields it, once, while it is sent.
    """

    status: int
    body: bytes = b""
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    problems: tuple[problem.Details, ...] = ()
    stream: Iterator[bytes] | None = None

    def for_flask(self) -> tuple[Iterator[bytes], int, dict[str, str]]:
        """Return the answer as the tuple Flask takes.

        The body is a stream. Before any other answer functions-framework reads what was sent to
        its end and keeps it in memory, however much was refused.
        """
        if self.stream is not None:
            # Nobody knows its length before it is written: it goes in chunks.
            return self.stream, self.status, self.headers
        length = {"Content-Length": str(len(self.body))} if self.body else {}
        return iter((self.body,)), self.status, self.headers | length


def to_other_method(method: str, kind: Kind, consent: Mapping[str, str]) -> Response:
    """Answer what is not POST: GET and HEAD ask what the function is, OPTIONS whether to begin."""
    if method in ("GET", "HEAD"):
        return _json(200, about(kind))
    if method == "OPTIONS":
        # Without WebHook-Allowed-* headers no sender may start to send events (CloudEvents
        # http-webhook.md, 4.2).
        return Response(204, headers={"Allow": METHODS, **consent})
    return _not_allowed(problem.method_not_allowed(method), METHODS)


def to_delivery(mode: DeliveryMode, results: list[EventResult], kind: Kind) -> Response:
    """Answer a delivery in the shape it came in; ``results`` has one for each of its events."""
    if mode in ("batched", "bus"):
        failures = tuple(one for one in results if isinstance(one, problem.Details))
        batch = _batch(results, kind, is_all_or_none=mode == "bus")
        return replace(batch, problems=failures)
    (result,) = results
    if isinstance(result, problem.Details):
        return of_problem(result)
    return _decided(mode, result, kind)


def _decided(mode: DeliveryMode, data: Json, kind: Kind) -> Response:
    if mode == "bare":
        return _written(200, data, {"Content-Type": _JSON})
    attributes = _attributes(data, kind)
    if mode == "structured":
        return _written(200, {**attributes, "data": data}, {"Content-Type": _STRUCTURED})
    del attributes["datacontenttype"]  # in this mode Content-Type says it
    headers = {f"ce-{name}": encode_header(value) for name, value in attributes.items()}
    return _written(200, data, {"Content-Type": _JSON, **headers})


def _batch(results: list[EventResult], kind: Kind, *, is_all_or_none: bool) -> Response:
    """Answer with a list as long as the batch, in its order.

    200 when any event was decided (or none was sent); else 503 when asking again can help, for
    the senders that look at nothing but the status, else 400. A bus delivers all of a batch again
    or none (``is_all_or_none``): one event that needs it is enough for 503.
    """
    events = [_batched(result, n, kind) for n, result in enumerate(results)]
    headers = {"Content-Type": _BATCHED}
    failures = [result for result in results if isinstance(result, problem.Details)]
    waits = [failure.retry_after_s for failure in failures if failure.retry_after_s is not None]
    is_again = is_all_or_none and waits
    if (len(failures) < len(results) or not results) and not is_again:
        return _written(200, events, headers)
    if waits:
        return _written(503, events, {**headers, "Retry-After": str(max(waits))})
    is_ours = any(failure.status >= 500 for failure in failures)  # noqa: PLR2004 - HTTP's classes
    return _written(500 if is_ours else 400, events, headers)


def _batched(result: EventResult, position: int, kind: Kind) -> dict[str, Any]:
    if not isinstance(result, problem.Details):
        return {**_attributes(result, kind), "data": result}
    data = {**result.document, "position": position}
    if result.retry_after_s is not None:
        data["retry_after_s"] = result.retry_after_s
    return {
        "specversion": "1.0",
        "id": uuid.uuid4().hex,
        "source": _source(kind),
        "type": PROBLEM_TYPE,
        "datacontenttype": "application/problem+json",
        "data": data,
    }


def _attributes(document: Json, kind: Kind) -> dict[str, str]:
    """Return an event's attributes; a document that is no decision has an ``at`` only."""
    decided = "decision_id" in document
    subject = {"subject": _subject(document["target"])} if decided else {}
    return {
        "specversion": "1.0",
        "id": document["decision_id"] if decided else uuid.uuid4().hex,
        "source": _source(kind),
        "type": document.get("type", kind.answer_type),
        **subject,
        "time": document["decided_at" if decided else "at"],
        "datacontenttype": _JSON,
    }


def _subject(target: Sequence[str]) -> str:
    """Return what was judged; of a set only its scope, which never outgrows a header."""
    return target[0] if len(target) == 1 else target[0].rpartition(":")[0]


def _source(kind: Kind) -> str:
    return f"/sgguard/{kind.name}"


def about(kind: Kind) -> dict[str, Any]:
    """Return what the function is and how to ask it."""
    schema = schemas.load(kind.name)
    return {
        "function": kind.name,
        "what": schema["description"],
        "ask": "POST a CloudEvent (binary, structured or batched) or the data as a JSON object",
        "type": kind.event_type or "any",
        "answers": kind.answer_type,
        "schema": schema["$id"],
        "examples": schema["examples"],
    }


def of_report(status: int, report: Mapping[str, Any]) -> Response:
    """Answer who watches the process; never from a cache."""
    headers = {"Content-Type": _JSON, "Cache-Control": "no-store"}
    return Response(status, _bytes(report), headers)


def not_found(path_prefix: str) -> Response:
    """Answer a path that is none of the function's; it is not repeated."""
    return of_problem(problem.not_found(path_prefix))


def only_read(method: str) -> Response:
    """Answer a method that would change what can only be read."""
    return _not_allowed(problem.method_not_allowed(method, "GET"), "GET, HEAD")


def _not_allowed(details: problem.Details, methods: str) -> Response:
    refused = of_problem(details)
    return replace(refused, headers={**refused.headers, "Allow": methods})


def of_document(document: Mapping[str, Any]) -> Response:
    """Answer with a document that is the same for everybody."""
    return _json(200, document)


def of_decision(status: int, document: Json) -> Response:
    """Answer with a document that was kept, within the bounds of an answer; never from a cache."""
    headers = {"Content-Type": _JSON, "Cache-Control": "no-store"}
    return _written(status, answered(document), headers)


def of_problem(details: problem.Details) -> Response:
    """Answer with problem details (RFC 9457)."""
    headers = {"Content-Type": "application/problem+json"}
    if details.retry_after_s is not None:
        headers["Retry-After"] = str(details.retry_after_s)
    if details.status == _UNTRUSTED:
        headers["WWW-Authenticate"] = "Bearer"
    return Response(details.status, _bytes(details.document), headers, (details,))


def _json(status: int, document: Mapping[str, Any]) -> Response:
    return Response(status, _bytes(document), {"Content-Type": _JSON})


def _written(status: int, value: object, headers: dict[str, str]) -> Response:
    """Answer with JSON: whole where it is small, else as a stream that is written as it is sent."""
    encoded = _encoded(value)
    first: list[bytes] = []
    length = 0
    for block in encoded:
        first.append(block)
        length += len(block)
        if length > WHOLE_MAX:
            return Response(status, headers=headers, stream=chain(first, encoded))
    return Response(status, b"".join(first), headers)


def _bytes(value: object) -> bytes:
    return b"".join(_encoded(value))


def _encoded(value: object) -> Iterator[bytes]:
    # In pieces: a document of many references would be several texts of its size at once.
    # A cloud's JSON may hold half a surrogate pair, which UTF-8 cannot say.
    for block in blocks(pieces(value)):
        yield redacted(block).encode(errors="replace")
    yield b"\n"
