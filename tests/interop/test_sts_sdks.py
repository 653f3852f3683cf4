"""The vendors' own SDKs assume a role at the emulator, and read what sgguard reads of the answer.

Both ways: a session of an SDK is one that sgguard can work with, and the other way round.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

for sdk in ("tencentcloud.sts", "alibabacloud_sts20150401", "aliyunsdksts", "huaweicloudsdkiam"):
    pytest.importorskip(sdk, reason="needs the extra `interop`")
pytestmark = [
    # The SDKs themselves warn on current Pythons and leave their sockets to the collector.
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore:Unable to convert string to datetime:ImportWarning"),
]

import huaweicloudsdkiam.v3 as iam  # noqa: E402 - after the skip
from alibabacloud_sts20150401 import models as tea_models  # noqa: E402 - after the skip
from alibabacloud_sts20150401.client import Client as TeaClient  # noqa: E402 - after the skip
from alibabacloud_tea_openapi.models import Config  # noqa: E402 - after the skip
from aliyunsdkcore.acs_exception.exceptions import ServerException  # noqa: E402
from aliyunsdkcore.auth.credentials import AccessKeyCredential, StsTokenCredential  # noqa: E402
from aliyunsdkcore.client import AcsClient  # noqa: E402 - after the skip
from aliyunsdksts.request.v20150401.AssumeRoleRequest import AssumeRoleRequest  # noqa: E402
from darabonba.exceptions import DaraException  # noqa: E402 - after the skip
from huaweicloudsdkcore.auth.credentials import GlobalCredentials  # noqa: E402 - after the skip
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException  # noqa: E402
from tencentcloud.common import credential  # noqa: E402 - after the skip
from tencentcloud.common.exception.tencent_cloud_sdk_exception import (  # noqa: E402
    TencentCloudSDKException,
)
from tencentcloud.common.profile.client_profile import ClientProfile  # noqa: E402
from tencentcloud.common.profile.http_profile import HttpProfile  # noqa: E402
from tencentcloud.sts.v20180813 import models as tencent_models  # noqa: E402 - after the skip
from tencentcloud.sts.v20180813.sts_client import StsClient  # noqa: E402 - after the skip

from sgguard.engine import decide  # noqa: E402 - after the skip
from sgguard.engine.context import Context  # noqa: E402 - after the skip
from sgguard.events import request as events  # noqa: E402 - after the skip
from tests.accounts.worlds import ALIBABA, HUAWEI, TENCENT, Deployment, Home  # noqa: E402

Key = tuple[str, str, str]
"""Key id, secret and token, the token empty for lasting ones."""


def tencent(url: str, key: Key, home: Home) -> tuple[Key, float]:
    http = HttpProfile(protocol="http", endpoint=url.removeprefix("http://"), reqTimeout=5)
    profile = ClientProfile(httpProfile=http)
    client = StsClient(credential.Credential(*key), home.region, profile)
    asked = tencent_models.AssumeRoleRequest()
    asked.from_json_string(
        json.dumps(
            {"RoleArn": home.role["role"], "RoleSessionName": "oracle", "DurationSeconds": 3600}
        )
    )
    found = client.AssumeRole(asked)
    assert seconds(found.Expiration) == found.ExpiredTime
    given = found.Credentials
    return (given.TmpSecretId, given.TmpSecretKey, given.Token), found.ExpiredTime


def alibaba_tea(url: str, key: Key, home: Home) -> tuple[Key, float]:
    config = Config(
        access_key_id=key[0],
        access_key_secret=key[1],
        security_token=key[2] or None,
        protocol="http",
        region_id=home.region,
        endpoint=url.removeprefix("http://"),
    )
    asked = tea_models.AssumeRoleRequest(
        role_arn=home.role["role"], role_session_name="oracle", duration_seconds=3600
    )
    given = TeaClient(config).assume_role(asked).body.credentials
    return (
        (given.access_key_id, given.access_key_secret, given.security_token),
        seconds(given.expiration),
    )


def alibaba_rpc(url: str, key: Key, home: Home) -> tuple[Key, float]:
    made = StsTokenCredential(*key) if key[2] else AccessKeyCredential(*key[:2])
    client = AcsClient(region_id=home.region, credential=made)
    asked = AssumeRoleRequest()
    asked.set_endpoint(url.removeprefix("http://"))
    asked.set_protocol_type("http")
    asked.set_RoleArn(home.role["role"])
    asked.set_RoleSessionName("oracle")
    asked.set_DurationSeconds(3600)
    given = json.loads(client.do_action_with_exception(asked))["Credentials"]
    return (
        (given["AccessKeyId"], given["AccessKeySecret"], given["SecurityToken"]),
        seconds(given["Expiration"]),
    )


def huawei(url: str, key: Key, home: Home) -> tuple[Key, float]:
    made = GlobalCredentials(*key[:2], home.home_number)
    if key[2]:
        made = made.with_security_token(key[2])
    client = iam.IamClient.new_builder().with_credentials(made).with_endpoint(url).build()
    wanted = iam.IdentityAssumerole(
        agency_name=home.role["role"], domain_name=home.role["domain"], duration_seconds=3600
    )
    identity = iam.AgencyAuthIdentity(methods=["assume_role"], assume_role=wanted)
    body = iam.CreateTemporaryAccessKeyByAgencyRequestBody(iam.AgencyAuth(identity))
    asked = iam.CreateTemporaryAccessKeyByAgencyRequest(body)
    given = client.create_temporary_access_key_by_agency(asked).credential
    return (given.access, given.secret, given.securitytoken), seconds(given.expires_at)


REFUSALS = (TencentCloudSDKException, ServerException, DaraException, ClientRequestException)
NOT_TRUSTED = {"NoPermission", "UnauthorizedOperation", "403"}


def code_of(error: BaseException) -> str:
    """The code of a refusal, wherever the SDK keeps it; the status where it knows none."""
    for name in ("error_code", "code", "status_code"):
        if found := getattr(error, name, ""):
            return str(found)
    return str(error)


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


Assume = Callable[[str, Key, Home], tuple[Key, float]]
SDKS: dict[str, tuple[Home, Assume]] = {
    "tencent": (TENCENT, tencent),
    "alibaba-tea": (ALIBABA, alibaba_tea),
    "alibaba-rpc": (ALIBABA, alibaba_rpc),
    "huawei": (HUAWEI, huawei),
}
VARIABLES = {
    "tencent": ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN"),
    "alibaba": (
        "ALIBABA_CLOUD_ACCESS_KEY_ID",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET",
        "ALIBABA_CLOUD_SECURITY_TOKEN",
    ),
    "huawei": ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_SECURITY_TOKEN"),
}


@pytest.fixture(params=SDKS)
def oracle(request, emulator_server):
    home, assume = SDKS[request.param]
    deployment = Deployment(home, {"id": home.shop_number, **home.role})
    deployment.emulator.now = time.time
    url = emulator_server(deployment.emulator).url
    key_id, secret = home.env.values()
    return deployment, url, assume, (key_id, secret, "")


def environment(deployment: Deployment, url: str, key: Key) -> dict[str, str]:
    provider = deployment.home.provider
    given = dict(zip(VARIABLES[provider], key, strict=True))
    return {**given, f"SGGUARD_ENDPOINT_{provider.upper()}": url}


def test_a_session_of_the_sdk_is_one_that_sgguard_judges_with(oracle):
    deployment, url, assume, key = oracle
    home = deployment.home
    session, ends_at_s = assume(url, key, home)
    assert all(session)
    (kept,) = deployment.emulator.state.clouds[0].sessions.values()
    assert (kept.key_id, kept.secret, kept.token) == session
    assert int(kept.ends_at_s) == int(ends_at_s)
    assert "referenced" in judged("", deployment, environment(deployment, url, session))


def judged(account: str, deployment: Deployment, env: dict[str, str]) -> list[str]:
    (wanted,) = events.delete_sets([deployment.address(account, deployment.home.shops)])
    decision = decide.decide_delete(wanted, Context.from_env(env), event_id="e")
    return [one.code for one in decision.judgement.reasons]


def test_a_session_of_sgguard_is_one_that_the_sdk_signs_with(oracle):
    deployment, url, assume, key = oracle
    env = environment(deployment, url, key)
    env["SGGUARD_ACCOUNTS"] = deployment.env["SGGUARD_ACCOUNTS"]
    assert "referenced" in judged("shop", deployment, env)
    (kept,) = deployment.emulator.state.clouds[0].sessions.values()
    session = (kept.key_id, kept.secret, kept.token)
    further, _ = assume(url, session, deployment.home)
    assert all(further)
    assert further != session
    with pytest.raises(REFUSALS):
        assume(url, (kept.key_id, f"x{kept.secret[1:]}", kept.token), deployment.home)


def test_the_sdk_is_refused_a_role_that_does_not_trust_its_account(oracle):
    deployment, url, assume, key = oracle
    deployment.emulator.state.clouds[0].accounts[1].roles[0].trusts = []
    with pytest.raises(REFUSALS) as refused:
        assume(url, key, deployment.home)
    assert code_of(refused.value) in NOT_TRUSTED
