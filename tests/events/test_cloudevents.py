from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.errors import EventError
from sgguard.events import base
from sgguard.events.sources.cloudevents import MAX_BATCH, decode_header, encode_header
from sgguard.model.event import Event
from sgguard.render.language.refusal import problem_json
from tests.events import read as read_delivery

KIND = base.Kind("delete_request", "sgguard.delete.requested.v1")
DATA = {"target": "tencent::ap-guangzhou:sg-5ua9adfv"}
ATTRIBUTES = {
    "specversion": "1.0",
    "id": "order-7",
    "source": "/portal/orders",
    "type": "sgguard.delete.requested.v1",
}
STRUCTURED = "application/cloudevents+json"
BATCHED = "application/cloudevents-batch+json"


def read(headers: dict[str, str], body: bytes) -> base.Delivery:
    return read_delivery(headers, body, KIND)


def binary(attributes: dict[str, str], body: bytes | None = None, **headers: str) -> base.Delivery:
    named = {f"Ce-{name.title()}": value for name, value in attributes.items()}
    named |= {"Content-Type": "application/json"} | headers
    return read(named, json.dumps(DATA).encode() if body is None else body)


def structured(document: Any, content_type: str = STRUCTURED) -> base.Delivery:
    return read({"Content-Type": content_type}, json.dumps(document).encode())


def only(delivery: base.Delivery) -> Event:
    (event,) = delivery.items
    assert isinstance(event, Event)
    return event


def refused(call: Any, *arguments: Any, **named: Any) -> EventError:
    with pytest.raises(EventError) as caught:
        call(*arguments, **named)
    return caught.value


# -- what is read --------------------------------------------------------------------------------


def test_a_binary_event_has_its_attributes_in_headers_and_its_data_in_the_body():
    delivery = binary(ATTRIBUTES)
    assert delivery.mode == "binary"
    assert only(delivery) == Event("order-7", DATA, "/portal/orders", "")


def test_a_structured_event_has_everything_in_the_body():
    delivery = structured({**ATTRIBUTES, "data": DATA})
    assert delivery.mode == "structured"
    assert only(delivery) == Event("order-7", DATA, "/portal/orders", "/data")


def test_data_may_be_base64_of_json():
    encoded = base64.b64encode(json.dumps(DATA).encode()).decode()
    event = only(structured({**ATTRIBUTES, "data_base64": encoded}))
    assert (event.data, event.pointer) == (DATA, "/data_base64")


def test_a_batch_has_every_event_in_order():
    first, second = ({**ATTRIBUTES, "id": str(n), "data": DATA} for n in (1, 2))
    delivery = structured([first, second], BATCHED)
    assert delivery.mode == "batched"
    assert [item.event_id for item in delivery.items if isinstance(item, Event)] == [
        "1",
        "2",
    ]
    assert isinstance(delivery.items[1], Event)
    assert delivery.items[1].pointer == "/1/data"


def test_an_empty_batch_is_a_batch():
    assert structured([], BATCHED) == base.Delivery("batched", ())


@pytest.mark.parametrize(
    ("content_type", "mode"),
    [
        ("application/cloudevents+json", "structured"),
        ("Application/CloudEvents+JSON; charset=UTF-8", "structured"),
        ("application/cloudevents-batch+json", "batched"),
        ("APPLICATION/CLOUDEVENTS-BATCH+JSON", "batched"),
    ],
)
def test_the_content_type_tells_the_mode_whatever_its_case(content_type, mode):
    event = {**ATTRIBUTES, "data": DATA}
    assert structured([event] if mode == "batched" else event, content_type).mode == mode


def test_the_body_of_a_structured_event_wins_over_ce_headers():
    headers = {"Content-Type": STRUCTURED, "ce-id": "header", "ce-specversion": "0.3"}
    delivery = read(headers, json.dumps({**ATTRIBUTES, "data": DATA}).encode())
    assert only(delivery).event_id == "order-7"


@pytest.mark.parametrize(
    "more",
    [
        {"time": "2026-11-01T12:00:00Z"},
        {"time": "2026-11-01t12:00:00.123456789+08:00"},
        {"time": "2016-12-31T23:59:60Z"},
        {"subject": "sg-5ua9adfv"},
        {"dataschema": "https://sgguard.dev/schemas/delete_request.v1.json"},
        {"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},
        {"datacontenttype": "application/json; charset=utf-8"},
        {"datacontenttype": "application/vnd.portal+json"},
        {"attempt": 3, "replayed": False},
        {"time": None, "subject": None},
        {"id": 'é "quoted" 100%'},
        {"source": "urn:portal:7"},
    ],
    ids=lambda more: "+".join(f"{k}={v}"[:40] for k, v in more.items()),
)
def test_an_event_with_a_valid_attribute_is_read(more):
    assert only(structured({**ATTRIBUTES, **more, "data": DATA})).data == DATA


# -- what is refused -----------------------------------------------------------------------------

WRONG = [
    ("id", None, "is missing"),
    ("source", None, "is missing"),
    ("specversion", None, "is missing"),
    ("type", None, "is missing"),
    ("id", "", "is not usable"),
    ("source", "", "is not usable"),
    ("source", "not a uri", "is not usable"),
    ("source", "/pörtal", "is not usable"),
    ("type", "", "is not usable"),
    ("specversion", "0.3", "is not usable"),
    ("specversion", "1.1", "is not usable"),
    ("subject", "", "is not usable"),
    ("time", "yesterday", "is not usable"),
    ("time", "2026-11-01", "is not usable"),
    ("time", "2026-11-01T12:00:00", "is not usable"),
    ("time", "2026-13-01T12:00:00Z", "is not usable"),
    ("time", "2026-11-01T12:60:00Z", "is not usable"),
    ("my_ext", "x", "is no attribute name"),
    ("my-ext", "x", "is no attribute name"),
]


@pytest.mark.parametrize(("name", "value", "said"), WRONG)
def test_a_wrong_attribute_of_a_structured_event_is_named(name, value, said):
    error = refused(structured, {**ATTRIBUTES, "data": DATA, name: value})
    assert error.status == 400
    assert [p.path for p in error.problems] == [f"/{name}"]
    assert problem_json(error.problems[0])["problem"].startswith(said)
    assert error.problems[0].expected


@pytest.mark.parametrize(("name", "value", "said"), WRONG)
def test_a_wrong_attribute_of_a_binary_event_is_named_by_its_header(name, value, said):
    given = {k: v for k, v in {**ATTRIBUTES, name: value}.items() if v is not None}
    encoded = {k: encode_header(v) for k, v in given.items()}
    error = refused(binary, encoded)
    assert error.status == 400
    assert [p.path for p in error.problems] == [f"ce-{name}"]
    assert problem_json(error.problems[0])["problem"].startswith(said)


@pytest.mark.parametrize(
    "more",
    [
        {"id": 7},
        {"id": True},
        {"source": ["x"]},
        {"ext": 1.5},
        {"ext": 2**31},
        {"ext": {"a": 1}},
        {"ext": "a\u0000b"},
        {"id": "a\nb"},
        {"Upper": "x"},
        {"": "x"},
    ],
    ids=repr,
)
def test_an_attribute_of_a_type_no_attribute_has_is_refused(more):
    assert refused(structured, {**ATTRIBUTES, "data": DATA, **more}).status == 400


def test_everything_wrong_is_listed_at_once():
    error = refused(structured, {"type": "", "time": "now", "data": DATA})
    assert {p.path for p in error.problems} == {"/id", "/source", "/specversion", "/type", "/time"}


def test_an_id_is_never_made_up():
    error = refused(binary, {k: v for k, v in ATTRIBUTES.items() if k != "id"})
    assert [p.path for p in error.problems] == ["ce-id"]


def test_ce_datacontenttype_is_not_allowed_in_headers():
    error = refused(binary, {**ATTRIBUTES, "datacontenttype": "application/json"})
    assert [p.path for p in error.problems] == ["ce-datacontenttype"]


def test_an_event_of_another_type_is_refused_with_the_type_that_is_judged():
    for error in (
        refused(structured, {**ATTRIBUTES, "type": "other.v1", "data": DATA}),
        refused(binary, {**ATTRIBUTES, "type": "other.v1"}),
    ):
        assert error.status == 422
        assert error.problems[0].expected == KIND.event_type
        assert KIND.event_type in str(error)


@pytest.mark.parametrize(
    ("members", "path"),
    [
        ({}, "/data"),
        ({"data": None}, "/data"),
        ({"data": DATA, "data_base64": "e30="}, "/data"),
        ({"data_base64": "not base64!"}, "/data_base64"),
        ({"data_base64": 7}, "/data_base64"),
    ],
    ids=["no data", "null", "both", "no base64", "a number"],
)
def test_data_that_cannot_be_read_is_refused(members, path):
    error = refused(structured, {**ATTRIBUTES, **members})
    assert error.status == 400
    assert [p.path for p in error.problems] == [path]


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a": NaN}', b'{"a":1,"a":2}'])
@pytest.mark.sampled(2)
def test_a_binary_event_whose_body_is_no_json_is_refused_and_not_taken_for_bytes(body):
    assert refused(binary, ATTRIBUTES, body).status == 400


@pytest.mark.parametrize(
    "content_type",
    [
        "application/cloudevents",
        "application/cloudevents+xml",
        "application/cloudevents+avro",
        "application/cloudevents-batch",
        "application/cloudevents-batch+xml",
        "application/cloudevents+json; charset=utf-16",
    ],
)
def test_an_event_format_other_than_json_is_refused(content_type):
    assert refused(structured, {**ATTRIBUTES, "data": DATA}, content_type).status == 415


@pytest.mark.parametrize("content_type", ["text/xml", "application/octet-stream"])
def test_data_in_another_format_than_json_is_refused(content_type):
    assert refused(binary, ATTRIBUTES, **{"Content-Type": content_type}).status == 415
    document = {**ATTRIBUTES, "datacontenttype": content_type, "data": DATA}
    assert refused(structured, document).status == 415


def test_an_array_is_no_structured_event_and_an_object_no_batch():
    assert refused(structured, [{**ATTRIBUTES, "data": DATA}]).status == 400
    assert refused(structured, {**ATTRIBUTES, "data": DATA}, BATCHED).status == 400


def test_one_ce_header_is_enough_to_be_held_to_the_rules():
    assert refused(binary, {"id": "order-7"}).status == 400


def test_a_wrong_event_of_a_batch_does_not_hide_the_others():
    good = {**ATTRIBUTES, "data": DATA}
    delivery = structured([good, {"id": "x"}, 7, {**good, "type": "other"}, good], BATCHED)
    assert [type(item).__name__ for item in delivery.items] == [
        "Event",
        "EventError",
        "EventError",
        "EventError",
        "Event",
    ]
    assert isinstance(delivery.items[1], EventError)
    assert {p.path for p in delivery.items[1].problems} == {
        "/1/source",
        "/1/specversion",
        "/1/type",
    }


def test_a_batch_has_a_largest_size():
    good = {**ATTRIBUTES, "data": DATA}
    assert len(structured([good] * MAX_BATCH, BATCHED).items) == MAX_BATCH
    assert refused(structured, [good] * (MAX_BATCH + 1), BATCHED).status == 413


# -- header values -------------------------------------------------------------------------------


@given(st.text())
def test_every_text_survives_the_way_through_a_header(text):
    encoded = encode_header(text)
    assert all("!" <= char <= "~" for char in encoded)
    assert decode_header(encoded) == text


@given(st.text(st.characters(max_codepoint=0x17F)))
def test_any_header_value_is_decoded_or_refused_with_a_value_error(value):
    try:
        decode_header(value)
    except ValueError:
        return


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"),
        ("%e2%82%ac", "€"),
        ("%2541", "%41"),
        ('"a b"', "a b"),
        ('"a \\"b\\" \\\\c"', 'a "b" \\c'),
        ('"100%25"', "100%"),
        ("  padded\t", "padded"),
        ("a b", "a b"),
        ('x"y z"', "xy z"),
    ],
)
def test_a_header_value_is_unquoted_and_then_decoded_once(value, expected):
    assert decode_header(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "%C0%A0",
        "%ff",
        "%E2%82",
        "%ED%A0%80",
        "100%",
        "%4",
        "%zz",
        '"open',
        'a"',
        "é",
        "a\x00b",
        "a\tb",
    ],
)
@pytest.mark.sampled(4)
def test_a_broken_header_value_is_refused(value):
    with pytest.raises(ValueError, match=r"^(has|is not) "):
        decode_header(value)


def test_the_specifications_own_example_is_encoded_as_it_says():
    assert encode_header("Euro € 😀") == "Euro%20%E2%82%AC%20%F0%9F%98%80"


def test_a_header_value_that_is_not_utf8_is_named_in_the_answer():
    error = refused(binary, {**ATTRIBUTES, "subject": "%C0%A0"})
    assert [p.path for p in error.problems] == ["ce-subject"]
