"""What was intended and not sent, for its worker was paused: it is written down, and made later."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sgguard.emulator.faults import Fault
from sgguard.emulator.state import Rule
from sgguard.errors import DeadlineError
from sgguard.model.sending import UNSENT
from sgguard.store import open_store
from tests.engine.interleaved import Watching, a_delete, context_of, deliver
from tests.remedy.harness import Harness
from tests.stores import Clock
from tests.worlds import world_of

REVOKE = "DeleteSecurityGroupPolicies"
MORE = 6


@pytest.fixture
def harness(tmp_path) -> Harness:
    made = Harness(world_of("tencent"), tmp_path, remedies=("revoke",))
    (cloud,) = made.emulator.state.clouds
    group = next(one for one in cloud.groups if one.id == made.world.free)
    for number in range(MORE):
        rule = Rule("ingress", f"r{number}", ports="80", peer_group=made.world.referenced)
        own = {"id": f"sg-more000{number}", "name": f"more-{number}", "rules": [rule]}
        cloud.groups.append(replace(group, **own))
    return made


class Paused:
    """A worker's cloud and clocks; its machine is paused for so long after a number of changes."""

    def __init__(self, harness: Harness, after: int, seconds: float) -> None:
        self.harness, self.after, self.seconds = harness, after, seconds
        self.clock = Clock(harness.emulator.now())
        self.changes: list[str] = []

    def note(self, action: str) -> None:
        if action.startswith("Describe"):
            return
        self.changes.append(action)
        if len(self.changes) == self.after:
            self.clock.pass_(self.seconds)

    def deliver(self, asked):
        transport = Watching(self.harness, self.note)
        return deliver(context_of(self.harness, now=self.clock, transport=transport), asked)


# The deadline is 10 s, a lease a minute: both must stop whoever slept, whichever clock tells.
@pytest.mark.parametrize("seconds", [11.0, 61.0, 4000.0])
@pytest.mark.sampled(4)
def test_a_change_that_was_intended_and_not_sent_is_settled_as_that(harness, seconds, monkeypatch):
    monkeypatch.setattr("sgguard.wire.parallel._pool", _Unwilling)  # calls follow one another
    asked = a_delete(harness, harness.world.referenced)
    paused = Paused(harness, after=2, seconds=seconds)
    assert isinstance(paused.deliver(asked), DeadlineError)
    assert paused.changes == [REVOKE] * 2
    store = open_store(harness.env["SGGUARD_STORE"])
    (run,) = store.open_runs()
    lines = store.entries(run.decision_id)
    notes = [one.note for one in lines if one.state == "not-done"]
    assert len(notes) >= 5
    assert {note.startswith(UNSENT) for note in notes} == {True}
    assert (run.state, run.direction) == ("open", "forward")

    document = deliver(context_of(harness), asked)
    assert document["outcome"] == "remediated"
    sent = [one.action for one in harness.emulator.requests if one.action == REVOKE]
    assert len(sent) == MORE + 2


def test_a_change_that_another_user_made_meanwhile_is_not_taken_for_one_that_was_sent(
    harness, monkeypatch
):
    """The plan is refused later: what somebody else revoked is not put back."""
    monkeypatch.setattr("sgguard.wire.parallel._pool", _Unwilling)
    asked = a_delete(harness, harness.world.referenced)
    Paused(harness, after=1, seconds=61.0).deliver(asked)
    (cloud,) = harness.emulator.state.clouds
    unsent = next(one for one in cloud.groups if one.name == f"more-{MORE - 1}")
    unsent.rules.clear()
    refusal = {"kind": "error", "count": 9, "code": "UnsupportedOperation"}
    harness.emulator.faults.append(Fault(action="DeleteSecurityGroup", **refusal))

    document = deliver(context_of(harness), asked)
    assert document["outcome"] == "undone", document["note"]
    assert unsent.rules == []


class _Unwilling:
    """A pool that begins nothing: the caller makes its calls itself, in order."""

    def submit(self, call, /, *args):
        del call, args
        return _Waiting()


class _Waiting:
    def cancel(self) -> bool:
        return True
