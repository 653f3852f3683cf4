"""CPU from process start to the first answer: the delete function against two others.

One does nothing, and one makes the very same calls by httpx. Each run is a process of its own under
the same framework, and what is counted is all CPU time of it and of its workers, to its end.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from tests.bench.clouds import emulated, environment
from tests.bench.measure import Ratio, least, one_core
from tests.bench.replay import OF_A_CONNECTION, recorded
from tests.bench.tls import authority, over_tls
from tests.worlds import World, world_of

FUNCTION = Path(__file__).resolve().parents[2] / "functions" / "delete_request" / "main.py"
EMPTY = """
import functions_framework

@functions_framework.http
def empty(request):
    return "{}"
"""
BARE = """
import functions_framework
import httpx

CALLS = $CALLS
VERIFY = $VERIFY

@functions_framework.http
def bare(request):
    verify = httpx.create_ssl_context() if VERIFY else False
    with httpx.Client(trust_env=False, verify=verify) as client:
        for method, url, headers, content in CALLS:
            client.request(method, url, headers=headers, content=content).read()
    return "{}"
"""
# Our tests bring pygments, and where it is there httpx imports it for its command line. No artifact
# has it, so no process that is measured here finds it.
LAUNCH = """
import sys
sys.modules["pygments"] = None
from functions_framework._cli import _cli
_cli()
"""
PATIENCE_S = 30.0
AIMS = {"empty function": 1.60, "the same calls by httpx": 1.25}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def cpu_to_first_answer_s(source: Path, target: str, body: bytes, env: Mapping[str, str]) -> float:
    """Return the CPU seconds of a process that starts, answers once with 200 and is ended."""
    port = free_port()
    # A deployed function carries compiled code; so must this one.
    variables = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | env
    command = [sys.executable, "-c", LAUNCH, "--source", str(source)]
    command += ["--target", target, "--port", str(port), "--host", "127.0.0.1"]
    begun = time.perf_counter()
    process = subprocess.Popen(
        command, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        while _ask(port, body) != 200:
            if time.perf_counter() - begun > PATIENCE_S:
                raise TimeoutError(f"{target} did not answer within {PATIENCE_S} s")
            time.sleep(0.005)
    finally:
        process.terminate()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return used.ru_utime + used.ru_stime


def _ask(port: int, body: bytes) -> int:
    """Post once over a bare socket; 0 where nobody listens yet."""
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


def measure(runs: int = 15) -> list[Ratio]:
    """Measure a start over plain HTTP and over TLS."""
    world = world_of("tencent")
    with tempfile.TemporaryDirectory() as folder, emulated() as url:
        server, bundle = authority(Path(folder))
        with over_tls(url, server) as secure:
            return [
                *_against(Path(folder), world, environment(world, url), url, runs),
                *_against(
                    Path(folder),
                    world,
                    environment(world, secure) | {"SSL_CERT_FILE": str(bundle)},
                    secure,
                    runs,
                ),
            ]


def _against(
    folder: Path, world: World, env: Mapping[str, str], url: str, runs: int
) -> list[Ratio]:
    is_tls = url.startswith("https")
    body = json.dumps({"target": f"tencent::{world.region}:{world.free}"}).encode()
    empty = _written(folder / "empty", EMPTY)
    bare = _written(
        folder / f"bare-{is_tls}",
        BARE.replace("$CALLS", _calls(world, url)).replace("$VERIFY", str(is_tls)),
    )
    with one_core():
        found = least(
            (
                lambda: cpu_to_first_answer_s(FUNCTION, "delete_request", body, env),
                lambda: cpu_to_first_answer_s(empty, "empty", body, env),
                lambda: cpu_to_first_answer_s(bare, "bare", body, env),
            ),
            runs,
        )
    what = f"start to first decision{', TLS' if is_tls else ''}"
    loading = f"; {_loading_s() * 1000:.0f} ms of it load certificates" if is_tls else ""
    return [
        Ratio(
            what,
            against,
            one.ratio,
            AIMS[against],
            f"CPU {one.shown()}{loading}",
            one.noise,
            one.ours_s,
            one.theirs_s,
        )
        for against, one in zip(AIMS, found, strict=True)
    ]


def _loading_s(times: int = 5) -> float:
    """Return the least CPU seconds that loading the usual authorities takes."""
    spent = []
    for _ in range(times):
        begun = time.process_time()
        httpx.create_ssl_context(trust_env=False)
        spent.append(time.process_time() - begun)
    return min(spent)


def _calls(world: World, url: str) -> str:
    calls = [
        (
            call.method,
            url + call.url.raw_path.decode(),
            [
                (name.decode(), value.decode())
                for name, value in call.headers.raw
                if name.decode() not in OF_A_CONNECTION
            ],
            call.content,
        )
        for call in recorded(world)[0]
    ]
    return repr(calls)


def _written(folder: Path, source: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / "main.py"
    path.write_text(source)
    return path
