"""Workers take turns in virtual time, and a dead one does nothing more."""

from __future__ import annotations

import pytest

from tests.sim.scheduler import Killed, RunawayError, Scheduler


def test_workers_go_on_in_the_order_in_which_they_wake():
    scheduler, seen = Scheduler(), []

    def work(name: str, step_s: float) -> None:
        for _ in range(3):
            scheduler.wait(step_s)
            seen.append((name, scheduler.now_s))

    scheduler.spawn("slow", lambda: work("slow", 2.0), 0.0)
    scheduler.spawn("quick", lambda: work("quick", 0.75), 0.0)
    scheduler.run()
    assert seen == [
        *(("quick", 0.75), ("quick", 1.5), ("slow", 2.0), ("quick", 2.25)),
        *(("slow", 4.0), ("slow", 6.0)),
    ]


def test_workers_that_wake_together_go_on_in_the_order_of_their_making():
    scheduler, seen = Scheduler(), []
    for name in "abc":
        scheduler.spawn(name, lambda name=name: (scheduler.wait(1.0), seen.append(name)), 5.0)
    scheduler.run()
    assert seen == ["a", "b", "c"]
    assert scheduler.now_s == 6.0


def test_a_dead_worker_comes_to_no_further_point():
    scheduler, seen = Scheduler(), []

    def work() -> None:
        task = scheduler.current
        task.is_dead = True
        try:
            scheduler.wait(1.0)
        finally:
            seen.append("cleaned up")
            with pytest.raises(Killed):
                scheduler.wait(1.0)
        seen.append("lived on")

    task = scheduler.spawn("one", work, 0.0)
    scheduler.spawn("other", lambda: seen.append("other"), 3.0)
    scheduler.run()
    assert seen == ["cleaned up", "other"]
    assert task.is_over
    assert task.error is None


def test_what_a_worker_raises_is_its_own_affair():
    scheduler = Scheduler()
    broken = scheduler.spawn("broken", lambda: 1 / 0, 0.0)
    sound = scheduler.spawn("sound", lambda: "done", 1.0)
    scheduler.run()
    assert isinstance(broken.error, ZeroDivisionError)
    assert sound.result == "done"


def test_a_story_without_an_end_is_ended(monkeypatch):
    monkeypatch.setattr("tests.sim.scheduler.POINTS_MAX", 50)
    scheduler = Scheduler()

    def work() -> None:
        while True:
            scheduler.wait(1.0)

    scheduler.spawn("endless", work, 0.0)
    with pytest.raises(RunawayError):
        scheduler.run()
