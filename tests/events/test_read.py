from __future__ import annotations

import hashlib
import io

import pytest

from sgguard import events
from sgguard.errors import EventError
from sgguard.events import base
from sgguard.model.event import Event
from sgguard.render.language.refusal import problem_json
from sgguard.web import body

KIND = base.Kind("delete_request", "sgguard.delete.requested.v1")
BODY = b'{"target": "tencent::ap-guangzhou:sg-5ua9adfv"}'


def read_stream(stream, max_bytes: int, **headers: str) -> base.Delivery:
    named = {name.replace("_", "-").lower(): value for name, value in headers.items()}
    return events.read(named, body.whole(named, stream, max_bytes), KIND)


def read(content: bytes, max_bytes: int = 1000, **headers: str) -> base.Delivery:
    return read_stream(io.BytesIO(content), max_bytes, **headers)


@pytest.mark.parametrize(
    "content_type",
    ["application/json", "application/json; charset=utf-8", "application/octet-stream", ""],
)
def test_a_bare_body_is_one_event_named_by_the_hash_of_its_bytes(content_type):
    delivery = read(BODY, content_type=content_type)
    assert delivery.mode == "bare"
    (event,) = delivery.items
    assert isinstance(event, Event)
    assert event.event_id == "sha256:" + hashlib.sha256(BODY).hexdigest()
    assert event.data == {"target": "tencent::ap-guangzhou:sg-5ua9adfv"}
    assert event.pointer == ""


def test_a_bare_body_without_any_content_type_is_read():
    assert read(BODY).mode == "bare"


def test_a_bare_body_may_name_its_event_and_the_name_is_no_part_of_the_data():
    (event,) = read(b'{"id": "order-7", "target": "x"}').items
    assert isinstance(event, Event)
    assert (event.event_id, event.data) == ("order-7", {"target": "x"})


@pytest.mark.parametrize("event_id", ['""', "7", "[]", '"a\\nb"', '"' + "x" * 257 + '"'])
def test_an_id_that_cannot_be_used_is_refused_and_not_replaced(event_id):
    with pytest.raises(EventError) as caught:
        read(b'{"target": "x", "id": ' + event_id.encode() + b"}")
    assert caught.value.status == 400
    assert [problem.path for problem in caught.value.problems] == ["/id"]


def test_an_id_that_is_null_is_an_id_that_is_not_there():
    (event,) = read(b'{"id": null, "target": "x"}').items
    assert isinstance(event, Event)
    assert event.event_id.startswith("sha256:")


@pytest.mark.parametrize("body", [b"[]", b'"text"', b"7", b"null", b"true"])
def test_a_bare_body_that_is_no_object_is_refused(body):
    with pytest.raises(EventError) as caught:
        read(body)
    assert caught.value.status == 400


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "text/plain",
        "multipart/form-data; boundary=x",
        "application/xml",
        "application/json; charset=utf-16",
    ],
)
def test_a_body_of_another_format_is_refused_with_what_would_be_right(content_type):
    with pytest.raises(EventError) as caught:
        read(BODY, content_type=content_type)
    assert caught.value.status == 415
    assert "application/json" in problem_json(caught.value.problems[0])["expected"]


def test_a_compressed_body_is_refused():
    with pytest.raises(EventError) as caught:
        read(BODY, content_encoding="gzip")
    assert caught.value.status == 415


class Endless(io.RawIOBase):
    """A body without an end that counts what is read of it."""

    taken = 0

    def read(self, size: int = -1, /) -> bytes:
        self.taken += size
        return b" " * size


@pytest.mark.parametrize("length", ["1001", "99999999999999999999999999", "9" * 10_000])
def test_a_body_that_says_it_is_too_large_is_not_read_at_all(length):
    stream = Endless()
    with pytest.raises(EventError) as caught:
        read_stream(stream, 1000, content_length=length)
    assert (caught.value.status, stream.taken) == (413, 0)


@pytest.mark.parametrize("headers", [{}, {"content_length": "5"}, {"content_length": "many"}])
def test_a_body_that_is_too_large_is_not_read_to_its_end(headers):
    stream = Endless()
    with pytest.raises(EventError) as caught:
        read_stream(stream, 1_000_000, **headers)
    assert (caught.value.status, stream.taken) == (413, 1_000_001)


def test_a_body_of_exactly_the_largest_size_is_read_also_in_pieces():
    class Pieces(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 3))

    delivery = read_stream(Pieces(BODY), len(BODY))
    assert delivery.mode == "bare"


def test_a_body_that_breaks_off_is_the_senders_problem():
    class Broken(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise ConnectionResetError

    with pytest.raises(EventError) as caught:
        read_stream(Broken(), 1000)
    assert caught.value.status == 400
