"""Time that is used up, a switch that is thrown, and workers that meet."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from sgguard.errors import BusyError, DeadlineError, HaltedError, LeaseLostError
from sgguard.store.rows import Query
from tests.crash.harness import LEASE_S, Rig, mostly_slow
from tests.crash.test_crash import IDS, PLOTS, clean_run
from tests.crash.test_trouble import QUICK
from tests.crash.worker import HookedStore, is_writing


class Clock:
    """A monotonic clock that can be moved."""

    def __init__(self) -> None:
        self.ahead_s = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.ahead_s


def nth(number: int, act: Callable[[], None], is_counted: Callable[[Any], bool]) -> Any:
    """Act before the n-th of the requests that count."""
    count = iter(range(1_000_000))

    def meddle(request: Any) -> None:
        if is_counted(request) and next(count) == number:
            act()

    return meddle


# -- time -----------------------------------------------------------------------------------


def run_out(provider: str, shape: str, folder, every: int) -> None:
    remediated = clean_run(provider, shape, folder)
    for at in range(0, 1000, every):
        rig, clock, moved = Rig.of(provider, shape, folder), Clock(), []

        def pass_by(clock=clock, moved=moved) -> None:
            clock.ahead_s += 100
            moved.append(True)

        rig.emulator.meddle = nth(at, pass_by, lambda request: True)
        handled = rig.deliver(clock=clock)
        rig.emulator.meddle = None
        assert isinstance(handled, dict | DeadlineError), handled
        document = handled if isinstance(handled, dict) else rig.deliver_until_answered()
        try:
            rig.require_unbroken()
            rig.require_settled(document, rig.before, remediated)
            assert document["outcome"] == "remediated"
        except AssertionError as error:
            error.add_note(f"{provider} {shape}, the time ran out before call {at}")
            raise
        finally:
            rig.close()
        if not moved:
            return


@pytest.mark.parametrize("provider", mostly_slow("huawei"))
def test_a_plan_whose_time_runs_out_is_gone_on_with(provider, folder):
    run_out(provider, QUICK[provider], folder, 7)


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "shape"), PLOTS, ids=IDS)
def test_the_time_may_run_out_before_any_call(provider, shape, folder):
    run_out(provider, shape, folder, 1)


@pytest.mark.parametrize("provider", mostly_slow("alibaba"))
def test_a_plan_larger_than_a_deadline_takes_several_deliveries(provider, folder):
    remediated = clean_run(provider, "rewrite", folder)
    rig = Rig.of(provider, "rewrite", folder)
    deliveries = 0
    handled: Any = None
    while not isinstance(handled, dict):
        clock = Clock()

        def take_time(request: Any, clock=clock) -> None:
            if is_writing(rig.action(request)):
                clock.ahead_s += 3.5

        rig.emulator.meddle = take_time
        handled = rig.deliver(clock=clock)
        assert isinstance(handled, dict | DeadlineError), handled
        deliveries += 1
        assert deliveries < 10
    assert deliveries > 1
    rig.require_unbroken()
    rig.require_settled(handled, rig.before, remediated)
    rig.close()


# -- the switch -----------------------------------------------------------------------------


def stopped(provider: str, shape: str, folder) -> None:
    remediated = clean_run(provider, shape, folder)
    at = 0
    while True:
        rig, begun = Rig.of(provider, shape, folder), [-1]

        def throw(rig=rig, begun=begun) -> None:
            rig.store.halt("olga", "wait")
            begun[0] = len(changes_begun(rig))

        rig.emulator.meddle = nth(at, throw, lambda r, rig=rig: is_writing(rig.action(r)))
        handled = rig.deliver()
        rig.emulator.meddle = None
        if rig.store.halted() is None:
            rig.close()
            return
        assert len(changes_begun(rig)) == begun[0]
        if not isinstance(handled, dict):  # else it was the last change
            assert isinstance(handled, HaltedError), handled
            require_standstill(rig)
        rig.store.lift_halt()
        document = rig.deliver_until_answered()
        rig.require_unbroken()
        rig.require_settled(document, rig.before, remediated)
        assert document["outcome"] == "remediated"
        rig.close()
        at += 1


def changes_begun(rig: Rig) -> tuple[Any, ...]:
    """The lines of the journal of the event's decision."""
    (record,) = rig.store.decisions(Query())
    return rig.store.entries(record.decision_id)


def require_standstill(rig: Rig) -> None:
    writes, world = len(rig.writes()), rig.now()
    (run,) = rig.store.open_runs()
    assert run.state == "open"
    assert isinstance(rig.deliver(), HaltedError)
    assert (len(rig.writes()), rig.now()) == (writes, world)


@pytest.mark.parametrize("provider", mostly_slow("openstack"))
def test_the_switch_stops_a_plan_between_two_changes_and_lets_it_go_on(provider, folder):
    stopped(provider, QUICK[provider], folder)


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "shape"), PLOTS, ids=IDS)
def test_the_switch_stops_any_plan_between_any_two_changes(provider, shape, folder):
    stopped(provider, shape, folder)


# -- workers that meet ----------------------------------------------------------------------


class Sleeper:
    """A worker in a thread of its own that falls asleep at the n-th of some points."""

    def __init__(self, rig: Rig, point: str, number: int, **more: Any) -> None:
        self.asleep, self._wake = threading.Event(), threading.Event()
        self._point, self._left = point, number
        self.handled: Any = None
        store = HookedStore(rig.store, self._hook)
        self._thread = threading.Thread(
            target=lambda: setattr(self, "handled", rig.deliver(store, **more)), daemon=True
        )

    def _hook(self, point: str) -> None:
        if point == self._point:
            if self._left == 0:
                self.asleep.set()
                assert self._wake.wait(20)
            self._left -= 1

    def fall_asleep(self) -> bool:
        """Let it work until it sleeps; False when it came to its end before."""
        self._thread.start()
        while not self.asleep.wait(0.002):
            if not self._thread.is_alive():
                return self.asleep.is_set()
        return True

    def wake(self) -> Any:
        self._wake.set()
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.handled


@pytest.mark.parametrize("provider", mostly_slow("tencent"))
def test_of_two_workers_with_the_same_event_one_is_told_that_it_is_busy(provider, folder):
    shape = QUICK[provider]
    remediated = clean_run(provider, shape, folder)
    rig = Rig.of(provider, shape, folder)
    first = Sleeper(rig, "after intend", 1)
    assert first.fall_asleep()
    assert isinstance(rig.deliver(), BusyError)
    document = first.wake()
    rig.require_settled(document, rig.before, remediated)
    assert document["outcome"] == "remediated"
    rig.close()


@pytest.mark.parametrize("provider", mostly_slow("huawei"))
def test_two_events_about_one_group_are_worked_on_one_after_the_other(provider, folder):
    shape = QUICK[provider]
    remediated = clean_run(provider, shape, folder)
    rig = Rig.of(provider, shape, folder)
    first = Sleeper(rig, "after lock", 0)
    assert first.fall_asleep()
    writes = len(rig.writes())
    second = rig.deliver(event_id="event-2")
    assert isinstance(second, BusyError), second
    assert len(rig.writes()) == writes
    document = first.wake()
    rig.require_settled(document, rig.before, remediated)
    late = rig.deliver(event_id="event-2")
    assert late["outcome"] == "unchanged"
    assert "not-found" in {reason["code"] for reason in late["reasons"]}
    rig.require(remediated)
    rig.close()


def overslept(provider: str, shape: str, folder, point: str) -> int:
    """Let a worker sleep through its lease at every such point while another one takes over."""
    remediated = clean_run(provider, shape, folder)
    number = 0
    while True:
        rig, clock = Rig.of(provider, shape, folder), Clock()
        sleeper = Sleeper(rig, point, number, clock=clock)
        if not sleeper.fall_asleep():
            rig.close()
            return number
        document = rig.deliver_until_answered()
        writes, world = len(rig.writes()), rig.now()
        clock.ahead_s += LEASE_S
        handled = sleeper.wake()
        assert isinstance(handled, LeaseLostError | DeadlineError), handled
        assert (len(rig.writes()), rig.now()) == (writes, world)
        rig.require_unbroken()
        rig.require_settled(document, rig.before, remediated)
        assert document["outcome"] == "remediated"
        rig.close()
        number += 1


@pytest.mark.parametrize(
    "point", ["before intend", "after intend", "before settle", "after settle"]
)
@pytest.mark.parametrize("provider", mostly_slow("alibaba"))
def test_a_worker_that_slept_through_its_lease_changes_nothing_any_more(provider, point, folder):
    assert overslept(provider, "revoke", folder, point) > 2


@pytest.mark.parametrize("provider", mostly_slow("tencent", "openstack"))
def test_a_worker_that_wakes_while_its_follower_works_writes_nothing(provider, folder):
    remediated = clean_run(provider, "revoke", folder)
    rig, clock = Rig.of(provider, "revoke", folder), Clock()
    first = Sleeper(rig, "before settle", 0, clock=clock)
    assert first.fall_asleep()
    rig.ahead_s += LEASE_S
    second = Sleeper(rig, "before intend", 1)
    assert second.fall_asleep()
    writes, journal = len(rig.writes()), changes_begun(rig)
    # Its own clock stood still: the store alone tells it that the work is another's.
    handled = first.wake()
    assert isinstance(handled, LeaseLostError), handled
    assert (len(rig.writes()), changes_begun(rig)) == (writes, journal)
    document = second.wake()
    rig.require_settled(document, rig.before, remediated)
    assert document["outcome"] == "remediated"
    rig.close()
