"""A group that somebody changes after its plan was made is not deleted: it could not come back."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from sgguard import providers
from sgguard.emulator import edit
from sgguard.emulator.resource import Rule
from sgguard.errors import StoreError
from tests.engine.interleaved import Between, a_delete, context_of, deliver
from tests.remedy.harness import Harness
from tests.worlds import world_of

ADDED = Rule("ingress", id="9f0c1a52-0000-4000-8000-000000009001", ports="9001", cidr="10.9.0.0/16")


@pytest.fixture(params=providers.names())
def harness(request, tmp_path) -> Harness:
    return Harness(world_of(request.param), tmp_path)


def cloud_of(harness: Harness) -> Any:
    (cloud,) = harness.emulator.state.clouds
    return cloud


def add_rule(harness: Harness, group_id: str) -> None:
    edit.add_rule(cloud_of(harness), group_id, dataclasses.replace(ADDED))


def remove_rule(harness: Harness, group_id: str) -> None:
    cloud = cloud_of(harness)
    group = cloud.group(group_id)
    group.version += 1
    group.rules.remove(next(one for one in group.rules if one.ports == "9001"))


def rename(harness: Harness, group_id: str) -> None:
    cloud = cloud_of(harness)
    cloud.group(group_id).name = "renamed"


def describe(harness: Harness, group_id: str) -> None:
    cloud_of(harness).group(group_id).description = "described anew"


def changed_meanwhile(
    harness: Harness, change: Callable[[Harness, str], None], *group_ids: str, after: str
) -> Any:
    """Delete groups; the first is changed after this step of the store."""
    context = context_of(harness)
    between = Between(context.store, (after,), lambda: change(harness, group_ids[0]), is_after=True)
    return deliver(replace(context, store=between), a_delete(harness, *group_ids))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (add_rule, "was added to"),
        (rename, "name of"),
        (describe, "description of"),
    ],
    ids=["a rule", "its name", "its description"],
)
@pytest.mark.parametrize("after", ["begin_run", "intend"])
@pytest.mark.sampled(40)
def test_what_somebody_changes_after_the_snapshot_is_not_lost(harness, change, words, after):
    target = harness.world.referenced
    document = changed_meanwhile(harness, change, target, after=after)
    assert document["outcome"] == "undone"
    assert words in document["note"]
    assert target in document["note"]
    # The group is there with the change, and everything else is as it was.
    there = harness.comparable_state()
    harness.emulator = harness.world.emulator()
    harness.__post_init__()
    change(harness, target)
    assert there == harness.comparable_state()


@pytest.mark.sampled(6)
def test_the_next_request_deletes_it_and_a_restore_brings_the_change_back(harness):
    target = harness.world.referenced
    changed_meanwhile(harness, add_rule, target, after="begin_run")
    deleted = harness.delete(target, event_id="e-2")
    assert deleted["outcome"] == "remediated"
    restored = harness.restore(deleted["decision_id"])
    (new,) = [line["made"] for line in restored["journal"] if line["made"]]
    assert "9001" in {rule.ports for rule in cloud_of(harness).group(new).rules}


@pytest.mark.sampled(4)
def test_a_free_group_that_changed_is_not_deleted_either(harness):
    harness.in_delete = 'carry_out = "always"'
    target = harness.world.free
    document = changed_meanwhile(harness, add_rule, target, after="begin_run")
    assert document["outcome"] == "undone"
    assert cloud_of(harness).group(target) is not None
    assert harness.delete(target, event_id="e-2")["outcome"] == "remediated"


@pytest.mark.sampled(4)
def test_a_rule_that_somebody_removed_is_not_brought_back(harness):
    target = harness.world.referenced
    add_rule(harness, target)
    document = changed_meanwhile(harness, remove_rule, target, after="begin_run")
    assert document["outcome"] == "undone"
    assert f"was removed from {target}" in document["note"]


@pytest.mark.sampled(4)
def test_of_a_set_none_is_deleted_where_one_changed(harness):
    ids = (harness.world.referenced, harness.world.bound)
    document = changed_meanwhile(harness, add_rule, *ids, after="begin_run")
    assert document["outcome"] == "undone"
    assert all(cloud_of(harness).group(one) is not None for one in ids)


@pytest.mark.sampled(8)
def test_a_set_whose_groups_name_each_other_is_not_kept_by_its_own_changes(harness):
    ids = (harness.world.referenced, harness.world.bound)
    for one, other in (ids, ids[::-1]):
        rule = dataclasses.replace(ADDED, id=f"9f0c1a52-0000-4000-8000-0000000090{ids.index(one)}1")
        edit.add_rule(cloud_of(harness), one, dataclasses.replace(rule, cidr="", peer_group=other))
    assert harness.delete(*ids)["outcome"] == "remediated"


@pytest.mark.sampled(4)
def test_a_change_after_a_death_is_found_as_well(harness):
    target = harness.world.referenced
    context = context_of(harness)

    def die() -> None:
        raise StoreError("the store did not answer")

    between = Between(context.store, ("settle",), die)
    assert isinstance(
        deliver(replace(context, store=between), a_delete(harness, target)), StoreError
    )
    add_rule(harness, target)
    document = deliver(context_of(harness), a_delete(harness, target))
    assert document["outcome"] == "undone"
    assert cloud_of(harness).group(target) is not None


def test_a_holder_that_got_a_group_meanwhile_is_not_released_by_force(tmp_path):
    harness = Harness(world_of("tencent-dfw"), tmp_path, remedies=("force",))
    target = harness.world.bound

    def bind(_: Harness, group_id: str) -> None:
        cloud = cloud_of(harness)
        other = next(one for one in cloud.interfaces if group_id not in one.groups)
        edit.set_groups(cloud, other, [*other.groups, group_id])

    document = changed_meanwhile(harness, bind, target, after="begin_run")
    assert document["outcome"] == "undone"
    assert f"got {target} after the plan was made" in document["note"]
