"""A restore that was begun and has changed nothing: what was built by hand since gets no twin."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sgguard import providers
from sgguard.engine import handle
from sgguard.engine.execute import LEASE_S
from sgguard.errors import InputError
from sgguard.model.event import Event
from sgguard.model.request import LaunchRequest
from sgguard.operations import restore, resume, undo_remedy
from sgguard.remedy.plan import Plan
from sgguard.store import codec, open_store
from tests.bind.test_undo_remedy import groups, remedied
from tests.engine.interleaved import DiedError
from tests.remedy.harness import Harness
from tests.remedy.test_restore_again import rebuilt
from tests.worlds import world_of


@pytest.fixture(params=providers.names())
def harness(request, tmp_path) -> Harness:
    return Harness(world_of(request.param), tmp_path)


class DyingAtOnce:
    """A store whose process dies when the run is begun."""

    def __init__(self, store) -> None:
        self.store = store

    def __getattr__(self, name):
        def begin_run(*args, **given):
            self.store.begin_run(*args, **given)
            raise DiedError

        return begin_run if name == "begin_run" else getattr(self.store, name)


def begun(harness: Harness, decision_id: str):
    """A restore that was begun and has changed nothing; the run, and a later view of the store."""
    return cut(harness, lambda context: restore.restore(decision_id, context, by="olga"))


def cut(harness: Harness, work):
    context = harness.context()
    with pytest.raises(DiedError):
        work(replace(context, store=DyingAtOnce(context.store)))
    store = open_store(harness.env["SGGUARD_STORE"])
    [run] = store.open_runs()
    later = open_store(harness.env["SGGUARD_STORE"], lambda: store.now_s() + 100 * LEASE_S)
    return run, replace(harness.context(), store=later)


@pytest.mark.parametrize("is_resumed", [True, False], ids=["resume", "restore"])
@pytest.mark.sampled(8)
def test_one_that_was_begun_makes_no_twin_of_what_was_built_by_hand_since(harness, is_resumed):
    target = harness.world.referenced
    deleted_by = harness.delete(target)["decision_id"]
    run, later = begun(harness, deleted_by)
    name = codec.load(Plan, run.plan_json).planned[0].change.group.name
    rebuilt(harness, name)
    state = harness.emulator.state.dump()
    if is_resumed:
        found = resume.resume(run.decision_id, later)
    else:
        found = restore.restore(deleted_by, later, by="olga")
    assert found["outcome"] == "undone"
    assert harness.emulator.state.dump() == state
    with pytest.raises(InputError, match=name):
        restore.restore(deleted_by, later, by="olga")
    if harness.world.provider != "tencent-dfw":  # it refuses a second group of a name
        done = restore.restore(deleted_by, later, by="olga", may_twin=True)
        assert done["outcome"] == "remediated", done["note"]


@pytest.mark.sampled(4)
def test_one_that_was_begun_goes_on_where_nothing_has_changed(harness):
    deleted_by = harness.delete(harness.world.referenced)["decision_id"]
    run, later = begun(harness, deleted_by)
    assert resume.resume(run.decision_id, later)["outcome"] == "remediated"


@pytest.mark.parametrize("is_changed", [False, True], ids=["as it was", "changed"])
@pytest.mark.sampled(2)
def test_an_undo_that_was_begun_undoes_what_was_shown_or_nothing(tmp_path, is_changed):
    cloud, done = remedied("tencent", tmp_path)
    shown = undo_remedy.preview(done["decision_id"], cloud.context())
    run, later = cut(cloud, lambda one: undo_remedy.carry_out(shown, "u-1", one, by="olga"))
    if is_changed:
        groups(cloud)[0].append(cloud.world.referrer_in)
    found = resume.resume(run.decision_id, later)
    assert found["outcome"] == ("undone" if is_changed else "remediated")
    assert (cloud.world.free in groups(cloud)[0]) is is_changed


@pytest.mark.parametrize("is_changed", [False, True], ids=["as it was", "changed"])
@pytest.mark.parametrize("is_resumed", [True, False], ids=["resume", "redelivery"])
@pytest.mark.sampled(3)
def test_a_launch_that_was_begun_is_judged_once_more(tmp_path, is_changed, is_resumed):
    world = world_of("tencent")
    baseline = f'[launch]\nbaseline = ["{world.free}"]\nremedies = ["bind"]\n'
    cloud = Harness(world, tmp_path, more=baseline)
    request = LaunchRequest(cloud.scope, instance_id=world.server, requested_by="alice")
    asked = [(request, Event("l-1", {"instance_id": world.server}, "/portal"))]
    run, later = cut(cloud, lambda one: handle.launches(asked, one))
    if is_changed:
        groups(cloud)[0].append(world.referrer_in)
    if is_resumed:
        found = resume.resume(run.decision_id, later)
    else:
        [found] = handle.launches(asked, later)
    assert found["outcome"] == ("undone" if is_changed else "remediated")
    assert (world.free in groups(cloud)[0]) is not is_changed
