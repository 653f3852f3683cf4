"""A planned launch and a present instance: limits, groups, policy."""

from __future__ import annotations

import pytest

from sgguard.guards import launch
from sgguard.model.resource import Limit, Unseen
from sgguard.policy import LaunchPolicy, Policy
from sgguard.render.language.sentence import message_of
from tests.guards.builders import (
    ALIBABA,
    HUAWEI,
    LIMITS,
    NO_PERMISSION,
    TENCENT,
    codes,
    group,
    instance,
    interface,
    launched,
    malformed,
    missing,
    planned,
)

NOTHING = Policy()


def groups(number, count=1):
    return [group(f"sg-{n}", count=count) for n in range(number)]


def requiring(*baseline, remedies=(), forbidden=(), limits=None):
    policy = LaunchPolicy(baseline=baseline, remedies=remedies, forbidden=forbidden)
    return Policy(launch=policy, limits=limits or {})


def judged(of, policy=NOTHING):
    return launch.judge(of, policy)


@pytest.mark.parametrize(
    ("of", "verdict", "blocking"),
    [
        pytest.param(planned(*groups(3)), "allow", [], id="3 of 5 groups"),
        pytest.param(planned(*groups(5)), "allow", [], id="5 of 5 groups"),
        pytest.param(
            planned(*groups(6)), "block", ["groups-per-instance-exceeded"], id="6 of 5 groups"
        ),
        pytest.param(planned(group(count=1998), count=2), "allow", [], id="exactly 2000 instances"),
        pytest.param(
            planned(group(count=1999), count=2),
            "block",
            ["instances-per-group-exceeded"],
            id="2001 instances",
        ),
        pytest.param(planned(missing()), "block", ["group-not-found"], id="missing group"),
        pytest.param(planned(malformed()), "block", ["group-malformed"], id="malformed group"),
        pytest.param(
            planned(group(count=1, network="vpc-1"), network="vpc-2"),
            "block",
            ["group-other-network"],
            id="other network",
        ),
        pytest.param(
            planned(group(count=1, network="vpc-1"), network="vpc-1"),
            "allow",
            [],
            id="same network",
        ),
        pytest.param(planned(group(count=1, network="vpc-1")), "allow", [], id="network not said"),
        pytest.param(
            planned(group(count=1), network="vpc-1"), "allow", [], id="group of no network"
        ),
        pytest.param(
            planned(group(count=1, project="0"), project="7"),
            "block",
            ["group-other-project"],
            id="other project",
        ),
        pytest.param(
            planned(group(count=1, project="0", is_shared=True), project="7"),
            "allow",
            [],
            id="shared by the other project",
        ),
        pytest.param(planned(group(count=1, project="0")), "allow", [], id="project not said"),
        pytest.param(
            planned(group(count=1), unseen=(NO_PERMISSION,)),
            "block",
            ["facts-incomplete"],
            id="limits unseen",
        ),
        pytest.param(
            planned(group(unseen=[NO_PERMISSION])), "block", ["facts-incomplete"], id="group unseen"
        ),
        pytest.param(planned(group()), "block", ["facts-incomplete"], id="nobody counted"),
        pytest.param(
            planned(group(), limits=()), "allow", [], id="nobody counted, nothing to break"
        ),
        pytest.param(
            launched(None, group(count=1)), "block", ["instance-not-found"], id="no such instance"
        ),
        pytest.param(
            launched(instance(binding_refusal="it is still being created"), group(count=1)),
            "block",
            ["instance-refuses-binding"],
            id="refuses binding",
        ),
        pytest.param(
            launched(instance("sg-a", binding_refusal="still being created"), group(count=1)),
            "allow",
            [],
            id="refuses binding, nothing to bind",
        ),
    ],
)
def test_a_launch_is_judged_by_what_was_seen(of, verdict, blocking):
    found = judged(of)
    assert found.verdict == verdict
    assert codes(found, "block") == blocking
    assert ("within-limits" in codes(found)) == (verdict == "allow")


def test_an_instance_that_carries_the_group_already_adds_nothing_to_it():
    full = group(count=2000)
    assert judged(launched(instance("sg-a"), full)).verdict == "allow"
    assert judged(launched(instance("sg-b"), full)).verdict == "block"


def test_groups_of_an_instance_are_counted_once_each_after_the_change():
    own = [f"sg-{n}" for n in range(4)]
    of = [group(one, count=1) for one in own]
    assert judged(launched(instance(*own), *of, group("sg-4", count=1))).verdict == "allow"
    more = [group(f"sg-{n}", count=1) for n in (4, 5)]
    found = judged(launched(instance(*own), *of, *more))
    assert codes(found, "block") == ["groups-per-instance-exceeded"]
    assert "Instance" not in message_of(found.reasons[0])
    assert "ins-1 (web) would carry 6 groups, over the limit of 5" in message_of(found.reasons[0])


def test_where_groups_hang_on_interfaces_each_is_counted_by_itself():
    first = interface("eni-1", "sg-0", "sg-1", "sg-2", is_primary=True)
    second = interface("eni-2", "sg-3", "sg-4", "sg-5")
    here = instance("sg-0", "sg-1", "sg-2", interfaces=[first, second])
    only = [Limit("groups-per-interface", 3)]
    of = groups(6)
    assert judged(launched(here, *of, capabilities=ALIBABA, limits=only)).verdict == "allow"
    found = judged(launched(here, *of, group("sg-6", count=1), capabilities=ALIBABA, limits=only))
    assert codes(found, "block") == ["groups-per-instance-exceeded"]
    assert "would carry 4 groups, over the limit of 3 for an interface" in message_of(
        found.reasons[0]
    )


def test_a_group_one_interface_has_already_is_new_to_the_other():
    full = interface("eni-1", "sg-0", "sg-1", "sg-2", is_primary=True)
    here = instance("sg-0", "sg-1", "sg-2", interfaces=[full, interface("eni-2", "sg-3")])
    only = [Limit("groups-per-interface", 3)]
    asked = {"capabilities": ALIBABA, "limits": only, "additional": ("sg-3",)}
    assert judged(launched(here, *groups(4), **asked)).verdict == "block"


def test_asking_for_what_the_instance_carries_already_binds_nothing():
    busy = instance("sg-a", binding_refusal="still being created")
    found = judged(launched(busy, group(count=1), additional=("sg-a",)))
    assert (found.verdict, codes(found, "warn")) == ("allow", ["instance-refuses-binding"])


def test_advice_of_a_vendor_warns_and_does_not_block():
    advice = [Limit("groups-per-interface", 5, is_enforced=False)]
    found = judged(planned(*groups(6), limits=advice))
    assert (found.verdict, codes(found, "warn")) == ("allow", ["groups-per-instance-exceeded"])
    assert "advises it, but does not enforce it" in message_of(found.reasons[0])


@pytest.mark.parametrize(
    ("percent", "used", "is_near"), [(80, 3, False), (80, 4, True), (100, 4, False), (100, 5, True)]
)
def test_a_limit_that_is_nearly_used_up_warns(percent, used, is_near):
    policy = Policy(launch=LaunchPolicy(warn_at_percent=percent))
    found = judged(planned(*groups(used)), policy)
    assert found.verdict == "allow"
    assert codes(found, "warn") == (["limit-near"] if is_near else [])


def test_no_warning_comes_from_a_limit_that_is_not_enforced():
    advice = [Limit("groups-per-interface", 5, is_enforced=False)]
    assert codes(judged(planned(*groups(5), limits=advice)), "warn") == []


@pytest.mark.parametrize(
    ("limits", "override", "source", "ceiling"),
    [
        ([Limit("groups-per-instance", 5)], None, "documented", 5),
        (
            [Limit("groups-per-instance", 5), Limit("groups-per-instance", 3, source="live")],
            None,
            "live",
            3,
        ),
        ([Limit("groups-per-instance", 3, source="live")], 9, "policy", 9),
        ([], 4, "policy", 4),
    ],
    ids=["documented", "live wins", "policy wins", "policy alone"],
)
def test_the_policys_ceiling_wins_over_the_live_one_and_that_over_the_documented(
    limits, override, source, ceiling
):
    overrides = {"tencent": {"groups-per-instance": override}} if override else {}
    found = judged(planned(*groups(1), limits=limits), requiring(limits=overrides))
    (limit,) = found.reasons[-1].evidence
    assert (limit.source, limit.ceiling, limit.used, limit.after) == (source, ceiling, 0, 1)


def test_advice_does_not_hide_an_enforced_limit_of_the_same_source():
    both = [
        Limit("groups-per-instance", 3, is_enforced=False),
        Limit("groups-per-instance", 5),
    ]
    for limits in (both, both[::-1]):
        assert judged(planned(*groups(4), limits=limits)).verdict == "allow"
        assert judged(planned(*groups(6), limits=limits)).verdict == "block"


def test_another_providers_override_does_not_count():
    policy = requiring(limits={"alibaba": {"groups-per-instance": 1}})
    assert judged(planned(*groups(2)), policy).verdict == "allow"


def test_a_live_answer_that_there_is_no_limit_is_believed():
    unlimited = [Limit("groups-per-interface", None, source="live")]
    assert judged(planned(*groups(40), limits=unlimited)).verdict == "allow"


@pytest.mark.parametrize(
    ("pattern", "is_forbidden"),
    [("sg-a", True), ("name-of-*", True), ("sg-b", False), ("alibaba:*", False)],
)
def test_the_policy_forbids_groups_by_id_name_or_address(pattern, is_forbidden):
    found = judged(planned(group(count=1)), requiring(forbidden=(pattern,)))
    assert codes(found, "block") == (["group-forbidden"] if is_forbidden else [])


def test_a_group_an_instance_carries_already_is_forbidden_too():
    found = judged(launched(instance("sg-a"), group(count=1)), requiring(forbidden=("sg-a",)))
    assert codes(found, "block") == ["group-forbidden"]


@pytest.mark.parametrize(
    ("entry", "remedies", "verdict"),
    [
        pytest.param("sg-a", (), "allow", id="present by id"),
        pytest.param("name-of-*", (), "allow", id="present by name"),
        pytest.param("sg-base", (), "block", id="absent"),
        pytest.param("sg-base", ("bind",), "remediate", id="absent, may bind"),
        pytest.param("base-*", ("bind",), "block", id="a pattern cannot be bound"),
        pytest.param("baseline", ("bind",), "block", id="a name cannot be bound"),
        pytest.param("tencent::ap-guangzhou:sg-base", ("bind",), "remediate", id="address here"),
        pytest.param("tencent:*:*:sg-base", (), "block", id="address pattern here"),
        pytest.param("alibaba::cn-hangzhou:sg-base", (), "allow", id="address elsewhere"),
    ],
)
def test_a_baseline_group_is_required_and_bound_where_permitted(entry, remedies, verdict):
    found = judged(planned(group(count=1), count=3), requiring(entry, remedies=remedies))
    assert found.verdict == verdict
    assert codes(found, "block") == ([] if verdict == "allow" else ["baseline-missing"])
    assert [one.target for one in found.plan] == (
        ["tencent::ap-guangzhou:sg-base"] if verdict == "remediate" else []
    )


def test_binding_the_baseline_group_can_be_undone():
    (step,) = judged(launched(instance()), requiring("sg-base", remedies=("bind",))).plan
    assert (step.action, step.inverse.action) == ("bind", "unbind")
    assert step.details["instance_id"] == "ins-1"


def test_the_baseline_is_not_bound_where_a_limit_would_break_by_it():
    policy = requiring("sg-base", remedies=("bind",))
    assert judged(planned(*groups(4)), policy).verdict == "remediate"
    assert judged(planned(*groups(5)), policy).verdict == "block"


def test_the_baseline_is_not_bound_to_an_instance_that_refuses_it():
    here = instance("sg-a", binding_refusal="still being created")
    found = judged(launched(here, group(count=1)), requiring("sg-base", remedies=("bind",)))
    assert (found.verdict, found.plan) == ("block", ())


def test_a_missing_group_does_not_stand_in_for_the_baseline():
    found = judged(planned(missing("sg-base")), requiring("sg-base"))
    assert codes(found, "block") == ["group-not-found", "baseline-missing"]


def test_a_launch_without_groups_says_that_the_cloud_picks_one():
    found = judged(planned(capabilities=TENCENT))
    assert (found.verdict, codes(found)) == ("allow", ["default-group-applies", "within-limits"])
    assert "default" in message_of(found.reasons[0])


def test_the_numbers_that_were_compared_are_said():
    found = judged(planned(group(count=10), count=3))
    said = message_of(found.reasons[-1])
    assert "3 instances" in said
    assert "1 of 5 groups per instance" in said
    assert "sg-a (name-of-sg-a) on 13 of 2000 instances" in said


# -- forecast ------------------------------------------------------------------------------------


def forecast(of, policy=NOTHING):
    return [
        (one.target.rpartition(":")[2], one.limit.name, one.limit.used, one.limit.after)
        for one in judged(of, policy).forecast
    ]


def test_every_limit_the_launch_touches_is_told_before_and_after_the_fullest_first():
    assert forecast(planned(group("sg-a", count=10), group("sg-b", count=1990), count=3)) == [
        ("sg-b", "instances-per-group", 1990, 1993),
        ("ap-guangzhou", "groups-per-instance", 0, 2),
        ("sg-a", "instances-per-group", 10, 13),
    ]


def test_what_an_instance_carries_already_counts_before_and_after():
    of = [group(one, count=7) for one in ("sg-0", "sg-1", "sg-2")]
    here = launched(instance("sg-0", "sg-1"), *of)
    assert ("ins-1", "groups-per-instance", 2, 3) in forecast(here)
    assert ("sg-0", "instances-per-group", 7, 7) in forecast(here)
    assert ("sg-2", "instances-per-group", 7, 8) in forecast(here)


def test_a_blocked_launch_has_its_forecast_too():
    assert forecast(planned(group(count=2000)))[0] == ("sg-a", "instances-per-group", 2000, 2001)


def test_a_limit_that_a_launch_does_not_touch_is_not_forecast():
    rules = Limit("rules-per-group", 100, used=99, source="live")
    found = judged(planned(group(count=1), limits=(*LIMITS, rules)))
    assert "rules-per-group" not in {one.limit.name for one in found.forecast}
    assert codes(found, "warn") == []


def test_it_warns_from_the_threshold_and_blocks_only_over_the_ceiling():
    effects = {}
    for now in (7, 8, 10, 11):
        found = judged(planned(group(count=now - 1), limits=[Limit("instances-per-group", 10)]))
        effects[now] = (found.verdict, codes(found, "warn"), codes(found, "block"))
    assert effects == {
        7: ("allow", [], []),
        8: ("allow", ["limit-near"], []),
        10: ("allow", ["limit-near"], []),
        11: ("block", [], ["instances-per-group-exceeded"]),
    }


def test_a_warning_says_how_full_the_limit_will_be():
    found = judged(planned(group(count=1699), limits=[Limit("instances-per-group", 2000)]))
    (near,) = [one for one in found.reasons if one.code == "limit-near"]
    assert "1700 of 2000, 85 % (documented)" in message_of(near)


@pytest.mark.parametrize(
    ("capabilities", "after"),
    [(HUAWEI, 3), (TENCENT, 2)],
    ids=["every interface is bound", "the primary one is bound"],
)
def test_binding_an_instance_fills_a_group_by_every_interface_it_reaches(capabilities, after):
    interfaces = [
        interface("first", is_primary=True),
        interface("second", "sg-a"),
        interface("third"),
    ]
    found = judged(
        launched(
            instance(interfaces=interfaces),
            group("sg-a", count=1),
            capabilities=capabilities,
            limits=[Limit("interfaces-per-group", 2)],
            additional=("sg-a",),
        )
    )
    assert [(one.limit.used, one.limit.after) for one in found.forecast] == [(1, after)]
    assert found.verdict == ("block" if after > 2 else "allow")


BASIC = Limit("interfaces-per-group", 2000, applies_to="basic")
ADVANCED = Limit("interfaces-per-group", 65536, applies_to="advanced")


@pytest.mark.parametrize("limits", [(BASIC, ADVANCED), (ADVANCED, BASIC)])
@pytest.mark.parametrize(
    ("kind", "verdict"), [("basic", "block"), ("advanced", "allow"), ("", "block")]
)
def test_a_limit_counts_for_its_own_kind_of_group_and_for_a_group_of_unknown_kind(
    kind, verdict, limits
):
    assert judged(planned(group(count=2000, kind=kind), limits=limits)).verdict == verdict


def test_a_limit_of_the_groups_own_kind_comes_before_one_for_every_kind():
    both = (Limit("interfaces-per-group", 10, source="live"), ADVANCED)
    assert judged(planned(group(count=500, kind="advanced"), limits=both)).verdict == "allow"
    assert judged(planned(group(count=500, kind="basic"), limits=both)).verdict == "block"


def test_a_group_of_a_kind_without_a_limit_is_not_counted():
    assert judged(planned(group(kind="advanced"), limits=[BASIC])).verdict == "allow"
    assert judged(planned(group(kind="basic"), limits=[BASIC])).verdict == "block"


@pytest.mark.parametrize(
    ("used", "warns"), [(None, []), (128, []), (129, ["rules-without-effect"])]
)
def test_rules_that_take_no_effect_are_a_warning_whatever_is_launched(used, warns):
    note = "sg-1 ingress ipv4: rules beyond it silently do not take effect"
    limit = Limit("composite-rules-per-group", 128, used, is_enforced=False, note=note)
    found = judged(planned(group(count=1), limits=(limit,)))
    assert (found.verdict, codes(found, "warn")) == ("allow", warns)
    assert [note in message_of(one) for one in found.reasons if one.effect == "warn"] == [
        True
    ] * len(warns)


# -- what matters only to a binding --------------------------------------------------------------


STATE = Unseen("not-told", "state of the instance", "this API does not tell it")


def test_a_gap_that_matters_only_to_a_binding_blocks_only_when_something_would_be_bound():
    here = instance("sg-a", unseen_to_bind=(STATE,))
    assert judged(launched(here, group(count=1))).verdict == "allow"
    found = judged(launched(here, group(count=1), group("sg-b", count=1)))
    assert (found.verdict, codes(found, "block")) == ("block", ["facts-incomplete"])


def test_a_baseline_is_not_bound_to_an_instance_of_unknown_state():
    here = instance("sg-a", unseen_to_bind=(STATE,))
    found = judged(launched(here, group(count=1)), requiring("sg-base", remedies=("bind",)))
    assert (found.verdict, found.plan) == ("block", ())
