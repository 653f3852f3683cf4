from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from sgguard import schemas
from sgguard.schemas.broken import problems_of
from sgguard.schemas.plain import is_plainly_valid

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
EVENTS = ("approval", "chat", "delete_request", "instance_launch")
ADDRESS = "tencent::ap-guangzhou:sg-5ua9adfv"

# Values that are sometimes right, sometimes nearly: a random document would never be valid.
TEXTS = st.sampled_from([ADDRESS, "tencent", "Tencent", "ap-guangzhou", "", "a\n", "x" * 600])
SCALARS = TEXTS | st.sampled_from([0, 1, 20, 20.0, 1.5, 10**7, True, None])
VALUES = SCALARS | st.lists(SCALARS, max_size=3) | st.just([ADDRESS] * 101) | st.just({})
KEYS = st.sampled_from(
    [*sorted({key for name in EVENTS for key in schemas.load(name)["properties"]}), "other"]
)
DOCUMENTS = st.dictionaries(KEYS, VALUES, max_size=5) | VALUES


@pytest.mark.parametrize("name", EVENTS)
@given(document=DOCUMENTS)
@pytest.mark.sampled(3)
def test_what_is_plainly_valid_is_valid_for_jsonschema_too(name, document):
    schema = schemas.load(name)
    is_valid = Draft202012Validator(schema).is_valid(document)
    if is_plainly_valid(schema, document, schema):
        assert is_valid
    assert (schemas.problems(name, document) == ()) is is_valid
    assert (problems_of(name, document) == ()) is is_valid


# One keyword each, as the policy's schema has them, and values around each of them.
KEYWORDS: tuple[dict[str, Any], ...] = (
    {"enum": ["a", "b"]},
    {"const": "a"},
    {"type": "boolean"},
    {"uniqueItems": True},
    {"propertyNames": {"pattern": "^[a-z]+$", "minLength": 2}},
    {"minProperties": 1, "maxProperties": 2},
    {"additionalProperties": {"type": "string"}},
    {"properties": {"aa": {"type": "integer"}}, "additionalProperties": {"enum": ["b"]}},
    {"properties": {"aa": {}}, "additionalProperties": False},
)
SMALL = st.sampled_from(["a", "b", "c", "aa", "A", "", 0, 1, 1.0, True, False, None])
AROUND = (
    SMALL
    | st.lists(SMALL | st.lists(SMALL, max_size=1), max_size=3)
    | st.dictionaries(st.sampled_from(["aa", "b", "A", ""]), SMALL, max_size=3)
)


@pytest.mark.parametrize("schema", KEYWORDS, ids=json.dumps)
@given(value=AROUND)
@pytest.mark.sampled(4)
def test_each_keyword_is_understood_exactly_or_not_at_all(schema, value):
    if is_plainly_valid(schema, value, schema):
        assert Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    ("schema", "value"),
    list(
        zip(KEYWORDS, ["b", "a", True, ["a", "b"], {"aa": 0}, {"b": 0}, {"b": "x"}], strict=False)
    ),
    ids=str,
)
def test_each_keyword_is_understood_of_what_is_valid(schema, value):
    assert is_plainly_valid(schema, value, schema)


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("policy.toml")), ids=str)
def test_the_policy_of_a_deployment_loads_no_jsonschema(path):
    schema = schemas.load("policy")
    assert is_plainly_valid(schema, tomllib.loads(path.read_text()), schema)


@pytest.mark.parametrize("name", EVENTS)
def test_every_example_of_a_schema_is_plainly_valid(name):
    schema = schemas.load(name)
    assert schema["examples"]
    for example in schema["examples"]:
        assert is_plainly_valid(schema, example, schema)
        assert problems_of(name, example) == ()


@pytest.mark.parametrize("name", EVENTS)
def test_every_schema_has_its_address_and_is_one(name):
    schema = schemas.load(name)
    assert schema["$id"] == f"https://sgguard.dev/schemas/{name}.v1.json"
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ({"format": "uri"}, "x"),
        ({"type": ["string", "null"]}, "x"),
        ({"type": "number"}, 1),
        ({"oneOf": [{"type": "string"}]}, "x"),
        ({"anyOf": [{"required": ["a"], "type": "object"}]}, {"a": 1}),
        ({"not": {"type": "string"}}, 1),
        ({"$ref": "https://elsewhere.example/schema"}, 1),
        ({"$ref": "#/$defs/nowhere"}, 1),
        ({"properties": {}, "additionalProperties": True}, {"a": 1}),
        ({"minLength": 0}, 7),
    ],
    ids=json.dumps,
)
def test_what_is_not_understood_is_left_to_jsonschema(schema: dict[str, Any], value: Any):
    assert not is_plainly_valid(schema, value, schema)


def test_a_valid_event_does_not_load_jsonschema_and_a_broken_one_does():
    code = (
        "import sys; from sgguard import schemas\n"
        f"schemas.problems('delete_request', {{'target': {ADDRESS!r}}})\n"
        "print('jsonschema' in sys.modules)\n"
        "schemas.problems('delete_request', {})\n"
        "print('jsonschema' in sys.modules)\n"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.split() == ["False", "True"]
