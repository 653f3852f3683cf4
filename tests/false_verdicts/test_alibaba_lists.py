"""Random clouds of Alibaba whose lists are empty, shortened or end in another way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.false_verdicts.alibaba_dimensions import denied, hidden, paged
from tests.false_verdicts.kinds import ALIBABA, KINDS
from tests.false_verdicts.run import clouds, search, seeds

QUICK = {"delete": 24, "batch": 6, "launch": 8}


@pytest.mark.parametrize("request_kind", QUICK)
@pytest.mark.parametrize("quirks", [denied, hidden, paged], ids=lambda one: one.__name__)
@pytest.mark.sampled(10)
def test_no_verdict_on_a_random_cloud_is_false(monkeypatch, quirks, request_kind):
    def both(rng, cloud):
        is_hiding = ALIBABA.quirks(rng, cloud)
        return quirks(rng, cloud) or is_hiding

    monkeypatch.setitem(KINDS, "alibaba", replace(ALIBABA, quirks=both))
    count = clouds(QUICK[request_kind])
    result = search(request_kind, "alibaba", seeds(count), has_faults=False)
    assert not result.problems, str(result)
    assert result.counts["block"] > count / 10, str(result)
    if quirks is paged:
        assert result.counts["allow"] + result.counts["remediate"] > count / 10, str(result)
