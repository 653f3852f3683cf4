from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.errors import EventError
from sgguard.events.base import MAX_DEPTH, is_json, parse_json

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**18), 10**18)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(VALUES)
def test_what_json_can_say_is_read_as_it_was_written(value):
    assert parse_json(json.dumps(value).encode()) == value


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused_and_never_crash(body):
    with contextlib.suppress(EventError):
        parse_json(body)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(b"", "is empty", id="nothing"),
        pytest.param(b" \n", "is empty", id="blank"),
        pytest.param(b"{'a': 1}", "line 1 column 2", id="single quotes"),
        pytest.param(b'{"a": 1', "is not JSON", id="cut short"),
        pytest.param(b'{"a": 1} {}', "is not JSON", id="something after it"),
        pytest.param(b'{"a": 1,}', "is not JSON", id="trailing comma"),
        pytest.param(b'{"a": "\xff"}', "not UTF-8 (byte 7)", id="not UTF-8"),
        pytest.param(b'{"a": "\xc0\xa0"}', "not UTF-8", id="overlong UTF-8"),
        pytest.param('{"a": 1}'.encode("utf-16"), "not UTF-8", id="UTF-16"),
        pytest.param(b'\xef\xbb\xbf{"a": 1}', "is not JSON", id="byte order mark"),
        pytest.param(b'{"a": 1, "a": 2}', "comes twice", id="duplicate key"),
        pytest.param(b'{"a": {"b": 1, "\\u0062": 2}}', "comes twice", id="escaped duplicate key"),
        pytest.param(b'{"a": NaN}', "not finite", id="NaN"),
        pytest.param(b'{"a": -Infinity}', "not finite", id="Infinity"),
        pytest.param(b'{"a": 1e999}', "not finite", id="overflow"),
        pytest.param(b"9" * 5000, "too large", id="5,000 digits"),
        pytest.param(b'{"a": "\\ud800"}', "surrogate", id="half a surrogate pair"),
        pytest.param(b'{"\\udfff": 1}', "surrogate", id="half a surrogate pair in a key"),
        pytest.param(b"[" * 100_000, "nested", id="a hundred thousand brackets, open"),
        pytest.param(b"[" * 50_000 + b"]" * 50_000, "nested", id="fifty thousand levels"),
        pytest.param(b'{"a":' * 900 + b"1" + b"}" * 900, "nested", id="nine hundred objects"),
    ],
)
def test_a_body_another_reader_could_understand_otherwise_is_refused(body, said):
    with pytest.raises(EventError) as caught:
        parse_json(body)
    assert caught.value.status == 400
    assert said in str(caught.value)
    assert len(str(caught.value)) < 100


def test_the_deepest_level_that_is_read_is_the_last_one_named():
    assert parse_json(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH)
    with pytest.raises(EventError):
        parse_json(b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1))


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        ("application/json", True),
        ("Application/JSON; charset=UTF-8", True),
        ('application/json; charset="utf-8"', True),
        ("application/vnd.portal+json", True),
        ("application/json; charset=latin-1", False),
        ("application/jsonp", False),
        ("text/plain", False),
        ("", False),
    ],
)
def test_json_is_known_by_its_content_type(content_type, expected):
    assert is_json(content_type) is expected
