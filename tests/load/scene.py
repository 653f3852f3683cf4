"""The cloud of a load: groups that are only judged, and groups whose references are revoked."""

from __future__ import annotations

import json
import random
import threading
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from sgguard.emulator.core import Emulator
from sgguard.emulator.faces.base import Face
from sgguard.emulator.faults import DroppedConnectionError
from sgguard.emulator.state import Cloud, State
from tests.callers import EVERYBODY
from tests.crash.scenarios import Setup, added_group_id

Json = dict[str, Any]

JUDGED = {"free": 24, "referenced": 12, "carried": 12}
"""How many groups of each kind are judged again and again; nothing is changed about them."""

RULES = 3
"""How many rules name each referenced group."""

REVOKED = 40
"""How many groups are freed of their references, each by one event. Each has a user of its own:
plans that change the same group wait for each other, and the load would measure that."""

POLICY = f"""
mode = "observe"
[delete]
remedies = ["revoke"]
[caps]
management_ports = []
[[scope]]
match = {{ name = "revoked *" }}
mode = "enforce"
[[scope]]
match = {{ name = "user *" }}
mode = "enforce"
{EVERYBODY}"""


@dataclass(frozen=True)
class Scene:
    """A cloud, and its groups by kind."""

    setup: Setup
    groups: dict[str, tuple[str, ...]]

    def address(self, group_id: str) -> str:
        return f"openstack::{self.setup.world.region}:{group_id}"


def scene(revoked: int = REVOKED) -> Scene:
    """Return the cloud; every referenced group is named by three rules of another one."""
    setup = Setup.of("openstack")
    # A plan that could not be taken back for want of room is refused.
    setup.cloud["limits"] = {"groups-per-project": 10_000, "rules-per-project": 100_000}
    like = setup.group(setup.world.free)
    groups: dict[str, tuple[str, ...]] = {}
    kinds = {**JUDGED, "revoked": revoked, "user": revoked}
    for first, (kind, count) in enumerate(kinds.items(), 1):
        ids = [added_group_id("openstack", 10_000 * first + n) for n in range(count)]
        setup.cloud["groups"] += [
            {**json.loads(json.dumps(like)), "id": one, "name": f"{kind} {n}"}
            for n, one in enumerate(ids)
        ]
        groups[kind] = tuple(ids)
    users = [*[setup.one] * len(groups["referenced"]), *groups.pop("user")]
    named = (*groups["referenced"], *groups["revoked"])
    for n, (user, group_id) in enumerate(zip(users, named, strict=True)):
        for k in range(RULES):
            setup.name(user, group_id, str(1000 + 10 * n + k))
    carrier = next(i for i in setup.cloud["interfaces"] if setup.world.bound in i["groups"])
    carrier["groups"] += groups["carried"]
    return Scene(setup, groups)


@dataclass(slots=True)
class Weather(Emulator):
    """A cloud at some distance, of whose calls some fail: throttled, broken, or without an answer.

    ``latency_s`` is what every call takes, ``part`` how many of a hundred fail.
    """

    latency_s: float = 0.05
    part: float = 5.0
    chance: random.Random = field(default_factory=lambda: random.Random(1))
    calls: int = 0
    failed: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def _respond(
        self, request: httpx.Request, cloud: Cloud, face: Face, action: str
    ) -> httpx.Response:
        time.sleep(self.latency_s)
        with self._guard:
            self.calls += 1
            kind = ""
            if self.chance.random() * 100 < self.part:
                kind = self.chance.choice(["throttle", "error", "lost", "unanswered"])
                self.failed += 1
        if kind in ("throttle", "error"):
            return face.fault(kind, request, "")
        if kind == "lost":
            raise DroppedConnectionError
        response = super(Weather, self)._respond(request, cloud, face, action)
        if kind == "unanswered":
            raise DroppedConnectionError
        return response


def weather(made: Scene, *, latency_s: float = 0.05, part: float = 5.0) -> Weather:
    """Return the cloud of a scene as deployed functions reach it."""
    state = State.load({"clouds": [made.setup.cloud]})
    return Weather(state, latency_s=latency_s, part=part)
