from __future__ import annotations

import json
from typing import Any

import pytest

from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import decide as pipeline
from sgguard.engine.context import Context
from sgguard.errors import (
    AddressError,
    CredentialsError,
    DeadlineError,
    EventError,
    ForbiddenError,
    NotFoundError,
    PolicyError,
    Problem,
    SgguardError,
    ThrottledError,
    UnauthenticatedError,
    UnavailableError,
    UnknownShapeError,
    UnreachableError,
)
from sgguard.events.base import Delivery, Kind
from sgguard.events.sources.cloudevents import decode_header
from sgguard.model.address import Address
from sgguard.model.event import Event
from sgguard.model.request import DeleteRequest
from sgguard.render import document
from sgguard.telemetry import logs
from sgguard.web import endpoint, problem, response
from tests.worlds import world_of

KIND = Kind("delete_request", "sgguard.delete.requested.v1")
WORLD = world_of("tencent")


def decide(event: Event) -> dict[str, Any]:
    """The document of the real decision about the free group, without a socket."""
    context = Context.from_env(
        WORLD.env, transport=EmulatorTransport(WORLD.emulator()), new_id=lambda: "d1"
    )
    address = Address.parse(f"tencent::{WORLD.region}:{WORLD.free}")
    request = DeleteRequest((address,))
    return document.to_json(pipeline.decide_delete(request, context, event_id=event.event_id))


def each(delivery: Delivery, decide_one=decide) -> response.Response:
    """Answer a delivery whose events are decided one by one."""

    def decide_all(asked):
        return [outcome(event) for _, event in asked]

    def outcome(event: Event) -> dict[str, Any] | Exception:
        try:
            return decide_one(event)
        except Exception as error:  # noqa: BLE001 - as the pipeline does
            return error

    return endpoint.answer_each(delivery, KIND, lambda data: data, decide_all)


def events(*ids: str) -> tuple[Event, ...]:
    return tuple(Event(one, {}, "/portal", f"/{n}/data") for n, one in enumerate(ids))


# -- which error is which status -----------------------------------------------------------------

CLOUD = ("tencent", "DescribeSecurityGroups")


@pytest.mark.parametrize(
    ("error", "status", "slug", "retry_after_s"),
    [
        (EventError("no"), 400, "invalid-event", None),
        (EventError("no", status=413), 413, "too-large", None),
        (EventError("no", status=415), 415, "unknown-format", None),
        (EventError("no", status=422), 422, "not-possible", None),
        (AddressError("no"), 422, "not-possible", None),
        (DeadlineError("no"), 503, "deadline", 1),
        (CredentialsError("no"), 503, "credentials", 60),
        (PolicyError("no"), 503, "settings", 60),
        (UnauthenticatedError(*CLOUD, code="AuthFailure"), 503, "credentials", 60),
        (ThrottledError(*CLOUD), 429, "throttled", 5),
        (ThrottledError(*CLOUD, retry_after_s=2.1), 429, "throttled", 3),
        (ThrottledError(*CLOUD, retry_after_s=0.01), 429, "throttled", 1),
        (UnreachableError(*CLOUD), 503, "cloud-unavailable", 5),
        (UnavailableError(*CLOUD, retry_after_s=30), 503, "cloud-unavailable", 30),
        (ForbiddenError(*CLOUD), 503, "cloud-unavailable", 5),
        (NotFoundError(*CLOUD), 503, "cloud-unavailable", 5),
        (UnknownShapeError(*CLOUD), 503, "cloud-unavailable", 5),
        (SgguardError("no"), 500, "internal", None),
        (ZeroDivisionError("no"), 500, "internal", None),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else str(value),
)
def test_every_error_has_its_status_and_says_when_to_ask_again(error, status, slug, retry_after_s):
    details = problem.of(error)
    assert (details.status, details.retry_after_s) == (status, retry_after_s)
    assert details.document["type"] == f"https://sgguard.dev/problems/{slug}"
    assert details.document["status"] == status
    assert details.document["title"]


def test_a_cloud_error_names_call_code_and_request_id():
    error = UnavailableError(*CLOUD, code="InternalError", request_id="r-1", detail="try later")
    document = problem.of(error, event_id="e1").document
    assert {k: document[k] for k in ("provider", "action", "code", "request_id", "event_id")} == {
        "provider": "tencent",
        "action": "DescribeSecurityGroups",
        "code": "InternalError",
        "request_id": "r-1",
        "event_id": "e1",
    }


def test_what_a_cloud_quotes_of_a_refused_signature_does_not_come_back():
    quoted = "server CanonicalRequest is [POST x-acs-security-token:s3cret]"
    error = UnauthenticatedError(*CLOUD, code="SignatureDoesNotMatch", detail=quoted)
    assert "s3cret" not in json.dumps(problem.of(error).document)


def test_problems_in_the_data_are_shown_where_the_data_stood_and_headers_as_they_are():
    found = (Problem("/target", "is empty"), Problem("", "is no object"), Problem("ce-id", "is"))
    document = problem.of(EventError("no", problems=found), pointer="/3/data").document
    assert [p["path"] for p in document["problems"]] == ["/3/data/target", "/3/data", "ce-id"]


def test_half_a_surrogate_pair_in_a_clouds_text_does_not_break_the_answer():
    told = response._json(200, {"name": "databases \ud800"})
    assert json.loads(told.body) == {"name": "databases ?"}


# -- answers of each mode ------------------------------------------------------------------------


def test_an_answer_in_headers_survives_any_characters():
    attributes = response._attributes(decide(events("é 1")[0]), KIND)
    given = each(Delivery("binary", events("é 1")))
    told = {name: decode_header(given.headers[f"ce-{name}"]) for name in ("id", "type", "subject")}
    assert told == {name: attributes[name] for name in told}
    assert json.loads(given.body)["event_id"] == "é 1"


def test_the_subject_of_one_target_is_it_and_of_several_their_scope():
    one, two = "tencent::r:sg-1", "tencent::r:sg-2"
    assert response._subject((one,)) == one
    assert response._subject((one, two)) == "tencent::r"


def test_the_events_of_a_batch_are_decided_together_and_answered_in_order():
    calls = []

    def decide_all(asked):
        calls.append([event.event_id for _, event in asked])
        return [decide(event) for _, event in asked]

    delivery = Delivery("batched", (events("1")[0], EventError("no"), *events("2", "3")))
    given = endpoint.answer_each(delivery, KIND, lambda data: data, decide_all)
    assert calls == [["1", "2", "3"]]
    told = [item["data"].get("event_id") for item in json.loads(given.body)]
    assert told == ["1", None, "2", "3"]


def test_a_batch_in_which_nothing_can_be_read_decides_nothing():
    delivery = Delivery("batched", (EventError("no"), EventError("no")))
    given = endpoint.answer_each(delivery, KIND, lambda data: data, lambda _: pytest.fail("asked"))
    assert given.status == 400


def test_data_that_breaks_the_parser_breaks_its_own_event_only():
    def parse(data):
        if data is None:
            raise RuntimeError("a bug")
        return data

    delivery = Delivery("batched", (Event("1", None), *events("2")))
    given = endpoint.answer_each(delivery, KIND, parse, lambda asked: [decide(e) for _, e in asked])
    one, two = json.loads(given.body)
    assert (one["data"]["status"], two["data"]["verdict"]) == (500, "allow")


def failing(error: Exception):
    def fail(_: Event) -> dict[str, Any]:
        raise error

    return fail


@pytest.mark.parametrize(
    ("error", "status", "retry_after"),
    [
        (EventError("no", status=422), 400, None),
        (ThrottledError(*CLOUD, retry_after_s=7), 503, "7"),
        (DeadlineError("no"), 503, "1"),
        (RuntimeError("no"), 500, None),
    ],
    ids=["wrong", "throttled", "late", "bug"],
)
def test_a_batch_of_which_nothing_was_decided_says_whether_to_send_it_again(
    error, status, retry_after
):
    given = each(Delivery("batched", events("1", "2")), failing(error))
    assert given.status == status
    assert given.headers.get("Retry-After") == retry_after
    items = json.loads(given.body)
    assert [item["type"] for item in items] == ["sgguard.problem.v1"] * 2
    assert [item["data"]["position"] for item in items] == [0, 1]


def test_a_batch_of_which_something_was_decided_is_answered():
    def sometimes(event: Event) -> dict[str, Any]:
        if event.event_id == "2":
            raise RuntimeError("a bug in one must not take the other along")
        return decide(event)

    given = each(Delivery("batched", events("1", "2")), sometimes)
    assert given.status == 200
    one, two = json.loads(given.body)
    assert one["data"]["verdict"] == "allow"
    assert two["data"]["status"] == 500
    assert "bug" not in json.dumps(two)


def test_a_bug_is_an_incident_with_a_number_and_without_words(caplog, monkeypatch):
    monkeypatch.setattr(logs.LOGGER, "propagate", True)  # another test may have configured it

    def broken(data):
        raise RuntimeError("s3cret")

    delivery = Delivery("bare", events("1"))
    with caplog.at_level("ERROR", logger="sgguard"):
        given = endpoint.answer_each(delivery, KIND, broken, lambda _: pytest.fail("asked"))
    assert given.status == 500
    (record,) = caplog.records
    line = json.loads(logs.line(record))
    assert (line["level"], line["error"]) == ("ERROR", "RuntimeError")
    assert line["incident_id"] == json.loads(given.body)["incident_id"]
    assert line["where"].startswith("test_response.py:")
