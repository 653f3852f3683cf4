import httpx
import pytest

from sgguard.errors import (
    DeadlineError,
    ThrottledError,
    UnavailableError,
    UnknownShapeError,
    UnreachableError,
)
from sgguard.wire.client import Wire, parse_json
from sgguard.wire.clock import Deadline
from sgguard.wire.pacing import Pace
from sgguard.wire.retry import Retry
from tests.worlds import lanes


def wire(handler, *, attempts=3, seconds=30.0, clock=None):
    deadline = Deadline.after(seconds, clock) if clock else Deadline.after(seconds)
    return Wire(
        "cloud",
        deadline,
        transport=httpx.MockTransport(handler),
        retry=Retry(attempts=attempts, sleep=lambda _: None),
        pace=Pace(lanes=lanes()),
    )


def good(_response):
    return None


def test_an_answer_that_passes_the_check_comes_back():
    answer = wire(lambda _: httpx.Response(200, text="hello")).read(
        "GET", "http://cloud/", action="Read", check=good
    )
    assert answer.text == "hello"


@pytest.mark.parametrize(
    "failure",
    [
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
        httpx.ConnectTimeout("slow"),
        httpx.RemoteProtocolError("closed"),
        httpx.ProxyError("proxy"),
    ],
    ids=lambda e: type(e).__name__,
)
def test_no_answer_is_unreachable_and_names_the_host(failure):
    def handler(_request):
        raise failure

    with pytest.raises(UnreachableError) as caught:
        wire(handler).read("GET", "http://cloud.example/x?secret=1", action="Read", check=good)
    assert "cloud.example" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_every_attempt_of_a_read_is_signed_afresh():
    signatures = []

    class Auth(httpx.Auth):
        def auth_flow(self, request):
            request.headers["x-nonce"] = str(len(signatures))
            yield request

    def handler(request):
        signatures.append(request.headers["x-nonce"])
        return httpx.Response(200)

    def throttled(_response):
        if len(signatures) < 3:
            raise ThrottledError("cloud", "Read")

    wire(handler).read("GET", "http://cloud/", action="Read", check=throttled, auth=Auth())
    assert signatures == ["0", "1", "2"]


def test_a_write_is_sent_exactly_once():
    calls = []

    def handler(_request):
        calls.append(1)
        raise httpx.ReadError("lost")

    with pytest.raises(UnreachableError):
        wire(handler).write("POST", "http://cloud/", action="Delete", check=good)
    assert len(calls) == 1


def test_a_proxys_retry_after_counts_whatever_the_provider_read():
    def unavailable(_response):
        raise UnavailableError("cloud", "Read", retry_after_s=1.0)

    def handler(_request):
        return httpx.Response(503, headers={"retry-after": "9"}, text="<html>busy</html>")

    with pytest.raises(UnavailableError) as caught:
        wire(handler, attempts=1).read("GET", "http://cloud/", action="Read", check=unavailable)
    assert caught.value.retry_after_s == 9.0


def test_a_wait_the_provider_knows_is_not_shortened_by_a_header():
    def throttled(_response):
        raise ThrottledError("cloud", "Read", retry_after_s=60.0)

    def handler(_request):
        return httpx.Response(429, headers={"retry-after": "1"})

    with pytest.raises(ThrottledError) as caught:
        wire(handler, attempts=1).read("GET", "http://cloud/", action="Read", check=throttled)
    assert caught.value.retry_after_s == 60.0


@pytest.mark.parametrize("seconds", [4000.0, 9e12], ids=["over an hour", "ages"])
def test_an_endless_wait_is_capped_and_later_calls_are_made(seconds):
    asked = []

    def handler(request):
        asked.append(request)
        return httpx.Response(429, headers={"retry-after": "1"})

    def throttled(_response):
        raise ThrottledError("cloud", "Read", retry_after_s=seconds)

    one = wire(handler, attempts=1)
    for count in (1, 2):
        with pytest.raises(ThrottledError) as caught:
            one.read("GET", "http://cloud/", action="Read", check=throttled)
        assert (len(asked), caught.value.retry_after_s) == (count, 3600.0)


def test_json_that_is_none_is_asked_for_once_more():
    bodies = ["<html>", "{}", "never asked"]

    def handler(_request):
        return httpx.Response(200, text=bodies.pop(0))

    answer = wire(handler).read_json("GET", "http://cloud/", action="Read", check=good)
    assert (answer, bodies) == ({}, ["never asked"])


def test_json_that_is_none_twice_is_an_unknown_shape():
    asked = []

    def handler(request):
        asked.append(request)
        return httpx.Response(200, text="<html>")

    with pytest.raises(UnknownShapeError):
        wire(handler).read_json("GET", "http://cloud/", action="Read", check=good)
    assert len(asked) == 2


def test_nothing_is_sent_when_the_time_is_used_up():
    calls = []
    with pytest.raises(DeadlineError, match="Read"):
        wire(lambda _: calls.append(1), seconds=0.0).read(
            "GET", "http://cloud/", action="Read", check=good
        )
    assert not calls


def test_a_call_never_waits_longer_than_the_event_may_take():
    timeouts = []

    def handler(request):
        timeouts.append(request.extensions["timeout"])
        return httpx.Response(200)

    wire(handler, seconds=1.5).read("GET", "http://cloud/", action="Read", check=good)
    assert all(value <= 1.5 for value in timeouts[0].values())


def test_a_redirect_is_not_followed():
    def handler(request):
        assert request.url.host == "cloud"
        return httpx.Response(302, headers={"location": "http://elsewhere/"})

    answer = wire(handler).read("GET", "http://cloud/", action="Read", check=good)
    assert answer.status_code == 302


def test_credentials_of_the_environment_are_never_added(monkeypatch, tmp_path):
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine cloud login me password hunter2\n")
    monkeypatch.setenv("NETRC", str(netrc))
    seen = []

    def handler(request):
        seen.append(request.headers.get("authorization"))
        return httpx.Response(200)

    wire(handler).read("GET", "http://cloud/", action="Read", check=good)
    assert seen == [None]


def test_a_broken_encoding_is_an_unknown_shape():
    def handler(_request):
        return httpx.Response(200, headers={"content-encoding": "gzip"}, content=b"no gzip")

    with pytest.raises(UnknownShapeError):
        wire(handler).read("GET", "http://cloud/", action="Read", check=good)


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b"\xff\xfe\x00"], ids=repr)
def test_a_body_that_is_not_json_is_an_unknown_shape(body):
    with pytest.raises(UnknownShapeError, match="not JSON"):
        parse_json(httpx.Response(200, content=body), provider="c", action="Read")


def test_a_body_nested_without_end_is_an_unknown_shape():
    response = httpx.Response(200, content=b"[" * 200_000)
    with pytest.raises(UnknownShapeError):
        parse_json(response, provider="c", action="Read")
