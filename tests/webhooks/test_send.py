"""One attempt to send: to the judged address and no other, signed, bounded, and understood."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import socket
import ssl
import time
from contextlib import suppress

import pytest
from msgspec.structs import replace

from sgguard.errors import KeysError
from sgguard.outbox.base import Gone, Later, Sent
from sgguard.policy.callback import CallbackPolicy
from sgguard.webhooks import sign
from sgguard.webhooks.send import send, wait_of
from tests.webhooks.receiver import OK, answer, receiving
from tests.webhooks.shapes import HOST, PUBLIC, PUBLIC_V6

NEW, OLD = (f"whsec_{base64.b64encode(one * 32).decode()}" for one in (b"n", b"o"))
ENV = {"SGG_CALLBACK_KEY": NEW, "SGG_CALLBACK_KEY_OLD": OLD}
POLICY = CallbackPolicy(
    hosts=(HOST,),
    keys=({"env": "SGG_CALLBACK_KEY"}, {"env": "SGG_CALLBACK_KEY_OLD"}),
)
URL = f"https://{HOST}/sgguard?tenant=7"
NOW_S = 1_790_000_000.0
BODY = b'{"specversion":"1.0"}'


def sent(to, url=URL, policy=POLICY, **more):
    given = {"env": ENV, "now": lambda: NOW_S, "network": to.network(), **more}
    return send(url, "msg_1", BODY, policy, **given)


def is_sent(found, status=204):
    return found == Sent(f'{{"status": {status}}}')


def test_a_message_is_posted_signed_by_every_key_and_nothing_else_is_sent():
    with receiving() as to:
        assert is_sent(sent(to), 204)
    (request,) = to.requests
    assert request.head.split("\r\n")[0] == "POST /sgguard?tenant=7 HTTP/1.1"
    assert request.body == BODY
    names = [line.partition(":")[0].lower() for line in request.head.split("\r\n")[1:]]
    assert sorted(names) == sorted(
        [
            "host",
            "connection",
            "content-length",
            "content-type",
            "user-agent",
            "webhook-id",
            "webhook-timestamp",
            "webhook-signature",
        ]
    )
    assert request.header("host") == HOST
    assert request.header("webhook-id") == "msg_1"
    assert request.header("webhook-timestamp") == "1790000000"
    signed = b"msg_1.1790000000." + BODY
    expected = (hmac.new(one * 32, signed, hashlib.sha256).digest() for one in (b"n", b"o"))
    assert request.header("webhook-signature") == " ".join(
        f"v1,{base64.b64encode(one).decode()}" for one in expected
    )


def test_the_vector_of_standard_webhooks_is_signed_as_it_says():
    key = sign.key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    found = sign.headers(
        "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330.9, b'{"test": 2432232314}', [key]
    )
    assert found["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_QUJD", "whsec_!", "x" * 23, "A" * 92])
def test_a_key_that_is_no_key_of_standard_webhooks_signs_nothing(text):
    with pytest.raises(KeysError, match="24 to 64 bytes"):
        sign.key(text)


def test_the_id_is_the_same_for_every_attempt_and_time_and_signature_are_not():
    with receiving(answer(500), OK) as to:
        sent(to)
        sent(to, now=lambda: NOW_S + 60)
    first, second = to.requests
    assert first.header("webhook-id") == second.header("webhook-id")
    assert first.header("webhook-timestamp") != second.header("webhook-timestamp")
    assert first.header("webhook-signature") != second.header("webhook-signature")


# -- the connection ------------------------------------------------------------------------------


def test_a_name_is_looked_up_once_and_the_connection_goes_to_what_was_judged():
    with receiving() as to:
        to.addresses = [[PUBLIC[1]], ["127.0.0.1"]]
        assert is_sent(sent(to), 204)
        assert to.dialled == [(PUBLIC[1], 443)]
        assert to.looked_up == [HOST]
        assert to.requests[0].server_name == HOST


def test_a_name_that_is_bound_to_another_address_meanwhile_is_not_called_there():
    """DNS rebinding: public while it is judged, this machine a moment later."""
    with receiving() as to:
        to.addresses = [[PUBLIC[0]], ["169.254.169.254"], ["127.0.0.1"]]
        results = [sent(to) for _ in range(3)]
        assert is_sent(results[0])
        assert all(isinstance(one, Later) for one in results[1:])
        assert to.dialled == [(PUBLIC[0], 443)]
        assert len(to.requests) == 1


def test_the_next_address_is_tried_where_one_does_not_accept_and_none_that_was_not_judged():
    with receiving() as to:
        to.addresses = [[PUBLIC_V6[0], PUBLIC[0]]]
        network = to.network()

        def dial(address, port, timeout_s):
            if ":" in address:
                raise ConnectionRefusedError
            return network.dial(address, port, timeout_s)

        assert is_sent(sent(to, network=replace(network, dial=dial)), 204)
        assert to.dialled == [(PUBLIC[0], 443)]


def test_a_receiver_that_cannot_prove_its_name_gets_nothing():
    with receiving(host="evil.example") as to:
        found = sent(to)
        assert isinstance(found, Later)
        assert "certificate" in found.why
        assert not to.requests
    with receiving() as to:
        found = sent(to, network=replace(to.network(), tls=ssl.create_default_context))
        assert isinstance(found, Later)
        assert not to.requests


def test_the_proxy_of_the_environment_is_not_used(monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with receiving() as to:
        assert is_sent(sent(to), 204)
        assert to.dialled == [(PUBLIC[0], 443)]


def test_this_machine_is_called_without_tls_where_the_policy_says_so():
    policy = CallbackPolicy(keys=POLICY.keys, loopback=True)
    with receiving(host="") as to:
        url = f"http://127.0.0.1:{to.port}/"
        found = send(url, "msg_1", BODY, policy, ENV, now=lambda: NOW_S)
        assert is_sent(found)
        assert to.requests[0].header("host") == f"127.0.0.1:{to.port}"


def test_an_address_that_is_refused_is_not_connected_to_and_not_signed_for():
    with receiving() as to:
        assert isinstance(sent(to, "https://evil.example/"), Gone)
        to.addresses = [[PUBLIC[0], "10.0.0.1"]]
        assert isinstance(sent(to), Later)
        assert (to.dialled, to.requests) == ([], [])


def test_without_a_key_nothing_is_sent_and_the_reason_names_where_it_should_be():
    with receiving() as to:
        for env in ({}, {"SGG_CALLBACK_KEY": NEW}, {**ENV, "SGG_CALLBACK_KEY": "short"}):
            found = sent(to, env=env)
            assert isinstance(found, Later)
            assert "short" not in found.why
        assert "SGG_CALLBACK_KEY_OLD" in sent(to, env={"SGG_CALLBACK_KEY": NEW}).why
        assert isinstance(sent(to, policy=replace(POLICY, keys=())), Later)
        assert not to.dialled


# -- what an answer means ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        *((one, Sent) for one in (200, 201, 202, 204, 299)),
        (410, Gone),
        *((one, Later) for one in (300, 304, 400, 401, 403, 404, 408, 409, 413, 422, 425, 429)),
        *((one, Later) for one in (500, 501, 502, 503, 504, 599, 100 + 500)),
    ],
)
@pytest.mark.sampled(9)
def test_only_success_and_410_end_a_message(status, kind):
    with receiving(answer(status)) as to:
        assert isinstance(sent(to), kind)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "location", ["http://169.254.169.254/", f"https://{HOST}/other", "https://127.0.0.1/", "//x"]
)
@pytest.mark.sampled(6)
def test_no_redirect_is_followed(status, location):
    with receiving(answer(status, f"Location: {location}"), OK) as to:
        found = sent(to)
        assert isinstance(found, Later)
        assert "169.254" not in found.why
        assert len(to.dialled) == len(to.requests) == len(to.looked_up) == 1


@pytest.mark.parametrize("status", [429, 503, 500, 404])
def test_the_wait_that_a_receiver_asks_for_is_kept(status):
    with receiving(answer(status, "Retry-After: 120")) as to:
        found = sent(to)
        everything = status in (429, 503)
        assert found == Later(f"{HOST} answers {status}", 120.0, is_everything=everything)


@pytest.mark.parametrize(
    ("text", "wait_s"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        ("99999999999999999999", 86400.0),
        ("Mon, 21 Sep 2026 14:14:20 GMT", 60.0),
        ("Mon, 21 Sep 2026 14:12:20 GMT", 0.0),
        ("Tue, 21 Sep 2027 14:14:20 GMT", 86400.0),
        ("", None),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("\uff11\uff12", None),
        ("Mon, 99 Sep 2026 99:99:99 GMT", None),
    ],
)
def test_a_wait_is_read_as_the_standard_says_and_cut_to_a_day(text, wait_s):
    assert wait_of(text, NOW_S) == wait_s


# -- hostile receivers ---------------------------------------------------------------------------


def writing(*parts: bytes, every_s: float = 0.0, times: int = 1):
    """Write parts over and over, as long as anybody listens."""

    def write(stream: socket.socket) -> None:
        with suppress(OSError):
            for _ in range(times):
                for part in parts:
                    stream.sendall(part)
                    time.sleep(every_s)

    return write


ENDLESS = 1 << 10


@pytest.mark.parametrize(
    "answers",
    [
        (writing(b"HTTP/1.1 200 OK\r\nX: ", every_s=0.01, times=ENDLESS),),
        (writing(b"HTTP/1.1 100 Continue\r\n\r\n", every_s=0.001, times=ENDLESS),),
        (writing(b"x", every_s=0.01, times=ENDLESS),),
        (lambda stream: stream.recv(1),),
    ],
    ids=["head in drops", "interim answers", "no answer in drops", "nothing"],
)
@pytest.mark.sampled(3)
def test_a_receiver_that_never_ends_is_left_when_the_time_is_over(answers):
    with receiving(*answers) as to:
        assert isinstance(sent(to, timeout_s=0.3), Later)


def test_a_body_is_read_to_a_bound_and_nothing_of_it_is_kept():
    huge = writing(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999\r\n\r\n", b"secret" * 99999)
    with receiving(huge) as to:
        assert is_sent(sent(to, timeout_s=5), 200)
    with receiving(answer(500, "X: y", body=b"secret of the receiver")) as to:
        assert "secret" not in sent(to).why


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 99999 + b"\r\n\r\n",
        b"\x00" * 100,
    ],
)
def test_what_is_no_answer_of_http_is_not_taken_for_one(raw):
    with receiving(raw) as to:
        found = sent(to, timeout_s=5)
        assert isinstance(found, Later)
        assert re.fullmatch(rf"{re.escape(HOST)}: [A-Za-z ]+", found.why)


def test_a_receiver_that_is_not_there_is_a_reason_in_our_own_words():
    with receiving() as to:
        network = to.network()
    found = sent(
        to, network=replace(network, dial=lambda *_: socket.create_connection(("127.0.0.1", 1)))
    )
    assert found == Later(f"{HOST}: no address of it accepts a connection (ConnectionRefusedError)")
