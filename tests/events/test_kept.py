"""What is kept of an event that nobody could judge: all that its source reads, and no secret."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.errors import EventError
from sgguard.events import kept
from sgguard.events.base import Kind
from sgguard.telemetry.redaction import MASK
from tests.events.samples import made, read, samples
from tests.events.test_every_cloud_source import SECRET, every_sample, leaves, planted
from tests.events.test_recorded_events import FOLDER

ALL = Kind("cloud_event", "")
FILES = sorted(FOLDER.glob("*/*.json")) if FOLDER.exists() else []


def seen(document: Any) -> Any:
    """What its sources make of a document."""
    try:
        return [
            one.problems if isinstance(one, EventError) else (one.event_id, one.data, one.at_s)
            for one in read(document).items
        ]
    except EventError as error:
        return error.status, [one.path for one in error.problems]


@every_sample
def test_what_is_kept_of_an_event_reads_as_the_event_does(name, happened):
    document = made(name, happened)
    again = json.loads(kept.of_body(json.dumps(document).encode()))
    assert seen(again) == seen(document)


@pytest.mark.parametrize("path", FILES, ids=lambda one: f"{one.parent.name}/{one.stem}")
def test_what_is_kept_of_a_recorded_event_reads_as_the_event_does(path):
    document = json.loads(path.read_text())
    text = kept.of_body(json.dumps(document).encode())
    if text:
        assert seen(json.loads(text)) == seen(document)


@every_sample
def test_no_secret_in_any_field_is_kept(name, happened):
    document = made(name, happened)
    named = samples(name).kept
    for at in leaves(document):
        # Who asked is kept of every event: their name decides who may approve.
        if "/" + "/".join(map(str, at)) in named:
            continue
        assert SECRET not in kept.of_body(json.dumps(planted(document, at, SECRET)).encode()), at
    document[SECRET] = SECRET
    document["Token"] = [{"id": 1, "x": SECRET}]
    found = kept.of_body(json.dumps(document).encode())
    assert SECRET not in found
    assert "Token" not in found


OWN = {
    "specversion": "1.0",
    "id": "order-7",
    "source": "/portal",
    "type": "sgguard.delete.requested.v1",
    "time": "2026-11-29T01:00:00Z",
    "data": {"targets": ["tencent::ap-guangzhou:sg-1"], "requested_by": "\u738b\u5c0f\u660e"},
}


def test_an_event_of_our_own_is_kept_but_for_what_it_has_beside():
    more = {
        **OWN,
        "password": "x",
        "data": {**OWN["data"], "token": "y", "callback": "https://h/t"},
    }
    found = json.loads(kept.of_body(json.dumps(more).encode()))
    assert found == {**OWN, "data": {**OWN["data"], "callback": MASK}}


@pytest.mark.parametrize("body", [b"", b"not json", b"\xff", b"[" * 99, b'"text"', b"1" * 99999])
def test_what_cannot_be_read_is_not_kept_at_all(body):
    assert kept.of_body(body) == ""


def test_headers_say_how_a_body_is_read_and_nothing_else():
    headers = {
        "content-type": "application/json",
        "authorization": f"Bearer {SECRET}",
        "cookie": SECRET,
        "ce-id": "order-7",
        "ce-source": "/portal",
        "ce-type": "sgguard.delete.requested.v1",
        "ce-specversion": "1.0",
        "ce-token": SECRET,
        "ce-time": SECRET,
    }
    assert kept.of_headers(headers) == {
        "content-type": "application/json",
        "ce-id": "order-7",
        "ce-source": "/portal",
        "ce-type": "sgguard.delete.requested.v1",
        "ce-specversion": "1.0",
        "ce-time": MASK,
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=40),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["data", "id", "eventName", "x", "Response", "time"]), inner
        )
    ),
    max_leaves=20,
)


@given(JSON)
def test_whatever_is_kept_is_json_that_keeps_itself(document):
    text = kept.of_body(json.dumps(document).encode())
    if text:
        assert kept.of_body(text.encode()) == text
