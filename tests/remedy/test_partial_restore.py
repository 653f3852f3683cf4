"""Some groups of a decision come back, and the others later: together the same cloud as before."""

from __future__ import annotations

import pytest

from sgguard import providers
from sgguard.errors import InputError
from sgguard.operations import restore
from tests.remedy.harness import Harness
from tests.remedy.test_restore import made
from tests.worlds import world_of


@pytest.fixture(params=providers.names())
def harness(request, tmp_path) -> Harness:
    return Harness(world_of(request.param), tmp_path)


def part(harness: Harness, decision_id: str, *groups: str):
    return restore.restore(decision_id, harness.context(), by="olga", groups=groups)


def lost(harness: Harness, restored) -> str:
    """What a restore says it lacks, besides the tags that API 2.0 of Tencent does not tell."""
    is_untold = harness.world.provider == "tencent-dfw"
    assert ("its tags (not told)" in restored["note"]) is is_untold
    return "" if is_untold else restored["note"]


@pytest.mark.parametrize("remedies", [("revoke", "move"), ("rewrite", "move")], ids=" ".join)
@pytest.mark.parametrize("first", ["referenced", "bound"])
@pytest.mark.sampled(22)
def test_two_parts_are_the_whole(harness, remedies, first):
    harness.remedies = remedies
    before = harness.comparable_state()
    deleted = harness.delete(harness.world.referenced, harness.world.bound)
    assert deleted["outcome"] == "remediated"
    between = harness.comparable_state()

    one = part(harness, deleted["decision_id"], getattr(harness.world, first))
    assert (one["outcome"], lost(harness, one)) == ("remediated", "")
    assert len(made(one)) == 1
    assert harness.comparable_state() != between
    other = part(harness, deleted["decision_id"])

    assert (other["outcome"], lost(harness, other)) == ("remediated", "")
    assert len(made(other)) == 1
    assert harness.comparable_state(*made(one), *made(other)) == before


@pytest.mark.sampled(6)
def test_all_groups_named_are_the_whole_decision(harness):
    before = harness.comparable_state()
    deleted = harness.delete(harness.world.referenced, harness.world.bound)
    found = part(harness, deleted["decision_id"], harness.world.bound, harness.world.referenced)
    assert harness.comparable_state(*made(found)) == before
    with pytest.raises(InputError, match="was restored before"):
        part(harness, deleted["decision_id"], harness.world.bound)


@pytest.mark.sampled(6)
def test_a_whole_restore_leaves_no_part_to_do(harness):
    deleted = harness.delete(harness.world.referenced, harness.world.bound)
    first = part(harness, deleted["decision_id"])
    after = harness.comparable_state()
    with pytest.raises(InputError, match="was restored before"):
        part(harness, deleted["decision_id"], harness.world.referenced)
    assert part(harness, deleted["decision_id"])["decision_id"] == first["decision_id"]
    assert harness.comparable_state() == after


@pytest.mark.sampled(4)
def test_a_name_that_two_groups_have_means_none(harness):
    deleted = harness.delete(harness.world.referenced)
    with pytest.raises(InputError, match="did not delete"):
        part(harness, deleted["decision_id"], "no such name")


def test_a_holder_of_both_gets_the_chosen_group_and_keeps_what_it_has(tmp_path):
    harness = Harness(world_of("tencent"), tmp_path)
    world = harness.world
    (cloud,) = harness.emulator.state.clouds
    holder = next(one for one in cloud.interfaces if world.bound in one.groups)
    holder.groups = [world.bound, world.referenced]
    deleted = harness.delete(world.referenced, world.bound)
    assert deleted["outcome"] == "remediated", deleted["note"]
    assert holder.groups == [world.free]

    one = part(harness, deleted["decision_id"], world.bound)
    [(new_id, _)] = made(one)
    assert one["note"] == ""
    assert holder.groups == [new_id, world.free]

    # What the holder has now is not what the plan left: it is kept, and said.
    other = part(harness, deleted["decision_id"])
    assert len(made(other)) == 1
    assert f"left out: interface {holder.id} has" in other["note"]
    assert holder.groups == [new_id, world.free]
