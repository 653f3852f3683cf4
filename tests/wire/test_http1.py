"""Responses read strictly: whatever is accepted, h11 reads the same; the rest is refused."""

from __future__ import annotations

import h11
import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgguard.wire import http1
from sgguard.wire.body import LARGEST_BYTES, TooLargeError
from sgguard.wire.http1 import NotHttpError, Reader

OK = b"HTTP/1.1 200 OK\r\n"
TWO = OK + b"Content-Length: 2\r\n\r\n{}"


def receiving(data, piece=1 << 16):
    """Return what hands the bytes out in pieces, and nothing more after them."""
    parts = iter([data[start : start + piece] for start in range(0, len(data), piece)])
    return lambda: next(parts, b"")


def read(data, method="GET", piece=1 << 16):
    return Reader(receiving(data, piece)).read(method)


def read_by_h11(data, method="GET"):
    """Return status and body as h11 reads them.

    Raises:
        h11.RemoteProtocolError: it does not accept them.
    """
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method=method, target="/", headers=[("host", "a")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(data)
    connection.receive_data(b"")
    status, body = 0, b""
    while True:
        event = connection.next_event()
        if isinstance(event, h11.Response):
            status = event.status_code
        elif isinstance(event, h11.Data):
            body += bytes(event.data)
        elif isinstance(event, (h11.EndOfMessage, h11.ConnectionClosed)):
            return status, body


# -- what is accepted ------------------------------------------------------------------------------


@pytest.mark.parametrize("piece", [1, 2, 3, 7, 1 << 16])
@pytest.mark.parametrize(
    "data",
    [
        TWO,
        OK + b"content-length:2\r\ncontent-length: 2\r\n\r\n{}",
        OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n01\r\n}\r\n0\r\n\r\n",
        OK + b"Transfer-Encoding: Chunked\r\n\r\n2;a=b\r\n{}\r\n0;c\r\nx: y\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n" + TWO,
        b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 \xe4\xe5\r\nContent-Length: 2\r\nx: \xff\t\xfe\r\n\r\n{}",
        OK + b"\r\n{}",
        b"HTTP/1.0 200 OK\r\n\r\n{}",
    ],
    ids=repr,
)
def test_a_response_is_read_however_its_bytes_are_cut(data, piece):
    answer = read(data, piece=piece)
    assert (answer.status, answer.body) == (200, b"{}") == read_by_h11(data)


@pytest.mark.parametrize(
    ("data", "method"),
    [
        (b"HTTP/1.1 204 No Content\r\nContent-Length: 9\r\n\r\n", "GET"),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "GET"),
        (OK + b"Content-Length: 9\r\n\r\n", "HEAD"),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n", "HEAD"),
    ],
)
def test_a_response_without_a_body_ends_with_its_head(data, method):
    assert read(data, method).body == b""


@pytest.mark.parametrize(
    ("data", "is_last"),
    [
        (TWO, False),
        (OK + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", False),
        (b"HTTP/1.1 204 No Content\r\n\r\n", False),
        (OK + b"Connection: close\r\nContent-Length: 2\r\n\r\n{}", True),
        (OK + b"Connection: x, Close\r\nContent-Length: 2\r\n\r\n{}", True),
        (b"HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 2\r\n\r\n{}", True),
        (OK + b"\r\n{}", True),
        (TWO + b"HTTP/1.1 200 OK\r\n\r\n", True),
        (TWO + b"\r\n", True),
    ],
    ids=repr,
)
def test_a_connection_is_used_again_only_after_a_clean_end(data, is_last):
    assert read(data).is_last == is_last


def test_two_responses_on_one_connection_are_read_one_after_the_other():
    parts = iter([TWO, OK + b"Content-Length: 1\r\n\r\n1"])
    reader = Reader(lambda: next(parts, b""))
    assert [reader.read("GET").body, reader.read("GET").body] == [b"{}", b"1"]


# -- what is refused -------------------------------------------------------------------------------

LENGTH = b"Content-Length: 2\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
REFUSED = {
    "another protocol": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "a page without a head": b"<html></html>" * 9,
    "HTTP/2": b"HTTP/2 200 OK\r\n" + LENGTH + b"\r\n{}",
    "HTTP/1.2": b"HTTP/1.2 200 OK\r\n" + LENGTH + b"\r\n{}",
    "a status of two digits": b"HTTP/1.1 20 OK\r\n" + LENGTH + b"\r\n{}",
    "a status of four digits": b"HTTP/1.1 2000 OK\r\n" + LENGTH + b"\r\n{}",
    "a status that begins with 0": b"HTTP/1.1 020 OK\r\n" + LENGTH + b"\r\n{}",
    "a space before the version": b" HTTP/1.1 200 OK\r\n" + LENGTH + b"\r\n{}",
    "two spaces before the status": b"HTTP/1.1  200 OK\r\n" + LENGTH + b"\r\n{}",
    "a control character in the reason": b"HTTP/1.1 200 O\x07K\r\n" + LENGTH + b"\r\n{}",
    "switching protocols": b"HTTP/1.1 101 Switching\r\n\r\n" + TWO,
    "interim answers without end": b"HTTP/1.1 100 Continue\r\n\r\n" * 99 + TWO,
    "bare line feeds": b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}" + b"\r\n\r\n",
    "a bare carriage return": OK + b"a: b\rContent-Length: 9\r\n" + LENGTH + b"\r\n{}",
    "a bare line feed in a header": OK + b"a: b\nContent-Length: 9\r\n" + LENGTH + b"\r\n{}",
    "a folded header": OK + b"a: b\r\n c\r\n" + LENGTH + b"\r\n{}",
    "a space before the colon": OK + b"Content-Length : 2\r\n\r\n{}",
    "a header without a colon": OK + b"Content-Length\r\n\r\n{}",
    "a header without a name": OK + b": 2\r\n" + LENGTH + b"\r\n{}",
    "NUL in a header": OK + b"a: \0\r\n" + LENGTH + b"\r\n{}",
    "two lengths": OK + LENGTH + b"content-length: 3\r\n\r\n{}}",
    "a list of lengths": OK + b"Content-Length: 2, 3\r\n\r\n{}",
    "a signed length": OK + b"Content-Length: +2\r\n\r\n{}",
    "a negative length": OK + b"Content-Length: -2\r\n\r\n{}",
    "a length in hexadecimal": OK + b"Content-Length: 0x2\r\n\r\n{}",
    "an empty length": OK + b"Content-Length:\r\n\r\n{}",
    "a length of other digits": OK + "Content-Length: ٢\r\n\r\n{}".encode(),
    "a length of 40 digits": OK + b"Content-Length: " + b"1" * 40 + b"\r\n\r\n{}",
    "a length beside chunks": OK
    + LENGTH
    + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    "chunks in HTTP/1.0": b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "an unknown coding": OK + b"Transfer-Encoding: gzip\r\n\r\n{}",
    "two codings": OK + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": OK
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "a hidden coding": OK + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "no size": CHUNKED + b"\r\n{}\r\n0\r\n\r\n",
    "a size that is no number": CHUNKED + b"g\r\n{}\r\n0\r\n\r\n",
    "a size with 0x": CHUNKED + b"0x2\r\n{}\r\n0\r\n\r\n",
    "a negative size": CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n",
    "a size of 17 digits": CHUNKED + b"0" * 16 + b"2\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than its size": CHUNKED + b"1\r\n{}\r\n0\r\n\r\n",
    "a chunk that ends with a line feed": CHUNKED + b"2\r\n{}\n\n0\r\n\r\n",
    "a size that ends with a line feed": CHUNKED + b"2\n{}\r\n0\r\n\r\n",
    "a control character beside a size": CHUNKED + b"2;\0\r\n{}\r\n0\r\n\r\n",
    "a trailer that is no header": CHUNKED + b"2\r\n{}\r\n0\r\nHTTP/1.1 200 OK\r\n\r\n",
    "a head without end": OK + b"a: b\r\n" * 20_000,
    "too many headers": OK + b"a: b\r\n" * (http1.HEADERS_MAX + 1) + LENGTH + b"\r\n{}",
    "a head too large": OK + b"a: " + b"b" * http1.HEAD_BYTES + b"\r\n" + LENGTH + b"\r\n{}",
    "a size without end": CHUNKED + b"2;" + b"a" * 200_000,
    "extensions without end": CHUNKED + (b"1;" + b"a" * 900 + b"\r\n{\r\n") * 99,
    "trailers without end": CHUNKED + b"0\r\n" + b"a: b\r\n" * 20_000,
}


@pytest.mark.parametrize("data", REFUSED.values(), ids=REFUSED)
def test_what_can_be_read_in_two_ways_or_without_bound_is_refused(data):
    with pytest.raises(NotHttpError):
        read(data, piece=4096)


@pytest.mark.parametrize("end", range(1, len(TWO)))
def test_a_response_that_ends_early_is_not_complete(end):
    if TWO[:end] == TWO[: TWO.index(b"\r\n\r\n") + 4]:
        end += 1
    with pytest.raises(httpx.RemoteProtocolError) as caught:
        read(TWO[:end])
    assert not isinstance(caught.value, NotHttpError)


@pytest.mark.parametrize("end", range(len(CHUNKED), len(CHUNKED) + 11))
def test_chunks_that_end_early_are_not_complete(end):
    with pytest.raises(httpx.RemoteProtocolError):
        read((CHUNKED + b"2\r\n{}\r\n0\r\n\r\n")[:end])


@pytest.mark.parametrize(
    "data",
    [
        OK + b"Content-Length: %d\r\n\r\n" % (LARGEST_BYTES + 1),
        CHUNKED + b"%x\r\n" % (LARGEST_BYTES + 1),
        CHUNKED + b"f00000\r\n" + b"a" * 0xF00000 + b"\r\n1\r\na\r\n0\r\n\r\n",
        OK + b"\r\n" + b"a" * (LARGEST_BYTES + 1),
    ],
    ids=["length", "a chunk", "chunks together", "until the end"],
)
@pytest.mark.sampled(3)
def test_a_body_larger_than_any_list_is_refused_before_it_is_kept(data):
    with pytest.raises(TooLargeError):
        read(data)


# -- against another reader ------------------------------------------------------------------------

SEEDS = [
    TWO,
    OK + b"Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1;a=b\r\n}\r\n0\r\nx: y\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n" + TWO,
    OK + b"Connection: close\r\n\r\n{}",
    b"HTTP/1.1 404 Not Found\r\nContent-Type: a/b\r\nContent-Length: 10\r\n\r\n0123456789",
]
BITS = [
    *(bytes([one]) for one in b"\r\n\t :;,0123aAfF\0\x0b\xff"),
    b"\r\n",
    b"\r\n\r\n",
    b"Content-Length: 1\r\n",
    b"content-length: 2\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"0\r\n\r\n",
    b"HTTP/1.0 200 OK\r\n",
]


@st.composite
def mangled(draw):
    """A good response after some edits: cut, doubled, reordered, with bits put in."""
    data = draw(st.sampled_from(SEEDS))
    for _ in range(draw(st.integers(0, 4))):
        place = draw(st.integers(0, len(data)))
        other = draw(st.integers(0, len(data)))
        low, high = sorted((place, other))
        data = draw(
            st.sampled_from(
                [
                    data[:place],
                    data[:low] + data[high:],
                    data[:high] + data[low:],
                    data[low:high] + data[:low] + data[high:],
                    data[:place] + draw(st.sampled_from(BITS)) + data[place:],
                    data[:place] + draw(st.sampled_from(BITS)) + data[place + 1 :],
                ]
            )
        )
    return data


@given(data=mangled() | st.binary(max_size=60), piece=st.integers(1, 40))
def test_what_is_accepted_is_read_by_h11_in_the_same_way(data, piece):
    compare(data, piece)


@pytest.mark.slow
@settings(max_examples=20_000)
@given(data=mangled() | st.binary(max_size=60), piece=st.integers(1, 40))
def test_twenty_thousand_mangled_responses_are_read_as_h11_reads_them(data, piece):
    compare(data, piece)


def compare(data, piece):
    try:
        answer = read(data, piece=piece)
    except (httpx.RemoteProtocolError, TooLargeError):
        return
    assert (answer.status, answer.body) == read_by_h11(data)
