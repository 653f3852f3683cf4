"""Purging in slices, once an hour for all processes, without reading a whole table."""

from __future__ import annotations

import pytest

from sgguard.engine import retention
from sgguard.store import retention as slices
from tests.approvals.harness import approval_harness
from tests.stores import a_record

DAYS = 91


def old_records(store, count):
    for number in range(count):
        store.keep(a_record(f"d{number:03}", target=(f"g{number}",)))


def test_a_slice_takes_the_oldest_and_tells_whether_more_is_left(kept):
    store = kept.open()
    for number in range(5):
        store.keep(a_record(f"d{number}"))
        kept.clock.pass_(1)
    first = store.purge(kept.clock.now_s, 2)
    assert (first.counts["decisions"], first.is_complete) == (2, False)
    assert [store.decision(f"d{n}") is None for n in range(5)] == [True, True, False, False, False]
    second, third = (store.purge(kept.clock.now_s, 2) for _ in range(2))
    assert [second.counts["decisions"], third.counts["decisions"]] == [2, 1]
    assert (second.is_complete, third.is_complete) == (False, True)


def test_what_belongs_to_a_decision_goes_with_its_slice(kept):
    store = kept.open()
    for number in range(3):
        store.keep(a_record(f"d{number}", target=("a", "b", "c")))
    kept.clock.pass_(1)
    store.purge(kept.clock.now_s, 1)
    assert store._database.autocommit(
        lambda session: session.rows("SELECT DISTINCT decision_id FROM sgguard_targets ORDER BY 1")
    ) == [("d1",), ("d2",)]


@pytest.mark.sampled(2)
def test_the_command_purges_to_the_end_whatever_the_slice(kept):
    store = kept.open()
    old_records(store, 2 * slices.SLICE + 1)
    kept.clock.pass_(DAYS * retention.DAY_S)
    assert retention.purge(store, 1).counts["decisions"] == 2 * slices.SLICE + 1


def test_each_event_purges_a_slice_until_nothing_is_left(tmp_path):
    with approval_harness("tencent", tmp_path) as given:
        old_records(given.store, slices.SLICE + 1)
        given.clock.pass_(DAYS * retention.DAY_S)
        given.ask("one")
        assert given.store.decision(f"d{slices.SLICE:03}") is not None
        retention.tidy(given.store, given.context())
        assert given.store.decision(f"d{slices.SLICE:03}") is None


def test_a_store_is_purged_once_an_hour_whichever_process_does_it(kept):
    here, there = kept.open(), kept.open()
    assert here.is_purge_due()
    here.note_purge()
    assert not there.is_purge_due()
    kept.clock.pass_(3599)
    assert not there.is_purge_due()
    kept.clock.pass_(1)
    assert there.is_purge_due()
    there.note_purge()
    assert not here.is_purge_due()
