"""Clouds with two accounts each: the guard's own, and ``shop``, which trusts it by a role.

Both accounts have a group of the same name; only the shop's is referenced. Whoever reads one with
the other's credentials does not see it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import httpx
from msgspec.structs import replace

from sgguard.emulator.core import Emulator
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine.context import Context
from sgguard.wire.retry import Retry
from tests.worlds import lanes

NOW = 1_795_000_000.0
OTHERS_SECRET = "SHOPSECRET00000000000000000000000"
WORD = "external-word-0123456789"


@dataclass(frozen=True)
class Home:
    """The parts of one cloud's settings that differ between clouds."""

    provider: str
    region: str
    env: dict[str, str]
    role: dict[str, Any]
    credentials: dict[str, Any]
    own: str
    shops: str
    home_number: str
    shop_number: str
    action: str
    account: dict[str, Any] = field(default_factory=dict)

    @property
    def secrets(self) -> tuple[str, ...]:
        return (*self.env.values(), OTHERS_SECRET, WORD)


TENCENT = Home(
    "tencent",
    "ap-guangzhou",
    {
        "TENCENTCLOUD_SECRET_ID": "AKIDHOME000000000000000000000000",
        "TENCENTCLOUD_SECRET_KEY": "HOMESECRET0000000000000000000000",
    },
    {"role": "qcs::cam::uin/100000000002:roleName/guard"},
    {
        "TENCENTCLOUD_SECRET_ID": "AKIDSHOP000000000000000000000000",
        "TENCENTCLOUD_SECRET_KEY": {"env": "SHOP_SECRET"},
    },
    own="sg-0000home",
    shops="sg-0000shop",
    home_number="100000000001",
    shop_number="100000000002",
    action="AssumeRole",
)
ALIBABA = Home(
    "alibaba",
    "cn-hangzhou",
    {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAIHOME0000000000000000",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": "HOMESECRET0000000000000000000000",
    },
    {"role": "acs:ram::1000000000000002:role/guard"},
    {
        "ALIBABA_CLOUD_ACCESS_KEY_ID": "LTAISHOP0000000000000000",
        "ALIBABA_CLOUD_ACCESS_KEY_SECRET": {"env": "SHOP_SECRET"},
    },
    own="sg-bp1home0000000000000",
    shops="sg-bp1shop0000000000000",
    home_number="1000000000000001",
    shop_number="1000000000000002",
    action="AssumeRole",
)
HUAWEI = Home(
    "huawei",
    "cn-north-4",
    {
        "HUAWEICLOUD_SDK_AK": "AKHOME00000000000000",
        "HUAWEICLOUD_SDK_SK": "HOMESECRET0000000000000000000000",
    },
    {"role": "guard", "domain": "shop-domain"},
    {
        "HUAWEICLOUD_SDK_AK": "AKSHOP00000000000000",
        "HUAWEICLOUD_SDK_SK": {"env": "SHOP_SECRET"},
    },
    own="11111111-1111-4111-8111-111111111111",
    shops="22222222-2222-4222-8222-222222222222",
    home_number="home-domain-id",
    shop_number="shop-domain-id",
    action="POST /v3.0/OS-CREDENTIAL/securitytokens",
)
HOMES = (TENCENT, ALIBABA, HUAWEI)


def scenario(home: Home, **role: Any) -> dict[str, Any]:
    """The cloud of both accounts; the shop's role may be told otherwise."""
    key_id, secret = home.env.values()
    peer = {"direction": "ingress", "ports": "443", "peer_group": home.shops}
    user = "shop-web" if home is not HUAWEI else "33333333-3333-4333-8333-333333333333"
    user = {"tencent": "sg-shop0web", "alibaba": "sg-bp1shopweb0000000000"}.get(home.provider, user)
    guard = {"name": "guard", "trusts": [home.home_number], **role}
    accounts = [
        {"id": home.home_number, "key_id": key_id, "secret": secret},
        {
            "id": home.shop_number,
            "key_id": next(iter(home.credentials.values())),
            "secret": OTHERS_SECRET,
            "domain": "shop-domain",
            "roles": [guard],
        },
    ]
    groups: list[dict[str, Any]] = [
        {"id": home.own, "name": "own"},
        {"id": home.shops, "name": "shops", "account": home.shop_number},
        {"id": user, "name": "web", "account": home.shop_number, "rules": [peer]},
    ]
    if home is HUAWEI:
        for account, project in zip(accounts, ("a" * 32, "b" * 32), strict=True):
            account["projects"] = [project]
            account["project_names"] = {project: home.region}
        for group in groups:
            group["project"] = ("a" if group["id"] == home.own else "b") * 32
    cloud = {
        "provider": home.provider,
        "regions": [home.region],
        "accounts": accounts,
        "groups": groups,
    }
    return {"clouds": [cloud]}


class Signed(httpx.BaseTransport):
    """The emulator, and which account signed each call to it."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulated = EmulatorTransport(emulator)
        self._cloud = emulator.state.clouds[0]
        self.accounts: list[str] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        words = re.findall(r"[A-Za-z0-9]{16,}", request.headers.get("authorization", ""))
        owners = [self._cloud.account_of_key(word) for word in words]
        self.accounts += [one.id for one in owners if one is not None]
        return self._emulated.handle_request(request)


class Deployment:
    """A guard of both accounts, in this process; its clock is ours."""

    def __init__(self, home: Home, entry: dict[str, Any], **settings: Any) -> None:
        self.home, self.now_s = home, NOW
        role = settings.pop("role", {})
        self.emulator = Emulator.load(scenario(home, **role), now=lambda: self.now_s)
        rows = [{"name": "shop", "provider": home.provider, **entry}]
        self.env = {
            **home.env,
            "SHOP_SECRET": OTHERS_SECRET,
            "SHOP_WORD": WORD,
            "SGGUARD_ACCOUNTS": json.dumps({"accounts": rows}),
            **settings,
        }
        self.transport = Signed(self.emulator)

    def context(self, **env: str) -> Context:
        """What one delivery is judged with."""
        context = Context.from_env(
            {**self.env, **env}, transport=self.transport, now=lambda: self.now_s
        )
        return replace(context, retry=Retry(sleep=lambda _: None), lanes=lanes())

    def address(self, account: str, group: str) -> str:
        return f"{self.home.provider}:{account}:{self.home.region}:{group}"

    def calls(self, action: str) -> int:
        return sum(1 for one in self.emulator.requests if one.action == action)
