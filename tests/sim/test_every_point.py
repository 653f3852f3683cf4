"""A death, or an answer of the store that is lost, at every transaction of every kind of work."""

from __future__ import annotations

import pytest

from tests.sim.run import run
from tests.sim.story import Story

GROUPS = {"g0": [], "g1": [["ingress", "80", "g0"]], "g2": []}
HOLDERS = {"h0": ["g0", "g2"]}
EVENT = {"id": "e0", "targets": ["g0"], "by": "alice"}
DELIVER = {"name": "d1", "kind": "deliver", "at": 0.0, "events": [EVENT]}
EXPIRED_S = 7300.0

WORK = {
    "deliver": ("enforce", [], DELIVER),
    "ask": ("approve", [], DELIVER),
    "approve": ("approve", [DELIVER], {"name": "p1", "kind": "approve", "at": 5.0}),
    "deny": ("approve", [DELIVER], {"name": "p1", "kind": "deny", "at": 5.0}),
    "remind": ("approve", [DELIVER], {"name": "t1", "kind": "remind", "at": EXPIRED_S}),
    "restore": ("enforce", [DELIVER], {"name": "b1", "kind": "restore", "at": 60.0}),
}
"""The mode of the policy, what comes before, and the work that something happens to."""

WHATS = ("kill-after", "error", "lost")
"""To die before a transaction is mostly to die after the one before it."""

POINTS = range(1, 14)
"""More transactions than any of them has: the last ones change nothing."""


def story(work: str, number: int, what: str) -> Story:
    mode, before, task = WORK[work]
    tasks = [*({**one, "mishaps": []} for one in before)]
    tasks.append({**task, "mishaps": [["store-write", number, what, 0.0]]})
    policy = {"mode": mode, "ports": [], "remedies": ["revoke", "unbind"]}
    made = Story("tencent", "1", GROUPS, HOLDERS, {"p0": policy}, tasks, jitter=False, end="expire")
    made.restores = work == "restore"
    return made


@pytest.mark.parametrize("what", [pytest.param("kill", marks=pytest.mark.slow), *WHATS])
@pytest.mark.parametrize("work", WORK)
@pytest.mark.sampled(2)
def test_what_happens_at_a_transaction_is_mended_later(work, what):
    for number in POINTS:
        result = run(story(work, number, what))
        assert not result.violations, (number, list(map(str, result.violations.values())))
