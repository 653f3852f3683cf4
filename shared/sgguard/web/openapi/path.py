"""The paths of a document: what can be asked where, and every answer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sgguard.events.base import Kind
from sgguard.web import handshake
from sgguard.web.openapi import body, components, security
from sgguard.web.openapi.components import problem_body, response
from sgguard.web.response import METHODS
from sgguard.web.response import about as about_of
from sgguard.web.surface import Body, Surface

Json = dict[str, Any]

EVENTS = ("/", "/invoke", "/event-invoke")
"""Where events are received: the function's own path, and those of the runtimes of clouds."""

_RUNTIMES = {"/invoke": "Alibaba FC, Huawei FunctionGraph", "/event-invoke": "Tencent SCF"}
_HEALTH: Json = {
    "type": "object",
    "required": ["status", "version"],
    "properties": {"status": {"const": "alive"}, "version": {"type": "string"}},
    "additionalProperties": False,
}
_READY: Json = {
    "type": "object",
    "required": ["status", "checks"],
    "properties": {
        "status": {"enum": ["ready", "not ready"]},
        "checks": {"type": "object", "additionalProperties": {"type": "string"}},
        "detail": {"type": "string"},
    },
    "additionalProperties": False,
}
_READY_EXAMPLE = {
    "status": "ready",
    "checks": {"settings": "ok", "policy": "defaults", "callers": "ok", "store": "ok"},
}
_NOT_READY_EXAMPLE = {
    "status": "not ready",
    "checks": {"settings": "ok", "policy": "defaults", "callers": "ok", "store": "none"},
    "detail": "a mode other than observe needs a store",
}
_ABOUT: Json = {
    "type": "object",
    "required": ["function", "what", "ask", "type", "answers", "schema", "examples"],
    "properties": {
        **{
            name: {"type": "string"}
            for name in ("function", "what", "ask", "type", "answers", "schema")
        },
        "examples": {"type": "array"},
    },
    "additionalProperties": False,
}
_DOCUMENT: Json = {
    "type": "object",
    "required": ["openapi", "info", "paths"],
    "properties": {
        "openapi": {"const": "3.1.0"},
        "info": {"type": "object"},
        "paths": {"type": "object"},
    },
}
_NO_HTTP = response(400, [body.NO_HTTP])


def of_function(kind: Kind, surface: Surface) -> Json:
    """Return the paths of one function."""
    found: Json = {}
    for path in EVENTS:
        name = f"{kind.name}{path.replace('/', '-').rstrip('-')}"
        found[path] = {
            "get": _look(kind, surface, path, name),
            "head": _head(_look(kind, surface, path, name)),
            "options": _handshake(kind, name),
            "post": _post(kind, surface, path, name),
        }
    alive = Body(body.PLAIN, _HEALTH, {"status": "alive", "version": "0.1.0"}, "alive")
    ready = Body(body.PLAIN, _READY, _READY_EXAMPLE, "ready")
    unready = Body(body.PLAIN, _READY, _NOT_READY_EXAMPLE, "not-ready")
    document = Body(body.PLAIN, _DOCUMENT, _document_example(), "document")
    watched: list[tuple[str, str, Json]] = [
        ("/healthz", "Does the process run?", {"200": response(200, [alive])}),
        (
            "/readyz",
            "Can settings, policy and store be used?",
            {
                "200": response(200, [ready]),
                "500": components.problem_response("internal"),
                "503": response(503, [unready]),
            },
        ),
        ("/openapi.json", "This document", {"200": response(200, [document])}),
    ]
    for path, summary, responses in watched:
        found[path] = _watched(
            f"{kind.name}{path.replace('/', '-')}", kind.name, summary, responses
        )
    return found


def of_server(names: Sequence[str]) -> Json:
    """Return the paths of a server beside those of its functions."""
    listed: Json = {
        "type": "object",
        "required": ["functions"],
        "properties": {"functions": {"type": "array", "items": {"type": "string"}}},
        "additionalProperties": False,
    }
    index = Body(body.PLAIN, listed, {"functions": [f"/{name}" for name in names]}, "index")
    document = Body(body.PLAIN, _DOCUMENT, _document_example(), "document")
    return {
        path: _watched(name, names[0], summary, {"200": response(200, [one])})
        for path, name, summary, one in (
            ("/", "index", "Which functions are there?", index),
            ("/openapi.json", "openapi.json", "This document", document),
        )
    }


def _document_example() -> Json:
    info = {"title": "sgguard", "version": "0.1.0"}
    return {"openapi": "3.1.0", "info": info, "paths": {}}


def _watched(name: str, tag: str, summary: str, responses: Json) -> Json:
    get = {
        "operationId": f"get-{name}",
        "summary": summary,
        "tags": [tag],
        "security": [],
        "responses": {"400": _NO_HTTP, **responses},
    }
    return {"get": get, "head": _head(get)}


def _head(get: Json) -> Json:
    """Return the HEAD of a GET: the same, without bodies."""
    responses = {
        status: {key: part for key, part in one.items() if key != "content"}
        for status, one in get["responses"].items()
    }
    name = "head-" + get["operationId"].removeprefix("get-")
    summary = f"{get['summary']} (without the body)"
    return {**get, "operationId": name, "summary": summary, "responses": responses}


def _look(kind: Kind, surface: Surface, path: str, name: str) -> Json:
    about = Body(
        body.PLAIN,
        _ABOUT,
        about_of(kind),
        "about",
    )
    by_status: dict[int, list[Body]] = {
        200: [about],
        400: [body.NO_HTTP],
        500: [problem_body("internal")],
        503: [problem_body("settings")],
    }
    for status, one in surface.shown:
        by_status.setdefault(status, []).append(one)
    parameters = [
        {"name": one, "in": "query", "description": what, "schema": {"type": "string"}}
        for one, what in surface.looks.items()
    ]
    return {
        "operationId": f"get-{name}",
        "summary": f"What is {kind.name}, and how is it asked?",
        "description": _at(path),
        "tags": [kind.name],
        "security": [],
        **({"parameters": parameters} if parameters else {}),
        "responses": {str(s): response(s, some) for s, some in sorted(by_status.items())},
    }


def _handshake(kind: Kind, name: str) -> Json:
    allowed = {"required": True, "schema": {"const": METHODS}}
    consent = {
        "Allow": allowed,
        "WebHook-Allowed-Origin": {
            "description": "the sender that may begin; absent: it may not",
            "schema": {"type": "string"},
        },
        "WebHook-Allowed-Rate": {
            "description": f"requests a minute, at most {handshake.RATE_MAX}",
            "schema": {"type": "string", "pattern": "^[0-9]+$"},
        },
    }
    asked = {"WebHook-Request-Origin": "its host", "WebHook-Request-Rate": "requests a minute"}
    return {
        "operationId": f"options-{name}",
        "summary": "May a sender begin to send events? (CloudEvents' handshake)",
        "tags": [kind.name],
        "security": [],
        "parameters": [
            {"name": one, "in": "header", "description": what, "schema": {"type": "string"}}
            for one, what in asked.items()
        ],
        "responses": {
            "204": response(204, [], consent),
            "400": _NO_HTTP,
            "500": components.problem_response("internal"),
            "503": components.problem_response("settings"),
        },
    }


def _post(kind: Kind, surface: Surface, path: str, name: str) -> Json:
    taken = [*body.requests(kind), *surface.submits]
    given = [one for _, one in body.answers(kind)]
    given += [one for status, one in surface.answered if status == 200]  # noqa: PLR2004 - as said
    failed = components.responses(kind, surface)
    return {
        "operationId": f"post-{name}",
        "summary": f"Events for {kind.name}",
        "description": " ".join(one for one in (body.about(kind), _at(path)) if one),
        "tags": [kind.name],
        "security": security.required(),
        **({"parameters": _attributes(kind)} if kind.event_type else {}),
        "requestBody": {"required": True, "content": body.content(taken)},
        "responses": {
            "200": response(200, given, _answer_attributes(kind)),
            **{one.rpartition(".")[2]: {"$ref": f"#/components/responses/{one}"} for one in failed},
        },
    }


def _at(path: str) -> str:
    return f"The path at which {_RUNTIMES[path]} hand over events." if path in _RUNTIMES else ""


def _attributes(kind: Kind) -> list[Json]:
    """Return the headers of a CloudEvent in binary mode; a body without any is no CloudEvent."""
    known: dict[str, Json] = {
        "ce-specversion": {"const": "1.0"},
        "ce-id": {"type": "string", "minLength": 1},
        "ce-source": {"type": "string", "minLength": 1, "format": "uri-reference"},
        "ce-type": {"const": kind.event_type},
        "ce-time": {"type": "string", "format": "date-time"},
    }
    return [
        {"name": name, "in": "header", "description": "binary mode", "schema": schema}
        for name, schema in known.items()
    ]


def _answer_attributes(kind: Kind) -> Json:
    """Return the headers of an answer to an event in binary mode."""
    if not kind.event_type:
        return {}
    names = ("specversion", "id", "source", "type", "subject", "time")
    return {
        f"ce-{name}": {
            "description": f"the answer's {name}, where the event was in binary mode",
            "schema": {"type": "string"},
        }
        for name in names
    }
