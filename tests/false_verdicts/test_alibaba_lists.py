"""Random clouds of Alibaba whose lists are empty, shortened or end in another way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.false_verdicts.kinds import ALIBABA, KINDS
from tests.false_verdicts.run import clouds, search, seeds

QUICK = {"delete": 60, "batch": 12, "launch": 15}


def denied(rng, cloud):
    """Queries without permission are answered with an empty list, on every kind of server."""
    ALIBABA.quirks(rng, cloud)
    cloud.accounts[0].denied = rng.some(ALIBABA.actions, 1, 3)
    cloud.quirks["denied_queries"] = rng.choice(["empty", "empty", "forbidden"])
    if rng.chance(0.3):
        cloud.quirks["dry_run"] = "absent"
    if rng.chance(0.3):
        cloud.quirks["address_count"] = "absent"
    return True


def hidden(rng, cloud):
    """A policy by tag hides instances and interfaces; the groups count their addresses."""
    ALIBABA.quirks(rng, cloud)
    cloud.quirks["hidden_instances"] = [one.id for one in cloud.instances]
    cloud.quirks["hidden_interfaces"] = [one.id for one in cloud.interfaces]
    return True


def paged(rng, cloud):
    """Page numbers are retired, and the last page has no token at all."""
    is_hiding = ALIBABA.quirks(rng, cloud)
    cloud.quirks["paging"] = "tokens"
    cloud.quirks["omits_empty_token"] = rng.chance(0.7)
    return is_hiding


@pytest.mark.parametrize("request_kind", QUICK)
@pytest.mark.parametrize("quirks", [denied, hidden, paged], ids=lambda one: one.__name__)
def test_no_verdict_on_a_random_cloud_is_false(monkeypatch, quirks, request_kind):
    monkeypatch.setitem(KINDS, "alibaba", replace(ALIBABA, quirks=quirks))
    count = clouds(QUICK[request_kind])
    result = search(request_kind, "alibaba", seeds(count), has_faults=False)
    assert not result.problems, str(result)
    assert result.counts["block"] > count / 10, str(result)
    if quirks is paged:
        assert result.counts["allow"] + result.counts["remediate"] > count / 10, str(result)
