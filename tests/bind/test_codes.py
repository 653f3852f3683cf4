"""Every error code of AssociateSecurityGroups, from the emulator: its row, and what follows."""

from __future__ import annotations

import re
from dataclasses import dataclass

import httpx
import pytest

from sgguard.emulator.transport import EmulatorTransport
from sgguard.providers.tencent.bulk import REFUSALS
from tests.bind.harness import Fleet, by_status, ids, rows
from tests.reference import SEEDS

DOCUMENT = SEEDS / "004_0f1bed9674cd6d12.txt"
DOCUMENTED = {
    "FailedOperation.SecurityGroupActionFailed",
    "InvalidInstanceId.Malformed",
    "InvalidInstanceId.NotFound",
    "InvalidParameterValue.InstanceIdMalformed",
    "InvalidParameterValue.LimitExceeded",
    "InvalidSecurityGroupId.NotFound",
    "InvalidSgId.Malformed",
    "LimitExceeded.AssociateUSGLimitExceeded",
    "LimitExceeded.CvmsVifsPerSecGroupLimitExceeded",
    "LimitExceeded.SingleUSGQuota",
    "MutexOperation.TaskRunning",
    "OperationDenied.InstanceOperationInProgress",
    "SecGroupActionFailure",
    "UnsupportedOperation.InstanceStateIsolating",
    "UnsupportedOperation.InstanceStatePending",
}
"""All of the section "Error Code" of the document, which has fifteen. Three more are common to all
APIs and decide a bind as well: see :data:`COMMON`."""

COMMON = {"InternalError", "RequestLimitExceeded", "UnauthorizedOperation"}
BAD = ids(8)[3]


@dataclass(frozen=True)
class Case:
    """What a code does to eight instances, of which it is about one."""

    code: str
    refused: frozenset[str] = frozenset({BAD})
    row: str = "refused-by-cloud"
    is_passing: bool = False


CASES = [
    *(
        Case(code)
        for code in (
            "FailedOperation.SecurityGroupActionFailed",
            "InvalidInstanceId.Malformed",
            "InvalidInstanceId.NotFound",
            "InvalidParameterValue.InstanceIdMalformed",
            "LimitExceeded.AssociateUSGLimitExceeded",
            "UnsupportedOperation.InstanceStateIsolating",
            "UnauthorizedOperation",
        )
    ),
    *(
        Case(code, frozenset(ids(8)), "group-refused")
        for code in (
            "InvalidSecurityGroupId.NotFound",
            "InvalidSgId.Malformed",
            "LimitExceeded.SingleUSGQuota",
        )
    ),
    *(
        Case(code, frozenset(), is_passing=True)
        for code in (
            "MutexOperation.TaskRunning",
            "OperationDenied.InstanceOperationInProgress",
            "SecGroupActionFailure",
            "UnsupportedOperation.InstanceStatePending",
            "RequestLimitExceeded",
            "InternalError",
        )
    ),
]


FULL, TOO_MANY = (
    "LimitExceeded.CvmsVifsPerSecGroupLimitExceeded",
    "InvalidParameterValue.LimitExceeded",
)
"""What the emulator answers by itself, where a group is full or a call has too many ids."""


class Answers(httpx.BaseTransport):
    """Notes the error codes that the emulator answers."""

    def __init__(self, fleet: Fleet) -> None:
        self.inner, self.codes = EmulatorTransport(fleet.emulator), []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        answer = self.inner.handle_request(request)
        answer.read()
        self.codes += re.findall(r'"Code":\s*"([^"]+)"', answer.text)
        return answer


@pytest.mark.skipif(not DOCUMENT.is_file(), reason=f"no document {DOCUMENT}")
def test_the_codes_are_those_of_the_document():
    text = DOCUMENT.read_text(encoding="utf-8")
    section = text[text.index("Error Code Description") :]
    found = re.findall(r"^([A-Z][A-Za-z]+(?:\.[A-Za-z]+)?) [A-Z]", section, re.MULTILINE)
    assert [one for one in found if one != "Error"] == sorted(DOCUMENTED)
    assert len(DOCUMENTED) == 15


def test_every_code_has_a_meaning_and_is_provoked_here():
    assert set(REFUSALS) >= DOCUMENTED
    provoked = {one.code for one in CASES} | {FULL, TOO_MANY}
    assert provoked == DOCUMENTED | COMMON


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
@pytest.mark.parametrize(
    "names_nobody",
    [pytest.param(True, id="nameless"), pytest.param(False, id="named", marks=pytest.mark.slow)],
)
@pytest.mark.sampled(3)
def test_a_code_refuses_whom_it_is_about_and_the_others_are_bound(tmp_path, case, names_nobody):
    fleet = Fleet(tmp_path, 8)
    told = [case.code] * 2 if case.is_passing else case.code
    fleet.cloud.quirks |= {"binding_refused_with": {BAD: told}, "names_nobody": names_nobody}
    done = fleet.bind(ids(8))
    assert by_status(done, "refused") == case.refused
    assert fleet.holders_of() == set(ids(8)) - case.refused == by_status(done, "done")
    for one in case.refused:
        found = rows(done)[one]
        assert (found["code"], found["cloud_code"]) == (case.row, case.code)
        assert found["request_id"]
        assert case.code in found["message"]


@pytest.mark.parametrize(
    "code", ["MutexOperation.TaskRunning", "UnsupportedOperation.InstanceStatePending"]
)
@pytest.mark.sampled(2)
def test_an_instance_that_stays_busy_is_reported_as_busy(tmp_path, code):
    fleet = Fleet(tmp_path, 8)
    fleet.cloud.quirks["binding_refused_with"] = {BAD: code}
    done = fleet.bind(ids(8))
    assert (rows(done)[BAD]["code"], rows(done)[BAD]["cloud_code"]) == ("busy", code)
    assert fleet.holders_of() == set(ids(8)) - {BAD}


def test_a_group_that_is_full_takes_as_many_as_fit(tmp_path):
    fleet = Fleet(tmp_path, 120)
    # The forecast is the cloud's count when it is judged: the room is gone by the first call.
    fleet.cloud.limits["interfaces-per-group"] = 70
    fleet.more = "[limits.tencent]\ninstances-per-group = 2000\n"
    done = fleet.bind(ids(120))
    assert len(fleet.holders_of()) == 70 == len(by_status(done, "done"))
    left = by_status(done, "refused")
    assert {rows(done)[one]["code"] for one in left} == {"holders-per-group-exceeded"}
    assert {rows(done)[one]["cloud_code"] for one in left} == {FULL}
    assert fleet.calls() < 30


def test_too_many_ids_in_a_call_make_the_calls_smaller(tmp_path):
    fleet = Fleet(tmp_path, 100)
    fleet.cloud.quirks["binds_at_most"] = 30
    answered = Answers(fleet)
    done = fleet.bind(ids(100), context=fleet.context(transport=answered))
    assert answered.codes == [TOO_MANY] * 3
    assert fleet.calls() == 7  # of 100 and twice of 50 refused, four of 25 taken
    assert fleet.holders_of() == set(ids(100)) == by_status(done, "done")


def test_whom_nobody_may_bind_is_refused_and_not_tried_a_hundred_times(tmp_path):
    fleet = Fleet(tmp_path, 100)
    told = dict.fromkeys(ids(100), "UnauthorizedOperation")
    fleet.cloud.quirks |= {"binding_refused_with": told, "names_nobody": True}
    done = fleet.bind(ids(100))
    assert by_status(done, "refused") == set(ids(100))
    assert {one["cloud_code"] for one in done["bind"]["rows"]} == {"UnauthorizedOperation"}
    assert fleet.calls() < 30
    assert done["outcome"] == "unchanged"
