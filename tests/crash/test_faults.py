"""Responses lost, late or wrong at any change: no rule and no holder's last group is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sgguard.emulator.faults import Fault
from tests.crash.harness import SCENARIOS, Harness, clean_run, mostly_slow
from tests.crash.worker import is_writing


@dataclass
class InjectedFault:
    """A fault at the n-th change, and at so many further calls of its kind."""

    harness: Harness
    at: int
    kind: str
    count: int = 1
    is_after: bool = False
    everything: bool = False
    status: int = 200
    counted: int = 0

    def __call__(self, request: Any) -> None:
        action = self.harness.action(request)
        if not is_writing(action):
            return
        if self.counted == self.at:
            more = {"status": self.status} if self.kind == "garbage" else {}
            first = Fault(self.kind, action=action, is_after=self.is_after, **more)
            self.harness.emulator.faults.append(first)
            if self.count > 1:
                rest = Fault(
                    self.kind,
                    action="*" if self.everything else action,
                    count=self.count - 1,
                    **more,
                )
                self.harness.emulator.faults.append(rest)
        self.counted += 1


ONCE = {
    "lost response": {"kind": "drop", "is_after": True},
    "lost request": {"kind": "drop"},
    "throttled": {"kind": "throttle"},
    "5xx": {"kind": "error"},
    "5xx after the effect": {"kind": "error", "is_after": True},
    "garbage": {"kind": "garbage"},
    "garbage after the effect": {"kind": "garbage", "is_after": True},
    "bad gateway after the effect": {"kind": "garbage", "status": 502, "is_after": True},
}
LASTING = {
    "throttled for long": {"kind": "throttle", "count": 8},
    "5xx for long": {"kind": "error", "count": 8},
    "lost response, then 5xx for long": {"kind": "error", "count": 8, "is_after": True},
    "lost response, then none at all": {
        "kind": "drop",
        "count": 25,
        "is_after": True,
        "everything": True,
    },
    "no responses": {"kind": "drop", "count": 25, "everything": True},
}
ALL = {**ONCE, **LASTING}


def outcomes_under_fault(provider: str, shape: str, folder, name: str) -> Iterator[tuple[int, str]]:
    """Try the trouble at every change of the plan; yield each with its outcome."""
    remediated = clean_run(provider, shape, folder)
    at = 0
    while True:
        harness = Harness.of(provider, shape, folder)
        fault = InjectedFault(harness, at, **ALL[name])
        harness.emulator.before_call = fault
        try:
            document = harness.deliver_until_decided(12)
            harness.emulator.faults.clear()
            if fault.counted <= at:
                return
            harness.require_unbroken()
            harness.require_settled(document, harness.before, remediated)
            yield at, document["outcome"]
        except AssertionError as error:
            error.add_note(f"{provider} {shape}, {name} at change {at}")
            raise
        finally:
            harness.close()
        at += 1


def check(provider: str, shape: str, folder, name: str) -> None:
    outcomes = list(outcomes_under_fault(provider, shape, folder, name))
    assert outcomes
    # A fault that passes is waited for where the plan cannot be undone.
    expected = {"remediated"} if name in ONCE else {"remediated", "undone"}
    assert {outcome for _, outcome in outcomes} <= expected, outcomes


QUICK = {
    "tencent": "mix",
    "tencent-dfw": "rewrite",
    "alibaba": "move",
    "huawei": "mix",
    "openstack": "set",
}


@pytest.mark.parametrize("name", ["lost response", "throttled for long"])
@pytest.mark.parametrize("provider", mostly_slow("tencent", "openstack"))
@pytest.mark.sampled(4)
def test_a_fault_at_one_change_is_recovered(provider, name, folder):
    check(provider, QUICK[provider], folder, name)


# Every trouble meets every kind of plan on some cloud: all of them together would take minutes.
SAMPLED = [
    pytest.param(provider, shape, name, id=f"{provider}-{shape}-{name}")
    for at, (provider, shape) in enumerate(SCENARIOS)
    for number, name in enumerate(ALL)
    if (at + number) % 3 == 0
]


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "shape", "name"), SAMPLED)
def test_a_fault_at_any_change_of_any_plan_is_recovered(provider, shape, name, folder):
    check(provider, shape, folder, name)
