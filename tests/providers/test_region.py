"""A region cannot choose who gets a signed request: checked at the hosts that are called."""

from __future__ import annotations

import re

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from sgguard import providers
from sgguard.emulator.transport import EmulatorTransport
from sgguard.errors import AddressError, SettingsError, SgguardError
from sgguard.providers.access import Access
from sgguard.providers.huawei.api import ProjectCache
from sgguard.wire.client import Wire
from sgguard.wire.clock import Deadline
from sgguard.wire.pacing import Pace
from sgguard.wire.retry import Retry
from tests.worlds import lanes, world_of

HOSTS = {
    "alibaba": r"ecs\.{region}\.aliyuncs\.com",
    "huawei": r"(vpc|ecs|iam(-pub)?)\.{region}\.(myhuaweicloud\.com|(sc\.)?otc\.t-systems\.com)",
    "openstack": r"cloud\.example",  # of the identity service, and of its whole catalog
    "tencent": r"(vpc|cvm)\.tencentcloudapi\.com",
    "tencent-dfw": r"dfw\.api\.qcloud\.com",
}

REAL = {
    "alibaba": [
        *("cn-hangzhou", "cn-hangzhou-finance", "ap-southeast-1", "cn-zhangjiakou-na62-a01"),
        *("cn-north-2-gov-1", "me-central-1", "us-east-1", "na-south-1"),
    ],
    "huawei": [
        *("cn-north-4", "eu-de", "eu-nl", "eu-ch2", "ap-southeast-1-finance", "na-mexico-1"),
        *("eu-west-101", "cn-southwest-2", "my-kualalumpur-1", "la-south-2"),
    ],
    "openstack": ["RegionOne", "dc 1", "eu.north/1", "Zürich", "регион@1", "x" * 255],
    "tencent": ["ap-guangzhou", "ap-shanghai-fsi", "na-siliconvalley", "eu-frankfurt"],
    "tencent-dfw": ["ap-guangzhou", "gz", "bj", "hk"],
}

PARTS = [
    *("cn-hangzhou", "eu-de", "cn", "x", "1", "-", "--", "_", "xn--", "oss-", "obs", "EU", ":80"),
    *("@", "evil.example", ".", "/", "//", "\\", "#", "?", "&", "%", "%2f", "%2e", "%00", "\0"),
    *(" ", "\t", "\n", "\r\n", "\u200b", "\u00ad", "\u3002", "\uff0e", "\uff61", "\u2024"),
    *("\uff0f", "\uff20", "\uff03", "\u0131", "\u212a", "\u0430", "\uff45", "\u00e9", "\u2460"),
    *("[", "]", "::1", "127.0.0.1"),
]
REGIONS = st.one_of(
    st.text(max_size=80),
    st.lists(st.sampled_from(PARTS), max_size=6).map("".join),
    st.from_regex(r"[a-z]{1,3}(-[a-z0-9]{0,4}){0,3}", fullmatch=True),
)

HOSTILE = [
    *("", " ", "x@host", "a.b", "a/b", "a#b", "a?b", "a%2f", "a\\b", "a:80", "[::1]", "a&b"),
    *("CN-HANGZHOU", "cn-Hangzhou", "cn_hangzhou", "-cn", "cn-", "cn--x", "xn--80ak6aa92e"),
    *("cn-hangzhou ", "cn-hangzhou\n", "\tcn-hangzhou", "cn-hang\0zhou", "cn-hangzhou."),
    *("cn-hangzhou\u3002evil", "cn-hangzhou\uff0eevil", "cn-hangzhou\uff61evil"),
    *("\u0441n-hangzhou", "cn-\uff48angzhou"),
    *("cn-hangzhou\u200b", "\u212aong", "cn-1\u2460", "a" * 64, "cn-" + "a" * 61, "cn-1" * 10_000),
]
HOSTED = ("alibaba", "huawei")
OF_OTHERS = ["oss-cn-hangzhou", "oss-accelerate", "oss", "obs", "img-cn-hangzhou", "www", "gz"]
NONE_OF_OPENSTACK = ["", " ", "\n", "Region\0One", "Region\x85One", "a" * 256, "\ud800"]


class Recording(httpx.BaseTransport):
    """An emulated cloud that keeps where each request was sent to."""

    def __init__(self, world) -> None:
        self.inner = EmulatorTransport(world.emulator())
        self.sent: list[httpx.URL] = []

    def handle_request(self, request):
        self.sent.append(request.url)
        return self.inner.handle_request(request)


def connect(world, region, transport, env=None):
    wire = Wire(
        world.provider,
        Deadline.after(30.0),
        transport=transport,
        retry=Retry(attempts=1),
        pace=Pace(lanes=lanes()),
    )
    return providers.connect(
        world.provider, Access(wire, region, env=world.env if env is None else env)
    )


def endpoint_of(provider):
    return f"SGGUARD_ENDPOINT_{provider.upper().replace('-', '_')}"


@pytest.fixture(params=providers.names())
def world(request):
    return world_of(request.param)


@settings(max_examples=120, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(region=REGIONS)
@example(region="x@evil.example/")
@example(region="cn-hangzhou.evil.example#")
@example(region="oss-cn-hangzhou")
@example(region="eu-de")
@pytest.mark.sampled(8)
def test_whatever_the_region_is_only_hosts_of_the_cloud_are_called(world, region):
    recording = Recording(world)
    refusal = None
    try:
        connect(world, region, recording).read_groups([world.free])
    except SgguardError as error:  # or the cloud has no such region, which is its own answer
        refusal = error
    assert isinstance(refusal, AddressError) is not bool(recording.sent)
    for url in recording.sent:
        assert (url.userinfo, url.port) == (b"", None)
        assert re.fullmatch(HOSTS[world.provider].format(region=re.escape(region)), url.host)


@pytest.mark.parametrize(
    ("provider", "region"),
    [
        *((name, one) for name in sorted(HOSTS) if name != "openstack" for one in HOSTILE),
        *((name, one) for name in HOSTED for one in OF_OTHERS),
        *(("openstack", one) for one in NONE_OF_OPENSTACK),
    ],
    ids=lambda value: ascii(value)[:40],
)
@pytest.mark.sampled(5)
def test_a_region_no_cloud_has_is_refused_before_credentials_are_needed(provider, region):
    world = world_of(provider)
    recording = Recording(world)
    for env in (world.env, {}):
        with pytest.raises(AddressError, match=r"is not a region of .*: expected .*such as ") as it:
            connect(world, region, recording, env)
        assert len(str(it.value)) < 600
    assert not recording.sent


@pytest.mark.parametrize(
    ("provider", "region"), [(name, one) for name, some in REAL.items() for one in some]
)
def test_a_region_that_the_cloud_has_is_accepted(provider, region):
    world = world_of(provider)
    assert connect(world, region, Recording(world)) is not None


@pytest.mark.parametrize("provider", HOSTED)
def test_a_private_cloud_calls_its_regions_as_it_likes_within_a_label(provider):
    world = world_of(provider)
    env = world.env | {endpoint_of(provider): "https://ecs.private.example"}
    for region in ("region1", "dc-1-a", "1"):
        recording = Recording(world)
        try:
            connect(world, region, recording, env).read_groups([world.free])
        except SgguardError:
            assert recording.sent
        assert {one.host for one in recording.sent} == {"ecs.private.example"}
    for region in ("x@host", "a.b", "A", "a\n", ""):
        with pytest.raises(AddressError):
            connect(world, region, Recording(world), env)


@pytest.mark.parametrize(
    "domain",
    [
        *("x", ".", "..", "a..b", ".intl.com", "intl.com.", "-a.com", "a-.com", "a.com/b"),
        *("a@b.com", "a.com:80", "a.com#", "a.com?", "A.com", "1.2.3.4", "a b.com", "%2e.com"),
        *("a\u3002com", "\u0430.com", f"{'a' * 200}.com"),
    ],
)
def test_a_domain_that_is_none_is_the_settings_fault(domain):
    world = world_of("tencent")
    with pytest.raises(SettingsError, match="TENCENTCLOUD_DOMAIN"):
        connect(world, world.region, Recording(world), world.env | {"TENCENTCLOUD_DOMAIN": domain})


@pytest.mark.parametrize("domain", ["intl.tencentcloudapi.com", "api3.tce-1.private.example"])
def test_a_domain_of_another_site_is_the_one_that_is_called(domain):
    world = world_of("tencent")
    recording = Recording(world)
    env = world.env | {"TENCENTCLOUD_DOMAIN": domain}
    connect(world, world.region, recording, env).read_groups([world.free])
    assert {one.host for one in recording.sent} <= {f"vpc.{domain}", f"cvm.{domain}"}


@pytest.mark.parametrize(
    ("provider", "variable"),
    [
        ("tencent", "TENCENTCLOUD_REGION"),
        ("tencent-dfw", "TENCENTCLOUD_REGION"),
        ("alibaba", "ALIBABA_CLOUD_REGION_ID"),
        ("alibaba", "FC_REGION"),
        ("huawei", "HUAWEICLOUD_SDK_REGION"),
        ("huawei", "HW_REGION_NAME"),
        ("huawei", "OS_REGION_NAME"),
        ("openstack", "OS_REGION_NAME"),
    ],
)
def test_a_variable_that_names_no_region_is_the_settings_fault(provider, variable):
    setup = providers.probing(provider).SETUP
    text = "x@host\0"
    with pytest.raises(SettingsError, match=rf"{variable}: 'x@host.*' is not a region of"):
        setup.region(lambda *names: text if variable in names else "")


def test_the_locks_of_lookups_that_fail_are_bounded():
    cache = ProjectCache()
    for number in range(2000):
        cache.lock((None, f"https://iam.cn-x-{number}.myhuaweicloud.com/v3", "key", "region"))
    assert len(cache._locks) <= 256
    key = (None, "https://iam", "key", "region")
    assert cache.lock(key) is cache.lock(key)
