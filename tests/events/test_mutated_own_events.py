"""Mutated events of our own formats: whatever is changed, it is read whole, or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sgguard import events, schemas
from sgguard.errors import EventError
from sgguard.events import request
from sgguard.events.base import Kind
from tests.examples import examples
from tests.functions.test_fuzz import mutated

THOROUGH = 5000
KINDS = {
    "delete_request": (Kind("delete_request", "sgguard.delete.requested.v1"), "delete_request"),
    "instance_launch": (Kind("instance_launch", "sgguard.launch.requested.v1"), "instance_launch"),
}
MEDIA = {
    "bare": "application/json",
    "binary": "application/json",
    "structured": "application/cloudevents+json",
    "batched": "application/cloudevents-batch+json",
}


def delivery(data: st.DataObject, mode: str, name: str) -> tuple[dict[str, str], bytes]:
    """An event in one mode, of which something was changed."""
    kind, schema = KINDS[name]
    inner = data.draw(st.sampled_from(schemas.load(schema)["examples"]))
    attributes = {"specversion": "1.0", "id": "e-1", "source": "/x", "type": kind.event_type}
    headers = {"content-type": MEDIA[mode]}
    document: Any = inner
    if mode == "binary":
        changed = data.draw(mutated(attributes) | st.just(attributes))
        if isinstance(changed, dict):
            headers |= {f"ce-{key}": str(value) for key, value in changed.items()}
    elif mode != "bare":
        document = {**attributes, "data": inner}
    if mode == "batched":
        document = [document, {**document, "id": "e-2"}]
    return headers, json.dumps(data.draw(mutated(document))).encode()


def assert_whole_or_refused(headers: dict[str, str], body: bytes, name: str) -> None:
    kind, _ = KINDS[name]
    try:
        items = events.read(headers, body, kind).items
    except EventError as error:
        items = (error,)
    for item in items:
        if isinstance(item, EventError):
            assert item.status in (400, 413, 415, 422)
            assert item.problems or item.status == 413
            continue
        assert isinstance(item.event_id, str)
        assert item.event_id
        asked = parsed(name, item.data)
        if isinstance(asked, EventError):
            assert asked.status in (400, 422)
            assert asked.problems
        else:
            assert schemas.problems(name, item.data) == ()
            assert asked.requested_by == item.data.get("requested_by", "")


def parsed(name: str, data: object) -> Any:
    try:
        return getattr(request, name)(data)
    except EventError as error:
        return error


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("mode", MEDIA)
@examples(100)
@given(data=st.data())
@pytest.mark.sampled(6)
def test_a_mutated_event_is_read_whole_or_refused(mode, name, data):
    assert_whole_or_refused(*delivery(data, mode, name), name)


SOURCES = {"bare": ("bare",), "cloudevents": ("binary", "structured", "batched")}


@pytest.mark.slow
@pytest.mark.parametrize("source", SOURCES)
@settings(max_examples=THOROUGH, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_thousands_of_mutated_events_are_read_whole_or_refused(source, data):
    mode = data.draw(st.sampled_from(SOURCES[source]))
    name = data.draw(st.sampled_from(sorted(KINDS)))
    assert_whole_or_refused(*delivery(data, mode, name), name)
