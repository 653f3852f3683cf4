import pytest

from sgguard.errors import UnknownShapeError
from sgguard.providers.huawei.quota import parse_limits, with_advice
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
    assert "silently" in limit.note


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
