import pytest

from sgguard.errors import UnknownShapeError
from sgguard.providers.huawei.quota import parse_limits, parse_usage, with_advice, with_usage
from sgguard.render.language.sentence import whole_english
from sgguard.wire.shape import Shape

SHAPE = Shape("huawei", "GET /x")


def limits_of(**quota):
    limits = parse_limits({"quota": quota}, SHAPE)
    return {limit.name: limit for limit in with_advice(limits)}


def test_a_live_quota_replaces_the_advice_and_binds():
    limit = limits_of(eni_contain_secgroup=10)["groups-per-interface"]
    assert (limit.ceiling, limit.source, limit.is_enforced) == (10, "live", True)


def test_minus_one_says_that_a_quota_is_not_online_not_that_there_is_no_limit():
    limits = limits_of(eni_contain_secgroup=-1, secgroup_referred_by_nic=-1)
    advice = limits["groups-per-interface"]
    assert (advice.ceiling, advice.source, advice.is_enforced) == (5, "documented", False)
    assert "interfaces-per-group" not in limits


def test_the_smallest_ceiling_of_composite_rules_is_told_with_what_it_means():
    key = "security_group_contain_{}_composite_rules"
    limits = limits_of(**{key.format("ingress_ipv4"): 128, key.format("egress_ipv6"): 64})
    limit = limits["composite-rules-per-group"]
    assert (limit.ceiling, limit.source, limit.is_enforced) == (64, "live", False)
    assert "silently" in whole_english(limit.note)


def test_a_live_ceiling_of_interfaces_replaces_the_advice_in_instances():
    limits = limits_of(secgroup_referred_by_nic=1000)
    assert limits["interfaces-per-group"].ceiling == 1000
    assert "instances-per-group" not in limits


def test_without_a_live_ceiling_of_composite_rules_the_documented_one_is_told():
    limit = limits_of()["composite-rules-per-group"]
    assert (limit.ceiling, limit.source) == (128, "documented")


@pytest.mark.parametrize("body", [{}, {"quota": None}, {"quota": {"security_group": "many"}}, []])
def test_quotas_of_another_shape_are_refused(body):
    with pytest.raises(UnknownShapeError):
        parse_limits(body, SHAPE)


def usage_of(*rows):
    return parse_usage({"quotas": {"resources": list(rows)}}, SHAPE)


def row(kind, quota, used):
    return {"type": kind, "quota": quota, "used": used, "min": 0}


def test_usage_is_read_for_groups_and_rules_and_other_resources_are_passed_over():
    groups, rules = usage_of(
        row("vpc", 5, 1), row("securityGroup", 100, 99), row("securityGroupRule", -1, 7)
    )
    assert (groups.name, groups.ceiling, groups.used) == ("groups-per-project", 100, 99)
    assert (rules.name, rules.ceiling, rules.used) == ("rules-per-project", None, 7)


@pytest.mark.parametrize(
    ("v3", "v1", "ceiling"), [(100, 90, 90), (100, 200, 100), (100, -1, 100), (-1, 90, 90)]
)
def test_where_both_apis_know_a_ceiling_the_lower_one_holds(v3, v1, ceiling):
    live = parse_limits({"quota": {"security_group": v3}}, SHAPE)
    (limit,) = with_usage(live, usage_of(row("securityGroup", v1, 8)))
    assert (limit.ceiling, limit.used, limit.source) == (ceiling, 8, "live")


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        {"quotas": None},
        {"quotas": {"resources": None}},
        {"quotas": {"resources": [row("securityGroup", None, 1)]}},
        {"quotas": {"resources": [row("securityGroup", 1, "one")]}},
    ],
    ids=repr,
)
def test_usage_of_another_shape_is_refused(body):
    with pytest.raises(UnknownShapeError):
        parse_usage(body, SHAPE)
