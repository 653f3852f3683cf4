"""The whole way through the clouds' real host names: provider, signature, HTTPS, emulator."""

from __future__ import annotations

import pytest

from sgguard import providers
from sgguard.emulator import mock_clouds
from sgguard.emulator.scenario import load
from sgguard.engine import decide
from sgguard.engine.context import Context
from sgguard.events import request

FREE = {
    "tencent": "tencent::ap-guangzhou:sg-0ldc4mp1",
    "tencent-dfw": "tencent-dfw::gz:sg-erpold01",
    "alibaba": "alibaba::cn-hangzhou:sg-bp1loadtest0000001",
    "huawei": "huawei::cn-north-4:11111111-aaaa-4aaa-8aaa-000000000004",
    "openstack": "openstack::RegionOne:55555555-eeee-4eee-8eee-000000000004",
}


def test_every_provider_is_asked():
    assert set(FREE) == set(providers.names())


@pytest.mark.parametrize("provider", FREE)
@mock_clouds("demo")
@pytest.mark.sampled(6)
def test_a_free_group_is_found_free_at_the_clouds_own_address(emulator, monkeypatch, provider):
    keystone = "https://keystone.cloud.test/identity/v3"
    monkeypatch.setenv("OS_AUTH_URL", keystone)
    env = load("demo").env | {"OS_AUTH_URL": keystone}
    wanted = request.delete_request({"target": FREE[provider]})
    decision = decide.decide_delete(wanted, Context.from_env(env), event_id="x")
    assert decision.judgement.verdict == "allow"
    assert {r.provider for r in emulator.requests} == {provider}
    # A read of an id that cannot exist is how some clouds prove an empty list: "not found".
    others = [r for r in emulator.requests if "00000000-0000-4000-8000-000000000000" not in r.path]
    assert all(r.status < 300 for r in others)
