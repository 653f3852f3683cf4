"""From process start to the first answer: the delete function against an empty one."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

from tests.bench.clouds import emulated, environment
from tests.bench.measure import Ratio, interleaved
from tests.worlds import world_of

FUNCTION = Path(__file__).resolve().parents[2] / "functions" / "delete_request" / "main.py"
EMPTY = """
import functions_framework

@functions_framework.http
def empty(request):
    return "{}"
"""
PATIENCE_S = 30.0


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def first_answer_s(source: Path, target: str, body: bytes, env: dict[str, str]) -> float:
    """Return the seconds from starting the process to its first 200."""
    port = free_port()
    # A deployed function carries compiled code; so must this one.
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | env
    command = [sys.executable, "-m", "functions_framework", "--source", str(source)]
    command += ["--target", target, "--port", str(port), "--host", "127.0.0.1"]
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while time.perf_counter() - begun < PATIENCE_S:
            if _ask(port, body) == 200:
                return time.perf_counter() - begun
            time.sleep(0.002)
        raise TimeoutError(f"{target} did not answer within {PATIENCE_S} s")
    finally:
        process.terminate()
        process.wait()


def _ask(port: int, body: bytes) -> int:
    """Post once over a bare socket: a client library's own start must not be in the figure."""
    head = (
        f"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
            connection.sendall(head.encode() + body)
            line = connection.makefile("rb").readline()
    except OSError:
        return 0
    return int(line.split()[1]) if line.startswith(b"HTTP/") else 0


def measure(tmp: Path, runs: int = 11) -> list[Ratio]:
    empty = tmp / "main.py"
    empty.write_text(EMPTY)
    world = world_of("tencent")
    body = json.dumps({"target": f"tencent::{world.region}:{world.free}"}).encode()
    with emulated() as url:
        env = environment(world, url)
        ours, theirs, ratio = interleaved(
            lambda: first_answer_s(FUNCTION, "delete_request", body, env),
            lambda: first_answer_s(empty, "empty", body, env),
            runs,
        )
    detail = f"medians of {runs}: {ours * 1000:.0f} ms and {theirs * 1000:.0f} ms"
    return [Ratio("start to first decision", "empty function", ratio, 1.35, detail)]
