"""What is to be done in each cloud: a world, a policy and one event for every shape of a plan."""

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


def made_id(provider: str, number: int) -> str:
    """An id of a group that the plot adds to a world, well-formed in that cloud."""
    match provider:
        case "tencent" | "tencent-dfw":
            return f"sg-crash{number:03d}"
        case "alibaba":
            return f"sg-bp1crash{number:012d}"
        case _:
            return f"cccccccc-0000-4000-8000-{number:012d}"


@dataclass
class Stage:
    """A world that is being set up: the raw cloud, and the groups a plot adds to it."""

    world: World
    cloud: Raw
    spare: str
    one: str
    two: str
    three: str

    @classmethod
    def of(cls, provider: str) -> Stage:
        world = world_of(provider)
        scenario = State.load(world.scenario).dump()
        cloud = next(c for c in scenario["clouds"] if c["provider"] == provider)
        if provider == "tencent-dfw":
            # API 2.0 tells the groups of an instance only where no other interface carries any.
            cloud["interfaces"] = [i for i in cloud["interfaces"] if i["kind"] == "primary"]
        names = {"spare": 1, "one": 2, "two": 3, "three": 4}
        ids = {name: made_id(provider, number) for name, number in names.items()}
        like = next(g for g in cloud["groups"] if g["id"] == world.free)
        for name, group_id in ids.items():
            cloud["groups"].append({**copy.deepcopy(like), "id": group_id, "name": name})
        return cls(world, cloud, **ids)

    def group(self, group_id: str) -> Raw:
        return next(g for g in self.cloud["groups"] if g["id"] == group_id)

    def name(self, holder: str, named: str, ports: str, *, last: bool = False) -> None:
        """Let a group have another rule that names a group: first of all, or last."""
        rules = self.group(holder)["rules"]
        rule = {
            "id": f"0badc0de-0000-4000-8000-{len(rules):04d}{int(ports):08d}",
            "direction": "ingress",
            "protocol": "tcp",
            "ports": ports,
            "peer_group": named,
            "description": f"from the plot {ports}",
        }
        rules.insert(len(rules) if last else 0, rule)

    def carry(self, *group_ids: list[str]) -> None:
        """Say which groups the holders of the bound group carry instead, the server's first."""
        carrying = [i for i in self.cloud["interfaces"] if self.world.bound in i["groups"]]
        holders = sorted(carrying, key=lambda one: one["kind"] != "primary")
        for holder, groups in zip(holders, group_ids, strict=False):
            holder["groups"] = list(groups)


@dataclass(frozen=True)
class Plot:
    """One event: ``targets`` to delete or ``instance`` to mend, and what the policy permits."""

    stage: Stage
    policy: str
    targets: tuple[str, ...] = ()
    instance: str = ""
    event_id: str = "event-1"

    @property
    def provider(self) -> str:
        return self.stage.world.provider

    @cached_property
    def _clouds(self) -> list[Cloud]:
        return State.load({"clouds": [self.stage.cloud]}).clouds

    def state(self) -> State:
        """The world before the plan, a fresh one each time."""
        return State(copy.deepcopy(self._clouds))

    def asked(self, event_id: str = "") -> tuple[DeleteRequest | LaunchRequest, Event]:
        """The request and its event, the same each time."""
        scope = Scope(self.provider, "", self.stage.world.region)
        event = Event(event_id or self.event_id, {"plot": self.targets or self.instance}, "/crash")
        if self.instance:
            return LaunchRequest(scope, instance_id=self.instance), event
        return DeleteRequest(tuple(Address(scope, one) for one in self.targets)), event


def _delete(stage: Stage, *targets: str, remedies: str, more: str = "") -> Plot:
    listed = ", ".join(f'"{one}"' for one in remedies.split())
    policy = f"""mode = "enforce"
[caps]
management_ports = []
[delete]
remedies = [{listed}]
{more}
"""
    return Plot(stage, policy, targets=targets)


def _launch(stage: Stage, lines: str) -> Plot:
    policy = f"""mode = "enforce"
[launch]
{lines}
"""
    return Plot(stage, policy, instance=stage.world.server)


def revoke(stage: Stage) -> Plot:
    world = stage.world
    stage.name(world.referrer_in, world.referenced, "7001")
    stage.name(world.referrer_in, world.referenced, "7002", last=True)
    return _delete(stage, world.referenced, remedies="revoke")


def rewrite(stage: Stage) -> Plot:
    world = stage.world
    stage.name(world.referrer_in, world.referenced, "7001")
    stage.name(world.referrer_in, world.referenced, "7002", last=True)
    more = f'replacement_group = "{stage.spare}"'
    return _delete(stage, world.referenced, remedies="rewrite", more=more)


def unbind(stage: Stage) -> Plot:
    world = stage.world
    stage.carry(
        [world.bound, world.referrer_in], [world.referrer_in, world.bound, world.referrer_out]
    )
    return _delete(stage, world.bound, remedies="unbind")


def move(stage: Stage) -> Plot:
    world = stage.world
    stage.carry([world.bound], [world.referrer_in, world.bound, world.referrer_out])
    more = f'fallback_group = "{stage.spare}"'
    return _delete(stage, world.bound, remedies="move", more=more)


def mix(stage: Stage) -> Plot:
    """Rules that are rewritten, one holder that keeps others, one that moves."""
    world = stage.world
    stage.carry([world.bound], [world.referrer_in, world.bound])
    stage.name(world.referrer_in, world.bound, "7001")
    stage.name(world.referrer_out, world.bound, "7002", last=True)
    more = f'replacement_group = "{stage.spare}"\nfallback_group = "{stage.spare}"'
    return _delete(stage, world.bound, remedies="rewrite unbind move", more=more)


def circle(stage: Stage) -> Plot:
    """Three groups that name each other, and one outside that names one of them."""
    stage.name(stage.two, stage.one, "7001")
    stage.name(stage.three, stage.two, "7002")
    stage.name(stage.one, stage.three, "7003")
    stage.name(stage.one, stage.two, "7004")
    stage.name(stage.world.referrer_in, stage.two, "7005")
    return _delete(stage, stage.one, stage.two, stage.three, remedies="revoke")


def whole_set(stage: Stage) -> Plot:
    """A group that is named, one that is carried, and one that names both."""
    world = stage.world
    stage.carry([world.bound, world.referrer_in], [world.bound])
    stage.name(stage.one, world.bound, "7001")
    stage.name(stage.one, world.referenced, "7002")
    more = f'fallback_group = "{stage.spare}"'
    remedies = "revoke unbind move"
    return _delete(stage, world.referenced, world.bound, stage.one, remedies=remedies, more=more)


def baseline(stage: Stage) -> Plot:
    return _launch(stage, f'remedies = ["bind"]\nbaseline = ["{stage.spare}"]')


def forbidden(stage: Stage) -> Plot:
    world = stage.world
    stage.carry([world.bound, world.referrer_in], [world.bound])
    return _launch(stage, f'remedies = ["unbind"]\nforbidden = ["{world.bound}"]')


def quarantine(stage: Stage) -> Plot:
    world = stage.world
    stage.carry([world.referrer_in, world.bound, world.referrer_out], [world.bound])
    return _launch(
        stage,
        f'remedies = ["quarantine"]\nforbidden = ["{world.bound}"]\n'
        f'quarantine_group = "{stage.spare}"',
    )


def force(stage: Stage) -> Plot:
    """The cloud itself takes the group off its instances."""
    world = stage.world
    stage.carry([world.bound, world.referrer_in], [world.referrer_in])
    stage.name(world.referrer_in, world.bound, "7001")
    return _delete(stage, world.bound, remedies="revoke force")


SHAPES: dict[str, Callable[[Stage], Plot]] = {
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
def plot_of(provider: str, shape: str) -> Plot:
    """The plot of a shape in a cloud; nobody changes it, worlds are copied from it."""
    return SHAPES[shape](Stage.of(provider))
