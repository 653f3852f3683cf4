"""What every store promises, on each of them: claims, locks, the journal, people, retention."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from sgguard.errors import BusyError, HaltedError, LeaseLostError, StoreError
from sgguard.store.rows import Answered, Busy, Claim, OtherPayload, Query, Settled
from sgguard.telemetry import redaction
from tests.stores import a_record, a_run, an_approval, an_entry, claimed, close_run


def together(work, count):
    """Run the same work on many threads at the same moment; return what each got."""
    barrier = threading.Barrier(count)

    def one(number):
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


def try_claim(store, event_id="e1", **given):
    values = {"owner": "w2", "decision_id": "d-other", "lease_s": 60.0, "payload_hash": "h"}
    return store.claim("bus", event_id, **(values | given))


# -- once --------------------------------------------------------------------------------------


def test_of_two_workers_with_one_event_the_first_has_it_and_the_other_is_told_how_long(kept):
    first, second = kept.open(), kept.open()
    claim = claimed(first)
    assert claim == Claim("bus", "e1", "w1", 1, "d-e1", is_again=False)
    kept.clock.pass_(20)
    assert try_claim(second) == Busy(40.0)


def test_events_of_different_sources_or_ids_are_different_events(kept):
    store = kept.open()
    claimed(store)
    assert isinstance(try_claim(store, "e2"), Claim)
    other = store.claim(
        "webhook", "e1", owner="w2", decision_id="d3", lease_s=60, payload_hash="other"
    )
    assert isinstance(other, Claim)


def test_an_answered_event_is_answered_alike(kept):
    store = kept.open()
    store.finish(claimed(store), '{"verdict":"allow","to":"Zoë"}')
    assert try_claim(kept.open()) == Answered('{"verdict":"allow","to":"Zoë"}')


def test_an_event_is_taken_over_once_its_lease_has_ended_and_the_decision_stays(kept):
    store = kept.open()
    claimed(store)
    kept.clock.pass_(59.5)
    assert isinstance(try_claim(store), Busy)
    kept.clock.pass_(0.5)
    assert try_claim(store) == Claim("bus", "e1", "w2", 2, "d-e1", is_again=True)


def test_a_renewed_lease_ends_later(kept):
    store = kept.open()
    claim = claimed(store)
    kept.clock.pass_(50)
    store.renew(claim, 60)
    kept.clock.pass_(50)
    assert try_claim(store) == Busy(10.0)


def test_an_expired_lease_is_held_until_another_worker_claims_it(kept):
    store = kept.open()
    claim = claimed(store)
    kept.clock.pass_(1000)
    store.renew(claim, 60)
    assert try_claim(store) == Busy(60.0)
    kept.clock.pass_(1000)
    store.finish(claim, "{}")


def test_fences_grow_with_every_holder(kept):
    store = kept.open()
    fences = []
    for number in range(5):
        fences.append(claimed(store, owner=f"w{number}").fence)
        kept.clock.pass_(60)
    assert fences == [1, 2, 3, 4, 5]


WRITES = {
    "renew": lambda store, claim: store.renew(claim, 60),
    "finish": lambda store, claim: store.finish(claim, "{}"),
    "release": lambda store, claim: store.release(claim),
    "lock": lambda store, claim: store.lock(claim, ["new"], 60),
    "begin_run": lambda store, claim: store.begin_run(claim, a_run()),
    "intend": lambda store, claim: store.intend(claim, an_entry(1), 60),
    "settle": lambda store, claim: store.settle(claim, an_entry(0), "done"),
    "close_run": lambda store, claim: close_run(store, claim, "d-e1", "finished"),
}


def everything(store):
    return (store.run("d-e1"), store.entries("d-e1"), store.open_runs())


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("later", ["another worker", "the same worker again"])
@pytest.mark.sampled(32)
def test_a_worker_that_slept_through_its_lease_writes_nothing(kept, write, later):
    store = kept.open()
    late = claimed(store)
    store.begin_run(late, a_run(keys=("k",)))
    store.intend(late, an_entry(0), 60)
    kept.clock.pass_(60)
    newest = claimed(store, owner="w1" if later == "the same worker again" else "w2")
    before = everything(store)
    with pytest.raises(LeaseLostError, match="d-e1"):
        WRITES[write](store, late)
    assert everything(store) == before
    assert try_claim(store) == Busy(60.0)
    store.lock(claimed(store, "e2"), ["new"], 60)  # nobody took it
    store.renew(newest, 60)


@pytest.mark.parametrize("write", sorted(set(WRITES) - {"finish", "release"}))
@pytest.mark.parametrize("end", ["finish", "release"])
@pytest.mark.sampled(12)
def test_who_has_ended_a_claim_writes_nothing_more(kept, write, end):
    store = kept.open()
    claim = claimed(store)
    store.begin_run(claim, a_run())
    store.intend(claim, an_entry(0), 60)
    WRITES[end](store, claim)
    before = everything(store)
    with pytest.raises(LeaseLostError):
        WRITES[write](store, claim)
    assert everything(store) == before


def test_a_claim_that_does_not_exist_writes_nothing(kept):
    store = kept.open()
    forged = replace(claimed(store), owner="w9")
    for write in WRITES.values():
        with pytest.raises(LeaseLostError):
            write(store, forged)


def test_the_same_id_with_another_body_is_told_apart_whatever_became_of_the_first(kept):
    store = kept.open()
    at_s = kept.clock.now_s
    claim = claimed(store)
    kept.clock.pass_(5)
    assert try_claim(store, payload_hash="other") == OtherPayload(at_s)
    kept.clock.pass_(1000)
    assert try_claim(store, payload_hash="other") == OtherPayload(at_s)
    store.release(claim)
    assert try_claim(store, payload_hash="other") == OtherPayload(at_s)
    store.finish(claimed(store), "{}")
    assert try_claim(store, payload_hash="other") == OtherPayload(at_s)


def test_a_resume_takes_an_event_whatever_its_body_but_not_from_its_holder(kept):
    store = kept.open()
    claimed(store)
    assert isinstance(try_claim(store, payload_hash=None), Busy)
    kept.clock.pass_(60)
    assert try_claim(store, payload_hash=None).fence == 2
    kept.clock.pass_(60)
    assert isinstance(try_claim(store, payload_hash="other"), OtherPayload)


def test_an_event_that_was_first_resumed_has_the_body_it_is_delivered_with(kept):
    store = kept.open()
    claimed(store, payload_hash=None)
    kept.clock.pass_(60)
    assert claimed(store, payload_hash="h").fence == 2
    kept.clock.pass_(60)
    assert isinstance(try_claim(store, payload_hash="other"), OtherPayload)


def test_a_resume_takes_an_answered_event_only_while_its_run_is_unresolved(kept):
    store = kept.open()
    claim = claimed(store)
    store.begin_run(claim, a_run())
    close_run(store, claim, "d-e1", "stuck", "moved")
    store.finish(claim, '{"outcome":"stuck"}')
    assert try_claim(store) == Answered('{"outcome":"stuck"}')
    again = try_claim(store, payload_hash=None)
    assert again == Claim("bus", "e1", "w2", 2, "d-e1", is_again=True)
    close_run(store, again, "d-e1", "undone")
    store.finish(again, '{"outcome":"undone"}')
    assert try_claim(store, payload_hash=None) == Answered('{"outcome":"undone"}')


def test_a_released_event_is_taken_at_once(kept):
    store = kept.open()
    store.release(claimed(store))
    assert claimed(store, owner="w2") == Claim("bus", "e1", "w2", 2, "d-e1", is_again=True)


def test_ending_again_changes_nothing(kept):
    store = kept.open()
    claim = claimed(store)
    store.finish(claim, '{"n":1}')
    store.finish(claim, '{"n":1}')
    store.release(claim)
    assert try_claim(store) == Answered('{"n":1}')
    with pytest.raises(LeaseLostError):
        store.finish(claim, '{"n":2}')
    other = claimed(store, "e2")
    store.release(other)
    store.release(other)
    assert claimed(store, "e2").fence == 2


@pytest.mark.sampled(2)
def test_of_many_threads_one_has_the_event(kept):
    stores = [kept.open() for _ in range(3)]
    got = together(lambda n: try_claim(stores[n % 3], owner=f"w{n}"), 12)
    assert sorted(type(one).__name__ for one in got) == ["Busy"] * 11 + ["Claim"]


# -- locks -------------------------------------------------------------------------------------


def test_a_lock_keeps_other_decisions_off_and_says_whose_it_is(kept):
    store = kept.open()
    store.lock(claimed(store), ["g1"], 60)
    with pytest.raises(BusyError, match=r"g1 .*d-e1"):
        kept.open().lock(claimed(store, "e2"), ["g1"], 60)


def test_all_keys_are_locked_or_none(kept):
    store = kept.open()
    store.lock(claimed(store), ["g5"], 60)
    second, third = claimed(store, "e2"), claimed(store, "e3")
    with pytest.raises(BusyError):
        store.lock(second, ["g1", "g9", "g5"], 60)
    store.lock(third, ["g1", "g9"], 60)


def test_the_same_decision_locks_again_and_more(kept):
    store = kept.open()
    claim = claimed(store)
    store.lock(claim, ["g1"], 60)
    kept.clock.pass_(50)
    store.lock(claim, ["g2", "g1", "g1"], 60)
    kept.clock.pass_(50)
    for key in ("g1", "g2"):
        with pytest.raises(BusyError):
            store.lock(claimed(store, "e2", lease_s=0), [key], 60)


def test_who_takes_an_event_over_has_its_locks(kept):
    store = kept.open()
    store.lock(claimed(store), ["g1"], 600)
    kept.clock.pass_(60)
    store.lock(claimed(store, owner="w2"), ["g1"], 60)


@pytest.mark.parametrize("end", ["finish", "release"])
@pytest.mark.sampled(3)
def test_ending_an_event_frees_its_locks_and_no_others(kept, end):
    store = kept.open()
    claim, other, third = claimed(store), claimed(store, "e2"), claimed(store, "e3")
    store.lock(claim, ["g1"], 60)
    store.lock(other, ["g2"], 60)
    WRITES[end](store, claim)
    store.lock(third, ["g1"], 60)
    with pytest.raises(BusyError):
        store.lock(third, ["g2"], 60)


def test_a_lock_ends_with_its_lease(kept):
    store = kept.open()
    store.lock(claimed(store), ["g1"], 60)
    kept.clock.pass_(59)
    with pytest.raises(BusyError):
        store.lock(claimed(store, "e2"), ["g1"], 60)
    kept.clock.pass_(1)
    store.lock(claimed(store, "e3"), ["g1"], 60)


def test_holding_on_to_a_claim_holds_on_to_its_locks(kept):
    store = kept.open()
    claim = claimed(store)
    store.lock(claim, ["g1"], 60)
    kept.clock.pass_(50)
    store.renew(claim, 60)
    kept.clock.pass_(50)
    with pytest.raises(BusyError):
        store.lock(claimed(store, "e2"), ["g1"], 60)


@pytest.mark.parametrize("state", ["open", "stuck"])
@pytest.mark.parametrize("end", ["finish", "release", "lease"])
@pytest.mark.sampled(8)
def test_no_lock_is_freed_while_a_run_of_its_decision_is_unresolved(kept, state, end):
    store = kept.open()
    claim = claimed(store)
    store.lock(claim, ["g1"], 60)
    store.begin_run(claim, a_run(keys=("g1", "g2")))
    if state == "stuck":
        close_run(store, claim, "d-e1", "stuck")
    if end != "lease":
        WRITES[end](store, claim)
    kept.clock.pass_(1_000_000)
    for key in ("g1", "g2"):
        with pytest.raises(BusyError):
            store.lock(claimed(store, f"e-{key}"), [key], 60)


@pytest.mark.parametrize("state", ["finished", "undone"])
@pytest.mark.sampled(3)
def test_a_run_that_is_resolved_frees_its_locks(kept, state):
    store = kept.open()
    claim = claimed(store)
    store.begin_run(claim, a_run(keys=("g1",)))
    close_run(store, claim, "d-e1", state)
    store.lock(claimed(store, "e2"), ["g1"], 60)


def test_a_run_does_not_begin_once_another_decision_has_its_lock(kept):
    store = kept.open()
    claim = claimed(store)
    store.lock(claim, ["g1"], 60)
    kept.clock.pass_(61)
    store.lock(claimed(store, "e2"), ["g1"], 60)
    with pytest.raises(BusyError, match="d-e2"):
        store.begin_run(claim, a_run(keys=("g1",)))
    assert store.run("d-e1") is None


@pytest.mark.sampled(2)
def test_of_many_threads_that_want_overlapping_keys_each_key_has_one(kept):
    stores = [kept.open() for _ in range(3)]
    claims = [claimed(stores[0], f"e{n}") for n in range(9)]

    def want(number):
        # Neighbours share a key, and ask for it in different orders.
        keys = [f"g{number}", f"g{(number + 1) % 9}"][:: 1 if number % 2 else -1]
        try:
            stores[number % 3].lock(claims[number], keys, 60)
        except BusyError:
            return None
        return keys

    had = [key for keys in together(want, 9) if keys for key in keys]
    assert had
    assert len(set(had)) == len(had)


# -- the newest event --------------------------------------------------------------------------


def test_the_newest_time_before_this_is_returned_and_kept(kept):
    store = kept.open()
    assert store.newest(["g1", "g2"], 10.0) is None
    assert store.newest(["g2", "g3"], 7.5) == 10.0
    assert store.newest(["g3"], 8.0) == 7.5
    assert store.newest(["g3"], 8.0) == 8.0
    assert store.newest(["g2"], 11.0) == 10.0
    assert store.newest(["g1", "g2", "g3", "g4"], 12.0) == 11.0
    assert store.newest([], 12.0) is None


@pytest.mark.sampled(2)
def test_of_many_events_at_once_none_is_forgotten(kept):
    store = kept.open()
    got = together(lambda n: store.newest(["g"], float(n + 1)), 8)
    assert got.count(None) == 1
    assert store.newest(["g"], 0.0) == 8.0


# -- the journal -------------------------------------------------------------------------------


def test_a_run_is_kept_as_it_was_planned(kept):
    store = kept.open()
    claim = claimed(store)
    run = replace(a_run(keys=("g2", "g1")), plan_json='{"é":1}', note="by hand", begun_at_s=5.0)
    store.begin_run(claim, run)
    wanted = replace(run, begun_at_s=kept.clock.now_s)
    assert kept.open().run("d-e1") == wanted
    assert store.open_runs() == (wanted,)
    assert store.run("d-e2") is None


def test_beginning_a_run_again_changes_nothing(kept):
    store = kept.open()
    claim = claimed(store)
    store.begin_run(claim, a_run())
    kept.clock.pass_(5)
    before = store.run("d-e1")
    store.begin_run(claim, replace(a_run(), plan_json='{"other":1}'))
    assert store.run("d-e1") == before
    close_run(store, claim, "d-e1", "finished")
    store.begin_run(claim, a_run(keys=("g1",)))
    assert store.open_runs() == ()
    store.lock(claimed(store, "e2"), ["g1"], 60)


def test_runs_that_began_since_and_have_a_word_in_their_plan_are_listed_the_oldest_first(kept):
    store = kept.open()
    plans = ['["sg-1"]', '["sg-2"]', '["sg-1","sg_2"]', '["SG"]']
    for number, plan in enumerate(plans):
        claim = claimed(store, f"e{number}")
        run = replace(a_run(f"d-e{number}", f"e{number}"), plan_json=plan)
        store.begin_run(claim, run)
        kept.clock.pass_(1)
    assert [one.decision_id for one in store.runs_since(0.0, "sg-1")] == ["d-e0", "d-e2"]
    since_s = store.run("d-e1").begun_at_s
    assert [one.decision_id for one in store.runs_since(since_s, "sg-")] == ["d-e1", "d-e2"]
    assert store.runs_since(kept.clock.now_s, "sg-1") == ()


def test_runs_that_are_open_or_stuck_are_listed_the_oldest_first(kept):
    store = kept.open()
    for number, state in enumerate(("open", "finished", "stuck", "undone", "open")):
        event_id = f"e{9 - number}"
        claim = claimed(store, event_id)
        store.begin_run(claim, a_run(f"d-{event_id}", event_id))
        if state != "open":
            close_run(store, claim, f"d-{event_id}", state, "so it ended")
        kept.clock.pass_(1)
    listed = [(run.decision_id, run.state, run.note) for run in store.open_runs()]
    assert listed == [("d-e9", "open", ""), ("d-e7", "stuck", "so it ended"), ("d-e5", "open", "")]
    assert store.run("d-e8").state == "finished"


def test_the_journal_is_in_the_order_of_its_numbers(kept):
    store = kept.open()
    claim = claimed(store)
    store.begin_run(claim, a_run())
    for number in (0, 2, 1, 10, 9):
        if number == 10:
            store.turn(claim)
        store.intend(claim, an_entry(number, step=number % 3, is_undo=number > 8), 60)
        kept.clock.pass_(-1)  # a machine's clock was set back
    entries = kept.open().entries("d-e1")
    assert [entry.number for entry in entries] == [0, 1, 2, 9, 10]
    assert [entry.is_undo for entry in entries] == [False, False, False, True, True]
    assert [entry.step for entry in entries] == [0, 1, 2, 0, 1]
    assert entries[0] == an_entry(0, at_s=kept.clock.now_s + 5)
    assert store.entries("d-e2") == ()


def test_writing_a_change_down_renews_the_claim(kept):
    store = kept.open()
    claim = claimed(store)
    store.begin_run(claim, a_run())
    kept.clock.pass_(50)
    store.intend(claim, an_entry(0), 90)
    assert try_claim(store) == Busy(90.0)


def test_what_came_of_a_change_is_written_down(kept):
    store = kept.open()
    claim = claimed(store)
    store.begin_run(claim, a_run())
    store.intend(claim, an_entry(0), 60)
    store.intend(claim, an_entry(1), 60)
    store.settle(claim, an_entry(0), "done", made_id="sg-9", note="looked")
    store.settle(claim, an_entry(0), "undone")
    first, second = store.entries("d-e1")
    assert (first.state, first.made_id, first.note) == ("undone", "sg-9", "looked")
    assert second.state == "intended"
    with pytest.raises(StoreError, match="no entry 7"):
        store.settle(claim, an_entry(7), "done")


def test_an_entry_whose_writing_was_not_heard_of_may_be_written_again_but_no_other(kept):
    store = kept.open()
    claim = claimed(store)
    store.begin_run(claim, a_run())
    store.intend(claim, an_entry(0), 60)
    store.intend(claim, an_entry(0), 60)
    others = (
        an_entry(0, step=1),
        an_entry(0, is_undo=True),
        replace(an_entry(0), change_json='{"kind":"y"}'),
    )
    for other in others:
        with pytest.raises(StoreError, match="entry 0 already"):
            store.intend(claim, other, 60)
    store.settle(claim, an_entry(0), "done")
    with pytest.raises(StoreError, match="entry 0 already"):
        store.intend(claim, an_entry(0), 60)
    assert len(store.entries("d-e1")) == 1


def test_a_change_without_an_open_run_is_not_written_down(kept):
    store = kept.open()
    claim = claimed(store)
    with pytest.raises(StoreError, match="no run that is open"):
        store.intend(claim, an_entry(0), 60)
    store.begin_run(claim, a_run())
    close_run(store, claim, "d-e1", "stuck")
    store.intend(claim, an_entry(0, is_undo=True), 60)
    close_run(store, claim, "d-e1", "undone")
    with pytest.raises(StoreError, match="no run that is open"):
        store.intend(claim, an_entry(1), 60)
    assert len(store.entries("d-e1")) == 1


def test_a_run_that_has_ended_stays_as_it_ended(kept):
    store = kept.open()
    claim = claimed(store)
    with pytest.raises(StoreError, match="has no run"):
        close_run(store, claim, "d-e1", "finished")
    store.begin_run(claim, a_run())
    close_run(store, claim, "d-e1", "undone", "refused")
    close_run(store, claim, "d-e1", "undone", "again")
    with pytest.raises(StoreError, match="is undone"):
        close_run(store, claim, "d-e1", "finished")
    assert store.run("d-e1").note == "refused"


def test_a_claim_writes_for_its_own_decision_only(kept):
    store = kept.open()
    other = claimed(store, "e2")
    store.begin_run(other, a_run("d-e2", "e2"))
    store.intend(other, an_entry(0, "d-e2"), 60)
    claim = claimed(store)
    for write in (
        lambda: store.begin_run(claim, a_run("d-e3")),
        lambda: store.intend(claim, an_entry(1, "d-e2"), 60),
        lambda: store.settle(claim, an_entry(0, "d-e2"), "done"),
        lambda: close_run(store, claim, "d-e2", "finished"),
    ):
        with pytest.raises(StoreError, match="writes nothing for d-e"):
            write()
    assert [entry.state for entry in store.entries("d-e2")] == ["intended"]


# -- halt --------------------------------------------------------------------------------------


def test_nothing_is_intended_while_all_changes_are_stopped(kept):
    store, other = kept.open(), kept.open()
    claim = claimed(store)
    store.begin_run(claim, a_run())
    store.intend(claim, an_entry(0), 60)
    other.halt("ada", "the wrong groups")
    kept.clock.pass_(30)
    with pytest.raises(HaltedError, match="ada: the wrong groups"):
        store.intend(claim, an_entry(1), 60)
    assert len(store.entries("d-e1")) == 1
    assert try_claim(store) == Busy(30.0)  # not renewed either
    store.settle(claim, an_entry(0), "done")  # what was done may be written down
    other.lift_halt()
    store.intend(claim, an_entry(1), 60)


def test_who_stopped_all_changes_last_is_named(kept):
    store = kept.open()
    assert store.halted() is None
    store.halt("ada", "first")
    kept.clock.pass_(5)
    store.halt("bob", "second")
    halt = kept.open().halted()
    assert (halt.by, halt.reason, halt.at_s) == ("bob", "second", kept.clock.now_s)
    store.lift_halt()
    store.lift_halt()
    assert store.halted() is None


def test_a_lost_lease_is_said_rather_than_a_halt(kept):
    store = kept.open()
    claim = claimed(store)
    store.begin_run(claim, a_run())
    kept.clock.pass_(60)
    claimed(store, owner="w2")
    store.halt("ada", "why")
    with pytest.raises(LeaseLostError):
        store.intend(claim, an_entry(0), 60)


# -- the audit trail ---------------------------------------------------------------------------


def test_a_decision_is_kept_whole_and_a_later_one_takes_its_place(kept):
    store = kept.open()
    record = a_record(target=("b", "a"), approver="bob")
    store.keep(record)
    first_s = kept.clock.now_s
    assert kept.open().decision("d1") == replace(record, at_s=first_s)
    kept.clock.pass_(5)
    store.keep(replace(record, outcome="remediated", target=("c",)))
    assert store.decision("d1") == replace(
        record, outcome="remediated", target=("c",), at_s=first_s
    )
    assert store.decisions(Query(target="a")) == ()
    assert len(store.decisions(Query(target="c"))) == 1
    assert store.decision("d2") is None


def test_a_decision_may_bring_its_time(kept):
    store = kept.open()
    store.keep(a_record(at_s=12.5))
    assert store.decision("d1").at_s == 12.5
    store.keep(a_record(at_s=13.5))
    assert store.decision("d1").at_s == 13.5


def test_decisions_are_found_the_newest_first(kept):
    store = kept.open()
    for number in range(6):
        store.keep(
            a_record(
                f"d{number}",
                target=("all", f"g{number % 2}"),
                verdict=("allow", "block", "remediate")[number % 3],
                outcome="none" if number < 4 else "remediated",
                at_s=100.0 + number // 2,
            )
        )

    def ids(**query):
        return [record.decision_id for record in store.decisions(Query(**query))]

    assert ids() == ["d5", "d4", "d3", "d2", "d1", "d0"]
    assert ids(limit=2) == ["d5", "d4"]
    assert ids(limit=0) == ids(limit=-1) == []
    assert ids(target="g1") == ["d5", "d3", "d1"]
    assert ids(target="g") == []
    assert ids(verdict="block") == ["d4", "d1"]
    assert ids(outcome="none", target="g0") == ["d2", "d0"]
    assert ids(before_s=102.0) == ["d3", "d2", "d1", "d0"]
    assert ids(before_s=0.0) == []
    assert ids(before_s=102.0, verdict="remediate", target="all", limit=1) == ["d2"]


def test_what_people_write_is_kept_to_the_letter(kept):
    store = kept.open()
    text = """'; DROP TABLE sgguard_claims; -- %s %(x)s :now ? {} \\ " \n\t \u202e 🙂"""
    store.keep(a_record(requester=text, target=(text,)))
    assert store.decision("d1").requester == text
    assert len(store.decisions(Query(target=text))) == 1
    claim = claimed(store, text)
    assert claim.event_id == text
    store.lock(claim, [text], 60)


@pytest.mark.parametrize("text", ["a\0b", "\ud800"], ids=["nul", "half a surrogate pair"])
@pytest.mark.sampled(3)
def test_a_value_that_cannot_be_stored_is_refused_and_the_store_still_works(kept, text):
    store = kept.open()
    with pytest.raises(StoreError, match="cannot be kept"):
        store.keep(a_record(requester=text))
    with pytest.raises(StoreError, match="cannot be kept"):
        try_claim(store, text)
    assert store.decisions(Query()) == ()


# -- people ------------------------------------------------------------------------------------


def test_a_question_is_kept_and_begins_as_pending(kept):
    store = kept.open()
    question = an_approval(state="approved", resolved_by="eve", asked_at_s=1.0, resolved_at_s=1.0)
    store.ask(question)
    wanted = an_approval(asked_at_s=kept.clock.now_s)
    assert kept.open().approval("a1") == wanted
    assert store.approvals() == store.approvals("pending") == (wanted,)
    assert store.approval("a2") is None


def test_a_later_question_about_a_decision_supersedes_the_pending_one(kept):
    store = kept.open()
    store.ask(an_approval("a9"))
    store.ask(an_approval("b1", decision_id="d2"))
    kept.clock.pass_(5)
    store.ask(an_approval("a2"))
    store.ask(an_approval("a9"))  # asked before: no new question
    states = {one.approval_id: one.state for one in store.approvals()}
    assert states == {"a9": "superseded", "b1": "pending", "a2": "pending"}
    assert [one.approval_id for one in store.approvals("pending")] == ["b1", "a2"]
    assert store.approval("a9").resolved_at_s == kept.clock.now_s
    assert not store.resolve("a9", "approved", "bob")


@pytest.mark.sampled(2)
def test_one_question_about_a_decision_is_pending_however_many_are_asked_at_once(kept):
    store = kept.open()
    together(lambda n: store.ask(an_approval(f"a{n}")), 6)
    assert len(store.approvals("pending")) == 1
    assert len(store.approvals("superseded")) == 5


@pytest.mark.sampled(2)
def test_a_question_is_settled_once_under_eight_threads(kept):
    stores = [kept.open() for _ in range(2)]
    for round_ in range(5):
        name = f"a{round_}"
        stores[0].ask(an_approval(name, f"d{round_}"))

        def settle(number, name=name):
            state = "approved" if number % 2 else "denied"
            return stores[number % 2].resolve(name, state, f"p{number}")

        got = together(settle, 8)
        assert got.count(True) == 1
        found = stores[0].approval(name)
        winner = got.index(True)
        assert found.resolved_by == f"p{winner}"
        assert found.state == ("approved" if winner % 2 else "denied")
        assert found.resolved_at_s == kept.clock.now_s


def test_a_question_that_does_not_exist_is_not_settled(kept):
    store = kept.open()
    assert store.resolve("a1", "approved", "bob") is False
    store.ask(an_approval())
    with pytest.raises(StoreError):
        store.resolve("a1", "pending", "bob")


def test_a_reminder_is_noted(kept):
    store = kept.open()
    store.ask(an_approval())
    kept.clock.pass_(5)
    store.reminded("a1")
    assert store.approval("a1").reminded_at_s == kept.clock.now_s
    assert store.approval("a1").state == "pending"


# -- retention ---------------------------------------------------------------------------------


@pytest.mark.sampled(2)
def test_what_ended_before_is_forgotten_and_counted(kept):
    store = kept.open()
    claim = claimed(store)
    store.lock(claim, ["g1"], 60)
    store.begin_run(claim, a_run(keys=("g1",)))
    store.intend(claim, an_entry(0), 60)
    store.intend(claim, an_entry(1), 60)
    close_run(store, claim, "d-e1", "finished")
    store.finish(claim, "{}")
    store.keep(a_record("d-e1", target=("a", "b")))
    store.ask(an_approval("a1", "d-e1"))
    store.resolve("a1", "denied", "bob")
    store.newest(["g1"], 1e12)
    assert sum(store.purge(kept.clock.now_s).counts.values()) == 0
    kept.clock.pass_(1)
    store.newest(["g2"], 1.0)
    assert store.purge(kept.clock.now_s).counts == {
        "claims": 1,
        "locks": 0,
        "decisions": 1,
        "entries": 2,
        "runs": 1,
        "approvals": 1,
        "marks": 1,
        "outbox": 0,
        "dead_letters": 0,
    }
    assert store.entries("d-e1") == ()
    assert store.run("d-e1") is store.decision("d-e1") is store.approval("a1") is None
    assert store.decisions(Query(target="a")) == ()
    assert claimed(store).fence == 1
    assert store.newest(["g1", "g2"], 0.0) == 1.0


def test_an_answer_is_forgotten_with_its_decision_though_the_clock_was_put_back(kept):
    store = kept.open()
    store.finish(claimed(store), '{"outcome":"pending"}')
    kept.clock.pass_(-30)
    store.keep(a_record("d-e1"))
    kept.clock.pass_(1)
    counts = store.purge(kept.clock.now_s).counts
    assert (counts["decisions"], counts["claims"]) == (1, 1)
    assert claimed(store).fence == 1


@pytest.mark.parametrize("state", ["open", "stuck"])
@pytest.mark.sampled(3)
def test_nothing_of_an_unresolved_run_is_forgotten(kept, state):
    store = kept.open()
    claim = claimed(store)
    store.begin_run(claim, a_run(keys=("g1",)))
    store.intend(claim, an_entry(0), 60)
    store.settle(claim, an_entry(0), "done")
    if state == "stuck":
        close_run(store, claim, "d-e1", "stuck")
    store.finish(claim, "{}")
    store.keep(a_record("d-e1"))
    kept.clock.pass_(1e6)
    assert sum(store.purge(kept.clock.now_s).counts.values()) == 0
    assert len(store.entries("d-e1")) == len(store.open_runs()) == 1
    assert try_claim(store) == Answered("{}")
    with pytest.raises(BusyError):
        store.lock(claimed(store, "e2"), ["g1"], 60)


def test_nothing_of_a_pending_question_is_forgotten(kept):
    store = kept.open()
    store.finish(claimed(store), '{"outcome":"pending"}')
    store.keep(a_record("d-e1"))
    store.ask(an_approval("a1", "d-e1", expires_at_s=1.0))
    kept.clock.pass_(1e6)
    assert sum(store.purge(kept.clock.now_s).counts.values()) == 0
    store.resolve("a1", "expired", "")
    kept.clock.pass_(1)
    assert store.purge(kept.clock.now_s).counts["approvals"] == 1


def test_a_claim_that_is_held_is_not_forgotten_even_by_a_time_to_come(kept):
    store = kept.open()
    claim = claimed(store)
    store.lock(claim, ["g1"], 60)
    store.purge(kept.clock.now_s + 1e9)
    store.renew(claim, 60)
    with pytest.raises(BusyError):
        store.lock(claimed(store, "e2"), ["g1"], 60)


def test_who_left_an_event_is_forgotten_with_it(kept):
    store = kept.open()
    late = claimed(store)
    store.lock(late, ["g1"], 60)
    kept.clock.pass_(61)
    counts = store.purge(kept.clock.now_s).counts
    assert (counts["claims"], counts["locks"]) == (1, 1)
    assert claimed(store, owner="w2") == Claim("bus", "e1", "w2", 1, "d-e1", is_again=False)
    with pytest.raises(LeaseLostError):
        store.finish(late, "{}")


# -- the clock, and the end --------------------------------------------------------------------


def test_without_another_clock_the_time_is_that_of_the_machine_or_its_database(kept):
    store = kept.open_on_its_own_clock()
    begun_s, now_s = time.time(), store.now_s()
    claim = claimed(store, lease_s=3600.0)
    assert 0 < try_claim(store).retry_after_s <= 3600
    store.begin_run(claim, a_run())
    store.intend(claim, an_entry(0), 60)
    # Databases keep microseconds.
    times = [
        round(at_s, 3) for at_s in (begun_s, now_s, store.entries("d-e1")[0].at_s, time.time())
    ]
    assert times == sorted(times)


def test_the_clock_of_the_store_is_told(kept):
    assert kept.open().now_s() == kept.clock.now_s


def test_a_closed_store_says_so(kept):
    store = kept.open()
    store.halt("ada", "why")
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.halted()


@pytest.mark.sampled(2)
def test_many_stores_open_a_new_database_at_once(kept):
    stores = [kept.open() for _ in range(16)]
    got = together(lambda n: try_claim(stores[n]), 16)
    assert sum(isinstance(one, Claim) for one in got) == 1


@pytest.mark.sampled(2)
def test_more_threads_than_connections_take_turns(kept):
    store = kept.open()
    assert len(together(lambda n: claimed(store, f"e{n}").fence, 24)) == 24


def test_a_line_of_a_journal_is_kept_to_the_letter(kept):
    """However many lines go together, and whatever is a mark of JSON, SQL or a parameter."""
    store = kept.open()
    claim = claimed(store)
    store.begin_run(claim, a_run())
    texts = [
        '{"a":"\\u00e9"}',
        "é'\"\\ \n\t",
        ":now :lines line.note $1 %s LINES(",
        "\U0001f600",
        "null",
    ]
    entries = [an_entry(n, note=text, made_id=text) for n, text in enumerate(texts)]
    store.intend(claim, entries, 60)
    assert [(one.note, one.made_id) for one in store.entries("d-e1")] == [(t, t) for t in texts]
    store.settle(claim, [Settled(one, "done", one.note[::-1]) for one in entries])
    assert [one.made_id for one in store.entries("d-e1")] == [text[::-1] for text in texts]
    with pytest.raises(StoreError):
        store.intend(claim, [an_entry(9), an_entry(10, note="a\0b")], 60)
    assert len(store.entries("d-e1")) == len(texts)


def test_a_secret_in_one_line_of_a_wave_is_kept_in_none(kept):
    redaction.remember("hunter2-hunter2")
    store = kept.open()
    claim = claimed(store)
    store.begin_run(claim, a_run())
    entries = [an_entry(n, note="as said") for n in range(3)]
    store.intend(claim, [*entries, an_entry(3, note="by hunter2-hunter2")], 60)
    store.settle(claim, [Settled(one, "done", note="hunter2-hunter2 again") for one in entries[:1]])
    assert [one.note for one in store.entries("d-e1")] == [
        f"{redaction.MASK} again",
        "as said",
        "as said",
        f"by {redaction.MASK}",
    ]
