"""Whatever is wrong with what was sent, a Chinese reader is shown no English of it.

Every source of events is given events that are not whole and events that concern nobody, and every
kind of problem is described as a function describes it.
"""

from __future__ import annotations

import ast
import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import sgguard
from sgguard import schemas
from sgguard.approvals import reminders
from sgguard.callers import permit
from sgguard.callers.budget import Meter
from sgguard.chat import deliver
from sgguard.errors import (
    AddressError,
    BudgetError,
    EventError,
    InputError,
    InvalidRequestError,
    NotSetUpError,
)
from sgguard.events import bind, read, request
from sgguard.events.base import Kind
from sgguard.model import person
from sgguard.model.address import Address
from sgguard.model.caller import Budget, Caller, Identity
from sgguard.model.occurrence import Happened
from sgguard.model.request import DeleteRequest
from sgguard.model.sentence import Sentence
from sgguard.policy.callback import CallbackPolicy
from sgguard.render.language.refusal import sentence_of
from sgguard.render.language.sentence import whole_english
from sgguard.render.language.words import entries
from sgguard.web import problem
from sgguard.web.openapi.example import PROBLEMS
from sgguard.webhooks.url import Refusal, judged
from tests.chinese import foreign_in, require_chinese
from tests.events.samples import (
    JSON_HEADERS,
    cases,
    made,
    samples,
    source_modules,
    told,
    without,
)
from tests.events.samples import read as read_of_a_cloud

Json = dict[str, Any]
PACKAGE = Path(sgguard.__file__).parent
ADDRESS = "tencent::ap-guangzhou:sg-5ua9adfv"
DELETES = Kind("delete_request", "sgguard.delete.requested.v1")


def described(error: Exception, data: object = None) -> Json:
    """The document of a problem, which a Chinese reader can read."""
    return require_chinese(problem.described(error, data=data).document)


def required(document: Json) -> Json:
    """A document each of whose problems says in no language what is wrong."""
    for one in document["problems"]:
        assert "problem" in one["sentences"], one
    return document


# -- events of the clouds ------------------------------------------------------------------------


def places(value: Any, at: str = "") -> Iterator[str]:
    """The pointers of all members of a document."""
    if isinstance(value, dict):
        for key, one in value.items():
            yield f"{at}/{key}"
            yield from places(one, f"{at}/{key}")


def broken(document: Json) -> Iterator[Any]:
    """The document without each of its members, and with another thing in the place of each."""
    for pointer in places(document):
        yield without(document, pointer)
        changed = copy.deepcopy(document)
        *before, last = pointer.split("/")[1:]
        parent = changed
        for part in before:
            parent = parent[part]
        parent[last] = ["?"]
        yield changed


def errors_of(document: Any) -> list[EventError]:
    try:
        items = read_of_a_cloud(document).items
    except EventError as error:
        return [error]
    return [one for one in items if isinstance(one, EventError)]


@pytest.mark.parametrize(("name", "happened"), list(cases()))
def test_an_event_of_a_cloud_that_is_not_whole_is_refused_in_chinese(name, happened):
    found = [error for each in broken(made(name, happened)) for error in errors_of(each)]
    assert found
    for error in found:
        required(described(error))


@pytest.mark.parametrize("name", source_modules())
def test_why_an_event_of_a_cloud_concerns_nobody_is_told_in_chinese(name):
    documents = [made(name, happened) for happened in samples(name).made]
    every = [*samples(name).irrelevant, *(one for each in documents for one in broken(each))]
    for document in every:
        if errors_of(document):
            continue
        for one in read_of_a_cloud(document).items:
            reason = request.occurrence(one.data).reason
            assert reason == "" or (isinstance(reason, Sentence) and foreign_in(reason) == set())


def test_each_irrelevant_sample_has_a_reason_in_chinese():
    for name in source_modules():
        for document in samples(name).irrelevant:
            found = told(document)
            assert found.happened is Happened.IRRELEVANT
            assert foreign_in(found.reason) == set()


STRANGE: list[Any] = [
    {"some": "thing"},
    "{",
    [1],
    {"oslo.message": "{"},
    {"specversion": "1.0", "id": "1", "source": "acs.ecs", "type": "ecs:x", "apiErrorCode": 0}
    | {"requestID": "1", "eventId": "1", "eventSource": "x.aliyuncs.com"},
    [{"some": "thing"}] * 101,
    b"",
    b"\xff",
    b'{"a": NaN}',
    b'{"a": 1, "a": 1}',
    b'{"a": "\\ud800"}',
    b"[" * 40 + b"]" * 40,
    b"[" * 100_000,
    b"1" * 5000,
]
WRAPPED: Json = {"some": "thing"}
for _ in range(8):
    WRAPPED = {"events": [WRAPPED]}


def test_what_no_source_reads_is_refused_in_chinese():
    for document in (*STRANGE, WRAPPED):
        for error in errors_of(document):
            described(error)
    with pytest.raises(EventError) as caught:
        read_of_a_cloud({}, {"content-type": "text/xml"})
    required(described(caught.value))


# -- our own events ------------------------------------------------------------------------------

EVENT = {"specversion": "1.0", "id": "1", "source": "/p", "type": DELETES.event_type}
STRUCTURED = {"content-type": "application/cloudevents+json"}
OWN: list[tuple[dict[str, str], Any]] = [
    (JSON_HEADERS, []),
    (JSON_HEADERS, {"id": 7}),
    ({"content-type": "text/xml"}, {}),
    (STRUCTURED, []),
    (STRUCTURED, {}),
    (STRUCTURED, EVENT),
    (STRUCTURED, EVENT | {"data": {}, "data_base64": "e30="}),
    (STRUCTURED, EVENT | {"data_base64": "?"}),
    (STRUCTURED, EVENT | {"data": {}, "type": "another"}),
    (STRUCTURED, EVENT | {"data": {}, "datacontenttype": "text/xml"}),
    (STRUCTURED, dict.fromkeys((*EVENT, "time", "subject", "dataschema"), "") | {"data": {}}),
    (STRUCTURED, dict.fromkeys((*EVENT, "my_ext"), 7.5) | {"data": {}}),
    (STRUCTURED, EVENT | {"subject": "\x01", "data": {}}),
    ({"content-type": "application/cloudevents-batch+json"}, {}),
    ({"content-type": "application/cloudevents-batch+json"}, [{}] * 101),
    ({"content-type": "application/cloudevents-batch+json"}, [1]),
    *(({"ce-id": text, "content-type": "application/json"}, {}) for text in ("ä", '"', "%", "%ff")),
    ({"ce-datacontenttype": "x"}, {}),
]


@pytest.mark.parametrize(("headers", "document"), OWN)
def test_a_delivery_that_cannot_be_read_is_refused_in_chinese(headers, document):
    try:
        items = read(headers, json.dumps(document).encode(), DELETES).items
    except EventError as error:
        items = (error,)
    found = [one for one in items if isinstance(one, EventError)]
    assert found
    for error in found:
        described(error)


PARSERS = {
    "delete_request": request.delete_request,
    "instance_launch": request.instance_launch,
    "bind_request": bind.bind_event,
    "approval": reminders.request,
    "chat": deliver.request,
}
LOOK_ALIKE = "\u0430da"
BODIES: dict[str, list[Any]] = {
    "delete_request": [
        {"target": ADDRESS, "targets": [ADDRESS]},
        {"targets": [ADDRESS, ADDRESS]},
        {"targets": [ADDRESS, "tencent::ap-beijing:sg-5ua9adfv"]},
        *({"target": text} for text in ("sg-1", ":::", "tencent:::", "Q::a:b", "tencent::a b:c")),
        *({"target": ADDRESS, "requested_by": name} for name in (LOOK_ALIKE, "a\u200db")),
    ],
    "instance_launch": [
        {"provider": "tencent", "region": "ap-guangzhou", "groups": ["sg-1", "sg-1"]},
        {"provider": "tencent", "region": "ap-guangzhou", "instance_id": "i", "count": 2},
        {"provider": "Tencent", "region": "?", "count": 0},
        {"provider": "tencent", "region": "ap-guangzhou", "count": 10**7, "groups": ["g"] * 101},
    ],
    "bind_request": [
        {"group": "sg-1", "holders": ["i-1"]},
        {"group": ADDRESS, "holders": ["i"], "rest": {"decision": "d"}},
        {"group": ADDRESS, "filter": {}},
        {"group": ADDRESS, "action": "?", "holders": []},
    ],
    "approval": [{"requested_by": "\x01"}],
    "chat": [{"decision_id": "x" * 200}],
}


WRONG: tuple[Any, ...] = (None, 7, 1.5, True, "", "\x01", [], [7], {}, {"x": 1})


def of_schema(name: str) -> Iterator[Any]:
    """Bodies of which one part after the other is missing, unknown, or of another type."""
    yield from BODIES[name]
    yield from (None, 7, 1.5, True, "text", [], {}, {"strange": 1})
    for key in schemas.load(name)["properties"]:
        yield from ({key: wrong} for wrong in WRONG)


@pytest.mark.parametrize("name", PARSERS)
def test_a_body_that_breaks_its_schema_is_refused_in_chinese(name):
    refused = 0
    for body in of_schema(name):
        try:
            PARSERS[name](body)
        except EventError as error:
            refused += 1
            required(described(error))
    assert refused > 10


def descriptions(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if isinstance(found := schema.get("description"), str):
            yield found
        yield from (one for part in schema.values() for one in descriptions(part))


@pytest.mark.parametrize("name", PARSERS)
def test_a_field_of_an_event_has_words_for_its_description(name):
    for text in descriptions(schemas.load(name)):
        for language in ("en", "zh"):
            assert f"field.{text}" in entries(language)


def test_no_words_are_kept_for_a_field_that_no_event_has():
    source = "".join(path.read_text(encoding="utf-8") for path in PACKAGE.rglob("*.py"))
    known = {text for name in PARSERS for text in descriptions(schemas.load(name))}
    for key in entries("en"):
        text = key.removeprefix("field.")
        is_made = f'"{text}"' in source or text.isalpha()  # a script's name is Unicode's own
        assert not key.startswith("field.") or text in known or is_made


# -- callers, callbacks, clouds ------------------------------------------------------------------

CALLER = Caller("portal", "hmac", {}, ("delete_request",), ("tencent::ap-beijing:*",))


def refused_by(act: Any, *given: Any) -> Exception:
    with pytest.raises((EventError, BudgetError)) as caught:
        act(*given)
    return caught.value


def test_a_caller_that_may_not_ask_this_is_told_so_in_chinese():
    identity = Identity(CALLER, "key", covers="body")
    asked = DeleteRequest((Address.parse(ADDRESS),), "grace")
    described(refused_by(permit.permitted, identity, asked, {}))
    described(refused_by(permit.require_covered, identity, {"ce-id": "1"}))
    for what in ("the event's source or type", "what a timer starts", "who called the cloud"):
        described(permit._forbidden(CALLER, "targets", what))
    meter = Meter()
    frugal = Caller("portal", "hmac", {}, budget=Budget(decisions=1))
    meter.decide(frugal)
    described(refused_by(meter.decide, frugal))


URLS = [
    "x" * 3000,
    "https://exämple.com",
    "ftp://hooks.example.com",
    "https://hooks.example.com/%",
    "https://ada@hooks.example.com",
    "https://hooks.example.com:0",
    "https://hooks.example.com:8443",
    "http://hooks.example.com",
    "https://evil.example.org",
    *(
        f"https://{host}/"
        for host in ("10.0.0.1", "localhost", "host", "xn--a.example.com", "a_b.c")
    ),
]


@pytest.mark.parametrize("policy", [CallbackPolicy(), CallbackPolicy(hosts=("hooks.example.com",))])
@pytest.mark.parametrize("url", URLS)
def test_a_callback_that_is_not_permitted_is_refused_in_chinese(url, policy):
    found = judged(url, policy)
    assert isinstance(found, Refusal)
    for one in (found.why, found.expected):
        assert isinstance(one, str) or foreign_in(one) == set()


@pytest.mark.parametrize("name", ["\u200b", "e" + "\u0301" * 9, "\u0430da", "аβc"])
def test_a_name_that_could_be_anothers_is_refused_in_chinese(name):
    assert foreign_in(person.problem_of(name)) == set()


IMPOSSIBLE = [
    InputError("tencent has no region 'mars-1'", part="region"),
    NotSetUpError("no variable of huawei is set"),
    InvalidRequestError("tencent", "DescribeSecurityGroups", code="UnsupportedRegion"),
    InvalidRequestError("tencent", "DescribeSecurityGroups", words="what is said is said"),
]


@pytest.mark.parametrize("error", IMPOSSIBLE)
def test_what_a_cloud_cannot_do_is_told_in_chinese(error):
    required(described(error, {"target": ADDRESS}))


@pytest.mark.parametrize("slug", PROBLEMS)
def test_every_kind_of_problem_is_told_in_chinese(slug):
    require_chinese(PROBLEMS[slug].document)


# -- what is written out -------------------------------------------------------------------------

MAKERS = {"Problem", "EventError", "BudgetError", "irrelevant", "missing", "word", "Refusal"}
ROOMS = ("callers", "events", "schemas", "web", "webhooks")
LATER = {"resolve.py"}
"""What a name resolves to is judged when a callback is sent: an operator reads it in the outbox."""


def test_nothing_that_is_wrong_with_an_event_is_written_out_in_english():
    for path in (one for room in ROOMS for one in (PACKAGE / room).rglob("*.py")):
        if path.name in LATER or "openapi" in path.parts:
            continue
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            name = getattr(getattr(call, "func", None), "id", "") or getattr(
                getattr(call, "func", None), "attr", ""
            )
            if name in MAKERS and isinstance(call, ast.Call):
                for one in (*call.args, *(given.value for given in call.keywords)):
                    text = ast.unparse(one).strip("f'\"")
                    is_text = isinstance(one, ast.Constant | ast.JoinedStr)
                    assert not (is_text and " " in text), f"{path.name}:{call.lineno}: {text}"


@pytest.mark.parametrize("text", ["sg-1", ":::", "tencent:::", "Q::a:b", "tencent::a b:c"])
def test_an_address_that_cannot_be_read_says_the_same_with_and_without_words(text):
    with pytest.raises(AddressError) as caught:
        Address.parse(text)
    said = sentence_of(caught.value)
    assert whole_english(said) == str(caught.value)
    assert foreign_in(said) == set()
