"""A concurrent editor changes the same objects: its change stays, and nothing else is lost."""

from __future__ import annotations

import copy
import os
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

import pytest

from sgguard.emulator.state import State, StateError
from tests.crash.comparison import Snapshot, describe_differences, snapshot, without_rule_order
from tests.crash.edits import (
    EDITS,
    Edit,
    adds_a_group_to_the_holder,
    adds_a_reference,
    adds_rule_first,
    adds_the_planned_rule,
    binds_a_server_to_the_group_only,
    changes_rule_description,
    removes_the_rule,
)
from tests.crash.harness import SCENARIOS, Harness
from tests.crash.scenarios import Scenario

CASES = [
    (provider, shape, edit)
    for provider, shape in SCENARIOS
    for edit, shapes in EDITS.items()
    if shape in shapes
    # A rule of Neutron is never changed, only made and deleted.
    and not (provider == "openstack" and edit is changes_rule_description)
]
SHIFTING = (adds_rule_first, removes_the_rule, adds_the_planned_rule)
# An edit is made before every so many calls: CRASH_EVERY=1 tries them all, in an hour.
EVERY = int(os.environ.get("CRASH_EVERY", "5"))
IDS = [f"{provider}-{shape}-{edit.__name__}" for provider, shape, edit in CASES]


@dataclass
class ConcurrentEditor:
    """Makes one change before the n-th call."""

    harness: Harness
    at: int
    edit: Edit
    called: int = 0
    has_acted: bool = False
    actions: list[str] = field(default_factory=list)

    def __call__(self, request: Any) -> None:
        if self.called >= self.at:
            self.actions.append(self.harness.action(request))
        if self.called == self.at:
            with suppress(StateError, StopIteration):  # the cloud refuses it
                self.edit(self.harness.emulator.state.clouds[0], self.harness.scenario)
                self.has_acted = True
        self.called += 1


def edited(state: State, scenario: Scenario, edit: Edit) -> Snapshot:
    """The state with the editor's change applied, where the cloud accepts it."""
    with suppress(StateError, StopIteration):
        edit(state.clouds[0], scenario)
    return snapshot(state.dump())


def calls(provider: str, shape: str, folder) -> tuple[int, State]:
    """How many calls a plan takes, and the state after them."""
    harness = Harness.of(provider, shape, folder)
    assert harness.deliver()["outcome"] == "remediated"
    harness.close()
    return len(harness.emulator.requests), harness.emulator.state


def expected_snapshots(harness: Harness, edit: Edit, after: State, folder) -> list[Snapshot]:
    """The final states that are correct: with the edit made after the plan, or before it."""
    worlds = [edited(State(copy.deepcopy(after.clouds)), harness.scenario, edit)]
    early = Harness.of(harness.scenario.provider, harness.shape, folder)
    edited(early.emulator.state, early.scenario, edit)
    document = early.deliver_until_decided()
    if document["outcome"] == "remediated":
        worlds.append(early.now())
    early.close()
    return worlds


def require_correct_outcome(
    harness: Harness, document: dict[str, Any], edit: Edit, remediated: list[Snapshot]
) -> None:
    before = edited(harness.scenario.state(), harness.scenario, edit)
    # A position counts from the first rule: an insertion or removal before it shifts it.
    up_to = without_rule_order if edit in SHIFTING else lambda world: world
    found = up_to(harness.now())
    match document["outcome"]:
        case "remediated":
            if edit is adds_a_reference:
                # Only a plan that knew of the new rule may have changed or revoked it.
                assert "9002" in {step["details"].get("ports") for step in document["plan"]}
            assert not set(harness.scenario.targets) & set(found["groups"])
            if not any(up_to(one) == found for one in remediated):
                raise AssertionError(describe_differences(up_to(remediated[0]), found))
            harness.require_clean_store()
        case "undone" | "unchanged" | "left-to-caller":
            if up_to(before) != found:
                raise AssertionError(
                    f"{document['note']}: {describe_differences(up_to(before), found)}"
                )
            harness.require_clean_store()
        case "partly-undone":
            harness.require_reported(document, before)
        case outcome:
            raise AssertionError(f"{outcome}: {document['note']}")


def outcomes_under_edits(provider: str, shape: str, edit: Edit, folder, every: int) -> Counter[str]:
    count, after = calls(provider, shape, folder)
    outcomes: Counter[str] = Counter()
    failures = []
    worlds: list[Snapshot] = []
    for at in range(0, count, every):
        harness = Harness.of(provider, shape, folder)
        editor = ConcurrentEditor(harness, at, edit)
        harness.emulator.before_call = editor
        harness.emulator.monitor.covers.clear()
        try:
            document = harness.deliver_until_decided()
            if editor.has_acted and not _is_unpreventable(editor, harness):
                outcomes[document["outcome"]] += 1
                harness.require_unbroken()
                worlds = worlds or expected_snapshots(harness, edit, after, folder)
                require_correct_outcome(harness, document, edit, worlds)
        except AssertionError as error:
            failures.append(f"call {at} ({editor.actions[:1]}): {str(error)[:1500]}")
        finally:
            harness.close()
    assert not failures, f"{len(failures)} of {count}\n" + "\n".join(failures[:3])
    return outcomes


# The last read of a group's uses, where the cloud deletes a group that is in use.
LAST_READ = {
    ("openstack", adds_a_reference): "GET /v2.0/security-group-rules",
    ("tencent-dfw", binds_a_server_to_the_group_only): "DescribeInstancesOfSecurityGroup",
}


# Calls the API cannot make conditional: an edit right before one of them is overwritten.
UNCONDITIONAL_CALLS = {
    # The rule of an id is deleted, whatever its description is by then.
    ("huawei", changes_rule_description): ("DELETE ",),
    ("alibaba", changes_rule_description): ("Revoke",),
    # The response is the same whether there was a rule to revoke or not.
    ("alibaba", removes_the_rule): ("Revoke",),
    # The groups of an instance are set as a whole; they are read one call before.
    ("tencent-dfw", adds_a_group_to_the_holder): (
        "ModifySecurityGroupsOfInstance",
        "DescribeNetworkInterfacesOfSecurityGroup",
    ),
}


def _is_unpreventable(editor: ConcurrentEditor, harness: Harness) -> bool:
    """Say whether the edit cannot be detected, for want of a conditional call.

    Neutron deletes a group with the rules that name it, Tencent one by force whatever it is on:
    all a client can do is to read just before.
    """
    provider = harness.scenario.provider
    # Calls about other groups run in parallel and come in between.
    unconditional = UNCONDITIONAL_CALLS.get((provider, editor.edit), ())
    if any(action.startswith(unconditional) for action in editor.actions[:3]):
        return True
    last_read = LAST_READ.get((provider, editor.edit))
    deletes = ("DELETE /v2.0/security-groups/{id}", "DeleteSecurityGroup")
    before = list(takewhile(lambda action: action not in deletes, editor.actions))
    return last_read is not None and last_read not in before


# Every second case: each edit meets plans of every cloud.
@pytest.mark.slow
@pytest.mark.parametrize(("provider", "shape", "edit"), CASES[::2], ids=IDS[::2])
def test_a_concurrent_edit_before_any_call_is_kept(provider, shape, edit, folder):
    outcomes = outcomes_under_edits(provider, shape, edit, folder, EVERY)
    print(f"\n{provider} {shape} {edit.__name__}: {dict(outcomes)}")
