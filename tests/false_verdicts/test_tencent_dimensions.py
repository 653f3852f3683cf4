"""The search on Tencent clouds with one further dimension each."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.false_verdicts import kinds
from tests.false_verdicts.run import search, seeds
from tests.false_verdicts.tencent_dimensions import DIMENSIONS

CASES = [(provider, one) for provider, some in DIMENSIONS.items() for one in some]


@pytest.mark.parametrize("request_kind", ["delete", "launch"])
@pytest.mark.parametrize(
    ("provider", "dimension"), CASES, ids=[f"{one.__name__}" for _, one in CASES]
)
@pytest.mark.sampled(6)
def test_no_verdict_is_false_with_this_dimension(monkeypatch, provider, dimension, request_kind):
    kind = kinds.KINDS[provider]

    def quirks(rng, cloud):
        is_hiding = kind.quirks(rng, cloud)
        return dimension(rng, cloud) or is_hiding

    monkeypatch.setitem(kinds.KINDS, provider, replace(kind, quirks=quirks))
    result = search(request_kind, provider, seeds(25), has_faults=False)
    assert not result.problems, str(result)
    assert result.counts["block"] > 0
