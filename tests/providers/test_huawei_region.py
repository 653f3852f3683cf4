import pytest

from sgguard.errors import AddressError, SettingsError
from sgguard.providers.huawei.region import region_of


@pytest.mark.parametrize(
    ("name", "vpc", "ecs", "iam", "is_otc"),
    [
        (
            "cn-north-4",
            "https://vpc.cn-north-4.myhuaweicloud.com",
            "https://ecs.cn-north-4.myhuaweicloud.com",
            "https://iam.cn-north-4.myhuaweicloud.com/v3",
            False,
        ),
        (
            "eu-de",
            "https://vpc.eu-de.otc.t-systems.com",
            "https://ecs.eu-de.otc.t-systems.com",
            "https://iam.eu-de.otc.t-systems.com/v3",
            True,
        ),
        (
            "eu-ch2",
            "https://vpc.eu-ch2.sc.otc.t-systems.com",
            "https://ecs.eu-ch2.sc.otc.t-systems.com",
            "https://iam-pub.eu-ch2.sc.otc.t-systems.com/v3",
            True,
        ),
    ],
)
def test_every_region_has_its_own_hosts(name, vpc, ecs, iam, is_otc):
    region = region_of(name)
    assert (region.vpc, region.ecs, region.iam, region.is_otc) == (vpc, ecs, iam, is_otc)


def test_an_endpoint_replaces_every_host_identity_included():
    region = region_of("eu-de", endpoint="http://127.0.0.1:1", iam="https://iam.example/v3")
    assert {region.vpc, region.ecs} == {"http://127.0.0.1:1"}
    assert region.iam == "http://127.0.0.1:1/v3"
    assert region.is_otc


@pytest.mark.parametrize("name", ["", "a.b", "x@evil", "cn_north", "-x", "CN-NORTH-4", "a/b"])
def test_what_cannot_be_part_of_a_host_name_is_no_region(name):
    with pytest.raises(AddressError):
        region_of(name)


def test_an_identity_address_that_is_none_is_refused():
    with pytest.raises(SettingsError):
        region_of("eu-de", iam="iam.example")
