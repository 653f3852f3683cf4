from __future__ import annotations

import pytest

from sgguard import providers
from tests.false_verdicts.kinds import KINDS
from tests.false_verdicts.run import Result, clouds, search, search_on_every_core, seeds

# How many clouds are built for each kind of request; the mutation run builds more of them.
FEW = 50
QUICK = {"delete": 24, "batch": 6, "launch": 8}
SLOW = {"delete": 2_000, "batch": 400, "launch": 1_000}

CONDITIONS = {"no-faults": False, "faults": True}


def require_no_false_verdict(result: Result, count: int) -> None:
    """No problem at all, and enough of each verdict for that to mean something.

    The few clouds of the quick suite need only be decided: with faults most allows need more.
    """
    assert not result.problems, str(result)
    if count < FEW:
        decided = sum(result.counts[one] for one in ("allow", "block", "remediate"))
        assert decided >= count / 4, f"hardly ever decided: {result}"
        return
    assert result.counts["block"] > count / 10, f"hardly ever a block: {result}"
    # An allow rests on many calls, proofs included, and a fault of any of them prevents it.
    assert result.counts["allow"] + result.counts["remediate"] >= count / 15, f"no allow: {result}"


def test_every_provider_has_random_clouds():
    assert set(KINDS) == set(providers.names())


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("request_kind", QUICK)
@pytest.mark.parametrize("provider", KINDS)
@pytest.mark.sampled(38)
def test_no_verdict_on_a_random_cloud_is_false(provider, request_kind, condition):
    count = clouds(QUICK[request_kind])
    result = search(request_kind, provider, seeds(count), has_faults=CONDITIONS[condition])
    require_no_false_verdict(result, count)


@pytest.mark.slow
@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("request_kind", QUICK)
@pytest.mark.parametrize("provider", KINDS)
def test_no_verdict_on_thousands_of_random_clouds_is_false(provider, request_kind, condition):
    # Faults cost more time, and half as many requests still reach every call often.
    count = clouds(SLOW[request_kind]) // (2 if CONDITIONS[condition] else 1)
    result = search_on_every_core(request_kind, provider, count, has_faults=CONDITIONS[condition])
    require_no_false_verdict(result, count)


@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("request_kind", QUICK)
@pytest.mark.parametrize("provider", KINDS)
@pytest.mark.sampled(44)
def test_no_verdict_on_a_cloud_that_misleads_its_readers_is_false(
    provider, request_kind, condition
):
    count = clouds(QUICK[request_kind] // 2)
    has_faults = CONDITIONS[condition]
    result = search(request_kind, provider, seeds(count), has_faults=has_faults, is_misled=True)
    assert not result.problems, str(result)
    assert result.counts["block"] > count / 10, f"hardly ever a block: {result}"


@pytest.mark.slow
@pytest.mark.parametrize("condition", CONDITIONS)
@pytest.mark.parametrize("request_kind", QUICK)
@pytest.mark.parametrize("provider", KINDS)
def test_no_verdict_on_thousands_of_clouds_that_mislead_their_readers_is_false(
    provider, request_kind, condition
):
    count = clouds(SLOW[request_kind]) // (10 if CONDITIONS[condition] else 5)
    has_faults = CONDITIONS[condition]
    result = search_on_every_core(
        request_kind, provider, count, has_faults=has_faults, is_misled=True
    )
    assert not result.problems, str(result)
    assert result.counts["block"] > count / 10, f"hardly ever a block: {result}"
    if provider != "tencent-dfw":  # what misleads there hides something from every reader
        allowed = result.counts["allow"] + result.counts["remediate"]
        assert allowed > count / 50, f"no allow: {result}"


@pytest.mark.parametrize(
    ("provider", "request_kind", "seed"),
    [pytest.param("openstack", "batch", "956", id="a link that does not say what it leads to")],
)
def test_a_seed_that_once_gave_a_false_verdict_gives_none(provider, request_kind, seed):
    result = search(request_kind, provider, [seed], has_faults=True)
    assert not result.problems, str(result)


@pytest.mark.parametrize("seed", ["1690"])
def test_a_default_group_of_another_project_is_refused_as_another_projects(seed):
    result = search("delete", "openstack", [seed], has_faults=False)
    assert not result.problems, str(result)
    assert result.counts["will-be-refused"] == 1
