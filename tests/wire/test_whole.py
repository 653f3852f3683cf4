import gzip

import httpx
import pytest

from sgguard.errors import UnknownShapeError, UnreachableError
from sgguard.wire.body import LARGEST_BYTES
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.retry import Retry


class Clock:
    now_s = 0.0

    def __call__(self):
        return self.now_s


class Pieces(httpx.SyncByteStream):
    def __init__(self, pieces, after_each=lambda: None):
        self.pieces, self.after_each, self.given = pieces, after_each, 0

    def __iter__(self):
        for piece in self.pieces:
            self.given += 1
            yield piece
            self.after_each()


def ask(stream, clock=None, **headers):
    transport = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, stream=stream))
    deadline = Deadline.after(10.0, clock or Clock())
    wire = Wire("cloud", deadline, transport=transport, retry=Retry(attempts=1))
    return wire.read("GET", "http://cloud/", action="Read", check=lambda _: None)


def test_a_body_in_pieces_comes_whole_with_status_and_headers():
    answer = ask(Pieces([b'{"a":', b" 1}"]), **{"x-request-id": "r-1"})
    assert answer.json() == {"a": 1}
    assert (answer.status_code, answer.headers["x-request-id"]) == (200, "r-1")
    assert answer.request.url == "http://cloud/"


def test_a_packed_body_is_unpacked_once():
    packed = gzip.compress(b'{"a": 1}')
    assert ask(Pieces([packed]), **{"content-encoding": "gzip"}).json() == {"a": 1}


def test_a_header_that_comes_twice_stays_twice():
    transport = httpx.MockTransport(
        lambda _: httpx.Response(200, headers=[("x-a", "1"), ("x-a", "2")], text="{}")
    )
    wire = Wire("cloud", Deadline.after(9.0), transport=transport)
    answer = wire.read("GET", "http://cloud/", action="Read", check=lambda _: None)
    assert answer.headers.get_list("x-a") == ["1", "2"]


def test_a_body_still_incomplete_at_the_deadline_is_an_error():
    clock = Clock()

    def later():
        clock.now_s += 1.0

    stream = Pieces([b" "] * 1000, later)
    with pytest.raises(UnreachableError, match="no complete response in time"):
        ask(stream, clock)
    assert stream.given <= 12


def test_a_body_without_end_is_an_unknown_shape_and_is_not_read_on():
    stream = Pieces([b" " * (1 << 20)] * 100)
    with pytest.raises(UnknownShapeError, match="larger than"):
        ask(stream)
    assert stream.given <= LARGEST_BYTES / (1 << 20) + 1


def test_the_largest_body_is_still_read():
    assert len(ask(Pieces([b" " * LARGEST_BYTES])).content) == LARGEST_BYTES
