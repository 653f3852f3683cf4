"""Values of an answer: what is unambiguous is read, whatever its JSON type."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.errors import UnknownShapeError
from sgguard.wire.shape import Shape

SHAPE = Shape("tencent", "DescribeThings")


@given(st.integers(min_value=-(10**17), max_value=10**17))
def test_a_whole_number_is_read_as_number_text_and_float(number: int) -> None:
    assert SHAPE.integer({"n": number}, "n", "row") == number
    assert SHAPE.integer({"n": str(number)}, "n", "row") == number
    if abs(number) < 2**53:
        assert SHAPE.integer({"n": float(number)}, "n", "row") == number


@pytest.mark.parametrize("value", ["", "1.5", "22-23", "0x16", " 22", "1e3", 1.5, True, [], {}])
def test_what_is_no_whole_number_for_certain_is_an_unknown_shape(value: object) -> None:
    with pytest.raises(UnknownShapeError):
        SHAPE.integer({"n": value}, "n", "row")


def test_a_number_is_read_where_a_text_is_documented() -> None:
    assert SHAPE.text({"port": 22}, "port", "row") == "22"
    assert SHAPE.text_or_empty({"port": 22}, "port", "row") == "22"


@pytest.mark.parametrize("value", [True, 1.5, [], {}])
def test_what_is_neither_text_nor_whole_number_is_no_text(value: object) -> None:
    with pytest.raises(UnknownShapeError, match="expected a text, got"):
        SHAPE.text({"port": value}, "port", "row")


def test_an_empty_text_is_named_as_such() -> None:
    with pytest.raises(UnknownShapeError, match="expected a text, got an empty text"):
        SHAPE.text({"id": ""}, "id", "row")


def test_a_truth_value_is_read_as_text_and_as_number() -> None:
    row = {"a": "true", "b": "False", "c": 1, "d": 0}
    for otherwise in (True, False):
        read = {key: SHAPE.flag(row, key, "row", otherwise=otherwise) for key in row}
        assert read == {"a": True, "b": False, "c": True, "d": False}


@pytest.mark.parametrize("value", ["yes", "", 2, 1.5, []])
def test_what_is_no_truth_value_for_certain_is_an_unknown_shape(value: object) -> None:
    with pytest.raises(UnknownShapeError):
        SHAPE.flag({"on": value}, "on", "row", otherwise=False)


@pytest.mark.parametrize(
    ("value", "shown"),
    [("web", "web"), (None, ""), (3, "3"), (True, "true"), ({"a": ["é"]}, '{"a": ["é"]}')],
)
@pytest.mark.sampled(3)
def test_a_field_that_is_only_shown_takes_any_value(value: object, shown: str) -> None:
    assert SHAPE.shown({"name": value}, "name") == shown
