"""Cold start of each artifact as its platform starts it, beside an empty function of that runtime.

An event artifact is a handler in a new Python process, a server artifact a start file. The empty
function is what a platform's tutorial has: a handler that returns at once, a server of the standard
library that answers at once. Both get the same interpreter, without packages of this machine.
"""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sgguard.packaging import runtime
from tests.bench.clouds import emulated
from tests.bench.measure import Ratio, interleaved
from tests.bench.start import PATIENCE_S, free_port
from tests.packaging import artifact
from tests.packaging import test_event_runtimes as events
from tests.packaging import test_server_runtimes as servers
from tests.worlds import world_of

AIM = 8.0
"""An empty function imports nothing; with the same framework in both it is `start`."""

_EMPTY_HANDLER = "def handler(event, context):\n    return {}\n"
_EMPTY_SERVER = """
import http.server, os

class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *args):
        pass

http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Handler).serve_forever()
"""


@dataclass(frozen=True)
class Place:
    """One runtime, its emulated cloud, and a folder of its own."""

    name: str
    cloud: str
    url: str
    folder: Path

    @property
    def target(self) -> runtime.Target:
        return runtime.target(self.name)

    def settings(self, proof: str) -> dict[str, str]:
        policy = self.folder / "policy.toml"
        policy.write_text(artifact.caller("delete_request", proof))
        world = world_of(self.cloud)
        project = {n: v for n, v in world.env.items() if n.endswith("PROJECT_ID")}
        endpoint = f"SGGUARD_ENDPOINT_{self.cloud.upper()}"
        return {"SGGUARD_POLICY": str(policy), endpoint: self.url, **project}

    def target_of_delete(self) -> dict[str, str]:
        world = world_of(self.cloud)
        return {"target": f"{world.provider}::{world.region}:{world.free}"}


def measure(runs: int = 5) -> list[Ratio]:
    """Measure every runtime whose Python and wheels are here."""
    found: list[Ratio] = []
    with emulated() as url:
        for name, (cloud, proof) in events.RUNTIMES.items():
            with _place(name, cloud, url) as place:
                found += _of(place, runs, f'platform = "{proof}"', _handler)
        for name, cloud in servers.RUNTIMES.items():
            with _place(name, cloud, url) as place:
                found += _of(place, runs, servers.PROOF, _server)
    return found


Starts = tuple[Callable[[], float], Callable[[], float]]


@contextmanager
def _place(name: str, cloud: str, url: str) -> Iterator[Place]:
    with tempfile.TemporaryDirectory() as folder:
        yield Place(name, cloud, url, Path(folder))


def _of(place: Place, runs: int, proof: str, starts: Callable[[Place, str], Starts]) -> list[Ratio]:
    try:
        ours_s, empty_s = starts(place, proof)
    except pytest.skip.Exception as why:
        print(f"{place.name}: {why.msg}", file=sys.stderr)
        return []
    ours, theirs, ratio = interleaved(ours_s, empty_s, runs)
    detail = f"medians of {runs}: {ours * 1000:.0f} ms and {theirs * 1000:.0f} ms"
    return [Ratio(f"cold start, {place.name}", "empty function of the runtime", ratio, AIM, detail)]


def _handler(place: Place, proof: str) -> Starts:
    code = artifact.unpacked(artifact.built("delete_request", place.name), place.folder)
    empty = place.folder / "empty"
    empty.mkdir()
    module = place.target.runtime.handler.partition(".")[0]
    (empty / f"{module}.py").write_text(_EMPTY_HANDLER.replace("handler", _function(place)))
    settings = place.settings(proof)
    key_id, secret, token, *_ = world_of(place.cloud).env.values()
    context: dict[str, Any] = {"key_id": key_id, "secret": secret, "token": token}
    if place.cloud == "huawei":  # what the operator set comes with the context
        context["settings"], settings = settings, {}
    env = artifact.empty_environment(place.folder, **settings)
    body = place.target_of_delete()
    one = {"event": body, "context": context}
    if place.cloud == "alibaba":
        one["bytes"] = base64.b64encode(json.dumps(body).encode()).decode()

    def seconds(folder: Path) -> float:
        given = {
            "folder": str(folder),
            "handler": place.target.runtime.handler,
            "platform": place.cloud,
            "invocations": [one],
        }
        begun_s = time.perf_counter()
        ended = subprocess.run(
            [artifact.interpreter(place.target.python), "-S", str(artifact.DRIVER)],
            input=json.dumps(given),
            env=env,
            cwd=place.folder,
            capture_output=True,
            text=True,
            check=True,
        )
        took_s = time.perf_counter() - begun_s
        answer = json.loads(ended.stdout.splitlines()[0])["answer"]
        if folder == code and answer.get("verdict") != "allow":
            raise RuntimeError(f"{place.name} did not decide: {answer}")
        return took_s

    return (lambda: seconds(code)), (lambda: seconds(empty))


def _function(place: Place) -> str:
    return place.target.runtime.handler.partition(".")[2]


def _server(place: Place, proof: str) -> Starts:
    code = artifact.unpacked(artifact.built("delete_request", place.name), place.folder)
    env = artifact.empty_environment(place.folder, **place.settings(proof), PATH="/usr/bin:/bin")
    empty = place.folder / "empty.py"
    empty.write_text(_EMPTY_SERVER)
    role = zip(servers.HEADERS[place.cloud], world_of(place.cloud).env.values(), strict=False)
    headers = {**dict(role), "authorization": f"Bearer {servers.KEY}"}
    body = json.dumps(place.target_of_delete()).encode()

    def ours() -> float:
        port = free_port()
        command = artifact.start_command(code, place.target, place.folder, port)
        return _first_answer_s(command, env, port, headers, body)

    def theirs() -> float:
        port = free_port()
        command = [artifact.interpreter(place.target.python), "-S", "-u", str(empty)]
        return _first_answer_s(command, {**env, "PORT": str(port)}, port, headers, body)

    return ours, theirs


def _first_answer_s(
    command: list[str], env: dict[str, str], port: int, headers: dict[str, str], body: bytes
) -> float:
    """Return the seconds from starting the process to its first 200."""
    begun_s = time.perf_counter()
    process = subprocess.Popen(
        command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while time.perf_counter() - begun_s < PATIENCE_S:
            if _ask(port, headers, body) == 200:
                return time.perf_counter() - begun_s
            time.sleep(0.002)
        raise TimeoutError(f"{command[0]} did not answer within {PATIENCE_S} s")
    finally:
        process.terminate()
        process.wait()


def _ask(port: int, headers: dict[str, str], body: bytes) -> int:
    """Post once over a bare socket: a client library's own start must not be in the figure."""
    given = {"Host": "localhost", "Content-Type": "application/json", **headers}
    given |= {"Content-Length": str(len(body)), "Connection": "close"}
    lines = "".join(f"{name}: {value}\r\n" for name, value in given.items())
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
            connection.sendall(f"POST / HTTP/1.1\r\n{lines}\r\n".encode() + body)
            line = connection.makefile("rb").readline()
    except OSError:
        return 0
    return int(line.split()[1]) if line.startswith(b"HTTP/") else 0
