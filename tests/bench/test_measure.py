import pytest

from tests.bench.measure import Ratio, interleaved, round_trips


@pytest.mark.parametrize(
    ("spans", "depth"),
    [
        ([], 0),
        ([(0, 1)], 1),
        ([(0, 1), (0.1, 1.1), (0.2, 0.9)], 1),
        ([(0, 1), (1, 2)], 2),
        ([(0, 1), (0, 1), (1.5, 2), (1.6, 2.2), (3, 4)], 3),
        ([(0, 5), (1, 2), (2.5, 3)], 2),
    ],
    ids=str,
)
def test_calls_side_by_side_count_once_and_calls_in_a_row_each(spans, depth):
    assert round_trips(spans) == depth


def test_runs_alternate_and_the_ratio_is_taken_pair_by_pair():
    a, b = iter([9.0, 2.0, 4.0, 6.0]), iter([9.0, 1.0, 4.0, 2.0])
    assert interleaved(lambda: next(a), lambda: next(b), 3) == (4.0, 2.0, 2.0)


def test_a_ratio_over_its_aim_says_so():
    assert "| no |" in Ratio("a", "b", 1.5, 1.35).row()
    assert "| yes |" in Ratio("a", "b", 1.35, 1.35).row()
