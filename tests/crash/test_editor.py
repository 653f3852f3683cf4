"""Somebody else changes the same things meanwhile: their change stays, and nothing else is lost."""

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
from tests.crash.comparison import Seen, loosely, seen, shown
from tests.crash.edits import (
    EDITS,
    Edit,
    adds_a_rule_before_the_others,
    describes_the_rule_anew,
    gives_the_holder_one_more,
    makes_the_rule_itself,
    names_the_group_anew,
    puts_a_server_behind_the_group_alone,
    takes_the_rule_away,
)
from tests.crash.harness import Rig
from tests.crash.scenarios import Plot
from tests.crash.test_crash import PLOTS

CASES = [
    (provider, shape, made)
    for provider, shape in PLOTS
    for made, shapes in EDITS.items()
    if shape in shapes
    # A rule of Neutron is never changed, only made and deleted.
    and not (provider == "openstack" and made is describes_the_rule_anew)
]
SHIFTING = (adds_a_rule_before_the_others, takes_the_rule_away, makes_the_rule_itself)
# Before which calls somebody edits: CRASH_EVERY=1 tries them all, in an hour.
EVERY = int(os.environ.get("CRASH_EVERY", "5"))
IDS = [f"{provider}-{shape}-{made.__name__}" for provider, shape, made in CASES]


@dataclass
class Editor:
    """Makes one change before the n-th call."""

    rig: Rig
    at: int
    edit: Edit
    called: int = 0
    has_acted: bool = False
    actions: list[str] = field(default_factory=list)

    def __call__(self, request: Any) -> None:
        if self.called >= self.at:
            self.actions.append(self.rig.action(request))
        if self.called == self.at:
            with suppress(StateError, StopIteration):  # the cloud refuses it
                self.edit(self.rig.emulator.state.clouds[0], self.rig.plot)
                self.has_acted = True
        self.called += 1


def edited(state: State, plot: Plot, made: Edit) -> Seen:
    """The world with the editor's change made to it, where it can be made."""
    with suppress(StateError, StopIteration):
        made(state.clouds[0], plot)
    return seen(state.dump())


def calls(provider: str, shape: str, folder) -> tuple[int, State]:
    """How many calls a plan takes, and the state after them."""
    rig = Rig.of(provider, shape, folder)
    assert rig.deliver()["outcome"] == "remediated"
    rig.close()
    return len(rig.emulator.requests), rig.emulator.state


def foreseen(rig: Rig, made: Edit, after: State, folder) -> list[Seen]:
    """The worlds in which all is done: with the change made last of all, or first of all."""
    worlds = [edited(State(copy.deepcopy(after.clouds)), rig.plot, made)]
    early = Rig.of(rig.plot.provider, rig.shape, folder)
    edited(early.emulator.state, early.plot, made)
    document = early.deliver_until_answered()
    if document["outcome"] == "remediated":
        worlds.append(early.now())
    early.close()
    return worlds


def require_right(rig: Rig, document: dict[str, Any], made: Edit, remediated: list[Seen]) -> None:
    before = edited(rig.plot.state(), rig.plot, made)
    # A place is counted from the first rule: what is put in or taken out before it shifts it.
    up_to = loosely if made in SHIFTING else lambda world: world
    found = up_to(rig.now())
    match document["outcome"]:
        case "remediated":
            if made is names_the_group_anew:
                # Only a plan that knew of the new rule may have changed or revoked it.
                assert "9002" in {step["details"].get("ports") for step in document["plan"]}
            assert not set(rig.plot.targets) & set(found["groups"])
            if not any(up_to(one) == found for one in remediated):
                raise AssertionError(shown(up_to(remediated[0]), found))
            rig.require_clean_store()
        case "undone" | "unchanged":
            if up_to(before) != found:
                raise AssertionError(f"{document['note']}: {shown(up_to(before), found)}")
            rig.require_clean_store()
        case "partly-undone":
            rig.require_told(document, before)
        case outcome:
            raise AssertionError(f"{outcome}: {document['note']}")


def disturbed(provider: str, shape: str, made: Edit, folder, every: int) -> Counter[str]:
    count, after = calls(provider, shape, folder)
    outcomes: Counter[str] = Counter()
    failures = []
    worlds: list[Seen] = []
    for at in range(0, count, every):
        rig = Rig.of(provider, shape, folder)
        editor = Editor(rig, at, made)
        rig.emulator.meddle = editor
        rig.emulator.watch.covers.clear()
        try:
            document = rig.deliver_until_answered()
            if editor.has_acted and not _is_too_late(editor, rig):
                outcomes[document["outcome"]] += 1
                rig.require_unbroken()
                worlds = worlds or foreseen(rig, made, after, folder)
                require_right(rig, document, made, worlds)
        except AssertionError as error:
            failures.append(f"call {at} ({editor.actions[:1]}): {str(error)[:1500]}")
        finally:
            rig.close()
    assert not failures, f"{len(failures)} of {count}\n" + "\n".join(failures[:3])
    return outcomes


# What is read of who uses a group, where the cloud deletes it although somebody does.
LAST_READ = {
    ("openstack", names_the_group_anew): "GET /v2.0/security-group-rules",
    ("tencent-dfw", puts_a_server_behind_the_group_alone): "DescribeInstancesOfSecurityGroup",
}


# The calls right before which a change is lost on the cloud: the API knows no condition for them.
BLIND = {
    # The rule of an id is deleted, whatever it is described as by then.
    ("huawei", describes_the_rule_anew): ("DELETE ",),
    ("alibaba", describes_the_rule_anew): ("Revoke",),
    # It answers alike whether there was a rule to revoke or not.
    ("alibaba", takes_the_rule_away): ("Revoke",),
    # Groups of an instance are set as a whole, and which it had is read one call before.
    ("tencent-dfw", gives_the_holder_one_more): (
        "ModifySecurityGroupsOfInstance",
        "DescribeNetworkInterfacesOfSecurityGroup",
    ),
}


def _is_too_late(editor: Editor, rig: Rig) -> bool:
    """Say whether nothing could have helped, for want of a condition to send along.

    Neutron deletes a group with the rules that name it, Tencent one by force whatever it is on:
    all that can be done is to look just before.
    """
    provider = rig.plot.provider
    # Calls about other groups are under way as well, and come in between.
    blind = BLIND.get((provider, editor.edit), ())
    if any(action.startswith(blind) for action in editor.actions[:3]):
        return True
    last_read = LAST_READ.get((provider, editor.edit))
    deletes = ("DELETE /v2.0/security-groups/{id}", "DeleteSecurityGroup")
    before = list(takewhile(lambda action: action not in deletes, editor.actions))
    return last_read is not None and last_read not in before


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "shape", "made"), CASES, ids=IDS)
def test_what_somebody_else_does_at_any_moment_stays(provider, shape, made, folder):
    outcomes = disturbed(provider, shape, made, folder, EVERY)
    print(f"\n{provider} {shape} {made.__name__}: {dict(outcomes)}")
