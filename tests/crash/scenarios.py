"""Scenarios of each cloud: a state, a policy and one event for every shape of a plan."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from sgguard.emulator.state import Cloud, State
from sgguard.model.address import Address, Scope
from sgguard.model.event import Event
from sgguard.model.request import DeleteRequest, LaunchRequest
from tests.worlds import World, world_of

PROVIDERS = ("tencent", "tencent-dfw", "alibaba", "huawei", "openstack")
Raw = dict[str, Any]


def added_group_id(provider: str, number: int) -> str:
    """An id, well-formed in that cloud, of a group that a scenario adds."""
    match provider:
        case "tencent" | "tencent-dfw":
            return f"sg-crash{number:03d}"
        case "alibaba":
            return f"sg-bp1crash{number:012d}"
        case _:
            return f"cccccccc-0000-4000-8000-{number:012d}"


@dataclass
class Setup:
    """The initial state of a scenario: the raw cloud, and the groups the scenario adds to it."""

    world: World
    cloud: Raw
    spare: str
    one: str
    two: str
    three: str

    @classmethod
    def of(cls, provider: str) -> Setup:
        world = world_of(provider)
        scenario = State.load(world.scenario).dump()
        cloud = next(c for c in scenario["clouds"] if c["provider"] == provider)
        if provider == "tencent-dfw":
            # API 2.0 tells the groups of an instance only where no other interface carries any.
            cloud["interfaces"] = [i for i in cloud["interfaces"] if i["kind"] == "primary"]
        names = {"spare": 1, "one": 2, "two": 3, "three": 4}
        ids = {name: added_group_id(provider, number) for name, number in names.items()}
        like = next(g for g in cloud["groups"] if g["id"] == world.free)
        for name, group_id in ids.items():
            cloud["groups"].append({**copy.deepcopy(like), "id": group_id, "name": name})
        return cls(world, cloud, **ids)

    def group(self, group_id: str) -> Raw:
        return next(g for g in self.cloud["groups"] if g["id"] == group_id)

    def name(self, holder: str, named: str, ports: str, *, last: bool = False) -> None:
        """Add a rule that names a group, at the first or the last position."""
        rules = self.group(holder)["rules"]
        rule = {
            "id": f"0badc0de-0000-4000-8000-{len(rules):04d}{int(ports):08d}",
            "direction": "ingress",
            "protocol": "tcp",
            "ports": ports,
            "peer_group": named,
            "description": f"from the scenario {ports}",
        }
        rules.insert(len(rules) if last else 0, rule)

    def carry(self, *group_ids: list[str]) -> None:
        """Replace the groups of the holders of the bound group, the server's holder first."""
        carrying = [i for i in self.cloud["interfaces"] if self.world.bound in i["groups"]]
        holders = sorted(carrying, key=lambda one: one["kind"] != "primary")
        for holder, groups in zip(holders, group_ids, strict=False):
            holder["groups"] = list(groups)


@dataclass(frozen=True)
class Scenario:
    """One event: ``targets`` to delete or ``instance`` to mend, and what the policy permits."""

    setup: Setup
    policy: str
    targets: tuple[str, ...] = ()
    instance: str = ""
    event_id: str = "event-1"

    @property
    def provider(self) -> str:
        return self.setup.world.provider

    @cached_property
    def _clouds(self) -> list[Cloud]:
        return State.load({"clouds": [self.setup.cloud]}).clouds

    def state(self) -> State:
        """The state before the plan, a fresh copy each time."""
        return State(copy.deepcopy(self._clouds))

    def request_and_event(self, event_id: str = "") -> tuple[DeleteRequest | LaunchRequest, Event]:
        """The request and its event, the same each time."""
        scope = Scope(self.provider, "", self.setup.world.region)
        data = {"scenario": self.targets or self.instance}
        event = Event(event_id or self.event_id, data, "/crash")
        if self.instance:
            return LaunchRequest(scope, instance_id=self.instance), event
        return DeleteRequest(tuple(Address(scope, one) for one in self.targets)), event


def _delete(setup: Setup, *targets: str, remedies: str, more: str = "") -> Scenario:
    listed = ", ".join(f'"{one}"' for one in remedies.split())
    policy = f"""mode = "enforce"
[caps]
management_ports = []
[delete]
remedies = [{listed}]
{more}
"""
    return Scenario(setup, policy, targets=targets)


def _launch(setup: Setup, lines: str) -> Scenario:
    policy = f"""mode = "enforce"
[launch]
{lines}
"""
    return Scenario(setup, policy, instance=setup.world.server)


def revoke(setup: Setup) -> Scenario:
    world = setup.world
    setup.name(world.referrer_in, world.referenced, "7001")
    setup.name(world.referrer_in, world.referenced, "7002", last=True)
    return _delete(setup, world.referenced, remedies="revoke")


def rewrite(setup: Setup) -> Scenario:
    world = setup.world
    setup.name(world.referrer_in, world.referenced, "7001")
    setup.name(world.referrer_in, world.referenced, "7002", last=True)
    more = f'replacement_group = "{setup.spare}"'
    return _delete(setup, world.referenced, remedies="rewrite", more=more)


def unbind(setup: Setup) -> Scenario:
    world = setup.world
    setup.carry(
        [world.bound, world.referrer_in], [world.referrer_in, world.bound, world.referrer_out]
    )
    return _delete(setup, world.bound, remedies="unbind")


def move(setup: Setup) -> Scenario:
    world = setup.world
    setup.carry([world.bound], [world.referrer_in, world.bound, world.referrer_out])
    more = f'fallback_group = "{setup.spare}"'
    return _delete(setup, world.bound, remedies="move", more=more)


def mix(setup: Setup) -> Scenario:
    """Rules that are rewritten, one holder that keeps other groups, one that moves."""
    world = setup.world
    setup.carry([world.bound], [world.referrer_in, world.bound])
    setup.name(world.referrer_in, world.bound, "7001")
    setup.name(world.referrer_out, world.bound, "7002", last=True)
    more = f'replacement_group = "{setup.spare}"\nfallback_group = "{setup.spare}"'
    return _delete(setup, world.bound, remedies="rewrite unbind move", more=more)


def circle(setup: Setup) -> Scenario:
    """Three groups that reference each other, and one outside that references one of them."""
    setup.name(setup.two, setup.one, "7001")
    setup.name(setup.three, setup.two, "7002")
    setup.name(setup.one, setup.three, "7003")
    setup.name(setup.one, setup.two, "7004")
    setup.name(setup.world.referrer_in, setup.two, "7005")
    return _delete(setup, setup.one, setup.two, setup.three, remedies="revoke")


def whole_set(setup: Setup) -> Scenario:
    """A referenced group, a bound group, and one that references both."""
    world = setup.world
    setup.carry([world.bound, world.referrer_in], [world.bound])
    setup.name(setup.one, world.bound, "7001")
    setup.name(setup.one, world.referenced, "7002")
    more = f'fallback_group = "{setup.spare}"'
    remedies = "revoke unbind move"
    return _delete(setup, world.referenced, world.bound, setup.one, remedies=remedies, more=more)


def baseline(setup: Setup) -> Scenario:
    return _launch(setup, f'remedies = ["bind"]\nbaseline = ["{setup.spare}"]')


def forbidden(setup: Setup) -> Scenario:
    world = setup.world
    setup.carry([world.bound, world.referrer_in], [world.bound])
    return _launch(setup, f'remedies = ["unbind"]\nforbidden = ["{world.bound}"]')


def quarantine(setup: Setup) -> Scenario:
    world = setup.world
    setup.carry([world.referrer_in, world.bound, world.referrer_out], [world.bound])
    return _launch(
        setup,
        f'remedies = ["quarantine"]\nforbidden = ["{world.bound}"]\n'
        f'quarantine_group = "{setup.spare}"',
    )


def force(setup: Setup) -> Scenario:
    """The cloud itself takes the group off its instances."""
    world = setup.world
    setup.carry([world.bound, world.referrer_in], [world.referrer_in])
    setup.name(world.referrer_in, world.bound, "7001")
    return _delete(setup, world.bound, remedies="revoke force")


SHAPES: dict[str, Callable[[Setup], Scenario]] = {
    "revoke": revoke,
    "rewrite": rewrite,
    "unbind": unbind,
    "move": move,
    "mix": mix,
    "circle": circle,
    "set": whole_set,
    "baseline": baseline,
    "forbidden": forbidden,
    "quarantine": quarantine,
    "force": force,
}


@lru_cache(maxsize=64)
def scenario_of(provider: str, shape: str) -> Scenario:
    """The scenario of a shape in a cloud; it is shared, and states are copied from it."""
    return SHAPES[shape](Setup.of(provider))
