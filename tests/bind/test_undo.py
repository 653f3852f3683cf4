"""Undo takes off exactly what a decision put on, and leaves what others changed since, by name."""

from __future__ import annotations

import copy

import pytest

from sgguard.approvals import resolve
from sgguard.engine import bind
from sgguard.errors import EventError, InputError
from sgguard.model.event import Event
from sgguard.model.request import BindRequest
from sgguard.operations import undo as undoing
from tests.bind.harness import BASE, GROUP, Fleet, by_status, ids, rows
from tests.bind.test_every_provider import deliver
from tests.remedy.harness import Harness
from tests.worlds.openstack import WORLD as OPENSTACK
from tests.worlds.tencent import WORLD


@pytest.fixture
def fleet(tmp_path):
    return Fleet(tmp_path, 8)


def undone(fleet: Fleet, decision_id: str):
    return undoing.undo(decision_id, fleet.context(), by="olga").carry_out(fleet.context())


def on(fleet: Fleet, holder_id: str) -> list[str]:
    return fleet.cloud.interfaces_of(holder_id)[0].groups


def test_an_undo_takes_off_what_was_put_on_and_nothing_else(fleet):
    already, *rest = ids(8)
    on(fleet, already).append(GROUP)
    done = fleet.bind(ids(8))
    back = undone(fleet, done["decision_id"])
    assert by_status(back, "done") == set(rest)
    assert fleet.holders_of() == {already}
    assert back["bind"]["undoes"] == done["decision_id"]


def test_what_others_changed_since_is_left_and_named(fleet):
    taken, gone, last, again, moved, *rest = ids(8)
    done = fleet.bind(ids(8))
    on(fleet, taken).remove(GROUP)
    fleet.cloud.instances.remove(fleet.instance(gone))
    on(fleet, last).remove(BASE)
    on(fleet, moved).insert(0, "sg-carried0")
    # one that was taken off by hand, and put on again by another decision
    on(fleet, again).remove(GROUP)
    fleet.clock.jumped_s += 60
    other = fleet.bind([again], event_id="b-2")
    back = undone(fleet, done["decision_id"])
    assert {one: (row["status"], row["code"]) for one, row in rows(back).items()} == {
        taken: ("nothing", "changed-since"),
        gone: ("nothing", "changed-since"),
        last: ("refused", "last-group"),
        again: ("nothing", "changed-since"),
        moved: ("done", "done"),
        **dict.fromkeys(rest, ("done", "done")),
    }
    assert other["decision_id"] in rows(back)[again]["message"]
    assert fleet.carried(moved) == ["sg-carried0", BASE]
    assert {last, again} <= fleet.holders_of()
    # the other decision can be taken back by itself
    assert by_status(undone(fleet, other["decision_id"]), "done") == {again}


def test_what_was_put_on_again_while_an_undo_was_thought_over_is_left(fleet):
    again, *rest = ids(8)
    done = fleet.bind(ids(8))
    shown = undoing.undo(done["decision_id"], fleet.context(), by="olga")
    assert by_status(shown.decided(fleet.context()).document, "planned") == set(ids(8))
    fleet.clock.jumped_s += 60
    fleet.bind([again], event_id="b-2", action="unbind")
    other = fleet.bind([again], event_id="b-3")
    back = shown.carry_out(fleet.context())
    assert by_status(back, "done") == set(rest)
    assert other["decision_id"] in rows(back)[again]["message"]
    assert fleet.holders_of() == {again}


def test_what_was_asked_before_and_approved_since_is_left(fleet):
    again, *rest = ids(8)
    fleet.mode = "approve"
    asked = fleet.bind([again], event_id="b-0")
    fleet.mode = "enforce"
    fleet.clock.jumped_s += 60
    done = fleet.bind(ids(8))
    on(fleet, again).remove(GROUP)
    fleet.clock.jumped_s += 60
    (question,) = fleet.store.approvals("pending")
    resolve.approve(question.approval_id, "olga", fleet.context())
    assert fleet.holders_of() == set(ids(8))
    back = undone(fleet, done["decision_id"])
    assert by_status(back, "done") == set(rest)
    assert asked["decision_id"] in rows(back)[again]["message"]


def test_of_several_that_changed_ports_of_a_server_the_last_one_is_named(tmp_path):
    cloud = Harness(OPENSTACK, tmp_path)
    (state,) = cloud.emulator.state.clouds
    (port,) = state.interfaces_of(OPENSTACK.server)
    second = copy.deepcopy(port)
    second.id = f"{port.id[:-2]}ff"
    state.interfaces.append(second)
    done = deliver(cloud, [OPENSTACK.server])
    deliver(cloud, [second.id], "b-2", action="unbind")
    last = deliver(cloud, [port.id], "b-3", action="unbind")
    back = undoing.undo(done["decision_id"], cloud.context(), by="olga").carry_out(cloud.context())
    row = rows(back)[OPENSTACK.server]
    assert (row["status"], row["code"]) == ("nothing", "changed-since")
    assert last["decision_id"] in row["message"]


def test_an_unbind_is_put_back(fleet):
    for one in ids(3):
        on(fleet, one).append(GROUP)
    done = fleet.bind(ids(3), action="unbind")
    back = undone(fleet, done["decision_id"])
    assert fleet.holders_of() == set(ids(3)) == by_status(back, "done")
    assert undoing.undo(done["decision_id"], fleet.context(), by="o").request.holders


def test_only_a_bind_that_is_at_its_end_is_undone(fleet):
    with pytest.raises(EventError, match="no decision"):
        undoing.undo("nothing", fleet.context(), by="olga")
    fleet.cloud.quirks["binding_s"] = 100
    found = fleet.bind(ids(8), context=fleet.context(deadline_s=5))
    assert found["outcome"] == "unfinished"
    (left,) = fleet.store.open_runs()
    with pytest.raises(EventError, match="resume"):
        undoing.undo(left.decision_id, fleet.context(), by="olga")


def test_a_restore_of_another_decision_is_not_kept_by_a_bind(tmp_path):
    cloud = Harness(WORLD, tmp_path)
    request = BindRequest(cloud.scope, GROUP, holders=(WORLD.server,))
    (bound,) = bind.binds([(request, Event("b-1", {}, "/portal"))], cloud.context())
    deleted = cloud.delete(WORLD.referenced)  # rules that name it have positions
    assert deleted["outcome"] == "remediated"
    assert cloud.restore(deleted["decision_id"])["outcome"] == "remediated"
    with pytest.raises(InputError, match="sgguard undo"):
        cloud.restore(bound["decision_id"])
