from __future__ import annotations

import pytest

from tests.false_verdicts import run
from tests.false_verdicts.openstack_dimensions import TROUBLED

COUNTS = {"delete": 120, "batch": 25, "launch": 30}


@pytest.mark.parametrize("has_faults", [False, True], ids=["no-faults", "faults"])
@pytest.mark.parametrize("request_kind", COUNTS)
@pytest.mark.sampled(6)
def test_no_verdict_on_a_cloud_that_misleads_its_reader_is_false(
    monkeypatch, request_kind, has_faults
):
    monkeypatch.setitem(run.KINDS, "openstack", TROUBLED)
    seeds = run.seeds(run.clouds(COUNTS[request_kind]))
    result = run.search(request_kind, "openstack", seeds, has_faults=has_faults)
    assert not result.problems, str(result)
    assert result.counts["block"] > len(seeds) / 10
    assert result.counts["allow"] + result.counts["remediate"] > len(seeds) / 20
