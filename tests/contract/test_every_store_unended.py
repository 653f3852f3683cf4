"""What every store keeps of decisions that are not at their end, and tells about them."""

from __future__ import annotations

import pytest

from sgguard.errors import BusyError, StoreError
from sgguard.store.rows import Answered, Busy, Settled
from tests.stores import (
    a_record,
    a_run,
    an_approval,
    an_entry,
    claimed,
    close_run,
    kept,
    postgres_server,
)

__all__ = ["kept", "postgres_server"]  # fixtures


@pytest.mark.parametrize("outcome", ["pending", "unfinished"])
@pytest.mark.sampled(3)
def test_nothing_of_an_approved_decision_is_forgotten_before_its_end(kept, outcome):
    store = kept.open()
    store.finish(claimed(store), "{}")
    store.keep(a_record("d-e1", outcome=outcome))
    store.ask(an_approval("a1", "d-e1"))
    store.resolve("a1", "approved", "ada")
    kept.clock.pass_(1e6)
    assert sum(store.purge(kept.clock.now_s).counts.values()) == 0
    assert store.approval("a1").state == "approved"
    store.keep(a_record("d-e1", outcome="remediated"))
    kept.clock.pass_(1e6)
    assert store.purge(kept.clock.now_s).counts["approvals"] == 1
    assert store.decision("d-e1") is None


@pytest.mark.sampled(2)
def test_a_run_that_is_accepted_is_at_its_end(kept):
    store = kept.open()
    claim = claimed(store)
    store.begin_run(claim, a_run(keys=("g1",)))
    with pytest.raises(BusyError):
        store.lock(claimed(store, "e2"), ["g1"], 60)
    close_run(store, claim, "d-e1", "accepted", "by ada")
    store.lock(claimed(store, "e3"), ["g1"], 60)
    assert (store.run("d-e1").state, store.open_runs()) == ("accepted", ())
    with pytest.raises(StoreError, match="is accepted"):
        close_run(store, claim, "d-e1", "finished")
    with pytest.raises(StoreError):
        store.intend(claim, an_entry(0), 60)
    store.finish(claim, "{}")
    kept.clock.pass_(1e6)
    assert store.purge(kept.clock.now_s).counts["runs"] == 1


@pytest.mark.sampled(2)
def test_events_without_an_answer_are_told(kept):
    store = kept.open()
    claim = claimed(store)
    [one] = store.open_claims()
    assert (one.event_id, one.decision_id, one.is_held) == ("e1", "d-e1", True)
    assert one.lease_until_s == kept.clock.now_s + 60
    store.release(claim)
    assert not store.open_claims()[0].is_held
    store.finish(claimed(store), "{}")
    assert store.open_claims() == ()
    assert not isinstance(claimed(store, "e2"), Busy)


@pytest.mark.sampled(2)
def test_an_event_is_known_as_long_as_its_decision_is(kept):
    """It was answered when somebody was asked, and denied a month later."""
    store = kept.open()
    claim = claimed(store)
    store.begin_run(claim, a_run())
    close_run(store, claim, "d-e1", "finished")
    store.finish(claim, "{}")
    kept.clock.pass_(100)
    store.keep(a_record("d-e1"))
    assert sum(store.purge(kept.clock.now_s - 50).counts.values()) == 0
    again = store.claim("bus", "e1", owner="w2", decision_id="x", lease_s=60.0, payload_hash="h")
    assert again == Answered("{}")
    kept.clock.pass_(1)
    counts = store.purge(kept.clock.now_s).counts
    assert (counts["claims"], counts["runs"], counts["decisions"]) == (1, 1, 1)


@pytest.mark.sampled(2)
def test_what_runs_of_a_source_created_is_told_in_order(kept):
    store = kept.open()
    for number, event_id in enumerate(("e1", "e2")):
        claim = claimed(store, event_id)
        store.begin_run(claim, a_run(f"d-{event_id}", event_id), a_record(f"d-{event_id}"))
        entries = [an_entry(step, f"d-{event_id}", step=step) for step in range(2)]
        store.intend(claim, entries, 60)
        made = [Settled(one, "done", made_id=f"sg-{number}{one.step}") for one in entries]
        store.settle(claim, made)
        if not number:
            close_run(store, claim, "d-e1", "finished")
        kept.clock.pass_(1)
    store.turn(claim, "refused")
    undo = an_entry(2, "d-e2", step=1, is_undo=True)
    store.intend(claim, [undo], 60)
    store.settle(claim, [Settled(undo, "undone")])
    assert [one.made_id for one in store.made_by("bus")] == ["sg-00", "sg-01", "sg-10"]
    assert store.made_by("restore") == ()
    assert [one.decision_id for one in store.runs_of("bus")] == ["d-e1", "d-e2"]
    assert [one.decision_id for one in store.finished_runs()] == ["d-e1"]
