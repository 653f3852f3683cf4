"""The components of a document: schemas, and the responses that all events may get."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sgguard import schemas as json_schemas
from sgguard.callers.senders import SENDERS, status_for
from sgguard.events.base import Kind
from sgguard.web import problem
from sgguard.web.openapi import body
from sgguard.web.openapi.example import PROBLEMS
from sgguard.web.surface import Body, Surface

Json = dict[str, Any]

ANYWHERE = frozenset(problem.PROBLEMS) - {"unknown", "answered", "over", "method-not-allowed"}
"""Problems that an event may have at every function."""

BATCH_STATUSES = (400, 500, 503)
"""The statuses of a batch none of whose events was answered."""

_OF_FILES = ("$schema", "$id", "$defs", "examples")
"""Parts of a schema file that a component has not."""

_TEXT: Json = {"type": "string", "minLength": 1}
_ATTRIBUTE: Json = {"type": ["string", "integer", "boolean", "null"]}
"""A member that is null is one that is not there."""
_NUMBER: Json = {"type": "string", "pattern": "^[0-9]+$"}


# -- schemas ---------------------------------------------------------------------------------------


def schemas(kind: Kind) -> Json:
    """Return the schemas of a function: its files', and those of the events around them."""
    found: Json = {}
    for name in body.schema_names(kind):
        found |= _hoisted(name)
    if kind.event_type:
        found |= {
            f"{kind.name}.bare": _bare(found[kind.name]),
            f"{kind.name}.event": _incoming(kind),
            f"{kind.name}.answer": _outgoing(kind),
        }
    found["problem_event"] = _problem_event()
    own = [body.ref(f"{kind.name}.answer")] if kind.event_type else []
    clouds = [body.ref("cloud_event_event")] if kind.takes else []
    ticks = [body.ref("approval_event")] if _has_ticks(kind) else []
    found[f"{kind.name}.batch"] = {
        "type": "array",
        "items": {"anyOf": [*own, *clouds, *ticks, body.ref("problem_event")]},
    }
    if clouds:
        found["cloud_event_event"] = _envelope("cloud_event_answer", "sgguard.cloud_event.v1")
    if ticks:
        found["approval_event"] = _envelope("approval_answer", "sgguard.approvals.reminders.v1")
    return found


def _has_ticks(kind: Kind) -> bool:
    return len(body.answer_types(kind)) > 1 and "approval_answer" in body.schema_names(kind)


def _hoisted(name: str) -> Json:
    """Return a schema file as components: what it defines stands beside it, under its name."""
    schema = json_schemas.load(name)
    # Examples stand beside each body.
    whole = {key: part for key, part in schema.items() if key not in _OF_FILES}
    if name == "cloud_event_answer":
        # A schema file refers to no other; here what it has of a decision is the whole of it.
        decisions = {**whole["properties"]["decisions"], "items": body.ref("decision")}
        whole["properties"] = {**whole["properties"], "decisions": decisions}
    parts = {f"{name}.{key}": part for key, part in schema.get("$defs", {}).items()}
    return {key: _pointed(part, name) for key, part in {name: whole, **parts}.items()}


def _pointed(part: Any, name: str) -> Any:
    """Return a part of a schema with references to where its definitions stand here."""
    if isinstance(part, list):
        return [_pointed(one, name) for one in part]
    if not isinstance(part, dict):
        return part
    found = {key: _pointed(value, name) for key, value in part.items()}
    if "$ref" in part:
        found["$ref"] = part["$ref"].replace("#/$defs/", f"#/components/schemas/{name}.")
    if isinstance(part.get("pattern"), str):
        found["pattern"] = _plain(part["pattern"])
    return found


def _plain(pattern: str) -> str:
    """Return a pattern as clients of every language read it, who know no lookahead.

    ``$`` is the very end in the regular expressions of JSON Schema, though not in Python's, and no
    JSON in UTF-8 has half a surrogate pair.
    """
    return pattern.replace(r"(?![\s\S])", "$").replace(r"\ud800-\udfff", "")


def _bare(schema: Json) -> Json:
    """Return the schema of data that stands alone as a body: it may have an id of its own."""
    event_id = {
        "description": "makes the same request sent again the same event",
        "type": "string",
        "minLength": 1,
        "maxLength": 256,
    }
    kept = {key: part for key, part in schema.items() if key != "title"}
    return {**kept, "properties": {**schema["properties"], "id": event_id}}


def _incoming(kind: Kind) -> Json:
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": _TEXT,
            "source": {**_TEXT, "format": "uri-reference"},
            "type": {"const": kind.event_type},
            "time": {"type": ["string", "null"], "format": "date-time"},
            "subject": {**_TEXT, "type": ["string", "null"]},
            "dataschema": {"type": ["string", "null"], "minLength": 1, "format": "uri"},
            "datacontenttype": {"enum": [body.PLAIN, None]},
            "data": body.ref(kind.name),
            "data_base64": {"type": "string", "contentEncoding": "base64"},
        },
        "oneOf": [{"required": ["data"]}, {"required": ["data_base64"]}],
        "propertyNames": {"pattern": "^[a-z0-9]+$|^data_base64$"},
        "additionalProperties": _ATTRIBUTE,
    }


def _outgoing(kind: Kind) -> Json:
    return _envelope(body.schema_of(kind.answer_type), kind.answer_type)


def _envelope(data: str, event_type: str) -> Json:
    return {
        "type": "object",
        "required": ["specversion", "id", "source", "type", "time", "datacontenttype", "data"],
        "properties": {
            "specversion": {"const": "1.0"},
            "id": _TEXT,
            "source": {"type": "string", "pattern": "^/sgguard/[a-z_]+$"},
            "type": {"const": event_type},
            "subject": {"description": "what was judged", "type": "string"},
            "time": {"type": "string", "format": "date-time"},
            "datacontenttype": {"const": body.PLAIN},
            "data": body.ref(data),
        },
        "additionalProperties": False,
    }


def _problem_event() -> Json:
    found = _envelope("problem", "sgguard.problem.v1")
    properties = {k: v for k, v in found["properties"].items() if k not in ("time", "subject")}
    properties["datacontenttype"] = {"const": body.PROBLEM}
    required = [name for name in found["required"] if name != "time"]
    return {**found, "properties": properties, "required": required}


# -- responses -------------------------------------------------------------------------------------


def possible(surface: Surface) -> frozenset[str]:
    """Return the problems that an event, a form or a callback may have at a function."""
    return ANYWHERE | surface.problems


def failures(kind: Kind, surface: Surface) -> Iterator[tuple[int, Body]]:
    """Yield what a POST is answered with where it could not be handled, with the status."""
    for slug in sorted(possible(surface)):
        status = problem.PROBLEMS[slug][0]
        for found in _statuses(status):
            yield found, problem_body(slug)
    for status in BATCH_STATUSES:
        slug = {400: "invalid-event", 500: "internal", 503: "deadline"}[status]
        event = body.problem_example(PROBLEMS[slug].document)
        for found in _statuses(status):
            yield found, body.batch(kind, [event], f"batch-{slug}")


def _statuses(status: int) -> list[int]:
    """Return a status of ours and those that products get in its place."""
    return sorted({status, *(status_for(sender, status) for sender in SENDERS)})


def problem_body(slug: str) -> Body:
    """Return the body of one kind of problem."""
    return Body(body.PROBLEM, body.ref("problem"), PROBLEMS[slug].document, slug)


def problem_response(*slugs: str) -> Json:
    """Return the response that has one of these problems, all of one status."""
    status = problem.PROBLEMS[slugs[0]][0]
    return response(status, [problem_body(slug) for slug in slugs])


def responses(kind: Kind, surface: Surface) -> Json:
    """Return the responses to what could not be handled, by the name of their component."""
    by_status: dict[int, list[Body]] = {}
    for status, one in failures(kind, surface):
        by_status.setdefault(status, []).append(one)
    for status, one in surface.answered:
        if status in by_status:
            by_status[status].append(one)
    by_status[400].append(body.NO_HTTP)
    return {
        f"{kind.name}.{status}": response(status, some)
        for status, some in sorted(by_status.items())
    }


def response(status: int, bodies: list[Body], headers: Json | None = None) -> Json:
    """Return one response: what its status means, its headers, and every body it may have."""
    found = {**_HEADERS.get(status, {}), **(headers or {})}
    return {
        "description": MEANINGS[status],
        **({"headers": found} if found else {}),
        **({"content": body.content(bodies)} if bodies else {}),
    }


MEANINGS = {
    200: "Handled; of a batch, any of its events",
    202: "Refused, and never right: the product would send it again in vain after another status",
    204: "The methods there are, and whether a sender may begin to send events",
    400: "It cannot be read; of a batch, none of its events",
    401: "It proves no caller",
    403: "The caller may not ask this, or nobody signed it",
    404: "There is no such thing",
    409: "It is being worked on, or was answered already",
    410: "It came too late",
    413: "It is too large",
    415: "Its format is not read here",
    422: "It can be read and is not possible",
    429: "Asked too often: send it again later",
    500: "An error of ours: the log has it under the incident's id",
    503: "Not now: send it again later",
}
"""What each status means, in a sentence."""

_RETRY: Json = {
    "Retry-After": {"description": "seconds; absent where a retry cannot help", "schema": _NUMBER}
}
_HEADERS: dict[int, Json] = {
    401: {"WWW-Authenticate": {"schema": {"const": "Bearer"}, "required": True}},
    409: _RETRY,
    429: _RETRY,
    500: _RETRY,
    503: _RETRY,
}
