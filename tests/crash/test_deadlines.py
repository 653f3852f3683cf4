"""Deadlines that expire, the halt switch, and two workers with one event."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from sgguard.errors import BusyError, DeadlineError, HaltedError, LeaseLostError
from sgguard.store.rows import Query
from tests.crash.harness import IDS, LEASE_S, SCENARIOS, Harness, clean_run, mostly_slow
from tests.crash.test_faults import QUICK
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

    def before_call(request: Any) -> None:
        if is_counted(request) and next(count) == number:
            act()

    return before_call


# -- time -----------------------------------------------------------------------------------


def expire_before_each_call(provider: str, shape: str, folder, every: int) -> None:
    remediated = clean_run(provider, shape, folder)
    for at in range(0, 1000, every):
        harness, clock, moved = Harness.of(provider, shape, folder), Clock(), []

        def expire(clock=clock, moved=moved) -> None:
            clock.ahead_s += 100
            moved.append(True)

        harness.emulator.before_call = nth(at, expire, lambda request: True)
        handled = harness.deliver(clock=clock)
        harness.emulator.before_call = None
        assert isinstance(handled, dict | DeadlineError), handled
        document = handled if isinstance(handled, dict) else harness.deliver_until_decided()
        try:
            harness.require_unbroken()
            harness.require_settled(document, harness.before, remediated)
            assert document["outcome"] == "remediated"
        except AssertionError as error:
            error.add_note(f"{provider} {shape}, the time ran out before call {at}")
            raise
        finally:
            harness.close()
        if not moved:
            return


@pytest.mark.parametrize("provider", mostly_slow("huawei"))
@pytest.mark.slow
def test_a_plan_whose_deadline_expires_is_resumed(provider, folder):
    expire_before_each_call(provider, QUICK[provider], folder, 7)


# Every second plan here, and the others below.
@pytest.mark.slow
@pytest.mark.parametrize(("provider", "shape"), SCENARIOS[::2], ids=IDS[::2])
def test_a_deadline_that_expires_before_any_call_loses_nothing(provider, shape, folder):
    expire_before_each_call(provider, shape, folder, 1)


@pytest.mark.parametrize("provider", mostly_slow("alibaba"))
def test_a_plan_larger_than_a_deadline_takes_several_deliveries(provider, folder):
    remediated = clean_run(provider, "rewrite", folder)
    harness = Harness.of(provider, "rewrite", folder)
    deliveries = 0
    handled: Any = None
    while not isinstance(handled, dict):
        clock = Clock()

        def take_time(request: Any, clock=clock) -> None:
            if is_writing(harness.action(request)):
                clock.ahead_s += 6.0  # each call, of which a plan may need only three

        harness.emulator.before_call = take_time
        handled = harness.deliver(clock=clock)
        assert isinstance(handled, dict | DeadlineError), handled
        deliveries += 1
        assert deliveries < 10
    assert deliveries > 1
    harness.require_unbroken()
    harness.require_settled(handled, harness.before, remediated)
    harness.close()


# -- the halt switch -----------------------------------------------------------------------------


def halt_before_each_change(provider: str, shape: str, folder) -> None:
    remediated = clean_run(provider, shape, folder)
    at = 0
    while True:
        harness, begun = Harness.of(provider, shape, folder), [-1]

        def halt_changes(harness=harness, begun=begun) -> None:
            harness.store.halt("olga", "wait")
            begun[0] = len(changes_begun(harness))

        harness.emulator.before_call = nth(
            at, halt_changes, lambda r, harness=harness: is_writing(harness.action(r))
        )
        handled = harness.deliver()
        harness.emulator.before_call = None
        if harness.store.halted() is None:
            harness.close()
            return
        assert len(changes_begun(harness)) == begun[0]
        if not isinstance(handled, dict):  # else it was the last change
            assert isinstance(handled, HaltedError), handled
            require_standstill(harness)
        harness.store.lift_halt()
        document = harness.deliver_until_decided()
        harness.require_unbroken()
        harness.require_settled(document, harness.before, remediated)
        assert document["outcome"] == "remediated"
        harness.close()
        at += 1


def changes_begun(harness: Harness) -> tuple[Any, ...]:
    """The lines of the journal of the event's decision."""
    (record,) = harness.store.decisions(Query())
    return harness.store.entries(record.decision_id)


def require_standstill(harness: Harness) -> None:
    writes, world = len(harness.writes()), harness.now()
    (run,) = harness.store.open_runs()
    assert run.state == "open"
    assert isinstance(harness.deliver(), HaltedError)
    assert (len(harness.writes()), harness.now()) == (writes, world)


@pytest.mark.parametrize("provider", mostly_slow("openstack"))
@pytest.mark.slow
def test_a_halt_stops_a_plan_between_two_changes_and_its_end_resumes_it(provider, folder):
    halt_before_each_change(provider, QUICK[provider], folder)


@pytest.mark.slow
@pytest.mark.parametrize(("provider", "shape"), SCENARIOS[1::2], ids=IDS[1::2])
def test_a_halt_stops_any_plan_between_any_two_changes(provider, shape, folder):
    halt_before_each_change(provider, shape, folder)


# -- concurrent workers ----------------------------------------------------------------------


class PausedWorker:
    """A worker in a thread of its own that is paused at the n-th of some points."""

    def __init__(self, harness: Harness, point: str, number: int, **more: Any) -> None:
        self.is_paused, self._resumed = threading.Event(), threading.Event()
        self._point, self._left = point, number
        self.handled: Any = None
        store = HookedStore(harness.store, self._hook)
        self._thread = threading.Thread(
            target=lambda: setattr(self, "handled", harness.deliver(store, **more)), daemon=True
        )

    def _hook(self, point: str) -> None:
        if point == self._point:
            if self._left == 0:
                self.is_paused.set()
                assert self._resumed.wait(60)
            self._left -= 1

    def run_until_paused(self) -> bool:
        """Run it until it is paused; False when it ended before that."""
        self._thread.start()
        while not self.is_paused.wait(0.002):
            if not self._thread.is_alive():
                return self.is_paused.is_set()
        return True

    def resume(self) -> Any:
        self._resumed.set()
        self._thread.join(20)
        assert not self._thread.is_alive()
        return self.handled


@pytest.mark.parametrize("provider", mostly_slow("tencent"))
def test_a_second_worker_with_the_same_event_gets_a_busy_error(provider, folder):
    shape = QUICK[provider]
    remediated = clean_run(provider, shape, folder)
    harness = Harness.of(provider, shape, folder)
    first = PausedWorker(harness, "after intend", 1)
    assert first.run_until_paused()
    assert isinstance(harness.deliver(), BusyError)
    document = first.resume()
    harness.require_settled(document, harness.before, remediated)
    assert document["outcome"] == "remediated"
    harness.close()


@pytest.mark.parametrize("provider", mostly_slow("huawei"))
def test_two_events_about_one_group_are_handled_one_after_the_other(provider, folder):
    shape = QUICK[provider]
    remediated = clean_run(provider, shape, folder)
    harness = Harness.of(provider, shape, folder)
    first = PausedWorker(harness, "after lock", 0)
    assert first.run_until_paused()
    writes = len(harness.writes())
    second = harness.deliver(event_id="event-2")
    assert isinstance(second, BusyError), second
    assert len(harness.writes()) == writes
    document = first.resume()
    harness.require_settled(document, harness.before, remediated)
    late = harness.deliver(event_id="event-2")
    assert late["outcome"] == "unchanged"
    assert "not-found" in {reason["code"] for reason in late["reasons"]}
    harness.require(remediated)
    harness.close()


def times_resumed_after_its_lease(provider: str, shape: str, folder, point: str) -> int:
    """Pause a worker past its lease at every such point while another worker takes over."""
    remediated = clean_run(provider, shape, folder)
    number = 0
    while True:
        harness, clock = Harness.of(provider, shape, folder), Clock()
        paused = PausedWorker(harness, point, number, clock=clock)
        if not paused.run_until_paused():
            harness.close()
            return number
        document = harness.deliver_until_decided()
        writes, world = len(harness.writes()), harness.now()
        clock.ahead_s += LEASE_S
        handled = paused.resume()
        assert isinstance(handled, LeaseLostError | DeadlineError), handled
        assert (len(harness.writes()), harness.now()) == (writes, world)
        harness.require_unbroken()
        harness.require_settled(document, harness.before, remediated)
        assert document["outcome"] == "remediated"
        harness.close()
        number += 1


@pytest.mark.parametrize(
    "point", ["before intend", "after intend", "before settle", "after settle"]
)
@pytest.mark.parametrize("provider", mostly_slow("alibaba"))
@pytest.mark.sampled(4)
def test_a_worker_paused_past_its_lease_changes_nothing_afterwards(provider, point, folder):
    assert times_resumed_after_its_lease(provider, "revoke", folder, point) >= 2


@pytest.mark.parametrize("provider", mostly_slow("tencent", "openstack"))
def test_a_worker_resumed_while_another_has_its_lease_writes_nothing(provider, folder):
    remediated = clean_run(provider, "revoke", folder)
    harness, clock = Harness.of(provider, "revoke", folder), Clock()
    first = PausedWorker(harness, "before settle", 0, clock=clock)
    assert first.run_until_paused()
    harness.ahead_s += LEASE_S
    second = PausedWorker(harness, "before intend", 0)
    assert second.run_until_paused()
    writes, journal = len(harness.writes()), changes_begun(harness)
    # Its own clock stood still: only the store tells it that its lease is lost.
    handled = first.resume()
    assert isinstance(handled, LeaseLostError), handled
    assert (len(harness.writes()), changes_begun(harness)) == (writes, journal)
    document = second.resume()
    harness.require_settled(document, harness.before, remediated)
    assert document["outcome"] == "remediated"
    harness.close()
