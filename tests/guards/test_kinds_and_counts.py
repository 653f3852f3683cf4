"""Groups that do not go together, and what a ceiling of the cloud counts."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from sgguard.guards import delete, launch
from sgguard.model.resource import Limit, Unseen
from sgguard.policy import DeletePolicy, LaunchPolicy, Policy
from sgguard.render.language.sentence import message_of
from tests.guards.builders import (
    FORCING,
    MAY_ALL,
    OPENSTACK,
    TENCENT,
    codes,
    facts,
    group,
    instance,
    interface,
    launched,
    named_by,
    planned,
    server,
)

REFUSING = replace(OPENSTACK, mixed_kinds_refused_with="SecurityGroupConflict")
REFUSING_ON_INSTANCE = replace(TENCENT, mixed_kinds_refused_with="Mixed")
STATEFUL = group("sg-a", count=1, kind="stateful")
STATELESS = group("sg-b", count=1, kind="stateless")
UNTOLD = group("sg-b", count=1, kind=None)


def judged(of, policy=None):
    return launch.judge(of, policy or Policy())


# -- kinds --------------------------------------------------------------------------------------


def test_planned_instances_do_not_carry_groups_of_two_kinds():
    found = judged(planned(STATEFUL, STATELESS, capabilities=REFUSING, limits=()))
    (reason,) = (one for one in found.reasons if one.effect == "block")
    assert (found.verdict, reason.code) == ("block", "group-kinds-mixed")
    assert "sg-a (name-of-sg-a) is stateful" in message_of(reason)
    assert "SecurityGroupConflict" in message_of(reason)
    assert {one.group_id for one in reason.evidence} == {"sg-a", "sg-b"}


def test_groups_of_one_kind_go_together_and_any_do_where_the_cloud_takes_them():
    twin = group("sg-b", count=1, kind="stateful")
    assert judged(planned(STATEFUL, twin, capabilities=REFUSING, limits=())).verdict == "allow"
    assert judged(planned(STATEFUL, STATELESS, limits=())).verdict == "allow"


@pytest.mark.parametrize("tolerated", [(), ("not-told",)])
def test_a_kind_that_is_not_told_may_be_another(tolerated):
    policy = Policy(launch=LaunchPolicy(tolerate_unseen=tolerated))
    found = judged(planned(STATEFUL, UNTOLD, capabilities=REFUSING, limits=()), policy)
    assert codes(found, "warn" if tolerated else "block") == ["facts-incomplete"]
    assert judged(planned(UNTOLD, capabilities=REFUSING, limits=()), policy).verdict == "allow"


def test_one_port_of_a_server_with_groups_of_another_kind_is_enough():
    there = instance(
        interfaces=[interface("p-1", "sg-b"), interface("p-2", "sg-a", is_primary=True)]
    )
    of = launched(
        there, STATEFUL, STATELESS, capabilities=REFUSING, limits=(), additional=("sg-a",)
    )
    assert "group-kinds-mixed" in codes(judged(of), "block")
    as_it_is = replace(of, additional=())
    assert judged(as_it_is).verdict == "allow"  # each port has groups of one kind


def test_where_groups_hang_on_instances_only_the_primary_interface_counts():
    there = instance(
        "sg-a", interfaces=[interface("e-1", "sg-a", is_primary=True), interface("e-2", "sg-b")]
    )
    of = launched(there, STATEFUL, STATELESS, capabilities=REFUSING_ON_INSTANCE, limits=())
    assert judged(of).verdict == "allow"
    both = replace(of, additional=("sg-b",))
    assert "group-kinds-mixed" in codes(judged(both), "block")


# -- counts -------------------------------------------------------------------------------------

PER_GROUP = (Limit("instances-per-group", 10, source="live"),)


@pytest.mark.parametrize(("count", "verdict"), [(9, "allow"), (10, "block")])
def test_an_instance_is_a_further_holder_of_what_its_second_interface_carries(count, verdict):
    there = instance(
        "sg-a", interfaces=[interface("e-1", "sg-a", is_primary=True), interface("e-2", "sg-b")]
    )
    of = launched(
        there, group("sg-a", count=1), group("sg-b", count=count), limits=PER_GROUP,
        additional=("sg-b",),
    )  # fmt: skip
    assert judged(of).verdict == verdict
    assert judged(replace(of, additional=())).verdict == "allow"
    assert judged(replace(of, additional=("sg-a",))).verdict == "allow"


def referenced(ceiling):
    return (*PER_GROUP, Limit("instances-per-referenced-group", ceiling, source="live"))


def test_a_group_that_rules_name_has_a_lower_ceiling():
    bare, named = group(count=4), group(count=4, references=[named_by()])
    assert judged(planned(bare, limits=referenced(4))).verdict == "allow"
    found = judged(planned(named, limits=referenced(4)))
    assert codes(found, "block") == ["instances-per-group-exceeded"]
    assert "a group that rules of others name" in message_of(found.reasons[0])
    assert judged(planned(named, limits=referenced(5))).verdict == "allow"


def test_a_group_whose_references_are_not_told_may_be_referenced():
    gap = Unseen("no-permission", "references", "denied")
    policy = Policy(launch=LaunchPolicy(tolerate_unseen=("no-permission",)))
    found = judged(planned(group(count=4, unseen=[gap]), limits=referenced(4)), policy)
    assert codes(found, "block") == ["instances-per-group-exceeded"]


@pytest.mark.parametrize(("used", "verdict"), [(8, "allow"), (9, "block"), (None, "allow")])
def test_every_planned_instance_needs_a_port_of_the_project(used, verdict):
    limits = (Limit("ports-per-project", 10, used, source="live"),)
    found = judged(planned(group(count=1), count=2, limits=limits))
    assert found.verdict == verdict
    if verdict == "block":
        assert codes(found, "block") == ["project-limit-exceeded"]
    of = launched(instance("sg-a"), group(count=1), limits=limits)
    assert judged(of).verdict == "allow"  # a present instance has its ports


# -- holders that refuse a change -----------------------------------------------------------------

ISOLATED = "UnsupportedOperation.InstanceStateIsolating: the instance is being isolated"


@pytest.mark.parametrize("others", [(), ("sg-z",)])
def test_a_holder_that_refuses_changes_now_is_in_no_plan(others):
    bound = [server("ins-1", other_group_ids=others), server("ins-2", other_group_ids=others)]
    assert delete.judge(facts(group(bindings=bound)), MAY_ALL).verdict == "remediate"
    refusing = [bound[0], replace(bound[1], change_refusal=ISOLATED)]
    found = delete.judge(facts(group(bindings=refusing)), MAY_ALL)
    assert (found.verdict, codes(found), found.plan) == ("block", ["bound"], ())
    assert "instance ins-2 cannot be changed now: Unsupported" in message_of(found.reasons[0])
    assert len(message_of(found.reasons[0])) <= 200


def test_a_cloud_is_not_asked_to_force_what_its_holder_refuses():
    policy = Policy(delete=DeletePolicy(remedies=("force",)))
    bound = server("ins-1", other_group_ids=("sg-z",))
    of = facts(group(bindings=[bound]), capabilities=FORCING)
    assert delete.judge(of, policy).verdict == "remediate"
    refusing = replace(bound, change_refusal=ISOLATED)
    of = facts(group(bindings=[refusing]), capabilities=FORCING)
    assert delete.judge(of, policy).verdict == "block"


@pytest.mark.parametrize(
    ("additional", "verdict"), [((), "allow"), (("sg-a",), "allow"), (("sg-b",), "block")]
)
def test_an_interface_that_refuses_changes_blocks_what_it_would_get(additional, verdict):
    port = replace(interface("p-1", "sg-a"), change_refusal="owned by network:dhcp")
    of = launched(
        instance(interfaces=[port]),
        *(group(one, count=1) for one in ("sg-a", "sg-b") if one == "sg-a" or one in additional),
        capabilities=OPENSTACK,
        limits=(),
        additional=additional,
    )
    found = judged(of)
    assert found.verdict == verdict
    (reason,) = (one for one in found.reasons if one.code == "instance-refuses-binding")
    assert "p-1 of ins-1 cannot be changed now: owned by network:dhcp" in message_of(reason)


@pytest.mark.parametrize("refusal", ["", "owned by a NAT gateway"])
def test_no_remedy_changes_an_interface_that_refuses_it(refusal):
    policy = Policy(
        launch=LaunchPolicy(
            remedies=("unbind", "quarantine"), forbidden=("sg-b",), quarantine_group="sg-jail"
        )
    )
    second = replace(interface("e-2", "sg-a", "sg-b"), change_refusal=refusal)
    there = instance("sg-a", interfaces=[interface("e-1", "sg-a", is_primary=True), second])
    of = launched(there, group("sg-a", count=1), group("sg-b", count=1))
    found = judged(of, policy)
    assert (found.verdict, bool(found.plan)) == (
        ("block", False) if refusal else ("remediate", True)
    )
