"""Binding instances on the emulator, which enforces the documented rate: in threads, or a process.

``python -m tests.pace.binding COUNT THREADS`` binds as one process with the environment's settings,
and prints how many calls were throttled.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from sgguard.emulator.core import Emulator
from sgguard.engine.context import Context, connect
from sgguard.errors import ThrottledError
from sgguard.model.address import Scope
from sgguard.wire.clock import Deadline
from tests.worlds import world_of

ACTION = "AssociateSecurityGroups"
LIMIT = 10
WORLD = world_of("tencent")
SCOPE = Scope("tencent", "", WORLD.region)


def emulator(**clocks: Any) -> Emulator:
    """The small Tencent Cloud, with the rate of the API's page."""
    scenario = WORLD.scenario_copy()
    scenario["clouds"][0]["rates"] = {ACTION: LIMIT}
    return Emulator.load(scenario, **clocks)


def bind(cloud: Any) -> bool:
    """Send one call; return whether it was throttled."""
    wish = {"SecurityGroupIds": [WORLD.bound], "InstanceIds": [WORLD.server, WORLD.other_server]}
    try:
        cloud.api.write("cvm", ACTION, wish)
    except ThrottledError:
        return True
    return False


def bulk(context: Context, seconds: float) -> Any:
    """The cloud for work that nobody waits for."""
    deadline = Deadline.after(seconds, context.lanes.clock)
    return connect(SCOPE, replace(context, is_bulk=True, deadline=deadline))


def ready(env: Mapping[str, str]) -> Any:
    """The cloud, which was asked something: as always before something is bound."""
    cloud = bulk(Context.from_env(env), 120.0)
    cloud.api.read("vpc", "DescribeSecurityGroups", {"SecurityGroupIds": [WORLD.bound]})
    return cloud


def main(cloud: Any, count: int, threads: int) -> int:
    """Send ``count`` calls; return how many were throttled."""
    throttled: list[bool] = []

    def work() -> None:
        throttled.extend(bind(cloud) for _ in range(count // threads))

    workers = [threading.Thread(target=work) for _ in range(threads)]
    for one in workers:
        one.start()
    for one in workers:
        one.join()
    return sum(throttled)


if __name__ == "__main__":
    CLOUD = ready(os.environ)
    print("ready", flush=True)
    sys.stdin.readline()
    print(main(CLOUD, int(sys.argv[1]), int(sys.argv[2])), flush=True)
