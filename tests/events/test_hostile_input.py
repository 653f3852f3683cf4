"""Hostile deliveries: what is repeated of them, and what reading them costs."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from contextlib import suppress

import pytest

from sgguard.errors import EventError
from sgguard.events import base, request
from sgguard.events.sources.cloudevents import decode_header
from tests.effort import cpu_s, megabyte_s
from tests.events import read as read_delivery

KIND = base.Kind("delete_request", "sgguard.delete.requested.v1")
BATCHED = {"Content-Type": "application/cloudevents-batch+json"}
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
MIB = 1024 * 1024


def refused(headers: dict[str, str], body: bytes) -> EventError:
    with pytest.raises(EventError) as caught:
        read_delivery(headers, body, KIND)
    return caught.value


def event(**attributes: object) -> dict[str, object]:
    base = {"specversion": "1.0", "id": "1", "source": "/a", "type": KIND.event_type}
    return {**base, "data": {}, **attributes}


# -- nothing of a header comes back ---------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "s3cret"},
        {"Content-Type": "text/plain; s3cret=s3cret"},
        {"Content-Type": "multipart/form-data; boundary=s3cret"},
        {"Content-Type": "application/cloudevents+s3cret"},
        {"Content-Type": "application/cloudevents-batch+s3cret"},
        {"Content-Type": "application/json; charset=s3cret", "ce-id": "1"},
        {"Content-Encoding": "s3cret"},
        {"ce-id": "s3cret", "ce-source": "s3cret", "ce-type": "s3cret", "ce-specversion": "s3cret"},
        {"ce-id": '"s3cret'},
        {"ce-id": "s3cret%"},
        {"ce-datacontenttype": "s3cret"},
    ],
    ids=str,
)
def test_the_value_of_a_header_is_not_repeated(headers):
    error = refused(headers, b"{}")
    assert "s3cret" not in f"{error} {error.problems}"


def test_a_format_that_is_not_read_is_pointed_at_where_it_is_said():
    assert refused({"Content-Type": "text/csv"}, b"a").problems[0].path == "content-type"
    body = json.dumps(event(datacontenttype="text/csv")).encode()
    assert refused(STRUCTURED, body).problems[0].path == "/datacontenttype"


# -- what a megabyte may cost ---------------------------------------------------------------------


def filled(parts: Iterator[str], around: str) -> bytes:
    """Return a body just below one megabyte, made of as many parts as it takes."""
    taken: list[str] = []
    left = MIB - 100
    for part in parts:
        left -= len(part) + 1
        if left < 0:
            break
        taken.append(part)
    return (around[0] + ",".join(taken) + around[1]).encode()


def asked(body: bytes, headers: dict[str, str]) -> list[EventError]:
    """Read and parse as a function does; return what is wrong."""
    try:
        delivery = read_delivery(headers, body, KIND)
    except EventError as error:
        return [error]
    wrong: list[EventError] = []
    for item in delivery.items:
        try:
            if isinstance(item, EventError):
                raise item
            request.delete_request(item.data)
        except EventError as error:
            wrong.append(error)
    return wrong


MEGABYTES = {
    "keys nobody knows": (filled((f'"{n:x}":1' for n in itertools.count()), "{}"), {}),
    "keys like ours": (filled((f'"target{n:x}":1' for n in itertools.count()), "{}"), {}),
    "one long key": (f'{{"{"target" * 170_000}":1}}'.encode(), {}),
    "targets without end": (
        b'{"targets":' + filled(itertools.repeat('"a"'), "[]")[:-1] + b"]}",
        {},
    ),
    "lists in a list": (filled(itertools.repeat("[]"), "[]"), {}),
    "a number of a million digits": (b"[" + b"9" * (MIB - 10) + b"]", {}),
    "a fraction of a million digits": (b'{"a":0.' + b"9" * (MIB - 20) + b"}", {}),
    "half a million colons": (b'{"target":"' + b":" * (MIB // 2) + b'"}', {}),
    "one event of many wrong attributes": (
        json.dumps([event(**{f"A{n}": "x" for n in range(50_000)})]).encode(),
        BATCHED,
    ),
    "a hundred events of many keys": (
        json.dumps([event(data={f"k{n}": 1 for n in range(800)}) for _ in range(100)]).encode(),
        BATCHED,
    ),
    "a long time": (
        json.dumps(event(time="2026-01-01T00:00:00." + "1" * 900_000)).encode(),
        BATCHED,
    ),
    "a long source": (json.dumps([event(source="a" * 900_000 + " ")]).encode(), BATCHED),
}


@pytest.mark.parametrize("case", MEGABYTES.values(), ids=MEGABYTES)
@pytest.mark.sampled(12)
def test_the_cost_of_refusing_a_megabyte_does_not_grow_with_its_square(case):
    body, headers = case
    assert len(body) <= MIB
    asked(b'{"a":1}', {})  # what is imported at first use is not the body's cost
    wrong: list[EventError] = []
    # It was minutes once, which is hundreds of readings; now it is few.
    assert cpu_s(lambda: wrong.extend(asked(body, headers)), 1) < 100 * megabyte_s()
    assert wrong
    for error in wrong:
        assert len(error.problems) <= 20
        assert all(len(problem.path) < 300 for problem in error.problems)


@pytest.mark.parametrize("part", ['"', '"\\', '\\"', "%", '""', '"a'], ids=repr)
@pytest.mark.sampled(6)
def test_the_cost_of_decoding_a_header_grows_with_its_length(part):
    """A server lets 100 headers of 8 KiB through: a cost that is quadratic would matter."""

    def decode(length: int) -> None:
        with suppress(ValueError):
            decode_header(part * (length // len(part)))

    short = cpu_s(lambda: decode(800), 20)
    assert cpu_s(lambda: decode(8000), 20) < 50 * short


@pytest.mark.parametrize("value", ['a"b', '"', '"a\\"', '"a""', 'x "y" "'], ids=repr)
def test_a_quote_that_is_not_closed_is_refused(value):
    with pytest.raises(ValueError, match="not closed"):
        decode_header(value)


@pytest.mark.parametrize(
    ("value", "text"),
    [('"a"b"c"', "abc"), ('a\\"b"', "a\\b"), ('""', ""), ('"\\""', '"'), ('"\\\\"', "\\")],
    ids=repr,
)
def test_quotes_are_taken_off_from_the_left(value, text):
    assert decode_header(value) == text
