"""Answers given once, given again after a cloud's latency: a server that costs next to nothing.

The emulator checks signatures and thinks, so its own work would be the limit of a throughput
bench; this one only looks the answer up. ``python -m tests.bench.replay FILE LATENCY_S`` prints
its URL and serves.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine.context import Context
from tests.bench.clouds import decide
from tests.worlds import World

ACTIONS = ("x-tc-action", "x-acs-action")
OF_A_CONNECTION = ("host", "connection", "content-length")


def key_of(method: str, target: str, headers: Any, body: bytes) -> str:
    """What tells two questions apart; of a signed form only the action does."""
    action = next((headers[name] for name in ACTIONS if name in headers), "")
    asked = "" if b"Signature=" in body else body.decode()
    return f"{method}\n{target}\n{action}\n{asked}"


@dataclass(eq=False)
class Recorder(httpx.BaseTransport):
    """Hands requests on to another transport and keeps what it answers."""

    inner: httpx.BaseTransport
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[httpx.Request] = field(default_factory=list)

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self.inner.handle_request(request)
        response.read()
        target = request.url.raw_path.decode()
        key = key_of(request.method, target, request.headers, request.content)
        kept = ("content-type", "x-subject-token")
        self.answers[key] = {
            "status": response.status_code,
            "headers": {name: response.headers[name] for name in kept if name in response.headers},
            "body": response.text,
        }
        self.requests.append(request)
        return response


def recorded(world: World) -> tuple[list[httpx.Request], dict[str, Any]]:
    """Return the calls of a decision once there is a token, and the answers to all it may ask."""
    recorder = Recorder(EmulatorTransport(world.emulator()))
    decide(world, Context.from_env(world.env, transport=recorder))
    recorder.requests.clear()
    decide(world, Context.from_env(world.env, transport=recorder))
    return recorder.requests, recorder.answers


def again(client: httpx.Client, url: str, call: httpx.Request) -> bytes:
    """Send a recorded request to another address, signature and all, and read the answer."""
    headers = [
        (name, value) for name, value in call.headers.raw if name.decode() not in OF_A_CONNECTION
    ]
    target = url + call.url.raw_path.decode()
    return client.request(call.method, target, content=call.content, headers=headers).read()


@contextmanager
def replayed(answers: dict[str, Any], tmp: Path, latency_s: float = 0.0) -> Iterator[str]:
    """Serve the answers from a process of its own; yields its URL."""
    file = tmp / "answers.json"
    file.write_text(json.dumps(answers))
    command = [sys.executable, "-m", "tests.bench.replay", str(file), str(latency_s)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


class _Replay(asyncio.Protocol):
    """HTTP/1.1 as our client speaks it: one request after another, bodies with their length."""

    def __init__(self, answers: dict[str, bytes], latency_s: float) -> None:
        self.answers = answers
        self.latency_s = latency_s
        self.buffer = b""

    def connection_made(self, transport: Any) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, found, rest = self.buffer.partition(b"\r\n\r\n")
        if not found:
            return
        first, *lines = head.decode().split("\r\n")
        pairs = (line.split(": ", 1) for line in lines)
        headers = {name.lower(): value for name, value in pairs}
        length = int(headers.get("content-length", 0))
        if len(rest) < length:
            return
        self.buffer = rest[length:]
        method, target, _ = first.split(" ")
        answer = self.answers[key_of(method, target, headers, rest[:length])]
        asyncio.get_running_loop().call_later(self.latency_s, self.transport.write, answer)


def _written(answer: dict[str, Any]) -> bytes:
    body = answer["body"].encode()
    lines = [f"HTTP/1.1 {answer['status']} ANY", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in answer["headers"].items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def _serve(answers: dict[str, bytes], latency_s: float) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Replay(answers, latency_s), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    told = json.loads(Path(sys.argv[1]).read_text())
    asyncio.run(_serve({k: _written(one) for k, one in told.items()}, float(sys.argv[2])))
