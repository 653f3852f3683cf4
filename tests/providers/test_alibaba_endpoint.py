"""The host of each region's ECS API, and who may choose it."""

from __future__ import annotations

import pytest

from sgguard.errors import AddressError, SettingsError
from sgguard.providers.alibaba.endpoint import HOSTS, regions
from tests.worlds.alibaba import ENV, WORLD

EVERY, ECS = "SGGUARD_ENDPOINT_ALIBABA", "SGGUARD_ENDPOINT_ALIBABA_ECS"


def url(region, **env):
    return WORLD.connect(WORLD.emulator(), region=region, env=ENV | env).ecs.url


@pytest.mark.parametrize(
    "region",
    [
        *("cn-hangzhou", "cn-beijing", "cn-hongkong", "cn-wulanchabu", "ap-southeast-7"),
        *("us-east-1", "eu-central-1", "me-central-1", "na-south-1", "cn-beijing-finance-1"),
        *("cn-zhengzhou-jva", "cn-wuhan-lr", "cn-qingdao-nebula"),
    ],
)
def test_a_region_has_the_host_with_its_name(region):
    assert url(region) == f"https://ecs.{region}.aliyuncs.com"


@pytest.mark.parametrize(
    ("region", "host"),
    [
        ("cn-shanghai-finance-1", "ecs-cn-hangzhou.aliyuncs.com"),
        ("cn-shenzhen-finance-1", "ecs-cn-hangzhou.aliyuncs.com"),
        ("cn-hangzhou-finance", "ecs.aliyuncs.com"),
        ("cn-north-2-gov-1", "ecs.aliyuncs.com"),
        ("cn-beijing-gov-1", "ecs.aliyuncs.com"),
        ("cn-zhangjiakou-na62-a01", "ecs.cn-zhangjiakou.aliyuncs.com"),
        ("cn-edge-1", "ecs.cn-qingdao-nebula.aliyuncs.com"),
        ("eu-west-1-oxs", "ecs.cn-shenzhen-cloudstone.aliyuncs.com"),
    ],
)
def test_finance_government_and_other_zones_are_where_the_vendors_table_says(region, host):
    assert url(region) == f"https://{host}"


@pytest.mark.parametrize("region", HOSTS)
def test_every_region_of_the_table_may_be_called_so(region):
    regions("").check(region)
    assert url(region) == f"https://{HOSTS[region]}"
    assert HOSTS[region].endswith(".aliyuncs.com")


def test_an_address_replaces_every_host_or_that_of_one_service():
    assert url("cn-hangzhou", **{EVERY: "https://a.example/"}) == "https://a.example"
    assert url("cn-hangzhou", **{ECS: "https://b.example"}) == "https://b.example"
    both = {EVERY: "https://a.example", ECS: "https://b.example"}
    assert url("cn-north-2-gov-1", **both) == "https://b.example"


@pytest.mark.parametrize("variable", [EVERY, ECS])
@pytest.mark.parametrize("address", ["b.example", "https://user:pw@b.example", "ftp://b.example"])
def test_an_address_that_is_none_is_refused(variable, address):
    with pytest.raises(SettingsError, match=variable) as caught:
        url("cn-hangzhou", **{variable: address})
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize("endpoint", [{}, {ECS: "https://b.example"}])
@pytest.mark.parametrize(
    "region",
    [
        *("x@evil.example", "cn-hangzhou@evil.example", "cn-hangzhou.evil.example", "cn-a/b"),
        *("cn-hangzhou#", "cn-hangzhou?x", "cn-hangzhou:80", "cn-hangzhou\\x", "cn_hangzhou"),
        *("CN-HANGZHOU", "cn-hangzhou\n", " cn-hangzhou", "cn-hangzhou\u3002evil", "cn--x"),
    ],
)
@pytest.mark.sampled(6)
def test_a_region_never_chooses_the_host(region, endpoint):
    with pytest.raises(AddressError):
        url(region, **endpoint)
