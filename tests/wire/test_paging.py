import pytest

from sgguard.errors import NotFoundError
from sgguard.wire.parallel import chunks, in_chunks


def test_ids_come_once_each_and_in_order():
    assert chunks(["b", "a", "b", "c"], 2) == [["b", "a"], ["c"]]


def test_ids_of_a_refused_chunk_are_asked_one_by_one_and_unknown_ones_are_left_out():
    calls = []

    def ask(ids):
        calls.append(tuple(ids))
        if "gone" in ids:
            raise NotFoundError("cloud", "Read")
        return {one: one.upper() for one in ids}

    assert in_chunks(["a", "gone", "b", "a", "c"], 3, ask) == {
        "a": "A",
        "b": "B",
        "c": "C",
    }
    assert sorted(calls) == [("a",), ("a", "gone", "b"), ("b",), ("c",), ("gone",)]


def test_no_ids_ask_nothing():
    assert in_chunks([], 3, lambda ids: pytest.fail(f"asked for {ids}")) == {}
