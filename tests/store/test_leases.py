"""Clocks that were wrong, tables that became newer, and readers that make nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from sgguard.errors import LeaseLostError, StoreError
from sgguard.store import find_store, schema
from sgguard.store.rows import Busy, Claim, Query
from sgguard.store.steps import Answer
from tests.store.test_upgrade import connected
from tests.stores import a_record, a_run, an_approval, an_entry, claimed

DAY_S = 86_400.0


def try_claim(store, event_id: str = "e1"):
    return store.claim("bus", event_id, owner="w2", decision_id="x", lease_s=60.0, payload_hash="h")


@pytest.mark.parametrize("ahead_s", [3600.0, DAY_S, 10 * 365 * DAY_S])
@pytest.mark.sampled(3)
def test_a_lease_that_was_taken_while_a_clock_was_ahead_does_not_count(kept, ahead_s):
    store = kept.open()
    kept.clock.pass_(ahead_s)
    first = claimed(store)
    store.lock(first, ["k"], 60.0)
    kept.clock.pass_(-ahead_s)
    second = try_claim(store)
    assert second == Claim("bus", "e1", "w2", 2, "d-e1", is_again=True)
    with pytest.raises(LeaseLostError):
        store.renew(first, 60.0)
    store.lock(claimed(store, "e2"), ["k"], 60.0)


def test_a_run_whose_worker_had_a_clock_that_was_ahead_is_taken_over(kept):
    store = kept.open()
    kept.clock.pass_(DAY_S)
    first = claimed(store)
    store.begin_run(first, a_run())
    kept.clock.pass_(-DAY_S)
    second = try_claim(store)
    assert isinstance(second, Claim)
    store.intend(second, an_entry(0), 60.0)
    with pytest.raises(LeaseLostError):
        store.intend(first, an_entry(1), 60.0)


def test_a_clock_that_steps_back_a_little_takes_nothing_from_a_worker(kept):
    store = kept.open()
    claimed(store)
    kept.clock.pass_(-5)
    assert try_claim(store) == Busy(65.0)


def test_a_long_lease_counts_for_all_of_its_length(kept):
    store = kept.open()
    claimed(store, lease_s=7200.0)
    kept.clock.pass_(7199)
    assert try_claim(store) == Busy(1.0)


def test_the_events_that_workers_have_are_told_with_the_time_they_have_left(kept):
    store = kept.open()
    claimed(store)
    kept.clock.pass_(10)
    claimed(store, "e2", lease_s=100.0)
    done = claimed(store, "e3")
    store.finish(done, "{}")
    now_s = kept.clock.now_s
    found = [(one.event_id, one.is_held, one.lease_until_s - now_s) for one in store.open_claims()]
    assert found == [("e1", True, 50.0), ("e2", True, 100.0)]
    kept.clock.pass_(50)
    assert [one.event_id for one in store.open_claims() if one.is_held] == ["e2"]


def test_an_event_whose_lease_was_taken_while_a_clock_was_wrong_is_not_held(kept):
    store = kept.open()
    kept.clock.pass_(3600)
    claimed(store)
    kept.clock.pass_(-3600)
    assert [one.is_held for one in store.open_claims()] == [False]


# -- tables that became newer ------------------------------------------------------------------


def test_a_worker_whose_store_became_newer_meanwhile_stops_writing(kept):
    store = kept.open()
    claim = claimed(store)
    store.begin_run(claim, a_run())
    newer = len(schema.MIGRATIONS) + 1
    words = f"newer sgguard .schema {newer}; this one knows up to {newer - 1}"
    with connected(kept) as connection:
        connection.execute(f"INSERT INTO sgguard_schema_version VALUES ({newer}, 0)")
    for write in (
        lambda: store.intend(claim, an_entry(0), 60.0),
        lambda: store.end(claim, Answer(a_record("d-e1"), "{}"), run_state="finished"),
        lambda: store.keep(a_record("d9")),
        lambda: store.ask(an_approval()),
        lambda: store.halt("ada", "why"),
        lambda: store.purge(kept.clock.now_s),
        lambda: try_claim(store, "e9"),
    ):
        with pytest.raises(StoreError, match=words):
            write()
    assert store.entries("d-e1") == ()
    assert store.decisions(Query()) == ()


# -- readers -----------------------------------------------------------------------------------


@pytest.mark.sampled(2)
def test_a_reader_makes_no_store(bare):
    found = find_store(bare.url, bare.clock)
    if bare.kind == "sqlite":
        assert found is None
        assert not Path(bare.url.removeprefix("sqlite:///")).exists()
        return
    with pytest.raises(StoreError, match="there is no store in postgresql://"):
        found.decisions(Query())
    with connected(bare) as connection:
        tables = connection.execute("SELECT to_regclass('sgguard_schema_version')").fetchall()
    assert tables == [(None,)]
    found.close()
    store = bare.open()
    store.halt("ada", "why")
    found = find_store(bare.url, bare.clock)
    assert found.halted().by == "ada"
    found.close()
