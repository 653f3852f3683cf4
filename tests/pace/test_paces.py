"""The lane's own clock: it never goes back, and moves on by what really passed."""

from __future__ import annotations

import pytest

from sgguard.store.pace import SLACK_S, Paces


class Ticks:
    """A store's clock: what it shows now, and what it shows when the answer is there."""

    def __init__(self) -> None:
        self.now_s = self.answered_after_s = 0.0
        self.reads = 0

    def __call__(self) -> float:
        self.reads += 1
        return self.now_s + (self.answered_after_s if self.reads % 2 == 0 else 0.0)


@pytest.fixture
def ticks() -> Ticks:
    return Ticks()


@pytest.fixture
def paces(kept, ticks) -> Paces:
    found = kept.open().paces
    found.tick = ticks
    return found


def wait_s(paces: Paces, ticks: Ticks, now_s: float, after_s: float = 0.0) -> float:
    ticks.now_s, ticks.answered_after_s = now_s, after_s
    given = {"gap_s": 1.0, "latest_s": 900.0, "is_bulk": False, "has_ticket": False}
    return paces.take("lane", **given).wait_s


def test_a_reading_that_comes_late_moves_the_lane_neither_back_nor_on(paces, ticks):
    waits = [wait_s(paces, ticks, now_s) for now_s in (100.0, 100.3, 100.1, 100.4)]
    # One second apart, whatever the clock says: at 100, 101, 102 and 103.
    assert waits == pytest.approx([0.0, 0.7, 1.9, 2.6])


def test_what_passes_until_the_answer_is_there_is_not_waited_for_again(paces, ticks):
    wait_s(paces, ticks, 100.0)
    assert wait_s(paces, ticks, 100.2, after_s=0.5) == pytest.approx(0.3)
    assert wait_s(paces, ticks, 100.2, after_s=2.5) == pytest.approx(-0.7)


def test_after_a_restart_the_clock_goes_on_from_where_it_was(paces, ticks):
    wait_s(paces, ticks, 5_000.0)
    assert wait_s(paces, ticks, 12.0) == pytest.approx(1.0)
    assert wait_s(paces, ticks, 13.0) == pytest.approx(1.0)


def test_a_little_lateness_is_made_up_and_more_is_not(paces, ticks):
    assert wait_s(paces, ticks, 100.0) == 0.0
    assert wait_s(paces, ticks, 101.5) == 0.0
    assert wait_s(paces, ticks, 101.5) == pytest.approx(1.0 - SLACK_S)
    assert wait_s(paces, ticks, 101.5) == pytest.approx(2.0 - SLACK_S)
