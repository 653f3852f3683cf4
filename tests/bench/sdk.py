"""CPU from process start to the first answer: our function against one on the vendor's own SDK.

Both run under functions-framework, and the other asks the very same questions: every call of a
decision, with the same parameters, by the SDK's own clients, requests and signatures. It judges
nothing. The SDKs are those of the extra ``interop``; a cloud whose SDK is not installed has no row.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import parse_qsl

import httpx

from tests.bench.clouds import emulated, environment
from tests.bench.measure import Ratio, least
from tests.bench.replay import recorded
from tests.bench.start import FUNCTION, cpu_to_first_answer_s
from tests.worlds import World, world_of

AIMS = {"alibaba": 0.28, "huawei": 0.67, "openstack": 0.49, "tencent": 0.71}

TENCENT = """
from tencentcloud.common import credential
from tencentcloud.common.profile.client_profile import ClientProfile
from tencentcloud.common.profile.http_profile import HttpProfile
from tencentcloud.cvm.v20170312 import cvm_client, models as cvm
from tencentcloud.vpc.v20170312 import models as vpc, vpc_client

def ask(url, env, region, calls):
    who = credential.Credential(
        env["TENCENTCLOUD_SECRET_ID"], env["TENCENTCLOUD_SECRET_KEY"], env["TENCENTCLOUD_TOKEN"]
    )
    http = HttpProfile(protocol="http", endpoint=url.removeprefix("http://"))
    profile = ClientProfile(httpProfile=http)
    clients = {
        "vpc": (vpc_client.VpcClient(who, region, profile), vpc),
        "cvm": (cvm_client.CvmClient(who, region, profile), cvm),
    }
    for service, action, params in calls:
        client, models = clients[service]
        request = getattr(models, action + "Request")()
        request.from_json_string(params)
        getattr(client, action)(request)
"""
ALIBABA = """
from alibabacloud_ecs20140526 import models
from alibabacloud_ecs20140526.client import Client
from alibabacloud_tea_openapi.models import Config

def ask(url, env, region, calls):
    client = Client(Config(
        access_key_id=env["ALIBABA_CLOUD_ACCESS_KEY_ID"],
        access_key_secret=env["ALIBABA_CLOUD_ACCESS_KEY_SECRET"],
        security_token=env["ALIBABA_CLOUD_SECURITY_TOKEN"],
        protocol="http", region_id=region, endpoint=url.removeprefix("http://"),
    ))
    for method, request, params in calls:
        getattr(client, method)(getattr(models, request)().from_map(params))
"""
HUAWEI = """
import huaweicloudsdkvpc.v3 as vpc
from huaweicloudsdkcore.auth.credentials import BasicCredentials

def ask(url, env, region, calls):
    who = BasicCredentials(
        env["HUAWEICLOUD_SDK_AK"], env["HUAWEICLOUD_SDK_SK"], env["HUAWEICLOUD_SDK_PROJECT_ID"]
    ).with_security_token(env["HUAWEICLOUD_SDK_SECURITY_TOKEN"])
    client = vpc.VpcClient.new_builder().with_credentials(who).with_endpoint(url).build()
    for path, query in calls:
        client.do_http_request(
            method="GET", resource_path=path, query_params=[tuple(one) for one in query],
            path_params={}, header_params={"Content-Type": "application/json"}, response_headers=[],
            collection_formats={}, response_type="ListSecurityGroupsResponse",
        )
"""
OPENSTACK = """
from openstack.config import loader
from openstack.connection import Connection

def ask(url, env, region, calls):
    config = loader.OpenStackConfig(load_yaml_config=False, load_envvars=False).get_one(
        auth_type="password", region_name=region,
        auth={
            "auth_url": url + "/identity", "username": env["OS_USERNAME"],
            "password": env["OS_PASSWORD"], "project_name": env["OS_PROJECT_NAME"],
            "user_domain_name": env["OS_USER_DOMAIN_NAME"],
            "project_domain_name": env["OS_PROJECT_DOMAIN_NAME"],
        },
    )
    network = Connection(config=config).network
    for path, query in calls:
        network.get(path, params=[tuple(one) for one in query]).json()
"""
HANDLER = """
import json
import functions_framework

@functions_framework.http
def sdk(request):
    ask(*json.loads(ARGUMENTS))
    return "{}"
"""
SDKS: Mapping[str, tuple[str, str]] = {
    "alibaba": ("alibabacloud_ecs20140526", ALIBABA),
    "huawei": ("huaweicloudsdkvpc", HUAWEI),
    "openstack": ("openstack", OPENSTACK),
    "tencent": ("tencentcloud", TENCENT),
}
"""Each cloud's own SDK: the module by which it is found, and how it asks."""


def measure(runs: int = 9) -> list[Ratio]:
    """Measure a start of ours and of a function on each SDK that is installed."""
    with tempfile.TemporaryDirectory() as folder, emulated() as url:
        return [_against(world_of(name), url, Path(folder) / name, runs) for name in installed()]


def installed() -> tuple[str, ...]:
    """Return the clouds whose SDK is installed here."""
    return tuple(name for name, (module, _) in SDKS.items() if find_spec(module) is not None)


def source(world: World, url: str) -> str:
    """Return the source of a function that asks what a decision asks, by the cloud's SDK."""
    calls = [_CALLS[world.provider](call) for call in recorded(world)[0]]
    env = environment(world, url)
    arguments = json.dumps([url, env, world.region, calls])
    return f"{SDKS[world.provider][1]}\nARGUMENTS = {arguments!r}\n{HANDLER}"


def _against(world: World, url: str, folder: Path, runs: int) -> Ratio:
    env = environment(world, url)
    body = json.dumps({"target": f"{world.provider}::{world.region}:{world.free}"}).encode()
    folder.mkdir()
    theirs = folder / "main.py"
    theirs.write_text(source(world, url))
    (found,) = least(
        (
            lambda: cpu_to_first_answer_s(FUNCTION, "delete_request", body, env),
            lambda: cpu_to_first_answer_s(theirs, "sdk", body, env),
        ),
        runs,
    )
    what = f"first decision, {world.provider}"
    return Ratio(
        what, "a function on the vendor's SDK", found.ratio, AIMS[world.provider], found.shown()
    )


# -- a recorded call, as each SDK is asked -------------------------------------------------------


def _tencent(call: httpx.Request) -> list[object]:
    action = call.headers["x-tc-action"]
    service = (
        "cvm" if call.headers["x-tc-version"] == "2017-03-12" and "Instances" in action else ""
    )
    return [service or "vpc", action, call.content.decode()]


def _alibaba(call: httpx.Request) -> list[object]:
    action = call.headers["x-acs-action"]
    params: dict[str, object] = {}
    for name, value in parse_qsl(call.url.query.decode()):
        stem, dot, number = name.partition(".")
        if dot and number.isdecimal():
            listed = params.setdefault(stem, [])
            assert isinstance(listed, list)
            listed.append(value)
        else:
            params[name] = int(value) if value.isdecimal() else value
    words = "".join(f"_{one.lower()}" if one.isupper() else one for one in action).lstrip("_")
    return [words, f"{action}Request", params]


def _by_path(call: httpx.Request) -> list[object]:
    return [call.url.path, parse_qsl(call.url.query.decode())]


def _below_v2(call: httpx.Request) -> list[object]:
    path = call.url.path.partition("/v2.0")[2]
    return [path, parse_qsl(call.url.query.decode())]


_CALLS: Mapping[str, Callable[[httpx.Request], list[object]]] = {
    "alibaba": _alibaba,
    "huawei": _by_path,
    "openstack": _below_v2,
    "tencent": _tencent,
}
