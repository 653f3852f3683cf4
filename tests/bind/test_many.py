"""One group on many instances: every good one bound, every bad one named, few calls."""

from __future__ import annotations

import pytest

from sgguard import schemas
from tests.bind.harness import GROUP, Fleet, by_status, ids


@pytest.fixture
def fleet(tmp_path):
    return Fleet(tmp_path, 300)


def test_a_group_is_put_on_three_hundred_instances_with_three_calls(fleet):
    done = fleet.bind(ids(300))
    assert schemas.problems("decision", done) == ()
    assert done["outcome"] == "remediated"
    assert fleet.holders_of(GROUP) == set(ids(300)) == by_status(done, "done")
    assert fleet.calls() == 3
    assert done["bind"]["counts"] == {
        "holders": 300,
        "planned": 0,
        "nothing": 0,
        "refused": 0,
        "done": 300,
        "open": 0,
    }
    assert [one["state"] for one in done["journal"]] == ["done"] * 3
