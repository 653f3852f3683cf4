import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.errors import AddressError, SettingsError
from sgguard.providers.access import Access
from sgguard.providers.huawei import connect
from sgguard.providers.huawei.region import Addresses, domain_of, region_of
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from tests.worlds import huawei as world


@pytest.mark.parametrize(
    ("name", "vpc", "ecs", "iam"),
    [
        (
            "cn-north-4",
            "https://vpc.cn-north-4.myhuaweicloud.com",
            "https://ecs.cn-north-4.myhuaweicloud.com",
            "https://iam.cn-north-4.myhuaweicloud.com/v3",
        ),
        (
            "eu-de",
            "https://vpc.eu-de.otc.t-systems.com",
            "https://ecs.eu-de.otc.t-systems.com",
            "https://iam.eu-de.otc.t-systems.com/v3",
        ),
        (
            "eu-west-101",
            "https://vpc.eu-west-101.myhuaweicloud.eu",
            "https://ecs.eu-west-101.myhuaweicloud.eu",
            "https://iam.eu-west-101.myhuaweicloud.eu/v3",
        ),
        (
            "eu-ch2",
            "https://vpc.eu-ch2.sc.otc.t-systems.com",
            "https://ecs.eu-ch2.sc.otc.t-systems.com",
            "https://iam-pub.eu-ch2.sc.otc.t-systems.com/v3",
        ),
    ],
)
def test_every_region_has_its_own_hosts(name, vpc, ecs, iam):
    region = region_of(name)
    assert (region.vpc, region.ecs, region.iam) == (vpc, ecs, iam)


@pytest.mark.parametrize("name", ["", "a.b", "x@evil", "cn_north", "-x", "CN-NORTH-4", "a/b"])
def test_what_cannot_be_part_of_a_host_name_is_no_region(name):
    with pytest.raises(AddressError):
        region_of(name)


def test_an_identity_address_that_is_none_is_refused():
    with pytest.raises(SettingsError):
        region_of("eu-de", Addresses(iam="iam.example"))


def connected(region, **env):
    wire = Wire("huawei", Deadline.after(30), transport=httpx.MockTransport(lambda _: None))
    return connect(Access(wire, region, env={**world.ENV, **env})).api.region


def test_an_endpoint_replaces_every_host_identity_included():
    iam = {"HUAWEICLOUD_SDK_IAM_ENDPOINT": "https://iam.example/v3"}
    region = connected("eu-de", SGGUARD_ENDPOINT_HUAWEI="http://127.0.0.1:1", **iam)
    assert {region.vpc, region.ecs} == {"http://127.0.0.1:1"}
    assert region.iam == "http://127.0.0.1:1/v3"


def test_an_endpoint_of_one_service_leaves_the_others_where_they_are():
    region = connected(
        "cn-north-4",
        SGGUARD_ENDPOINT_HUAWEI_VPC="https://vpc.internal:8443",
        SGGUARD_ENDPOINT_HUAWEI_IAM="https://iam.internal",
    )
    assert region.vpc == "https://vpc.internal:8443"
    assert region.ecs == "https://ecs.cn-north-4.myhuaweicloud.com"
    assert region.iam == "https://iam.internal/v3"


@pytest.mark.parametrize(
    ("name", "domain"),
    [
        ("ru-moscow-1", "hc.sbercloud.ru"),
        ("eu-west-0", "prod-cloud-ocb.orange-business.com"),
        ("my-kualalumpur-1", "alphaedge.tmone.com.my"),
        ("ae-ad-1", "G42cloud.com."),
        ("eu-west-101", "myhuaweicloud.cn"),
        ("eu-ch2", "partner.example"),
    ],
)
def test_the_domain_of_a_partners_cloud_is_a_setting(name, domain):
    region = connected(name, SGGUARD_HUAWEI_DOMAIN=domain)
    domain = domain.lower().strip(".")
    assert region.vpc == f"https://vpc.{name}.{domain}"
    assert region.ecs == f"https://ecs.{name}.{domain}"
    assert region.iam == f"https://iam.{name}.{domain}/v3"


@pytest.mark.parametrize(
    "domain",
    [
        "x@evil.example",
        "evil.example/x",
        "evil.example:443",
        "https://x.example",
        "x",
        "a..b.com",
        "a_b.com",
        "-a.com",
        "1.2.3.4",
        "a.com?x=",
        "xn--a.com",
        f"{'a' * 64}.com",
        "ä.com",
        "a b.com",
    ],
)
@pytest.mark.sampled(6)
def test_what_is_no_domain_is_refused_before_a_host_is_named(domain):
    with pytest.raises(SettingsError, match="SGGUARD_HUAWEI_DOMAIN"):
        connected("cn-north-4", SGGUARD_HUAWEI_DOMAIN=domain)


@pytest.mark.parametrize("name", ["x@evil", "a/b", "obs", "vpc", "a.b", "CN-NORTH-4", ""])
@pytest.mark.parametrize(
    "env",
    [
        {},
        {"SGGUARD_HUAWEI_DOMAIN": "hc.example.com"},
        {"SGGUARD_ENDPOINT_HUAWEI_VPC": "https://vpc.internal"},
    ],
    ids=["no setting", "domain", "one service"],
)
def test_a_region_that_would_name_a_host_is_checked_first(name, env):
    with pytest.raises(AddressError):
        connected(name, **env)


@given(st.text(st.sampled_from("abz019.-@:/ä_"), max_size=20))
def test_a_domain_that_is_accepted_names_hosts_below_itself_only(text):
    try:
        domain = domain_of(text)
    except SettingsError:
        return
    if domain:
        host = httpx.URL(f"https://vpc.cn-north-4.{domain}").host
        assert host == f"vpc.cn-north-4.{domain}"


def test_every_service_at_an_address_of_its_own_takes_any_name_of_a_region():
    env = {f"SGGUARD_ENDPOINT_HUAWEI_{name}": f"https://{name}.internal" for name in ("VPC", "ECS")}
    region = connected("region1", SGGUARD_ENDPOINT_HUAWEI_IAM="https://iam.internal", **env)
    assert region.name == "region1"
