"""Processes that bind in one simulated time, on a cloud that enforces its documented rate.

A call takes 0.2 s, a statement of the store 2 ms, and a binding is over a second after its call.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from dataclasses import replace as copied
from pathlib import Path
from typing import Any

import httpx
from msgspec.structs import replace

from sgguard.emulator.core import Emulator
from sgguard.emulator.transport import EmulatorTransport
from sgguard.engine import bind
from sgguard.engine.context import Context
from sgguard.errors import SgguardError
from sgguard.model.address import Scope
from sgguard.model.event import Event
from sgguard.model.request import BindRequest, RestRequest
from sgguard.store import Store
from sgguard.wire.clock import Deadline
from sgguard.wire.retry import Retry
from tests.bind.harness import BASE, GROUP, ids
from tests.callers import EVERYBODY
from tests.pace.virtual import Process, Time, crowded
from tests.worlds.tencent import WORLD

ACTION, LIMIT, IN_A_CALL = "AssociateSecurityGroups", 10, 100
SCOPE = Scope("tencent", "", WORLD.region)


class Far(httpx.BaseTransport):
    """A network on which a call takes a while, and not always the same."""

    def __init__(self, inner: httpx.BaseTransport, time: Time) -> None:
        self.inner, self.time, self.count = inner, time, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.count += 1
        self.time.wait(0.040 + 0.005 * (self.count % 3))
        response = self.inner.handle_request(request)
        self.time.wait(0.150)
        return response


class SlowStore:
    """A store of which each statement takes a while."""

    def __init__(self, store: Store, time: Time) -> None:
        self.store, self.time = store, time

    def paces(self) -> Any:
        return SlowStore(self.store.paces(), self.time)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.store, name)
        if not callable(found) or name == "tick":
            return found

        def run(*args: Any, **given: Any) -> Any:
            self.time.wait(0.001)
            done = found(*args, **given)
            self.time.wait(0.001)
            return done

        return run


@dataclass
class Crowd:
    """A cloud with groups, and as many instances for each of them to be put on."""

    time: Time
    folder: Path
    groups: int
    each: int
    binding_s: float = 1.0
    emulator: Emulator = field(init=False)
    wanted: dict[str, list[str]] = field(init=False)

    def __post_init__(self) -> None:
        everyone = ids(self.groups * self.each)
        scenario = WORLD.scenario_copy()
        (cloud,) = scenario["clouds"]
        cloud["rates"] = {ACTION: LIMIT}
        cloud["instances"] += [
            {"id": one, "name": one, "network": "vpc-2hxl6jir", "groups": [BASE]}
            for one in everyone
        ]
        self.emulator = Emulator.load(scenario, now=self.time.now)
        (state,) = self.emulator.state.clouds
        state.quirks["binding_s"] = self.binding_s
        state.limits["interfaces-per-group"] = 2 * len(everyone)
        self.wanted = {
            f"sg-bulk000{n}": everyone[n * self.each : (n + 1) * self.each]
            for n in range(self.groups)
        }
        like = state.group(GROUP)
        state.groups += [copied(like, id=one, name=one, rules=[], tags={}) for one in self.wanted]
        self.network = Far(EmulatorTransport(self.emulator), self.time)
        self.policy = self.folder / "policy.toml"
        self.policy.write_text(
            f'mode = "enforce"\n[limits.tencent]\ninstances-per-group = {2 * len(everyone)}\n'
            f'{EVERYBODY}sender = "knative"\n'
        )

    def context(self, process: Process, deadline_s: float, **env: str) -> Context:
        """The context of one delivery to a process."""
        given = {**WORLD.env, "SGGUARD_POLICY": str(self.policy), "HOME": "", **env}
        given |= {"SGGUARD_ENDPOINT_TENCENT": "", "SGGUARD_DEADLINE_S": str(deadline_s)}
        context = Context.from_env(
            given,
            transport=self.network,
            now=self.time.now,
            clock=process.clock,
            makes_store=False,
        )
        return replace(
            context,
            store=SlowStore(process.store, self.time),
            lanes=process.lanes,
            retry=Retry(sleep=process.sleep),
            deadline=Deadline.after(deadline_s, process.clock),
        )

    def request(self, group_id: str) -> BindRequest:
        return BindRequest(
            SCOPE, group_id, holders=tuple(self.wanted[group_id]), requested_by="alice"
        )

    def deliver(
        self, asked: BindRequest | RestRequest, event: Event, context: Context
    ) -> dict[str, Any] | SgguardError:
        (done,) = bind.binds([(asked, event)], context)
        if isinstance(done, Exception) and not isinstance(done, SgguardError):
            raise done
        return done

    def bind_all(self, process: Process, group_id: str, deadline_s: float) -> None:
        """Deliver the bind of a group again and again until it has ended."""
        while True:
            event = Event(f"bind {group_id}", {"group": group_id}, "/portal")
            context = self.context(process, deadline_s)
            done = self.deliver(self.request(group_id), event, context)
            if isinstance(done, SgguardError):
                self.time.wait(1.0)
            elif done["outcome"] != "unfinished":
                return

    def moments(self) -> list[float]:
        return sorted(one.begun_s for one in self.emulator.requests if one.action == ACTION)

    def require_whole(self) -> None:
        """Every instance carries its group, and no second had more calls than permitted."""
        (state,) = self.emulator.state.clouds
        for group_id, holders in self.wanted.items():
            assert {one.instance for one in state.interfaces_with(group_id)} == set(holders)
        assert not crowded(self.moments(), LIMIT)

    def part_of_the_ceiling(self) -> float:
        """What part of the rate was used from the first call to the last."""
        moments = self.moments()
        took_s = moments[-1] - moments[0] + 1 / LIMIT
        return self.groups * self.each / (took_s * LIMIT * IN_A_CALL)


def finished(time: Time, works: dict[str, Callable[[], object]]) -> None:
    """Run all of them side by side, and raise what any of them raised."""
    tasks = [time.spawn(name, work, 0.0) for name, work in works.items()]
    time.run()
    for task in tasks:
        if task.error is not None:
            raise task.error
