"""What every function does with any HTTP request."""

from __future__ import annotations

import json

import pytest

from tests.functions.conftest import TYPES

SECRETS = {
    "x-fc-access-key-id": "LTAI-s3cret-id",
    "x-fc-access-key-secret": "s3cret-key",
    "x-fc-security-token": "s3cret-token",
    "Authorization": "Bearer s3cret-bearer",
    "X-Auth-Token": "s3cret-keystone",
    "Cookie": "session=s3cret-cookie",
}


@pytest.fixture(params=sorted(TYPES))
def function(framework, request):
    return framework(request.param)


WRONG = [
    pytest.param(b"", {}, 400, id="nothing"),
    pytest.param(b"{", {"Content-Type": "application/json"}, 400, id="broken JSON"),
    pytest.param(b'{"a":1,"a":2}', {"Content-Type": "application/json"}, 400, id="twice a key"),
    pytest.param(b"\xff\xfe", {"Content-Type": "application/json"}, 400, id="not UTF-8"),
    pytest.param(b"[" * 100_000, {"Content-Type": "application/json"}, 400, id="deep"),
    pytest.param(b'{"a":"\\ud800"}', {"Content-Type": "application/json"}, 400, id="surrogate"),
    pytest.param(b"{}", {"Content-Type": "application/json"}, 400, id="empty object"),
    pytest.param(b"a=b", {"Content-Type": "application/x-www-form-urlencoded"}, 415, id="form"),
    pytest.param(b"{}", {"Content-Type": "application/cloudevents+xml"}, 415, id="XML event"),
    pytest.param(b"{}", {"ce-id": "1"}, 400, id="half a CloudEvent"),
    pytest.param(b"{}", {"ce-id": "%C0%A0"}, 400, id="overlong header"),
    pytest.param(b"{}", {"Content-Encoding": "gzip"}, 415, id="compressed"),
    pytest.param(b" " * (1024 * 1024 + 1), {}, 413, id="too large"),
    pytest.param(b"{}", {"Content-Type": "application/cloudevents-batch+json"}, 400, id="no list"),
]


@pytest.mark.parametrize(("body", "headers", "status"), WRONG)
@pytest.mark.sampled(12)
def test_a_wrong_request_gets_problem_details_and_none_of_its_headers(
    function, body, headers, status, capsys
):
    answer = function.post(body, {**SECRETS, **headers})
    assert answer.status_code == status
    assert answer.content_type == "application/problem+json"
    problem = answer.get_json()
    assert problem["status"] == status
    assert problem["type"].startswith("https://sgguard.dev/problems/")
    assert problem["title"]
    told = answer.get_data(as_text=True) + str(answer.headers) + capsys.readouterr().err
    assert "s3cret" not in told


def test_secrets_in_a_body_of_the_wrong_shape_do_not_come_back(function, capsys):
    body = {"userIdentity": {"accessKeyId": "s3cret"}, "token": "s3cret", "target": ["s3cret"]}
    answer = function.ask(body)
    assert answer.status_code == 400
    assert "s3cret" not in answer.get_data(as_text=True) + capsys.readouterr().err


def test_alibabas_invoke_call_labels_json_as_octets(function):
    answer = function.post(b"{}", {"Content-Type": "application/octet-stream"})
    assert answer.status_code == 400
    assert answer.get_json()["problems"]


def test_a_body_that_is_shorter_than_announced_is_a_bad_request(function):
    answer = function.client.post("/", data=b'{"target": ', headers={"Content-Length": "100"})
    assert answer.status_code == 400


def test_the_largest_body_can_be_set(function, monkeypatch):
    monkeypatch.setenv("SGGUARD_MAX_BODY_BYTES", "10")
    assert function.post(b'{"a": 1}  ').status_code == 400
    assert function.post(b'{"a": 1}   ').status_code == 413


@pytest.mark.parametrize("path", ["/", "/invoke", "/event-invoke"])
@pytest.mark.sampled(4)
def test_get_describes_the_function_and_its_request(function, path):
    answer = function.client.get(path, headers=SECRETS)
    assert answer.status_code == 200
    about = answer.get_json()
    assert about["function"] == function.name
    assert about["type"] == TYPES[function.name]
    assert about["examples"]
    assert "s3cret" not in answer.get_data(as_text=True)


def test_head_has_no_body(function):
    answer = function.client.head("/")
    assert (answer.status_code, answer.get_data()) == (200, b"")


def test_options_allows_post_and_consents_to_no_webhook(function):
    answer = function.client.options("/", headers={"WebHook-Request-Origin": "events.example"})
    assert (answer.status_code, answer.get_data()) == (204, b"")
    assert "POST" in answer.headers["Allow"]
    assert not [name for name, _ in answer.headers if name.lower().startswith("webhook")]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
@pytest.mark.sampled(4)
def test_other_methods_are_not_answered(function, method):
    answer = function.client.open("/", method=method, data=b"{}", headers=SECRETS)
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert answer.get_json()["status"] == 405
    assert "s3cret" not in answer.get_data(as_text=True)


@pytest.mark.sampled(2)
def test_an_example_of_the_function_is_a_valid_request(function):
    example = function.client.get("/").get_json()["examples"][0]
    answer = function.ask(example)
    assert answer.status_code == 422  # valid; only the cloud is not set up
    assert json.loads(answer.get_data())["type"].endswith("/not-possible")
