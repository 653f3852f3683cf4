"""One group on a thousand instances: time, calls and throttles beside two obvious clients.

All on one simulated clock: a call takes 50 ms, the emulator allows 10 a second as the document
says, and a binding is over a second after its call. Ours reads and judges every instance, keeps a
journal, and follows each binding to its end; the others only send.

- *The SDK in a loop*: one call for each instance, and a second of sleep after an error: what the
  SDK of the vendor leaves to whoever uses it.
- *In the manner of Cloud Custodian*: the instances are listed, then one call for each, again after
  1, 2, 4, … seconds where the cloud says that it was too fast.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import httpx

from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine.context import connect
from sgguard.errors import ThrottledError
from sgguard.model.address import Scope
from sgguard.wire.pacing import Lanes
from tests.bench.measure import Ratio
from tests.bind.harness import GROUP, Fleet, ids
from tests.worlds import Jumping
from tests.worlds.tencent import WORLD

SIZE = 1000
LATENCY_S = 0.05
ACTION, LIMIT = "AssociateSecurityGroups", 10


class Simulated(Jumping):
    """A clock that only waits move on. Calls side by side count one after another."""

    def __init__(self) -> None:
        super().__init__()
        self._guard = threading.Lock()

    def __call__(self) -> float:
        return self.jumped_s

    def sleep(self, seconds: float) -> None:
        with self._guard:
            self.jumped_s += seconds


class Far(httpx.BaseTransport):
    """A cloud that is 50 ms away; counts calls of the API, and those that were throttled."""

    def __init__(self, fleet: Fleet) -> None:
        self.inner, self.clock = EmulatorTransport(fleet.emulator), fleet.clock
        self.calls = self.throttled = 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.clock.sleep(LATENCY_S)
        answer = self.inner.handle_request(request)
        if request.headers.get("X-TC-Action") == ACTION:
            self.calls += 1
            answer.read()
            self.throttled += b"RequestLimitExceeded" in answer.content
        return answer


def measure() -> list[Ratio]:
    """Measure ours once, and each of the others against it."""
    ours, told = _measured(_ours)
    rows = []
    for what, other in (("the SDK in a loop", _loop), ("Custodian's manner", _serial)):
        theirs, others = _measured(other)
        detail = f"{told}; {others}"
        rows.append(Ratio(f"time to bind {SIZE} instances", what, ours / theirs, 0.10, detail))
    return rows


def _measured(work: Callable[[Fleet, Far], None]) -> tuple[float, str]:
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(Path(folder), SIZE, clock=Simulated())
        fleet.cloud.rates = {ACTION: LIMIT}
        fleet.cloud.quirks["binding_s"] = 1
        far = Far(fleet)
        begun_s = fleet.clock()
        work(fleet, far)
        took_s = fleet.clock() - begun_s
        assert fleet.holders_of() == set(ids(SIZE))
        fleet.store.close()
    return took_s, f"{took_s:.0f} s, {far.calls} calls, {far.throttled} throttled"


def _ours(fleet: Fleet, far: Far) -> None:
    done = fleet.bind(ids(SIZE), context=fleet.context(transport=far))
    assert done["bind"]["counts"]["done"] == SIZE


def _plain(fleet: Fleet, far: Far) -> Any:
    """A client that signs and sends, and paces nothing."""
    hours = count(step=3600)  # whatever lies between two calls, it was enough
    lanes = Lanes(lambda: float(next(hours)), lambda _seconds: None)
    context = replace(fleet.context(transport=far), store=None, lanes=lanes)
    return connect(Scope("tencent", "", WORLD.region), context).api


def _send(api: Any, one: str) -> bool:
    try:
        api.write("cvm", ACTION, {"SecurityGroupIds": [GROUP], "InstanceIds": [one]})
    except ThrottledError:
        return False
    return True


def _loop(fleet: Fleet, far: Far) -> None:
    api = _plain(fleet, far)
    for one in ids(SIZE):
        while not _send(api, one):
            fleet.clock.sleep(1.0)


def _serial(fleet: Fleet, far: Far) -> None:
    api = _plain(fleet, far)
    for offset in range(0, SIZE, 100):
        api.read("cvm", "DescribeInstances", {"Offset": offset, "Limit": 100})
    for one in ids(SIZE):
        wait_s = 1.0
        while not _send(api, one):
            fleet.clock.sleep(wait_s)
            wait_s *= 2
