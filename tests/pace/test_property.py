"""No window holds more than the limit, and nobody starves: any order, skew, death, frozen process.

Limits are per second; a window of any length holds at most the limit for each second begun,
because none of one second holds more.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sgguard.wire.pacing import SHARE
from sgguard.wire.turns import AGE_S, Ask
from tests.pace.virtual import FOREVER_S, Process, Time, crowded, processes
from tests.stores import Place

_SCOPES = count(1)
PROCESSES = 4


class Shared:
    """The stores of four processes, used by one example after the other."""

    def __init__(self, kept: Place) -> None:
        self.kept = kept
        self.skews: list[list[float]] = [[0.0]] * PROCESSES
        self.reads = count()
        self.time = Time()
        stores = processes(self.time, kept, PROCESSES, self.skew_s)
        self.stores = [one.store for one in stores]
        for store in self.stores:
            store.now_s()

    def skew_s(self, number: int) -> float:
        """What a process's clock is wrong by: it changes from one look to the next."""
        mine = self.skews[number]
        return mine[next(self.reads) % len(mine)]


@pytest.fixture
def shared(kept) -> Iterator[Shared]:
    return Shared(kept)


@dataclass(frozen=True)
class Story:
    """Who calls when, what is wrong with the clocks, who dies and who is frozen."""

    limit: int
    is_read: bool
    calls: tuple[tuple[int, float, bool], ...]  # process, gap before it in s, bulk
    skews: tuple[tuple[float, ...], ...]
    deaths: tuple[float, ...]
    frozen: tuple[float, ...]
    seed: int


SKEW = st.lists(st.floats(-0.5, 0.5), min_size=1, max_size=3).map(tuple)


def stories(most: int) -> st.SearchStrategy[Story]:
    call = st.tuples(
        st.integers(0, PROCESSES * 2 - 1),
        st.sampled_from([0.0, 0.0, 0.0, 0.01, 0.3, 1.5]),
        st.booleans(),
    )
    return st.builds(
        Story,
        st.sampled_from([1, 2, 5, 10, 20, 50]),
        st.booleans(),
        st.lists(call, min_size=1, max_size=most).map(tuple),
        st.tuples(*[SKEW] * PROCESSES),
        st.lists(st.floats(0.0, 4.0), max_size=2).map(tuple),
        st.lists(st.sampled_from([0.0, 0.0, 0.0, 0.01, 0.1, 2.0]), min_size=1).map(tuple),
        st.integers(0, 999),
    )


def told(shared: Shared, story: Story) -> tuple[list[float], list[tuple[bool, float]]]:
    """Play the story: the moments of all calls, and how long each of the living waited."""
    time = shared.time
    shared.skews = [list(one) for one in story.skews]
    scope, rng, frozen = f"scope-{next(_SCOPES)}", random.Random(story.seed), count()
    begun_s = time.now_s
    sent: list[float] = []
    waits: list[tuple[bool, float]] = []

    def oversleep_s() -> float:
        return story.frozen[next(frozen) % len(story.frozen)]

    made = [
        Process(
            time,
            store,
            latency_s=lambda: rng.choice([0.0, 0.001, 0.003, 0.008]),
            oversleep_s=oversleep_s,
            begun_s=100.0 * number,
        )
        for number, store in enumerate(shared.stores)
    ]

    def thread(number: int) -> None:
        for who, gap_s, is_bulk in story.calls:
            if who != number:
                continue
            time.wait(gap_s)
            asked_s = time.now_s
            ask = Ask(scope, "Do", SHARE * story.limit, FOREVER_S, story.is_read, is_bulk)
            sent.append(made[number // 2].call(ask))
            waits.append((is_bulk, time.now_s - asked_s))

    # Two threads of each process.
    tasks = [time.spawn(f"{n}", lambda n=n: thread(n), begun_s) for n in range(PROCESSES * 2)]

    def kill(number: int) -> None:
        for task in tasks[2 * number : 2 * number + 2]:
            task.is_dead = True

    for number, after_s in enumerate(story.deaths):
        time.spawn("death", lambda n=number: kill(n), begun_s + after_s)
    time.run()
    for task in tasks:
        if task.error is not None:
            raise task.error
    return sent, waits


def longest_s(story: Story) -> float:
    """Longer than anybody can wait who waits for everybody else, frozen ones included."""
    gap_s = 1.0 / (SHARE * story.limit)
    frozen_s = 4 * max(story.frozen) + 0.1
    return AGE_S + (gap_s * 5 + frozen_s + 0.1) * (len(story.calls) + 1) + 2 * PROCESSES


def judge(shared: Shared, story: Story) -> None:
    sent, waits = told(shared, story)
    assert not crowded(sent, story.limit)
    assert all(wait_s <= longest_s(story) for _, wait_s in waits)
    if not story.deaths:
        assert len(sent) == len(story.calls)


COMMON: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


@settings(max_examples=10, **COMMON)
@given(story=stories(14))
@pytest.mark.sampled(2)
def test_no_window_holds_more_than_the_limit_and_everybody_gets_a_turn(shared, story):
    judge(shared, story)


@pytest.mark.slow
@settings(max_examples=150, **COMMON)
@given(story=stories(60))
def test_no_window_of_a_long_story_holds_more_than_the_limit(shared, story):
    judge(shared, story)
