from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from tests.false_verdicts.clouds import case_of
from tests.false_verdicts.detector import Tally, problem_with_delete
from tests.false_verdicts.huawei_hidden import HUAWEI_HIDDEN
from tests.false_verdicts.launch import launch_case_of, problem_with_launch
from tests.false_verdicts.run import clouds, seeds

CHECKS = {"delete": (case_of, problem_with_delete), "launch": (launch_case_of, problem_with_launch)}


def require_no_problem(kind, count, *, has_faults):
    make, check = CHECKS[kind]
    tally = Tally(Counter())
    for seed in seeds(count):
        case = make(HUAWEI_HIDDEN, f"hidden {seed}")
        if has_faults:
            case = replace(case, fault_seed=f"trouble {seed}")
        assert not (problem := check(case, tally)), f"{seed}: {problem}"
    return tally.counts


@pytest.mark.parametrize("has_faults", [False, True])
@pytest.mark.sampled(2)
def test_no_verdict_on_a_cloud_that_hides_something_is_false(has_faults):
    counts = require_no_problem("delete", clouds(60), has_faults=has_faults)
    assert counts["block"] > 6
    assert has_faults or counts["allow"] > 3


def test_no_launch_on_a_cloud_that_hides_something_is_false():
    counts = require_no_problem("launch", clouds(15), has_faults=False)
    assert counts["allow"] + counts["block"] == clouds(15)
