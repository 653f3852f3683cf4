"""A machine that is paused between any two calls sends nothing once another worker may be at it.

The clock of the deadline stands still meanwhile, as it does on a machine that is suspended.
"""

from __future__ import annotations

import pytest

from tests.sim.generate import PROVIDERS
from tests.sim.run import run
from tests.sim.story import Story

PAUSE_S = 75.0
"""Longer than a lease; an operator comes before it ends."""

GROUPS = {
    "g0": [["ingress", "80", "g1"]],
    "g1": [],
    **{f"g{n}": [["ingress", "80", "g0"], ["ingress", "443", "g0"]] for n in range(10, 14)},
}
HOLDERS = {"h0": ["g0", "g1"], "h1": ["g0", "g1"], "h2": ["g0", "g1"]}
EVENT = {"id": "e0", "targets": ["g0"], "by": "alice"}
DELIVER = {"name": "d1", "kind": "deliver", "at": 0.0, "events": [EVENT], "mishaps": []}
LAUNCH = {**DELIVER, "events": [{"id": "e0", "holder": "h0", "by": "alice"}]}
RESTORE = {"name": "b1", "kind": "restore", "at": 300.0, "mishaps": []}

WORK = {
    "revoke": ({"remedies": ["revoke", "unbind"]}, [], DELIVER),
    "rewrite": (
        {"remedies": ["rewrite", "move"], "replacement_group": "g1", "fallback_group": "g1"},
        [],
        DELIVER,
    ),
    "quarantine": (
        {"launch_remedies": ["quarantine"], "quarantine_group": "g10", "forbidden": ["g0"]},
        [],
        LAUNCH,
    ),
    "restore": ({"remedies": ["revoke", "unbind"]}, [DELIVER], RESTORE),
}
"""A policy, what comes before, and the work that is paused."""


def story(provider: str, work: str, number: int, then: str, points: str) -> Story:
    policy, before, task = WORK[work]
    task = {**task, "mishaps": [[points, number, "pause", PAUSE_S]]}
    other = {"name": "o1", "kind": then, "at": task["at"] + PAUSE_S - 5, "mishaps": []}
    if then == "deliver":
        other["events"] = task.get("events", [])
    if then == "accept":
        other["any"] = True
    made = Story(provider, "1", GROUPS, HOLDERS, {"p0": {"ports": [], **policy}})
    made.tasks = [*before, task, other]
    made.jitter = False
    return made


def require_unbroken(provider: str, work: str, numbers: range, then: str, points: str) -> int:
    """Pause at these points; return at how many there was a pause."""
    paused = 0
    for number in numbers:
        result = run(story(provider, work, number, then, points))
        assert not result.violations, (number, list(map(str, result.violations.values())))
        paused += any("is frozen" in line for line in result.log)
    return paused


QUICK = [
    ("alibaba", "revoke"),
    ("tencent", "rewrite"),
    ("huawei", "quarantine"),
    ("openstack", "restore"),
    ("tencent-dfw", "restore"),
]


@pytest.mark.parametrize(("provider", "work"), QUICK)
@pytest.mark.sampled(3)
def test_nothing_is_sent_after_a_pause_between_changes_during_which_an_operator_came(
    provider, work
):
    assert require_unbroken(provider, work, range(1, 10, 4), "accept", "cloud-write")


@pytest.mark.slow
@pytest.mark.parametrize("then", ["accept", "resume"])
@pytest.mark.parametrize(
    ("provider", "work"),
    # API 2.0 does not tell whether an instance can be bound: nothing is changed for a launch.
    [(p, w) for p in PROVIDERS for w in WORK if (p, w) != ("tencent-dfw", "quarantine")],
)
def test_nothing_is_sent_after_a_pause_anywhere_during_which_another_came(provider, work, then):
    first = 21 + (3 * PROVIDERS.index(provider) + 2 * len(work) + len(then)) % 12
    assert require_unbroken(provider, work, range(first, 125, 19), then, "any")
