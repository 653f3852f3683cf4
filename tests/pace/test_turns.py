"""What one pace for everybody does for its callers: order, priority, seats, throttling, faults."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from sgguard.errors import StoreError
from sgguard.store.pace import LEAST, RECOVERY
from sgguard.wire.pacing import SHARE, Lanes, Pace
from sgguard.wire.turns import AGE_S, SEATS, Ask, SharedPace
from tests.pace.virtual import FOREVER_S, Process, Slow, Time, crowded, processes

LIMIT = 10


def ask(action: str = "Do", limit: float = LIMIT, **more: Any) -> Ask:
    return Ask("cloud north", action, SHARE * limit, more.pop("latest_s", FOREVER_S), **more)


def run(time: Time, *works: Callable[[], object]) -> None:
    tasks = [time.spawn(f"{n}", work, time.now_s) for n, work in enumerate(works)]
    time.run()
    for task in tasks:
        if task.error is not None:
            raise task.error


def repeated(process: Process, wish: Ask, until_s: float, sent: list[float]) -> Callable[[], None]:
    """Call again and again until then."""

    def work() -> None:
        while process.time.now_s < until_s:
            sent.append(process.call(wish))

    return work


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.mark.sampled(2)
def test_four_processes_use_almost_the_whole_rate_and_never_more(kept, time):
    many, sent = processes(time, kept, 4), []
    run(time, *(repeated(one, ask(is_bulk=True), 20.0, sent) for one in many for _ in range(3)))
    assert not crowded(sent, LIMIT)
    assert sum(moment < 20.0 for moment in sent) >= 0.95 * LIMIT * 20


def test_calls_far_below_the_limit_never_wait(kept, time):
    [one] = processes(time, kept, 1, latency_s=lambda: 0.0)
    waits = []
    for _ in range(20):
        time.now_s += 0.2
        before_s = time.now_s
        one.call(ask())
        waits.append(time.now_s - before_s)
    assert waits == [0.0] * 20


def test_lanes_of_other_accounts_regions_and_actions_are_apart(kept, time):
    [one] = processes(time, kept, 1, latency_s=lambda: 0.0)
    for scope in ("cloud north", "cloud south"):
        for action in ("Do", "Undo"):
            assert one.call(Ask(scope, action, 0.01, FOREVER_S)) == 0.0


# -- who goes first ------------------------------------------------------------------------------


@pytest.mark.sampled(2)
def test_who_is_waited_for_passes_before_bulk_work(kept, time):
    many, bulk, urgent, waits = processes(time, kept, 4), [], [], []

    def decision() -> None:
        for _ in range(10):
            time.wait(1.7)
            before_s = time.now_s
            urgent.append(many[0].call(ask()))
            waits.append(time.now_s - before_s)

    crowd = [repeated(one, ask(is_bulk=True), 20.0, bulk) for one in many[1:] for _ in range(10)]
    run(time, decision, *crowd)
    # Thirty others wait, three seconds' worth of calls: at most two or three are before it.
    assert max(waits) <= 3.5 / (SHARE * LIMIT)
    assert not crowded(bulk + urgent, LIMIT)
    assert sum(moment < 20.0 for moment in bulk + urgent) >= 0.94 * LIMIT * 20


@pytest.mark.sampled(2)
def test_bulk_work_gets_its_turn_beside_any_number_of_urgent_calls(kept, time):
    many, urgent, waits = processes(time, kept, 4), [], []

    def bulk() -> None:
        while time.now_s < 40.0:
            before_s = time.now_s
            many[0].call(ask(is_bulk=True))
            waits.append(time.now_s - before_s)

    run(time, bulk, *(repeated(one, ask(), 40.0, urgent) for one in many for _ in range(4)))
    assert len(waits) >= 4
    assert max(waits) <= AGE_S + 4.0
    assert not crowded(urgent, LIMIT)


@pytest.mark.sampled(2)
def test_no_two_waiters_ask_at_the_same_moment(kept, time):
    asked: list[float] = []

    class Listening(Slow):
        def take(self, *args: Any, **given: Any) -> Any:
            asked.append(self.time.now_s)
            return self.paces.take(*args, **given)

    [one] = processes(time, kept, 1)
    one.shared = SharedPace(Listening(one.store.paces(), time), one.clock, one.sleep)
    sent: list[float] = []
    run(time, *(repeated(one, ask(is_bulk=True), 10.0, sent) for _ in range(20)))
    # After the first crowd they come one by one, each for its own moment.
    later = [moment for moment in asked if moment > 2.5]
    assert len(later) <= 2.2 * sum(moment > 2.5 for moment in sent)


def test_a_moment_that_is_too_late_is_not_taken(kept, time):
    [one] = processes(time, kept, 1, latency_s=lambda: 0.0)
    for is_bulk in (False, True):
        wish = ask("Rare" + str(is_bulk), 0.1 / SHARE, is_bulk=is_bulk, latest_s=5.0)
        one.call(wish)
        for _ in range(3):
            assert one.shared.wait_s(wish) == pytest.approx(10.0)
    assert time.now_s == 0.0


# -- seats ---------------------------------------------------------------------------------------


def test_a_decision_of_six_reads_asks_the_store_once_and_the_next_one_not_at_all(kept, time):
    statements = count()

    class Counting(Slow):
        def __getattr__(self, name: str) -> Any:
            next(statements)
            return super().__getattr__(name)

    [one] = processes(time, kept, 1)
    one.shared = SharedPace(Counting(one.store.paces(), time), one.clock, one.sleep)
    for _ in range(5):
        for number in range(6):
            one.call(ask(f"Read{number}", 20, is_read=True))
        time.now_s += 1.5
    assert next(statements) == 1


@pytest.mark.parametrize("limit", [20, 50])
@pytest.mark.sampled(3)
def test_seats_and_lane_together_keep_the_limit(kept, time, limit):
    """More processes than seats, each with more calls than its seat has, for several terms."""
    sent: list[float] = []
    many = processes(time, kept, SEATS + 3)
    wish = ask("Read", limit, is_read=True)
    run(time, *(repeated(one, wish, 45.0, sent) for one in many for _ in range(2)))
    assert not crowded(sent, limit)
    assert sum(moment < 45.0 for moment in sent) >= 0.7 * limit * 45


@pytest.mark.sampled(2)
def test_the_seat_of_a_process_that_died_is_free_again(kept, time):
    many = processes(time, kept, SEATS + 1, latency_s=lambda: 0.0)
    seats = [one.store.paces().seat("cloud", most=SEATS) > 0 for one in many]
    assert seats == [True] * SEATS + [False]
    time.now_s += 22.0
    assert many[-1].store.paces().seat("cloud", most=SEATS) > 0


# -- throttle answers ----------------------------------------------------------------------------


def pace_after(time: Time, one: Process, wish: Ask, calls: int = 3) -> float:
    """How many calls a second go out now."""
    moments = [one.call(wish) for _ in range(calls)]
    return (calls - 1) / (moments[-1] - moments[0])


def test_a_throttle_answer_lowers_the_pace_of_every_process_and_it_recovers(kept, time):
    first, second = processes(time, kept, 2, latency_s=lambda: 0.0)
    first.call(ask())
    second.shared.slow_down(ask(), 2.0)
    before_s = time.now_s
    assert first.call(ask()) >= before_s + 2.0
    lowered = pace_after(time, first, ask())
    assert lowered == pytest.approx(0.5 * SHARE * LIMIT, rel=0.1)
    time.now_s += 4.0
    rising = pace_after(time, second, ask())
    assert lowered + 3 * RECOVERY * LIMIT < rising < SHARE * LIMIT
    time.now_s += 20.0
    assert pace_after(time, first, ask()) == pytest.approx(SHARE * LIMIT, rel=0.06)


@pytest.mark.sampled(2)
def test_answers_of_one_moment_lower_the_pace_once_and_later_ones_to_a_floor(kept, time):
    many = processes(time, kept, 4, latency_s=lambda: 0.0)
    for one in many:
        one.shared.slow_down(ask(), 0.0)
    assert pace_after(time, many[0], ask()) == pytest.approx(0.5 * SHARE * LIMIT, rel=0.1)
    for _ in range(20):
        time.now_s += 1.1
        many[1].shared.slow_down(ask(), 0.0)
    assert pace_after(time, many[0], ask(), 2) >= 0.99 * LEAST * SHARE * LIMIT


def test_after_a_throttle_answer_nobody_uses_a_seat(kept, time):
    first, second = processes(time, kept, 2, latency_s=lambda: 0.0)
    wish = ask("Read", 20, is_read=True)
    first.call(wish)
    second.shared.slow_down(wish, 5.0)
    second.time.wait(0)
    assert second.store.paces().seat("cloud north", most=SEATS) == 0.0
    assert second.call(wish) >= 5.0


# -- without the store ---------------------------------------------------------------------------


class Broken:
    """A store that cannot be used."""

    is_exact = True

    asked = 0

    def __getattr__(self, name: str) -> Any:
        def fail(*_args: Any, **_given: Any) -> Any:
            self.asked += 1
            raise StoreError("the disk is full")

        return fail


def test_a_store_that_fails_is_named_left_alone_and_paced_without():
    time, broken, told = Time(), Broken(), []
    clock = lambda: time.now_s  # noqa: E731 - a clock

    def sleep(seconds: float) -> None:
        time.now_s += seconds

    shared = SharedPace(broken, clock, sleep, told.append)
    pace = Pace({"*": 10.0}, ("", "", "key"), 1.0, Lanes(clock, sleep), shared=shared, scope="c")
    for _ in range(105):
        assert pace.wait_s("cloud", "Do", 60.0) == 0.0
    assert time.now_s == pytest.approx(20.0)  # the process's own lane
    assert (broken.asked, told) == (1, ["the disk is full"])
    pace.slow_down("cloud", "Do", None)
    assert broken.asked == 1
    time.now_s += 31.0
    pace.wait_s("cloud", "Do", 60.0)
    assert broken.asked == 2


def test_a_slow_store_is_left_alone_too(time):
    told: list[str] = []

    class Sleepy:
        def take(self, *_args: Any, **_given: Any) -> Any:
            time.now_s += 3.0
            raise StoreError("another process did not release it in time")

    shared = SharedPace(Sleepy(), lambda: time.now_s, lambda _: None, told.append)
    assert shared.wait_s(ask()) is None
    assert shared.wait_s(ask()) is None
    assert len(told) == 1


@pytest.mark.sampled(2)
def test_bulk_work_does_not_leave_a_store_that_is_slow_now_and_then(kept, time):
    """Else it would send at its own pace, beside the processes that still share theirs."""
    numbers = count(1)
    [slow] = processes(time, kept, 1, latency_s=lambda: 1.5 if next(numbers) % 40 == 1 else 0.001)
    [quick] = processes(time, kept, 1)
    sent: list[float] = []
    works = [repeated(one, ask(is_bulk=True), 20.0, sent) for one in (slow, quick) * 4]
    run(time, *works)
    assert not crowded(sent, LIMIT)
    assert slow.failures == []
    assert next(numbers) > 80
