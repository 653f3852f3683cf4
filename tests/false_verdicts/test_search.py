from __future__ import annotations

import pytest

from sgguard import providers
from tests.false_verdicts.kinds import KINDS
from tests.false_verdicts.run import Result, clouds, judge, judge_on_every_core, seeds

# How many clouds are built for each question.
QUICK = {"delete": 200, "batch": 20, "launch": 40}
SLOW = {"delete": 5_000, "batch": 1_000, "launch": 2_500}

WEATHER = {"honest": False, "troubled": True}


def require_honest(result: Result, count: int) -> None:
    """No problem at all, and enough of each answer that finding none means something."""
    assert not result.problems, str(result)
    assert result.counts["block"] > count / 10, f"hardly ever a block: {result}"
    assert result.counts["allow"] + result.counts["remediate"] > count / 10, f"no allow: {result}"


def test_every_provider_has_random_clouds():
    assert set(KINDS) == set(providers.names())


@pytest.mark.parametrize("weather", WEATHER)
@pytest.mark.parametrize("question", QUICK)
@pytest.mark.parametrize("provider", KINDS)
def test_no_answer_about_a_random_cloud_is_a_lie(provider, question, weather):
    count = clouds(QUICK[question])
    result = judge(question, provider, seeds(count), has_trouble=WEATHER[weather])
    require_honest(result, count)


@pytest.mark.slow
@pytest.mark.parametrize("weather", WEATHER)
@pytest.mark.parametrize("question", QUICK)
@pytest.mark.parametrize("provider", KINDS)
def test_no_answer_about_thousands_of_random_clouds_is_a_lie(provider, question, weather):
    # Bad weather costs more time, and half as many questions still strike every call often.
    count = clouds(SLOW[question]) // (2 if WEATHER[weather] else 1)
    result = judge_on_every_core(question, provider, count, has_trouble=WEATHER[weather])
    require_honest(result, count)


@pytest.mark.parametrize(
    ("provider", "question", "seed"),
    [pytest.param("openstack", "batch", "956", id="a link that does not say what it leads to")],
)
def test_what_was_a_lie_once_is_none_any_more(provider, question, seed):
    result = judge(question, provider, [seed], has_trouble=True)
    assert not result.problems, str(result)


@pytest.mark.parametrize("seed", ["1690"])
def test_a_default_group_of_another_project_is_refused_as_another_projects(seed):
    result = judge("delete", "openstack", [seed], has_trouble=False)
    assert not result.problems, str(result)
    assert result.counts["will-be-refused"] == 1
