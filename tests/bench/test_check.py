"""What counts as worse than the written ratios, and what does not."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from tests.bench.check import ROUNDS, is_busy, limit, worse
from tests.bench.measure import Ratio
from tests.bench.results import RESULTS, rows_of

WHAT, AGAINST = "CPU of a decision, tencent", "bare httpx calls"


def row(value: float, noise: float) -> str:
    return Ratio(WHAT, AGAINST, value, 1.15, "6 calls", noise).row()


def found(*values: float | tuple[float, float]):
    """Measure these ratios, or these seconds of ours and theirs, one in each try; then the last."""
    # What stays so is measured as often as there are tries.
    last = [values[-1]] * len(ROUNDS)
    rest = [one if isinstance(one, tuple) else (one, 1.0) for one in (*values, *last)]

    def measure(_runs: int, names: Collection[tuple[str, str]]) -> list[Ratio]:
        assert set(names) <= {(WHAT, AGAINST)}
        ours_s, theirs_s = rest.pop(0)
        return [Ratio(WHAT, AGAINST, ours_s / theirs_s, 1.15, "6 calls", 0.01, ours_s, theirs_s)]

    return measure


def test_what_machines_differ_by_is_no_worse_and_more_is():
    assert limit(row(1.0, 0.05)) == pytest.approx(1.30)
    assert worse([row(1.0, 0.05)], found(1.29)) == []
    (line,) = worse([row(1.0, 0.05)], found(1.4, 1.4, 1.4))
    assert line == "CPU of a decision, tencent against bare httpx calls: 1.40, at most 1.30"


def test_noise_that_was_written_on_a_busy_machine_hides_nothing():
    assert limit(row(2.0, 0.9)) == limit(row(2.0, 0.01)) == pytest.approx(2.60)


def test_what_only_seems_worse_is_measured_again():
    assert worse([row(1.0, 0.05)], found(1.5, 1.4, 1.05)) == []


def test_the_least_of_all_tries_counts_of_ours_and_of_theirs():
    spells = ((1.6, 1.0), (1.4, 1.15), (1.4, 1.2))
    assert worse([row(1.0, 0.05)], found(*spells)) == [
        "CPU of a decision, tencent against bare httpx calls: 1.40, at most 1.30"
    ], "a slow spell of theirs hides nothing"
    assert worse([row(1.0, 0.05)], found((1.5, 1.0), (1.05, 1.3), (1.2, 1.2))) == []


def test_a_ratio_that_is_not_written_yet_is_no_failure():
    other = row(1.0, 0.05).replace("tencent", "another")
    assert worse([other], found(9.0, 9.0, 9.0)) == []


def test_without_any_written_noise_there_is_nothing_to_compare_and_that_fails():
    with pytest.raises(ValueError, match="no ratio of CPU"):
        worse([Ratio("calls", "the fewest", 1.0, 2.0).row()], found(1.0))


def test_the_written_results_have_the_noise_of_every_ratio_of_cpu():
    rows = rows_of(RESULTS.read_text(encoding="utf-8"))
    compared = [one for one in rows if one.startswith(("| start to", "| CPU of"))]
    assert len(compared) == 4 + 5
    assert all(limit(one) > 0 for one in compared)


def test_a_machine_is_too_busy_to_judge_from_two_processes_a_core():
    assert not is_busy(4.0, 2)
    assert is_busy(4.1, 2)
