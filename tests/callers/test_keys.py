"""Keys of issuers: fetched once, bounded, and used on when their place is down."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import pytest

from sgguard.callers import fetch as fetching
from sgguard.callers.cache import STALE_S, Published
from sgguard.errors import KeysError, UntrustedError
from tests.callers.harness import Clock, Gate, Web, caller
from tests.callers.signers import (
    AUDIENCE,
    ISSUER,
    JWKS,
    SENDERS,
    SUBJECT,
    bearing,
    jwks,
    token,
)

BODY = b"{}"


def gate(**pages: bytes) -> Gate:
    found = {JWKS: pages["keys"]} if "keys" in pages else {}
    return Gate([caller("jwt", SENDERS["jwt"].proof["jwt"])], Web(found))


def take(made: Gate, **claims: Any) -> Any:
    return made.verify(bearing(token(made.clock.now_s, **claims), BODY).headers, BODY)


def test_one_fetch_serves_many_tokens_and_unknown_keys_cause_none():
    made = gate(keys=jwks())
    for _ in range(20):
        take(made)
    for n in range(50):
        with pytest.raises(UntrustedError):
            take(made, headers={"kid": f"unknown-{n}"})
    assert made.web.asked == [JWKS]


def test_a_new_key_of_the_issuer_is_found_half_a_minute_after_the_last_look():
    made = gate(keys=jwks())
    take(made)
    made.web.pages[JWKS] = jwks(kid="r9")
    with pytest.raises(UntrustedError):
        take(made, headers={"kid": "r9"})
    made.clock.now_s += 31
    take(made, headers={"kid": "r9"})
    with pytest.raises(UntrustedError):
        take(made)  # the old one is not accepted any more
    assert len(made.web.asked) == 2


def test_keys_that_cannot_be_read_ask_the_sender_to_come_again_and_are_asked_for_rarely():
    made = gate()
    for _ in range(20):
        with pytest.raises(KeysError) as caught:
            take(made)
        assert caught.value.retry_after_s == 30
    assert len(made.web.asked) == 1
    pauses = []
    for _ in range(7):
        before = len(made.web.asked)
        pause_s = 0
        while len(made.web.asked) == before:
            made.clock.now_s += 1
            pause_s += 1
            with pytest.raises(KeysError):
                take(made)
        pauses.append(pause_s)
    assert pauses == [5, 10, 20, 40, 60, 60, 60]
    made.web.pages[JWKS] = jwks()
    made.clock.now_s += 60
    take(made)


def test_the_last_keys_are_used_for_a_day_when_their_place_is_down():
    made = gate(keys=jwks())
    take(made)
    del made.web.pages[JWKS]
    for after_s in (301.0, 3600.0, STALE_S - 4000):
        made.clock.now_s += after_s
        take(made)
    with pytest.raises(KeysError):
        take(made, headers={"kid": "r9"})  # it may be a new one: not a word against it
    made.clock.now_s += 3600
    with pytest.raises(KeysError):
        take(made)


WRONG = {
    "no JSON": b"<html>",
    "a list": b"[]",
    "no keys": b'{"keys": []}',
    "shared secrets": b'{"keys": [{"kty": "oct", "kid": "r1", "k": "AAAA"}]}',
    "keys for encryption": jwks().replace(b'"sig"', b'"enc"'),
    "another curve": b'{"keys": [{"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA"}]}',
    "too many": json.dumps({"keys": [{}] * 101}).encode(),
    "very deep": b"[" * 100_000,
    "not UTF-8": b"\xff\xfe\xff",
}


@pytest.mark.parametrize("what", WRONG)
def test_what_is_no_key_set_is_as_one_that_cannot_be_read(what):
    with pytest.raises(KeysError):
        take(gate(keys=WRONG[what]))


def test_a_key_that_is_broken_or_short_refuses_its_tokens_and_is_no_error():
    for n in ("AQAB", "!!!", ""):
        broken = json.dumps({"keys": [{"kty": "RSA", "kid": "r1", "n": n, "e": "AQAB"}]}).encode()
        with pytest.raises(UntrustedError):
            take(gate(keys=broken))


def test_an_algorithm_that_the_policy_leaves_out_is_refused_whatever_keys_there_are():
    for algorithms, is_taken in ((["RS256"], True), (["ES256"], False)):
        proof = {**SENDERS["jwt"].proof["jwt"], "algorithms": algorithms}
        made = Gate([caller("jwt", proof)], Web({JWKS: jwks()}))
        if is_taken:
            take(made)
            continue
        with pytest.raises(UntrustedError):
            take(made)
        assert made.web.asked == []


def test_keys_may_be_in_a_file(tmp_path):
    path = tmp_path / "jwks.json"
    proof = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_file": str(path), "subjects": [SUBJECT]}
    made = Gate([caller("jwt", proof)])
    with pytest.raises(KeysError):
        take(made)
    path.write_bytes(jwks())
    made.clock.now_s += 5
    take(made)
    assert made.web.asked == []


def test_one_thread_asks_and_the_others_answer_from_what_there_is():
    clock, entered, go_on = Clock(), threading.Event(), threading.Event()
    loads = []

    def load() -> str:
        loads.append(1)
        if len(loads) > 1:
            entered.set()
            assert go_on.wait(60)
        return f"set {len(loads)}"

    published = Published("a place", load, clock)
    assert published.get(lambda _: True) == "set 1"
    clock.now_s += 301
    thread = threading.Thread(target=published.get, args=(lambda _: True,))
    thread.start()
    assert entered.wait(60)
    assert [published.get(lambda _: True) for _ in range(8)] == ["set 1"] * 8
    go_on.set()
    thread.join()
    assert (len(loads), published.get(lambda _: True)) == (2, "set 2")


# -- the way over the network --------------------------------------------------------------------


def through(handler: Any, **more: Any) -> Any:
    return fetching.fetch(JWKS, "", {}, transport=httpx.MockTransport(handler), **more)


ANSWERS = {
    "an error": lambda _: httpx.Response(500),
    "not there": lambda _: httpx.Response(404),
    "a redirect": lambda _: httpx.Response(302, headers={"location": "https://evil.test/"}),
    "no content": lambda _: httpx.Response(204),
    "too much": lambda _: httpx.Response(200, content=b"x" * (fetching.BYTES_MAX + 1)),
}


@pytest.mark.parametrize("what", ANSWERS)
def test_every_other_answer_than_one_of_200_within_bounds_is_none(what):
    asked = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return ANSWERS[what](request)

    with pytest.raises(KeysError):
        through(handler)
    assert asked == [JWKS]


def test_an_endless_answer_is_not_read_and_a_slow_one_ends():
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 65536

    with pytest.raises(KeysError, match="more than"):
        through(lambda _: httpx.Response(200, content=endless()))
    clock = Clock(0.0)

    def slow() -> Iterator[bytes]:
        while True:
            clock.now_s += 1
            yield b"x"

    with pytest.raises(KeysError, match="takes more than 3 s"):
        through(lambda _: httpx.Response(200, content=slow()), clock=clock)


def test_no_connection_is_no_keys_and_its_error_quotes_nothing():
    def handler(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("token sgg_secret")

    with pytest.raises(KeysError) as caught:
        through(handler)
    assert "sgg_secret" not in str(caught.value)
    with pytest.raises(KeysError):
        fetching.fetch("http://issuer.test/jwks", "", {})
    with pytest.raises(KeysError):
        fetching.fetch("file:///etc/passwd", "", {})


@contextmanager
def served(body: bytes) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/jwks"
    finally:
        server.shutdown()
        server.server_close()


def test_keys_are_really_fetched_over_http_from_loopback():
    with served(jwks()) as url:
        found = fetching.fetch(url, "", {"authorization": "Bearer x"})
    assert found.body == jwks()
    assert found.date


def test_down_over_http_is_503_with_the_time_to_come_again(guarded, world):
    function = guarded.start({**caller("jwt", SENDERS["jwt"].proof["jwt"]), "targets": ["*:*:*:*"]})
    del guarded.web.pages[JWKS]
    body = json.dumps({"target": f"{world.provider}::{world.region}:{world.free}"}).encode()
    sent = SENDERS["jwt"].send(body, time.time())
    answer = guarded.send(function, sent)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")
    assert "WWW-Authenticate" not in answer.headers
    assert "issuer" not in answer.get_data(as_text=True)
    assert guarded.asked_the_cloud() == 0
