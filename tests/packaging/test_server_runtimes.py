"""Server runtimes: each artifact is started by its start file, and asked as its platform asks."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from sgguard.demo.processes import free_port
from sgguard.emulator.server import serve
from sgguard.packaging import runtime
from tests.packaging import artifact
from tests.worlds import World, world_of

pytestmark = pytest.mark.slow

HEADERS = {
    "tencent": ("X-Scf-Secret-Id", "X-Scf-Secret-Key", "X-Scf-Session-Token"),
    "alibaba": ("x-fc-access-key-id", "x-fc-access-key-secret", "x-fc-security-token"),
    "huawei": (
        "X-CFF-Security-Access-Key",
        "X-CFF-Security-Secret-Key",
        "X-CFF-Security-Token",
    ),
}
RUNTIMES = {
    "tencent-scf-web": "tencent",
    "alibaba-fc-custom": "alibaba",
    "huawei-functiongraph-http": "huawei",
}
PLANTED = "planted-malformed-value"
MALFORMED = [
    raw.replace("?", PLANTED).encode()
    for raw in (
        "POST /?\r\n\r\n",
        "POST /? HTTP/9.9\r\n\r\n",
        "? / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.1\r\nx ?: a\r\n\r\n",
        "GET / HTTP/1.1\r\nx-fc-security-token: ?\x00\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ?\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ?\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nExpect: ?\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a\r\nX-A: " + "?" * 1000 + "\r\n\r\n",
    )
]
KEY = "k" * 40
PROOF = f'bearer = ["sha256:{hashlib.sha256(KEY.encode()).hexdigest()}"]'


@dataclass
class Place:
    """A server of one runtime, and the cloud that it asks."""

    cloud: str
    world: World
    served: artifact.Served

    def ask(self, who: str, path: str = "/", **headers: str) -> httpx.Response:
        role = dict(zip(HEADERS[self.cloud], self.world.env.values(), strict=False))
        given = {**role, "content-type": "application/json", "authorization": f"Bearer {KEY}"}
        body = json.dumps({"target": self.address(who)}).encode()
        return self.served.post(path, body, **{**given, **headers})

    def address(self, who: str) -> str:
        return f"{self.world.provider}::{self.world.region}:{getattr(self.world, who)}"


@contextmanager
def started(name: str, folder: Path, proof: str = PROOF) -> Iterator[Place]:
    cloud = RUNTIMES[name]
    world, target = world_of(cloud), runtime.target(name)
    code = artifact.unpacked(artifact.built("delete_request", name), folder)
    policy = folder / "policy.toml"
    policy.write_text(artifact.caller("delete_request", proof))
    with serve(world.emulator()) as running:
        env = artifact.empty_environment(folder, SGGUARD_POLICY=str(policy), PATH="/usr/bin:/bin")
        env[f"SGGUARD_ENDPOINT_{cloud.upper()}"] = running.url
        env |= {n: v for n, v in world.env.items() if n.endswith("PROJECT_ID")}
        port = free_port()
        command = artifact.start_command(code, target, folder, port)
        with artifact.serving(command, folder, env, port) as served:
            yield Place(cloud, world, served)


@pytest.mark.parametrize("name", RUNTIMES)
def test_a_start_file_serves_decisions_made_with_the_credentials_of_each_request(name, tmp_path):
    secrets = [f"planted-secret-value-{n}" for n in range(5)]
    with started(name, tmp_path) as place:
        decided = [place.ask(who).json()["verdict"] for who in ("free", "referenced", "bound")]
        assert decided == ["allow", "block", "block"]
        # The next request brings other credentials: none of the one before are used for it.
        planted = dict(zip(HEADERS[place.cloud], (s + "x" * 20 for s in secrets), strict=False))
        refused = place.ask("free", **planted)
        nobody = place.ask("free", authorization=f"Bearer {secrets[3]}", **planted)
        nowhere = place.ask("free", f"/{secrets[4]}")
        unreadable = [place.served.send(raw) for raw in MALFORMED]
        without = place.ask("free", **dict.fromkeys(HEADERS[place.cloud], ""))
        printed = place.served.printed()
    assert refused.status_code == 503
    assert nobody.status_code == 401
    assert nowhere.status_code == 404
    assert without.status_code in (422, 503)
    assert [one for one in unreadable if not one.startswith("HTTP/1.1 ") or PLANTED in one] == []
    assert PLANTED not in printed
    told = printed + refused.text + nobody.text + nowhere.text + without.text
    assert [one for one in secrets if one in told] == []
    assert [one for one in list(place.world.env.values())[1:3] if one in told] == []


def test_function_compute_is_told_how_an_invocation_went(tmp_path):
    invoke = {"x-fc-control-path": "/invoke", "content-type": "application/octet-stream"}
    with started("alibaba-fc-custom", tmp_path, 'platform = "function-compute"') as place:
        start = place.served.post("/initialize", b"", x_fc_control_path="/initialize")
        decided = place.ask("free", "/invoke", **invoke)
        event = {
            "specversion": "1.0",
            "id": "e-1",
            "source": "/portal",
            "type": "sgguard.delete.requested.v1",
            "data": {"target": place.address("referenced")},
        }
        role = dict(zip(HEADERS["alibaba"], place.world.env.values(), strict=False))
        enveloped = place.served.post("/invoke", json.dumps(event).encode(), **{**role, **invoke})
        wrong = place.served.post("/invoke", b"{}", **{**role, **invoke})
        again = place.ask("free", "/invoke", **invoke, **{HEADERS["alibaba"][1]: "w" * 30})
        through_http = place.served.post("/initialize", b"", x_fc_control_path="/http-invoke")
    told = [one.headers["x-fc-status"] for one in (start, decided, enveloped, wrong, again)]
    assert told == ["200", "200", "200", "200", "404"]
    assert decided.json()["verdict"] == "allow"
    assert enveloped.json()["data"]["verdict"] == "block"
    assert "verdict" not in wrong.json()
    assert again.status_code == 404
    assert through_http.status_code == 404
    assert "x-fc-status" not in through_http.headers


@pytest.mark.parametrize("name", RUNTIMES)
def test_no_secret_in_any_other_place_of_a_request_is_printed_or_answered(name, tmp_path):
    """Query, cookie, body, its fields and its type, attributes of an event: what ends in logs."""
    planted = [f"planted-secret-value-{n}" for n in range(12)]
    with started(name, tmp_path) as place:
        own, body = f"Bearer {KEY}", {"target": place.address("free"), "password": planted[0]}
        event = {
            "ce_specversion": "1.0",
            "ce_id": "e-1",
            "ce_type": planted[1],
            "ce_source": f"https://user:{planted[2]}@portal.example/",
            "ce_token": planted[3],
        }
        asked = [
            place.ask("free", f"/?access_token={planted[4]}"),
            place.ask("free", cookie=f"session={planted[5]}", x_api_key=planted[6]),
            place.served.post("/", json.dumps(body).encode(), authorization=own),
            place.served.post("/", planted[7].encode(), authorization=own),
            place.ask("free", content_type=f"application/{planted[8]}"),
            place.ask("free", **event),
            place.ask("free", authorization=f"Basic {planted[9]}"),
            place.served.post("/metrics", b"", authorization=planted[10]),
            place.ask("free", traceparent=planted[11], tracestate=f"a={planted[11]}"),
        ]
        printed = place.served.printed()
    told = printed + "".join(one.text + str(one.headers) for one in asked)
    assert [one for one in planted if one in told] == []
    assert {one.status_code for one in asked} >= {200, 400, 401}
