"""Artifacts as they are built, unpacked, and started the way their platform starts them."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import time
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import httpx
import pytest

from sgguard.cli.package import _cache
from sgguard.demo.processes import free_port
from sgguard.errors import SettingsError
from sgguard.packaging import requirement, runtime, wheel
from sgguard.packaging.build import Artifact, Wish, build

TIMEOUT_S = 60
DRIVER = Path(__file__).with_name("drive.py")

# Imported by every Python that is started here: no connection leaves this machine. It is started
# without its own packages (-S), so nothing but the artifact can be imported.
_LOOPBACK_ONLY = """
import socket
_connect = socket.socket.connect
def connect(self, address):
    if isinstance(address, tuple) and not str(address[0]).startswith("127."):
        raise OSError(f"no network here: {address}")
    return _connect(self, address)
socket.socket.connect = connect
"""


def caller(function: str, proof: str, name: str = "asking") -> str:
    return (
        f'[[caller]]\nname = "{name}"\nproof = {{ {proof} }}\n'
        f'functions = ["{function}"]\ntargets = ["*:*:*:*"]\n'
    )


@lru_cache(maxsize=8)
def interpreter(version: str) -> str:
    """A Python of that version on this machine, and nothing that was installed for it."""
    beside = Path(sys.base_prefix).parent.glob(f"*{version}*/bin/python{version}")
    own = [str(Path(sys.base_prefix, "bin", f"python{version}"))]
    for found in filter(None, [*own, *map(str, beside), shutil.which(f"python{version}")]):
        if Path(found).exists():
            said = subprocess.run(
                [found, "-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
                capture_output=True,
                text=True,
                check=False,
            )
            if said.stdout.strip() == version:
                return found
    pytest.skip(f"there is no Python {version} here")


@cache
def built(function: str, name: str, extras: tuple[str, ...] = ()) -> Artifact:
    """Build once a run; the wheels are kept from one run to the next."""
    target = runtime.target(name)
    python = interpreter(target.python)
    with _or_skipped():
        return build(Wish(function, target, _cache(), extras=extras, interpreter=python))


def download(name: str, extras: tuple[str, ...] = ()) -> None:
    """Have the wheels of a runtime at hand, so that it can be built offline."""
    target = runtime.target(name)
    with _or_skipped():
        wheel.wheels(requirement.pins(target, extras), target, _cache(), is_offline=False)


@contextmanager
def _or_skipped() -> Iterator[None]:
    try:
        yield
    except SettingsError as error:
        if "reached no index" in str(error):
            pytest.skip(f"wheels are needed: {error}")
        raise


def unpacked(artifact: Artifact, folder: Path) -> Path:
    """Unpack as platforms do: files, their modes, and nothing that may be written."""
    archive = folder / "artifact.zip"
    archive.write_bytes(artifact.content)
    code = folder / "code"
    if tarfile.is_tarfile(archive):
        with tarfile.open(archive) as layer:
            layer.extractall(code, filter="data")
        return code
    with zipfile.ZipFile(archive) as packed:
        for entry in packed.infolist():
            path = Path(packed.extract(entry, code))
            path.chmod((entry.external_attr >> 16) & 0o777)
    return code


def empty_environment(folder: Path, **settings: str) -> dict[str, str]:
    """Only what was set for the function, and the guard of the network."""
    guard = folder / "guard"
    guard.mkdir(exist_ok=True)
    (guard / "sitecustomize.py").write_text(_LOOPBACK_ONLY)
    return {"PYTHONPATH": str(guard), "PYTHONDONTWRITEBYTECODE": "x", **settings}


@dataclass
class Invoked:
    """What a handler answered to each event, and everything that was printed."""

    answers: list[dict[str, Any]]
    outside: list[str]
    collects: bool
    printed: str


def invoke(
    artifact: Artifact,
    folder: Path,
    platform: str,
    target: runtime.Target,
    invocations: list[dict[str, Any]],
    **settings: str,
) -> Invoked:
    """Let the platform's stand-in call the handler once for each of the invocations."""
    given = {
        "folder": str(unpacked(artifact, folder)),
        "handler": target.runtime.handler,
        "platform": platform,
        "invocations": invocations,
    }
    ended = subprocess.run(
        [interpreter(target.python), "-S", str(DRIVER)],
        input=json.dumps(given),
        env=empty_environment(folder, **settings),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    *answers, last = [json.loads(line) for line in ended.stdout.splitlines()]
    return Invoked(answers, last["outside"], last["collects"], ended.stdout + ended.stderr)


@dataclass
class Served:
    """A function that a platform's start file serves."""

    url: str
    output: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    def post(self, path: str, content: bytes, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.post(
            self.url + path, content=content, headers=named, timeout=TIMEOUT_S, trust_env=False
        )

    def send(self, raw: bytes) -> str:
        """Send bytes as they are, and return what comes back until the connection ends."""
        port = int(self.url.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S) as connection:
            connection.sendall(raw)
            connection.shutdown(socket.SHUT_WR)
            found = b""
            while chunk := connection.recv(65536):
                found += chunk
        return found.decode("latin-1")

    def printed(self) -> str:
        return self.output.read_text(errors="replace")


@contextmanager
def serving(
    command: list[str], folder: Path, env: Mapping[str, str], port: int
) -> Iterator[Served]:
    """Run a start file until the block is left."""
    output = folder / "output"
    with output.open("wb") as file:
        process = subprocess.Popen(
            command, cwd=folder, env=dict(env), stdout=file, stderr=subprocess.STDOUT
        )
        try:
            _wait(process, port, output)
            yield Served(f"http://127.0.0.1:{port}", output, process)
        finally:
            process.terminate()
            try:
                process.wait(TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _wait(process: subprocess.Popen[bytes], port: int, output: Path) -> None:
    give_up = time.monotonic() + TIMEOUT_S
    while time.monotonic() < give_up and process.poll() is None:
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError(f"it does not listen on {port}: {output.read_text(errors='replace')}")


@contextmanager
def sgguard_serve(folder: Path, env: Mapping[str, str]) -> Iterator[str]:
    """``sgguard serve`` with the same settings: what an artifact is compared with."""
    port = free_port()
    command = [sys.executable, "-m", "sgguard", "serve", "--port", str(port), "--host", "127.0.0.1"]
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    with serving(command, folder, {**kept, **env}, port) as served:
        yield served.url


def essence(decision: Mapping[str, Any]) -> dict[str, Any]:
    """A decision without what differs between two of them: ids, also the cloud's, and times."""
    differing = ("decision_id", "event_id", "decided_at", "took_ms")
    same = {name: value for name, value in decision.items() if name not in differing}
    found: dict[str, Any] = json.loads(re.sub(r"\[request id [^\]]+\]", "", json.dumps(same)))
    return found


def start_command(code: Path, target: runtime.Target, folder: Path, port: int) -> list[str]:
    """The platform's way to start a server: its start file, with the interpreter of this machine.

    The interpreter's place is the platform's; a program of that name stands in for it.
    """
    name = next(one for one in ("scf_bootstrap", "bootstrap") if (code / one).exists())
    start = code / name
    assert os.access(start, os.X_OK)
    text = start.read_text()
    assert text.startswith("#!/bin/bash\n")
    assert "\r" not in text
    runs = target.runtime.interpreter.format(digits=target.digits, python=target.python)
    assert runs in text
    stand_in = folder / "python"
    guard = folder / "guard"
    stand_in.write_text(
        f'#!/bin/bash\nexport PORT={port}\n[ "$1" = -u ] && shift\n'
        f"exec {interpreter(target.python)} -S -u -c "
        f'\'import sys; sys.path.insert(0, "{guard}"); import sitecustomize, runpy; '
        'sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name="__main__")\' "$@"\n'
    )
    stand_in.chmod(0o755)
    own = folder / name
    own.write_text(text.replace(runs, str(stand_in)).replace('"$(dirname "$0")"', f'"{code}"'))
    own.chmod(0o755)
    return [str(own)]
