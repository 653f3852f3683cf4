"""``sgguard resume``: interrupted plans are finished or undone, and stuck ones are named."""

from __future__ import annotations

import json

import pytest

from sgguard.approvals import approve
from sgguard.emulator.faults import Fault
from sgguard.engine.execute import LEASE_S
from sgguard.errors import BusyError, EventError
from sgguard.operations import resume
from tests.approvals.harness import ApprovalHarness
from tests.commands import place, sgguard

__all__ = ["place", "sgguard"]  # fixtures


class DiedError(BaseException):
    """The process is no more."""


class Dying:
    """A store whose process dies right after one of its methods was called so many times."""

    def __init__(self, store, method: str, times: int = 1) -> None:
        self.store, self.method, self.left = store, method, times

    def __getattr__(self, name):
        method = getattr(self.store, name)

        def call(*args, **kwargs):
            answer = method(*args, **kwargs)
            if name == self.method:
                self.left -= 1
                if not self.left:
                    raise DiedError
            return answer

        return call


def cut_short(
    place: ApprovalHarness,
    method: str = "settle",
    times: int = 1,
    event_id: str = "one",
    leases: int = 10,
):
    """Ask, approve, and let the worker die; its lease ended long ago."""
    place.clock.now_s -= leases * LEASE_S
    asked = place.asked(event_id=event_id)
    context = place.context(store=Dying(place.store, method, times))
    with pytest.raises(DiedError):
        approve(asked.approval_id, "ada", context)
    place.clock.now_s += leases * LEASE_S
    return asked


def stuck(place: ApprovalHarness):
    """A plan whose group cannot be deleted, and whose rules cannot be put back."""
    asked = place.asked()
    refusal = {"kind": "error", "count": 100, "code": "UnsupportedOperation"}
    place.emulator.faults.append(Fault(action="DeleteSecurityGroup", **refusal))
    place.emulator.faults.append(Fault(action="CreateSecurityGroupPolicies", **refusal))
    document = approve(asked.approval_id, "ada", place.context())
    assert document["outcome"] == "partly-undone", document["note"]
    place.emulator.faults.clear()
    return asked


@pytest.mark.parametrize(
    ("method", "times"),
    [("begin_run", 1), ("intend", 1), ("settle", 1), ("intend", 2), ("settle", 2)],
)
@pytest.mark.parametrize("is_named", [True, False])
@pytest.mark.sampled(8)
def test_a_plan_interrupted_anywhere_is_finished(place, sgguard, method, times, is_named):
    asked = cut_short(place, method, times)
    [one] = resume.unresolved(place.context())
    assert one.decision_id == asked.decision_id
    name = [asked.decision_id] if is_named else []
    code, out, err = sgguard("resume", *name)
    assert code == 0, err
    assert out.startswith(f"remediated: decision {asked.decision_id}")
    assert place.is_deleted
    assert place.store.open_runs() == ()
    assert place.store.decision(asked.decision_id).approver == "ada"
    assert resume.unresolved(place.context()) == ()
    assert (asked.decision_id in err) is not is_named


def test_where_nothing_is_open_it_says_so(place, sgguard):
    code, out, err = sgguard("resume")
    assert (code, out, err) == (0, f"Nothing is open in {place.url}.\n", "")
    assert json.loads(sgguard("resume", "--json")[1]) == []


@pytest.mark.parametrize("options", [[], ["--accept"]])
@pytest.mark.sampled(2)
def test_a_decision_of_which_nothing_is_left_is_an_error(place, sgguard, options):
    asked = place.asked()
    approve(asked.approval_id, "ada", place.context())
    for name in (asked.decision_id, "nowhere"):
        code, out, err = sgguard("resume", name, *options)
        assert (code, out) == (2, "")
        assert name in err


def test_a_denied_or_pending_request_is_not_resumed(place):
    place.asked()
    assert resume.unresolved(place.context()) == ()


def test_a_plan_unfinished_in_one_delivery_is_resumed(place, sgguard, monkeypatch):
    asked = cut_short(place)
    # less time than a change wants: nothing can be done in one round
    monkeypatch.setenv("SGGUARD_DEADLINE_S", "0.5")
    monkeypatch.setattr("sgguard.cli.failure._ROUNDS_MAX", 3)
    code, out, err = sgguard("resume", asked.decision_id)
    assert (code, out) == (2, "")
    assert "continuing (1)" in err
    monkeypatch.delenv("SGGUARD_DEADLINE_S")
    assert sgguard("resume", asked.decision_id)[0] == 0


def test_a_worker_that_was_there_just_now_is_not_disturbed(place, sgguard):
    asked = cut_short(place)
    claim = place.store.claim(
        "approval",
        asked.approval_id,
        owner="w",
        decision_id=asked.decision_id,
        lease_s=60.0,
        payload_hash=None,
    )
    code, out, err = sgguard("resume")
    assert (code, out) == (2, "")
    assert "again in" in err
    with pytest.raises(BusyError) as caught:
        resume.resume(asked.decision_id, place.context())
    assert 1.0 <= caught.value.retry_after_s <= 60.0
    place.store.release(claim)
    assert sgguard("resume")[0] == 0


def test_a_halt_holds_a_resume(place, sgguard):
    asked = cut_short(place)
    place.store.halt("ops", "incident 7")
    code, out, err = sgguard("resume")
    assert (code, out) == (2, "")
    assert "ops stopped all changes: incident 7" in err
    assert not place.is_deleted
    place.store.lift_halt()
    assert sgguard("resume", asked.decision_id)[0] == 0


def test_one_that_is_busy_does_not_keep_the_others_waiting(place, sgguard):
    first = place.asked(event_id="one")
    # An older sgguard approved a request first, and began its plan later.
    place.store.resolve(first.approval_id, "approved", "ada")
    second = cut_short(place, "settle", event_id="two")
    place.store.claim(
        "approval",
        first.approval_id,
        owner="w",
        decision_id=first.decision_id,
        lease_s=60.0,
        payload_hash=None,
    )
    code, out, err = sgguard("resume")
    assert (code, "being worked on" in err) == (2, True)
    assert out.startswith(f"remediated: decision {second.decision_id}")
    assert place.is_deleted


def test_stuck_runs_are_listed_and_end_with_1(place, sgguard):
    asked = stuck(place)
    before = place.emulator.state.dump()
    code, out, err = sgguard("resume")
    assert (code, out) == (1, "")
    assert f"stuck: decision {asked.decision_id}" in err
    assert "not undone" in err
    assert place.emulator.state.dump() == before
    code, out, _ = sgguard("resume", "--json")
    assert (code, json.loads(out)) == (1, [])


def test_a_stuck_run_is_retried_when_it_is_named(place, sgguard):
    asked = stuck(place)
    code, out, err = sgguard("resume", asked.decision_id)
    assert code == 0, err
    assert out.startswith("undone")
    assert place.store.open_runs() == ()
    assert place.store.decision(asked.decision_id).outcome == "undone"
    assert [r.peer_group for r in place.cloud.group(place.world.referrer_in).rules].count(
        place.world.referenced
    ) == 1


def test_a_stuck_run_can_be_closed_as_it_is(place, sgguard):
    asked = stuck(place)
    place.add_reference()
    again = place.asked(event_id="again")
    code, _, err = sgguard("approvals", "approve", again.approval_id)
    assert (code, asked.decision_id in err) == (2, True)
    before = place.emulator.state.dump()
    code, out, _ = sgguard("resume", asked.decision_id, "--accept", "--as", "bob")
    assert code == 1
    assert out.startswith("accepted")
    assert place.emulator.state.dump() == before
    assert place.store.open_runs() == ()
    assert place.store.run(asked.decision_id).state == "accepted"
    assert place.document(asked)["note"].endswith("accepted as it is by bob")
    assert sgguard("approvals", "approve", again.approval_id)[0] == 0
    with pytest.raises(EventError):
        resume.accept(asked.decision_id, place.context(), by="bob")


def test_a_run_that_can_be_resumed_can_be_ended_as_well(place, sgguard):
    asked = cut_short(place)
    before = place.emulator.state.dump()
    code, out, _ = sgguard("resume", asked.decision_id, "--accept", "--reason", "moved away")
    assert (code, out.partition(":")[0]) == (1, "accepted")
    assert place.emulator.state.dump() == before
    assert place.store.run(asked.decision_id).note.startswith(
        "accepted as it is by ada: moved away"
    )
    assert sgguard("resume")[:2] == (0, f"Nothing is open in {place.url}.\n")


@pytest.mark.parametrize("args", [["--accept"], ["d1", "--accept", "--as", " "]])
def test_leaving_something_as_it_is_wants_to_know_what_and_who(place, sgguard, args):
    code, out, err = sgguard("resume", *args)
    assert (code, out) == (2, "")
    assert "--accept needs" in err or "--as NAME" in err
