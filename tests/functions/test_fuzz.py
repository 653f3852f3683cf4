"""Fuzzed events: whatever is changed in them, the response is a documented one."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from sgguard import schemas
from sgguard.emulator.server import serve
from tests.deployment import CLOUDS, emulator, environment
from tests.examples import examples
from tests.functions.conftest import TYPES, Function
from tests.functions.test_attacks import LENT
from tests.worlds import world_of

PROMISED = {200, 400, 413, 415, 422, 429, 503}
DECISION = Draft202012Validator(schemas.load("decision"))

# The fixtures hold a server and an environment, which no example changes.
tried = examples(30, suppress_health_check=[HealthCheck.function_scoped_fixture])

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["", "::::", "tencent::ap-guangzhou:", "\ud800", "a" * 600, "\x00", "é"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)


def valid_data(name: str) -> list[dict[str, Any]]:
    """Questions about every cloud that are right, and the examples of the schema itself."""
    found = list(schemas.load(name)["examples"])
    for cloud in CLOUDS:
        world = world_of(cloud)
        place = {"provider": cloud, "region": world.region}
        if name == "delete_request":
            found.append({"target": f"{cloud}::{world.region}:{world.free}"})
        else:
            found.append({**place, "groups": [world.free], "count": 2})
            found.append({**place, "instance_id": world.server})
    return found


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every path into a JSON value, its root included."""
    yield path
    if isinstance(value, dict | list):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        for key in keys:
            yield from places(value[key], (*path, key))


@st.composite
def mutated(draw: Any, original: Any) -> Any:
    """The value with one to three parts replaced, left out, added or repeated."""
    value = copy.deepcopy(original)
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(sorted(places(value), key=str)))
        if not path:
            value = draw(st.just(value) | json_values)
            continue
        holder = value
        for key in path[:-1]:
            holder = holder[key]
        match draw(st.sampled_from(["replace", "leave out", "add", "repeat"])):
            case "replace":
                holder[path[-1]] = draw(json_values)
            case "leave out":
                del holder[path[-1]]
            case "add" if isinstance(holder, dict):
                holder[draw(st.text(max_size=12))] = draw(json_values)
            case _ if isinstance(holder, list):
                holder.append(holder[path[-1]])
    return value


def written(value: Any) -> bytes:
    """JSON as a careless sender writes it: NaN and half surrogate pairs included."""
    return json.dumps(value).encode()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with serve(emulator()) as running:
        yield running.url


@pytest.fixture(params=sorted(TYPES))
def function(framework, monkeypatch, url, request) -> Function:
    for name, value in environment(url).items():
        monkeypatch.setenv(name, value)
    return framework(request.param)


def assert_as_promised(answer: Any) -> None:
    assert answer.status_code in PROMISED
    assert "s3cret" not in answer.get_data(as_text=True) + str(answer.headers)
    told = answer.get_json()
    if answer.content_type.startswith("application/cloudevents-batch"):
        for one in told:
            assert_event(one)
    elif answer.status_code == 200:
        decision = told["data"] if "specversion" in told else told
        assert not list(DECISION.iter_errors(decision))
    else:
        assert answer.content_type == "application/problem+json"
        assert_problem(told, answer.status_code)
        assert ("Retry-After" in answer.headers) == (answer.status_code in (429, 503))


def assert_event(one: dict[str, Any]) -> None:
    assert one["specversion"] == "1.0"
    if one["type"] == "sgguard.decision.v1":
        assert not list(DECISION.iter_errors(one["data"]))
    else:
        assert one["type"] == "sgguard.problem.v1"
        assert_problem(one["data"], one["data"]["status"])


def assert_problem(told: dict[str, Any], status: int) -> None:
    assert status in PROMISED - {200}
    assert told["status"] == status
    assert told["type"].startswith("https://sgguard.dev/problems/")
    assert told["title"]
    assert told["detail"]
    for problem in told.get("problems", []):
        assert problem["problem"]


@tried
@given(data=st.data())
@pytest.mark.sampled(4)
def test_a_bare_request_with_any_error_gets_a_documented_response(function, data):
    body = data.draw(st.sampled_from(valid_data(function.name)).flatmap(mutated))
    headers = {"Content-Type": "application/json", **LENT}
    assert_as_promised(function.post(written(body), headers))


@tried
@given(data=st.data())
@pytest.mark.sampled(2)
def test_a_structured_event_with_any_error_gets_a_documented_response(function, data):
    valid = data.draw(st.sampled_from(valid_data(function.name)))
    event = function.event(valid, time="2026-11-01T12:00:00Z", subject="s", ext=1)
    if data.draw(st.booleans()):
        event["data_base64"] = base64.b64encode(written(event.pop("data"))).decode()
    body = data.draw(mutated(event))
    headers = {"Content-Type": "application/cloudevents+json", **LENT}
    assert_as_promised(function.post(written(body), headers))


@tried
@given(data=st.data())
@pytest.mark.sampled(2)
def test_a_batch_with_any_error_gets_a_documented_response(function, data):
    events = [function.event(valid) for valid in valid_data(function.name)[:3]]
    body = data.draw(mutated(events))
    headers = {"Content-Type": "application/cloudevents-batch+json", **LENT}
    assert_as_promised(function.post(written(body), headers))


@tried
@given(data=st.data())
@pytest.mark.sampled(4)
def test_a_binary_event_with_any_headers_gets_a_documented_response(function, data):
    event = function.event(None, time="2026-11-01T12:00:00Z")
    headers = {f"ce-{name}": str(value) for name, value in event.items() if name != "data"}
    printable = st.text('aZ9 "%\\/:;=\xe9\xff~', max_size=20)
    for name in data.draw(st.lists(st.sampled_from(sorted(headers)), max_size=2)):
        headers[name] = data.draw(printable)
    headers["Content-Type"] = data.draw(
        st.sampled_from(["application/json", "application/json; charset=latin-1", "x", ""])
    )
    body = data.draw(st.sampled_from(valid_data(function.name)).flatmap(mutated))
    assert_as_promised(function.post(written(body), {**LENT, **headers}))


@tried
@given(body=st.binary(max_size=64), kind=st.sampled_from(["json", "cloudevents+json", "x"]))
@pytest.mark.sampled(2)
def test_any_bytes_get_a_documented_response(function, body, kind):
    headers = {"Content-Type": f"application/{kind}", **LENT}
    assert_as_promised(function.post(body, headers))
