"""A remedy is taken back, change by change, where no group was deleted."""

from __future__ import annotations

import pytest

from sgguard import schemas
from sgguard.clouds import names
from sgguard.emulator.server import serve
from sgguard.engine import bind
from sgguard.errors import EventError
from sgguard.model.event import Event
from sgguard.model.request import BindRequest
from sgguard.operations import undo, undo_remedy
from sgguard.render.language.sentence import whole_english
from sgguard.store.rows import Query
from tests.commands import sgguard
from tests.remedy.harness import Harness
from tests.worlds import world_of

__all__ = ["sgguard"]

BASELINE = """
[launch]
baseline = ["{group}"]
remedies = ["bind"]
"""


def remedied(provider: str, folder) -> tuple[Harness, dict]:
    """A cloud whose server got the baseline group that it lacked."""
    world = world_of(provider)
    cloud = Harness(world, folder, more=BASELINE.format(group=world.free))
    return cloud, cloud.launch(world.server)


def groups(cloud: Harness) -> list[list[str]]:
    (state,) = cloud.emulator.state.clouds
    return [one.groups for one in state.interfaces_of(cloud.world.server)]


@pytest.mark.parametrize("provider", [one for one in names() if one != "tencent-dfw"])
@pytest.mark.sampled(6)
def test_a_remedy_of_a_launch_is_taken_back(provider, tmp_path):
    cloud, done = remedied(provider, tmp_path)
    untouched = Harness(world_of(provider), tmp_path)
    assert done["outcome"] == "remediated"
    assert any(cloud.world.free in one for one in groups(cloud))
    shown = undo_remedy.preview(done["decision_id"], cloud.context())
    assert shown.left == ()
    back = undo_remedy.carry_out(shown, "u-1", cloud.context(), by="olga")
    assert schemas.problems("decision", back) == ()
    assert back["outcome"] == "remediated"
    assert groups(cloud) == groups(untouched)
    again = undo_remedy.preview(done["decision_id"], cloud.context())
    assert again.plan.planned == ()
    assert "already" in whole_english(again.left[0])


def test_what_others_did_since_is_left(tmp_path):
    cloud, done = remedied("tencent", tmp_path)
    groups(cloud)[0].append("sg-5ua9adfv")
    shown = undo_remedy.preview(done["decision_id"], cloud.context())
    undo_remedy.carry_out(shown, "u-1", cloud.context(), by="olga")
    assert "sg-5ua9adfv" in groups(cloud)[0]
    assert cloud.world.free not in groups(cloud)[0]


def test_what_a_later_decision_did_again_is_left_and_that_one_named(tmp_path):
    cloud, done = remedied("tencent", tmp_path)
    shown = undo_remedy.preview(done["decision_id"], cloud.context())
    undo_remedy.carry_out(shown, "u-1", cloud.context(), by="olga")
    again = cloud.launch(cloud.world.server, event_id="again")
    assert again["outcome"] == "remediated"
    shown = undo_remedy.preview(done["decision_id"], cloud.context())
    assert shown.plan.planned == ()
    assert again["decision_id"] in whole_english(shown.left[0])
    assert undo_remedy.preview(again["decision_id"], cloud.context()).plan.planned


def test_what_a_bind_did_since_is_left_and_that_one_named(tmp_path):
    cloud, done = remedied("tencent", tmp_path)
    groups(cloud)[0].remove(cloud.world.free)
    request = BindRequest(cloud.scope, cloud.world.free, holders=(cloud.world.server,))
    (found,) = bind.binds([(request, Event("b-1", {}, "/portal"))], cloud.context())
    assert found["outcome"] == "remediated"
    shown = undo_remedy.preview(done["decision_id"], cloud.context())
    assert shown.plan.planned == ()
    assert found["decision_id"] in whole_english(shown.left[0])


def test_what_a_remedy_did_since_is_left_by_the_undo_of_a_bind(tmp_path):
    world = world_of("tencent")
    cloud = Harness(world, tmp_path, more=BASELINE.format(group=world.free))
    request = BindRequest(cloud.scope, world.free, holders=(world.server,))
    (bound,) = bind.binds([(request, Event("b-1", {}, "/portal"))], cloud.context())
    groups(cloud)[0].remove(world.free)
    remedy = cloud.launch(world.server)
    assert remedy["outcome"] == "remediated"
    back = undo.undo(bound["decision_id"], cloud.context(), by="olga").carry_out(cloud.context())
    (row,) = back["bind"]["rows"]
    assert (row["status"], row["code"]) == ("nothing", "changed-since")
    assert remedy["decision_id"] in row["message"]
    assert world.free in groups(cloud)[0]


def test_a_deleted_group_is_left_to_a_restore(tmp_path):
    cloud = Harness(world_of("tencent"), tmp_path)
    done = cloud.delete(cloud.world.bound)
    with pytest.raises(EventError, match="sgguard restore"):
        undo_remedy.preview(done["decision_id"], cloud.context())


def test_the_command_takes_a_remedy_back(sgguard, tmp_path, monkeypatch):
    cloud, _ = remedied("tencent", tmp_path)
    with serve(cloud.emulator) as running:
        for name, value in {**cloud.env, "SGGUARD_ENDPOINT_TENCENT": running.url}.items():
            monkeypatch.setenv(name, value)
        (record,) = cloud.context().store.decisions(Query())
        code, out, _ = sgguard("undo", "--yes", "--as", "olga", record.decision_id)
        assert (code, "take back: " in out) == (0, True)
        assert cloud.world.free not in groups(cloud)[0]
        code, out, _ = sgguard("undo", "--yes", "--as", "olga", record.decision_id)
        assert (code, "left as it is" in out) == (1, True)
