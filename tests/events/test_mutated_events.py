"""Mutated events: whatever is changed in one, it is read, or refused with our own error."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sgguard.errors import EventError
from sgguard.events import request
from sgguard.model.event import Event
from sgguard.model.occurrence import Happened
from tests.events.samples import made, read, samples, source_modules
from tests.examples import examples
from tests.functions.test_fuzz import mutated

THOROUGH = 5000
QUICK_OF_800 = 800


def documents(name: str) -> list[Any]:
    """All samples of a source; what stands in a text of JSON also in the open."""
    of = samples(name)
    found = [made(name, happened) for happened in of.made] + list(of.irrelevant)
    return found + [json.loads(one["oslo.message"]) for one in found if "oslo.message" in one]


def items_of(body: bytes) -> Sequence[Event | EventError]:
    try:
        return read(body).items
    except EventError as error:
        return (error,)


def assert_read_or_refused(body: bytes) -> None:
    for item in items_of(body):
        if isinstance(item, EventError):
            assert item.status in (400, 413, 422)
            assert item.problems or item.status == 413
            continue
        one = request.occurrence(item.data)
        assert one.reason or one.happened is not Happened.IRRELEVANT
        assert one.operation or one.happened is Happened.IRRELEVANT
        json.dumps(item.data)


def mutate(data: st.DataObject, name: str) -> bytes:
    document = data.draw(st.sampled_from(documents(name)))
    changed = data.draw(mutated(document))
    if isinstance(changed, dict) and data.draw(st.booleans()):
        for key, value in changed.items():
            # The texts of JSON are mutated as what they hold.
            if isinstance(value, str) and value[:2] == '{"':
                changed[key] = json.dumps(data.draw(mutated(json.loads(value))))
    wrapped = data.draw(st.sampled_from([changed, [changed], {"EventList": [changed, changed]}]))
    return json.dumps(wrapped).encode()


@pytest.mark.parametrize("name", source_modules())
@examples(QUICK_OF_800)
@given(data=st.data())
@pytest.mark.sampled(6)
def test_a_mutated_event_is_read_or_refused(name, data):
    assert_read_or_refused(mutate(data, name))


@pytest.mark.slow
@pytest.mark.parametrize("name", source_modules())
@settings(max_examples=THOROUGH, suppress_health_check=list(HealthCheck), deadline=None)
@given(data=st.data())
def test_thousands_of_mutated_events_are_read_or_refused(name, data):
    assert_read_or_refused(mutate(data, name))


@examples(QUICK_OF_800)
@given(body=st.binary(max_size=64))
def test_bytes_are_read_or_refused(body):
    assert_read_or_refused(body)
