"""CPU of a check of many groups that all name each other, against a check of one group.

A hundred groups have 9,900 references among them. Each check is a process of its own; what both pay
is the start of the command.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence

from sgguard.emulator.server import serve
from tests.bench.clouds import environment
from tests.bench.measure import Ratio, least
from tests.bench.size import naming_each_other
from tests.worlds import World, world_of

GROUPS = 100
PROVIDERS = ("alibaba", "huawei", "openstack", "tencent")
AIM = 4.00


def measure(runs: int = 5) -> list[Ratio]:
    """Measure both checks in turn, on each cloud that has the references in its API."""
    return [_measured(world_of(provider), runs) for provider in PROVIDERS]


def _measured(world: World, runs: int) -> Ratio:
    emulator, ids = naming_each_other(world, GROUPS, GROUPS - 1)
    with serve(emulator) as running:
        env = {**environment(world, running.url), "SGGUARD_DEADLINE_S": "600"}

        def check(group_ids: Sequence[str]) -> float:
            emulator.requests.clear()
            return _cpu_s([f"{world.provider}::{world.region}:{one}" for one in group_ids], env)

        (found,) = least((lambda: check(ids), lambda: check([world.free])), runs)
    what = f"check of {GROUPS} groups that all name each other, {world.provider}"
    return Ratio(what, "a check of one group", found.ratio, AIM, f"CPU {found.shown()}")


def _cpu_s(addresses: Sequence[str], env: Mapping[str, str]) -> float:
    """Return the CPU seconds of a check that allows."""
    command = [sys.executable, "-m", "sgguard.cli", "check", "delete", "--json", *addresses]
    process = subprocess.Popen(
        command,
        env={"PATH": os.environ["PATH"], **env},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, f"{addresses[0]} and others: {process.returncode}"
    return used.ru_utime + used.ru_stime
