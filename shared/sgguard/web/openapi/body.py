"""Bodies: what each function is sent and what it answers, by media type, with an example."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sgguard import schemas
from sgguard.engine import cloud_event
from sgguard.events.base import Kind
from sgguard.events.sources.cloudevents import MAX_BATCH
from sgguard.model.occurrence import Happened
from sgguard.web.response import PROBLEM_TYPE
from sgguard.web.surface import Body

Json = dict[str, Any]

PLAIN = "application/json"
STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"
PROBLEM = "application/problem+json"
PAGE = "text/html"

_ANSWERS = {
    "sgguard.decision.v1": "decision",
    cloud_event.TYPE: "cloud_event_answer",
    "sgguard.approvals.reminders.v1": "approval_answer",
    "sgguard.chat.posted.v1": "chat_answer",
    PROBLEM_TYPE: "problem",
}
"""The JSON Schema of each event that goes out, by its type."""

NO_HTTP = Body(PAGE, example="<h1>Bad Request</h1>", name="no-http")
"""What a server answers to a request that it does not hand on."""


def ref(name: str) -> Json:
    """Return a reference to a schema of the components."""
    return {"$ref": f"#/components/schemas/{name}"}


def answer_types(kind: Kind) -> tuple[str, ...]:
    """Return the types of the events that a function answers with."""
    found = [kind.answer_type]
    if kind.takes:
        found.append(cloud_event.TYPE)
    if Happened.DUE in kind.takes:
        found.append("sgguard.approvals.reminders.v1")
    return tuple(dict.fromkeys(found))


def schema_of(answer_type: str) -> str:
    """Return the name of the JSON Schema of an event that goes out."""
    return _ANSWERS[answer_type]


def about(kind: Kind) -> str:
    """Return what a function is asked, in a sentence."""
    return str(schemas.load(kind.name)["description"])


def schema_names(kind: Kind) -> tuple[str, ...]:
    """Return the names of all JSON Schemas in a function's bodies."""
    natives = ["cloud_event"] if kind.takes else []
    answers = [schema_of(one) for one in answer_types(kind)]
    return tuple(dict.fromkeys([kind.name, *natives, "decision", *answers, "problem"]))


# -- what comes in ---------------------------------------------------------------------------------


def requests(kind: Kind) -> Iterator[Body]:
    """Yield what a function reads as events."""
    if kind.event_type:
        for n, example in enumerate(schemas.load(kind.name)["examples"]):
            yield Body(PLAIN, named(kind.name), example, f"data-{n + 1}")
    if kind.takes:
        for n, example in enumerate(schemas.load("cloud_event")["examples"]):
            yield Body(PLAIN, ref("cloud_event"), example, f"of-a-cloud-{n + 1}")
            if "specversion" in example:
                yield Body(STRUCTURED, ref("cloud_event"), example, "of-a-cloud")
                yield Body(BATCHED, {"type": "array"}, [example], "of-a-cloud")
    if kind.event_type:
        example = incoming_example(kind)
        yield Body(STRUCTURED, ref(f"{kind.name}.event"), example, "event")
        # More are refused with 413, as a body that is too large is: they fit the schema.
        batch = {
            "description": f"at most {MAX_BATCH} events",
            "type": "array",
            "items": ref(f"{kind.name}.event"),
        }
        yield Body(BATCHED, batch, [example], "events")


def named(name: str) -> Json:
    """Return the schema of bare data: with an id, if the sender gives it one.

    The data's own schema is closed, so the id has to stand in a schema beside it.
    """
    return ref(f"{name}.bare")


def incoming_example(kind: Kind) -> Json:
    """Return an event as a sender writes it."""
    return {
        "specversion": "1.0",
        "id": "order-7",
        "source": "/portal",
        "type": kind.event_type,
        "time": "2026-11-01T11:59:59Z",
        "data": schemas.load(kind.name)["examples"][0],
    }


# -- what goes out ---------------------------------------------------------------------------------


def answers(kind: Kind) -> Iterator[tuple[int, Body]]:
    """Yield what a function answers to events that it could handle, with the status."""
    for name in (schema_of(one) for one in answer_types(kind)):
        yield 200, Body(PLAIN, ref(name), schemas.load(name)["examples"][0], name.replace("_", "-"))
    # A subscription of SMN's is confirmed, or noted for the operator, and is no event.
    handshake = {
        "type": "object",
        "properties": {"status": {"enum": ["confirmed", "ignored", "noted"]}},
        "required": ["status"],
        "additionalProperties": False,
    }
    yield 200, Body(PLAIN, handshake, {"status": "confirmed"}, "subscription")
    if kind.event_type:
        event = answer_example(kind)
        yield 200, Body(STRUCTURED, ref(f"{kind.name}.answer"), event, "event")
    yield 200, batch(kind, [answer_example(kind), problem_example()], "events")


def batch(kind: Kind, example: list[Json], name: str) -> Body:
    """Return a list of answers, one for each event of a delivery, in their order."""
    return Body(BATCHED, ref(f"{kind.name}.batch"), example, name)


def answer_example(kind: Kind) -> Json:
    """Return an event that answers one."""
    data = schemas.load(schema_of(kind.answer_type))["examples"][0]
    return {
        "specversion": "1.0",
        "id": data.get("decision_id", "7c9e6679f4ab4d2e9c1a0b3d5e7f9a1c"),
        "source": f"/sgguard/{kind.name}",
        "type": kind.answer_type,
        "time": data.get("decided_at") or data["at"],
        "datacontenttype": PLAIN,
        "data": data,
    }


def problem_example(data: Json | None = None) -> Json:
    """Return an event that says why another one has no answer."""
    return {
        "specversion": "1.0",
        "id": "1f0e2d3c4b5a69788796a5b4c3d2e1f0",
        "source": "/sgguard/delete_request",
        "type": PROBLEM_TYPE,
        "datacontenttype": PROBLEM,
        "data": {**(data or schemas.load("problem")["examples"][0]), "position": 1},
    }


def content(bodies: Iterable[Body]) -> Json:
    """Return bodies as OpenAPI's content: by media type, any of the schemas, every example."""
    by_media: dict[str, list[Body]] = {}
    for one in bodies:
        by_media.setdefault(one.media, []).append(one)
    found: Json = {}
    for media, some in by_media.items():
        kinds: list[Json] = []
        for one in some:
            if one.schema not in kinds:
                kinds.append(one.schema)
        schema = kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
        examples = {one.name: {"value": one.example} for one in some}
        found[media] = {"schema": schema, "examples": examples}
    return found
