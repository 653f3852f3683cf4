"""The steps of a decision: one fence, one transaction each, and nowhere but along the table."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import pytest

from sgguard.errors import BusyError, LateError, LeaseLostError, MovedError, StoreError
from sgguard.store.base import Store
from sgguard.store.rows import Busy, Claim, Marks, Record, RunState
from sgguard.store.steps import Answer
from sgguard.store.transitions import TABLE, Status, Step, after
from tests.store.test_upgrade import connected
from tests.stores import Place, a_record, a_run, an_approval, an_entry, claimed, close_run

D = "d-e1"


def record(**given) -> Record:
    return a_record(D, **given)


def answer(outcome: str = "unchanged") -> Answer:
    return Answer(record(outcome=outcome), f'{{"outcome":"{outcome}"}}')


def asked(store: Store) -> Claim:
    """A decision that is asked about; the claim of a click on its question."""
    store.ask_for(claimed(store), an_approval("a1", D), answer("pending"))
    return click(store)


def click(store: Store, owner: str = "w-click", approval_id: str = "a1") -> Claim:
    claim = store.claim(
        "approval", approval_id, owner=owner, decision_id=D, lease_s=60.0, payload_hash="f"
    )
    assert isinstance(claim, Claim), claim
    return claim


def resumed(store: Store) -> Claim:
    claim = store.claim(
        "bus", "e1", owner="w-resume", decision_id=D, lease_s=60.0, payload_hash=None
    )
    assert isinstance(claim, Claim), claim
    return claim


def begun(store: Store) -> Claim:
    claim = claimed(store)
    store.begin_run(claim, a_run())
    return claim


def turned(store: Store) -> Claim:
    claim = begun(store)
    store.turn(claim)
    return claim


def closed(state: RunState, start: Callable[[Store], Claim]) -> Callable[[Store], Claim]:
    def reach(store: Store) -> Claim:
        claim = start(store)
        close_run(store, claim, D, state)
        return claim

    return reach


REACHED: dict[Status, Callable[[Store], Claim]] = {
    Status(): claimed,
    Status("asked"): asked,
    Status("refused"): closed("refused", asked),
    Status("open"): begun,
    Status("open", "undoing"): turned,
    Status("finished"): closed("finished", begun),
    Status("undone", "undoing"): closed("undone", turned),
    Status("stuck", "undoing"): closed("stuck", turned),
    Status("accepted"): closed("accepted", begun),
    Status("accepted", "undoing"): closed("accepted", turned),
}
"""How to reach every status, as the worker that has the decision."""


def take(store: Store, claim: Claim, step: Step, to: RunState | None, *, is_undo: bool) -> None:
    """Take one step."""
    match step:
        case "decide":
            store.end(claim, answer())
        case "ask":
            store.ask_for(claim, an_approval("a2", D), answer("pending"))
        case "begin":
            store.begin_run(claim, a_run(), record(outcome="unfinished"))
        case "intend":
            store.intend(claim, [an_entry(7, D, is_undo=is_undo)], 60.0)
        case "settle":
            store.settle(claim, [])
        case "turn":
            store.turn(claim)
        case "refuse" | "end" | "accept":
            store.end(claim, answer(), run_state=to)


def status_of(kept: Place) -> Status:
    with connected(kept) as connection:
        rows = connection.execute("SELECT state, direction FROM sgguard_runs").fetchall()
    return Status(*rows[0]) if rows else Status()


CHOICES: dict[Step, tuple[RunState | None, ...]] = {
    "end": ("finished", "undone", "stuck"),
    "accept": ("accepted",),
    "refuse": ("refused",),
}
STEPS = [(step, to) for step in TABLE for to in CHOICES.get(step, (None,))]


@pytest.mark.parametrize(("step", "to"), STEPS)
@pytest.mark.sampled(20)
def test_a_step_leads_where_the_table_says_and_from_nowhere_else(kept, step, to):
    for before, reach in REACHED.items():
        store = kept.open()
        with connected(kept) as connection:
            for table in ("claims", "runs", "entries", "decisions", "approvals", "locks"):
                store.halted()  # which makes the tables
                connection.execute(f"DELETE FROM sgguard_{table}")
        claim = reach(store)
        assert status_of(kept) == before
        is_undo = before.direction == "undoing"
        try:
            wanted = after(step, before, to)
        except StoreError:
            wanted = None
        if step == "turn" and is_undo:
            wanted = before  # it is turned already
        if wanted is None:
            with pytest.raises(StoreError):
                take(store, claim, step, to, is_undo=is_undo)
        else:
            take(store, claim, step, to, is_undo=is_undo)
        assert status_of(kept) == (wanted or before), (before, step, to)
        store.close()


@pytest.mark.sampled(2)
def test_no_row_can_be_where_no_step_leads(kept):
    begun(kept.open())
    reached = {(one.state, one.direction) for one in REACHED}
    for state, direction in product(
        ("asked", "refused", "open", "finished", "undone", "stuck", "accepted", "else"),
        ("forward", "undoing", "else"),
    ):
        with connected(kept) as connection:
            update = f"UPDATE sgguard_runs SET state = '{state}', direction = '{direction}'"
            if (state, direction) in reached:
                connection.execute(update)
                continue
            with pytest.raises(Exception, match=r"(?i)check constraint"):
                connection.execute(update)


# -- the fence ---------------------------------------------------------------------------------

WRITES: dict[str, Callable[[Store, Claim], object]] = {
    "intend": lambda store, claim: store.intend(claim, [an_entry(5, D)], 60.0),
    "settle": lambda store, claim: store.settle(claim, []),
    "turn": lambda store, claim: store.turn(claim),
    "close": lambda store, claim: close_run(store, claim, D, "undone"),
    "ask": lambda store, claim: store.ask_for(claim, an_approval("a9", D), answer("pending")),
    "begin": lambda store, claim: store.begin_run(claim, a_run()),
    "end": lambda store, claim: store.end(claim, answer(), run_state="finished"),
    "finish": lambda store, claim: store.finish(claim, "{}"),
    "renew": lambda store, claim: store.renew(claim, 60.0),
    "lock": lambda store, claim: store.lock(claim, ["k"], 60.0),
    "tell": lambda store, claim: store.tell(claim, "{}"),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.sampled(12)
def test_a_worker_whose_decision_was_taken_over_by_a_click_writes_nothing(kept, write):
    store = kept.open()
    first = asked(store)
    kept.clock.pass_(61)
    second = click(store, "w-second")
    store.begin_run(second, a_run())
    store.intend(second, an_entry(0, D), 60.0)
    before = (store.run(D), store.entries(D), store.decision(D), store.approvals())
    with pytest.raises(LeaseLostError):
        WRITES[write](store, first)
    assert (store.run(D), store.entries(D), store.decision(D), store.approvals()) == before
    store.settle(second, an_entry(0, D), "done")


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.sampled(8)
def test_a_worker_whose_run_was_taken_over_under_another_claim_writes_nothing(kept, write):
    """Its own event was not taken over: a question about the decision was answered."""
    store = kept.open()
    first = begun(store)
    kept.clock.pass_(61)
    second = click(store, "w-second")
    before = (store.run(D), store.entries(D), store.decision(D), store.approvals())
    with pytest.raises(LeaseLostError):
        WRITES[write](store, first)
    assert (store.run(D), store.entries(D), store.decision(D), store.approvals()) == before
    assert second.run_fence > first.run_fence


def test_a_decision_is_taken_by_one_worker_whatever_brings_it(kept):
    store = kept.open()
    begun(store)
    taken = store.claim("approval", "a1", owner="w2", decision_id=D, lease_s=60.0, payload_hash="f")
    assert taken == Busy(60.0)
    again = store.claim("bus", "e1", owner="w3", decision_id="x", lease_s=60.0, payload_hash="h")
    assert again == Busy(60.0)
    kept.clock.pass_(61)
    click(store)
    assert isinstance(
        store.claim("bus", "e1", owner="w3", decision_id="x", lease_s=60.0, payload_hash="h"), Busy
    )


def test_a_worker_that_writes_keeps_its_decision_for_another_lease(kept):
    store = kept.open()
    claim = begun(store)
    kept.clock.pass_(59)
    store.intend(claim, an_entry(0, D), 60.0)
    kept.clock.pass_(59)
    assert isinstance(
        store.claim("bus", "e1", owner="w3", decision_id="x", lease_s=60.0, payload_hash="h"), Busy
    )
    store.settle(claim, an_entry(0, D), "done")
    store.end(claim, answer("remediated"), run_state="finished")
    assert store.decision(D).outcome == "remediated"


def test_a_record_is_not_written_past_the_worker_that_has_its_decision(kept):
    store = kept.open()
    claim = begun(store)
    with pytest.raises(StoreError, match="only a worker that has it"):
        store.keep(record(outcome="pending"))
    store.release(claim)
    store.keep(record(outcome="pending"))


def test_a_denial_takes_a_decision_from_a_worker_that_still_reads(kept):
    store = kept.open()
    reading = asked(store)
    store.lock(reading, ["k"], 60.0)
    assert store.refuse("a1", "denied", "bob", record(outcome="refused"))
    with pytest.raises(LeaseLostError):
        store.begin_run(reading, a_run(), record(), approval_id="a1", by="ada")
    assert not store.refuse("a1", "expired", "", record(outcome="pending"))
    assert store.decision(D).outcome == "refused"
    store.lock(claimed(store, "e2"), ["k"], 60.0)


def test_a_plan_that_was_begun_cannot_be_refused(kept):
    store = kept.open()
    claim = asked(store)
    assert store.begin_run(claim, a_run(), record(outcome="unfinished"), approval_id="a1", by="ada")
    assert store.approval("a1").state == "approved"
    assert not store.refuse("a1", "denied", "bob", record(outcome="refused"))
    assert store.decision(D).outcome == "unfinished"


def test_a_plan_that_is_begun_without_a_yes_leaves_no_question_open(kept):
    """The event came again under a policy that asks nobody any more."""
    store = kept.open()
    store.begin_run(asked(store), a_run(), record(outcome="unfinished"))
    assert store.approval("a1").state == "superseded"


def test_a_question_that_was_settled_meanwhile_begins_nothing(kept):
    store = kept.open()
    claim = asked(store)
    store.resolve("a1", "denied", "bob")
    assert not store.begin_run(claim, a_run(), record(), approval_id="a1", by="ada")
    assert store.run(D) is None
    assert store.decision(D).outcome == "pending"


# -- together or not at all --------------------------------------------------------------------


def test_a_step_that_comes_too_late_writes_nothing_of_its_decision(kept):
    store = kept.open()
    now_s = kept.clock.now_s
    store.end(claimed(store, "e2"), Answer(a_record("d-e2"), "{}"), marks=Marks(("g",), now_s - 5))
    claim = claimed(store)
    marks = Marks(("g", "h"), now_s - 9)
    for step in (
        lambda: store.end(claim, answer(), marks=marks),
        lambda: store.ask_for(claim, an_approval("a1", D), answer(), marks),
        lambda: store.begin_run(claim, a_run(), record(), marks=marks),
    ):
        with pytest.raises(LateError):
            step()
    assert (store.decision(D), store.run(D), store.approvals()) == (None, None, ())
    assert store.newest(["h"], 1.0) is None
    store.end(claim, answer(), marks=Marks(("g",), now_s - 4))


def test_what_was_judged_under_a_lock_that_another_one_had_since_is_not_begun(kept):
    store = kept.open()
    claim, other = claimed(store), claimed(store, "e2", lease_s=600.0)
    store.lock(claim, ["k"], 10.0, ["s"])
    kept.clock.pass_(11)
    store.lock(other, ["k"], 60.0)
    store.release(other)
    with pytest.raises(MovedError):
        store.begin_run(claim, a_run(keys=("k",)), record())
    assert store.decision(D) is None


# -- shared keys -------------------------------------------------------------------------------


def test_a_shared_key_is_shared_and_never_had_alone_meanwhile(kept):
    store = kept.open()
    one, two, three = (claimed(store, event_id) for event_id in ("e1", "e2", "e3"))
    store.lock(one, ["a"], 60.0, ["s"])
    store.lock(two, ["b"], 60.0, ["s"])
    with pytest.raises(BusyError, match="s is being worked on by decision d-e"):
        store.lock(three, ["s"], 60.0)
    with pytest.raises(BusyError):
        store.lock(three, ["c"], 60.0, ["a"])
    store.release(one)
    with pytest.raises(BusyError):
        store.lock(three, ["s"], 60.0)
    store.release(two)
    store.lock(three, ["s"], 60.0)
    with pytest.raises(BusyError):
        store.lock(claimed(store, "e4"), [], 60.0, ["s"])
    store.release(three)
    with connected(kept) as connection:
        assert connection.execute("SELECT name FROM sgguard_locks").fetchall() == []


def test_a_shared_key_ends_with_its_lease_unless_the_run_is_open(kept):
    store = kept.open()
    one, two = claimed(store), claimed(store, "e2")
    store.lock(one, [], 60.0, ["s"])
    kept.clock.pass_(61)
    store.lock(two, ["s"], 60.0)
    store.release(two)
    run = a_run()
    store.begin_run(one, type(run)(**{**fields(run), "shared": ("s",)}))
    kept.clock.pass_(1000)
    with pytest.raises(BusyError):
        store.lock(claimed(store, "e3"), ["s"], 60.0)


def fields(run) -> dict:
    return {name: getattr(run, name) for name in run.__struct_fields__}


def test_a_decision_may_have_alone_what_it_shared(kept):
    store = kept.open()
    claim = claimed(store)
    store.lock(claim, [], 60.0, ["s"])
    store.lock(claim, ["s"], 60.0)
    assert store.locked(claim) == {"s"}
    with pytest.raises(BusyError):
        store.lock(claimed(store, "e2"), [], 60.0, ["s"])
