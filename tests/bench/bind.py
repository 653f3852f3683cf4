"""One group on a thousand instances: time, calls and throttles beside two obvious clients.

All on one simulated clock: a call takes 50 ms, the emulator allows 10 a second as the document
says, and a binding is over a second after its call. Ours reads and judges every instance, keeps a
journal, and follows each binding to its end; the others only send.

- *The SDK in a loop*: Tencent's own SDK, one call for each instance, and a second of sleep after an
  error: what it leaves to whoever uses it. Where it is not installed (it is with the extra
  `interop`), a client of ours that paces nothing stands for it, and the row says so.
- *A model of Cloud Custodian*: c7n-tencentcloud 0.1.35 (read 2026-11) has no action that puts a
  group on an instance (`cvm` can be stopped, started, terminated and tagged), and the host of its
  HTTPS endpoint is written into it. So its manner is modelled: instances are listed in its pages
  of 20, then one call for each, again after 0.2, 0.4, 0.8 and 1 s, which is its client's retry.
"""

from __future__ import annotations

import json
import tempfile
import threading
import time
from collections.abc import Callable
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import httpx
from msgspec.structs import replace

from sgguard.emulator.server import serve
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


class Present(Fleet):
    """A fleet whose cloud's clock shows the machine's time at first: the SDK signs with that."""

    def __post_init__(self) -> None:
        self.begun_s = time.time()
        super().__post_init__()

    def _now(self) -> float:
        return self.begun_s + self.clock.jumped_s


Client = Callable[[Fleet, Far], None]


def clients() -> dict[str, Client]:
    """The clients that ours is compared with, by what they are called."""
    has_sdk = find_spec("tencentcloud") is not None
    loop = {"the SDK in a loop": _sdk} if has_sdk else {"a model of the SDK in a loop": _loop}
    return {**loop, "a model of Custodian": _serial}


def measure(size: int = SIZE) -> list[Ratio]:
    """Measure ours once, and each of the others against it."""
    ours, told = _measured(_ours, size)
    rows = []
    for what, other in clients().items():
        theirs, others = _measured(other, size)
        detail = f"{told}; {others}"
        rows.append(Ratio(f"time to bind {size} instances", what, ours / theirs, 0.10, detail))
    return rows


def _measured(work: Client, size: int) -> tuple[float, str]:
    with tempfile.TemporaryDirectory() as folder:
        fleet = Present(Path(folder), size, clock=Simulated())
        fleet.cloud.rates = {ACTION: LIMIT}
        fleet.cloud.quirks["binding_s"] = 1
        far = Far(fleet)
        begun_s = fleet.clock()
        work(fleet, far)
        took_s = fleet.clock() - begun_s
        # The last bindings are over a second after their calls, which only ours waits for.
        fleet.clock.sleep(2.0)
        assert fleet.holders_of() == set(ids(size))
        fleet.store.close()
    return took_s, f"{took_s:.0f} s, {far.calls} calls, {far.throttled} throttled"


def _ours(fleet: Fleet, far: Far) -> None:
    done = fleet.bind(ids(fleet.size), context=fleet.context(transport=far))
    assert done["bind"]["counts"]["done"] == fleet.size


def _sdk(fleet: Fleet, far: Far) -> None:
    from tencentcloud.common import credential  # noqa: PLC0415 - an extra
    from tencentcloud.common.exception.tencent_cloud_sdk_exception import (  # noqa: PLC0415
        TencentCloudSDKException,
    )
    from tencentcloud.common.profile.client_profile import ClientProfile  # noqa: PLC0415
    from tencentcloud.common.profile.http_profile import HttpProfile  # noqa: PLC0415
    from tencentcloud.cvm.v20170312 import cvm_client, models  # noqa: PLC0415

    names = ("TENCENTCLOUD_SECRET_ID", "TENCENTCLOUD_SECRET_KEY", "TENCENTCLOUD_TOKEN")
    caller = credential.Credential(*(WORLD.env[one] for one in names))
    with serve(fleet.emulator) as running:
        http = HttpProfile(protocol="http", endpoint=running.url.removeprefix("http://"))
        client = cvm_client.CvmClient(caller, WORLD.region, ClientProfile(httpProfile=http))
        for one in ids(fleet.size):
            request = models.AssociateSecurityGroupsRequest()
            request.from_json_string(
                json.dumps({"SecurityGroupIds": [GROUP], "InstanceIds": [one]})
            )
            while True:
                fleet.clock.sleep(LATENCY_S)
                far.calls += 1
                try:
                    client.AssociateSecurityGroups(request)
                except TencentCloudSDKException as error:
                    far.throttled += error.get_code() == "RequestLimitExceeded"
                    fleet.clock.sleep(1.0)
                else:
                    break


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
    for one in ids(fleet.size):
        while not _send(api, one):
            fleet.clock.sleep(1.0)


def _serial(fleet: Fleet, far: Far) -> None:
    api = _plain(fleet, far)
    for offset in range(0, fleet.size, 20):
        api.read("cvm", "DescribeInstances", {"Offset": offset, "Limit": 20})
    for one in ids(fleet.size):
        wait_s = 0.2
        while not _send(api, one):
            fleet.clock.sleep(wait_s)
            wait_s = min(1.0, 2 * wait_s)
