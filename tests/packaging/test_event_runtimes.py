"""Event functions: each artifact on its platform's stand-in decides as ``sgguard serve`` does."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from sgguard.emulator.server import serve
from sgguard.packaging import runtime
from tests.packaging import artifact
from tests.worlds import World, world_of

pytestmark = pytest.mark.slow

RUNTIMES = {
    "tencent-scf-event": ("tencent", "scf"),
    "alibaba-fc-event": ("alibaba", "function-compute"),
    "huawei-functiongraph-event": ("huawei", "functiongraph"),
}
SECRET_HEADERS = {
    "tencent": ("X-Scf-Secret-Id", "X-Scf-Secret-Key", "X-Scf-Session-Token"),
    "alibaba": ("X-Fc-Access-Key-Id", "x-fc-access-key-secret", "x-fc-security-token"),
    "huawei": ("X-CFF-Security-Access-Key", "X-CFF-Security-Secret-Key", "X-CFF-Security-Token"),
}
PLANTED = "planted-secret-value-{}"


@dataclass
class Place:
    """One runtime with its emulated cloud, and the settings of a function there."""

    name: str
    cloud: str
    world: World
    url: str
    folder: Path

    @property
    def target(self) -> runtime.Target:
        return runtime.target(self.name)

    def context(self, **changed: str) -> dict[str, Any]:
        key_id, secret, token, *_ = self.world.env.values()
        return {"key_id": key_id, "secret": secret, "token": token, **changed}

    def settings(self, policy: str, **more: str) -> dict[str, str]:
        path = self.folder / "policy.toml"
        path.write_text(policy)
        project = {n: v for n, v in self.world.env.items() if n.endswith("PROJECT_ID")}
        endpoint = f"SGGUARD_ENDPOINT_{self.cloud.upper()}"
        return {"SGGUARD_POLICY": str(path), endpoint: self.url, **project, **more}

    def address(self, who: str) -> str:
        return f"{self.world.provider}::{self.world.region}:{getattr(self.world, who)}"

    def run(self, invocations: list[dict[str, Any]], settings: dict[str, str]) -> artifact.Invoked:
        made = artifact.built("delete_request", self.name)
        if self.cloud == "huawei":  # what the operator set comes with the context
            for one in invocations:
                one["context"]["settings"] = settings
            settings = {}
        return artifact.invoke(made, self.folder, self.cloud, self.target, invocations, **settings)


@pytest.fixture(params=RUNTIMES)
def place(request, tmp_path):
    cloud, _ = RUNTIMES[request.param]
    world = world_of(cloud)
    with serve(world.emulator()) as running:
        yield Place(request.param, cloud, world, running.url, tmp_path)


def platform_caller(place: Place) -> str:
    return artifact.caller("delete_request", f'platform = "{RUNTIMES[place.name][1]}"')


def test_an_artifact_decides_as_the_served_function_does_with_the_credentials_of_the_context(
    place,
):
    asked = [{"target": place.address(who)} for who in ("free", "referenced", "bound", "missing")]
    event = {
        "specversion": "1.0",
        "id": "e-1",
        "source": "/portal",
        "type": "sgguard.delete.requested.v1",
        "data": asked[1],
    }
    settings = place.settings(platform_caller(place))
    invoked = place.run(
        [{"event": one, "context": place.context()} for one in [*asked, event]], settings
    )
    (place.folder / "serve").mkdir()
    own = {**settings, **place.world.env, "XDG_STATE_HOME": str(place.folder / "state")}
    with artifact.sgguard_serve(place.folder / "serve", own) as url:
        for body, found in zip(asked, invoked.answers, strict=False):
            served = httpx.post(f"{url}/delete_request", json=body, trust_env=False, timeout=60)
            assert artifact.essence(found["answer"]) == artifact.essence(served.json())
    verdicts = [one["answer"]["verdict"] for one in invoked.answers[:4]]
    assert verdicts == ["allow", "block", "block", "block"]
    enveloped = invoked.answers[4]["answer"]
    assert enveloped["type"] == "sgguard.decision.v1"
    assert enveloped["data"]["verdict"] == "block"
    assert invoked.outside == []
    assert invoked.collects


def test_an_event_that_was_not_decided_is_an_error_and_one_that_is_wrong_an_answer(place):
    away = place.settings(platform_caller(place)) | {
        f"SGGUARD_ENDPOINT_{place.cloud.upper()}": "http://127.0.0.1:9",
        "SGGUARD_DEADLINE_S": "1",
    }
    invoked = place.run(
        [
            {"event": {"target": place.address("free")}, "context": place.context()},
            {"event": {"targets": "none"}, "context": place.context()},
        ],
        away,
    )
    undecided, wrong = invoked.answers
    assert undecided["raised"] == "AgainError"
    assert undecided["text"].startswith("503 ")
    assert "verdict" not in wrong["answer"]
    assert wrong["answer"]["status"] == 400


def test_no_secret_of_an_event_a_context_or_a_gateways_request_is_printed_or_answered(place):
    secrets = [PLANTED.format(n) for n in range(12)]
    planted = place.context(secret=secrets[0] + "a" * 20, token=secrets[1] + "b" * 20)
    headers = dict(zip(SECRET_HEADERS[place.cloud], secrets[2:5], strict=True))
    body = json.dumps({"target": place.address("free"), "password": secrets[5]})
    gateway = {
        "httpMethod": "POST",
        "path": f"/{secrets[6]}",
        "queryStringParameters": {"access_token": secrets[7]},
        "headers": {**headers, "authorization": f"Bearer {secrets[8]}"},
        "body": base64.b64encode(body.encode()).decode(),
        "isBase64Encoded": True,
        "requestContext": {"sourceIp": "198.51.100.7"},
    }
    events: list[Any] = [
        {"target": place.address("free"), "Token": secrets[9]},
        {"target": place.address("free")},
        gateway,
        {**gateway, "path": "/"},
        {**gateway, "body": f"!{secrets[10]}"},
        f'{{"target": "{secrets[11]}',
    ]
    for proof in (
        f'platform = "{RUNTIMES[place.name][1]}"',
        'bearer = ["sha256:' + "0" * 64 + '"]',
    ):
        settings = place.settings(artifact.caller("delete_request", proof))
        folder = place.folder / proof[:3]
        folder.mkdir()
        here = Place(place.name, place.cloud, place.world, place.url, folder)
        invoked = here.run([{"event": one, "context": dict(planted)} for one in events], settings)
        assert len(invoked.answers) == len(events)
        assert [one for one in secrets if one in invoked.printed] == []
        assert not any("allow" in json.dumps(one) for one in invoked.answers)


def test_a_gateways_request_needs_a_proof_of_its_own(place):
    request = {
        "httpMethod": "POST",
        "path": "/",
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"target": place.address("free")}),
        "isBase64Encoded": False,
        "requestContext": {},
    }
    settings = place.settings(platform_caller(place))
    invoked = place.run([{"event": request, "context": place.context()}], settings)
    assert invoked.answers[0]["answer"]["statusCode"] == 403


def test_a_gateways_request_with_a_proof_gets_the_decision_as_a_response(place):
    key = "k" * 40
    digest = hashlib.sha256(key.encode()).hexdigest()
    settings = place.settings(artifact.caller("delete_request", f'bearer = ["sha256:{digest}"]'))
    request = {
        "httpMethod": "POST",
        "path": "/",
        "headers": {"Content-Type": "application/json", "Authorization": f"Bearer {key}"},
        "body": base64.b64encode(json.dumps({"target": place.address("free")}).encode()).decode(),
        "isBase64Encoded": True,
        "requestContext": {},
    }
    without = {**request, "headers": {"Content-Type": "application/json"}}
    invoked = place.run(
        [{"event": one, "context": place.context()} for one in (request, without)], settings
    )
    with_proof, unproven = (one["answer"] for one in invoked.answers)
    assert (with_proof["statusCode"], unproven["statusCode"]) == (200, 401)
    assert json.loads(with_proof["body"])["verdict"] == "allow"
    assert with_proof["headers"]["Content-Type"] == "application/json"
