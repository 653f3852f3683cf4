"""What a policy lets the launch guard plan: bind, unbind, quarantine, and never an empty holder."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from sgguard.guards import launch
from sgguard.model.resource import Unseen
from sgguard.policy import Exemption, LaunchPolicy, Match, Policy, ScopePolicy
from tests.guards.builders import (
    NO_PERMISSION,
    OPENSTACK,
    PER_INTERFACE,
    codes,
    group,
    instance,
    interface,
    launched,
    planned,
)

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def requiring(*remedies, **more):
    more.setdefault("forbidden", ("sg-bad",))
    return Policy(launch=LaunchPolicy(remedies=remedies, **more))


def judged(of, policy, now=NOW):
    return launch.judge(of, policy, now)


def carrying(*group_ids, interfaces=(), **more):
    ids = dict.fromkeys((*group_ids, *(each for one in interfaces for each in one.group_ids)))
    return launched(
        instance(*group_ids, interfaces=interfaces),
        *(group(one, count=1) for one in ids),
        **more,
    )


def outline(found):
    return [
        (one.action, one.target.rpartition(":")[2], one.details["holder_id"]) for one in found.plan
    ]


def test_a_forbidden_group_is_unbound_where_another_stays():
    found = judged(carrying("sg-bad", "sg-a"), requiring("unbind"))
    assert (found.verdict, outline(found)) == ("remediate", [("unbind", "sg-bad", "ins-1")])
    (step,) = found.plan
    assert step.details == {"kind": "instance", "holder_id": "ins-1", "instance_id": "ins-1"}
    assert step.inverse.action == "bind"


@pytest.mark.parametrize(
    ("carried", "more", "plan"),
    [
        pytest.param(("sg-bad",), {}, [], id="the last one stays"),
        pytest.param(
            ("sg-bad",),
            {"fallback_group": "sg-spare"},
            [("move", "sg-bad", "ins-1")],
            id="the last one is replaced",
        ),
        pytest.param(
            ("sg-bad", "sg-worse"),
            {"forbidden": ("sg-bad", "sg-worse"), "fallback_group": "sg-spare"},
            [("move", "sg-bad", "ins-1"), ("unbind", "sg-worse", "ins-1")],
            id="of two one is replaced",
        ),
        pytest.param(("sg-bad",), {"fallback_group": "sg-bad"}, [], id="by itself"),
        pytest.param(("sg-bad",), {"fallback_group": "openstack::R:x"}, [], id="by one elsewhere"),
        pytest.param(
            ("sg-bad",),
            {"forbidden": ("sg-bad", "sg-sp*"), "fallback_group": "sg-spare"},
            [],
            id="by another that is forbidden",
        ),
    ],
)
def test_the_last_group_is_taken_off_only_when_another_takes_its_place(carried, more, plan):
    found = judged(carrying(*carried), requiring("unbind", **more))
    assert found.verdict == ("remediate" if plan else "block")
    assert outline(found) == plan


def test_the_missing_baseline_is_bound_before_the_forbidden_group_goes():
    policy = requiring("unbind", "bind", baseline=("sg-base",))
    found = judged(carrying("sg-bad"), policy)
    assert outline(found) == [("bind", "sg-base", "ins-1"), ("unbind", "sg-bad", "ins-1")]


@pytest.mark.parametrize("remedy", ["bind", "unbind"])
def test_half_of_what_is_needed_is_not_planned(remedy):
    found = judged(carrying("sg-bad", "sg-a"), requiring(remedy, baseline=("sg-base",)))
    assert (found.verdict, found.plan) == ("block", ())


def test_quarantine_replaces_all_groups_where_nothing_milder_is_permitted():
    policy = requiring("quarantine", quarantine_group="sg-jail")
    found = judged(carrying("sg-bad", "sg-a"), policy)
    assert (found.verdict, outline(found)) == ("remediate", [("replace", "sg-jail", "ins-1")])
    (step,) = found.plan
    assert step.details["groups"] == "sg-bad,sg-a"
    assert step.inverse.action == "replace"


def test_what_is_milder_than_quarantine_comes_first():
    policy = requiring("quarantine", "unbind", quarantine_group="sg-jail")
    assert outline(judged(carrying("sg-bad", "sg-a"), policy)) == [("unbind", "sg-bad", "ins-1")]
    assert outline(judged(carrying("sg-bad"), policy)) == [("replace", "sg-jail", "ins-1")]


def test_an_instance_in_quarantine_is_left_there_and_gets_nothing_beside_it():
    policy = requiring("quarantine", "bind", quarantine_group="sg-jail", baseline=("sg-base",))
    found = judged(carrying("sg-jail"), policy)
    assert (found.verdict, found.plan) == ("block", ())
    half = carrying("sg-jail", "sg-bad")
    assert outline(judged(half, policy)) == [("replace", "sg-jail", "ins-1")]


def test_a_forbidden_group_that_is_only_asked_for_changes_nothing_on_the_instance():
    policy = requiring("unbind", "quarantine", quarantine_group="sg-jail")
    here = launched(
        instance("sg-a"), group("sg-a", count=1), group("sg-bad", count=1), additional=("sg-bad",)
    )
    found = judged(here, policy)
    assert (found.verdict, found.plan) == ("block", ())


def test_a_planned_launch_with_a_forbidden_group_is_refused():
    policy = requiring("unbind", "bind", "quarantine", quarantine_group="sg-jail")
    found = judged(planned(group("sg-bad", count=1), group("sg-a", count=1)), policy)
    assert (found.verdict, found.plan) == ("block", ())


@pytest.mark.parametrize(
    "here",
    [
        pytest.param(carrying("sg-bad", "sg-a", unseen=(NO_PERMISSION,)), id="facts incomplete"),
        pytest.param(
            launched(instance("sg-bad", "sg-a", binding_refusal="busy"), group("sg-bad", count=1)),
            id="refuses binding",
        ),
        pytest.param(
            launched(
                instance("sg-bad", "sg-a", unseen_to_bind=(Unseen("not-told", "state", "?"),)),
                group("sg-bad", count=1),
            ),
            id="its state was not seen",
        ),
        pytest.param(launched(None, group("sg-bad", count=1)), id="no such instance"),
    ],
)
def test_nothing_is_planned_where_anything_but_the_policy_is_in_the_way(here):
    policy = requiring("unbind", "quarantine", quarantine_group="sg-jail")
    found = judged(here, policy)
    assert (found.verdict, found.plan) == ("block", ())


def test_where_groups_hang_on_interfaces_each_is_looked_after_by_itself():
    policy = requiring("unbind", "bind", baseline=("sg-base",))
    nics = (interface("eni-1", "sg-bad", "sg-a", is_primary=True), interface("eni-2", "sg-bad"))
    found = judged(carrying("sg-bad", "sg-a", interfaces=nics, capabilities=PER_INTERFACE), policy)
    assert outline(found) == [
        ("bind", "sg-base", "eni-1"),
        ("bind", "sg-base", "eni-2"),
        ("unbind", "sg-bad", "eni-1"),
        ("unbind", "sg-bad", "eni-2"),
    ]
    assert {one.details["kind"] for one in found.plan} == {"interface"}


def test_one_interface_that_would_be_left_bare_keeps_the_whole_plan_from_being_made():
    nics = (interface("eni-1", "sg-bad", "sg-a", is_primary=True), interface("eni-2", "sg-bad"))
    here = carrying("sg-bad", "sg-a", interfaces=nics, capabilities=PER_INTERFACE)
    assert judged(here, requiring("unbind")).verdict == "block"


def test_where_the_instance_is_told_its_primary_interface_is_not_changed_twice():
    nics = (interface("eni-1", "sg-bad", "sg-a", is_primary=True), interface("eni-2", "sg-bad"))
    here = carrying("sg-bad", "sg-a", interfaces=nics)
    found = judged(here, requiring("unbind", fallback_group="sg-spare"))
    assert outline(found) == [("unbind", "sg-bad", "ins-1"), ("move", "sg-bad", "eni-2")]


def test_a_server_whose_ports_are_not_known_cannot_be_changed():
    uuid = "0552091e-b83a-49dd-88a7-4a5c86fd9ec3"
    policy = requiring("quarantine", quarantine_group=uuid)
    assert judged(carrying("sg-bad", capabilities=OPENSTACK), policy).verdict == "block"
    nics = (interface("port-1", "sg-bad"),)
    found = judged(carrying("sg-bad", interfaces=nics, capabilities=OPENSTACK), policy)
    assert [one.details["kind"] for one in found.plan] == ["port"]


# -- exemptions and scopes ----------------------------------------------------------------------


def exempted(pattern, *reasons):
    return (Exemption(pattern, reasons, "ada", "until it is moved", date(2026, 12, 1)),)


@pytest.mark.parametrize(
    ("pattern", "code", "verdict"),
    [
        pytest.param("sg-bad", "group-forbidden", "allow", id="by id"),
        pytest.param("name-of-sg-bad", "group-forbidden", "allow", id="by name"),
        pytest.param("sg-a", "group-forbidden", "block", id="another group"),
        pytest.param("sg-bad", "baseline-missing", "block", id="another reason"),
    ],
)
def test_an_exempted_forbidden_group_may_be_carried(pattern, code, verdict):
    policy = Policy(launch=LaunchPolicy(forbidden=("sg-bad",)), exemptions=exempted(pattern, code))
    found = judged(carrying("sg-bad"), policy)
    assert found.verdict == verdict
    assert codes(found, "info" if verdict == "allow" else "block")[0] == "group-forbidden"


@pytest.mark.parametrize("pattern", ["ins-1", "tencent::ap-guangzhou:ins-1", "ins-[0-9]"])
def test_an_exempted_instance_needs_no_baseline(pattern):
    policy = Policy(
        launch=LaunchPolicy(baseline=("sg-base",), remedies=("bind",)),
        exemptions=exempted(pattern, "baseline-missing"),
    )
    found = judged(carrying("sg-a"), policy)
    assert (found.verdict, found.plan) == ("allow", ())
    assert judged(carrying("sg-a"), policy, now=None).verdict == "remediate"


def test_a_limit_that_is_near_can_be_exempted_for_its_group():
    policy = Policy(exemptions=exempted("sg-a", "limit-near"))
    found = judged(planned(group("sg-a", count=1999)), policy)
    assert "limit-near" in codes(found, "info")
    assert "limit-near" in codes(judged(planned(group("sg-a", count=1999)), Policy()), "warn")


def test_what_the_cloud_refuses_is_never_excused():
    policy = Policy(exemptions=exempted("sg-a", "limit-near"))
    assert judged(planned(group("sg-a", count=2000)), policy).verdict == "block"


def test_of_several_groups_the_strictest_policy_holds():
    lab = ScopePolicy(Match(tag="env=lab"), launch={"baseline": ()})
    policy = Policy(launch=LaunchPolicy(baseline=("sg-base",)), scopes=(lab,))
    in_lab = group("sg-a", count=1, tags=(("env", "lab"),))
    assert judged(planned(in_lab), policy).verdict == "allow"
    assert judged(planned(in_lab, group("sg-b", count=1)), policy).verdict == "block"


def test_a_launch_without_groups_is_judged_by_its_place():
    here = ScopePolicy(Match(region="ap-*"), launch={"baseline": ("sg-base",)})
    assert judged(planned(), Policy(scopes=(here,))).verdict == "block"
    elsewhere = ScopePolicy(Match(region="eu-*"), launch={"baseline": ("sg-base",)})
    assert judged(planned(), Policy(scopes=(elsewhere,))).verdict == "allow"


def test_where_the_instance_is_told_only_its_primary_interface_gets_the_baseline():
    nics = (interface("eni-1", "sg-a", is_primary=True), interface("eni-2", "sg-a"))
    policy = requiring("bind", baseline=("sg-base",))
    found = judged(carrying("sg-a", interfaces=nics), policy)
    assert outline(found) == [("bind", "sg-base", "ins-1")]
