"""What this region, edition or server does not offer, and what cannot exist anywhere."""

from __future__ import annotations

import pytest

from sgguard.emulator.faults import Fault
from sgguard.errors import ApiAbsentError, CloudError, InvalidRequestError
from sgguard.web import problem
from tests.remedy.harness import Harness
from tests.worlds.alibaba import WORLD, switch

FREE, WEB, BOUND = WORLD.free, WORLD.referenced, WORLD.bound
QUERIES = [
    "DescribeSecurityGroups",
    "DescribeSecurityGroupReferences",
    "DescribeInstances",
    "DescribeNetworkInterfaces",
]
ABSENT = [
    *("InvalidAction", "InvalidAction.NotFound", "InvalidApi.NotFound", "InvalidVersion"),
    *("UnsupportedOperation", "Forbidden.RegionId", "RegionId.ApiNotSupported"),
]
IMPOSSIBLE = ["InvalidRegionId.NotFound", "InvalidRegionId.MalFormed", "MissingParameter.RegionId"]


@pytest.fixture
def harness(tmp_path):
    return Harness(WORLD, tmp_path, mode="observe")


def unseen(document):
    return {one["code"] for one in document["facts"]["unseen"]}


@pytest.mark.parametrize("target", [FREE, WEB, BOUND])
@pytest.mark.parametrize("action", QUERIES)
@pytest.mark.sampled(8)
def test_a_query_that_is_not_offered_blocks_and_says_so(harness, action, target):
    switch(harness.emulator, absent_actions=[action])
    document = harness.delete(target)
    assert document["verdict"] == "block"
    assert "api-absent" in unseen(document)


@pytest.mark.parametrize("code", ABSENT)
@pytest.mark.sampled(4)
def test_every_code_for_what_is_not_offered_is_a_gap(harness, code):
    fault = Fault("error", action="DescribeNetworkInterfaces", code=code, count=99)
    harness.emulator.faults.append(fault)
    document = harness.delete(FREE)
    assert document["verdict"] == "block"
    assert "api-absent" in unseen(document)


@pytest.mark.parametrize("code", IMPOSSIBLE)
@pytest.mark.sampled(2)
def test_what_cannot_exist_is_no_reason_to_ask_again(harness, code):
    harness.emulator.faults.append(Fault("error", action="Describe*", code=code, count=99))
    with pytest.raises(InvalidRequestError) as caught:
        harness.delete(FREE)
    details = problem.of(caught.value)
    assert (details.status, details.retry_after_s) == (422, None)


@pytest.mark.parametrize("code", ["ServiceUnavailable.RegionMaintaining", "LastTokenProcessing"])
@pytest.mark.sampled(2)
def test_what_may_pass_is_asked_again(harness, code):
    harness.emulator.faults.append(Fault("error", action="Describe*", code=code, count=99))
    with pytest.raises(CloudError) as caught:
        harness.delete(FREE)
    details = problem.of(caught.value)
    assert details.status == 503
    assert details.retry_after_s is not None


def test_a_change_that_is_not_offered_was_not_made(harness):
    switch(harness.emulator, absent_actions=["DeleteSecurityGroup"])
    with pytest.raises(ApiAbsentError) as caught:
        WORLD.connect(harness.emulator).delete_group(FREE)
    assert caught.value.is_outcome_known
