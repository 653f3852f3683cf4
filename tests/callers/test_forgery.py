"""Every proof is taken when it is whole, and refused in every way in which it can be forged."""

from __future__ import annotations

import json
import time
from dataclasses import replace

import pytest

from tests.callers.signers import SENDERS, Sent, forged, smn_message

TARGETS = ["*:*:*:*"]


def row(kind: str, name: str = "portal", **more: object) -> dict:
    proof = SENDERS[kind].proof
    return {
        "name": name,
        "proof": proof,
        "functions": ["delete_request"],
        "targets": TARGETS,
        **more,
    }


def body(world, **more: str) -> bytes:
    target = f"{world.provider}::{world.region}:{world.free}"
    return json.dumps({"target": target, **more}).encode()


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.sampled(8)
def test_a_whole_proof_is_taken_and_named_in_the_decision(kind, guarded, world):
    function = guarded.start(row(kind))
    answer = guarded.send(function, SENDERS[kind].send(body(world), time.time()))
    assert answer.status_code == 200, answer.get_json()
    assert answer.get_json()["caller"]["name"] == "portal"
    assert answer.get_json()["caller"]["requested_by"] == "portal"
    assert answer.get_json()["verdict"] == "allow"


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.sampled(8)
def test_a_forged_proof_is_refused_without_a_trace(kind, guarded, world):
    function = guarded.start(row(kind))
    now, content = time.time(), body(world)
    found = dict(forged(kind, content, now))
    assert len(found) >= 20
    # What is one header's missing is all the same request where it is the only one.
    for what, sent in found.items():
        answer = guarded.send(function, sent)
        assert answer.status_code in (401, 403), (what, answer.status_code, answer.get_json())
        if answer.status_code == 401:
            assert answer.headers["WWW-Authenticate"] == "Bearer"
            assert answer.get_json()["detail"].startswith("this request does not prove who sent it")
    assert guarded.asked_the_cloud() == 0
    assert guarded.kept() == 0


def test_nothing_unsigned_of_a_message_of_smn_is_handed_on(guarded, world):
    function = guarded.start(row("smn"))
    message = smn_message(body(world), time.time())
    for name in ("id", "target", "requested_by", "data"):
        sent = Sent({}, json.dumps({**message, name: "another"}).encode())
        answer = guarded.send(function, sent)
        assert answer.status_code == 200
        assert answer.get_json()["event_id"] == message["message_id"]
    whole = {
        "specversion": "1.0",
        "id": "e-9",
        "source": "/portal",
        "type": "sgguard.delete.requested.v1",
        "data": json.loads(body(world)),
    }
    content = json.dumps(smn_message(json.dumps(whole).encode(), time.time())).encode()
    answer = guarded.send(function, Sent({"content-type": "text/plain"}, content))
    assert answer.get_json()["data"]["event_id"] == "e-9"


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.sampled(16)
def test_another_function_is_forbidden_and_an_expired_caller_is_none(kind, guarded, world):
    now = time.time()
    function = guarded.start({**row(kind), "functions": ["instance_launch"]})
    sent = SENDERS[kind].send(body(world), now)
    assert guarded.send(function, sent).status_code == 403
    function = guarded.start(row(kind, expires="2020-01-01"))
    assert guarded.send(function, sent).status_code == 401
    assert guarded.asked_the_cloud() == 0


@pytest.mark.parametrize("kind", SENDERS)
@pytest.mark.sampled(8)
def test_a_path_that_a_header_names_opens_nothing(kind, guarded, world):
    function = guarded.start(row(kind))
    sent = SENDERS[kind].send(body(world), time.time())
    bare = replace(sent, headers={}, body=body(world))
    for name in ("script-name", "SCRIPT_NAME", "x-forwarded-prefix", "x-original-url"):
        assert guarded.send(function, bare.with_header(name, "/public")).status_code == 401


@pytest.mark.parametrize("kind", [one for one in SENDERS if SENDERS[one].covers == "body"])
@pytest.mark.sampled(4)
def test_a_captured_request_is_decided_once_however_it_is_sent_again(kind, guarded, world):
    function = guarded.start(row(kind))
    sent = SENDERS[kind].send(body(world), time.time())
    first = guarded.send(function, sent).get_json()["decision_id"]
    for name in ("x-github-delivery", "x-smn-message-id", "idempotency-key", "x-request-id"):
        again = guarded.send(function, sent.with_header(name, "another"))
        assert again.get_json()["decision_id"] == first
    for name in ("ce-id", "ce-source", "ce-type"):
        assert guarded.send(function, sent.with_header(name, "another")).status_code == 403
    assert guarded.kept("decisions") == 1
