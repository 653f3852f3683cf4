"""A cloud that refuses a change in the middle: what was done is taken back, in reverse order."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest

from tests.crash.harness import Rig, mostly_slow
from tests.crash.test_crash import IDS, PLOTS, clean_run
from tests.crash.test_trouble import QUICK
from tests.crash.worker import is_writing


@dataclass
class Refusal:
    """Denies the n-th change; lasting for all of its ``kind``, or for ``all``, after it as well."""

    rig: Rig
    at: int
    lasting: str = ""
    seen: int = 0
    kind: str = ""

    def __call__(self, request: Any) -> None:
        action = self.rig.action(request)
        if not is_writing(action):
            return
        if self.seen == self.at:
            self.kind = action
        is_alike = self.lasting == "all" or (self.lasting == "kind" and action == self.kind)
        is_denied = self.seen == self.at or (self.seen > self.at and is_alike)
        for account in self.rig.emulator.state.clouds[0].accounts:
            account.denied = [action] if is_denied else []
        self.seen += 1

    def end(self) -> None:
        self.rig.emulator.meddle = None
        for account in self.rig.emulator.state.clouds[0].accounts:
            account.denied = []


def refused(provider: str, shape: str, folder, lasting: str = "") -> list[str]:
    remediated = clean_run(provider, shape, folder)
    outcomes = []
    at = 0
    while True:
        rig = Rig.of(provider, shape, folder)
        refusal = Refusal(rig, at, lasting)
        rig.emulator.meddle = refusal
        try:
            document = rig.deliver()
            refusal.end()
            if refusal.seen <= at:
                return outcomes
            assert isinstance(document, dict), document
            rig.require_unbroken()
            rig.require_settled(document, rig.before, remediated)
            require_reverse(document)
            rig.require_same_answer(document)
            outcomes.append(document["outcome"])
        except AssertionError as error:
            error.add_note(f"{provider} {shape}, refused at change {at}")
            raise
        finally:
            rig.close()
        at += 1


def require_reverse(document: dict[str, Any]) -> None:
    """Steps are taken back from the last to the first."""
    steps = [line["step"] for line in document["journal"] if line["is_undo"]]
    assert all(earlier >= later for earlier, later in pairwise(steps)), steps


def check_once(provider: str, shape: str, folder) -> None:
    outcomes = refused(provider, shape, folder)
    assert outcomes
    assert outcomes[0] == "undone"
    expected = {"undone"}
    if shape in ("circle", "set"):
        expected |= {"partly-undone"}  # after the first of several groups is gone
    if provider == "huawei":
        expected |= {"remediated"}  # what one API refuses the other may do
    assert set(outcomes) <= expected


def check_lasting(provider: str, shape: str, folder) -> None:
    for lasting in ("kind", "all"):
        outcomes = refused(provider, shape, folder, lasting)
        assert outcomes[0] == "undone"
        assert set(outcomes) <= {"undone", "partly-undone"}


@pytest.mark.parametrize("provider", mostly_slow("alibaba", "huawei"))
def test_what_was_done_before_a_refusal_is_taken_back(provider, folder):
    check_once(provider, QUICK[provider], folder)


@pytest.mark.parametrize("provider", mostly_slow("tencent"))
def test_what_cannot_be_taken_back_is_told_and_not_made_worse(provider, folder):
    check_lasting(provider, QUICK[provider], folder)


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "shape"), PLOTS, ids=IDS)
def test_what_was_done_before_any_refusal_is_taken_back(provider, shape, folder):
    check_once(provider, shape, folder)


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "shape"), PLOTS, ids=IDS)
def test_whatever_cannot_be_taken_back_is_told(provider, shape, folder):
    check_lasting(provider, shape, folder)


@pytest.mark.parametrize("provider", mostly_slow("openstack"))
def test_a_group_that_is_full_meanwhile_gets_no_new_rule_and_loses_none(provider, folder):
    rig = Rig.of(provider, "rewrite", folder)

    def fill(request: Any) -> None:
        if is_writing(rig.action(request)):
            rig.emulator.state.clouds[0].limits["rules-per-group"] = 1

    rig.emulator.meddle = fill
    document = rig.deliver()
    assert document["outcome"] == "undone", document["note"]
    rig.require_unbroken()
    rig.require_settled(document, rig.before, rig.before)
    rig.close()
