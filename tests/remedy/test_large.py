"""A plan larger than one delivery's time, and faster than a cloud allows."""

from __future__ import annotations

import threading
from collections import defaultdict
from fnmatch import fnmatchcase
from importlib import import_module

import httpx
import pytest
from msgspec.structs import replace

from sgguard.emulator.faults import Fault
from sgguard.emulator.transport import EmulatorTransport
from sgguard.errors import DeadlineError
from sgguard.store import open_store
from sgguard.web import problem
from sgguard.wire.pacing import Lanes
from tests.bench.remedy import Crowd, is_writing
from tests.worlds import world_of


class Far(httpx.BaseTransport):
    """A cloud that is far away, on a clock that moves with every call, whoever makes it.

    Calls side by side take their time one after another on this clock. So the clock passes a
    deadline while calls are under way that were begun before it; ``begun_s`` has, of each call, the
    time that its thread read last: it must have read one for each.
    """

    def __init__(self, emulator, latency_s):
        self.inner, self.latency_s = EmulatorTransport(emulator), latency_s
        self.now_s = 0.0
        self.begun_s = []
        self.one = threading.Lock()
        self.mine = threading.local()

    def handle_request(self, request):
        begun_s, self.mine.now_s = self.mine.now_s, None
        assert begun_s is not None
        with self.one:
            self.begun_s.append(begun_s)
            self.now_s += self.latency_s
        return self.inner.handle_request(request)

    def clock(self):
        self.mine.now_s = self.now_s
        return self.mine.now_s


# Reading 200 holders whose groups no verdict tells takes longer on this clock than it does.
FAR = {
    "alibaba": (0.05, 200),
    "openstack": (0.05, 200),
    "huawei": (0.008, 200),
    "tencent": (0.03, 200),
    "tencent-dfw": (0.015, 80),
}


def mostly_slow(providers, *quick):
    """All providers for ``parametrize``: these in every run, the others in the slow one."""
    marks = {one: () if one in quick else pytest.mark.slow for one in providers}
    return [pytest.param(one, marks=mark) for one, mark in marks.items()]


@pytest.mark.parametrize("provider", mostly_slow(FAR, "openstack", "tencent-dfw"))
@pytest.mark.sampled(2)
def test_a_plan_larger_than_one_delivery_is_finished_by_several(provider, tmp_path):
    remedies = ("revoke", "move" if provider == "tencent-dfw" else "unbind")
    latency_s, holders = FAR[provider]
    settings = {"SGGUARD_DEADLINE_S": "3"}
    crowd = Crowd(world_of(provider), remedies, tmp_path, holders=holders, settings=settings)
    far = Far(crowd.emulator, latency_s)
    open_changes = []
    for number in range(40):
        writes = sum(map(is_writing, crowd.calls().elements()))
        begun_s = far.now_s
        handled = crowd.remedy(crowd.context(transport=far, clock=far.clock))
        assert max(far.begun_s) <= begun_s + 3.0
        if isinstance(handled, dict):
            break
        assert isinstance(handled, DeadlineError), handled
        told = problem.of(handled, event_id="crowd")
        assert (told.status, told.retry_after_s) == (503, 1)
        # Each gets on: the first may only lock what the plan touches, and look.
        assert not number or sum(map(is_writing, crowd.calls().elements())) > writes
        runs = open_store(crowd.env["SGGUARD_STORE"]).open_runs()
        open_changes.extend([len(runs)] if runs or number else [])
    assert handled["outcome"] == "remediated", handled
    assert open_changes
    assert set(open_changes) == {1}
    # What was not sent in time has a second line, of the delivery that made it.
    assert {one["state"] for one in handled["journal"]} <= {"done", "not-done"}
    last = {one["step"]: one["state"] for one in handled["journal"]}
    assert set(last.values()) == {"done"}
    assert len(handled["journal"]) >= 50 + holders + 1
    assert crowd.emulator.state.clouds[0].group(crowd.target) is None


PACED = ("tencent", "tencent-dfw", "huawei", "openstack")


class SharedClock:
    """A clock that moves when somebody waits; who has waited is at the moment they waited for.

    Threads wait one after another here: whoever is late would otherwise seem to call together
    with those who waited longer.
    """

    def __init__(self):
        self.now_s = 1_700_000_000.0
        self.one = threading.Lock()
        self.mine = threading.local()

    def __call__(self):
        woken_s, self.mine.woken_s = getattr(self.mine, "woken_s", None), None
        self.mine.now_s = self.now_s if woken_s is None else woken_s
        return self.mine.now_s

    def sleep(self, seconds):
        self.mine.woken_s = self.mine.now_s + seconds
        with self.one:
            self.now_s = max(self.now_s, self.mine.woken_s)

    def of_caller(self):
        """The time of the thread that calls, when it began to."""
        return getattr(self.mine, "now_s", self.now_s)


@pytest.mark.parametrize("provider", mostly_slow(PACED, "tencent"))
def test_no_call_of_a_plan_comes_faster_than_the_documents_allow(provider, tmp_path):
    clock = SharedClock()
    crowd = Crowd(
        world_of(provider),
        ("rewrite", "move"),
        tmp_path,
        **({"references": 60, "referrers": 30} if provider == "tencent" else {}),
        holders=120 if provider == "openstack" else 60,
        clocks={"now": clock.of_caller},
        settings={"SGGUARD_PACE": "0.8"},
    )
    rates = import_module(f"sgguard.providers.{provider.replace('-', '_')}").RATES
    crowd.emulator.state.clouds[0].rates = dict(rates)

    context = crowd.context(now=clock.of_caller)
    handled = crowd.remedy(replace(context, lanes=Lanes(clock, clock.sleep)))

    assert handled["outcome"] == "remediated", handled
    moments = defaultdict(list)
    for one in crowd.emulator.requests:
        moments[one.action].append(one.begun_s)
    busy = set()
    for action, times in moments.items():
        most = int(next(rate for name, rate in rates.items() if fnmatchcase(action, name)))
        times.sort()
        assert all(late - early >= 0.999 for early, late in zip(times, times[most:], strict=False))
        busy |= {action} if len(times) > most else set()
    assert busy  # something was asked often enough to have to wait


@pytest.mark.parametrize("provider", ["tencent", "alibaba"])
@pytest.mark.sampled(2)
def test_a_plan_refused_in_the_middle_is_undone_completely(provider, tmp_path):
    crowd = Crowd(world_of(provider), ("revoke", "unbind"), tmp_path, 10, 5, 20)
    before = crowd.emulator.state.dump()["clouds"][0]["interfaces"]
    if provider == "tencent":
        # A call for many is refused, then one of the holders: those before it are bound again.
        action, skip, count = "DisassociateSecurityGroups", 0, 4
    else:
        action, skip, count = "LeaveSecurityGroup", 3, 1
    fault = Fault("error", action=action, skip=skip, count=count, code="Odd")
    crowd.emulator.faults.append(fault)
    handled = crowd.remedy()
    assert handled["outcome"] == "undone", (handled["outcome"], handled["note"])
    assert handled["note"]
    after = crowd.emulator.state.dump()["clouds"][0]["interfaces"]
    assert [set(one["groups"]) for one in after] == [set(one["groups"]) for one in before]
    assert len(crowd.emulator.state.clouds[0].references(crowd.target)) == 10
