"""Budgets of callers: one count for all processes that share a store."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sgguard.callers.budget import METER, Meter
from sgguard.errors import BudgetError, StoreError
from sgguard.model.caller import Budget, Caller
from tests.callers.test_permit import address, ask, row


def caller(name: str = "portal", **budget: int) -> Caller:
    return Caller(name, "bearer", {}, budget=Budget(**budget))


def decides(meter: Meter, who: Caller, shared: Any) -> bool:
    try:
        meter.decide(who, shared)
    except BudgetError:
        return False
    return True


def test_two_processes_count_decisions_together_and_each_caller_by_itself(kept):
    first, second, who = kept.open(), kept.open(), caller(decisions=3)
    one, two = Meter(), Meter()
    counted = [decides(m, who, s) for m, s in [(one, first), (two, second)] * 2]
    assert counted == [True, True, True, False]
    assert decides(two, caller("other", decisions=1), second)


def test_there_is_room_again_when_the_error_says_so(kept):
    store, who, meter = kept.open(), caller(decisions=2), Meter()
    assert decides(meter, who, store)
    kept.clock.pass_(20.0)
    assert decides(meter, who, store)
    with pytest.raises(BudgetError) as caught:
        meter.decide(who, store)
    kept.clock.pass_(caught.value.retry_after_s)
    assert decides(meter, who, store)
    assert not decides(meter, who, store)


def test_a_clock_that_was_set_back_locks_nobody_out(kept):
    store, who = kept.open(), caller(decisions=1)
    assert decides(Meter(), who, store)
    kept.clock.pass_(-86_400.0)
    assert decides(Meter(), who, store)


def test_cloud_calls_of_another_process_end_the_budget(kept):
    first, second, who = kept.open(), kept.open(), caller(calls=5)
    one, two = Meter(), Meter()
    count = one.counting(who, first)
    assert decides(two, who, second)
    for _ in range(5):
        count()
    one.bring(who, first)
    assert not decides(two, who, second)
    kept.clock.pass_(61.0)
    assert decides(two, who, second)


def test_calls_are_brought_to_the_store_about_once_a_second(kept):
    now, brought = [0.0], []

    class Shared:
        def spend_calls(self, name: str, count: int) -> None:
            brought.append(count)

    count = Meter(lambda: now[0]).counting(caller(calls=1000), Shared())
    for _ in range(40):
        now[0] += 0.1
        count()
    assert len(brought) <= 4
    assert sum(brought) >= 30


@pytest.mark.sampled(2)
def test_many_at_once_get_no_more_than_the_budget(kept):
    stores, who = [kept.open() for _ in range(3)], caller(decisions=7)
    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(lambda n: decides(Meter(), who, stores[n % 3]), range(24)))
    assert sum(found) == 7


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    gaps=st.lists(st.sampled_from([0.0, 0.4, 7.0, 25.0, 59.0]), max_size=12), most=st.integers(1, 4)
)
@pytest.mark.sampled(2)
def test_no_minute_has_more_decisions_than_the_budget(kept, gaps, most):
    store, who = kept.open(), caller(f"c{kept.clock.now_s}-{most}-{len(gaps)}", decisions=most)
    kept.clock.pass_(120.0)
    done = []
    for gap_s in gaps:
        kept.clock.pass_(gap_s)
        if decides(Meter(), who, store):
            done.append(kept.clock.now_s)
    for first, last in zip(done, done[most:], strict=False):
        assert last - first >= 60.0


def test_where_the_store_fails_the_process_counts_by_itself(caplog):
    class Broken:
        def spend_decision(self, *_: Any) -> Any:
            raise StoreError("the disk is full")

        spend_calls = spend_decision

    meter, who = Meter(), caller(decisions=2, calls=100)
    assert [decides(meter, who, Broken()) for _ in range(3)] == [True, True, False]


def test_a_function_and_another_instance_of_it_have_one_budget(guarded, world):
    function = guarded.start(row("bearer", budget={"decisions": 2}))
    data = {"target": address(world, world.free)}
    assert ask(guarded, function, data).status_code == 200
    METER.__init__()  # another process
    assert ask(guarded, function, data).status_code == 200
    METER.__init__()
    refused = ask(guarded, function, data)
    assert refused.status_code == 429
    assert 1 <= int(refused.headers["Retry-After"]) <= 61


def test_cloud_calls_of_another_instance_count_when_its_decision_is_over(guarded, world):
    function = guarded.start(row("bearer", budget={"calls": 1}))
    data = {"target": address(world, world.free)}
    assert ask(guarded, function, data).status_code == 200
    METER.__init__()
    assert ask(guarded, function, data).status_code == 429
