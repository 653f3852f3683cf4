"""What the plugin for Neutron asks the function, and which answers it believes. No Neutron here."""

from __future__ import annotations

import json
import socket
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.events import request
from sgguard.events.base import Kind
from sgguard.events.sources import cloudevents
from tests.deploy.function import answering, decision, plugin_ask, raw
from tests.examples import examples

Function, Question = plugin_ask.Function, plugin_ask.Question
NotAnsweredError, ask = plugin_ask.NotAnsweredError, plugin_ask.ask

GROUP = "1dd6e298-5f3a-4d0b-9a52-000000000001"
TARGET = f"openstack::RegionOne:{GROUP}"
QUESTION = Question(f"req-1/{GROUP}", "/openstack/neutron/RegionOne", TARGET, "u-7")
KIND = Kind("delete_request", "sgguard.delete.requested.v1")
ALLOW = json.dumps(decision(TARGET)).encode()
SECRET = "a-token-that-must-not-be-seen"


@pytest.fixture
def function():
    with answering() as one:
        yield one


def refused(function, question=QUESTION):
    """Why there is no judgement."""
    with pytest.raises(NotAnsweredError) as caught:
        ask(function, question)
    assert SECRET not in str(caught.value)
    return str(caught.value)


# -- the question ---------------------------------------------------------------------------------


def test_an_answer_about_the_group_is_returned(function):
    assert ask(Function(function.url), QUESTION) == decision(TARGET)


@pytest.mark.parametrize("region", ["RegionOne", "région 1", "a%20b"])
def test_the_function_reads_the_question_as_a_delete_request(function, region):
    target = f"openstack:acme:eu-de:{GROUP}"
    ask(
        Function(function.url),
        Question(f"req-1/{GROUP}", f"/openstack/neutron/{region}", target, "u-7"),
    )
    ((headers, body),) = function.asked
    delivery = cloudevents.read(headers, json.dumps(body).encode(), KIND)
    (event,) = delivery.items
    asked = request.delete_request(event.data)
    assert event.event_id == f"req-1/{GROUP}"
    assert [str(one) for one in asked.targets] == [target]
    assert asked.requested_by == "u-7"


def test_a_delete_of_neutrons_own_names_nobody(function):
    ask(Function(function.url), Question("req-1", "/n", TARGET))
    assert function.asked[0][1] == {"target": TARGET}


def test_the_token_of_the_file_is_read_for_every_question(function, tmp_path):
    path = tmp_path / "token"
    for token in ("first", "second"):
        path.write_text(f"{token}\n")
        ask(Function(function.url, token="another", token_file=str(path)), QUESTION)
    sent = [headers["authorization"] for headers, _ in function.asked]
    assert sent == ["Bearer first", "Bearer second"]


def test_without_a_token_none_is_sent(function):
    ask(Function(function.url), QUESTION)
    assert "authorization" not in function.asked[0][0]


@pytest.mark.parametrize(
    "content", [None, b"", b" \n", b"two words", b"a\nb", b"\xff\xfe", b"x\r\ny"]
)
@pytest.mark.sampled(4)
def test_a_token_that_cannot_be_sent_is_no_question(function, tmp_path, content):
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)
    assert "token" in refused(Function(function.url, token_file=str(path)))
    assert function.asked == []


def test_the_token_is_in_no_text_of_the_function():
    assert SECRET not in repr(Function("http://127.0.0.1", token=SECRET))


# -- answers that are not believed ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"verdict": "yes"}, "no decision"),
        ({"verdict": None}, "no decision"),
        ({"verdict": ["allow"]}, "no decision"),
        ({"guard": "launch"}, "something else"),
        ({"target": []}, "something else"),
        ({"target": TARGET}, "something else"),
        ({"target": [TARGET, TARGET]}, "something else"),
        ({"target": [TARGET.replace("One", "Two")]}, "something else"),
    ],
)
@pytest.mark.sampled(4)
def test_a_decision_about_anything_else_is_not_believed(function, change, why):
    function.answer = lambda target: decision(target) | change
    assert why in refused(Function(function.url))


@pytest.mark.parametrize(
    "status", [201, 202, 204, 301, 307, 400, 401, 403, 404, 409, 429, 500, 503]
)
@pytest.mark.sampled(6)
def test_only_200_is_an_answer(function, status):
    function.answer = lambda _target: status
    assert f"status {status}" in refused(Function(function.url, token=SECRET))
    assert len(function.asked) == 1


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"null",
        b"[]",
        b'"allow"',
        b"allow",
        b"{",
        b"\xff",
        b'{"verdict": "allow"',
        b"[" * 100_000,
    ],
    ids=["empty", "null", "list", "text", "word", "open", "bytes", "half", "deep"],
)
def test_what_is_no_decision_is_not_believed(content):
    def serve(connection):
        connection.recv(65536)
        connection.sendall(HEAD % len(content) + content)

    with raw(serve) as (url, _):
        assert refused(Function(url))


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\n",
        HEAD % (len(ALLOW) + 1) + ALLOW,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc",
        b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 5000 + b"\r\n",
    ],
    ids=["nothing", "blank", "ssh", "half a head", "cut", "half a chunk", "many headers"],
)
def test_a_connection_that_breaks_is_no_answer(sent):
    def serve(connection):
        connection.recv(65536)
        connection.sendall(sent)

    with raw(serve) as (url, _):
        assert refused(Function(url))


def test_an_answer_without_an_end_is_not_read_for_ever(monkeypatch):
    monkeypatch.setattr(plugin_ask, "BODY_MAX", 1000)

    def serve(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 5000)

    with raw(serve) as (url, _):
        assert "too long" in refused(Function(url))


def test_a_redirect_is_not_followed(function):
    def serve(connection):
        connection.recv(65536)
        place = f"HTTP/1.1 307 Temporary Redirect\r\nLocation: {function.url}\r\n"
        connection.sendall(f"{place}Content-Length: 0\r\n\r\n".encode())

    with raw(serve) as (url, _):
        assert "status 307" in refused(Function(url, token=SECRET))
    assert function.asked == []


def test_a_certificate_that_nobody_trusts_is_no_answer():
    def serve(connection):
        connection.recv(65536)
        connection.sendall(HEAD % len(ALLOW) + ALLOW)

    with raw(serve) as (url, _):
        assert "SSLError" in refused(Function(url.replace("http", "https"), token=SECRET))


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists, max_leaves=5))
@examples(100)
def test_no_json_but_the_decision_is_believed(value):
    for document in (value, {"verdict": value}, decision(TARGET) | {"target": value}):
        with pytest.raises(NotAnsweredError):
            plugin_ask._decision(json.dumps(document).encode(), QUESTION)


# -- the deadline ---------------------------------------------------------------------------------


def test_a_function_that_never_answers_is_left_at_the_deadline(function):
    function.answer = lambda _target: None
    assert refused(Function(function.url, deadline_s=0.2)) == "no response within 0.2 s"


@pytest.mark.parametrize("head", [b"", HEAD % 100_000], ids=["head", "body"])
def test_a_function_that_answers_byte_by_byte_is_left_and_its_connection_shut(head):
    over = threading.Event()

    def serve(connection):
        # Each byte comes in time for a timeout per read; the connection ends all the same.
        connection.recv(65536)
        connection.sendall(head)
        while not over.wait(0.02):
            connection.sendall(b"x")

    with raw(serve) as (url, ended):
        try:
            assert "no response within" in refused(Function(url, deadline_s=0.3))
            assert ended.wait(20)
        finally:
            over.set()


def test_a_function_that_is_not_there_is_no_answer():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert "ConnectionRefusedError" in refused(Function(f"http://127.0.0.1:{port}", token=SECRET))


def test_a_host_that_cannot_be_found_is_no_answer():
    assert refused(Function("http://no-such-host.invalid", deadline_s=5))
