import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.wire import lean

NAMES = st.sampled_from([b"accept", b"X-TC-Action", b"content-type", b"cookie", b"x-a"])
VALUES = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"))
HEADERS = st.lists(st.tuples(NAMES, VALUES.map(lambda text: text.encode("latin-1"))), max_size=5)
URLS = st.sampled_from(
    ["http://a/", "https://b:8443/v2/x?y=1&z=%20", "http://[::1]:80/", "https://xn--fiqs8s.com/v"]
).map(httpx.URL)
TIMEOUTS = httpx.Timeout(3.0, connect=1.0).as_dict()


@given(st.sampled_from(["GET", "POST", "PUT", "DELETE"]), URLS, HEADERS, st.binary(max_size=9))
def test_a_request_is_the_one_that_httpx_makes(method, url, headers, body):
    ours = lean.Request(method, url, headers, body, TIMEOUTS)
    theirs = httpx.Request(
        method, url, headers=headers, content=body, extensions={"timeout": TIMEOUTS}
    )
    assert (ours.method, ours.url, ours.content) == (method, theirs.url, theirs.content)
    assert sorted(ours.headers.raw) == sorted(theirs.headers.raw)
    assert ours.headers.raw[0] == theirs.headers.raw[0]
    assert ours.headers.multi_items() != []
    assert sorted(ours.headers.items()) == sorted(theirs.headers.items())
    assert ours.extensions == theirs.extensions
    assert b"".join(ours.stream) == ours.read() == body
    assert vars(ours).keys() == vars(theirs).keys()


@given(st.sampled_from([200, 204, 404, 503]), HEADERS, st.binary(max_size=30))
def test_a_response_is_the_one_that_httpx_makes_once_it_is_read(status, headers, body):
    request = httpx.Request("GET", "http://a/")
    ours = lean.Response(status, headers, body, request)
    theirs = httpx.Response(status, headers=headers, content=body, request=request)
    theirs.read()
    theirs.headers.pop("content-length", None)  # what httpx adds was not received
    assert ours.status_code == theirs.status_code
    assert ours.is_success == theirs.is_success
    assert ours.headers.raw == theirs.headers.raw
    assert dict(ours.headers) == dict(theirs.headers)
    assert ours.content == ours.read() == b"".join(ours.iter_bytes()) == body
    assert ours.text == theirs.text
    assert ours.request is request
    ours.close()
    missing = vars(theirs).keys() - vars(ours).keys()
    assert missing <= {"_decoder", "_text"}  # made when they are asked for


def test_a_response_is_read_as_json():
    ours = lean.Response(200, [], b'{"a": 1}', httpx.Request("GET", "http://a/"))
    assert ours.json() == {"a": 1}


def test_a_header_that_is_set_replaces_the_one_that_is_there():
    request = lean.Request("GET", httpx.URL("http://a/"), [(b"X-A", b"1")], b"", TIMEOUTS)
    request.headers["x-a"] = "2"
    assert request.headers.raw == [(b"Host", b"a"), (b"x-a", b"2")]


def test_a_header_with_characters_beyond_ascii_cannot_be_set():
    request = lean.Request("GET", httpx.URL("http://a/"), [], b"", TIMEOUTS)
    with pytest.raises(UnicodeEncodeError):
        request.headers["x-tc-token"] = "\u5bc6"
