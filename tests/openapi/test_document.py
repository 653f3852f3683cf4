"""The OpenAPI document: whole, valid, and made of the tables that the functions work with."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from werkzeug.test import Client

from sgguard import schemas
from sgguard.callers.proofs import alibaba, apig, hmac, xfcc
from sgguard.callers.senders import SENDERS
from sgguard.web import problem, server
from sgguard.web.installed import functions
from sgguard.web.openapi import body, components, example, security
from tests.openapi.contract import Contract, resolved, validator

Json = dict[str, Any]
NAMES = sorted(functions())


@pytest.fixture(scope="module")
def whole() -> Json:
    return server.document(server.application(functions()))


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method, operation in item.items():
            yield path, method, operation


def contents(document: Json) -> Iterator[tuple[str, Json]]:
    """Every body of every request and response, with where it stands."""
    for path, method, operation in operations(document):
        if "requestBody" in operation:
            for media, one in operation["requestBody"]["content"].items():
                yield f"{method} {path} {media}", one
        for status, answer in operation["responses"].items():
            for media, one in resolved(document, answer).get("content", {}).items():
                yield f"{method} {path} {status} {media}", one


@pytest.mark.slow
def test_the_documents_are_openapi_3_1(whole):
    OpenAPIV31SpecValidator(whole).validate()
    assert whole["openapi"].startswith("3.1.")
    names = [operation["operationId"] for *_, operation in operations(whole)]
    assert len(set(names)) == len(names)


def test_every_body_has_examples_and_each_is_valid(whole):
    contract = Contract(whole)
    found = dict(contents(whole))
    assert len(found) > 300
    # One schema with one example stands in many places.
    distinct = {
        json.dumps([one["schema"], example["value"]]): (where, one["schema"], example["value"])
        for where, one in found.items()
        for example in one["examples"].values()
    }
    assert all(one["examples"] for one in found.values())
    for where, schema, value in distinct.values():
        broken = next(validator(contract, schema).iter_errors(value), None)
        assert broken is None, f"{where}: {broken}"


def test_a_wrong_example_would_be_noticed(whole):
    contract = Contract(whole)
    for name in ("problem", "decision", "cloud_event_answer", "delete_request.answer"):
        assert not validator(contract, {"$ref": f"#/components/schemas/{name}"}).is_valid({})


def test_every_schema_is_one_and_is_used(whole):
    text = json.dumps(whole)
    for name, schema in whole["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert f'"#/components/schemas/{name}"' in text, name
    for name in whole["components"]["responses"]:
        assert f'"#/components/responses/{name}"' in text, name


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.sampled(6)
def test_every_event_in_and_out_has_a_schema_with_examples(name, framework):
    document = framework(name).client.get("/openapi.json").get_json()
    about = framework(name).client.get("/").get_json()
    assert about["schema"] == schemas.load(name)["$id"]
    kinds = document["components"]["schemas"]
    types = {
        one["properties"]["type"]["const"]
        for one in kinds.values()
        if "const" in one.get("properties", {}).get("type", {})
    }
    assert about["answers"] in types
    assert about["type"] in types | {"any"}
    assert "sgguard.problem.v1" in types
    for event_type in (about["answers"], "sgguard.problem.v1"):
        schema = schemas.load(body.schema_of(event_type))
        assert schema["examples"]
        for one in schema["examples"]:
            Draft202012Validator(schema).validate(one)


def test_every_problem_there_is_has_its_example_and_a_place(whole):
    assert set(example.PROBLEMS) == set(problem.PROBLEMS)
    shown: set[str] = set()
    for where, one in contents(whole):
        for found in one["examples"].values() if "problem+json" in where else ():
            shown.add(found["value"]["type"].removeprefix(problem.BASE))
    for slug, (status, title) in problem.PROBLEMS.items():
        document = example.PROBLEMS[slug].document
        assert (document["status"], document["title"]) == (status, title)
        assert document["type"] == problem.BASE + slug
        # What is described nowhere is the answer to a method that is described nowhere.
        assert slug in shown or slug == "method-not-allowed"


def test_what_each_product_gets_in_place_of_a_status_is_described(whole):
    assert set(whole["x-sender-statuses"]) == set(SENDERS)
    for name in NAMES:
        statuses = set(whole["paths"][f"/{name}"]["post"]["responses"])
        for sender in SENDERS.values():
            assert {str(one) for one in (sender.again, sender.never) if one} <= statuses
    assert set(components.MEANINGS) >= {status for status, _ in problem.PROBLEMS.values()} - {405}


def test_every_kind_of_proof_is_a_security_scheme_with_the_header_it_reads(whole):
    kinds = schemas.load("policy")["$defs"]["proof"]["properties"]
    assert set(security.PROOFS) == set(kinds)
    header = {name: one.get("name", "").lower() for name, one in security.schemes().items()}
    assert header["xfcc"] == xfcc.HEADER
    assert header["alibaba"] == f"{alibaba._PREFIX}signature-v2"
    assert header["hmac-github"] == hmac._PLAIN["github"][0]
    assert header["hmac-terraform"] == hmac._PLAIN["terraform-run-task"][0]
    assert apig._DATE in security.schemes()["apig"]["description"].lower()
    for name in NAMES:
        required = whole["paths"][f"/{name}"]["post"]["security"]
        assert [*required] == [{}, *({one: []} for one in security.schemes())]


# -- where it is served ----------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.sampled(6)
def test_a_function_describes_itself_to_whoever_asks_and_tells_no_secret(
    name, framework, tmp_path, monkeypatch
):
    before = framework(name).client.get("/openapi.json")
    assert (before.status_code, before.content_type) == (200, "application/json")
    policy = tmp_path / "policy.toml"
    policy.write_text(
        f'[[caller]]\nname = "planted"\nproof = {{bearer = ["sha256:{"7" * 64}"]}}\n'
        f'functions = ["{name}"]\n'
    )
    monkeypatch.setenv("SGGUARD_POLICY", str(policy))
    monkeypatch.setenv("TENCENTCLOUD_SECRET_KEY", "planted-secret-key")
    monkeypatch.setenv("SGGUARD_APPROVAL_KEY", "planted" * 8)
    client = framework(name).client
    after = client.get("/openapi.json", headers={"Authorization": "Bearer wrong"})
    assert after.get_data() == before.get_data()
    # A chat's callbacks prove themselves in another way.
    assert client.post("/", json={}).status_code == (403 if name == "chat" else 401)
    head = client.head("/openapi.json")
    assert (head.status_code, head.get_data()) == (200, b"")
    assert set(after.get_json()["paths"]) == {
        *("/", "/invoke", "/event-invoke", "/healthz", "/readyz", "/openapi.json")
    }


def test_a_function_that_cannot_be_used_describes_itself_all_the_same(framework, monkeypatch):
    monkeypatch.setenv("SGGUARD_START", "lenient")
    monkeypatch.setenv("SGGUARD_MODE", "nonsense")
    assert framework("delete_request").client.get("/openapi.json").status_code == 200


@pytest.mark.parametrize("path", problem.WATCHED)
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.sampled(4)
def test_what_is_only_read_takes_no_other_method(path, method, framework):
    answer = framework("delete_request").client.open(path, method=method, json={"target": "x"})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, HEAD")
    assert answer.get_json()["type"].endswith("/method-not-allowed")


def test_the_document_names_what_a_gateway_puts_before_the_paths(framework, monkeypatch):
    client = framework("chat").client
    assert client.get("/openapi.json").get_json()["servers"] == [{"url": "/"}]
    monkeypatch.setenv("SGGUARD_PATH_PREFIX", "/release/guard/")
    asked = client.get("/release/guard/openapi.json")
    assert asked.get_json()["servers"] == [{"url": "/release/guard"}]


def test_sgguard_serve_describes_every_function_under_its_name(whole, framework):
    for name in NAMES:
        own = framework(name).client.get("/openapi.json").get_json()
        for path, item in own["paths"].items():
            assert whole["paths"][f"/{name}{path}".removesuffix("/")] == item
    assert whole["paths"]["/"]["get"]["responses"]["200"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/", 200),
        ("HEAD", "/openapi.json", 200),
        ("POST", "/", 405),
        ("DELETE", "/openapi.json", 405),
        ("GET", "/nowhere", 404),
        ("POST", "/nowhere/openapi.json", 404),
    ],
)
@pytest.mark.sampled(6)
def test_a_server_answers_beside_its_functions_as_described(method, path, status, whole):
    answer = Client(server.application(functions())).open(path, method=method)
    assert answer.status_code == status
    Contract(whole).check(method, path, status, answer.headers, answer.get_data())


def test_the_command_prints_what_is_served(whole, sgguard):
    code, out, _ = sgguard("openapi")
    assert (code, json.loads(out)) == (0, whole)
    code, out, _ = sgguard("openapi", "chat")
    assert code == 0
    assert json.loads(out)["paths"]["/"] == whole["paths"]["/chat"]
    code, out, _ = sgguard("openapi", "--schema", "decision")
    assert (code, json.loads(out)) == (0, schemas.load("decision"))


def test_the_command_works_where_no_function_could_start(sgguard, monkeypatch):
    monkeypatch.setenv("SGGUARD_MODE", "nonsense")
    monkeypatch.setenv("HOST", "0.0.0.0")
    code, out, said = sgguard("openapi", "delete_request")
    assert (code, said) == (0, "")
    assert json.loads(out)["tags"][0]["name"] == "delete_request"
    assert os.environ["HOST"] == "0.0.0.0"


@pytest.mark.parametrize(
    "given", [("nowhere",), ("--schema", "nowhere"), ("chat", "--schema", "decision")]
)
def test_the_command_names_what_there_is(given, sgguard):
    code, out, said = sgguard("openapi", *given)
    assert (code, out) == (2, "")
    assert "nowhere" in said or "only one" in said
