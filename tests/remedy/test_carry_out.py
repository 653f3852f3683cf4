"""``delete.carry_out``: a group that is free is deleted by the guard, or said to be left."""

from __future__ import annotations

import time

import pytest
from msgspec.structs import replace

from sgguard.approvals import resolve
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import handle
from sgguard.model.address import Address
from sgguard.model.event import Event
from sgguard.model.request import DeleteRequest
from sgguard.policy import DeletePolicy, Policy
from sgguard.policy.words import in_words
from sgguard.store import open_store
from tests.deployment import CLOUDS
from tests.remedy.harness import Harness
from tests.worlds import world_of


@pytest.fixture(params=CLOUDS)
def harness(request, tmp_path):
    return Harness(world_of(request.param), tmp_path, in_delete='carry_out = "always"')


def group_ids(harness):
    (cloud,) = harness.emulator.state.clouds
    return {group.id for group in cloud.groups}


def is_there(harness):
    return harness.world.free in group_ids(harness)


@pytest.mark.sampled(8)
def test_a_free_group_is_deleted_in_enforce_and_can_be_restored(harness):
    before = harness.comparable_state()
    found = harness.delete(harness.world.free)
    assert (found["verdict"], found["outcome"]) == ("remediate", "remediated")
    assert "free" in {one["code"] for one in found["reasons"]}
    assert [step["action"] for step in found["plan"]] == ["delete"]
    assert [line["change"]["kind"] for line in found["journal"]] == ["delete-group"]
    assert not is_there(harness)

    restored = harness.restore(found["decision_id"])
    assert restored["outcome"] == "remediated"
    made = [
        (line["made"], line["change"]["group_id"])
        for line in restored["journal"]
        if line["change"]["kind"] == "create-group"
    ]
    assert harness.comparable_state(*made) == before


@pytest.mark.sampled(6)
def test_the_same_event_deletes_it_once_and_has_one_answer(harness):
    first = harness.delete(harness.world.free)
    calls = len(harness.emulator.requests)
    assert harness.delete(harness.world.free) == first
    assert len(harness.emulator.requests) == calls


@pytest.mark.parametrize("mode", ["observe", "approve", "enforce"])
@pytest.mark.sampled(12)
def test_by_default_it_is_left_to_the_caller_and_that_is_said(harness, mode):
    harness.in_delete, harness.mode = "", mode
    found = harness.delete(harness.world.free)
    assert (found["verdict"], found["outcome"]) == ("allow", "left-to-caller")
    assert (found["journal"], found["approval"]) == ([], None)
    assert is_there(harness)


@pytest.mark.sampled(6)
def test_in_observe_it_is_left_to_the_caller_whatever_the_policy_carries_out(harness):
    harness.mode = "observe"
    found = harness.delete(harness.world.free)
    assert (found["verdict"], found["outcome"]) == ("allow", "left-to-caller")
    assert is_there(harness)


@pytest.mark.sampled(4)
def test_in_approve_it_waits_for_the_approver(harness):
    harness.mode = "approve"
    found = harness.delete(harness.world.free)
    # Not an allow: its caller would delete ahead of the approver.
    assert (found["verdict"], found["outcome"]) == ("remediate", "pending")
    assert is_there(harness)
    done = resolve.approve(found["approval"]["approval_id"], "olga", harness.context())
    assert done["outcome"] == "remediated"
    assert not is_there(harness)


@pytest.mark.sampled(3)
def test_a_halt_stops_it_as_it_stops_every_plan(harness):
    harness.head = "halt = true\n"
    found = harness.delete(harness.world.free)
    assert found["outcome"] == "halted"
    assert is_there(harness)


@pytest.mark.sampled(6)
def test_a_group_that_is_not_free_is_judged_as_before(harness):
    harness.remedies = ()
    found = harness.delete(harness.world.referenced)
    assert (found["verdict"], found["outcome"]) == ("block", "unchanged")


@pytest.mark.sampled(6)
def test_a_launch_is_never_carried_out_by_it(harness):
    found = harness.launch(harness.world.server, harness.world.free)
    # On API 2.0 too little is told of an instance to allow it.
    assert found["verdict"] == ("block" if harness.world.provider == "tencent-dfw" else "allow")
    assert (found["outcome"], found["journal"]) == ("unchanged", [])


@pytest.mark.parametrize("of_scope", ["remedied", "always"])
@pytest.mark.sampled(12)
def test_a_scope_may_say_otherwise_for_its_groups(harness, of_scope):
    harness.more = f"""
[[scope]]
match = {{ region = "*" }}
[scope.delete]
carry_out = "{of_scope}"
"""
    found = harness.delete(harness.world.free)
    wanted = {"remedied": "left-to-caller", "always": "remediated"}
    assert found["outcome"] == wanted[of_scope]


class DiedError(BaseException):
    """Not an error of anybody's: the process is gone."""


class Mortal(EmulatorTransport):
    """The way to the clouds, until the group is gone."""

    def handle_request(self, request):
        (cloud,) = self.emulator.state.clouds
        before = len(cloud.groups)
        answer = super().handle_request(request)
        if len(cloud.groups) < before:
            raise DiedError
        return answer


@pytest.mark.sampled(6)
def test_where_the_process_dies_the_next_delivery_finishes_it(harness):
    dying = replace(harness.context(), transport=Mortal(harness.emulator))
    asked = DeleteRequest((Address(harness.scope, harness.world.free),), "alice")
    event = Event("e-1", {"targets": [str(asked.targets[0])]}, "/portal")
    with pytest.raises(DiedError):
        handle.deletes([(asked, event)], dying)
    assert not is_there(harness)

    store = open_store(harness.env["SGGUARD_STORE"], lambda: time.time() + 1000.0)
    (found,) = handle.deletes([(asked, event)], replace(harness.context(), store=store))
    assert found["outcome"] == "remediated"
    assert harness.restore(found["decision_id"])["outcome"] == "remediated"


def test_the_policy_says_in_words_who_deletes_a_free_group():
    assert "  A group that is free is left to the caller to delete." in in_words(Policy())
    always = in_words(Policy(delete=DeletePolicy(carry_out="always")))
    assert "  A group that is free is deleted as well, unless the mode is observe." in always
