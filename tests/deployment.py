"""Every cloud in one emulator, and the real functions as processes that use it."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import signal
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sgguard.demo.processes import Child, Function, running
from sgguard.emulator.core import Emulator
from sgguard.web import server
from tests.worlds import World, world_of

CLOUDS = ("alibaba", "huawei", "openstack", "tencent", "tencent-dfw")

_KEPT = ("PATH", "HOME", "LANG", "LC_", "PYTHON", "VIRTUAL_ENV", "TMPDIR", "COVERAGE")


def emulator(**clocks: Any) -> Emulator:
    clouds = [cloud for name in CLOUDS for cloud in world_of(name).scenario["clouds"]]
    return Emulator.load({"clouds": clouds}, **clocks)


def environment(url: str, **settings: str) -> dict[str, str]:
    """The environment of a function deployed for all of the clouds."""
    env = {name: value for name, value in os.environ.items() if name.startswith(_KEPT)}
    env["SGGUARD_STORE"] = f"sqlite:///{_folder()}/sgguard.db"
    for name in CLOUDS:
        env |= world_of(name).env
        env[f"SGGUARD_ENDPOINT_{name.upper().replace('-', '_')}"] = url
    return env | {"OS_AUTH_URL": f"{url}/identity"} | settings


def _folder() -> str:
    """A folder of its own for each deployment's store."""
    folder = tempfile.mkdtemp(prefix="sgguard-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def secrets() -> set[str]:
    """Every value that must never leave a function: keys, tokens and passwords of all clouds."""
    name_of_a_secret = re.compile("SECRET_KEY|KEY_SECRET|_SK$|TOKEN|PASSWORD")
    return {
        value
        for cloud in CLOUDS
        for name, value in world_of(cloud).env.items()
        if name_of_a_secret.search(name)
    }


def address(world: World, who: str) -> str:
    return f"{world.provider}::{world.region}:{getattr(world, who)}"


@dataclass(frozen=True)
class FunctionProcess:
    """One running function: its address, and its output so far."""

    child: Child

    @property
    def url(self) -> str:
        return self.child.url

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1].strip("/"))

    def resident_mib(self) -> int:
        """The memory of its worker processes together."""
        children = Path(f"/proc/{self.child.process.pid}/task/{self.child.process.pid}/children")
        return sum(_resident_kib(pid) for pid in children.read_text().split()) // 1024

    def send(self, raw: bytes, *, is_half_closed: bool = False, timeout_s: float = 5.0) -> bytes:
        """Send bytes as they are; return everything until the connection ends or is idle."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=timeout_s) as connection:
            connection.sendall(raw)
            if is_half_closed:
                connection.shutdown(socket.SHUT_WR)
            return _answer(connection)


def _answer(connection: socket.socket) -> bytes:
    """Read one answer: its head, and as much of a body as that announces."""
    told = bytearray()
    while chunk := connection.recv(65536):
        told += chunk
        head, blank, body = told.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: *(\d+)", head, re.IGNORECASE)
        if blank and length and len(body) >= int(length[1]):
            break
    return bytes(told)


def _resident_kib(pid: str) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", status)[1])


@contextmanager
def functions(url: str, *names: str, **settings: str) -> Iterator[dict[str, FunctionProcess]]:
    """Run functions under functions-framework against the clouds at ``url``."""
    sources = server.functions()
    env = environment(url, **settings)
    wanted = {name: Function(name, sources[name], env) for name in names}
    with running(wanted) as children:
        for child in children.values():
            child.ask_type()
        try:
            yield {name: FunctionProcess(child) for name, child in children.items()}
        finally:
            for child in children.values():
                # A graceful end takes gunicorn seconds; one test checks what it does then.
                with suppress(ProcessLookupError):
                    os.killpg(child.process.pid, signal.SIGKILL)
