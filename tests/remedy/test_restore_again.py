"""A restore that left something out, a group that is there again, a plan that has changed."""

from __future__ import annotations

import copy

import pytest
from msgspec.structs import replace

from sgguard import providers
from sgguard.emulator import edit
from sgguard.emulator.faults import Fault
from sgguard.engine.execute import LEASE_S
from sgguard.errors import BusyError, InputError
from sgguard.operations import restore, resume
from sgguard.remedy.lost import with_left_out
from sgguard.remedy.plan import Plan
from sgguard.store import codec, open_store
from tests.remedy.harness import Harness
from tests.remedy.test_restore import made
from tests.remedy.test_restore_any_order import circle, deleted
from tests.worlds import world_of

LAUNCH = """
[launch]
remedies = ["unbind"]
forbidden = ["{bound}"]
"""


@pytest.fixture(params=providers.names())
def harness(request, tmp_path) -> Harness:
    return Harness(world_of(request.param), tmp_path)


@pytest.fixture
def here(tmp_path) -> Harness:
    return Harness(world_of("tencent"), tmp_path)


def cloud_of(harness: Harness):
    (cloud,) = harness.emulator.state.clouds
    return cloud


def rebuilt(harness: Harness, name: str, **changed):
    """A group of this name that a person built by hand."""
    group = copy.deepcopy(cloud_of(harness).group(harness.world.free))
    group.id, group.name = f"{group.id[:-1]}9", name
    for field, value in changed.items():
        setattr(group, field, value)
    cloud_of(harness).groups.append(group)
    return group


# -- left out ------------------------------------------------------------------------------


def test_one_that_left_everything_out_is_tried_again_when_the_world_is_put_right(here):
    world = here.world
    here.more = LAUNCH.format(bound=world.bound)
    primary = cloud_of(here).interfaces_of(world.server)[0]
    edit.set_groups(cloud_of(here), primary, [world.bound, world.free])
    done = here.launch(world.server)
    assert (done["outcome"], primary.groups) == ("remediated", [world.free])

    edit.set_groups(cloud_of(here), primary, [world.referrer_in])
    first = here.restore(done["decision_id"])
    assert first["outcome"] == "unchanged"
    assert "left out" in first["note"]
    edit.set_groups(cloud_of(here), primary, [world.free])
    second = here.restore(done["decision_id"])
    assert (second["outcome"], second["note"]) == ("remediated", "")
    assert primary.groups == [world.bound, world.free]
    # Nothing is left out now, so it is final.
    state = here.emulator.state.dump()
    assert here.restore(done["decision_id"]) == second
    assert here.emulator.state.dump() == state


@pytest.mark.sampled(6)
def test_a_part_that_was_left_out_comes_when_it_can(harness):
    ids = circle(harness)
    before = len(cloud_of(harness).group(ids[1]).rules)
    first_id, second_id = deleted(harness, ids[0], ids[1])
    first = harness.restore(first_id)
    assert first["outcome"] == "remediated"
    assert first["note"].count(f"{ids[1]}") == 2  # the rule that names it, and the rule of it
    # Asked again before the other group is there, it does nothing.
    state = harness.emulator.state.dump()
    assert harness.restore(first_id)["decision_id"] == first["decision_id"]
    assert harness.emulator.state.dump() == state
    second = harness.restore(second_id)
    [(new, _)] = made(second)
    assert len(cloud_of(harness).group(new).rules) == before
    state = harness.emulator.state.dump()
    assert harness.restore(first_id)["decision_id"] == first["decision_id"]
    assert harness.emulator.state.dump() == state


def test_a_rule_that_a_person_restored_by_hand_is_not_made_twice(here):
    ids = circle(here)
    first_id, second_id = deleted(here, ids[0], ids[1])
    [(one, _)] = made(here.restore(first_id))
    [(other, _)] = made(here.restore(second_id, groups=[ids[1]]))
    rules = [rule.peer_group for rule in cloud_of(here).group(other).rules]
    assert rules.count(one) == 1
    edit.remove_rule(
        cloud_of(here), other, next(r for r in cloud_of(here).group(other).rules if r.peer_group)
    )
    # A person took it out again: a restore that made it does not make it once more.
    here.restore(first_id)
    here.restore(second_id)
    assert [rule.peer_group for rule in cloud_of(here).group(other).rules].count(one) == 0


def test_groups_of_one_holder_come_back_in_any_order(tmp_path):
    for order in ((0, 1), (1, 0)):
        folder = tmp_path / str(order[0])
        folder.mkdir()
        here = Harness(world_of("tencent"), folder)
        world = here.world
        primary = cloud_of(here).interfaces_of(world.server)[0]
        edit.set_groups(cloud_of(here), primary, [world.bound, world.referenced])
        before = here.comparable_state()
        ids = deleted(here, world.bound, world.referenced)
        assert primary.groups == [world.free]
        restored = [here.restore(ids[one]) for one in order]
        names = [pair for one in restored for pair in made(one)]
        assert here.comparable_state(*names) == before


def test_one_that_was_cut_short_says_what_it_left_out_when_it_is_resumed(here):
    ids = circle(here)
    first_id, _ = deleted(here, ids[0], ids[1])
    here.emulator.faults.append(Fault("drop", action="DescribeSecurityGroupPolicies", count=100))
    store = open_store(here.env["SGGUARD_STORE"])
    here.emulator.faults.clear()
    stopping = Fault("throttle", action="CreateSecurityGroupPolicies", count=100)
    here.emulator.faults.append(stopping)
    cut = here.context()
    with pytest.raises(RuntimeError, match="died"):
        restore.restore(first_id, replace(cut, store=Dying(cut.store)), by="olga")
    here.emulator.faults.clear()
    [run] = store.open_runs()
    later = open_store(here.env["SGGUARD_STORE"], lambda: store.now_s() + 100 * LEASE_S)
    done = resume.resume(run.decision_id, replace(here.context(), store=later))
    assert done["outcome"] == "remediated"
    assert "left out: rule" in done["note"]


class Dying:
    """A store whose process dies once a change is settled."""

    def __init__(self, store) -> None:
        self.store = store

    def __getattr__(self, name):
        if name == "settle":
            raise RuntimeError("died")
        return getattr(self.store, name)


def test_what_is_left_out_stands_in_the_first_step_of_the_plan(here):
    found = here.delete(here.world.referenced)
    seen = restore.preview(found["decision_id"], here.context())
    plan = seen.restoration.plan
    assert with_left_out(plan, ()) is plan
    assert with_left_out(Plan(plan.scope, ()), ("a",)).planned == ()
    assert with_left_out(plan, ("a", "b")).planned[0].step.details["left_out"] == "a; b"


# -- twins ---------------------------------------------------------------------------------


@pytest.mark.sampled(4)
def test_a_group_that_was_built_again_by_hand_gets_no_twin_unasked(harness):
    gone = harness.world.referenced
    name = cloud_of(harness).group(gone).name
    found = harness.delete(gone)
    twin = rebuilt(harness, name)
    state = harness.emulator.state.dump()
    for _ in range(2):
        with pytest.raises(InputError, match=f"{twin.id} is named {name} as {gone} was"):
            harness.restore(found["decision_id"])
    assert harness.emulator.state.dump() == state
    done = harness.restore(found["decision_id"], may_twin=True)
    is_unique = harness.world.provider == "tencent-dfw"  # there a name is that of one group
    assert done["outcome"] == ("undone" if is_unique else "remediated")
    assert [group.name for group in cloud_of(harness).groups].count(name) == 2 - is_unique


def test_a_group_of_the_same_name_in_another_network_is_no_twin(tmp_path):
    harness = Harness(world_of("alibaba"), tmp_path)
    name = cloud_of(harness).group(harness.world.referenced).name
    found = harness.delete(harness.world.referenced)
    rebuilt(harness, name, network="vpc-bp1peer")
    assert harness.restore(found["decision_id"])["outcome"] == "remediated"


@pytest.mark.parametrize("provider", ["tencent", "alibaba", "huawei", "openstack"])
@pytest.mark.sampled(4)
def test_two_groups_of_one_name_are_no_twins_of_each_other(provider, tmp_path):
    harness = Harness(world_of(provider), tmp_path)
    ids = circle(harness)
    for group_id in ids[:2]:
        cloud_of(harness).group(group_id).name = "circle"
    first_id, second_id = deleted(harness, ids[0], ids[1])
    assert harness.restore(first_id)["outcome"] == "remediated"
    assert harness.restore(second_id)["outcome"] == "remediated"


# -- the plan that was confirmed -----------------------------------------------------------


@pytest.mark.sampled(6)
def test_a_plan_that_is_not_the_one_confirmed_is_not_carried_out(harness):
    found = harness.delete(harness.world.referenced)
    confirmed = restore.preview(found["decision_id"], harness.context())
    cloud = cloud_of(harness)
    cloud.groups = [one for one in cloud.groups if one.id != harness.world.referrer_in]
    state = harness.emulator.state.dump()
    other = restore.restore_confirmed(confirmed, harness.context(), by="olga")
    assert isinstance(other, restore.Preview)
    assert harness.world.referrer_in in str(other.restoration.left_out)
    assert harness.emulator.state.dump() == state
    done = restore.restore_confirmed(other, harness.context(), by="olga")
    assert done["outcome"] == "remediated"


def test_the_plan_is_made_after_what_it_touches_is_locked(here):
    found = here.delete(here.world.referenced)
    store = open_store(here.env["SGGUARD_STORE"])
    decision = restore.preview(found["decision_id"], here.context())
    claim = store.claim("x", "1", owner="w", decision_id="d", lease_s=60.0, payload_hash=None)
    store.lock(claim, decision.restoration.keys()[:1], 60.0)
    with pytest.raises(BusyError, match="being worked on by decision d"):
        here.restore(found["decision_id"])
    store.release(claim)
    added = []

    class Moving:
        """A store in whose lock somebody else changes a rule, right before it is had."""

        def __getattr__(self, name):
            if name == "lock" and not added:
                cloud = cloud_of(here)
                cloud.groups = [one for one in cloud.groups if one.id != here.world.referrer_in]
                added.append(True)
            return getattr(store, name)

    context = replace(here.context(), store=Moving())
    done = restore.restore(found["decision_id"], context, by="olga")
    assert done["outcome"] == "remediated"
    assert here.world.referrer_in in done["note"]


def test_two_that_need_each_other_are_not_made_side_by_side(here):
    ids = circle(here)
    first_id, second_id = deleted(here, ids[0], ids[1])
    store = open_store(here.env["SGGUARD_STORE"])
    seen = restore.preview(first_id, here.context())
    claim = store.claim("x", "1", owner="w", decision_id="d", lease_s=60.0, payload_hash=None)
    store.lock(claim, seen.restoration.keys(), 60.0)
    with pytest.raises(BusyError):
        here.restore(second_id)


def test_the_same_plan_is_the_same_after_it_was_kept(here):
    found = here.delete(here.world.referenced)
    one = restore.preview(found["decision_id"], here.context())
    other = restore.preview(found["decision_id"], here.context())
    assert one.is_same(other)
    assert codec.load(Plan, codec.dump(one.restoration.plan)) == one.restoration.plan


# -- a decision that was accepted ----------------------------------------------------------


def test_of_a_set_that_was_deleted_in_part_that_part_comes_back(here):
    world = here.world
    refusal = Fault("error", action="DeleteSecurityGroup", code="UnsupportedOperation", count=100)
    before, both = here.comparable_state(), (world.referenced, world.bound)

    class Refusing:
        """A cloud that refuses every delete after the first one."""

        def __getattr__(self, name):
            if name == "settle" and None in (cloud_of(here).group(one) for one in both):
                here.emulator.faults[:] = [refusal]
            return getattr(store, name)

    store = here.context().store
    context = replace(here.context(), store=Refusing())
    here.context = lambda: context
    found = here.delete(world.referenced, world.bound)
    assert found["outcome"] == "partly-undone", found["note"]
    del here.context
    here.emulator.faults.clear()
    resume.accept(found["decision_id"], here.context(), by="olga")
    done = here.restore(found["decision_id"])
    assert done["outcome"] == "remediated", done["note"]
    [left] = [one for one in both if cloud_of(here).group(one)]
    assert f"group {left} was not deleted" in done["note"]
    assert here.comparable_state(*made(done)) == before
