"""What a platform hands over by itself is answered without the framework of HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import flask
import pytest

from sgguard.runtimes import app, direct, event
from tests.packaging import artifact
from tests.packaging.test_server_runtimes import PROOF

PROBE = """
import json, sys
from sgguard.runtimes import event
from sgguard.runtimes.platforms import alibaba_fc

handler = event.Handler("delete_request", alibaba_fc)
try:
    by_itself = handler(b'{"target": "nonsense"}', None)
except event.AgainError as error:
    by_itself = str(error)
heavy = ("flask", "werkzeug", "jinja2", "cloudevents", "functions_framework")
loaded = [name for name in heavy if name in sys.modules]
gateway = {"httpMethod": "GET", "path": "/healthz", "headers": {}, "body": ""}
by_gateway = handler(json.dumps(gateway).encode(), None)
print(json.dumps({"by_itself": by_itself, "loaded": loaded, "by_gateway": by_gateway}))
"""


def environ_of(body: bytes):
    return event._direct(body, {"A": "b"})


def test_what_a_function_reads_of_a_request_is_what_flask_would_tell():
    environ = environ_of(b'{"target": "x"}')
    ours, theirs = direct.Request(environ), flask.Request(dict(environ))
    for name in ("method", "path", "full_path", "remote_addr"):
        assert getattr(ours, name) == getattr(theirs, name)
    lower = {name.lower(): value for name, value in theirs.headers.items()}
    assert dict(ours.headers.items()) == lower
    assert ours.headers.get("Content-Type") == theirs.headers.get("Content-Type")
    assert ours.headers.get("Accept-Language", "") == ""
    assert ours.args == dict(theirs.args)
    assert ours.environ["sgguard.env"] == {"A": "b"}
    assert ours.stream.read() == b'{"target": "x"}'


def test_a_function_that_streams_its_answer_is_read_to_the_end_and_closed():
    closed = []

    def chunks():
        try:
            yield b"a"
            yield b"b"
        finally:
            closed.append(True)

    def function(_request):
        return chunks(), 200, {"X": "y"}

    found = direct.ask(function, environ_of(b"{}"))
    assert found == app.Answer(200, {"X": "y"}, b"ab")
    assert closed == [True]


def test_the_framework_is_imported_for_a_gateway_and_for_nothing_else(tmp_path):
    policy = tmp_path / "policy.toml"
    policy.write_text(artifact.caller("delete_request", PROOF))
    env = {**os.environ, "SGGUARD_POLICY": str(policy)}
    ended = subprocess.run(
        [sys.executable, "-c", PROBE], env=env, capture_output=True, text=True, check=True
    )
    found = json.loads(ended.stdout.splitlines()[-1])
    assert found["loaded"] == []
    assert found["by_itself"]["status"] == 401
    assert found["by_gateway"]["statusCode"] == 200
    assert json.loads(found["by_gateway"]["body"])["status"] == "alive"


def test_a_function_that_is_not_installed_is_an_error():
    with pytest.raises(KeyError):
        direct.of("no_such_function")
