"""JSON in pieces is the JSON that the standard library writes."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.render.stream import blocks, pieces

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.floats(allow_nan=False, allow_infinity=False)
)
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=12) | st.dictionaries(st.text(), inner, max_size=12),
    max_leaves=60,
)


@given(VALUES, st.sampled_from([None, 2]), st.integers(1, 9))
def test_the_pieces_joined_are_what_one_call_writes(value, indent, times):
    value = {"one": value, "many": [value] * times * 20, "mixed": [value, [value] * 300, value]}
    whole = json.dumps(value, indent=indent, ensure_ascii=False)
    assert "".join(blocks(pieces(value, indent), 100)) == whole


def test_no_piece_is_as_large_as_a_long_document():
    entry = {"group_id": "sg-1", "rule": {"ports": "22", "peer": "10.0.0.0/8"}}
    document = {"decisions": [{"facts": {"references": [entry] * 3000}, "plan": [entry] * 3000}]}
    whole = json.dumps(document, indent=2)
    assert max(map(len, pieces(document, 2))) < len(whole) / 100


def test_a_number_that_json_does_not_have_is_refused():
    with pytest.raises(ValueError, match="JSON"):
        list(pieces({"took_ms": float("nan")}))


@pytest.mark.parametrize("indent", [None, 2])
def test_half_of_a_pair_of_surrogates_is_written_as_the_standard_library_does(indent):
    value = {"many": [["half \ud83d", "whole 😀"]] * 300}
    whole = json.dumps(value, indent=indent, ensure_ascii=False)
    assert "".join(pieces(value, indent)) == whole
