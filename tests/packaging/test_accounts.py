"""An event function guards further accounts with the credentials that its platform gives."""

from __future__ import annotations

import json
import time

import pytest

from sgguard.emulator.server import serve
from tests.accounts.worlds import HOMES, Deployment
from tests.packaging import artifact
from tests.packaging.test_event_runtimes import RUNTIMES, runtime

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_role_is_assumed_with_the_credentials_of_the_context(name, tmp_path):
    cloud, platform = RUNTIMES[name]
    (home,) = [one for one in HOMES if one.provider == cloud]
    guarded = Deployment(home, {"id": home.shop_number, **home.role})
    guarded.emulator.now = time.time
    policy = tmp_path / "policy.toml"
    policy.write_text(artifact.caller("delete_request", f'platform = "{platform}"'))
    key_id, secret = home.env.values()
    asked = [guarded.address("shop", home.shops), guarded.address("", home.shops)]
    asked.append(guarded.address("stock", home.shops))
    with serve(guarded.emulator) as running:
        settings = {
            "SGGUARD_POLICY": str(policy),
            "SGGUARD_ACCOUNTS": guarded.env["SGGUARD_ACCOUNTS"],
            f"SGGUARD_ENDPOINT_{cloud.upper()}": running.url,
        }
        context = {"key_id": key_id, "secret": secret, "token": ""}
        if cloud == "huawei":  # what the operator set comes with the context
            context["settings"], settings = settings, {}
        made = artifact.built("delete_request", name)
        events = [{"event": {"target": one}, "context": context} for one in asked]
        invoked = artifact.invoke(made, tmp_path, cloud, runtime.target(name), events, **settings)
    shop, own, unknown = (one["answer"] for one in invoked.answers)
    assert "referenced" in [one["code"] for one in shop["reasons"]]
    assert [one["code"] for one in own["reasons"]] == ["not-found"]
    assert unknown["status"] == 422
    assert guarded.calls(home.action) == 1
    sessions = guarded.emulator.state.clouds[0].sessions.values()
    secrets = [text for one in sessions for text in (one.secret, one.token)]
    told = invoked.printed + json.dumps(invoked.answers)
    assert not [one for one in (secret, *secrets) if one in told]
