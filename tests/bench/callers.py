"""What it costs to authenticate a request: CPU of the same request with a caller and without."""

from __future__ import annotations

import itertools
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import functions_framework

from sgguard.web import server
from tests.bench.clouds import environment
from tests.bench.measure import Ratio, interleaved
from tests.bench.replay import recorded, replayed
from tests.bench.way import environment as in_environment
from tests.callers.signers import ENV, SENDERS, Sent, jwks
from tests.worlds import world_of

REQUESTS = 40
KINDS = {"bearer": "a bearer token", "standard": "a signature over the body", "jwt": "a cached JWT"}


def measure(runs: int = 7) -> list[Ratio]:
    world = world_of("tencent")
    _, answers = recorded(world)
    with tempfile.TemporaryDirectory() as tmp, replayed(answers, Path(tmp)) as url:
        env = environment(world, url) | ENV | {"HOST": "127.0.0.1"}
        env["SGGUARD_STORE"] = f"sqlite:///{tmp}/guard.db"
        target = f"{world.provider}::{world.region}:{world.free}"
        return [_cost(kind, env, target, Path(tmp), runs) for kind in KINDS]


def _cost(kind: str, env: dict[str, str], target: str, folder: Path, runs: int) -> Ratio:
    policies = {True: _policy(kind, folder), False: str(_written(folder / "open.json", {}))}
    numbers = itertools.count()
    with in_environment({**env, "SGGUARD_POLICY": policies[True]}):
        app = functions_framework.create_app(
            "delete_request", str(server.functions()["delete_request"])
        )
        client = app.test_client()

    def run(*, is_proven: bool) -> float:
        sent = [_sent(kind, target, f"{kind}-{next(numbers)}") for _ in range(REQUESTS)]
        with in_environment({**env, "SGGUARD_POLICY": policies[is_proven]}):
            begun = time.process_time()
            for one in sent:
                _send(client, one)
            return time.process_time() - begun

    ours, theirs, ratio = interleaved(
        lambda: run(is_proven=True), lambda: run(is_proven=False), runs
    )
    detail = f"{ours / REQUESTS * 1000:.2f} ms and {theirs / REQUESTS * 1000:.2f} ms of CPU"
    what = f"a request with {KINDS[kind]}"
    return Ratio(what, "the same without callers", ratio, 1.10, detail)


def _send(client: Any, sent: Sent) -> None:
    headers = {"content-type": "application/json", **sent.headers}
    answer = client.post("/", data=sent.body, headers=headers)
    assert answer.status_code == 200, answer.get_data()
    answer.close()


def _sent(kind: str, target: str, event_id: str) -> Sent:
    body = json.dumps({"id": event_id, "target": target}).encode()
    return SENDERS[kind].send(body, time.time())


def _policy(kind: str, folder: Path) -> str:
    proof = json.loads(json.dumps(SENDERS[kind].proof))
    if kind == "jwt":
        keys = folder / "jwks.json"
        keys.write_bytes(jwks())
        proof["jwt"] = {**proof["jwt"], "jwks_file": str(keys)}
        del proof["jwt"]["jwks"]
    caller = {"name": "portal", "proof": proof, "functions": ["delete_request"]}
    rows = {"caller": [{**caller, "targets": ["*:*:*:*"]}]}
    return str(_written(folder / f"{kind}.json", rows))


def _written(path: Path, document: dict[str, Any]) -> Path:
    path.write_text(json.dumps(document))
    return path
