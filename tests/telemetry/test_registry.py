"""The registry against the code that counts: names, units, and the closed sets of its labels."""

from __future__ import annotations

import math
import re
from typing import get_args

import pytest

from sgguard import errors
from sgguard.model.codes import Mode, Outcome, ReasonCode, UnseenCode, Verdict
from sgguard.policy import Guard
from sgguard.telemetry import registry
from sgguard.telemetry.registry import METRICS, OTHER
from sgguard.web import problem, server
from sgguard.wire.observed import result_of

SERIES_MAX = 400
"""Of one metric: Prometheus keeps each in memory, and histograms count once per bucket."""


@pytest.mark.parametrize(
    ("label", "known"),
    [
        (registry.MODE, Mode),
        (registry.VERDICT, Verdict),
        (registry.OUTCOME, Outcome),
        (registry.CODE, ReasonCode),
        (registry.GAP, UnseenCode),
        (registry.GUARD, get_args(Guard)),
        (registry.FUNCTION, server.functions()),
        (registry.PROBLEM, problem.PROBLEMS),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
@pytest.mark.sampled(4)
def test_a_label_has_exactly_the_values_that_the_code_knows(label, known):
    assert sorted(label.values) == sorted(known)


def test_every_error_of_a_call_has_its_own_result():
    def kinds(of: type[Exception]) -> set[type[Exception]]:
        return {of, *(deeper for one in of.__subclasses__() for deeper in kinds(one))}

    of_clouds = kinds(errors.CloudError) - {errors.CloudError}
    raised = [one("tencent", "DescribeInstances") for one in of_clouds]
    raised += [errors.DeadlineError(""), errors.SettingsError("")]
    results = {result_of(one) for one in raised}
    assert results | {"ok", "paced"} == set(registry.RESULT.values)


def test_names_are_unique_and_say_kind_and_unit():
    for names in ([one.name for one in METRICS], [one.otel for one in METRICS]):
        assert len(set(names)) == len(names)
    for one in METRICS:
        assert re.fullmatch(r"sgguard_[a-z_]+", one.name)
        assert one.name.endswith("_total") == (one.kind == "counter")
        assert one.name.endswith("_seconds") == (one.unit == "s")
        assert bool(one.buckets) == (one.kind == "histogram")
        assert one.help.endswith(".")


@pytest.mark.parametrize("metric", METRICS, ids=lambda one: one.name)
def test_no_metric_can_have_more_series_than_a_server_bears(metric):
    labelled = math.prod(len(label.values) + 1 for label in metric.labels)
    assert labelled * (len(metric.buckets) + 3 if metric.buckets else 1) <= SERIES_MAX


def test_a_value_that_nobody_knows_is_counted_as_other():
    assert registry.CODE.value("bound") == "bound"
    assert registry.CODE.value("sg-5ua9adfv'); drop table") == OTHER
    assert registry.REQUESTS.values({"status": "418"}) == ("", OTHER)
