"""What is carried out was judged on facts that were read under the locks of its whole plan."""

from __future__ import annotations

import copy
import dataclasses

import pytest
from msgspec.structs import replace

from sgguard.emulator import edit
from sgguard.emulator.resource import Rule
from sgguard.engine import handle
from sgguard.errors import BusyError, DeadlineError, MovedError
from sgguard.store import open_store
from sgguard.store.rows import Query
from sgguard.web import problem
from tests.engine.interleaved import Between, Watching, a_delete, context_of, deliver
from tests.remedy.harness import Harness
from tests.worlds import world_of

REFERRER = "sg-exnsygsn"
READ_RULES = "DescribeSecurityGroupPolicies"


@pytest.fixture
def harness(tmp_path) -> Harness:
    return Harness(world_of("tencent"), tmp_path)


def cloud_of(harness: Harness):
    (cloud,) = harness.emulator.state.clouds
    return cloud


def name_in(harness: Harness, group_id: str, ports: str = "22", referrer: str = REFERRER) -> None:
    """Let one group in to another by a rule."""
    edit.add_rule(cloud_of(harness), referrer, Rule("ingress", ports=ports, peer_group=group_id))


def groups_without_rules(harness: Harness, count: int) -> list[str]:
    cloud, made = cloud_of(harness), []
    for number in range(count):
        group = copy.deepcopy(cloud.group(harness.world.free))
        group.id, group.name, group.rules = f"{group.id[:-2]}a{number}", f"new-{number}", []
        made.append(edit.create_group(cloud, group).id)
    return made


def ways_in(harness: Harness, port: str = "22") -> int:
    return sum(rule.ports == port for rule in cloud_of(harness).group(REFERRER).rules)


def decisions(harness: Harness):
    return open_store(harness.env["SGGUARD_STORE"]).decisions(Query(limit=100))


def test_two_deletes_at_once_never_take_the_last_two_ways_in(harness):
    harness.ports = (22,)
    one, other = harness.world.referenced, harness.world.free
    name_in(harness, one)
    name_in(harness, other)
    done = {}

    def another_delete() -> None:
        done["other"] = deliver(context_of(harness), a_delete(harness, other, event_id="e-2"))

    context = context_of(harness)
    between = Between(context.store, ("lock",), another_delete)
    late = deliver(replace(context, store=between), a_delete(harness, one))
    assert done["other"]["outcome"] == "remediated"
    assert (late["verdict"], late["outcome"]) == ("block", "unchanged")
    assert {"cap-exceeded"} <= {reason["code"] for reason in late["reasons"]}
    assert ways_in(harness) == 1


@pytest.mark.parametrize("size", [3, 6])
@pytest.mark.sampled(2)
def test_a_batch_that_names_one_group_never_takes_its_last_way_in(harness, size):
    harness.ports = (22,)
    cloud = cloud_of(harness)
    ids = [f"sg-batch{n:03}" for n in range(size)]
    free = cloud.group(harness.world.free)
    for group_id in ids:
        cloud.groups.append(dataclasses.replace(free, id=group_id, name=group_id, rules=[]))
        name_in(harness, group_id)
    for n in range(20):
        name_in(harness, harness.world.bound, str(9000 + n))
    asked = [a_delete(harness, one, event_id=f"e-{one}") for one in ids]
    answers = handle.deletes(asked, context_of(harness))
    # What is about the same comes one after another, in order: nobody is sent away.
    assert [one["outcome"] for one in answers] == ["remediated"] * (size - 1) + ["unchanged"]
    assert ways_in(harness) == 1


def test_a_group_that_a_plan_rewrites_rules_to_is_not_deleted_meanwhile(harness):
    harness.remedies = ("rewrite", "revoke")
    name_in(harness, harness.world.free, "8080", harness.world.self_referencing)
    deleting = dataclasses.replace(harness, remedies=("revoke",))
    deleting.emulator = harness.emulator
    told = []

    def delete_the_replacement() -> None:
        asked = a_delete(harness, harness.world.free, event_id="e-2")
        told.append(deliver(context_of(deleting), asked))

    context = context_of(harness)
    between = Between(context.store, ("intend",), delete_the_replacement)
    done = deliver(replace(context, store=between), a_delete(harness, harness.world.referenced))
    assert done["outcome"] == "remediated"
    assert isinstance(told[0], BusyError)
    assert cloud_of(harness).group(harness.world.free) is not None


def test_two_plans_may_point_to_the_same_group(harness):
    harness.remedies = ("rewrite", "revoke")
    name_in(harness, harness.world.self_referencing, "8080")
    store = open_store(harness.env["SGGUARD_STORE"])
    claim = store.claim("bus", "x", owner="w", decision_id="d-x", lease_s=60.0, payload_hash="h")
    key = f"tencent::{harness.world.region}:{harness.world.free}"
    store.lock(claim, [], 60.0, [key])
    assert harness.delete(harness.world.referenced)["outcome"] == "remediated"
    with pytest.raises(BusyError):
        store.lock(
            store.claim("bus", "y", owner="w", decision_id="d-y", lease_s=60.0, payload_hash="h"),
            [key],
            60.0,
        )


def test_the_configured_account_and_the_empty_one_have_the_same_locks(harness):
    account = {"SGGUARD_ACCOUNT_TENCENT": "prod"}
    name_in(harness, harness.world.free)
    told = []

    def another_delete() -> None:
        asked = a_delete(harness, harness.world.free, event_id="e-2", account="prod")
        told.append(deliver(context_of(harness, env=account), asked))

    context = context_of(harness, env=account)
    between = Between(context.store, ("intend",), another_delete)
    done = deliver(replace(context, store=between), a_delete(harness, harness.world.referenced))
    assert done["outcome"] == "remediated"
    assert isinstance(told[0], BusyError)


def carried_by(harness: Harness, count: int) -> list[str]:
    """Make groups that nothing names, each on the first interface of an instance of its own."""
    cloud = cloud_of(harness)
    free, ids = cloud.group(harness.world.free), [f"sg-moved{n:03}" for n in range(count)]
    interfaces = [one for one in cloud.interfaces if one.kind == "primary"]
    assert len(interfaces) >= count
    for group_id, interface in zip(ids, interfaces, strict=False):
        cloud.groups.append(dataclasses.replace(free, id=group_id, name=group_id, rules=[]))
        interface.groups[:] = [group_id]
    return ids


def holders_of(harness: Harness, group_id: str) -> int:
    return sum(group_id in one.groups for one in cloud_of(harness).interfaces)


def test_a_batch_that_moves_holders_to_one_group_keeps_the_ceiling_of_the_policy(harness):
    harness.remedies, harness.more = ("move",), "[limits.tencent]\ninstances-per-group = 1\n"
    ids = carried_by(harness, 2)
    asked = [a_delete(harness, one, event_id=f"e-{one}") for one in ids]
    answers = handle.deletes(asked, context_of(harness))
    assert [one["outcome"] for one in answers] == ["remediated", "unchanged"]
    assert holders_of(harness, harness.world.free) == 1


@pytest.mark.parametrize(("ceiling", "is_busy"), [("[limits.tencent]", True), ("", False)])
def test_only_under_a_ceiling_of_the_policy_one_move_to_a_group_waits_for_another(
    harness, ceiling, is_busy
):
    harness.remedies = ("move",)
    harness.more = f"{ceiling}\ninstances-per-group = 9\n" if ceiling else ""
    one, other = carried_by(harness, 2)
    told = []

    def another_delete() -> None:
        told.append(deliver(context_of(harness), a_delete(harness, other, event_id="e-2")))

    context = context_of(harness)
    between = Between(context.store, ("intend",), another_delete)
    done = deliver(replace(context, store=between), a_delete(harness, one))
    assert done["outcome"] == "remediated"
    assert isinstance(told[0], BusyError) is is_busy


# -- what moves between two looks --------------------------------------------------------------


def moving(harness: Harness, *moves: int) -> Watching:
    """Another user puts a rule before all others when rules are read for these times."""
    count = [0]

    def before(action: str) -> None:
        if action == READ_RULES:
            count[0] += 1
            if count[0] in moves:
                rule = Rule("ingress", ports=str(9000 + count[0]), cidr="203.0.113.0/24")
                edit.add_rule(cloud_of(harness), REFERRER, rule, position=0)

    return Watching(harness, before)


def readings(harness: Harness) -> int:
    """How often rules are read until a plan is made."""
    count = []
    watching = Watching(harness, lambda action: count.append(action == READ_RULES))
    observing = dataclasses.replace(harness, mode="observe")
    observing.emulator = harness.emulator
    asked = a_delete(harness, harness.world.referenced, event_id="count")
    deliver(context_of(observing, transport=watching), asked)
    return sum(count)


@pytest.mark.parametrize("mode", ["observe", "approve", "enforce"])
@pytest.mark.sampled(4)
def test_a_rule_that_moved_between_facts_and_plan_is_no_verdict(harness, mode):
    plan = readings(harness)
    harness.mode = mode
    transport = moving(harness, *range(2, plan + 1))
    asked = a_delete(harness, harness.world.referenced)
    found = deliver(context_of(harness, transport=transport), asked)
    assert found["verdict"] == "remediate", found["reasons"]


def test_a_cloud_that_never_stands_still_is_409_and_nothing_is_kept(harness):
    readings(harness)
    before = len(decisions(harness))
    transport = moving(harness, *range(1, 1000))
    asked = a_delete(harness, harness.world.referenced)
    told = deliver(context_of(harness, transport=transport), asked)
    assert isinstance(told, MovedError)
    found = problem.of(told, event_id="e-1")
    assert (found.status, found.retry_after_s) == (409, 1)
    assert len(decisions(harness)) == before
    assert deliver(context_of(harness), asked)["outcome"] == "remediated"


def test_a_reference_that_came_after_the_first_look_is_part_of_what_is_done(harness):
    context = context_of(harness)
    target = harness.world.referenced
    between = Between(context.store, ("lock",), lambda: name_in(harness, target, "7443"))
    done = deliver(replace(context, store=between), a_delete(harness, target))
    assert done["outcome"] == "remediated"
    assert ways_in(harness, "7443") == 0
    assert cloud_of(harness).group(target) is None


@pytest.mark.parametrize("name", ["tencent", "tencent-dfw", "huawei", "openstack"])
@pytest.mark.parametrize("naming", [0, 1])
@pytest.mark.sampled(2)
def test_a_rule_between_groups_of_a_set_that_came_after_the_plan_stays(tmp_path, name, naming):
    harness = Harness(world_of(name), tmp_path)
    cloud = cloud_of(harness)
    *targets, outside = groups_without_rules(harness, 3)
    edit.add_rule(cloud, outside, Rule("ingress", ports="22", peer_group=targets[0]))
    added = Rule("ingress", ports="443", peer_group=targets[1 - naming])
    context = context_of(harness)
    between = Between(
        context.store, ("begin_run",), lambda: edit.add_rule(cloud, targets[naming], added)
    )
    found = deliver(replace(context, store=between), a_delete(harness, *targets))
    assert (found["verdict"], found["outcome"]) == ("remediate", "undone")
    assert [one["code"] for one in found["notes"]] == ["since.rule-added"]
    assert f"added to {targets[naming]} after the plan was made" in found["note"]
    assert cloud.group(targets[naming]).rules == [added]
    assert [rule.peer_group for rule in cloud.group(outside).rules] == [targets[0]]


def test_time_that_ends_between_lock_and_begin_is_not_lost(harness):
    """The next delivery has the locks already: what it reads first is read under them."""
    context = context_of(harness)
    looks = [0]

    def slow(action: str) -> None:
        looks[0] += action == "DescribeSecurityGroupReferences"

    class Ending(Watching):
        def handle_request(self, request):
            if looks[0] and "lock" in between.calls:
                raise DeadlineError("the time for this event was used up")
            return super().handle_request(request)

    between = Between(context.store, (), lambda: None)
    ending = context_of(harness, transport=Ending(harness, slow), store=between)
    asked = a_delete(harness, harness.world.referenced)
    assert isinstance(deliver(ending, asked), DeadlineError)
    watching = Between(context.store, (), lambda: None)
    done = deliver(replace(context, store=watching), asked)
    assert done["outcome"] == "remediated"
    assert "lock" not in watching.calls
