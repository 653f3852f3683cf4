"""Real clients of every cloud against one port with all clouds, as `sgguard emulate` serves it."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.scenario import load

for sdk in ("openstack", "tencentcloud.vpc", "aliyunsdkecs", "huaweicloudsdkvpc", "QcloudApi"):
    pytest.importorskip(sdk, reason="needs the extra `interop`")
pytestmark = [
    # The SDKs themselves warn on current Pythons and leave their sockets to the collector.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Unable to convert string to datetime:ImportWarning"),
]

import huaweicloudsdkvpc.v3 as vpc3  # noqa: E402 - after the skip
import openstack  # noqa: E402 - after the skip
from aliyunsdkcore.acs_exception.exceptions import ServerException  # noqa: E402
from aliyunsdkcore.auth.credentials import AccessKeyCredential  # noqa: E402
from aliyunsdkcore.client import AcsClient  # noqa: E402
from aliyunsdkcore.request import CommonRequest  # noqa: E402
from huaweicloudsdkcore.auth.credentials import BasicCredentials  # noqa: E402
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException  # noqa: E402
from keystoneauth1 import session  # noqa: E402
from keystoneauth1.discover import get_version_data  # noqa: E402
from openstack import exceptions  # noqa: E402
from openstack.config import loader  # noqa: E402
from tencentcloud.common import credential  # noqa: E402
from tencentcloud.common.common_client import CommonClient  # noqa: E402
from tencentcloud.common.exception.tencent_cloud_sdk_exception import (  # noqa: E402
    TencentCloudSDKException,
)
from tencentcloud.common.profile.client_profile import ClientProfile  # noqa: E402
from tencentcloud.common.profile.http_profile import HttpProfile  # noqa: E402

DEMO = load("demo")
ENV = DEMO.env


@pytest.fixture
def server(emulator_server):
    return emulator_server(Emulator.load({"clouds": DEMO.clouds}))


@pytest.fixture
def stack(server):
    auth = {
        "auth_url": ENV["OS_AUTH_URL"].format(url=server.url),
        "username": ENV["OS_USERNAME"],
        "password": ENV["OS_PASSWORD"],
        "project_name": ENV["OS_PROJECT_NAME"],
        "user_domain_name": "Default",
        "project_domain_name": "Default",
    }
    config = loader.OpenStackConfig(load_yaml_config=False, load_envvars=False)
    settings = config.get_one(auth=auth, auth_type="password", region_name=ENV["OS_REGION_NAME"])
    connection = openstack.connection.Connection(config=settings)
    yield connection
    connection.session.session.close()
    connection.close()


@pytest.mark.parametrize("path", ["/identity", "/identity/v3", "/v3", "/"])
def test_keystoneauth_finds_v3_without_a_token(server, path):
    found = get_version_data(session.Session(), f"{server.url}{path}")
    assert [one["id"] for one in found] == ["v3.14"]


def test_openstacksdk_connects_and_lists(stack):
    assert {group.name for group in stack.network.security_groups()} >= {"ci-runners"}
    assert [server.name for server in stack.compute.servers()]
    assert stack.network.find_security_group("ci-runners").id.startswith("55555555")
    assert stack.network.find_security_group("nobody") is None


def test_openstacksdk_is_told_what_is_not_emulated(stack):
    for call in (
        lambda: list(stack.network.networks()),
        lambda: stack.network.delete_network("n", ignore_missing=True),
        lambda: list(stack.compute.keypairs()),
        lambda: list(stack.identity.users()),
    ):
        with pytest.raises(exceptions.HttpException, match="does not emulate"):
            call()


def tencent(server, service, version, sign, method):
    http = HttpProfile(
        protocol="http", endpoint=urlsplit(server.url).netloc, reqMethod=method, reqTimeout=5
    )
    caller = credential.Credential(ENV["TENCENTCLOUD_SECRET_ID"], ENV["TENCENTCLOUD_SECRET_KEY"])
    profile = ClientProfile(httpProfile=http, signMethod=sign)
    return CommonClient(service, version, caller, ENV["TENCENTCLOUD_REGION"], profile)


SIGNS = ["TC3-HMAC-SHA256", "HmacSHA256", "HmacSHA1"]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("sign", SIGNS)
def test_tencents_sdk_is_understood_with_every_signature(server, sign, method):
    client = tencent(server, "vpc", "2017-03-12", sign, method)
    wanted = {"Filters": [{"Name": "security-group-name", "Values": ["bastion"]}]}
    body = client.call_json("DescribeSecurityGroups", wanted)["Response"]
    assert [one["SecurityGroupId"] for one in body["SecurityGroupSet"]] == ["sg-b4st10n0"]


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize(
    ("service", "version", "action"),
    [
        ("vpc", "2017-03-12", "DescribeVpcs"),
        ("cbs", "2017-03-12", "DescribeDisks"),
        ("tke", "2018-05-25", "DescribeClusters"),
    ],
)
def test_tencents_sdk_is_told_what_is_not_emulated(server, sign, service, version, action):
    client = tencent(server, service, version, sign, "POST")
    with pytest.raises(TencentCloudSDKException, match="does not emulate"):
        client.call_json(action, {})


@pytest.mark.parametrize(
    "wanted",
    [
        ("Vpc", "2016-04-28", "DescribeVpcs", ""),
        ("Rds", "2014-08-15", "DescribeDBInstances", ""),
        ("Ecs", "2014-05-26", "DescribeDisks", ""),
        ("CS", "2015-12-15", "", "/clusters"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_alibabas_sdk_is_told_what_is_not_emulated(server, wanted, method):
    product, version, action, path = wanted
    caller = AccessKeyCredential(
        ENV["ALIBABA_CLOUD_ACCESS_KEY_ID"], ENV["ALIBABA_CLOUD_ACCESS_KEY_SECRET"]
    )
    client = AcsClient(region_id="cn-hangzhou", credential=caller, auto_retry=False, timeout=5)
    request = CommonRequest(
        domain=urlsplit(server.url).netloc, version=version, action_name=action, product=product
    )
    if path:
        request.set_uri_pattern(path)
    request.set_method(method)
    request.set_protocol_type("http")
    request.set_accept_format("json")
    with pytest.raises(ServerException, match="does not emulate"):
        json.loads(client.do_action_with_exception(request))


def test_huaweis_sdk_is_understood_and_told_what_is_not_emulated(server):
    caller = BasicCredentials(
        ENV["HUAWEICLOUD_SDK_AK"], ENV["HUAWEICLOUD_SDK_SK"], ENV["HUAWEICLOUD_SDK_PROJECT_ID"]
    )
    client = vpc3.VpcClient.new_builder().with_credentials(caller).with_endpoint(server.url)
    client = client.build()
    groups = client.list_security_groups(vpc3.ListSecurityGroupsRequest()).security_groups
    assert {group.name for group in groups} >= {"iot-gateway"}
    with pytest.raises(ClientRequestException, match="does not emulate"):
        client.list_vpcs(vpc3.ListVpcsRequest())
