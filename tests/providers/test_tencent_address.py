"""Which hosts the requests to Tencent's API 3.0 go to, and for which host they are signed."""

from __future__ import annotations

import pytest

from sgguard.errors import AddressError, SettingsError
from tests.worlds.tencent import ENV, WORLD

INTL = {"TENCENTCLOUD_DOMAIN": "intl.tencentcloudapi.com"}


class Spy:
    """An emulator that keeps the hosts of its requests."""

    def __init__(self, region):
        self.emulator = WORLD.emulator()
        cloud = self.emulator.state.clouds[0]
        cloud.regions = [region]
        for one in (*cloud.groups, *cloud.instances, *cloud.interfaces):
            one.region = region
        self.hosts = set()

    def handle(self, request):
        self.hosts.add(request.headers["host"])
        return self.emulator.handle(request)


def hosts_of(region="ap-guangzhou", **env):
    spy = Spy(region)
    found = WORLD.connect(spy, env={**ENV, **env}, region=region).read_instance(WORLD.server)
    # The emulator checks the signature, which contains the host.
    assert found.value is not None
    return spy.hosts


@pytest.mark.parametrize("region", ["ap-shanghai-fsi", "ap-shenzhen-fsi", "ap-beijing-fsi"])
@pytest.mark.parametrize("site", [{}, INTL], ids=["mainland", "international"])
@pytest.mark.sampled(3)
def test_a_finance_region_has_a_host_of_its_own_on_either_site(region, site):
    assert hosts_of(region, **site) == {
        f"vpc.{region}.tencentcloudapi.com",
        f"cvm.{region}.tencentcloudapi.com",
    }


@pytest.mark.parametrize("region", ["ap-guangzhou", "na-ashburn", "eu-frankfurt", "sa-saopaulo"])
def test_every_other_region_of_the_international_site_shares_one_host(region):
    hosts = {"vpc.intl.tencentcloudapi.com", "cvm.intl.tencentcloudapi.com"}
    assert hosts_of(region, **INTL) == hosts


def test_a_domain_of_ones_own_serves_finance_regions_as_well():
    env = {"TENCENTCLOUD_DOMAIN": "internal.tencentcloudapi.com"}
    assert hosts_of("ap-shanghai-fsi", **env) == {
        "vpc.internal.tencentcloudapi.com",
        "cvm.internal.tencentcloudapi.com",
    }


def test_each_service_can_have_an_address_of_its_own():
    assert hosts_of(
        SGGUARD_ENDPOINT_TENCENT_VPC="https://vpc.example.net",
        SGGUARD_ENDPOINT_TENCENT="http://127.0.0.1:9",
    ) == {"vpc.example.net", "127.0.0.1:9"}


def test_the_address_of_one_service_leaves_the_other_where_it_is():
    assert hosts_of(SGGUARD_ENDPOINT_TENCENT_CVM="https://cvm.example.net") == {
        "cvm.example.net",
        "vpc.tencentcloudapi.com",
    }


@pytest.mark.parametrize(
    "region",
    [
        *("x@host-fsi", "host/-fsi", "a.b-fsi", "-fsi", "ap--fsi", "AP-SHANGHAI-fsi"),
        *("cos-fsi", "x-fsi", "ap-shanghai-fsi.", "ap-shanghai-fsi#", "ap_shanghai-fsi"),
    ],
)
def test_a_region_that_could_lead_elsewhere_is_refused_before_a_host_is_named(region):
    spy = Spy("ap-guangzhou")
    with pytest.raises(AddressError):
        WORLD.connect(spy, region=region)
    assert not spy.hosts


def test_an_address_with_a_user_in_it_is_refused():
    with pytest.raises(SettingsError, match="SGGUARD_ENDPOINT_TENCENT_VPC"):
        hosts_of(SGGUARD_ENDPOINT_TENCENT_VPC="https://me:secret@host")
