"""The lane's own clock: it never goes back, and moves on by what really passed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

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
    found = kept.open().paces()
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


@pytest.mark.sampled(2)
def test_no_two_of_many_at_once_get_the_same_moment(kept):
    stores = [kept.open_on_its_own_clock() for _ in range(4)]
    given = {"gap_s": 100.0, "latest_s": 1e6, "is_bulk": False, "has_ticket": False}

    def moment(number: int) -> int:
        return round(stores[number % 4].paces().take("lane", **given).wait_s / 100.0)

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(moment, range(60))) == list(range(60))


@pytest.mark.sampled(2)
def test_at_once_no_more_seats_are_given_than_there_are(kept):
    stores = [kept.open_on_its_own_clock() for _ in range(4)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda n: stores[n % 4].paces().seat("here", most=8) > 0, range(30)))
    assert sum(found) == 8
