"""A real server: what it makes of headers before a function sees them opens nothing."""

from __future__ import annotations

import json

import pytest

from sgguard.emulator.server import serve
from tests import deployment
from tests.callers.signers import TOKEN, URI
from tests.callers.test_forgery import row
from tests.worlds.tencent import WORLD

TARGET = f"tencent::ap-guangzhou:{WORLD.free}"


@pytest.fixture(scope="module")
def function(tmp_path_factory):
    path = tmp_path_factory.mktemp("callers") / "policy.json"
    header = {**row("header", "key"), "speaks_for": ["*"]}
    bearer = row("bearer", "bearer")
    header["proof"]["header"]["hashes"] = ["sha256:" + "0" * 64]
    xfcc = {**row("xfcc", "mesh"), "proof": {"xfcc": {"peers": ["127.0.0.1"], "uris": [URI]}}}
    path.write_text(json.dumps({"caller": [bearer, header, xfcc]}))
    emulator = deployment.emulator()
    with (
        serve(emulator) as cloud,
        deployment.functions(cloud.url, "delete_request", SGGUARD_POLICY=str(path)) as running,
    ):
        yield running["delete_request"], emulator


def send(function, *headers: bytes, path: bytes = b"/") -> int:
    body = json.dumps({"target": TARGET}).encode()
    head = [
        b"POST " + path + b" HTTP/1.1",
        b"Host: x",
        b"Content-Type: application/json",
        b"Content-Length: %d" % len(body),
        b"Connection: close",
        *headers,
    ]
    answer = function.send(b"\r\n".join(head) + b"\r\n\r\n" + body)
    return int(answer.split(b" ")[1])


GOOD = b"Authorization: Bearer " + TOKEN.encode()
BAD = b"Authorization: Bearer sgg_evil_x"


def test_a_caller_is_answered_over_http(function):
    running, _ = function
    assert send(running, GOOD) == 200
    assert send(running, GOOD.replace(b"Bearer", b"bEARER")) == 200


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (BAD,),
        (GOOD, BAD),
        (BAD, GOOD),
        (GOOD, GOOD),
        (b"Authorization: Bearer \xc3\xa9",),
        (b"Authorization: Bearer \xe9\xff",),
        (b"Authorization: " + TOKEN.encode(),),
        (b"Authorization:",),
        (b"X_Guard_Key: " + TOKEN.encode(),),
        (b"X-Forwarded-For: 127.0.0.1", BAD),
        (b"X-Forwarded-Client-Cert: URI=" + URI.encode() + b",URI=spiffe://a.test/evil",),
        (b"X-Forwarded-Client-Cert: URI=" + URI.encode(), b"X-Forwarded-Client-Cert: URI=x"),
        (b"X_Forwarded_Client_Cert: URI=" + URI.encode(),),
    ],
)
def test_nobody_else_is(function, headers):
    running, emulator = function
    before = len(emulator.requests)
    assert send(running, *headers) == 401
    assert len(emulator.requests) == before


def test_no_header_that_names_a_path_lets_anybody_in(function):
    running, emulator = function
    before = len(emulator.requests)
    for path in (b"/", b"/public", b"/invoke", b"/public/delete_request"):
        for name in (b"SCRIPT_NAME", b"Script-Name", b"X-Forwarded-Prefix", b"X-Original-URL"):
            # 308: the server took the whole path for a prefix; nothing was asked or answered.
            assert send(running, name + b": /public", path=path) in (308, 401, 404, 500)
    assert len(emulator.requests) == before
    # A caller who proves itself is one, whatever its path is made to look like.
    assert send(running, GOOD, b"Script-Name: /public") == 200
