"""The recorded vectors of every proof: tokens, signatures and certificates with made-up keys."""

from __future__ import annotations

import contextlib
import hashlib
import json

import pytest

from sgguard.callers.proofs import alibaba, smn, xfcc
from sgguard.errors import UntrustedError
from tests.callers.harness import Clock, Gate, Web, caller, needs_vectors, vectors

FOUND = vectors()
JWKS = "https://issuer.example.test/jwks"
SUBJECTS = ["system:serviceaccount:portal:oidc-pingsource-delete"]
EMAIL = "pusher@demo-project.iam.gserviceaccount.com"

pytestmark = needs_vectors


def names(vectors: list[dict]) -> list[str]:
    return [one["name"] for one in vectors]


def jwt_gate(vector: dict) -> Gate:
    issuer = vector.get("issuer", FOUND["issuer"])
    who = {"emails": [EMAIL]} if "google" in issuer else {"subjects": SUBJECTS}
    proof = {"issuer": issuer, "audience": FOUND["audience"], "jwks": JWKS, **who}
    web = Web({JWKS: json.dumps(FOUND["jwks"]).encode()})
    return Gate([caller("jwt", proof)], web, Clock(vector.get("now", FOUND["now"])))


JWTS = FOUND.get("jwt", [])


@pytest.mark.parametrize("vector", JWTS, ids=names(JWTS))
def test_a_json_web_token_is_taken_as_its_vector_says(vector):
    gate = jwt_gate(vector)
    headers = {"Authorization": f"Bearer {vector['token']}"}
    if vector["accept"]:
        assert gate.verify(headers).identity.caller.name == "portal"
    elif vector["accept"] is False:
        with pytest.raises(UntrustedError):
            gate.verify(headers)
    else:
        # Either answer is right; what must not be is another error.
        with contextlib.suppress(UntrustedError):
            gate.verify(headers)
    assert set(gate.web.asked) <= {JWKS}


HMACS = FOUND.get("hmac", [])


@pytest.mark.parametrize("vector", HMACS, ids=lambda one: one["scheme"])
def test_a_signature_over_the_body_holds_and_a_byte_more_does_not(vector):
    gate = hmac_gate(vector, vector["secret"])
    headers, body = hmac_headers(vector, vector["value"]), vector["body"].encode()
    assert gate.verify(headers, body).identity.covers == "body"
    with pytest.raises(UntrustedError):
        gate.verify(headers, body + b" ")


def hmac_gate(vector: dict, *secrets: str) -> Gate:
    env = {f"SECRET_{n}": secret for n, secret in enumerate(secrets)}
    proof = {"scheme": vector["scheme"], "secrets": [{"env": name} for name in env]}
    return Gate([caller("hmac", proof)], Web(), Clock(vector.get("timestamp", 0)), env)


def hmac_headers(vector: dict, value: str) -> dict[str, str]:
    name = {
        "github": "X-Hub-Signature-256",
        "terraform-run-task": "X-TFC-Task-Signature",
        "standard-webhooks": "webhook-signature",
    }[vector["scheme"]]
    more = {}
    if "id" in vector:
        more = {"webhook-id": vector["id"], "webhook-timestamp": str(vector["timestamp"])}
    return {name: value, **more}


def test_both_keys_of_a_rotation_are_accepted_and_odd_signatures_are_no_error():
    vector = next(one for one in HMACS if "must_not_crash_on" in one)
    body = vector["body"].encode()
    both = hmac_headers(vector, vector["two_keys_during_rotation"])
    for secret in (vector["secret"], vector["second_secret"]):
        assert hmac_gate(vector, secret).verify(both, body).identity.signed_id == "evt-1"
    for odd in vector["must_not_crash_on"]:
        with pytest.raises(UntrustedError):
            hmac_gate(vector, vector["secret"]).verify(hmac_headers(vector, odd), body)


def test_a_bearer_token_is_known_by_its_hash():
    vector = FOUND["bearer"]
    gate = Gate([caller("bearer", [f"sha256:{vector['sha256']}"])])
    proven = gate.verify({"Authorization": f"bearer {vector['token']}"})
    assert proven.identity.key == vector["sha256"][:8]
    with pytest.raises(UntrustedError):
        gate.verify({"Authorization": f"Bearer {vector['token']}x"})


def test_a_password_may_have_colons_and_letters_of_any_script():
    vector = FOUND["basic"]
    digest = hashlib.sha256(vector["password"].encode()).hexdigest()
    gate = Gate([caller("basic", {"user": vector["user"], "hashes": [f"sha256:{digest}"]})])
    assert gate.verify({"Authorization": vector["header"]}).identity.key == digest[:8]


SMN = FOUND.get("smn", {}).get("vectors", [])


@pytest.mark.parametrize("vector", SMN, ids=lambda one: one["message"]["type"])
def test_a_message_of_smn_is_signed_as_its_vector_says(vector):
    message = vector["message"]
    assert smn.signed_text(message).decode() == vector["string_to_sign"]
    gate = smn_gate(message["topic_urn"], message["signing_cert_url"])
    body = json.dumps(message).encode()
    proven = gate.verify({}, body)
    assert proven.identity.signed_id == message["message_id"]
    if message["type"] == "Notification":
        handed_on = json.loads(proven.content)
        assert handed_on["message"] == message["message"]
        assert "signature" not in handed_on
    else:
        assert proven.reply == {"status": "noted"}
        assert message["subscribe_url"] not in gate.web.asked
    for name in ("message", "message_id", "timestamp", "topic_urn", "type"):
        with pytest.raises(UntrustedError):
            gate.verify({}, json.dumps({**message, name: message[name] + "x"}).encode())


def smn_gate(topic: str, url: str, **more: object) -> Gate:
    web = Web({url: FOUND["smn"]["cert_pem"].encode()})
    return Gate([caller("smn", {"topics": [topic], **more})], web, Clock(FOUND["now"]))


def test_a_subscription_is_confirmed_where_the_policy_says_so():
    message = SMN[-1]["message"]
    gate = smn_gate(message["topic_urn"], message["signing_cert_url"], confirm=True)
    gate.web.pages[message["subscribe_url"]] = b"ok"
    assert gate.verify({}, json.dumps(message).encode()).reply == {"status": "confirmed"}
    assert gate.web.asked[-1] == message["subscribe_url"]


def test_a_certificate_of_smn_is_only_taken_from_smns_own_place():
    good = SMN[0]["message"]["signing_cert_url"]
    assert smn.is_pinned(good, "cn-north-4", smn.DOMAIN)
    assert not smn.is_pinned(good, "cn-east-3", smn.DOMAIN)
    for url in FOUND["smn"]["cert_url_refuse"]:
        assert not smn.is_pinned(url, "cn-north-4", smn.DOMAIN)
        gate = smn_gate(SMN[0]["message"]["topic_urn"], url)
        with pytest.raises(UntrustedError):
            gate.verify({}, json.dumps({**SMN[0]["message"], "signing_cert_url": url}).encode())
        assert not gate.web.asked


def test_elements_of_xfcc_are_read_with_their_quotes_and_count_from_the_right():
    whole, two, quoted = FOUND["xfcc"]
    for vector in (whole, quoted):
        last = xfcc.elements(vector["header"])[-1]
        for key, value in vector["last"].items():
            assert last[key.lower()] == [value]
    assert xfcc.elements(two["header"])[-1]["uri"] == ["spiffe://a.test/ns/portal/sa/portal"]


def alibaba_gate(**more: object) -> Gate:
    vector = FOUND["alibaba_eventbridge_v2"]
    token = vector["headers"]["x-eventbridge-signature-token"]
    digest = hashlib.sha256(token.encode()).hexdigest()
    proof = {
        "url": vector["url"],
        "regions": ["cn-hangzhou"],
        "tokens": [f"sha256:{digest}"],
        **more,
    }
    url = vector["headers"]["x-eventbridge-signature-url"]
    web = Web({url: vector["public_key_pem"].encode()})
    return Gate([caller("alibaba", proof)], web, Clock(vector["now_ms"] / 1000))


@pytest.mark.parametrize("end", ["no_newline", "newline"])
def test_eventbridge_may_end_the_signed_text_in_both_ways(end):
    vector = FOUND["alibaba_eventbridge_v2"]
    headers = {
        **vector["headers"],
        "x-eventbridge-signature-v2": vector[f"signature_{end}"],
    }
    proven = alibaba_gate().verify(headers, vector["body"].encode())
    assert proven.identity.covers == "body"


REFUSALS = FOUND.get("alibaba_eventbridge_v2", {}).get("refuse", [])


@pytest.mark.parametrize("vector", REFUSALS, ids=lambda one: one["why"])
def test_eventbridge_is_refused_as_its_vector_says(vector):
    good = FOUND["alibaba_eventbridge_v2"]
    headers = dict(good["headers"])
    signed = "signature_without_token" if "drop" in vector else "signature_no_newline"
    name = "x-eventbridge-signature" if "V1" in vector["why"] else "x-eventbridge-signature-v2"
    headers[name] = good[signed]
    headers.pop(vector.get("drop", ""), None)
    gate = alibaba_gate(**({"url": vector["url"]} if "url" in vector else {}))
    gate.clock.now_s = vector.get("now_ms", good["now_ms"]) / 1000
    with pytest.raises(UntrustedError):
        gate.verify(headers, good["body"].encode())


def test_a_certificate_of_eventbridge_is_only_taken_from_the_regions_own_bucket():
    vector = FOUND["alibaba_eventbridge_v2"]
    for url in vector["cert_url_accept"]:
        assert alibaba.is_pinned(url, ["cn-hangzhou"])
        assert not alibaba.is_pinned(url, ["cn-beijing"])
    for url in vector["cert_url_refuse"]:
        assert not alibaba.is_pinned(url, ["cn-hangzhou"])
