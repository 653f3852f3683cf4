"""Functions as they are deployed, of any version of sgguard, ended and begun again at will."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from sgguard.demo.processes import free_port
from sgguard.web.installed import functions
from tests.broker.supervisor import until

ROOT = Path(__file__).resolve().parents[2]


@dataclass
class Deployed:
    """One function under gunicorn on a port that it keeps; ``package`` is where sgguard is.

    With ``LEASE_S`` in its environment the claim of a process that died holds for so many seconds.
    """

    env: dict[str, str]
    package: Path | None = None
    name: str = "delete_request"
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Begin, and wait until it can be asked."""
        source, paths = functions()[self.name], [str(ROOT)]
        if self.package is not None:
            source = self.package / "sgguard" / "_functions" / self.name / "main.py"
            paths = [str(self.package)]
        child = "tests.broker.function" if "LEASE_S" in self.env else "sgguard.demo.child"
        command = [sys.executable, "-m", child, "--target", self.name]
        command += ["--source", str(source), "--host", "127.0.0.1", "--port", str(self.port)]
        self.process = subprocess.Popen(
            command,
            env={**self.env, "PYTHONPATH": os.pathsep.join(paths)},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until(self.is_up, f"{self.name} starts")

    def is_up(self) -> bool:
        with suppress(httpx.TransportError):
            found = httpx.get(f"{self.url}healthz", trust_env=False, timeout=5)
            return found.status_code == 200
        return False

    def is_ready(self) -> bool:
        """Whether it says that settings, policy and store can be used, as platforms ask it."""
        return httpx.get(f"{self.url}readyz", trust_env=False, timeout=30).status_code == 200

    def terminate(self) -> None:
        """End it as a platform does: SIGTERM, and what is under way is answered first."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(120)
        self.process.communicate()

    def kill(self) -> None:
        """End it and its workers at once, however they are."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.communicate(timeout=30)

    def workers(self) -> list[int]:
        """The processes that answer."""
        assert self.process is not None
        task = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in task.read_text().split()]

    def held(self) -> tuple[int, int]:
        """Resident memory of the workers in KiB, and how many descriptors they have open."""
        kib = descriptors = 0
        for pid in self.workers():
            status = Path(f"/proc/{pid}/status").read_text().split()
            kib += int(status[status.index("VmRSS:") + 1])
            descriptors += sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        return kib, descriptors
