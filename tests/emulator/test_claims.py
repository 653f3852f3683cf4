"""Which cloud a request is for: each gets one answer, in the words of the cloud it is meant for.

The scenario is the demo's, with all clouds behind one port, unless a test says otherwise.
"""

from __future__ import annotations

import itertools
import json
import random
import time

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgguard.emulator.core import Emulator
from sgguard.emulator.faces import all_faces
from sgguard.emulator.faces.base import Certainty, certainty_of
from sgguard.emulator.scenario import load
from sgguard.emulator.transport import EmulatorTransport
from sgguard.providers.access import fresh_nonce
from sgguard.wire import qcloud_v2
from sgguard.wire.acs3 import Acs3Auth
from sgguard.wire.rpc_v1 import RpcV1Auth
from sgguard.wire.sdk_hmac import SdkHmacAuth
from sgguard.wire.tc3 import Tc3Auth

DEMO = load("demo")
ENV = DEMO.env
LOOP = "http://127.0.0.1:8000"
CLOUDS = ("tencent", "tencent-dfw", "alibaba", "huawei", "openstack")
PROJECT = ENV["HUAWEICLOUD_SDK_PROJECT_ID"]


def demo(*providers):
    clouds = [one for one in DEMO.clouds if one["provider"] in (providers or CLOUDS)]
    return Emulator.load({"clouds": clouds})


@pytest.fixture
def emulator():
    return demo()


def ask(emulator, method, url, **more):
    return emulator.handle(httpx.Request(method, httpx.URL(LOOP).join(url), **more))


STACK = {"error", "NeutronError", "versions", "version", "notImplemented", "badRequest"}
STACK |= {"itemNotFound", "forbidden"}


def envelope(response):
    """Whose words a response is in."""
    if response.headers.get("content-type", "").startswith("text/xml"):
        return "alibaba" if "<HostId>" in response.text else "unknown"
    body = response.json()
    kinds = {
        "tencent": lambda: "Response" in body,
        "tencent-dfw": lambda: isinstance(body.get("code"), int),
        "alibaba": lambda: "HostId" in body and "Code" in body,
        "huawei": lambda: "error_code" in body,
        "openstack": lambda: bool(STACK & set(body)),
    }
    return next((name for name, fits in kinds.items() if fits()), "unknown")


# -- two claims on one request ---------------------------------------------------------------------

HOSTS = [
    *("127.0.0.1", "localhost", "keystone.cloud.test", "vpc.tencentcloudapi.com"),
    *("cvm.intl.tencentcloudapi.com", "dfw.api.qcloud.com", "ecs.cn-hangzhou.aliyuncs.com"),
    *("rds.aliyuncs.com", "vpc.cn-north-4.myhuaweicloud.com", "iam.eu-de.otc.t-systems.com"),
    *("myhuaweicloud.com.evil.test", "tencentcloudapi.com"),
]
PATHS = [
    *("/", "", "//", "/x", "/v2/index.php", "/v2/index.php/", "/v2/index.phpx", "/index.php"),
    *("/identity", "/identity/v3", "/identity/v3/auth/tokens", "/v3", "/v3/", "/v3/auth/tokens"),
    *("/v3/projects", "/v3/users/u", f"/v3/{PROJECT}/vpc/security-groups", "/v3/p/ports", "/v3/p"),
    *("/v3/auth", "/v3//x", "/v3.0/OS-USER/users", "/v2.0", "/v2.0/ports", "/v2.0/p/x", "/v4"),
    *("/v2.1", "/v2.1/p/servers/s", f"/v2.1/{PROJECT}/servers/s/action", "/v2/servers", "/v2"),
    *("/v1/p/quotas", "/v1/p/cloudservers/detail", "/v1", "/v1.0/clusters", "/compute/v2.1/"),
    *("/networking/v2.0/ports", "/r/RegionTwo/networking/v2.0/ports", "/r/x/v3/p/vpc/y", "/r/x"),
    *("/volume/v3/p/volumes", "/v5/users", "/clusters", "/echo"),
]
HEADERS = {
    "authorization": [
        *("TC3-HMAC-SHA256 Credential=x", "ACS3-HMAC-SHA256 Credential=x", "acs key:sig"),
        *("SDK-HMAC-SHA256 Access=x", "V11-HMAC-SHA256 x", "OBS key:sig", "OSS key:sig"),
        *("q-sign-algorithm=sha1", "Bearer x", "Basic eDp5", "SKIP", ""),
    ],
    "x-tc-action": ["DescribeInstances"],
    "x-tc-version": ["2017-03-12"],
    "x-acs-action": ["DescribeInstances"],
    "x-acs-version": ["2014-05-26"],
    "x-acs-signature-nonce": ["n"],
    "x-sdk-date": ["20261122T013000Z"],
    "x-auth-token": ["none", "", "huawei", "openstack"],
}
PARAMS = {
    **{name: ["x"] for name in ("Action", "Region", "RegionId", "Format", "SecretId")},
    **{name: ["1"] for name in ("AccessKeyId", "Nonce", "Signature", "SignatureNonce")},
    "SignatureVersion": ["1.0"],
    "Version": ["2014-05-26", "2017-03-12", "2016-04-28"],
}


def some(choices):
    return st.fixed_dictionaries({}, optional={k: st.sampled_from(v) for k, v in choices.items()})


def user(name):
    """A request for a token; both clouds know ``sgguard``."""
    identity = {"methods": ["password"], "password": {"user": {"name": name, "domain": DOMAIN}}}
    return json.dumps({"auth": {"identity": identity}}).encode()


DOMAIN = {"name": "Default"}
BODIES = st.sampled_from([b"", b"{}", b"[", user("sgguard"), user("nobody")])


def with_tokens(emulator):
    """Both clouds with the same user, each with a token of its own."""
    huawei, openstack = (emulator.state.cloud(name) for name in ("huawei", "openstack"))
    if huawei and openstack:
        huawei.accounts[0].user, huawei.accounts[0].domain = "sgguard", "Default"
    for cloud in (huawei, openstack):
        if cloud:
            cloud.tokens[cloud.provider] = object()
    return emulator


SUBSETS = [c for n in range(1, 6) for c in itertools.combinations(CLOUDS, n)]
EMULATORS = {names: with_tokens(demo(*names)) for names in SUBSETS}
METHODS = st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"])


URLS = st.builds(
    lambda host, path, query: httpx.URL(f"http://{host}").copy_with(path=path or "/", params=query),
    st.sampled_from(HOSTS),
    st.sampled_from(PATHS) | st.from_regex(r"(/[a-z0-9.]{0,4}){0,3}", fullmatch=True),
    some(PARAMS),
)
CONTENTS = st.builds(lambda body: {"content": body}, BODIES) | st.builds(
    lambda form: {"data": form}, some(PARAMS)
)


@given(
    st.builds(
        lambda m, u, h, c: httpx.Request(m, u, headers=h, **c),
        METHODS,
        URLS,
        some(HEADERS),
        CONTENTS,
    )
)
def test_no_two_faces_claim_one_request(asked):
    for names, emulator in EMULATORS.items():
        claims = {
            name: certainty_of(face, asked, emulator.state.cloud(name))
            for name, face in all_faces().items()
        }
        sure = {name: one for name, one in claims.items() if one > Certainty.PATH}
        present = {name: one for name, one in claims.items() if name in names and one}
        best = sure or present or {name: one for name, one in claims.items() if one}
        if not best:
            continue
        surest = max(best.values())
        assert list(best.values()).count(surest) == 1, claims
        (winner,) = [name for name, one in best.items() if one == surest]
        assert emulator._route(asked)[0] == winner


# -- the answer is in the words of the cloud that was meant ----------------------------------------

ALIBABA_KEY = (ENV["ALIBABA_CLOUD_ACCESS_KEY_ID"], ENV["ALIBABA_CLOUD_ACCESS_KEY_SECRET"])
TENCENT_KEY = {
    "key_id": ENV["TENCENTCLOUD_SECRET_ID"],
    "secret": ENV["TENCENTCLOUD_SECRET_KEY"],
    "now": time.time,
}
ACS3 = Acs3Auth(*ALIBABA_KEY, nonce=fresh_nonce)
RPC = RpcV1Auth(*ALIBABA_KEY, nonce=fresh_nonce)
TC3 = Tc3Auth(**TENCENT_KEY, service="cvm")
SDK = SdkHmacAuth(access=ENV["HUAWEICLOUD_SDK_AK"], secret=ENV["HUAWEICLOUD_SDK_SK"], now=time.time)


def qcloud(algorithm):
    return qcloud_v2.QcloudV2Auth(
        **TENCENT_KEY, nonce=lambda: random.randrange(1, 2**63), algorithm=algorithm
    )


def acs(action, version):
    return {"headers": {"x-acs-action": action, "x-acs-version": version}, "auth": ACS3}


def rpc(action, version, **params):
    return {"params": {"Action": action, "Version": version, **params}, "auth": RPC}


def v1(algorithm, **params):
    return {"params": {"Version": "2017-03-12", **params}, "auth": qcloud(algorithm)}


GUANGZHOU = {"Region": "ap-guangzhou", "Action": "DescribeInstances"}
REQUESTS = {
    "keystone's versions": ("openstack", "GET", "/identity", {}),
    "keystone's version": ("openstack", "GET", "/identity/v3", {}),
    "keystone's version at the root": ("openstack", "GET", "/v3", {}),
    "neutron's versions": ("openstack", "GET", "/networking", {}),
    "nova's version": ("openstack", "GET", "/compute/v2.1", {}),
    "the root": ("openstack", "GET", "/", {}),
    "a token that nobody issued": (
        "openstack",
        "GET",
        "/networking/v2.0/ports",
        {"headers": {"x-auth-token": "none"}},
    ),
    "another service with such a token": (
        "openstack",
        "GET",
        "/volume/v3/p/volumes",
        {"headers": {"x-auth-token": "none"}},
    ),
    "nothing signed, the project of Huawei": ("keystone", "GET", f"/v3/{PROJECT}/ports", {}),
    "VPC v3 unsigned": ("keystone", "GET", "/v3/p/vpc/security-groups", {}),
    "Huawei's DNS": ("huawei", "GET", "/v2/zones", {"auth": SDK}),
    "Huawei's IAM": ("huawei", "GET", "/v3.0/OS-USER/users", {}),
    "Huawei's newer signature": (
        "huawei",
        "GET",
        "/v2/zones",
        {"headers": {"authorization": "V11-HMAC-SHA256 Credential=x"}},
    ),
    "a wrong signature of Huawei": (
        "huawei",
        "GET",
        f"/v3/{PROJECT}/ports",
        {"headers": {"authorization": "SDK-HMAC-SHA256 Access=x"}},
    ),
    "ECS, ACS3": ("alibaba", "POST", "/", acs("DescribeSecurityGroups", "2014-05-26")),
    "VPC of Alibaba, ACS3": ("alibaba", "POST", "/", acs("DescribeVpcs", "2016-04-28")),
    "VPC of Alibaba, RPC": ("alibaba", "GET", "/", rpc("DescribeVpcs", "2016-04-28")),
    "RDS, RPC by POST": ("alibaba", "POST", "/", rpc("DescribeDBInstances", "2014-08-15")),
    "SLB in JSON": ("alibaba", "GET", "/", rpc("DescribeRegions", "2014-05-15", Format="JSON")),
    "container service, ROA": (
        "alibaba",
        "GET",
        "/api/v1/clusters",
        {"headers": {"authorization": "acs LTAI:sig", "x-acs-version": "2015-12-15"}},
    ),
    "container service, ACS3": (
        "alibaba",
        "GET",
        "/api/v1/clusters",
        acs("DescribeClustersV1", "2015-12-15"),
    ),
    "object storage": (
        "alibaba",
        "GET",
        "/bucket/key",
        {"headers": {"authorization": "OSS LTAI:sig"}},
    ),
    "unsigned, of another version": (
        "alibaba",
        "GET",
        "/",
        {"params": {"Action": "DescribeVpcs", "Version": "2016-04-28", "RegionId": "cn-hangzhou"}},
    ),
    "TC3": (
        "tencent",
        "POST",
        "/",
        {
            "headers": {"x-tc-action": "DescribeZones", "content-type": "application/json"},
            "auth": TC3,
        },
    ),
    "HmacSHA1 on API 3.0": ("tencent", "GET", "/", v1("HmacSHA1", **GUANGZHOU)),
    "HmacSHA256 on API 3.0": ("tencent", "POST", "/", v1("HmacSHA256", **GUANGZHOU)),
    "an action header alone": (
        "tencent",
        "POST",
        "/",
        {"headers": {"x-tc-action": "DescribeInstances"}},
    ),
    "unsigned on API 3.0": ("tencent", "GET", "/", {"params": GUANGZHOU}),
    "the object storage of Tencent": (
        "tencent",
        "GET",
        "/key",
        {"headers": {"authorization": "q-sign-algorithm=sha1&q-ak=x"}},
    ),
    "API 2.0": (
        "tencent-dfw",
        "GET",
        "/v2/index.php",
        {"params": {"Action": "DescribeVpcs"}, "auth": qcloud("HmacSHA1")},
    ),
    "API 2.0 unsigned": ("tencent-dfw", "GET", "/v2/index.php", {}),
}


def send(emulator, method, url, **more):
    with httpx.Client(transport=EmulatorTransport(emulator), base_url=LOOP) as client:
        if method == "POST" and "params" in more:
            more["data"] = more.pop("params")
        return client.request(method, url, **more)


@pytest.mark.parametrize("case", REQUESTS)
@pytest.mark.sampled(6)
def test_a_request_is_answered_in_the_words_of_the_cloud_it_is_meant_for(emulator, case):
    meant, method, url, more = REQUESTS[case]
    response = send(emulator, method, url, **more)
    assert envelope(response) == meant.replace("keystone", "openstack")
    provider = "huawei" if meant == "keystone" else meant
    assert [one.provider for one in emulator.requests] == [provider]


@pytest.mark.parametrize("case", REQUESTS)
def test_a_cloud_that_is_not_in_the_scenario_still_answers_in_its_own_words(case):
    meant, method, url, more = REQUESTS[case]
    if meant in ("keystone", "openstack", "tencent-dfw"):
        pytest.skip("told by its path, which is another cloud's where it is alone")
    emulator = demo(*(name for name in CLOUDS if name != meant))
    response = send(emulator, method, url, **more)
    assert envelope(response) == meant
    assert "a scenario without this cloud" in response.text


@pytest.mark.parametrize(
    ("host", "meant"),
    [
        ("vpc.tencentcloudapi.com", "tencent"),
        ("cvm.api.qcloud.com", "tencent-dfw"),
        ("rds.aliyuncs.com", "alibaba"),
        ("dns.cn-north-4.myhuaweicloud.com", "huawei"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/", "/v2/index.php", "/identity/v3/x", "/v2.0/ports", "/x/y"])
@pytest.mark.sampled(4)
def test_a_clouds_own_host_decides_whatever_is_called_there(emulator, host, meant, method, path):
    response = send(emulator, method, f"https://{host}{path}")
    assert envelope(response) in (meant, "openstack" if meant == "huawei" else meant)
    assert [one.provider for one in emulator.requests] == [meant]


@pytest.mark.parametrize("providers", [CLOUDS, ("huawei", "openstack"), ("huawei",)], ids=str)
@pytest.mark.parametrize("path", ["/identity/v3", "/v3", "/v3/"])
def test_versions_are_told_without_a_token(providers, path):
    response = ask(demo(*providers), "GET", path)
    assert (response.status_code, response.json()["version"]["id"]) == (200, "v3.14")


# -- the older signatures of API 3.0 ---------------------------------------------------------------


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("algorithm", qcloud_v2.ALGORITHMS)
def test_the_older_signatures_of_api_3_are_accepted(emulator, method, algorithm):
    params = GUANGZHOU | {"InstanceIds.0": "ins-915zrb0p"}
    body = send(emulator, method, "/", **v1(algorithm, **params)).json()["Response"]
    assert [one["InstanceId"] for one in body["InstanceSet"]] == ["ins-915zrb0p"]
    groups = GUANGZHOU | {"Action": "DescribeSecurityGroups", "Limit": "1"}
    body = send(emulator, method, "/", **v1(algorithm, **groups)).json()["Response"]
    assert len(body["SecurityGroupSet"]) == 1


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Signature": "wrong"}, "AuthFailure.SignatureFailure"),
        ({"SecretId": "AKIDnobody"}, "AuthFailure.SecretIdNotFound"),
        ({"Timestamp": "1700000000"}, "AuthFailure.SignatureExpire"),
        ({"Nonce": "x"}, "InvalidParameter"),
        ({"SignatureMethod": "HmacMD5"}, "AuthFailure.SignatureFailure"),
        ({"Region": "ap-beijing"}, "AuthFailure.SignatureFailure"),
    ],
    ids=str,
)
def test_an_older_signature_that_is_wrong_is_refused(emulator, change, code):
    request = httpx.Request("GET", LOOP, params=GUANGZHOU | {"Version": "2017-03-12"})
    signed = next(qcloud("HmacSHA256").auth_flow(request))
    params = dict(signed.url.params) | change
    response = ask(emulator, "GET", "/", params=params)
    assert response.json()["Response"]["Error"]["Code"] == code
