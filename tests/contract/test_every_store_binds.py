"""Binds on every kind of store: carried out, killed, handed on, undone, and by many at once."""

from __future__ import annotations

import pytest

from sgguard.engine.delivery import deliverer
from sgguard.errors import BusyError
from sgguard.operations import undo as undoing
from sgguard.wire.parallel import caught, parallel
from tests.bind.harness import GROUP, Fleet, by_status, ids
from tests.bind.test_crash import died, require_whole
from tests.bind.test_handed_on import SIZE, drained, require_exact, short

BAD = ids(SIZE)[5]


@pytest.fixture
def fleet(kept, tmp_path) -> Fleet:
    made = Fleet(tmp_path, SIZE, url=kept.url)
    kept.closing.callback(made.store.close)
    told = {BAD: "UnsupportedOperation.InstanceStateIsolating"}
    made.cloud.quirks |= {"binding_refused_with": told, "binding_s": 2, "names_nobody": True}
    return made


@pytest.mark.sampled(2)
def test_a_bind_is_kept_and_answered_again(fleet):
    require_whole(fleet, first := fleet.bind(ids(SIZE)))
    before = fleet.calls()
    assert fleet.bind(ids(SIZE)) == first
    assert fleet.calls() == before


@pytest.mark.sampled(2)
def test_a_bind_whose_worker_died_is_ended_by_whoever_delivers(fleet):
    assert died(fleet, 0, is_after=True, on="AssociateSecurityGroups")
    fleet.restart()
    drained(fleet)
    require_whole(fleet, fleet.bind(ids(SIZE)))


@pytest.mark.sampled(2)
def test_the_rest_of_a_bind_waits_in_the_store(fleet):
    fleet.cloud.quirks["binding_refused_with"] = {BAD: ["MutexOperation.TaskRunning"] * 5}
    found = fleet.bind(ids(SIZE), context=short(fleet))
    assert found["outcome"] == "unfinished"
    drained(fleet)
    require_exact(fleet, fleet.bind(ids(SIZE)))


@pytest.mark.sampled(2)
def test_of_many_that_get_the_same_event_one_binds(fleet):
    found = parallel([lambda: caught(lambda: fleet.bind(ids(SIZE)))] * 6)
    done = [one for one in found if isinstance(one, dict)]
    assert len({one["decision_id"] for one in done}) == 1
    assert all(isinstance(one, BusyError) for one in found if one not in done)
    require_whole(fleet, fleet.bind(ids(SIZE)))
    assert len(fleet.store.entries(done[0]["decision_id"])) == fleet.calls()


@pytest.mark.sampled(2)
def test_two_decisions_about_the_same_holders_do_not_meet(fleet):
    fleet.cloud.quirks["binding_s"] = 100
    assert fleet.bind(ids(SIZE), context=short(fleet))["outcome"] == "unfinished"
    with pytest.raises(BusyError):
        fleet.bind(ids(SIZE), event_id="b-2")


@pytest.mark.sampled(2)
def test_a_bind_is_undone(fleet):
    done = fleet.bind(ids(SIZE))
    wanted = undoing.undo(done["decision_id"], fleet.context(), by="olga")
    fleet.clock.jumped_s += 10.0
    back = wanted.carry_out(fleet.context(), lambda _done, _total: None, lambda _decided: None)
    assert by_status(back, "done") == set(ids(SIZE)) - {BAD}
    assert fleet.holders_of(GROUP) == set()


@pytest.mark.sampled(2)
def test_a_finished_bind_leaves_nothing_to_deliver(fleet):
    fleet.bind(ids(SIZE))
    assert list(deliverer(fleet.context()).drain()) == []
    assert fleet.store.waiting_notices()[1] == 0
