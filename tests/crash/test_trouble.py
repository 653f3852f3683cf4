"""Answers that are lost, late or wrong at any change: never a lost rule, never a bare holder."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from sgguard.emulator.faults import Fault
from tests.crash.harness import Rig, mostly_slow
from tests.crash.test_crash import IDS, PLOTS, clean_run
from tests.crash.worker import is_writing


@dataclass
class Trouble:
    """Trouble for one change: from the n-th on, for so many calls of its kind in a row."""

    rig: Rig
    at: int
    kind: str
    count: int = 1
    is_after: bool = False
    everything: bool = False
    status: int = 200
    seen: int = 0

    def __call__(self, request: Any) -> None:
        action = self.rig.action(request)
        if not is_writing(action):
            return
        if self.seen == self.at:
            more = {"status": self.status} if self.kind == "garbage" else {}
            first = Fault(self.kind, action=action, is_after=self.is_after, **more)
            self.rig.emulator.faults.append(first)
            if self.count > 1:
                rest = Fault(
                    self.kind,
                    action="*" if self.everything else action,
                    count=self.count - 1,
                    **more,
                )
                self.rig.emulator.faults.append(rest)
        self.seen += 1


ONCE = {
    "lost answer": {"kind": "drop", "is_after": True},
    "lost question": {"kind": "drop"},
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
    "lost answer, then 5xx for long": {"kind": "error", "count": 8, "is_after": True},
    "lost answer, then nobody answers": {
        "kind": "drop",
        "count": 25,
        "is_after": True,
        "everything": True,
    },
    "nobody answers": {"kind": "drop", "count": 25, "everything": True},
}
ALL = {**ONCE, **LASTING}


def suffered(provider: str, shape: str, folder, name: str) -> Iterator[tuple[int, str]]:
    """Try the trouble at every change of the plan; yield each with its outcome."""
    remediated = clean_run(provider, shape, folder)
    at = 0
    while True:
        rig = Rig.of(provider, shape, folder)
        trouble = Trouble(rig, at, **ALL[name])
        rig.emulator.meddle = trouble
        try:
            document = rig.deliver_until_answered(12)
            rig.emulator.faults.clear()
            if trouble.seen <= at:
                return
            rig.require_unbroken()
            rig.require_settled(document, rig.before, remediated)
            yield at, document["outcome"]
        except AssertionError as error:
            error.add_note(f"{provider} {shape}, {name} at change {at}")
            raise
        finally:
            rig.close()
        at += 1


def check(provider: str, shape: str, folder, name: str) -> None:
    outcomes = list(suffered(provider, shape, folder, name))
    assert outcomes
    # What passes is waited for where there is no other way out.
    expected = {"remediated"} if name in ONCE else {"remediated", "undone"}
    assert {outcome for _, outcome in outcomes} <= expected, outcomes


QUICK = {
    "tencent": "mix",
    "tencent-dfw": "rewrite",
    "alibaba": "move",
    "huawei": "mix",
    "openstack": "set",
}


@pytest.mark.parametrize("name", ["lost answer", "throttled for long"])
@pytest.mark.parametrize("provider", mostly_slow("tencent", "openstack"))
def test_trouble_with_one_change_is_survived(provider, name, folder):
    check(provider, QUICK[provider], folder, name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize(("provider", "shape"), PLOTS, ids=IDS)
def test_trouble_with_any_change_of_any_plan_is_survived(provider, shape, name, folder):
    check(provider, shape, folder, name)
