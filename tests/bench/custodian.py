"""CPU of ``custodian run`` about one group, against ``sgguard check delete`` of the same group.

Of Cloud Custodian's providers that of OpenStack (c7n-openstack) can be pointed at the emulator, for
it takes the usual variables. Its policy is the nearest that there is: the group by its id. It asks
neither which rules name the group nor which ports carry it. It is measured where a ``custodian``
with that provider is installed: beside this Python, in PATH, or where ``CUSTODIAN`` says.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.bench.clouds import emulated, environment
from tests.bench.measure import Ratio, least
from tests.worlds import World, world_of

AIM = 0.50
_FILTER = {"type": "value", "key": "id"}
_POLICY = {"name": "free", "resource": "openstack.security-group"}


def command() -> str:
    """Return the path of ``custodian``, empty where it is not installed."""
    beside = shutil.which("custodian", path=str(Path(sys.executable).parent))
    return os.environ.get("CUSTODIAN") or beside or shutil.which("custodian") or ""


def measure(runs: int = 5) -> list[Ratio]:
    """Measure both commands, each as a process of its own; no row where there is no custodian."""
    custodian = command()
    if not custodian:
        return []
    world = world_of("openstack")
    with tempfile.TemporaryDirectory() as folder, emulated() as url:
        theirs = run(custodian, world, url, Path(folder))
        assert theirs == [world.free], f"custodian found {theirs}"
        (found,) = least(
            (
                lambda: _cpu_s(_ours(world), environment(world, url)),
                lambda: _cpu_s(*_theirs(custodian, world, url, Path(folder))),
            ),
            runs,
        )
    what = "check of one group, openstack"
    return [Ratio(what, "custodian run", found.ratio, AIM, f"CPU {found.shown()}")]


def run(custodian: str, world: World, url: str, folder: Path) -> list[str]:
    """Run the policy once; return the ids of the groups that it finds."""
    words, env = _theirs(custodian, world, url, folder)
    subprocess.run(words, env=dict(env), check=True, capture_output=True)
    found = json.loads((folder / "out" / "free" / "resources.json").read_text())
    return [one["id"] for one in found]


def _ours(world: World) -> list[str]:
    address = f"{world.provider}::{world.region}:{world.free}"
    return [sys.executable, "-m", "sgguard.cli", "check", "delete", "--json", address]


def _theirs(
    custodian: str, world: World, url: str, folder: Path
) -> tuple[list[str], Mapping[str, str]]:
    policy = {**_POLICY, "filters": [{**_FILTER, "value": world.free}]}
    path = folder / "policy.json"
    path.write_text(json.dumps({"policies": [policy]}))
    env = {**world.env, "OS_AUTH_URL": f"{url}/identity", "OS_REGION_NAME": world.region}
    words = [custodian, "run", "--cache-period", "0", "-s", str(folder / "out"), str(path)]
    return words, env


def _cpu_s(words: list[str], env: Mapping[str, str]) -> float:
    """Return the CPU seconds of a process and its children, which must not fail."""
    given = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME")}
    process = subprocess.Popen(
        words, env={**given, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{words[0]} ended with {process.returncode}"
    return used.ru_utime + used.ru_stime
