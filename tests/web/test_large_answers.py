"""Answers above a megabyte are written as they are sent, by every server, to whoever stays."""

from __future__ import annotations

import copy
import json
import socket
import struct
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from sgguard.emulator.core import Emulator
from sgguard.emulator.server import serve as serve_emulator
from sgguard.emulator.state import Rule
from sgguard.events.base import Delivery
from sgguard.model.event import Event
from sgguard.render.evidence import SHOWN_MAX
from sgguard.web import response
from sgguard.web.response import WHOLE_MAX
from tests.bench.start import free_port
from tests.deployment import environment, functions
from tests.web.test_response import KIND, decide, each
from tests.worlds import world_of

WORLD = world_of("tencent")
GROUPS, HUBS = 60, 100
PACKAGED = """
import os
from sgguard.runtimes import http
from sgguard.runtimes.platforms import container
http.serve("delete_request", container, host="127.0.0.1", port=int(os.environ["PORT"]))
"""
SERVERS = {"serve": ["-m", "sgguard.cli", "serve"], "package": ["-c", PACKAGED]}


def large(count: int = SHOWN_MAX, characters: int = 1200) -> dict:
    """The document of a decision with as many steps."""
    document = decide(Event("1", {}, "/portal", "/0/data"))
    summary = "s" * characters
    step = {"action": "revoke", "target": "t", "summary": summary, "details": {"rule": "r"}}
    return {**document, "plan": [step] * count}


def test_a_large_answer_is_a_stream_of_what_it_would_be_whole():
    document = large()
    for mode in ("bare", "structured", "binary"):
        told = each(Delivery(mode, (Event("1", {}, "/portal", ""),)), lambda _: document)
        content, status, headers = told.for_flask()
        body = json.loads(b"".join(content))
        assert (status, body["data"] if mode == "structured" else body) == (200, document)
        assert "Content-Length" not in headers
    small = response.to_delivery("bare", [large(1)], KIND)
    assert small.stream is None
    assert small.for_flask()[2]["Content-Length"] == str(len(small.body))


def test_a_stream_holds_no_more_than_a_part_of_its_document():
    document = large(8_000, 300)
    tracemalloc.start()
    try:
        content, _, _ = response.to_delivery("bare", [document], KIND).for_flask()
        length = sum(map(len, content))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert length > 2.8 * WHOLE_MAX
    assert peak < 1.5 * WHOLE_MAX


# -- served ----------------------------------------------------------------------------------------


def crowd() -> tuple[Emulator, list[str]]:
    """Groups that each of a hundred others names, which makes an answer of megabytes."""
    emulator = WORLD.emulator()
    cloud = emulator.state.clouds[0]
    template = cloud.group(WORLD.free)
    ids = [f"{WORLD.free[:-4]}{number:04d}" for number in range(GROUPS + HUBS)]
    for group_id in ids:
        group = copy.deepcopy(template)
        group.id, group.name, group.rules = group_id, f"team {group_id}", []
        cloud.groups.append(group)
    for hub in cloud.groups[-HUBS:]:
        hub.rules = [
            Rule(direction="ingress", id=f"{hub.id}-{n}", ports="22", peer_group=one, priority=1)
            for n, one in enumerate(ids[:GROUPS])
        ]
    return emulator, ids[:GROUPS]


CALLER = """
[[caller]]
name = "platform"
proof = { platform = "cloud-run" }
functions = ["delete_request"]
targets = ["*:*:*:*"]
"""
"""A packaged server answers nobody else, wherever it listens."""


@contextmanager
def served(name: str, url: str, policy: Path) -> Iterator[str]:
    """Serve the function that judges deletes; yield its address."""
    if name == "functions-framework":
        with functions(url, "delete_request", SGGUARD_DEADLINE_S="60") as running:
            yield running["delete_request"].url
        return
    port = free_port()
    policy.write_text(CALLER)
    settings = {"SGGUARD_POLICY": str(policy)} if name == "package" else {}
    env = environment(url, SGGUARD_DEADLINE_S="60", PORT=str(port), **settings)
    path = "/delete_request" if name == "serve" else "/"
    command = [sys.executable, *SERVERS[name], *(("--port", str(port)) if path != "/" else ())]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, env=env) as process:
        try:
            yield f"http://127.0.0.1:{port}{path}"
        finally:
            process.kill()


def event(ids: list[str]) -> bytes:
    scope = f"tencent::{WORLD.region}"
    return json.dumps(
        {
            "specversion": "1.0",
            "id": "large-1",
            "source": "/tests",
            "type": "sgguard.delete.requested.v1",
            "data": {"targets": [f"{scope}:{one}" for one in ids]},
        }
    ).encode()


def leave_early(url: str, content: bytes) -> None:
    """Ask, read a little of the answer, and break the connection off."""
    where = httpx.URL(url)
    head = (
        f"POST {where.path} HTTP/1.1\r\nHost: x\r\nContent-Length: {len(content)}\r\n"
        "Content-Type: application/cloudevents+json\r\n\r\n"
    )
    with socket.create_connection((where.host, where.port), timeout=60) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.sendall(head.encode() + content)
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["functions-framework", "serve", "package"])
def test_every_server_sends_a_large_answer_in_chunks_and_outlives_a_client_that_leaves(
    name, tmp_path
):
    emulator, ids = crowd()
    content = event(ids)
    headers = {"Content-Type": "application/cloudevents+json"}
    with (
        serve_emulator(emulator) as clouds,
        served(name, clouds.url, tmp_path / "policy.toml") as url,
        httpx.Client(trust_env=False, timeout=60) as http,
    ):
        await_ready(url)
        leave_early(url, content)
        asked = len(emulator.requests)
        answer = http.post(url, content=content, headers=headers)
        assert answer.status_code == 200
        assert answer.headers.get("transfer-encoding") == "chunked"
        assert "content-length" not in answer.headers
        assert len(answer.content) > WHOLE_MAX
        decision = answer.json()["data"]
        assert (decision["verdict"], decision["event_id"]) == ("block", "large-1")
        assert decision["left_out"]["reference"] == GROUPS * HUBS - 1000
        assert len(emulator.requests) == asked, "what was decided for the one who left is kept"
        assert http.head(url).status_code == 200


def await_ready(url: str) -> None:
    for _ in range(200):
        try:
            if httpx.get(url, trust_env=False, timeout=10).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail("the server does not answer")
