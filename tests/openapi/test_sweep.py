"""What the functions really answer, beside what ``tests/functions`` asks: all of it is described.

The functions are held to their documents (``contract.py``), so that each request here fails where
its answer is not described, and each status that is expected was met.
"""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest
from jsonschema import ValidationError

from sgguard.callers.secret import hash_of, new_token
from sgguard.callers.senders import SENDERS, status_for
from sgguard.errors import BusyError, CredentialsError, EventError, StoreError, ThrottledError
from sgguard.events.base import Kind
from sgguard.web import problem, response
from sgguard.web.installed import functions
from sgguard.web.openapi import document
from sgguard.web.surface import NOTHING
from tests import deployment
from tests.openapi import contract
from tests.openapi.contract import Contract

NAMES = sorted(functions())
TOKEN = new_token("bus", lambda n: b"4" * n)
GOOD = {"Authorization": f"Bearer {TOKEN}"}
JSON = {"Content-Type": "application/json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}


@pytest.fixture
def called(framework, tmp_path, monkeypatch):
    """Build a function with one caller, who may ask it as the given keys say."""

    def build(name: str, **keys: Any) -> Any:
        policy = tmp_path / "policy.json"
        row = {
            "name": "bus",
            "proof": {"bearer": [hash_of(TOKEN)]},
            "functions": [name],
            "targets": ["*:*:*:*"],
            **keys,
        }
        policy.write_text(json.dumps({"caller": [row]}))
        monkeypatch.setenv("SGGUARD_POLICY", str(policy))
        return framework(name).client

    return build


def event(name: str, **data: Any) -> dict[str, Any]:
    types = {
        "approval": "sgguard.approvals.due.v1",
        "chat": "sgguard.chat.post.v1",
        "delete_request": "sgguard.delete.requested.v1",
        "instance_launch": "sgguard.launch.requested.v1",
    }
    asked = types.get(name, "com.example.thing")
    return {"specversion": "1.0", "id": "e-1", "source": "/x", "type": asked, "data": data}


@pytest.mark.parametrize("sender", sorted(SENDERS))
@pytest.mark.sampled(12)
def test_what_a_product_gets_in_place_of_a_status_is_described(sender, called, cloud):
    client = called("delete_request", sender=sender, targets=["*::*:sg-a*"])
    asked = [
        (400, {}, GOOD),
        (403, {"target": "tencent::ap-guangzhou:sg-other"}, GOOD),
        (415, {}, GOOD | {"Content-Type": "text/csv"}),
        (422, {"target": "huawei::cn-north-4:sg-a1"}, GOOD),
        (400, [event("delete_request", nonsense=1)], GOOD | BATCH),
        (200, [], GOOD | BATCH),
    ]
    for status, given, headers in asked:
        answer = client.post("/", data=json.dumps(given), headers=JSON | headers)
        assert answer.status_code == status_for(sender, status), answer.get_json()
    # Without a proof nobody knows the product.
    assert client.post("/", json={}).status_code == 401


def test_a_decision_without_the_groups_outside_the_targets_is_described(called, cloud, world):
    client = called("delete_request", targets=["tencent::*:sg-5*"])
    target = f"tencent::ap-guangzhou:{world.referenced}"
    answer = client.post("/", json={"target": target}, headers=GOOD)
    assert answer.status_code == 200
    (message,) = [one["message"] for one in answer.get_json()["reasons"]]
    assert "(a group outside your targets)" in message
    assert message.endswith("…")
    assert len(message) <= 200


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.sampled(6)
def test_every_way_in_which_a_request_can_be_wrong_is_described(name, called):
    client = called(name)
    seen = set()
    for given in (b"", b"{", b"[]", b"{}", b'"x"', b"1", b" " * (1 << 20) + b"{}", b"[[[]]]"):
        for media in ("application/json", "text/plain", "text/xml", "", *BATCH.values()):
            for more in ({}, GOOD, GOOD | {"ce-id": "1"}, {"Content-Encoding": "gzip"}):
                headers = {"Content-Type": media} | more if media else more
                seen.add(client.post("/", data=given, headers=headers).status_code)
    assert {400, 413, 415} <= seen


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.sampled(4)
def test_everything_that_is_read_is_described(name, framework, monkeypatch):
    client = framework(name).client
    for path in ("/", "/invoke", "/event-invoke", "/healthz", "/readyz", "/openapi.json", "/x"):
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"):
            client.open(path, method=method)
    client.get("/?token=nonsense")
    client.get("/?echostr=1")
    monkeypatch.setenv("SGGUARD_WEBHOOK_ORIGINS", "no host")
    for method in ("GET", "OPTIONS"):
        assert client.open("/", method=method).status_code == 503
    monkeypatch.setenv("SGGUARD_WEBHOOK_ORIGINS", "bus.example")
    asked = {"WebHook-Request-Origin": "bus.example", "WebHook-Request-Rate": "9999"}
    assert client.options("/", headers=asked).headers["WebHook-Allowed-Rate"] == "600"
    monkeypatch.setenv("SGGUARD_MODE", "nonsense")
    assert client.get("/readyz").status_code == 503
    assert client.post("/", json={}).status_code == 503


KIND = Kind("delete_request", "sgguard.delete.requested.v1")
ERRORS = [
    BusyError("busy"),
    CredentialsError("none"),
    StoreError("gone"),
    ThrottledError("tencent", "DescribeSecurityGroups", code="RequestLimitExceeded"),
    EventError("never", status=422),
    RuntimeError("a bug"),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda one: type(one).__name__)
@pytest.mark.parametrize("mode", ["bare", "structured", "binary", "batched", "bus"])
@pytest.mark.sampled(6)
def test_every_error_in_every_mode_is_described(error, mode, framework):
    described = contract.of(framework("delete_request").client.application, KIND.name)
    found = response.to_delivery(mode, [problem.of(error, event_id="e-1")], KIND)
    headers = {name.lower(): value for name, value in found.headers.items()}
    for status in {status_for(sender, found.status) for sender in ("", *SENDERS)}:
        described.check("POST", "/", status, headers, found.body)


def test_an_answer_that_is_not_described_is_noticed(framework):
    client = framework("delete_request").client
    made = Contract(json.loads(client.get("/openapi.json").get_data()))
    for where in (
        ("POST", "/", 418, {}, b""),
        ("POST", "/", 401, {"content-type": "application/problem+json"}, b"{}"),
        ("POST", "/", 400, {"content-type": "text/csv"}, b"a"),
        ("GET", "/healthz", 500, {}, b""),
        ("GET", "/nowhere", 200, {}, b""),
        ("PUT", "/", 404, {}, b""),
    ):
        with pytest.raises(AssertionError):
            made.check(*where)
    with pytest.raises(ValidationError):
        made.check("POST", "/", 400, {"content-type": "application/problem+json"}, b"{}")


def test_a_document_is_made_once():
    assert document(KIND, NOTHING) is document(KIND, NOTHING)


def test_what_is_no_http_is_refused_by_the_server_in_front_as_described():
    with deployment.functions("http://127.0.0.1:9", "delete_request") as running:
        function = running["delete_request"]
        told = function.send(b"POST / HTTP/1.1\r\nHost: x\r\nno header\r\n\r\n", timeout_s=20)
        described = httpx.get(f"{function.url}openapi.json", trust_env=False, timeout=20).json()
    head, _, body = told.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    assert int(status.split()[1]) == 400
    Contract(described).check("POST", "/", 400, headers, body)
