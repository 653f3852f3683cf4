"""A change refused in the middle of a plan: earlier changes are undone, in reverse order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from tests.crash.harness import IDS, SCENARIOS, Harness, clean_run, mostly_slow
from tests.crash.test_faults import QUICK
from tests.crash.worker import is_writing


@dataclass
class Refusal:
    """Denies the n-th change; lasting for all of its ``kind``, or for ``all``, after it as well."""

    harness: Harness
    at: int
    lasting: str = ""
    counted: int = 0
    kind: str = ""

    def __call__(self, request: Any) -> None:
        action = self.harness.action(request)
        if not is_writing(action):
            return
        if self.counted == self.at:
            self.kind = action
        is_alike = self.lasting == "all" or (self.lasting == "kind" and action == self.kind)
        is_denied = self.counted == self.at or (self.counted > self.at and is_alike)
        for account in self.harness.emulator.state.clouds[0].accounts:
            account.denied = [action] if is_denied else []
        self.counted += 1

    def end(self) -> None:
        self.harness.emulator.before_call = None
        for account in self.harness.emulator.state.clouds[0].accounts:
            account.denied = []


def outcomes_under_refusal(provider: str, shape: str, folder, lasting: str = "") -> list[str]:
    remediated = clean_run(provider, shape, folder)
    outcomes = []
    at = 0
    while True:
        harness = Harness.of(provider, shape, folder)
        refusal = Refusal(harness, at, lasting)
        harness.emulator.before_call = refusal
        try:
            document = harness.deliver()
            refusal.end()
            if refusal.counted <= at:
                return outcomes
            assert isinstance(document, dict), document
            harness.require_unbroken()
            harness.require_settled(document, harness.before, remediated)
            require_reverse(document)
            harness.require_same_decision(document)
            outcomes.append(document["outcome"])
        except AssertionError as error:
            error.add_note(f"{provider} {shape}, refused at change {at}")
            raise
        finally:
            harness.close()
        at += 1


def require_reverse(document: dict[str, Any]) -> None:
    """Steps are undone from the last to the first."""
    steps = [line["step"] for line in document["journal"] if line["is_undo"]]
    assert all(earlier >= later for earlier, later in pairwise(steps)), steps


def goes_one_by_one(provider: str, shape: str) -> bool:
    """Whether the first change is a call for many rules, in whose place a call for each may do."""
    return provider == "tencent" and shape in ("rewrite", "mix")


def check_once(provider: str, shape: str, folder) -> None:
    outcomes = outcomes_under_refusal(provider, shape, folder)
    assert outcomes
    assert outcomes[0] == ("remediated" if goes_one_by_one(provider, shape) else "undone")
    expected = {"undone"}
    if shape in ("circle", "set"):
        expected |= {"partly-undone"}  # after the first of several groups is gone
    if provider == "huawei" or goes_one_by_one(provider, shape):
        expected |= {"remediated"}  # what one API, or one call, refuses the other may do
    assert set(outcomes) <= expected


def check_lasting(provider: str, shape: str, folder) -> None:
    for lasting in ("kind", "all"):
        outcomes = outcomes_under_refusal(provider, shape, folder, lasting)
        is_remedied = lasting == "kind" and goes_one_by_one(provider, shape)
        assert outcomes[0] == ("remediated" if is_remedied else "undone")
        assert set(outcomes) <= {"undone", "partly-undone", *outcomes[:is_remedied]}


@pytest.mark.parametrize("provider", mostly_slow("alibaba", "huawei"))
@pytest.mark.sampled(2)
def test_changes_before_a_refused_change_are_undone(provider, folder):
    check_once(provider, QUICK[provider], folder)


@pytest.mark.parametrize("provider", mostly_slow("tencent"))
@pytest.mark.slow
def test_a_change_that_cannot_be_undone_is_reported_and_nothing_else_changes(provider, folder):
    check_lasting(provider, QUICK[provider], folder)


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "shape"), SCENARIOS, ids=IDS)
def test_changes_before_any_refused_change_are_undone(provider, shape, folder):
    check_once(provider, shape, folder)


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "shape"), SCENARIOS, ids=IDS)
def test_every_change_that_cannot_be_undone_is_reported(provider, shape, folder):
    check_lasting(provider, shape, folder)


@pytest.mark.parametrize("provider", mostly_slow("openstack"))
def test_a_group_that_becomes_full_gets_no_new_rule_and_loses_none(provider, folder):
    harness = Harness.of(provider, "rewrite", folder)

    def fill(request: Any) -> None:
        if is_writing(harness.action(request)):
            harness.emulator.state.clouds[0].limits["rules-per-group"] = 1

    harness.emulator.before_call = fill
    document = harness.deliver()
    harness.require_unbroken()
    if provider == "tencent":  # one call puts the new rules in the place of the old: none is added
        assert document["outcome"] == "remediated", document["note"]
    else:
        assert document["outcome"] == "undone", document["note"]
        harness.require_settled(document, harness.before, harness.before)
    harness.close()
